"""The person as an approver: what will happen is shown, with why it is asked, before it is done."""

from crowquill.agent.approvals import ApprovalRequest, Decision
from crowquill.agent.cli.approving import shown
from crowquill.agent.cli.chat.session import Chat
from crowquill.agent.render import one_line
from crowquill.agent.steering import Question

_CHOICES = "  y yes, once · a always in this run · n no · never in this run · or say why not"


class Terminal:
    """Implements `Approver` in a terminal; where there is none, every question is refused."""

    def __init__(self) -> None:
        self.chat: Chat | None = None

    async def ask(self, question: Question) -> str:
        """Put a question of the run to the person; nothing typed is no answer."""
        chat = self.chat
        if chat is None or chat.screen is None or not chat.interactive:
            return ""
        async with chat.screen.dialog():
            chat.say(f"? {one_line(question.text, 400)}", "bold")
            line = await chat.ask(f"{' / '.join(question.choices)}> " if question.choices else "answer> ")
        return "" if line is None else line

    async def decide(self, request: ApprovalRequest) -> Decision:
        """Ask the person. Anything but a clear yes is a no."""
        chat = self.chat
        if chat is None or chat.screen is None or not chat.interactive:
            return Decision(False, why="nobody can be asked: the session has no terminal")
        async with chat.screen.dialog():
            chat.show(*shown(request))
            chat.say(_CHOICES, "dim")
            while True:
                line = await chat.ask("allow? ")
                if line is None:
                    return Decision(False, why="the person ended the question")
                if (decision := _read(line.strip())) is not None:
                    return decision
                chat.say(_CHOICES, "dim")


def _read(line: str) -> Decision | None:
    match line.casefold():
        case "y" | "yes" | "да":
            return Decision(True)
        case "a" | "always":
            return Decision(True, "run")
        case "n" | "no" | "нет":
            return Decision(False)
        case "never":
            return Decision(False, "run")
        case "":
            return None
        case _:
            return Decision(False, why=one_line(line, 300)) if " " in line else None
