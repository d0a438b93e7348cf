"""One question to one peer, in the environment of the peers: see bench/peers.py. Job on stdin, JSON on stdout."""

import json
import sys
import urllib.parse
import urllib.request
from typing import Any

STEPS = 12
TASK = (
    "Answer the question with the tools: search for pages, open them by number, and read. "
    "Your final answer is the bare answer alone: a name, a number, a phrase, yes or no.\n\nQuestion: "
)


def call(job: dict[str, str], name: str, text: str) -> str:
    """Run a tool over HTTP."""
    with urllib.request.urlopen(f"{job['tools']}/{name}?q={urllib.parse.quote(text)}", timeout=90) as reply:
        return str(reply.read().decode())


def smolagents(job: dict[str, str]) -> dict[str, Any]:
    """Answer with smolagents' ToolCallingAgent."""
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    @tool
    def search(query: str) -> str:
        """Search for pages and show numbered results.

        Args:
            query: what to look for.
        """
        return call(job, "search", query)

    @tool
    def open_page(target: str) -> str:
        """Open a result by its number and show the page.

        Args:
            target: the number of the result.
        """
        return call(job, "open", str(target))

    model = OpenAIServerModel("local", api_base=job["url"], api_key=job["key"], temperature=0.0, max_tokens=400)
    agent = ToolCallingAgent([search, open_page], model, max_steps=STEPS, verbosity_level=0)
    said = agent.run(TASK + job["question"], return_full_result=True)
    usage = said.token_usage
    tokens = 0 if usage is None else usage.input_tokens + usage.output_tokens
    return {"short": str(said.output), "tokens": tokens, "calls": len(said.steps)}


def langchain(job: dict[str, str]) -> dict[str, Any]:
    """Answer with LangChain's create_agent."""
    from langchain.agents import create_agent
    from langchain_openai import ChatOpenAI

    def search(query: str) -> str:
        """Search for pages and show numbered results."""
        return call(job, "search", query)

    def open_page(target: str) -> str:
        """Open a result by its number and show the page."""
        return call(job, "open", str(target))

    model = ChatOpenAI(model="local", base_url=job["url"], api_key=job["key"], temperature=0.0, max_tokens=400)
    agent = create_agent(model, [search, open_page])
    state = agent.invoke(
        {"messages": [{"role": "user", "content": TASK + job["question"]}]}, {"recursion_limit": 2 * STEPS}
    )
    replies = [message for message in state["messages"] if message.type == "ai"]
    tokens = sum((reply.usage_metadata or {}).get("total_tokens", 0) for reply in replies)
    return {"short": str(replies[-1].text), "tokens": tokens, "calls": len(replies)}


if __name__ == "__main__":
    asked = json.loads(sys.stdin.read())
    print(json.dumps({"smolagents": smolagents, "langchain": langchain}[asked["peer"]](asked)))
