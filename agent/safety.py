"""Where the rules of a run come from: a person's own settings, which a workspace or task file may only tighten."""

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import platformdirs

from crowquill.agent.approvals import ApprovalRule, Mode, Safety
from crowquill.tasks.safety import ApprovalSpec, PersonSettings, RestrictingSpec, WorkspaceSettings
from crowquill.tasks.yaml_text import load_yaml

SETTINGS = "config.yaml"
_TIGHTER: tuple[Mode, ...] = ("ask", "strict", "auto")
"""Modes, each allowing less than the one before."""


def personal_path() -> Path:
    """Return where a person's own settings are, or would be."""
    return platformdirs.user_config_path("crowquill", appauthor=False) / SETTINGS


def personal_safety(mode: Mode | None = None, path: Path | None = None) -> Safety:
    """Return a person's own rules: of the file at `path`, else of `config.yaml` among the user's settings.

    Raises:
        UserError: the file cannot be used; the message has file, line and column.
    """
    own = personal_path()
    chosen = own if path is None and own.is_file() else path
    if chosen is None:
        return Safety(mode)
    spec = load_yaml(chosen, PersonSettings).safety
    return Safety(
        mode=spec.mode if mode is None else mode,
        approvals=tuple(map(_rule, spec.approvals)),
        only_hosts=tuple(spec.only_hosts),
        deny_hosts=tuple(spec.deny_hosts),
        private_egress=spec.private_egress,
        seconds=spec.seconds,
    )


def workspace_settings(workspace: Path) -> WorkspaceSettings:
    """Return what the `config.yaml` of a workspace says. Raises UserError with line and column."""
    path = workspace / SETTINGS
    return load_yaml(path, WorkspaceSettings) if path.is_file() else WorkspaceSettings()


def tightened(safety: Safety, spec: RestrictingSpec) -> Safety:
    """Return the rules with what a workspace or task file adds; none of it allows anything."""
    modes = [mode for mode in (safety.mode, spec.mode) if mode is not None]
    only = tuple(spec.only_hosts)
    if safety.only_hosts and only:  # what both allow: patterns of one that the other's cover
        only = tuple(host for host in only if any(fnmatchcase(host, wide) for wide in safety.only_hosts)) or ("",)
    return replace(
        safety,
        mode=max(modes, key=_TIGHTER.index) if modes else None,
        approvals=(*map(_rule, spec.approvals), *safety.approvals),
        only_hosts=only if only else safety.only_hosts,
        deny_hosts=(*safety.deny_hosts, *spec.deny_hosts),
    )


def _rule(spec: ApprovalSpec) -> ApprovalRule:
    return ApprovalRule(**spec.model_dump())
