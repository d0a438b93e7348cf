"""HTML and PDF to text: speed and share of the visible words kept, beside what else one would take.

    bench/render.py FOLDER… [--pages 300] [--pdfs 40] [--fresh]

FOLDER: anything with HTML pages and PDFs below it, such as unpacked documentation packages:

    apt-get download python3.11-doc git-doc apache2-doc postgresql-doc-15 r-doc-pdf texlive-publishers-doc
    for deb in *.deb; do dpkg -x $deb docs/${deb%%_*}; done

The peers are no dependencies; install them by hand: html2text trafilatura lxml_html_clean markdownify inscriptis
pypdf pdfminer.six (the reference below needs lxml, which comes with trafilatura).

Pages are drawn by a fixed seed, equally from every folder directly below FOLDER, none above 1 MB. Every tool gets
the same page three times, one after the other in one process; the least processor time of the three counts.

The words of the reference do not come from our renderer: lxml's text nodes of <body>, without script, style,
template, noscript, textarea and comments, without elements that carry `hidden` or an inline display:none or
visibility:hidden; of PDFs, the words that pypdf and pdfminer.six agree on. A word is a run of letters and digits,
NFKC, in any case, over hyphens (so that a word divided at the end of a line is the same for all). `kept` is the
share of the reference's words (with their counts) that the tool's text has, `clean` the share of the tool's words
that are in the reference: navigation kept and links written out cost the one nothing and the other something.
"""

import argparse
import logging
import random
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from common import Results, interval, mean

from crowquill.errors import ToolFailed
from crowquill.tools.browser.charset import decode
from crowquill.tools.browser.page import RENDERER, render

LARGEST = 1_000_000
REPEATS = 3
_JOINT = re.compile(r"\u00ad|(?<=\w)[-\u2010]\s*(?=\w)")
_WORD = re.compile(r"[^\W_]+")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")
_NO_TEXT = {"script", "style", "template", "noscript", "textarea"}

Tool = Callable[[bytes], str]


def words(text: str) -> Counter[str]:
    """Count the words of a text; a hyphen joins, also at the end of a line."""
    return Counter(_WORD.findall(_JOINT.sub("", unicodedata.normalize("NFKC", text)).casefold()))


def visible_words(data: bytes) -> Counter[str]:
    """Count the words that a browser would show, by lxml."""
    from lxml import html

    body = html.document_fromstring(decode(data, None).encode(), parser=html.HTMLParser(encoding="utf-8")).body
    counted: Counter[str] = Counter()
    stack: list[Any] = [body]
    while stack:
        node = stack.pop()
        if node.tail is not None and node is not body:
            counted += words(node.tail)
        if not isinstance(node.tag, str) or node.tag in _NO_TEXT:
            continue
        if "hidden" in node.attrib or _HIDDEN.search(node.attrib.get("style", "").lower()):
            continue
        counted += words(node.text or "")
        stack.extend(node)
    return counted


def html_tools() -> dict[str, Tool]:
    """Return the renderers by name; every one gets the bytes and gives its text."""
    import html2text
    import inscriptis
    import markdownify
    import trafilatura

    def by_html2text(data: bytes) -> str:
        reader = html2text.HTML2Text(bodywidth=0)
        return reader.handle(decode(data, None))

    return {
        "crowquill": lambda data: render(data, "text/html", "https://site.example/a/b.html").text,
        "html2text": by_html2text,
        "trafilatura": lambda data: trafilatura.extract(decode(data, None), include_tables=True) or "",
        "markdownify": lambda data: markdownify.markdownify(decode(data, None)),
        "inscriptis": lambda data: inscriptis.get_text(decode(data, None)),
    }


def pdf_tools() -> dict[str, Tool]:
    """As `html_tools`, for PDFs."""
    import io

    import pypdf
    from pdfminer.high_level import extract_text

    return {
        "crowquill": lambda data: render(data, "application/pdf", "https://site.example/a.pdf").text,
        "pypdf": lambda data: "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages),
        "pdfminer": lambda data: extract_text(io.BytesIO(data)),
    }


