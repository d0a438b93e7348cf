"""Writes small PDFs for tests: text at places, with an outline, in one font."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class At:
    """Text at a place in points from the lower left corner; `turn` in degrees."""

    x: float
    y: float
    text: str
    size: float = 10
    font: str = "F1"
    turn: int = 0


def column(x: float, top: float, lines: Sequence[str], *, size: float = 10, step: float = 12) -> list[At]:
    """Return lines below each other."""
    return [At(x, top - number * step, line, size) for number, line in enumerate(lines)]


def write_pdf(
    pages: Sequence[Sequence[At]], *, title: str = "", outline: Sequence[tuple[str, int]] = (), rotate: int = 0
) -> bytes:
    """Return a PDF of A4 pages; F1 is Helvetica, F2 Courier. `outline` are (title, page from 0)."""
    objects: list[bytes] = []

    def add(body: str) -> int:
        objects.append(body.encode("cp1252"))
        return len(objects)

    fonts = [
        add(f"<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>")
        for name in ("Helvetica", "Courier")
    ]
    root, parent = len(objects) + 1, len(objects) + 2
    objects += [b"", b""]
    kids = []
    for page in pages:
        drawn = "\n".join(map(_drawn, page))
        content = add(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
        kids.append(
            add(
                f"<</Type/Page/Parent {parent} 0 R/MediaBox[0 0 595 842]/Rotate {rotate}/Contents {content} 0 R"
                f"/Resources<</Font<</F1 {fonts[0]} 0 R/F2 {fonts[1]} 0 R>>>>>>"
            )
        )
    objects[parent - 1] = (
        f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]>>".encode()
    )
    first = len(objects) + 2
    marks = add(f"<</First {first} 0 R/Last {first + len(outline) - 1} 0 R/Count {len(outline)}>>")
    for number, (name, target) in enumerate(outline):
        following = f"/Next {first + number + 1} 0 R" if number + 1 < len(outline) else ""
        add(f"<</Title({name})/Parent {marks} 0 R/Dest[{kids[target]} 0 R/Fit]{following}>>")
    objects[root - 1] = (
        f"<</Type/Catalog/Pages {parent} 0 R{f'/Outlines {marks} 0 R' if outline else ''}>>".encode()
    )
    info = add(f"<</Title({title})>>")
    return _file(objects, root, info)


_TURNS = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}


def _drawn(at: At) -> str:
    text = at.text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    cosine, sine = _TURNS[at.turn]
    return f"BT /{at.font} {at.size} Tf {cosine} {sine} {-sine} {cosine} {at.x} {at.y} Tm ({text}) Tj ET"


def _file(objects: Sequence[bytes], root: int, info: int) -> bytes:
    data = b"%PDF-1.4\n"
    table = ""
    for number, body in enumerate(objects, 1):
        table += f"{len(data):010d} 00000 n \n"
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    trailer = f"<</Size {len(objects) + 1}/Root {root} 0 R/Info {info} 0 R>>"
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n"
    return data + f"{head}{table}trailer{trailer}\nstartxref\n{len(data)}\n%%EOF".encode()
