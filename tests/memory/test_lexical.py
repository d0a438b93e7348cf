"""Full-text search: stemming, boosts, any query, one writer, re-opening."""

from pathlib import Path

import pytest

from crowquill.errors import StorageError
from crowquill.memory.lexical import LexicalIndex


def filled(directory: Path | None = None) -> LexicalIndex:
    index = LexicalIndex(directory)
    index.add("crow", title="Crow", body="Crows bring gifts to people in gardens.")
    index.add("rook", title="Rook", body="A rook is not a crow; it is found in many cities.")
    index.add("ворона", title="Ворона", body="Вороны живут в городах и приносят подарки людям.")
    index.add("cpp", title="Languages", body="C++ and C# are not C. Pi is 3.14.")
    index.commit()
    return index


def ids(index: LexicalIndex, query: str) -> list[str]:
    return [id_ for id_, _ in index.search(query, 10)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gift", ["crow"]),
        ("city", ["rook"]),
        ("город", ["ворона"]),
        ("подарками", ["ворона"]),
        ("crow", ["crow", "rook"]),
        ("C++", ["cpp"]),
        ("3.14", ["cpp"]),
        ("3.15", []),
    ],
)
def test_words_are_found_by_their_stems(query: str, expected: list[str]) -> None:
    assert ids(filled(), query) == expected


@pytest.mark.parametrize(
    "query", ["", " ", 'title:"x', "((", "a AND", "crow^", "body:[a TO", "\x00", "'\\", "-", "*", "the of"]
)
def test_no_query_is_an_error(query: str) -> None:
    assert set(ids(filled(), query)) <= {"crow", "rook", "cpp"}


def test_a_query_of_stop_words_still_finds_them() -> None:
    index = LexicalIndex()
    index.add("who", title="The Who", body="A band.")
    index.add("other", body="Nothing of it.")
    index.commit()
    assert ids(index, "the who")[0] == "who"


def test_an_index_on_disk_is_found_again_and_keeps_its_stemming(tmp_path: Path) -> None:
    filled(tmp_path / "index")
    again = LexicalIndex(tmp_path / "index")
    assert len(again) == 4
    assert ids(again, "города") == ["ворона"]
    again.add("crow", body="Nothing left.")
    again.delete("rook")
    again.delete("no such")
    assert ids(again, "crow") == ["crow", "rook"]
    again.commit()
    assert ids(again, "crow") == []
    assert len(again) == 3


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    first, second = LexicalIndex(tmp_path), LexicalIndex(tmp_path)
    first.add("a", body="one")
    with pytest.raises(StorageError, match="another process"):
        second.add("b", body="two")
    first.commit()
    second.add("b", body="two")
    second.commit()
    assert len(LexicalIndex(tmp_path)) == 2


def test_a_damaged_index_says_so(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "meta.json").write_text("{")
    with pytest.raises(StorageError, match="text index"):
        LexicalIndex(tmp_path)
