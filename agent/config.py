"""What a run was told to use: plain data, stored with the run so that it can be replayed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

from crowquill.agent.approvals import ApprovalRule, Safety
from crowquill.agent.budget import Budget, Price
from crowquill.agent.conversation import Conversation
from crowquill.agent.corrective import RecallMode
from crowquill.agent.form import Form
from crowquill.agent.models.base import Role
from crowquill.agent.select.options import Select
from crowquill.agent.toolspec import ToolSpec
from crowquill.tasks.profile import Profile
from crowquill.tools.fetching import Fetching

PolicyName = Literal["guided", "json", "tools"]
Layout = Literal["blocks", "transcript"]
"""How the prompts of a model that chooses are laid out: each anew and short, or a conversation that grows."""
PlanMode = Literal["auto", "stepwise", "plan_once"]
"""How a run plans: a few tasks at first and more after each batch (BabyAGI), the whole way at once with `#E1` for
the results of earlier tasks (ReWOO), or whichever of the two the planner's first reply amounts to."""
Part = Literal[
    "lexical", "dense", "titles", "hop", "cover", "comparison", "types", "second look", "bridge", "program"
]
"""Parts of the guided recipe that can be left out: rankings of the corpus search, and that pages which complement
each other come first; comparison by code, the check of the kind of answer, the second look at the best pages when
the first has found nothing, reading on about what was answered when it is probably only on the way to the answer,
and a program of named steps for word problems."""
PARTS: tuple[Part, ...] = get_args(Part)

ROLES: tuple[Role, ...] = ("plan", "act", "write", "judge", "gold")


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Settings of one run. `models` names the model of each role; `data` are paths of data files; `web` allows live
    search and fetching, `search` names the providers in order (see `tools.search.registry`), `fetching` says how
    pages are fetched; `prices` are per model, dollars per million tokens; `earlier` are the questions that this one
    refines, each with its query; `without` names parts of the recipe that are left out, `tools` are those of the
    user's own program, and `safety` says what is done without asking. With `cache`, replies of earlier runs are
    used again, with `similar` also those to questions so much like this one. `examples` are steps of earlier
    runs, shown to the model; with `allow_write` the databases may be changed, each time after an approval;
    `select` says how the answer is chosen among candidates, `weights` what the parts of the reward count (as
    shipped if empty), `form` how it is wanted, `conversation` what the question follows. Only `sites` are
    searched and fetched, when there are any, and `without_tools` names tools that are taken away, `knowledge`
    names what is recalled beside earlier runs, `recall` how. `profile` says who the agent is, `planning`
    whether it plans the whole way at once, `layout` how prompts are laid out, within the `context_tokens` of
    the model. `providers` are the searches of the user's own program.
    """

    models: Mapping[Role, str]
    policy: PolicyName
    budget: Budget = field(default_factory=Budget)
    corpora: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    web: bool = False
    search: tuple[str, ...] = ()
    fetching: Fetching = field(default_factory=Fetching)
    memory: bool = True
    allow_hosts: tuple[str, ...] = ()
    prices: Mapping[str, Price] = field(default_factory=dict)
    earlier: tuple[tuple[str, str], ...] = ()
    without: tuple[Part, ...] = ()
    tools: tuple[ToolSpec, ...] = ()
    safety: Safety = field(default_factory=Safety)
    cache: bool = True
    similar: float | None = None
    examples: tuple[str, ...] = ()
    allow_write: bool = False
    select: Select = field(default_factory=Select)
    weights: Mapping[str, float] = field(default_factory=dict)
    profile: Profile | None = None
    knowledge: tuple[str, ...] = ()
    recall: RecallMode = "plain"
    planning: PlanMode = "auto"
    layout: Layout = "blocks"
    context_tokens: int = 0
    form: Form = field(default_factory=Form)
    sites: tuple[str, ...] = ()
    without_tools: tuple[str, ...] = ()
    conversation: Conversation = field(default_factory=Conversation)
    providers: tuple[str, ...] = ()

    @property
    def refines_query(self) -> bool:
        """Whether the question before this one was answered by a query."""
        turns = self.conversation.turns
        return bool(self.earlier and turns) and self.earlier[-1][0] == turns[-1].question

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON data."""
        profile = None if self.profile is None else self.profile.model_dump(mode="json")
        return {**asdict(replace(self, profile=None)), "profile": profile}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "RunConfig":
        """Restore what `to_json` gave."""
        names = (
            "providers",
            "corpora",
            "databases",
            "data",
            "search",
            "allow_hosts",
            "without",
            "examples",
            "sites",
            "without_tools",
            "knowledge",
        )
        lists = {name: tuple(data.get(name, ())) for name in names}
        data = dict(data)
        before = Safety(approvals=tuple(ApprovalRule("allow", tool=name) for name in data.pop("allow", ())))
        profile = data.get("profile")
        values = {
            "profile": None if profile is None else Profile(**profile),
            "models": {"gold": data["models"]["judge"], **data["models"]},  # there was one judge once
            "budget": Budget(**data["budget"]),
            "earlier": tuple((question, sql) for question, sql in data.get("earlier", ())),
            "conversation": Conversation.read(data.get("conversation", {})),
            "fetching": Fetching(**data.get("fetching", {})),
            "safety": Safety.from_json(data["safety"]) if "safety" in data else before,
            "form": Form.from_json(data.get("form", {})),
            "select": Select(**data.get("select", {})),
            "prices": {name: Price(**price) for name, price in data["prices"].items()},
            "tools": tuple(
                ToolSpec(tool) if isinstance(tool, str) else ToolSpec(**tool) for tool in data.get("tools", ())
            ),
        }
        return cls(**{**data, **lists, **values})
