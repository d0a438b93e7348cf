"""Commands about what is kept: judgements, the conversation as a file, exports, earlier runs."""

import json
from functools import partial
from pathlib import Path
from typing import cast, get_args

from crowquill.agent.cli.chat.command import Command
from crowquill.agent.cli.chat.question import answer_question, finish
from crowquill.agent.cli.chat.session import Chat, path_of
from crowquill.agent.cli.exports import Format, export_runs
from crowquill.agent.cli.runs import list_runs, recorded_agent
from crowquill.agent.exports import conversation_markdown
from crowquill.agent.fork import Change
from crowquill.agent.publish import answer_json
from crowquill.agent.records import find_run
from crowquill.agent.render import one_line
from crowquill.agent.report.page import write_report
from crowquill.agent.story import read_story
from crowquill.errors import UserError
from crowquill.memory.evidence import Table
from crowquill.memory.owned import write_own

_LISTED = 10


async def good(chat: Chat, rest: str) -> None:
    """Keep that the last answer was good, and its query for questions like it."""
    is_query = any(isinstance(item, Table) for item in chat.answer.evidence)
    if is_query:
        chat.agent.teach(chat.answer)
    chat.agent.rate(chat.answer, accepted=True)
    chat.say("kept: questions like it will be shown this query" if is_query else "kept as a good answer")


async def bad(chat: Chat, rest: str) -> None:
    """Keep what was wrong with the last answer."""
    what = unquoted(rest)
    if not what:
        raise UserError('say what was wrong, as in: /bad use the latest row per person; /fix "…" also asks again')
    chat.agent.teach(chat.answer, what)
    chat.agent.rate(chat.answer, accepted=False)
    chat.say("kept: questions like it will be told so")


async def fix(chat: Chat, rest: str) -> None:
    """Keep a correction, and ask again with it."""
    await bad(chat, rest)
    await answer_question(chat, chat.answer.objective)


def unquoted(text: str) -> str:
    """Return a text without the quotation marks around it."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] in "\"'“" and text[-1] in "\"'”" else text


async def save(chat: Chat, rest: str) -> None:
    """Write the conversation to a file."""
    path = path_of(rest if rest.strip() else "crowquill.md")
    answers = chat.answers if chat.answer else []
    match path.suffix.lower():
        case ".html":
            write_report(read_story(chat.workspace, chat.answer.run_id), chat.workspace.blobs, path)
        case ".json":
            _write(
                path, json.dumps([answer_json(answer) for answer in answers], ensure_ascii=False, indent=2) + "\n"
            )
        case ".md" | ".txt":
            _write(path, conversation_markdown(answers))
        case _:
            raise UserError("name a file .md or .json for the conversation, .html for the last answer's report")
    chat.say(f"{path} written")


def _write(path: Path, text: str) -> None:
    try:
        write_own(path, text, errors="surrogatepass")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error


async def export(chat: Chat, rest: str) -> None:
    """Export the runs of the session in the formats of other programs."""
    form, _, name = rest.strip().partition(" ")
    if form not in get_args(Format):
        raise UserError(f"write /export FORMAT [FILE]; formats are {', '.join(get_args(Format))}")
    runs = list(dict.fromkeys(answer.run_id for answer in chat.answers if chat.answer))
    out = path_of(name) if name.strip() else None
    export_runs(chat.workspace.path, runs, cast("Format", form), out, as_json=False)
    if out is not None:
        chat.say(f"{out} written")


async def runs(chat: Chat, rest: str) -> None:
    """List recorded runs."""
    list_runs(chat.workspace.path, int(rest) if rest.strip().isdecimal() else _LISTED, as_json=False)


async def resume(chat: Chat, rest: str) -> None:
    """Go on with a run that was stopped."""
    record = await chat.workspace.database.read(lambda connection: find_run(connection, rest.strip() or "last"))
    agent = recorded_agent(chat.workspace, record, known=tuple(chat.agent.models.values()))
    await finish(chat, agent, partial(agent.resume, record.id))


async def fork(chat: Chat, rest: str) -> None:
    """Try the last run again from a step on, with a hint."""
    step, _, hint = rest.strip().partition(" ")
    if not step:
        raise UserError(
            "write /fork STEP [HINT], as in: /fork 3 look at the tables; /export markdown shows the steps"
        )
    before = chat.answer
    record = await chat.workspace.database.read(lambda connection: find_run(connection, before.run_id))
    agent = recorded_agent(chat.workspace, record, known=tuple(chat.agent.models.values()))
    await finish(chat, agent, partial(agent.fork, record.id, step, Change.parse([], unquoted(hint))))
    said = one_line(before.short, 60) if before.short else before.stopped
    chat.say(f"Before  {said} (score {before.reward.total:.2f}, run {record.id})", "dim")


COMMANDS = (
    Command("good", "", "keep that the last answer was good, and its query", good),
    Command("bad", "WHAT", "keep what was wrong with the last answer", bad),
    Command("fix", '"WHAT"', "keep a correction, and ask again with it", fix),
    Command("save", "[FILE.md|.json|.html]", "write the conversation, or the last answer's report", save),
    Command("export", "FORMAT [FILE]", "the session's runs as demonstrations, usage, otel …", export),
    Command("runs", "[N]", "recorded runs, newest first", runs),
    Command("resume", "[RUN]", "go on with a run that was stopped or paused", resume),
    Command("fork", "STEP [HINT]", "try the last run again from a step on", fork),
)
