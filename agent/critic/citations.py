"""Citations of a whole answer: are there enough, and is each one needed?

Recall and precision as in ALCE (Gao et al., arXiv:2305.14627), with our checks in the place of a model's
entailment: a citation is needed when the statement loses support without it.
"""

from collections.abc import Sequence

from crowquill.agent.answer import Claim
from crowquill.agent.critic.grounding import lacking, searchable
from crowquill.memory.evidence import Evidence
from crowquill.memory.verify import word_coverage

MARGIN = 0.1
"""Share of a statement's words that a citation must bring, where the others have all numbers and names."""


def citation_recall(claims: Sequence[Claim]) -> float:
    """Return the share of the statements whose citations carry them; 0 of none."""
    return sum(claim.status != "unsupported" for claim in claims) / len(claims) if claims else 0.0


def citation_precision(claims: Sequence[Claim]) -> float:
    """Return the share of all citations that their statement needs; 1 where nothing is cited."""
    cited = [(claim, receipt.evidence) for claim in claims for receipt in claim.support]
    needed = sum(_is_needed(claim, item) for claim, item in cited)
    return needed / len(cited) if cited else 1.0


def _is_needed(claim: Claim, item: Evidence) -> bool:
    rest = [searchable(receipt.evidence) for receipt in claim.support if receipt.evidence.id != item.id]
    if not rest:
        return True
    whole = [*rest, searchable(item)]
    if len(lacking(claim.text, rest)) > len(lacking(claim.text, whole)):
        return True
    return word_coverage(claim.text, " ".join(whole)) - word_coverage(claim.text, " ".join(rest)) >= MARGIN
