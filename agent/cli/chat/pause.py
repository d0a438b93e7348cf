"""What a person may do while a run is held."""

from dataclasses import replace

from crowquill.agent.budget import Budget
from crowquill.agent.cli.chat.session import Chat
from crowquill.agent.cli.live import checklist
from crowquill.agent.cli.view import numbered, receipt_view
from crowquill.agent.render import one_line
from crowquill.agent.steering import Steering
from crowquill.errors import UserError

_MENU = """\
Held: nothing new begins. What a model or a page was asked already goes on.
  Enter    go on                  a           answer now, with what there is
  h WORDS  a hint for the model   m steps=20  more steps, tokens, usd or seconds
  s        stop                   /task add|drop|first …, /plan, /quotes"""


async def hold(chat: Chat, steering: Steering) -> bool:
    """Ask until the run is to go on; False when it is to stop."""
    chat.say(_MENU)
    while True:
        line = await chat.ask("held> ")
        if line is None:
            return False
        word, _, rest = line.strip().partition(" ")
        try:
            if (goes_on := _obey(chat, steering, word.casefold(), rest.strip())) is not None:
                return goes_on
        except UserError as error:
            chat.say(f"! {one_line(str(error), 400)}", "yellow")


def _obey(chat: Chat, steering: Steering, word: str, rest: str) -> bool | None:
    """Do what was typed; True to go on, False to stop, None to ask again. Raises UserError."""
    match word:
        case "" | "c" | "continue":
            return True
        case "s" | "stop" | "q" | "/quit":
            return False
        case "a" | "answer":
            steering.answer_now()
            return True
        case "h" | "hint" if rest:
            steering.hint(rest)
            return True
        case "m" | "more" if rest:
            grant(chat, steering, rest)
            return True
        case "/task":
            change_task(chat, steering, rest)
        case "/plan":
            show_plan(chat)
        case "/quotes":
            for item in chat.screen.view.evidence if chat.screen is not None else ():
                chat.show(numbered(" ", receipt_view(item), wrapped=chat.interactive))
        case _:
            raise UserError("write one of: Enter, h WORDS, a, m steps=20, s, /task …, /plan, /quotes")
    return None


def grant(chat: Chat, steering: Steering, text: str) -> None:
    """Raise the limits of the run under way. Raises UserError."""
    extra = Budget.parse(text)
    if "steps" not in text:
        extra = replace(extra, steps=None)  # not the usual limit
    steering.more(extra)
    if chat.screen is not None:
        chat.screen.view.grant(extra)


def change_task(chat: Chat, steering: Steering | None, rest: str) -> None:
    """Add, drop or move a task of the run under way. Raises UserError."""
    verb, _, what = rest.partition(" ")
    if steering is None:
        raise UserError("no run is under way: hold one with Ctrl-C, then change its tasks")
    what = what.strip()
    if verb not in ("add", "drop", "first") or not what:
        raise UserError("write /task add GOAL, /task drop ID or /task first ID, as in /task drop t2")
    known = chat.screen.view.tasks if chat.screen is not None else {}
    if verb != "add" and what not in known:
        raise UserError(f"there is no task {what[:40]!r}; there are {', '.join(known) or 'none yet'}")
    {"add": steering.add_task, "drop": steering.drop_task, "first": steering.first_task}[verb](what)
    chat.say("noted; it is done before the next batch of tasks", "dim")


def show_plan(chat: Chat) -> None:
    """Print the plan of the run under way, or of the last one. Raises UserError."""
    under_way = () if chat.screen is None else tuple(chat.screen.view.tasks.values())
    tasks = under_way if under_way else chat.tasks
    if not tasks:
        raise UserError("there is no plan yet: ask a question first")
    chat.show(*checklist(tasks, ascii_only=chat.console.options.ascii_only))
