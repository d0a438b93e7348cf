"""A lane: the path on which a task's effects and events are recorded, and its tools' door to the world."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, cast
from urllib.parse import urlsplit

from crowquill.agent.answer import Answer
from crowquill.agent.approvals import FETCH, ApprovalRequest, By, Planned, rule_on
from crowquill.agent.budget import FREE, Budget, Ledger, Price
from crowquill.agent.corrective import Corrective, RecallMode
from crowquill.agent.events import Decided, Event, EvidenceFound, ModelCalled, Noticed, Progress, Recorded
from crowquill.agent.fork import Fork
from crowquill.agent.gate import Gate
from crowquill.agent.journal import Alongside, Journal
from crowquill.agent.models.base import Model, Rehearsed, Reply, Request, Role, ToolCall, Usage
from crowquill.agent.models.calls import described, spelled
from crowquill.agent.models.faults import UnusableReply
from crowquill.agent.models.retry import RetryPolicy, complete_with_retry
from crowquill.agent.models.streaming import Listener, being_written
from crowquill.agent.prompting import Instruction
from crowquill.agent.recall import JournaledRecall, LaneRecall
from crowquill.agent.render import one_line
from crowquill.agent.rules import Rules, urls_in
from crowquill.agent.state import Action
from crowquill.agent.steering import Heard, Order, Question, Steering
from crowquill.agent.tape import canonical
from crowquill.errors import BudgetExceeded, ModelError, ModelFault, RunPaused, ToolFailed, ToolRetry
from crowquill.memory.blobs import BlobStore
from crowquill.memory.clock import Clock
from crowquill.memory.evidence import Evidence, Table
from crowquill.tools.context import Access, EffectKind, Json, Recall, State

PRIVATE = "this would send private data (of a database, a file or memory) to the web"
CHARACTERS_PER_TOKEN = 3.5
"""Rough size of a token, used only to reserve before a call; the model's own count is booked."""


_PASSING: frozenset[ModelFault] = frozenset({"quota", "auth", "rate", "transient"})
"""Faults that pass, or that the user can mend, without anything being wrong with the run: it is parked."""

_NOTHING = Budget(steps=None)
_ASKED_FOR = ("steps", "tokens", "usd", "seconds")
"""Resources of which a person who is there may grant more."""

_WORK: Mapping[Role, str] = {
    "plan": "planning",
    "act": "reading",
    "write": "writing",
    "judge": "judging",
    "gold": "judging",
}
_SHOW_SECONDS, _SHOWN = 0.1, 300
"""Pause between two looks at a reply that is being written, and characters of its end that are shown."""


@dataclass(frozen=True)
class Services:
    """What all lanes of one run share."""

    journal: Journal
    models: Mapping[Role, Model]
    slots: Mapping[str, asyncio.Semaphore]
    prices: Mapping[str, Price]
    blobs: BlobStore
    memory: JournaledRecall
    clock: Clock
    seed: str
    started: float
    publish: Callable[[Recorded | Progress], None]
    store: Callable[[Evidence, str], Alongside]
    learn: Callable[[Answer, Sequence[str]], Alongside]
    gate: Gate
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    recall: RecallMode = "plain"
    fork: Fork | None = None
    steering: Steering | None = None
    persona: Instruction = field(default=Instruction(""))
    person: bool = False
    watched: bool = False

    @property
    def began(self) -> float:
        """Monotonic second from which the run's time is counted: as long as it is held, no time passes."""
        return self.started + self.gate.waited + (0.0 if self.steering is None else self.steering.waited)


