"""What helps a model to the right query: values, narrowing, mended joins, a look at the result."""

from pathlib import Path

import pytest
from tests.support.context import FakeContext
from tests.tools.sql.conftest import make_database

from crowquill.memory.evidence import Table
from crowquill.tools.sql.ddl import as_ddl
from crowquill.tools.sql.desk import Desk
from crowquill.tools.sql.linking import Hit, connect, joins_of, named, narrow, path, rank_tables
from crowquill.tools.sql.rejoin import rejoined
from crowquill.tools.sql.review import is_empty, respelled, review, texts_of
from crowquill.tools.sql.schema import Column, Schema, TableInfo
from crowquill.tools.sql.source import Database, open_database
from crowquill.tools.sql.tool import read_schemas
from crowquill.tools.sql.values import nearest_values, phrases, squeeze
from crowquill.tools.sql.words import in_words
from crowquill.tools.worker import Worker

MUSIC = """
CREATE TABLE Artist (ArtistId INTEGER PRIMARY KEY, Name TEXT);
CREATE TABLE Album (AlbumId INTEGER PRIMARY KEY, Title TEXT, ArtistId INTEGER REFERENCES Artist(ArtistId));
CREATE TABLE Genre (GenreId INTEGER PRIMARY KEY, Name TEXT);
CREATE TABLE Track (TrackId INTEGER PRIMARY KEY, Name TEXT, Composer TEXT, Price REAL,
    AlbumId INTEGER REFERENCES Album(AlbumId), GenreId INTEGER REFERENCES Genre(GenreId));
CREATE TABLE Sale (SaleId INTEGER PRIMARY KEY, Sold TEXT, Quantity INTEGER,
    TrackId INTEGER REFERENCES Track(TrackId));
INSERT INTO Artist VALUES (1, 'AC/DC'), (2, 'Mötley Crüe'), (3, 'Queen');
INSERT INTO Album VALUES (1, 'High Voltage', 1), (2, 'Shout at the Devil', 2), (3, 'Jazz', 3);
INSERT INTO Genre VALUES (1, 'Rock'), (2, 'Hip Hop/Rap'), (3, 'Jazz');
INSERT INTO Track VALUES (1, 'T.N.T.', 'AC/DC', 0.99, 1, 1), (2, 'Bastard', 'Nikki Sixx', 0.99, 2, 1),
    (3, 'Mustapha', 'Freddie Mercury', 1.29, 3, 1), (4, 'Time', NULL, 1.29, 3, 3);
INSERT INTO Sale VALUES (1, '2024-01-05', 2, 1), (2, '2025-02-06', 1, 3);
"""


@pytest.fixture
async def music(tmp_path: Path, worker: Worker, context: FakeContext) -> tuple[Schema, Desk]:
    database = open_database(str(make_database(tmp_path / "music.db", MUSIC)))
    (schema,) = await read_schemas([database], worker, context)
    return schema, Desk([database], worker, None)


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How many tracks by Ac/Dc are there?", [("Artist", "Name", "AC/DC")]),
        ("How many albums does AC DC have?", [("Artist", "Name", "AC/DC")]),
        ("Which albums are by motley crue?", [("Artist", "Name", "Mötley Crüe")]),
        ("How many hip-hop/rap tracks are there?", [("Genre", "Name", "Hip Hop/Rap")]),
        ("What was sold in the genre Jazz?", [("Genre", "Name", "Jazz")]),
        ("Who made the album Jazz?", [("Album", "Title", "Jazz")]),
        ("What is Queen's album called?", [("Artist", "Name", "Queen")]),
        ("How many tracks are there?", []),
    ],
)
async def test_values_that_a_question_names_are_found(
    music: tuple[Schema, Desk], context: FakeContext, question: str, found: list[tuple[str, str, str]]
) -> None:
    schema, desk = music
    hits = named(question, schema, await desk.look_up(schema, question, context))
    assert [(hit.table, hit.column, hit.value) for hit in hits] == found


def test_a_lower_case_word_is_no_name_of_a_long_list() -> None:
    tracks = TableInfo("Track", (Column("Name", "TEXT", False),), rows=3000)
    states = TableInfo("State", (Column("Code", "TEXT", False),), rows=20)
    schema = Schema("shop", (tracks, states))
    hits = [Hit("Track", "Name", "Time"), Hit("State", "Code", "ON")]
    assert named("Which album has the longest playing time on tape?", schema, hits) == []
    assert named("Who wrote the track Time?", schema, hits) == [hits[0]]


def test_spellings_are_compared_by_letters_and_digits() -> None:
    assert squeeze("Mötley Crüe") == squeeze("MOTLEY-crue") == "motleycrue"
    assert nearest_values("Rock music", ["Rock", "Rocky", "Pop"]) == ["Rock"]
    assert nearest_values("Brasil", ["Brazil", "Bhutan"]) == ["Brazil"]
    assert nearest_values("x", ["xylophone"]) == []
    assert "acdc" in phrases("Tracks by AC/DC?")
    assert "queen" in phrases("What is Queen’s album?")


