"""Replies that are used again: what an earlier run was told when it asked exactly the same.

The journal is the cache: nothing is stored twice. A model's reply is used again when the request is the same to the
letter and asks for no randomness, a search engine's for an hour, and the rows of a query while the files that it
reads are what they were then (`tools/sql/state.py`); servers are always asked. The search of a folder is not kept,
as it is as quick; pages have a cache of their own (`tools/page_cache.py`), which asks the server whether they are
still so.

Only with a threshold that the user has set is a model's reply also used when the question was another one, but
alike, and all else in the request is the same to the letter. No threshold is safe (`bench/similar.py`).
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from crowquill.agent.tape import Effect, Key, canonical
from crowquill.errors import StorageError
from crowquill.memory.blobs import BlobStore
from crowquill.memory.embed import Embedder
from crowquill.memory.rows import digest, fetch_back
from crowquill.tools.context import EffectKind, Json

AGES: Mapping[EffectKind, timedelta] = {
    "model": timedelta(days=30),
    "search": timedelta(hours=1),
    "sql": timedelta(days=30),
}
"""For how long a reply may be used again."""
_QUESTIONS = 1000
"""Earlier questions that are looked through for one that is alike, newest first."""
_CACHES = {"model": "model replies", "search": "searches", "fetch": "pages", "sql": "queries"}


@dataclass(frozen=True, slots=True)
class Reuse:
    """What a run may use of earlier ones.

    With `similar`, also a model's reply to a question whose cosine with this one in the `embedder` is no less.
    """

    embedder: Embedder
    similar: float | None = None


@dataclass(frozen=True, slots=True)
class HitRate:
    """How often a cache was asked, how often it knew the reply, and how often that was told to another question."""

    cache: str
    asked: int
    hits: int
    similar: int


def may_be_reused(kind: EffectKind, request: Json) -> bool:
    """Say whether a reply to this may come from an earlier run."""
    asked = cast("dict[str, Any]", request) if isinstance(request, dict) else {}
    if kind == "model":
        return asked.get("temperature") == 0.0 and not str(asked.get("model")).startswith("scripted")
    if kind == "sql":
        return "sql" in asked  # and is no question about the schema, and no change
    return kind == "search" and asked.get("provider") != "corpus"


def find_reply(
    connection: sqlite3.Connection,
    blobs: BlobStore,
    kind: EffectKind,
    sha256: str,
    now: datetime,
    state: str | None = None,
) -> Any:
    """Return the newest usable reply to a request, as if it had cost nothing; None when there is none.

    `state` is that of the database for rows of a query, which have to be of the same.
    """
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
        if kind == "sql" and (state is None or reply.get("state") != state):
            return None
        return {**reply, "usage": {**dict.fromkeys(reply["usage"], 0)}} if kind == "model" else reply
    return None


def replies_to_others(
    connection: sqlite3.Connection, blobs: BlobStore, request: Any, objective: str, now: datetime
) -> dict[str, Any]:
    """Return, by question, the replies to a model request with other questions in the place of this one."""
    if not any(objective in message["content"] for message in request["messages"]):
        return {}
    rows = connection.execute(
        "SELECT objective FROM runs WHERE created_at>? AND objective<>? GROUP BY objective"
        " ORDER BY max(created_at) DESC LIMIT ?",
        ((now - AGES["model"]).isoformat(), objective, _QUESTIONS),
    ).fetchall()
    found = {}
    for (other,) in rows:
        sha256 = digest(canonical(_put_in_place(request, objective, other)))
        reply = find_reply(connection, blobs, "model", sha256, now)
        if reply is not None:
            found[other] = reply
    return found


def _put_in_place(request: Any, objective: str, other: str) -> Any:
    told = [{**message, "content": message["content"].replace(objective, other)} for message in request["messages"]]
    return {**request, "messages": told}


def most_alike(reuse: Reuse, objective: str, replies: Mapping[str, Any]) -> Any:
    """Return the reply to the question that is most like this one, marked with it; None when none is enough.

    May take seconds, in which the embedder loads; where that fails, the model is asked.
    """
    if not replies or reuse.similar is None:
        return None
    others = list(replies)
    try:
        vectors = reuse.embedder.embed([objective, *others])
    except StorageError:
        return None
    likeness, question = max(zip((vectors[1:] @ vectors[0]).tolist(), others, strict=True))
    if likeness < reuse.similar:
        return None
    return {**replies[question], "similar": {"question": question, "similarity": round(likeness, 3)}}


def was_reused(key: Key, effect: Effect) -> bool:
    """Say whether a recorded effect was answered from a cache, and cost nothing; so was a page that was kept."""
    if key.kind == "fetch" and effect.status == "done" and effect.response is not None:
        return json.loads(effect.response).get("from_cache") is True
    return effect.reused


def hit_rates(effects: Mapping[Key, Effect]) -> list[HitRate]:
    """Return how each cache has served a run, those that were asked."""
    rates = []
    for kind, cache in _CACHES.items():
        asked = [(key, effect) for key, effect in effects.items() if key.kind == kind and _has_cache(key, effect)]
        hits = [effect for key, effect in asked if was_reused(key, effect)]
        if asked:
            rates.append(HitRate(cache, len(asked), len(hits), _count_similar(hits)))
    return rates


def _has_cache(key: Key, effect: Effect) -> bool:
    kind = cast("EffectKind", key.kind)
    return effect.response is not None and (kind == "fetch" or may_be_reused(kind, json.loads(effect.request)))


def _count_similar(hits: Iterable[Effect]) -> int:
    return sum("similar" in json.loads(effect.response or "{}") for effect in hits)
