"""Replies that are used again: what an earlier run was told when it asked exactly the same.

The journal is the cache: nothing is stored twice. A model's reply is used again when the request is the same to the
letter and asks for no randomness, a search engine's for an hour. Queries are never answered from here, since their
database may have changed, nor is the search of a folder, which is as quick; pages have a cache of their own
(`tools/page_cache.py`), which asks the server whether they are still so.
"""

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from crowquill.memory.blobs import BlobStore
from crowquill.memory.rows import digest, fetch_back
from crowquill.tools.context import EffectKind, Json

AGES: Mapping[EffectKind, timedelta] = {"model": timedelta(days=30), "search": timedelta(hours=1)}
"""For how long a reply may be used again."""


def may_be_reused(kind: EffectKind, request: Json) -> bool:
    """Say whether a reply to this may come from an earlier run."""
    asked = cast("dict[str, Any]", request) if isinstance(request, dict) else {}
    if kind == "model":
        return asked.get("temperature") == 0.0 and not str(asked.get("model")).startswith("scripted")
    return kind == "search" and asked.get("provider") != "corpus"


def find_reply(
    connection: sqlite3.Connection, blobs: BlobStore, kind: EffectKind, sha256: str, now: datetime
) -> Json | None:
    """Return the newest usable reply to a request, as if it had cost nothing; None when there is none."""
    rows = connection.execute(
        "SELECT response, digest FROM effects WHERE request_sha256=? AND kind=? AND status='done' AND reused=0"
        " AND started_at>? ORDER BY started_at DESC LIMIT 1",
        (sha256, kind, (now - AGES[kind]).isoformat()),
    )
    for response, recorded in rows:
        text = fetch_back(response, blobs)
        reply: Any = json.loads(text)
        if digest(text) != recorded or (kind == "model" and "unusable" in reply):
            return None
        return {**reply, "usage": {**dict.fromkeys(reply["usage"], 0)}} if kind == "model" else reply
    return None
