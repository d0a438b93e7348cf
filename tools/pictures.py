"""Pictures drawn with matplotlib: a figure without a window, and its bytes."""

import base64
import io
from typing import Any


def new_figure() -> Any:
    """Return an empty figure; matplotlib is imported here, for it takes half a second and few runs draw."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(7, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plain(text: str) -> str:
    """Return a text that matplotlib writes as it is, and does not read as mathematics."""
    return text.replace("$", r"\$")


def drawn(figure: Any) -> dict[str, str]:
    """Return a figure as base64 text, by format: `{"svg": …, "png": …}`."""
    pictures = {}
    for kind in ("svg", "png"):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=110)
        pictures[kind] = base64.b64encode(buffer.getvalue()).decode("ascii")
    return pictures
