"""The schema of the key `safety:`: what a run may do without asking, what it asks, and what it refuses."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_Glob = Annotated[str, Field(min_length=1, max_length=300)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RestrictionSpec(_Strict):
    """A rule that asks or refuses; the patterns are globs, and all of them must match."""

    decide: Literal["ask", "deny"]
    tool: _Glob = "*"
    access: Literal["read", "write", "send", "exec", "*"] = "*"
    args: dict[str, _Glob] = {}
    host: _Glob = "*"
    usd_over: Annotated[float, Field(ge=0)] | None = None
    clean: bool = False


class ApprovalSpec(RestrictionSpec):
    """A rule of the person's own, which may also allow."""

    decide: Literal["allow", "ask", "deny"]  # type: ignore[assignment]  # wider on purpose


class RestrictingSpec(_Strict):
    """What a task file or a workspace may say: it makes the person's own rules tighter, never looser."""

    mode: Literal["auto", "ask", "strict"] | None = None
    approvals: list[RestrictionSpec] = []
    only_hosts: list[_Glob] = []
    deny_hosts: list[_Glob] = []


class SafetySpec(_Strict):
    """What a person's own settings may say."""

    mode: Literal["auto", "ask", "strict"] | None = None
    approvals: list[ApprovalSpec] = []
    only_hosts: list[_Glob] = []
    deny_hosts: list[_Glob] = []
    private_egress: bool = False
    seconds: Annotated[float, Field(gt=0)] = 300.0


class PersonSettings(_Strict):
    """The person's own `config.yaml`."""

    safety: SafetySpec = SafetySpec()


class WorkspaceSettings(_Strict):
    """The `config.yaml` of a workspace."""

    safety: RestrictingSpec = RestrictingSpec()
