"""The schema of `config.yaml`: what a run may do without asking, what is used where nothing is given, and how the
memory is searched.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from crowquill.tasks.strict import STRICT

_Glob = Annotated[str, Field(min_length=1, max_length=300)]
_Mode = Literal["auto", "ask", "strict"]


class _Strict(BaseModel):
    model_config = STRICT


class ApprovalSpec(_Strict):
    """A call that is refused, or about which a person is asked. A task file cannot allow anything."""

    decide: Literal["ask", "deny"]
    """ask: a person decides, and where there is none it is refused. deny: it is refused."""
    tool: str = "*"
    """Name of the tool, or a pattern of names such as `mail_*`; `fetch` is the reading of web pages."""
    access: str = "*"
    """read, write, send or exec."""
    host: str = "*"
    """Host that would be reached, or a pattern of hosts."""
    args: dict[str, str] = {}
    """Patterns of arguments by their names."""
    usd_over: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    """Only calls that cost more."""
    clean: bool = False
    """Only while nothing from outside was read."""


class OwnApprovalSpec(ApprovalSpec):
    """A rule of the person's own, which may also allow."""

    decide: Literal["allow", "ask", "deny"]  # type: ignore[assignment]  # wider on purpose
    """allow: it is done without asking."""


class RestrictingSpec(_Strict):
    """What a workspace may say: it makes the person's own rules tighter, never looser."""

    mode: _Mode | None = None
    """The tighter of this and the person's holds: auto, then strict, then ask."""
    approvals: list[ApprovalSpec] = Field(default_factory=list)
    """Looked at before the person's."""
    only_hosts: list[_Glob] = Field(default_factory=list)
    """The only hosts that are fetched."""
    deny_hosts: list[_Glob] = Field(default_factory=list)
    """Hosts that are never fetched."""


class SafetySpec(_Strict):
    """What a person's own settings may say."""

    mode: _Mode | None = None
    """auto only reads; ask asks first; strict also plans first. ask when not given, where somebody can be asked."""
    approvals: list[OwnApprovalSpec] = Field(default_factory=list)
    """Rules in order; the first that matches decides."""
    only_hosts: list[_Glob] = Field(default_factory=list)
    """The only hosts that are fetched."""
    deny_hosts: list[_Glob] = Field(default_factory=list)
    """Hosts that are never fetched."""
    private_egress: bool = False
    """Let data of databases, files and memory go into searches and URLs."""
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 300.0
    """How long a person is waited for; then it is a no."""


class Defaults(_Strict):
    """What the command line uses where nothing is given; each key is the long option of that name."""

    model: str | None = None
    """As `local`, `openai:NAME` or `http://HOST:PORT/v1#NAME`."""
    policy: str | None = None
    """guided or json."""
    corpus: list[str] = Field(default_factory=list)
    """Indexed folders."""
    db: list[str] = Field(default_factory=list)
    """Databases."""
    data: list[str] = Field(default_factory=list)
    """Data files."""
    web: bool | None = None
    """Live search and fetching."""
    search: str | None = None
    """Web search providers, in order."""
    budget: str | None = None
    """As `steps=20,seconds=120`."""
    similar: float | None = None
    """Use a model's replies to earlier questions at least so much like the one asked."""
    select: str | None = None
    """As `best_of_n:4`."""
    profile: str | None = None
    """File of a profile."""


_Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class RetrievalWeights(_Strict):
    """How much each term counts for the place of a record among the hits; what is not given stays as it is."""

    relevance: _Weight | None = None
    """How well its words and meaning match."""
    recency: _Weight | None = None
    """How lately it was stored or used."""
    importance: _Weight | None = None
    """How much it was said to matter."""
    trust: _Weight | None = None
    """How far it is trusted."""


class MemorySpec(_Strict):
    """How the memory is searched."""

    weights: RetrievalWeights = RetrievalWeights()


class PersonSettings(_Strict):
    """The person's own `config.yaml`."""

    safety: SafetySpec = SafetySpec()
    defaults: Defaults = Defaults()
    memory: MemorySpec = MemorySpec()


class WorkspaceSettings(_Strict):
    """The `config.yaml` of a workspace."""

    safety: RestrictingSpec = RestrictingSpec()
    memory: MemorySpec = MemorySpec()
    """Goes before the person's own."""
