"""The gate: where a person is asked, once at a time, and what was said for the rest of a run is remembered."""

import asyncio
from dataclasses import replace
from typing import Any, cast

from crowquill.agent.approvals import ApprovalRequest, Approver, By, Decision, Safety
from crowquill.agent.redact import Redactor
from crowquill.memory.clock import Clock
from crowquill.tools.context import Json


class Gate:
    """The person of one run. Without an approver every question is a refusal."""

    def __init__(self, safety: Safety, approver: Approver | None, redactor: Redactor, clock: Clock) -> None:
        self.safety = safety
        self.waited = 0.0
        """Seconds for which a person was waited for: they do not count to the time of the run."""
        self._clock = clock
        self._approver = approver
        self._redactor = redactor
        self._turn = asyncio.Lock()
        self._kept: dict[tuple[str, str], Decision] = {}

    async def ask(self, request: ApprovalRequest) -> Json:
        """Return who has decided and how, as JSON for the journal. Fails closed: whatever goes wrong is a no."""
        if self._approver is None:
            return _told(Decision(False, why="nobody can be asked in this run"), "nobody")
        async with self._turn:  # parallel tasks do not talk over each other
            kept = self._kept.get((request.tool, request.access))
            if kept is not None:
                return _told(replace(kept, why=kept.why if kept.why else "as decided before in this run"), "person")
            began = self._clock.monotonic()
            try:
                async with asyncio.timeout(self.safety.seconds):
                    decision = await self._approver.decide(self._shown(request))
            except TimeoutError:
                why = f"nobody answered within {self.safety.seconds:g} seconds"
                return _told(Decision(False, why=why), "nobody")
            except Exception as error:  # whatever an approver raises is a refusal, and is told
                return _told(Decision(False, why=f"asking failed: {type(error).__name__}"), "nobody")
            finally:
                self.waited += self._clock.monotonic() - began
            if not isinstance(decision, Decision):
                return _told(Decision(False, why="asking failed: the answer is no Decision"), "nobody")
            self._keep(request, decision)
            return _told(decision, "person")

    def recall(self, request: ApprovalRequest, told: Json) -> tuple[Decision, By]:
        """Read what `ask` has returned, now or when it was recorded."""
        data = cast("dict[str, Any]", told)
        decision = Decision(data["allow"] is True, data["scope"], data["why"])
        if data["by"] == "person":
            self._keep(request, decision)
        return decision, data["by"]

    def _keep(self, request: ApprovalRequest, decision: Decision) -> None:
        if decision.scope == "run":
            self._kept[request.tool, request.access] = decision

    def _shown(self, request: ApprovalRequest) -> ApprovalRequest:
        args = self._redactor.data(dict(request.args))
        return replace(request, args=args, effect=self._redactor.text(request.effect))


def _told(decision: Decision, by: str) -> Json:
    return {"allow": decision.allow is True, "scope": decision.scope, "why": decision.why, "by": by}
