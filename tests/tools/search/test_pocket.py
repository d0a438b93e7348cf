"""The pocket shop, and which of the pocket questions are for it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from crowquill.tools.search.pocket import POCKET, write_shop
from crowquill.tools.sql.describe import describe
from crowquill.tools.sql.schema import Schema

QUESTIONS: list[dict[str, Any]] = YAML(typ="safe", pure=True).load((POCKET / "questions.yaml").read_text("utf-8"))
ROUTED_FROM = 0.5


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pocket") / "new" / "shop.sqlite"
    write_shop(path)
    return path


@pytest.fixture(scope="module")
def schema(shop: Path) -> Schema:
    return Schema.from_json("shop", describe({"path": str(shop), "seconds": 5}))


def one(path: Path, sql: str) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchone()[0]


def test_the_shop_is_whole_and_nothing_else_is_left(shop: Path) -> None:
    assert [path.name for path in shop.parent.iterdir()] == ["shop.sqlite"]
    assert one(shop, "PRAGMA integrity_check") == "ok"
    with closing(sqlite3.connect(shop)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_writing_it_again_replaces_it(shop: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop.sqlite"
    path.write_text("something else")
    write_shop(path)
    write_shop(path)
    assert one(path, "SELECT count(*) FROM customers") == one(shop, "SELECT count(*) FROM customers")
    assert list(tmp_path.glob("*.tmp")) == []


@pytest.mark.parametrize(
    "entry", [entry for entry in QUESTIONS if entry["kind"] == "database"], ids=lambda e: e["sql"]
)
def test_each_database_question_has_its_answer(shop: Path, entry: dict[str, Any]) -> None:
    accepted = [entry["short"]] if isinstance(entry["short"], str) else entry["short"]
    assert str(one(shop, entry["sql"])) in accepted


@pytest.mark.parametrize("entry", QUESTIONS, ids=lambda entry: entry["question"])
def test_the_database_questions_go_to_the_shop_and_no_others(schema: Schema, entry: dict[str, Any]) -> None:
    assert (schema.relevance(entry["question"]) >= ROUTED_FROM) is (entry["kind"] == "database")
