"""Evidence survives a trip through JSON."""

import json

import pytest

from crowquill.errors import StorageError
from crowquill.memory.evidence import CellAt, Computation, Evidence, Quote, Receipt, Source, Span, Table
from crowquill.memory.evidence_json import decode, encode

SOURCE = Source(
    "https://example.org/crow",
    "Crow – “a bird”",
    "2024-05-05T00:00:00Z",
    "ab" * 32,
    "corpus",
    0.7,
    "cd" * 32,
    "html-1",
)
QUOTE = Quote("Crows bring gifts.", SOURCE, 3, 21, (2, 3), page=4)
TABLE = Table("SELECT 1", "shop", ("name", "n"), (("a", 1), ("ё", 2.5), (None, -3), ("1", 0)), 4, True)
SUM = Computation(
    "1/3 + 1",
    "4/3",
    "1.333",
    "m",
    (Receipt(QUOTE, Span(0, 5)), Receipt(TABLE, CellAt(1, "n")), Receipt(QUOTE)),
)


@pytest.mark.parametrize("evidence", [QUOTE, TABLE, SUM], ids=lambda evidence: evidence.kind)
def test_round_trip(evidence: Evidence) -> None:
    back = decode(json.loads(json.dumps(encode(evidence), ensure_ascii=False)))
    assert back == evidence
    assert back.id == evidence.id
    if isinstance(back, Table):
        assert [type(cell) for row in back.rows for cell in row] == [type(c) for row in TABLE.rows for c in row]


@pytest.mark.parametrize(
    "data", [{}, {"kind": "poem"}, {"kind": "quote", "text": "x"}, encode(TABLE) | {"rows": 3}]
)
def test_what_is_no_evidence_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        decode(data)
