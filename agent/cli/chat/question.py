"""A question of the session, from its first step to its printed answer."""

from functools import partial

from crowquill.agent.agent import Agent
from crowquill.agent.cli.chat.running import drive
from crowquill.agent.cli.chat.session import Begin, Chat
from crowquill.agent.cli.session import EXIT_CODES
from crowquill.agent.cli.view import answer_view, print_view


async def answer_question(chat: Chat, question: str) -> int:
    """Answer a question that follows those before it, and return the exit code of its ending."""
    agent = chat.agent
    return await finish(chat, agent, partial(agent.stream, question))


async def finish(chat: Chat, agent: Agent, begin: Begin) -> int:
    """Drive a run to its end, print the answer and take it into the conversation; return the exit code."""
    answer = await drive(chat, agent, begin)
    if answer is None:
        return EXIT_CODES["cancelled"]
    print_view(chat.console, answer_view(answer, wrapped=chat.interactive))
    chat.learn(answer)
    return EXIT_CODES[answer.stopped]
