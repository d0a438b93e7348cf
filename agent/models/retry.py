"""The one place where a model call is tried again."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from crowquill.agent.models.base import Message, Model, Reply, Request, Streams, Usage
from crowquill.agent.models.faults import ServerFault, UnusableReply
from crowquill.agent.models.streaming import Listener
from crowquill.errors import ModelError, ModelFault
from crowquill.memory.clock import Clock

REPAIR_CHARACTERS = 2000
"""How much of a malformed reply is shown to the model when it is asked to mend it."""

_RETRIED: frozenset[ModelFault] = frozenset({"transient", "rate", "malformed"})

Jitter = Callable[[float, float], float]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long one request is tried.

    `base` and `cap` bound the waits and `deadline` bounds all attempts and waits together, in seconds.
    """

    attempts: int = 5
    base: float = 0.5
    cap: float = 20.0
    deadline: float = 900.0

    def wait(self, previous: float, jitter: Jitter = random.uniform) -> float:
        """Return the next wait by decorrelated jitter.

        Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015:
        `sleep = min(cap, random_between(base, sleep * 3))`.
        """
        return min(self.cap, jitter(self.base, max(self.base, previous * 3)))


DEFAULT_POLICY = RetryPolicy()


async def complete_with_retry(
    model: Model,
    request: Request,
    *,
    clock: Clock,
    policy: RetryPolicy = DEFAULT_POLICY,
    deadline: float | None = None,
    jitter: Jitter = random.uniform,
    afford: Callable[[Request], bool] = lambda request: True,
    listener: Listener | None = None,
) -> Reply:
    """Answer one request, trying again where that can help.

    Transient faults and rate limits are tried again after a wait (the server's own wish, when it has
    one and time allows), a malformed reply is mended once by showing it to the model, and everything
    else costs exactly one call. `afford` says whether the mending can be paid. `deadline` is a monotonic
    second of `clock`, `policy.deadline` a duration; the earlier one holds. The usage of the
    reply includes the malformed attempt. The `listener` hears each attempt, where the model can be listened to.

    Raises:
        ModelError: with the kind of the last fault, or `time` where `deadline` has cut the attempts short.
    """
    end = clock.monotonic() + policy.deadline
    hurried = deadline is not None and deadline < end
    end = deadline if deadline is not None and hurried else end
    tries = _Tries(policy, jitter, hurried=hurried)
    while True:
        try:
            reply = await _attempt(model, tries.adapt(request), listener, end - clock.monotonic(), hurried=hurried)
        except ModelError as fault:
            pause = tries.after(fault, end - clock.monotonic())
            if fault.kind == "malformed" and not afford(tries.adapt(request)):
                raise
            if pause > 0:
                await clock.sleep(pause)
        else:
            return replace(reply, usage=reply.usage + tries.spent)


class _Tries:
    """What has been tried so far for one request."""

    def __init__(self, policy: RetryPolicy, jitter: Jitter, *, hurried: bool) -> None:
        self.policy = policy
        self.jitter = jitter
        self.hurried = hurried
        self.count = 0
        self.previous = policy.base
        self.mended = False
        self.broken: UnusableReply | None = None
        self.spent = Usage()

    def adapt(self, request: Request) -> Request:
        """Return the request, with the malformed reply and what was wrong with it, if there was one."""
        if self.broken is None or not self.broken.text:
            return request
        complaint = f"Your reply cannot be used: {self.broken}. Reply again, with the JSON object only."
        shown = Message("assistant", self.broken.text[:REPAIR_CHARACTERS])
        return replace(request, messages=(*request.messages, shown, Message("user", complaint)))

    def after(self, fault: ModelError, left: float) -> float:
        """Return the seconds to wait before the next try, or raise the fault if there is none."""
        self.count += 1
        if fault.kind not in _RETRIED or (fault.kind == "malformed" and self.mended):
            if isinstance(fault, UnusableReply):
                fault.usage += self.spent
            raise fault
        if self.count >= self.policy.attempts:
            raise ModelError(f"{fault} (tried {self.count} times)", kind=fault.kind) from fault
        if fault.kind == "malformed":
            self._learn_from(fault)
            return 0.0
        pause = self._pause(fault)
        if pause >= left:
            raise ModelError(
                f"{fault} (the next try is due in {pause:.0f} s, {max(0.0, left):.0f} s are left)",
                kind="time" if self.hurried else fault.kind,
            ) from fault
        return pause

    def _learn_from(self, fault: ModelError) -> None:
        self.mended = True
        if isinstance(fault, UnusableReply):
            self.broken = fault
            self.spent += fault.usage

    def _pause(self, fault: ModelError) -> float:
        wished = fault.retry_after if isinstance(fault, ServerFault) else None
        if wished is not None:
            return wished + self.jitter(0.0, self.policy.base)
        self.previous = self.policy.wait(self.previous, self.jitter)
        return self.previous


async def _attempt(
    model: Model, request: Request, listener: Listener | None, seconds: float, *, hurried: bool
) -> Reply:
    late: ModelFault = "time" if hurried else "transient"
    if seconds <= 0:
        raise ModelError("there was no time left to ask the model", kind=late)
    try:
        async with asyncio.timeout(seconds):
            if listener is not None and isinstance(model, Streams):
                return await model.complete_streaming(request, listener)
            return await model.complete(request)
    except TimeoutError as error:
        raise ModelError(f"{model.name} did not answer in the {seconds:.0f} s left", kind=late) from error
