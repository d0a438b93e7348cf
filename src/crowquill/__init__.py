"""Crowquill: an autonomous research agent whose answers can be checked.

The names below are the public API. They are loaded when first used, so that `import crowquill` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crowquill.agent.agent import Agent
    from crowquill.agent.answer import Answer, Claim, Output
    from crowquill.agent.approvals import ApprovalRequest, ApprovalRule, Approver, Decision, Safety
    from crowquill.agent.budget import Budget, Price
    from crowquill.agent.form import Form
    from crowquill.agent.models.scripted import ScriptedModel
    from crowquill.errors import CrowquillError, FetchFailed, ToolFailed, ToolRetry, UserError
    from crowquill.memory.evidence import Computation, Quote, Receipt, Source, Table
    from crowquill.tools.context import ToolContext
    from crowquill.tools.fetching import Fetching
    from crowquill.tools.observation import Observation
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
    "FetchFailed",
    "Fetching",
    "Form",
    "Observation",
    "Output",
    "Price",
    "Quote",
    "Receipt",
    "Safety",
    "ScriptedModel",
    "Source",
    "Table",
    "Tool",
    "ToolContext",
    "ToolFailed",
    "ToolRetry",
    "UserError",
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
    "FetchFailed": "errors",
    "Fetching": "tools.fetching",
    "Form": "agent.form",
    "Output": "agent.answer",
    "Observation": "tools.observation",
    "Price": "agent.budget",
    "Quote": "memory.evidence",
    "Receipt": "memory.evidence",
    "Safety": "agent.approvals",
    "ScriptedModel": "agent.models.scripted",
    "Source": "memory.evidence",
    "Table": "memory.evidence",
    "Tool": "tools.tool",
    "ToolContext": "tools.context",
    "ToolFailed": "errors",
    "ToolRetry": "errors",
    "UserError": "errors",
    "tool": "tools.tool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'crowquill' has no attribute {name!r}")
    return getattr(import_module(f"crowquill.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
