"""A workspace with a corpus of a few pages, indexed without a model."""

from pathlib import Path

from crowquill.agent.workspace import Workspace
from crowquill.memory.embed import HashingEmbedder


def indexed(folder: Path, pages: dict[str, str], name: str) -> Workspace:
    """Write pages (title → text) as HTML under `folder` and index them as corpus `name`."""
    source = folder / name
    source.mkdir()
    for title, text in pages.items():
        page = f"<title>{title}</title><h1>{title}</h1><p>{text}</p>"
        (source / f"{title}.html").write_text(page, encoding="utf-8")
    workspace = Workspace(folder / "workspace", embedder=HashingEmbedder())
    workspace.index(source, name)
    return workspace
