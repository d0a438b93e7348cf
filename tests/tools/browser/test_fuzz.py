"""Mutated pages: no crash, no hang, bounded memory, and every promise of a snapshot kept."""

import random
import resource
import time
from collections.abc import Callable

import pytest

from crowquill.memory.snapshot import MAX_LINE, Snapshot
from crowquill.tools.browser import view
from crowquill.tools.browser.page import render
from crowquill.tools.browser.window import Windows
from crowquill.tools.search.pocket import POCKET

RICH = b"""<!doctype html><html><head><title>Rich</title><base href="https://base.example/x/"></head><body>
<nav><ul><li><a href=/a>A</a><li><a href=b#c>B</a></ul></nav><main id=m><h1>Head</h1>
<p>One. Two <a href="?q=1">three <b>four</b></a><sup><a href="#n">[1]</a></sup> 10<sup>5</sup></p>
<table><thead><tr><th>a<th colspan=2>b</tr></thead><tr><td rowspan=3>c<td>d<td><ul><li>e</ul><tr><td>f<td>g</table>
<dl><dt>t<dd><p>d</p><dd>e</dl><ol start=4><li>x<ol><li value=9>y</ol></ol><pre>  a
	<a href=z>b</a></pre><blockquote><p>Quote. More.</p></blockquote><details><summary>S</summary>D</details>
<math><mfrac><mi>a</mi><mi>b</mi></mfrac></math><img alt="pic &amp; text">
<p hidden>h</p><p style="display:none">i</p><form action=/s><input name=q><select name=s><option>1</select></form>
<script>if(a<b){"</p>"}</script></main><footer>F &copy; &#x202e; &nbsp;</footer></body></html>"""
TAGS = (
    b"<table> </table> <tr> <td rowspan=99999> <th colspan=9999> <a href=q> </a> <li> </ul> <pre> </pre> <sup>"
    b" <math> <mrow> <svg> <template> <main> </main> <nav> <article> <dd> <dt> <form> <textarea> <select> <title>"
    b" <style> <script> </script> <!-- --> <![CDATA[ ]]> <p hidden> <div style=opacity:0> <plaintext> <frameset>"
    b" <body id=x>"
).split(b" ")
LONGEST_SECONDS = 3.0
GROWTH = 150 * 2**10
"""Kilobytes by which the process may grow over all pages."""


def flip(page: bytearray, draw: random.Random) -> None:
    for _ in range(draw.randint(1, 40)):
        page[draw.randrange(len(page))] = draw.randrange(256)


def cut(page: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(page))
    del page[start : start + draw.randint(1, 400)]


def repeat(page: bytearray, draw: random.Random) -> None:
    start = draw.randrange(len(page))
    piece = page[start : start + draw.randint(1, 200)]
    page[start:start] = piece * draw.randint(2, 60)


def tags(page: bytearray, draw: random.Random) -> None:
    for _ in range(draw.randint(1, 30)):
        at = draw.randrange(len(page))
        page[at:at] = draw.choice(TAGS) * draw.choice((1, 1, 1, 50))


def shuffle(page: bytearray, draw: random.Random) -> None:
    pieces = bytes(page).split(b"<")
    draw.shuffle(pieces)
    page[:] = b"<".join(pieces) + b" "


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [flip, cut, repeat, tags, shuffle]


def check(snapshot: Snapshot, size: int) -> None:
    assert len(snapshot.text) <= 40 * size + 10_000
    end = 0
    for number, line in enumerate(snapshot.lines, 1):
        text = snapshot.line_text(number)
        assert text == text.strip() != ""
        assert len(text) <= MAX_LINE
        assert end <= line.start
        end = line.end
    assert snapshot.main is None or 0 < snapshot.main < len(snapshot.lines)
    for link in snapshot.links:
        line = snapshot.lines[link.line - 1]
        assert line.start <= link.start < line.end
        assert link.url.startswith(("http://", "https://"))
    assert all(1 <= line <= len(snapshot.lines) for _, line in snapshot.anchors)
    assert Snapshot.from_json(snapshot.to_json()) == snapshot
    if snapshot.lines:
        windows = Windows(snapshot, 300)
        view.window(snapshot, 1, windows.last(1, len(snapshot.lines)))
        view.outline(snapshot)


def fuzz(count: int) -> None:
    draw = random.Random(20)
    originals = [RICH, RICH, *(file.read_bytes() for file in sorted(POCKET.glob("web/*.html")))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        page = bytearray(draw.choice(originals))
        for _ in range(draw.randint(1, 4)):
            draw.choice(MUTATIONS)(page, draw)
        data = b" " * 512 + bytes(page)  # what has a zero byte at its beginning is no text
        started = time.process_time()
        snapshot = render(data, "text/html", "https://site.example/page")
        assert time.process_time() - started < LONGEST_SECONDS, number
        check(snapshot, len(data))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < GROWTH


def test_mutated_pages() -> None:
    fuzz(120)


@pytest.mark.slow
def test_five_thousand_mutated_pages() -> None:
    fuzz(5000)