class Lane:
    """Implements `tools.context.ToolContext` for one task."""

    def __init__(
        self,
        services: Services,
        path: str,
        ledger: Ledger,
        rules: Rules,
        *,
        heard: Heard | None = None,
        beside: int = 1,
        sampling: Callable[[Request], Request] | None = None,
    ) -> None:
        """`heard` is what the run was told before; `beside` is how many lanes run at the same time.

        `sampling` says how the model calls of one of several candidates, or of a second judge, differ from others.
        """
        self.services = services
        self.heard = Heard() if heard is None else heard
        self._beside = beside
        self._heeded = 0
        self.path = path
        self.ledger = ledger
        self.rules = rules
        self.sampling = sampling
        self.step = 0
        self.numbered: list[Evidence] = []
        """The evidence of the lane's task, in the order of the numbers by which the model knows it."""
        self._inside: list[Decided] | None = None

    @property
    def lane(self) -> str:
        """Path of the present step, such as `t1/s3`."""
        return f"{self.path}/s{self.step}" if self.step else self.path

    @property
    def clock(self) -> Clock:
        """The run's clock."""
        return self.services.clock

    @property
    def deadline(self) -> float | None:
        """Monotonic second at which the time is over: for exploring, or once the reserve is open, altogether."""
        seconds = self.ledger.seconds_limit
        return None if seconds is None else self.services.began + seconds

    @property
    def blobs(self) -> "Lane":
        """The workspace's blobs: `put` and `get` of this lane, which leave out secrets."""
        return self

    def put(self, data: bytes) -> str:
        """Store bytes without known secrets; return the SHA-256 of what was stored. Raises StorageError."""
        return self.services.blobs.put(self.services.journal.redactor.bytes(data))

    def get(self, sha256: str) -> bytes:
        """Return the bytes. Raises StorageError."""
        return self.services.blobs.get(sha256)

    @property
    def memory(self) -> Recall:
        """Evidence of earlier runs."""
        corrective = Corrective(self.complete, self.services.seed, self.services.recall)
        return LaneRecall(self.services.memory, self.lane, corrective)

    async def effect(
        self,
        kind: EffectKind,
        request: Json,
        call: Callable[[], Awaitable[Json]],
        *,
        access: Access = "read",
        state: State | None = None,
    ) -> Json:
        """Run and record a call, or return what was recorded (see `Journal.effect`)."""
        return await self.services.journal.effect(self.lane, kind, request, call, access=access, state=state)

    def redirect(self, action: Action) -> Action:
        """Return the action to take in the present step: the policy's, or the one with which a fork begins."""
        fork = self.services.fork
        return action if fork is None else fork.redirect(self.lane, action)

    async def egress(self, url: str) -> None:
        """Apply the egress rules to a URL."""
        try:
            self.rules.check_known(url)
        except (ToolRetry, ToolFailed) as refusal:
            await self._note(ApprovalRequest(FETCH, "read", {"url": url}), False, "rule", str(refusal))
            raise
        if not self.services.gate.safety.private_egress and self.rules.is_private(url):
            await self.judge(ApprovalRequest("egress", "send", {"text": url}, PRIVATE, hosts_in([url])))
        await self.judge(ApprovalRequest(FETCH, "read", {"url": url}, hosts=hosts_in([url])))

    def permits(self, url: str, *, known: bool = True) -> bool:
        """Say whether `egress` would let a URL pass without asking."""
        request = ApprovalRequest(FETCH, "read", {"url": url}, hosts=hosts_in([url]))
        safety = self.services.gate.safety
        reachable = self.rules.knows(url) if known else self.rules.is_inside(url)
        if not reachable or (not safety.private_egress and self.rules.is_private(url)):
            return False
        return rule_on(request, safety, tainted=bool(self.rules.tainted)).verb == "allow"

    async def check_outgoing(self, text: str) -> None:
        """Apply the egress rules to text that leaves this machine."""
        if not self.services.gate.safety.private_egress and self.rules.is_private(text):
            await self.judge(ApprovalRequest("egress", "send", {"text": text}, PRIVATE, hosts_in([text])))
        self.rules.note_sent(text)

    async def approve(self, tool: str, access: Access, args: Mapping[str, Json], *, effect: str) -> None:
        """Apply the approval rules to what a tool is about to do."""
        await self.judge(ApprovalRequest(tool, access, args, effect, hosts_in(args.values())))

    async def judge(self, request: ApprovalRequest, *, planned: Planned | None = None) -> None:
        """Decide about a request, by the rules or by asking a person, and record it. Raises ToolFailed."""
        gate, tainted = self.services.gate, self.rules.tainted
        ruling = rule_on(
            request,
            gate.safety,
            tainted=bool(tainted),
            reads_only=self.rules.reads_only,
            planned=self.rules.planned(request) if planned is None else planned,
        )
        allowed, why = ruling.verb == "allow", ruling.why
        by: By = ruling.by
        if ruling.verb == "ask":
            asked = replace(request, why=f"{why} ({tainted})" if tainted else why, task=self.rules.task)
            decision, by = gate.recall(asked, await self._ask(asked))
            allowed, why = decision.allow, f"asked because {why}" + (f": {decision.why}" if decision.why else "")
        elif allowed and request.access == "read":
            return
        await self._note(request, allowed, by, why)
        if not allowed:
            raise ToolFailed(f"refused: {request.effect if request.effect else request.tool}: {why}")

    async def _ask(self, request: ApprovalRequest) -> Json:
        async def call() -> Json:
            return await self.services.gate.ask(request)

        if self._inside is not None:
            return await call()
        return await self.effect("ask", cast("Json", asdict(request)), call)

    async def _note(self, request: ApprovalRequest, allowed: bool, by: By, why: str) -> None:
        shown = {name: _spelled(value) for name, value in request.args.items()}
        event = Decided(
            self.step, request.tool, request.access, shown, allowed=allowed, by=by, why=why, effect=request.effect
        )
        if self._inside is None:
            await self.emit(event)
        else:
            self._inside.append(event)

    @contextmanager
    def inside(self) -> Iterator[list[Decided]]:
        """Collect what is decided inside an effect, where no event can be recorded."""
        self._inside = []
        try:
            yield self._inside
        finally:
            self._inside = None

    def offer(self, urls: list[str], *, page: str = "") -> None:
        """Make URLs openable."""
        self.rules.offer(urls, page=page)

    def protect(self, text: str) -> None:
        """Keep text of the user's from leaving."""
        self.rules.protect_text(text)

    def progress(self, message: str) -> None:
        """Show what is being done."""
        self.services.publish(Progress(message))

    def _listener(self, doing: str) -> Listener:
        """Return what shows a reply while it is written, a few times a second."""
        shown_at = -math.inf

        def listen(text: str) -> None:
            nonlocal shown_at
            now = self.clock.monotonic()
            if now - shown_at >= _SHOW_SECONDS:
                shown_at = now
                said = self.services.journal.redactor.text(being_written(text))
                self.services.publish(Progress(doing, said[-_SHOWN:]))

        return listen

    async def emit(self, event: Event, alongside: Alongside | None = None) -> None:
        """Record an event of this lane and publish it."""
        await self.services.journal.emit(self.path, event, alongside, publish=self.services.publish)

    async def take(self, evidence: Evidence) -> None:
        """Record verified evidence: the event and the memory row in one transaction."""
        if isinstance(evidence, Table):
            self.rules.protect(evidence)
        self.numbered.append(evidence)
        await self.emit(EvidenceFound(evidence), self.services.store(evidence, self.path))

    async def tick(self) -> None:
        """Do what a person has said, book the time that has passed, and say when a budget runs low.

        Raises:
            BudgetExceeded: the time for exploring is over, or the answer is wanted now.
        """
        await self.heed()
        self.check_patience()

        async def elapsed() -> Json:
            return round(self.clock.monotonic() - self.services.began, 3)

        seconds = cast("float", await self.effect("clock", None, elapsed))
        try:
            self.ledger.pass_time(seconds)
        finally:
            for line in self.ledger.marks():
                await self.emit(Noticed(line, "warning"))

    async def heed(self) -> tuple[Order, ...]:
        """Wait while the run is held, and take in what was said since; return it.

        What is said counts from the step on at which the run is, not for recorded steps that are done again.
        """
        steering, journal = self.services.steering, self.services.journal
        if steering is not None:
            await steering.gate()
        said = [] if steering is None or not journal.caught_up else steering.since(self.heard.count)
        orders: tuple[Order, ...] = ()
        self._heeded += 1
        if said or journal.knows(self.lane, "steer", self._heeded):

            async def listen() -> Json:
                return said

            data = cast("list[dict[str, Any]]", await self.effect("steer", self._heeded, listen))
            orders = tuple(map(Order.read, data))
            self.heard = self.heard.hear(orders)
            for order in orders:
                if order.budget is not None:
                    self.ledger.grant(order.budget, self._beside)
        return orders

    async def ask(self, question: Question) -> str:
        """Put a question to the person who is there, and return what was said; an empty text is no answer."""
        steering = self.services.steering

        async def call() -> Json:
            return "" if steering is None else await steering.ask(question)

        return cast("str", await self.effect("steer", {"ask": question.text}, call))

    async def may_go_on(self, limit: BudgetExceeded) -> bool:
        """Ask the person who is there, if one is, whether the run may spend as much again; say whether it may."""
        resource = limit.resource
        if not self.services.person or resource not in _ASKED_FOR or self.heard.answer:
            return False
        await self.heed()  # another lane may have asked
        if self.ledger.has_room(resource):
            return True
        if await self.ask(Question("budget", f"{limit}. Go on?", ("more", "answer"))) != "more":
            return False
        share = getattr(self.ledger.limits, resource)
        whole = share if resource == "seconds" else share * self._beside
        again = replace(_NOTHING, **{resource: whole})
        if self.services.steering is not None and self.services.journal.caught_up:
            self.services.steering.more(again)
        await self.heed()
        return self.ledger.has_room(resource)

    def check_patience(self) -> None:
        """Raise BudgetExceeded when the answer is wanted now."""
        if self.heard.answer:
            raise BudgetExceeded("steps", "you wanted the answer now")

    async def complete(self, request: Request) -> Reply:
        """Ask the model of the request's role: reserve, call with retries, book, record.

        Raises:
            BudgetExceeded: the call cannot be paid and nothing was sent, or the time was over before a reply.
            ModelError: the model failed in spite of retries.
            RunPaused: the model cannot be had now.
        """
        request = request if self.sampling is None else self.sampling(request)
        model = self.services.models[request.role]
        redact = self.services.journal.redactor.text
        request = self.heard.tell(request)
        messages = tuple(replace(message, content=redact(message.content)) for message in request.messages)
        request = replace(request, messages=messages)
        price = self.services.prices.get(model.name, FREE)
        tokens, usd = 0, 0.0

        def reserve(request: Request) -> None:
            nonlocal tokens, usd
            worst = _at_worst(request)
            more = (worst.prompt + worst.completion, price.cost(worst))
            self.ledger.reserve(*more)
            tokens, usd = tokens + more[0], usd + more[1]

        reserve(request)
        usage = Usage()
        try:
            reply = await self._recorded_completion(model, request, reserve)
            usage = reply.usage
        except UnusableReply as fault:  # it was paid for all the same
            usage = fault.usage
            raise
        except ModelError as fault:
            if fault.kind == "time":
                raise BudgetExceeded("seconds", str(fault)) from fault
            raise
        finally:
            self.ledger.settle(tokens, usd, usage, price.cost(usage))
        await self.emit(ModelCalled(request.role, usage))
        return reply

    def _as_sent(self, model: Model, request: Request) -> tuple[Request, Json]:
        """Return the request and what is recorded of it; after a fork it may go to another model."""
        fork = self.services.fork
        ways = [(request, model.name)] if fork is None else fork.sendings(request, model.name)
        for form, name in ways:
            sent = _recorded(form, name)
            if self.services.journal.knows(self.lane, "model", sent):
                return form, sent
        form, name = ways[-1]
        return form, _recorded(form, name)

    async def complete_whole(self, request: Request) -> Reply:
        """Ask as `complete` does; what was cut off or cannot be read is asked for once more, with more room."""
        try:
            return await self.complete(request)
        except ModelError as fault:
            if fault.kind not in ("length", "malformed"):
                raise
        return await self.complete(replace(request, max_tokens=2 * request.max_tokens))

    async def _recorded_completion(
        self, model: Model, request: Request, reserve: Callable[[Request], None]
    ) -> Reply:
        request, sent = self._as_sent(model, request)
        asked = False

        def afford(again: Request) -> bool:
            try:
                reserve(again)
            except BudgetExceeded:
                return False
            return True

        async def call() -> Json:
            nonlocal asked
            asked = True
            async with self.services.slots[model.name]:
                doing = f"{_WORK[request.role]} (asking {model.name})"
                self.progress(doing)
                try:
                    reply = await complete_with_retry(
                        model,
                        request,
                        policy=self.services.retry,
                        clock=self.clock,
                        deadline=self.deadline,
                        afford=afford,
                        listener=self._listener(doing) if self.services.watched else None,
                    )
                except UnusableReply as fault:
                    spent = asdict(replace(fault.usage, calls=1))
                    return {"unusable": str(fault), "kind": fault.kind, "text": fault.text, "usage": spent}
                except ModelError as fault:
                    if fault.kind in _PASSING:
                        raise RunPaused(f"{model.name}: {fault}") from fault
                    raise
            return cast("Json", asdict(replace(reply, usage=replace(reply.usage, calls=1))))

        data = cast("dict[str, Any]", await self.effect("model", sent, call))
        if not asked and isinstance(model, Rehearsed):
            model.skip(request, data["text"])
        if "similar" in data:
            other = data["similar"]
            said = f"a model's reply to an earlier question was used, alike to {other['similarity']:.3f}"
            await self.emit(Noticed(f"{said}: {one_line(other['question'], 300)}", "warning"))
        if "unusable" in data:
            usage = Usage(**data["usage"])
            raise UnusableReply(data["unusable"], kind=data["kind"], text=data["text"], usage=usage)
        return Reply(
            text=data["text"],
            usage=Usage(**data["usage"]),
            finish=data["finish"],
            parsed=data["parsed"],
            logprobs=tuple(data["logprobs"]),
            calls=tuple(ToolCall(**call) for call in data.get("calls", ())),
        )