def drawn(folders: Sequence[Path], suffixes: Sequence[str], count: int) -> list[Path]:
    """Draw files, equally from each folder below `folders`."""
    draw = random.Random(2026)
    shelves = [shelf for folder in folders for shelf in sorted(folder.iterdir()) if shelf.is_dir()]
    found = [
        sorted(
            file
            for file in shelf.rglob("*")
            if file.suffix in suffixes
            and file.is_file()
            and not file.is_symlink()
            and 2000 < file.stat().st_size < LARGEST
        )
        for shelf in shelves
    ]
    for files in found:
        draw.shuffle(files)
    chosen: list[Path] = []
    while len(chosen) < count and any(found):
        chosen += [files.pop() for files in found if files]
    return chosen[:count]


def timed(tool: Tool, data: bytes) -> tuple[float, str]:
    """Return the least seconds of several tries, and the text; a tool that fails has none."""
    best, text = float("inf"), ""
    for _ in range(REPEATS):
        started = time.process_time()
        try:
            text = tool(data)
        except ToolFailed:
            text = ""
        except Exception as error:  # a peer's failure is its result
            print(f"  {type(error).__name__}: {str(error)[:100]}", file=sys.stderr)
            text = ""
        best = min(best, time.process_time() - started)
    return best, text


def measure(
    tools: dict[str, Tool], data: bytes, reference: Callable[[dict[str, Counter[str]]], Counter[str]]
) -> Any:
    """Return seconds, kept and clean of each tool for one file; None when the reference has nothing."""
    texts = {name: timed(tool, data) for name, tool in tools.items()}
    counted = {name: words(text) for name, (_, text) in texts.items()}
    wanted = reference(counted)
    if wanted.total() < 20:
        return None
    return {
        name: [
            seconds,
            (counted[name] & wanted).total() / wanted.total(),
            (counted[name] & wanted).total() / max(1, counted[name].total()),
        ]
        for name, (seconds, _) in texts.items()
    }


def report(kind: str, rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    """Print a table over all files."""
    size = sum(row["size"] for row in rows)
    print(f"\n{len(rows)} {kind} files, {size / 1e6:.1f} MB, renderer {RENDERER}")
    print(f"{'':14}{'MB/s':>8}{'ms/file':>9}   kept (95 % interval)     worst  clean")
    for name in names:
        seconds = sum(row["tools"][name][0] for row in rows)
        kept = [row["tools"][name][1] for row in rows]
        low, high = interval(kept)
        clean = mean([row["tools"][name][2] for row in rows])
        print(
            f"{name:14}{size / 1e6 / seconds:8.2f}{1000 * seconds / len(rows):9.1f}"
            f"   {mean(kept):.4f} ({low:.4f}-{high:.4f}) {min(kept):8.3f} {clean:6.3f}"
        )


def main() -> None:
    """Run what has not been run yet, and report."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", nargs="+", type=Path)
    options.add_argument("--pages", type=int, default=300)
    options.add_argument("--pdfs", type=int, default=40)
    options.add_argument("--fresh", action="store_true")
    given = options.parse_args()
    logging.disable(logging.CRITICAL)  # the peers complain a lot
    results = Results("render", fresh=given.fresh)
    for kind, suffixes, count, tools in (
        ("HTML", (".html", ".htm"), given.pages, html_tools()),
        ("PDF", (".pdf",), given.pdfs, pdf_tools()),
    ):
        rows = []
        for number, file in enumerate(drawn(given.folders, suffixes, count), 1):
            data = file.read_bytes()
            key = f"{RENDERER} {file}"
            row = results.get(key)
            if row is None:

                def reference(found: dict[str, Counter[str]], data: bytes = data, kind: str = kind) -> Counter[str]:
                    return visible_words(data) if kind == "HTML" else found["pypdf"] & found["pdfminer"]

                row = results.keep(key, {"size": len(data), "tools": measure(tools, data, reference)})
            if row["tools"] is not None:
                rows.append(row)
            print(f"\r{kind} {number}", end="", file=sys.stderr, flush=True)
        report(kind, rows, list(tools))
        worst = sorted((row for row in rows), key=lambda row: row["tools"]["crowquill"][1])[:5]
        for row in worst:
            print(f"  {row['tools']['crowquill'][1]:.3f} {row['key']}")


if __name__ == "__main__":
    main()
