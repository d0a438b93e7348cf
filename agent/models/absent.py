"""A model that is not there: for replays and cassettes, which ask no model anything."""

from crowquill.agent.models.base import Reply, Request
from crowquill.errors import ReplayMiss


class AbsentModel:
    """Stands for a model that must not be called."""

    slots = 8
    context_tokens = 0

    def __init__(self, name: str) -> None:
        self.name = name

    async def complete(self, request: Request) -> Reply:
        """Refuse."""
        raise ReplayMiss(f"a replay asked the model {self.name} something ({request.role})")

    async def warm(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""
