"""The seven blocks of a step's prompt, most stable first, so that a prefix cache keeps working.

Instructions and tools, question, quotes, past actions, page, window, actions left (WebGPT, Nakano et al. 2021, with
the order turned round). Each quote stands between fences of its own: another one changes nothing before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crowquill.agent.models.base import Message
from crowquill.agent.prompting import Instruction, prompt
from crowquill.agent.render import evidence_line, fence, one_line, page_and_window, shortened
from crowquill.agent.state import State, Step
from crowquill.memory.untrusted import Untrusted
from crowquill.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Room:
    """What a prompt holds of what can be left out: characters of the window, actions, characters of a result."""

    window: int
    actions: int
    result: int


ROOMS = (Room(8000, 60, 4000), Room(2400, 12, 600), Room(800, 4, 200))
"""From the usual to the narrowest. The goal, the open tasks and the quotes are never left out."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stays the same in all prompts of an episode."""

    seed: str
    reply: Instruction
    """How the model is to reply."""
    persona: Instruction
    tools: Sequence[str] = ()
    """How each tool is used, a line each; empty where the model is told in another way."""
    examples: str = ""
    background: Sequence[str] = field(default_factory=tuple)

    @property
    def told(self) -> dict[str, Instruction]:
        """What the first block is told."""
        tools = Instruction("\n".join(f"- {usage}" for usage in self.tools))
        return {"tools": tools, "reply": self.reply, "persona": self.persona}

    def question(self, state: State, room: Room) -> str:
        """The second block: objective, task, what else there is to say of it, results it builds on."""
        needs = [f"#{task.id} = {self._result(task, room)}" for task in state.needs]
        lines = [
            f"Objective: {state.objective}",
            f"Task: {state.task.goal}",
            *_about(state),
            *self.background,
            *(["Known from earlier tasks", *needs] if needs else ()),
        ]
        return "\n".join(lines)

    def _result(self, task: Task, room: Room) -> str:
        if task.result is None:
            return "not found"
        text = Untrusted(f"{task.goal}\n{task.result}", task.id)
        return fence(shortened(text, room.result, f"result of {task.id}"), self.seed)

    def quotes(self, state: State) -> str:
        """The third block: the numbered evidence."""
        if not state.evidence:
            return "Evidence\n(none yet)"
        lines = [f"[{number}] {evidence_line(item)}" for number, item in enumerate(state.evidence, 1)]
        return "\n".join(["Evidence", *(fence(Untrusted(line, "evidence"), self.seed) for line in lines)])

    def page(self, state: State, room: Room) -> str:
        """The fifth and sixth block: the title of the page, and the window on it or what else was shown."""
        if state.view is None:
            return "Page\n(none)\n\nWindow\n(nothing)"
        title, window = page_and_window(shortened(state.view, room.window, where(state, len(state.steps))))
        shown = "(none)" if title is None else fence(title, self.seed)
        return f"Page\n{shown}\n\nWindow\n{fence(window, self.seed)}"

    def messages(self, state: State, room: Room = ROOMS[0]) -> tuple[Message, ...]:
        """Return the prompt of a step."""
        blocks = (
            *self._shown_before(),
            self.question(state, room),
            self.quotes(state),
            _past(state.steps, room),
            self.page(state, room),
            actions_left(state),
        )
        return prompt("act").messages(self.told, blocks="\n\n".join(blocks))

    def _shown_before(self) -> tuple[str, ...]:
        """What stands before the second block and is as stable as the first: earlier runs, if any are shown."""
        if not self.examples:
            return ()
        shown = fence(Untrusted(self.examples, "examples"), self.seed)
        return (f"What was done in earlier runs that went well\n{shown}",)


def where(state: State, step: int) -> str:
    """Return where in the journal a step of this task stands."""
    return f"journal, {state.task.id}/s{step}"


def _about(state: State) -> list[str]:
    """Return what else there is to say of the task: when it is done, what was learned before, what others do."""
    task = state.task
    said = [
        f"Done when: {task.done_when}" if task.done_when else "",
        f"Settled by: a {task.expects}" if task.expects != "any" else "",
        f"Learned from a try that failed: {task.note}" if task.note else "",
    ]
    others = [f"Not yours, others work on it: {one_line(other.goal, 160)}" for other in state.beside]
    return [line for line in (*said, *others) if line]


def _past(steps: Sequence[Step], room: Room) -> str:
    kept = steps[-room.actions :]
    left_out = [f"({len(steps) - len(kept)} earlier ones)"] if len(kept) < len(steps) else []
    return "\n".join(["Past actions", *left_out, *(map(past_line, kept) if steps else ["(none yet)"])])


def past_line(step: Step) -> str:
    """Return a step on one line: what was done, and what came of it."""
    args = sorted(step.action.args.items())  # a replay knows no other order
    arguments = ", ".join(f"{name}={one_line(str(value), 80)}" for name, value in args)
    outcome = f"failed: {one_line(step.error, 160)}" if step.error else step.status
    return f"{step.index}. {step.action.tool}({arguments}) -> {outcome}"


def actions_left(state: State) -> str:
    """The seventh block."""
    left = "" if state.steps_left is None else f"Actions left: {state.steps_left}\n"
    return f"{left}Next action"
