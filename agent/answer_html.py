"""An answer as a piece of HTML, for notebooks. Everything from outside is cleaned and escaped."""

from html import escape
from typing import TYPE_CHECKING

from crowquill.agent.render import clean
from crowquill.memory.evidence import Evidence, Quote, plain_text

if TYPE_CHECKING:
    from crowquill.agent.answer import Answer

_COLOURS = {"derived": "#8a5a00", "unsupported": "#a3271f"}
_GOOD = "#1d6b3c"


def answer_html(answer: "Answer") -> str:
    """Return the answer with the status of each statement, and its receipts to be unfolded."""
    numbers = {item.id: number for number, item in enumerate(answer.evidence, 1)}
    parts = [f"<p><b>{_text(answer.short)}</b></p>" if answer.short else ""]
    for claim in answer.claims:
        cites = "".join(f"[{numbers[receipt.evidence.id]}]" for receipt in claim.support)
        mark = f'<small style="color:{_COLOURS.get(claim.status, _GOOD)}">{claim.status}</small>'
        problem = f"<br><small>{_text(claim.problem)}</small>" if claim.problem else ""
        parts.append(f"<p>{_text(claim.text)} <sup>{cites}</sup> {mark}{problem}</p>")
    if not answer.claims:
        parts.append(f"<p>{_text(answer.text)}</p>")
    warnings = [*answer.problems, *([f"All of it rests on one source: {answer.carrier}"] if answer.carrier else [])]
    parts += [f"<p><small>{_text(warning)}</small></p>" for warning in warnings]
    if answer.evidence:
        said = {
            number: f"<br><i>translated by the model: “{_text(text)}”</i>" for number, text in answer.translations
        }
        items = "".join(
            f"<li>{_receipt(item)}{said.get(number, '')}</li>" for number, item in enumerate(answer.evidence, 1)
        )
        count = "1 receipt" if len(answer.evidence) == 1 else f"{len(answer.evidence)} receipts"
        parts.append(f"<details><summary>{count}</summary><ol>{items}</ol></details>")
    if answer.objection is not None:
        items = "".join(f"<li>{_receipt(item)}</li>" for item in answer.objection.evidence)
        parts.append(
            f"<p><small>Against it, says the judge: {_text(answer.objection.text)}</small></p><ul>{items}</ul>"
        )
    tokens = answer.usage.prompt + answer.usage.completion
    parts.append(
        f"<small>{answer.stopped} · {answer.seconds:.1f} s · {tokens} tokens · score {answer.reward.total:.2f}"
        f" · run {_text(answer.run_id)}</small>"
    )
    return f'<div class="crowquill-answer">{"".join(parts)}</div>'


def _receipt(item: Evidence) -> str:
    if not isinstance(item, Quote):
        return f'<code style="white-space:pre-wrap">{_text(plain_text(item)[:2000])}</code>'
    title = _text(item.source.title if item.source.title else item.source.url)
    if item.source.url.startswith(("https://", "http://")):
        title = f'<a href="{_text(item.source.url)}" rel="noreferrer nofollow">{title}</a>'
    return f"“{_text(item.text)}”<br><small>{title}, line {item.lines[0]}</small>"


def _text(text: str) -> str:
    return escape(clean(text))
