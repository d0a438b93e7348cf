"""What the model may do with the memory beside recalling: keep, revise, forget, under rules that it cannot bend.

What is kept was verified by code before; the model only says which of it matters. Nothing it says is stored: not a
word of a page that tells it to remember something can get into the memory. It can shelve, which a person can undo,
and never delete. Revising and forgetting change what later runs see: they are asked for as any other write.
"""

import sqlite3
from collections.abc import Callable
from typing import Literal

from crowquill.agent.lane import Lane
from crowquill.errors import ToolRetry
from crowquill.memory import life
from crowquill.memory.evidence import Evidence
from crowquill.memory.store import MemoryStore, number_of
from crowquill.memory.untrusted import Untrusted
from crowquill.tools.context import Json
from crowquill.tools.observation import Observation
from crowquill.tools.tool import Tool, tool

IMPORTANT = 0.9
"""Importance, from 0 to 1, of what the model wants to be remembered."""

Reason = Literal["outdated", "wrong", "irrelevant"]


def memory_tools(lane: Lane, store: MemoryStore) -> list[Tool]:
    """The tools that change what is remembered; items are named by their numbers in the evidence."""

    def item(number: int) -> Evidence:
        if not 1 <= number <= len(lane.numbered):
            raise ToolRetry(f"there is no evidence [{number}]; there is 1 to {len(lane.numbered)}")
        return lane.numbered[number - 1]

    async def change(request: Json, work: Callable[[sqlite3.Connection], None]) -> None:
        async def call() -> Json:
            await store.database.write(work)  # once or twice is the same, should the run be killed in between
            return True

        await lane.effect("remember", request, call)

    @tool
    async def remember(items: list[int]) -> Observation:
        """Mark evidence, by its numbers, as important for later questions."""
        ids = [item(number).id for number in items]

        def work(connection: sqlite3.Connection) -> None:
            query = "UPDATE records SET importance=max(importance, ?) WHERE id=?"
            connection.executemany(query, [(IMPORTANT, id_) for id_ in ids])

        await change({"remember": list[Json](ids)}, work)
        return _done(f"{len(ids)} items will be found before others")

    @tool(access="write")
    async def revise(old: int, new: int) -> Observation:
        """Replace evidence in the memory, by its number, by newer evidence that you have quoted."""
        before, after = item(old).id, item(new).id
        if before == after:
            raise ToolRetry("the old and the new evidence are the same")

        def work(connection: sqlite3.Connection) -> None:
            numbers = number_of(connection, before), number_of(connection, after)
            if numbers[0] is not None and numbers[1] is not None:
                life.replace(connection, numbers[0], numbers[1], store.now(), "newer evidence has replaced it")

        await change({"revise": before, "by": after}, work)
        return _done(f"[{old}] is no longer recalled, [{new}] stands in its place")

    @tool(access="write")
    async def forget(item_number: int, reason: Reason) -> Observation:
        """Keep evidence, by its number, out of what later questions recall."""
        id_ = item(item_number).id

        def work(connection: sqlite3.Connection) -> None:
            number = number_of(connection, id_)
            life.shelve(connection, [] if number is None else [number], f"a run found it {reason}")

        await change({"forget": id_, "reason": reason}, work)
        return _done(f"[{item_number}] is no longer recalled; a person can restore it")

    return [remember, revise, forget]


def _done(status: str) -> Observation:
    return Observation(Untrusted("", "memory"), status=status)
