"""CSV, TSV, Parquet, JSON and Excel files of the world, read and told about plainly."""

import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from crowquill.errors import ToolFailed, UserError
from crowquill.tools.sql.duck import query, schema
from crowquill.tools.sql.source import data_source


def read(*paths: Path) -> dict[str, Any]:
    found: Any = schema({"files": [str(path) for path in paths], "seconds": 10})
    return {table["name"]: table for table in found}


def rows(sql: str, *paths: Path) -> list[Any]:
    answer: Any = query({"files": [str(path) for path in paths], "sql": sql, "seconds": 10})
    return list(answer["rows"])


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def test_a_messy_file_is_read_and_told_about(tmp_path: Path) -> None:
    text = "\ufeffName;Preis;Datum;Preis\nAnna;1.234,50;01.02.2024;x\n\nBob;7,5;2024-03-05;y\nCé;;31/12/2023;z\n"
    path = write(tmp_path / "Verkäufe 2024.csv", text)
    (table,) = read(path).values()
    assert table["name"] == "verkäufe_2024"
    assert [(column["name"], column["type"]) for column in table["columns"]] == [
        ("Name", "VARCHAR"), ("Preis", "DOUBLE"), ("Datum", "DATE"), ("Preis_1", "VARCHAR")
    ]  # fmt: skip
    assert table["notes"] == [
        "separated by ';'",
        "1 empty line skipped",
        "several columns are called 'Preis': the second is 'Preis_1'",
        "'Preis' has decimal commas",
        "'Datum' has 3 styles of date (%d.%m.%Y, %Y-%m-%d, %d/%m/%Y)",
    ]
    assert rows('SELECT * FROM "verkäufe_2024"', path) == [
        ["Anna", 1234.5, "2024-02-01", "x"],
        ["Bob", 7.5, "2024-03-05", "y"],
        ["Cé", None, "2023-12-31", "z"],
    ]


@pytest.mark.parametrize(
    ("text", "encoding", "expected", "note"),
    [
        ("a,b\n1,x\n2,y\n", "utf-8", [[1, "x"], [2, "y"]], ""),
        ("a\tb\n1\tx\n", "utf-8", [[1, "x"]], ""),
        ("n,b\nMüller,1\n", "latin-1", [["Müller", 1]], "read as latin-1"),
        ("n,b\nMüller,1\n", "utf-16", [["Müller", 1]], "read as utf-16"),
        ('n,pay\nx,"1,250"\ny,"12,000.50"\n', "utf-8", [["x", 1250], ["y", 12000.5]], "commas between thousands"),
        ("n,day\nx,03/04/2024\ny,25/04/2024\n", "utf-8", [["x", "2024-04-03"], ["y", "2024-04-25"]], ""),
        ('n,q\nx,"say ""hi"", Ann"\n', "utf-8", [["x", 'say "hi", Ann']], ""),
    ],
    ids=["plain", "tabs", "latin-1", "utf-16", "thousands", "days", "quotes"],
)
def test_files_of_many_kinds(tmp_path: Path, text: str, encoding: str, expected: list[Any], note: str) -> None:
    path = write(tmp_path / "data.csv", text, encoding)
    assert rows("SELECT * FROM data", path) == expected
    assert note in "; ".join(read(path)["data"]["notes"])


def test_dates_that_could_be_read_both_ways_stay_texts(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "n;day\nx;03/04/2024\ny;2024-05-06\n")
    assert rows("SELECT day FROM d", path) == [["03/04/2024"], ["2024-05-06"]]


def test_values_beyond_the_sample_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    lines = "".join(f"x;{number},5\n" for number in range(20_001)) + "x;lots\n"
    path = write(tmp_path / "p.csv", "n;price\n" + lines)
    assert "'price' has decimal commas; 1 other values are read as nothing" in read(path)["p"]["notes"]
    assert rows("SELECT count(*), count(price) FROM p", path) == [[20_002, 20_001]]


def test_parquet_and_json_and_a_folder_of_files(tmp_path: Path) -> None:
    duckdb.execute(f"COPY (SELECT 1 AS id, DATE '2024-01-02' AS day) TO '{tmp_path}/a.parquet'")
    write(tmp_path / "b.jsonl", '{"id": 1, "who": {"name": "Ann"}}\n{"id": 2, "who": null}\n')
    write(tmp_path / "c.json", '[{"id": 1, "tags": ["x", "y"]}]')
    write(tmp_path / "notes.md", "not data")
    database = data_source([tmp_path])
    assert [path.name for path in database.files] == ["a.parquet", "b.jsonl", "c.json"]
    sql = "SELECT a.day, b.who.name, c.tags[1] FROM a JOIN b ON a.id = b.id JOIN c ON c.id = a.id"
    assert rows(sql, *database.files) == [["2024-01-02", "Ann", "x"]]


def make_workbook(path: Path, rows: list[list[object]]) -> Path:
    """Write the smallest file that Excel opens."""

    def cell(value: object) -> str:
        if isinstance(value, int | float):
            return f"<c><v>{value}</v></c>"
        return f'<c t="inlineStr"><is><t>{value}</t></is></c>' if value is not None else "<c/>"

    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{types}"><Default Extension="rels" ContentType="application/vnd.openxm'
        f'lformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType="{sheet}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{sheet}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" Type="{relations}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets><sheet name="Data" sheetId="1"'
        ' r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1"'
        f' Type="{relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path


def test_a_workbook_is_read(tmp_path: Path) -> None:
    sheet: list[list[object]] = [
        ["Sales of the year"], ["Region", "Units", "Price", "Region"], ["North", 3, 1.5, "x"], ["South", 4, 2.25, "y"],
    ]  # fmt: skip
    path = make_workbook(tmp_path / "Sales.xlsx", sheet)
    assert rows("SELECT Region, Units, Price, Region_1 FROM sales", path) == [
        ["North", 3, 1.5, "x"],
        ["South", 4, 2.25, "y"],
    ]
    assert read(path)["sales"]["notes"] == ["1 line above the header skipped"]


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    paths = [write(tmp_path / "a.csv", "x\n1\n"), write(tmp_path / "old" / "a.csv", "x\n2\n")]
    assert rows("SELECT a.x, a_2.x FROM a, a_2", *paths) == [[1, 2]]


@pytest.mark.parametrize(
    ("name", "data"),
    [("empty.csv", b""), ("bad.parquet", b"PAR1 nothing"), ("bad.xlsx", b"PK nothing"), ("bad.json", b"{{{")],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ToolFailed, match=f"{name} cannot be read"):
        read(tmp_path / name)


def test_what_is_no_data_file_is_refused(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "gone.csv", "not there"),
        (tmp_path / "notes.md", "--data takes"),
        (tmp_path, "no data files"),
    ):
        with pytest.raises(UserError, match=message):
            data_source([path])