def test_texts_of_a_query_are_respelled() -> None:
    hits = [Hit("Artist", "Name", "AC/DC"), Hit("Artist", "Name", "O'Hara")]
    assert respelled("SELECT 1 WHERE Name = 'ac-dc' OR Name = 'o hara'", hits) == (
        "SELECT 1 WHERE Name = 'AC/DC' OR Name = 'O''Hara'"
    )
    assert respelled("SELECT 1 WHERE Name LIKE '%ac/dc%'", hits) == "SELECT 1 WHERE Name LIKE '%ac/dc%'"
    assert texts_of("SELECT 'a', 'Ro''ck%', '2024-01-01', 'Pop'") == ["Ro'ck", "Pop"]


@pytest.mark.parametrize(
    ("query", "mended"),
    [
        (  # the way between two tables is missing
            "SELECT a.Name FROM Artist a JOIN Track t ON a.ArtistId = t.ArtistId GROUP BY a.Name"
            " HAVING count(DISTINCT t.GenreId) > 1",
            [("Queen",)],
        ),
        ("SELECT sum(s.Quantity) FROM Sale s JOIN Genre g ON s.SaleId = g.GenreId WHERE g.Name = 'Rock'", [(3,)]),
        ("SELECT count(*) FROM Sale WHERE Genre.Name = 'Rock'", [(2,)]),
        (  # the names of two tables are exchanged
            "SELECT T2.Name, count(T1.TrackId) FROM Genre AS T1 JOIN Track AS T2 ON T1.GenreId = T2.GenreId"
            " GROUP BY T2.Name",
            [("Jazz", 1), ("Rock", 3)],
        ),
        ("SELECT Artist.Name, count(*) FROM Artist JOIN Album ON Artist.ArtistId = Album.ArtistId"
         " WHERE Artist.Name <> 'Queen' ORDER BY count(*)", [("AC/DC", 1), ("Mötley Crüe", 1)]),  # no GROUP BY
        ("SELECT count(a.ArtistId) FROM Artist a JOIN Album al ON al.ArtistId = a.ArtistId"
         " JOIN Track t ON t.AlbumId = al.AlbumId", [(3,)]),  # artists, not tracks
    ],
)  # fmt: skip
async def test_joins_are_mended(
    music: tuple[Schema, Desk], worker: Worker, tmp_path: Path, query: str, mended: list[tuple[object, ...]]
) -> None:
    request = {"path": str(tmp_path / "music.db"), "sql": rejoined(query, music[0]), "seconds": 5.0}
    answer = await worker.run("query", request, seconds=5)  # type: ignore[arg-type]
    assert isinstance(answer, dict)
    assert sorted(map(tuple, answer["rows"])) == mended  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM Track",
        "SELECT Name FROM Track WHERE GenreId IN (SELECT GenreId FROM Genre WHERE Name = 'Rock')",
        "SELECT t.Name FROM Track t LEFT JOIN Sale s ON s.TrackId = t.TrackId WHERE s.SaleId IS NULL",
        "SELECT x.Name FROM Track x JOIN Track y ON x.AlbumId = y.AlbumId WHERE y.Name = 'Time'",
        "WITH t AS (SELECT 1 AS a) SELECT a FROM t",
        "SELECT Composer, max(Price) FROM Track",
        "SELECT nothing FROM nowhere",
        "no SQL at all",
        "(" * 400,
    ],
)
async def test_what_is_sound_or_beyond_mending_stays(music: tuple[Schema, Desk], query: str) -> None:
    assert rejoined(query, music[0]) == query


@pytest.mark.parametrize(
    ("question", "sql", "rows", "advice"),
    [
        ("How many tracks are there?", "SELECT count(*) FROM Track", ((4,),), ""),
        ("How many artists have no album?", "SELECT count(*) FROM Artist", ((3,),), "what is not there"),
        ("Which track is the longest?", "SELECT Name FROM Track", (("a",), ("b",)), "LIMIT 1"),
        ("How many different genres are there?", "SELECT count(GenreId) FROM Track", ((4,),), "DISTINCT"),
        ("What was sold in 2024?", "SELECT Sold FROM Sale", (("2025",),), "does not use 2024"),
        ("What percentage of tracks is Rock?", "SELECT count(*) FROM Track", ((4,),), "100.0 * part / whole"),
        (
            "How many albums have two genres?",
            "SELECT count(*) FROM Album GROUP BY AlbumId",
            ((1,), (1,)),
            "one number",
        ),
        ("For each genre, how many tracks?", "SELECT count(*) FROM Track", ((4,),), "GROUP BY"),
        ("Which tracks are cheap?", "SELECT Name FROM Track WHERE Price < 0", (), "the result is empty"),
        ("What is the sum for Pop?", "SELECT sum(Price) FROM Track WHERE 0", ((None,),), "NULL"),
        ("How many tracks does Queen have?", "SELECT count(*) FROM Track", ((4,),), "does not use 'Queen'"),
    ],
)
def test_a_result_is_looked_at(question: str, sql: str, rows: tuple[tuple[object, ...], ...], advice: str) -> None:
    table = Table(sql, "music", ("x",), rows, len(rows))  # type: ignore[arg-type]
    hits = [Hit("Artist", "Name", "Queen")] if "Queen" in question else []
    said = review(question, table, hits)
    assert advice in said if advice else said == ""


