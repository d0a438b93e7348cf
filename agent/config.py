"""What a run was told to use: plain data, stored with the run so that it can be replayed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from crowquill.agent.budget import Budget, Price
from crowquill.agent.models.base import Role

PolicyName = Literal["guided", "json"]
Part = Literal["lexical", "dense", "titles", "hop", "comparison", "types", "second look", "bridge"]
"""Parts of the guided recipe that can be left out: rankings of the corpus search, comparison by code, the check of
the kind of answer, the second look at the best pages when the first has found nothing, and reading on about what
was answered when it is probably only on the way to the answer."""
PARTS: tuple[Part, ...] = get_args(Part)

ROLES: tuple[Role, ...] = ("plan", "act", "write", "judge")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Settings of one run. `models` names the model of each role; `data` are paths of data files; `web` allows live
    search and fetching; `prices` are per model, dollars per million tokens; `earlier` are the questions that this
    one refines, each with its query; `without` names parts of the recipe that are left out, `tools` those of the
    user's own program.
    """

    models: Mapping[Role, str]
    policy: PolicyName
    budget: Budget = field(default_factory=Budget)
    corpora: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    web: bool = False
    memory: bool = True
    allow_hosts: tuple[str, ...] = ()
    prices: Mapping[str, Price] = field(default_factory=dict)
    earlier: tuple[tuple[str, str], ...] = ()
    without: tuple[Part, ...] = ()
    tools: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RunConfig":
        """Restore what `to_json` gave."""
        names = ("corpora", "databases", "data", "allow_hosts", "without", "tools")
        lists = {name: tuple(data.get(name, ())) for name in names}
        earlier = tuple((question, sql) for question, sql in data.get("earlier", ()))
        prices = {name: Price(**price) for name, price in data["prices"].items()}
        return cls(**{**data, **lists, "budget": Budget(**data["budget"]), "prices": prices, "earlier": earlier})
