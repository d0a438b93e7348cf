"""Crowquill: an autonomous research agent whose answers can be checked.

The names below are the public API. They are loaded when first used, so that `import crowquill` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crowquill.agent.adapters import langchain_tool
    from crowquill.agent.agent import Agent
    from crowquill.agent.answer import Answer, Claim, Output
    from crowquill.agent.approvals import ApprovalRequest, ApprovalRule, Approver, Decision, Safety
    from crowquill.agent.budget import Budget, Price
    from crowquill.agent.events import Event, RunFinished
    from crowquill.agent.form import Form
    from crowquill.agent.langchain import as_langchain_tool, as_runnable
    from crowquill.agent.models.base import Message, Model, Reply, Request, Usage
    from crowquill.agent.models.scripted import ScriptedModel
    from crowquill.agent.select.options import Select
    from crowquill.agent.steering import Steering
    from crowquill.errors import CrowquillError, FetchFailed, ToolFailed, ToolRetry, UserError
    from crowquill.memory.evidence import Computation, Quote, Receipt, Source, Table
    from crowquill.tasks.profile import Profile
    from crowquill.tools.context import ToolContext
    from crowquill.tools.fetching import Fetching
    from crowquill.tools.observation import Observation
    from crowquill.tools.search.documents import Document, DocumentSearch
    from crowquill.tools.tool import Tool, tool

__version__ = "0.1.0"

__all__ = [
    "Agent",
    "Answer",
    "ApprovalRequest",
    "ApprovalRule",
    "Approver",
    "Budget",
    "Claim",
    "Computation",
    "CrowquillError",
    "Decision",
    "Document",
    "DocumentSearch",
    "Event",
    "FetchFailed",
    "Fetching",
    "Form",
    "Message",
    "Model",
    "Observation",
    "Output",
    "Price",
    "Profile",
    "Quote",
    "Receipt",
    "Reply",
    "Request",
    "RunFinished",
    "Safety",
    "ScriptedModel",
    "Select",
    "Source",
    "Steering",
    "Table",
    "Tool",
    "ToolContext",
    "ToolFailed",
    "ToolRetry",
    "Usage",
    "UserError",
    "as_langchain_tool",
    "as_runnable",
    "langchain_tool",
    "tool",
]

_HOMES = {
    "Agent": "agent.agent",
    "Answer": "agent.answer",
    "ApprovalRequest": "agent.approvals",
    "ApprovalRule": "agent.approvals",
    "Approver": "agent.approvals",
    "Budget": "agent.budget",
    "Claim": "agent.answer",
    "Computation": "memory.evidence",
    "CrowquillError": "errors",
    "Decision": "agent.approvals",
    "Document": "tools.search.documents",
    "DocumentSearch": "tools.search.documents",
    "Event": "agent.events",
    "FetchFailed": "errors",
    "Fetching": "tools.fetching",
    "Form": "agent.form",
    "Message": "agent.models.base",
    "Model": "agent.models.base",
    "Observation": "tools.observation",
    "Output": "agent.answer",
    "Price": "agent.budget",
    "Profile": "tasks.profile",
    "Quote": "memory.evidence",
    "Receipt": "memory.evidence",
    "Reply": "agent.models.base",
    "Request": "agent.models.base",
    "RunFinished": "agent.events",
    "Safety": "agent.approvals",
    "ScriptedModel": "agent.models.scripted",
    "Select": "agent.select.options",
    "Source": "memory.evidence",
    "Steering": "agent.steering",
    "Table": "memory.evidence",
    "Tool": "tools.tool",
    "ToolContext": "tools.context",
    "ToolFailed": "errors",
    "ToolRetry": "errors",
    "Usage": "agent.models.base",
    "UserError": "errors",
    "as_langchain_tool": "agent.langchain",
    "as_runnable": "agent.langchain",
    "langchain_tool": "agent.adapters",
    "tool": "tools.tool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'crowquill' has no attribute {name!r}")
    return getattr(import_module(f"crowquill.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
