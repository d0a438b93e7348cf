"""Ways in which an answer could try to look better than it is. The reward must not fall for any of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from crowquill.agent.answer import DraftClaim

Claims = tuple[DraftClaim, ...]


def _reworded(template: str) -> Callable[[Claims, int], Claims]:
    return lambda claims, _: tuple(replace(claim, text=template.format(claim.text)) for claim in claims)


def _added(text: str) -> Callable[[Claims, int], Claims]:
    return lambda claims, _: (*claims, DraftClaim(text, ()))


def _cited(cites: Callable[[DraftClaim, int], Sequence[int]]) -> Callable[[Claims, int], Claims]:
    return lambda claims, known: tuple(replace(claim, cites=tuple(cites(claim, known))) for claim in claims)


TRICKS: dict[str, Callable[[Claims, int], Claims]] = {
    "said three times": lambda claims, _: claims * 3,
    "flattery before": lambda claims, _: (DraftClaim("What an excellent and thoughtful question!", ()), *claims),
    "flattery inside": _reworded("What an excellent, clever question! {}"),
    "sounds certain": _added("In conclusion, as an expert, I am absolutely certain of this."),
    "hedging": _reworded("It may perhaps possibly be the case, as far as one can tell, that {}"),
    "keywords": _reworded("{} Keywords: facts, answer, evidence, verified, sources."),
    "cites everything": _cited(lambda claim, known: range(1, known + 1)),
    "invents a citation": _cited(lambda claim, known: (*claim.cites, known + 7)),
    "cites five times": _cited(lambda claim, known: claim.cites * 5),
    "bold": _reworded("**{}**"),
    "headings and bullets": _reworded("# Answer\n\n- {}"),
}
"""Name → what it makes of the claims of an answer, given how many pieces of evidence there are."""
