"""Approvals: what may be done without asking, what a person is asked, and what is refused.

The policy is data: an ordered list of `ApprovalRule`, of which the first that matches decides, and a `Mode` for
what none matches. `rule_on` is the whole decision. Nothing that a page, a database or a model says can change it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal, Protocol

from crowquill.tools.context import Access

Mode = Literal["auto", "ask", "strict"]
"""`auto` only reads; `ask` asks before anything is written, sent or executed; `strict` also fixes, before anything
is read, what may be done at all."""
Verb = Literal["allow", "ask", "deny"]
FETCH = "fetch"
"""The tool of requests for pages, whatever tool makes them."""
By = Literal["rule", "mode", "person", "nobody"]
"""Who has decided: a rule of the configuration, the mode, a person, or nobody in time, which is a refusal."""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What is about to be done, for whoever decides about it.

    `effect` says in one line what will happen, `why` why it is asked; `hosts` are where it would reach, `usd` is
    what it costs. `args` and `effect` may hold text from outside: show them cleaned, never as markup.
    """

    tool: str
    access: Access
    args: Mapping[str, Any] = field(default_factory=dict)
    effect: str = ""
    hosts: tuple[str, ...] = ()
    usd: float = 0.0
    task: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's answer. With `scope` "run" it holds for every later call in the run with this tool and access."""

    allow: bool
    scope: Literal["once", "run"] = "once"
    why: str = ""


class Approver(Protocol):
    """Whoever is asked: a terminal, a chat, a program. What it says is an effect, so that a replay asks nobody."""

    async def decide(self, request: ApprovalRequest) -> Decision:
        """Return the decision. An exception, or no answer in time, is a refusal."""
        ...


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """One line of the policy; each pattern is a glob (`*`, `?`, `[…]`), and all of them must match.

    `args` maps names of arguments to patterns. Where an argument or the hosts are several values, "allow" needs all
    of them to match, "ask" and "deny" one. `usd_over`: only calls that cost more. `clean`: only while the run has
    read nothing from outside.
    """

    decide: Verb
    tool: str = "*"
    access: str = "*"
    args: Mapping[str, str] = field(default_factory=dict)
    host: str = "*"
    usd_over: float | None = None
    clean: bool = False

    def matches(self, request: ApprovalRequest, *, tainted: bool) -> bool:
        """Say whether the rule speaks about this request."""
        return (
            fnmatchcase(request.tool, self.tool)
            and fnmatchcase(request.access, self.access)
            and (self.usd_over is None or request.usd > self.usd_over)
            and not (self.clean and tainted)
            and (self.host == "*" or self._fit(request.hosts, self.host))
            and all(self._fit(_leaves(request.args.get(name)), pattern) for name, pattern in self.args.items())
        )

    def _fit(self, values: Iterable[str], pattern: str) -> bool:
        found = [fnmatchcase(value, pattern) for value in values]
        return bool(found) and (all(found) if self.decide == "allow" else any(found))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _leaves(item)
    elif value is not None:
        yield str(value)


Planned = Literal["fixed", "open", "no"]
"""Whether the plan of mode `strict` has a call with all its arguments, with some left open, or not at all."""


@dataclass(frozen=True, slots=True)
class Act:
    """A call that was planned, and allowed, before anything from outside was read, for one task.

    `args` are fixed; `later` names those that are filled in from what is read.
    """

    task: str
    tool: str
    args: Mapping[str, Any] = field(default_factory=dict)
    later: tuple[str, ...] = ()

    def fits(self, request: ApprovalRequest) -> Planned:
        """Say whether a request is this call."""
        more = set(request.args) - set(self.args)
        same = all(name in request.args and request.args[name] == value for name, value in self.args.items())
        if request.tool != self.tool or not same or not more <= set(self.later):
            return "no"
        return "open" if more else "fixed"


@dataclass(frozen=True, slots=True)
class Safety:
    """What the rules of a run are.

    `approvals` in order, of which the first that matches decides; without a `mode` it is `ask` where somebody can
    be asked, else `auto`. `only_hosts` and `deny_hosts` are globs of hosts that are fetched, or not. With
    `private_egress`, data of databases, files and memory may go into searches and URLs. `seconds` is how long a
    person is waited for.
    """

    mode: Mode | None = None
    approvals: tuple[ApprovalRule, ...] = ()
    only_hosts: tuple[str, ...] = ()
    deny_hosts: tuple[str, ...] = ()
    private_egress: bool = False
    seconds: float = 300.0

    def forbids(self, hosts: Iterable[str]) -> str:
        """Return why a host may not be fetched, or nothing."""
        for host in hosts:
            if any(fnmatchcase(host, pattern) for pattern in self.deny_hosts):
                return f"{host} is among the denied hosts"
            if self.only_hosts and not any(fnmatchcase(host, pattern) for pattern in self.only_hosts):
                return f"{host} is not among the only hosts of this run"
        return ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Safety":
        """Restore what `dataclasses.asdict` gave."""
        lists = {name: tuple(data.get(name, ())) for name in ("only_hosts", "deny_hosts")}
        rules = tuple(ApprovalRule(**rule) for rule in data.get("approvals", ()))
        return cls(**{**data, **lists, "approvals": rules})


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policy says about a request, and why, in our own words."""

    verb: Verb
    by: By
    why: str


def rule_on(
    request: ApprovalRequest,
    safety: Safety,
    *,
    tainted: bool,
    reads_only: bool = False,
    planned: Planned = "no",
) -> Ruling:
    """Return what the policy says.

    `tainted`: the run has read text from outside. `reads_only`: the task was born from such text, and may only read
    whatever the rules say. `planned`: whether the plan of mode `strict` has the call; what it has not is refused
    whatever the rules say.
    """
    if reads_only and request.access != "read":
        return Ruling("deny", "mode", "its task was made from what was read, and such tasks may only read")
    if request.tool == FETCH and (why := safety.forbids(request.hosts)):
        return Ruling("deny", "rule", why)
    if safety.mode == "strict" and planned == "no" and request.access != "read":
        return Ruling(
            "deny", "mode", f"mode strict: {request.tool} was not planned like this before anything was read"
        )
    for number, rule in enumerate(safety.approvals, 1):
        if rule.matches(request, tainted=tainted):
            return Ruling(rule.decide, "rule", f"approvals rule {number}")
    if request.access == "read":
        return Ruling("allow", "mode", "it only reads")
    if safety.mode not in ("ask", "strict"):
        return Ruling("deny", "mode", f"mode auto only reads, and {request.tool} may {request.access}")
    if planned == "fixed":
        return Ruling("allow", "mode", "it was planned and allowed before anything was read")
    read = "text from outside was read before" if tainted else "nothing from outside was read so far"
    return Ruling("ask", "mode", f"{request.tool} may {request.access}; {read}")


def may_ever(tool: str, access: Access, safety: Safety) -> bool:
    """Say whether a tool could be allowed in some call; if not, the run need not begin with it."""
    return (
        access == "read"
        or safety.mode in ("ask", "strict")
        or any(
            rule.decide != "deny" and fnmatchcase(tool, rule.tool) and fnmatchcase(access, rule.access)
            for rule in safety.approvals
        )
    )