def _spelled(value: object) -> str:
    """Spell an argument for an event: with its keys in one order, as a replay knows no other."""
    return canonical(value) if isinstance(value, dict | list) else str(value)


def hosts_in(values: Iterable[object]) -> tuple[str, ...]:
    """Return the hosts of the URLs that stand in some values."""
    urls = [url for value in values for url in urls_in(str(value))]
    return tuple(dict.fromkeys((urlsplit(url).hostname or "") for url in urls))


def _at_worst(request: Request) -> Usage:
    """Return what a request may cost; the size of the prompt is guessed."""
    told = sum(len(message.content) + len(str(message.calls or "")) for message in request.messages)
    offered = len(str([entry.parameters for entry in request.tools])) if request.tools else 0
    return Usage(math.ceil((told + offered) / CHARACTERS_PER_TOKEN), 0, request.max_tokens)


def _recorded(request: Request, model: str) -> Json:
    """Return what is recorded of a request; the schema is not copied, which `asdict` would."""
    messages = [
        {"role": message.role, "content": message.content, **spelled(message)} for message in request.messages
    ]
    data = {field.name: getattr(request, field.name) for field in fields(request)}
    tools, allowed = data.pop("tools"), data.pop("allowed")
    if tools:
        data |= {"tools": described(tools), "allowed": sorted(allowed)}
    return cast("Json", {**data, "messages": messages, "model": model})