def test_emptiness_is_no_row_or_nothing_in_it() -> None:
    assert is_empty(Table("", "", ("a",), (), 0))
    assert is_empty(Table("", "", ("a", "b"), ((None, 0),), 1))
    assert not is_empty(Table("", "", ("a",), ((0,), (0,)), 2))


def wide() -> Schema:
    """Sixty tables, of which three are about customers' orders."""
    filler = [
        TableInfo(f"log_{number}", (Column("id", "INTEGER", True), Column("at", "DATE", False)))
        for number in range(57)
    ]
    customer = TableInfo(
        "crm_cust", (Column("id", "INTEGER", True), Column("name", "TEXT", False)), comment="people who buy"
    )
    line = TableInfo(
        "order_line",
        (Column("id", "INTEGER", True), Column("order_id", "INTEGER", False)),
        (("order_id", "orders", "id"),),
    )
    orders = TableInfo(
        "orders",
        (Column("id", "INTEGER", True), Column("cust_id", "INTEGER", False)),
        (("cust_id", "crm_cust", "id"),),
    )
    return Schema("firm", (*filler, customer, line, orders))


def test_a_wide_schema_is_narrowed_to_what_a_question_needs() -> None:
    schema = wide()
    ranked = rank_tables(schema, "How many lines has each customer?")
    kept = [table.name for table in narrow(schema, ranked).tables]
    assert {"crm_cust", "order_line", "orders"} <= set(kept)  # `orders` lies between
    assert len(kept) <= 12
    assert "crm_cust" in rank_tables(schema, "How many clients?", {"client": {"customer": 0.8}})
    assert narrow(schema, []).tables == schema.tables[:12]


def test_keys_are_guessed_where_none_is_declared() -> None:
    customers = TableInfo("customers", (Column("id", "INTEGER", True),))
    orders = TableInfo("orders", (Column("id", "INTEGER", True), Column("customer_id", "INTEGER", False)))
    joins = joins_of(Schema("files", (customers, orders)))
    assert list(map(str, joins)) == ["orders.customer_id = customers.id"]
    assert connect(joins, ["customers", "orders"]) == ["customers", "orders"]
    assert path(joins, ["orders"]) == []


async def test_a_schema_is_written_as_create_statements(music: tuple[Schema, Desk]) -> None:
    lines = as_ddl(music[0], 4000).text.splitlines()
    columns = "AlbumId INTEGER PRIMARY KEY, Title TEXT, ArtistId INTEGER REFERENCES Artist(ArtistId)"
    assert lines[0] == f"CREATE TABLE Album ({columns});"
    assert "Sold TEXT /* from '2024-01-05' to '2025-02-06' */" in lines[3]
    assert "INTEGER" not in as_ddl(music[0], 400).text
    odd = Schema("x", (TableInfo("t", (Column("a", "TEXT", False, ("x",), comment="*/ DROP"),)),))
    assert "*/ DROP" not in as_ddl(odd, 400).text


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "SELECT count(*) FROM Track JOIN Genre ON 1 = 1 WHERE Genre.Name = 'Rock'",
            "Number of rows, from Track with Genre, where Genre.Name = 'Rock'.",
        ),
        (
            "SELECT Country, sum(Total) AS s FROM Invoice GROUP BY Country HAVING s > 3 ORDER BY s DESC LIMIT 5",
            "Country, sum of Total, from Invoice, for each Country, if s > 3, sorted by s DESC, only the first 5.",
        ),
        ("SELECT count(DISTINCT a) FROM t", "Number of different a, from t."),
        ("SELECT date('now')", "DATE('now'). Times are those of the database's clock."),
        ("SELECT 1 UNION SELECT 2", "Several results put together (union)."),
        ("nothing to see", ""),
    ],
)
def test_a_query_is_said_in_words(sql: str, words: str) -> None:
    assert in_words(sql) == words


async def test_a_look_up_that_takes_too_long_finds_nothing(
    worker: Worker, context: FakeContext, tmp_path: Path
) -> None:
    schema = Schema("gone", (TableInfo("t", (Column("a", "TEXT", False, ("x",)),)),))
    desk = Desk([Database("gone", tmp_path / "gone.db")], worker, None)
    assert await desk.look_up(schema, "Where is x?", context) == []
