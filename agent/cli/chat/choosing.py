"""Commands that choose: model, sources, budget, profile, candidates."""

from pathlib import Path

from crowquill.agent.budget import Budget
from crowquill.agent.cli.chat.command import Command
from crowquill.agent.cli.chat.session import Chat, path_of
from crowquill.agent.models.resolve import SPELLINGS
from crowquill.agent.settings import load_defaults, save_defaults
from crowquill.errors import UserError


async def model(chat: Chat, rest: str) -> None:
    """Show or change the model."""
    if rest.strip():
        await chat.change(model=rest.strip(), policy=None)
    roles: dict[str, list[str]] = {}
    for role, entry in chat.agent.models.items():
        roles.setdefault(f"{entry.name}, {entry.context_tokens:,} tokens of context", []).append(role)
    for name, used in roles.items():
        chat.say(f"  {name}" + (f" ({', '.join(used)})" if len(roles) > 1 else ""))
    chat.say(f"  steered by the {chat.agent.config.policy} policy")
    if not rest.strip():
        chat.say(f"  another: /model NAME, spelled {SPELLINGS}", "dim")


async def budget(chat: Chat, rest: str) -> None:
    """Show or change the budget of each question."""
    if rest.strip():
        Budget.parse(rest)
        await chat.change(budget=rest.strip())
    limits = chat.agent.config.budget
    for name in ("steps", "tokens", "usd", "seconds"):
        limit = getattr(limits, name)
        chat.say(f"  {name:<9}{'no limit' if limit is None else f'{limit:g}'}")
    for tool, most in limits.calls.items():
        chat.say(f"  calls of {'all tools' if tool == '*' else tool}: {most}")
    spent = [answer.usage for answer in chat.answers]
    tokens = sum(usage.prompt + usage.completion for usage in spent)
    seconds = sum(answer.seconds for answer in chat.answers)
    chat.say(f"  used in this session: {tokens:,} tokens, {seconds:.0f} s, answers: {len(spent)}", "dim")


async def profile(chat: Chat, rest: str) -> None:
    """Show or change the profile."""
    name = rest.strip()
    if name:
        await chat.change(profile=None if name == "none" else path_of(name))
    now = chat.agent.config.profile
    if now is None:
        chat.say("no profile; /profile FILE.yaml takes one, /profile none leaves it")
        return
    chat.say(f"{now.name}" + (f": {now.style}" if now.style else ""), "bold")
    for rule in now.rules:
        chat.say(f"  - {rule}")


async def best_of(chat: Chat, rest: str) -> None:
    """Choose each answer among several candidates."""
    wanted = rest.strip()
    if wanted in ("off", "1"):
        await chat.change(select=None)
    elif wanted.isdecimal():
        await chat.change(select=f"best_of_n:{wanted}")
    elif wanted:
        await chat.change(select=wanted)
    chosen = chat.agent.config.select
    chat.say(f"{chosen.strategy}: {chosen.n} candidate{'s' * (chosen.n != 1)} for each answer")
    if not wanted:
        chat.say("/best-of 4, /best-of majority:8, /best-of off", "dim")


async def use(chat: Chat, rest: str) -> None:
    """Show or change what is searched."""
    kind, _, what = rest.strip().partition(" ")
    what, options = what.strip(), chat.options
    match kind:
        case "corpus" if what:
            await chat.change(corpora=() if what == "none" else (*options.corpora, what))
        case "db" if what:
            await chat.change(databases=() if what == "none" else (*options.databases, what))
        case "data" if what:
            await chat.change(data=() if what == "none" else (*options.data, what))
        case "web" if what in ("on", "off"):
            await chat.change(web=what == "on")
        case "search" if what:
            await chat.change(search=None if what == "none" else what)
        case "":
            pass
        case _:
            raise UserError("write /use corpus NAME, db URL, data FILE, search ddg,wikipedia, web on or web off")
    chat.say(sources_line(chat))


def sources_line(chat: Chat) -> str:
    """Say what the session searches."""
    config = chat.agent.config
    parts = [
        *(f"corpus {name}" for name in config.corpora),
        *(f"database {name.rpartition('/')[2]}" for name in config.databases),
        *(f"data {Path(path).name}" for path in config.data),
        *(["the web" + (f" by {', '.join(config.search)}" if config.search else "")] if config.web else []),
    ]
    return "searches " + (", ".join(parts) if parts else "nothing: /use corpus NAME, db URL, data FILE or web on")


async def keep(chat: Chat, rest: str) -> None:
    """Make the present settings the defaults of later sessions."""
    options = chat.options
    chosen = load_defaults().model_copy(
        update={
            "model": options.model,
            "policy": options.policy,
            "corpus": list(options.corpora),
            "db": list(options.databases),
            "data": list(options.data),
            "web": options.web,
            "search": options.search,
            "budget": options.budget,
            "select": options.select,
            "profile": None if options.profile is None else str(options.profile.absolute()),
        }
    )
    chat.say(f"kept in {save_defaults(chosen)}: later sessions begin so")


async def new(chat: Chat, rest: str) -> None:
    """Begin a new conversation."""
    chat.forget()
    chat.say("a new conversation; what was verified stays in the memory", "dim")


COMMANDS = (
    Command("model", "[NAME]", "show or change the model", model),
    Command("use", "[corpus|db|data|search|web …]", "show or change what is searched", use),
    Command("budget", "[steps=20,seconds=60]", "show or change the limits of each question", budget),
    Command("profile", "[FILE | none]", "show or change name, style, rules and tools of the agent", profile),
    Command("best-of", "[N | majority:8 | off]", "choose each answer among several candidates", best_of),
    Command("keep", "", "begin later sessions with the present model, sources and budget", keep),
    Command("new", "", "begin a new conversation", new),
)
