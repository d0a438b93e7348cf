"""The only place where untrusted text becomes part of a prompt or reaches a person.

Text from outside is stripped of control, zero-width, bidirectional and tag characters and of ANSI
sequences. In prompts it stands between fences whose marker is derived from the run's seed and the content,
so that no page can write a closing fence.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

from crowquill.memory.evidence import Computation, Evidence, Quote, Table, plain_text
from crowquill.memory.untrusted import Untrusted

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_NUMBERED = re.compile(r" *\d+  ")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


def clean(text: str) -> str:
    """Return text from outside without anything that a person would not see; keeps newlines and tabs."""
    return _UNSEEN.sub("", _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str, limit: int = 120) -> str:
    """Return cleaned text on one line of at most `limit` characters."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def fence(untrusted: Untrusted, seed: str) -> str:
    """Return the cleaned text between two fences that the text itself cannot forge."""
    text = clean(untrusted.text)
    mark = hmac.new(seed.encode(), text.encode(), hashlib.sha256).hexdigest()[:6]
    return f"<data {mark}>\n{text}\n</data {mark}>"


def evidence_block(evidence: Sequence[Evidence], seed: str, *, titles: bool = True, grouped: bool = False) -> str:
    """Return the evidence as numbered lines between fences, for a prompt.

    `grouped`: the title of a page stands once, above its quotes, instead of before each.
    """
    if not evidence:
        return "(none yet)"
    lines, above = list[str](), ""
    for number, item in enumerate(evidence, 1):
        title = one_line(item.source.title, 60) if grouped and isinstance(item, Quote) else ""
        lines += [f"{title}:"] if title and title != above else []
        lines.append(f"[{number}] {evidence_line(item, titles=titles and not title)}")
        above = title
    return fence(Untrusted("\n".join(lines), "evidence"), seed)


def page_and_window(view: Untrusted) -> tuple[Untrusted | None, Untrusted]:
    """Split what a page shows into its title and the numbered lines; there is no title where no page is shown."""
    head, _, rest = view.text.partition("\n")
    if _NUMBERED.match(rest) and not _NUMBERED.match(head):
        return Untrusted(head, view.source), Untrusted(rest, view.source)
    return None, view


def shortened(text: Untrusted, limit: int, where: str) -> Untrusted:
    """Return about `limit` characters of a text, its beginning and end, with a word on where it stands whole."""
    if len(text.text) <= limit:
        return text
    head, tail = limit * 3 // 4, limit // 4
    gap = f"\n[… {len(text.text) - head - tail} characters left out; whole in the {where} …]\n"
    return Untrusted(text.text[:head] + gap + text.text[-tail:], text.source)


def evidence_line(item: Evidence, *, titles: bool = True) -> str:
    """Return one piece of evidence as a prompt shows it."""
    match item:
        case Quote():
            title = f"{one_line(item.source.title, 60)}: " if titles else ""
            return title + one_line(item.text, 700)
        case Computation():
            return one_line(plain_text(item), 700)
        case Table():
            rows = clean(plain_text(item)).splitlines()
            more = [f"… {len(rows) - 12} more rows"] if len(rows) > 12 else []
            return "\n".join([f"Result of: {one_line(item.sql, 300)}", *rows[:12], *more])
