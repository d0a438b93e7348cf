"""Whether a page could be rendered in time is recorded, so that a replay ends as the run did on any machine."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.support.context import FakeContext
from tests.support.site import Site

from crowquill.agent.journal import Journal, Mode
from crowquill.agent.redact import Redactor
from crowquill.errors import FetchFailed
from crowquill.memory.clock import SystemClock
from crowquill.memory.db import Database
from crowquill.tools.context import Access, EffectKind, Json, State
from crowquill.tools.fetch import Fetcher


class Journaled(FakeContext):
    """A context whose effects go through a journal."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        super().__init__(folder)
        self.journal = journal

    async def effect(
        self,
        kind: EffectKind,
        request: Json,
        call: Callable[[], Awaitable[Json]],
        *,
        access: Access = "read",
        state: State | None = None,
    ) -> Json:
        return await self.journal.effect("t1/s1", kind, request, call)


async def opened(database: Database, mode: Mode) -> Journaled:
    journal = Journal(database, "r1", clock=SystemClock(), redactor=Redactor([]), mode=mode)
    await journal.begin("objective", {})
    return Journaled(database.path.parent, journal)


@pytest.mark.parametrize(("then", "again"), [(0.0001, 10.0), (10.0, 0.0001)])
async def test_a_replay_ends_as_the_run_did(tmp_path: Path, then: float, again: float) -> None:
    database = Database(tmp_path / "crowquill.db")
    outcomes = []
    with Site() as site:
        url = site.page("/a", "<p>Crows.</p>" if then > 1 else b"<div>" * 200_000)
        modes: tuple[tuple[Mode, float], ...] = (("new", then), ("replay", again))
        for mode, seconds in modes:
            fetcher = Fetcher(allow_hosts=[site.host], render_seconds=seconds)
            try:
                outcomes.append((await fetcher.open(url, await opened(database, mode))).text)
            except FetchFailed as error:
                outcomes.append(str(error))
            fetcher.close()
    database.close()
    assert outcomes[0] == outcomes[1], outcomes
    assert (outcomes[0] == "Crows.") is (then > 1), outcomes
