"""What the user has chosen for all sessions: `defaults` and `memory` of the person's own `config.yaml`.

Flags and environment variables go before them. A workspace has no `defaults`: a file that came with somebody's
project must not choose where questions are sent. How its own memory is searched it may say.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from crowquill.agent.safety import personal_path, workspace_settings
from crowquill.errors import UserError
from crowquill.memory.owned import open_own, own_folder
from crowquill.memory.scoring import Weights
from crowquill.tasks.safety import Defaults, PersonSettings
from crowquill.tasks.yaml_text import load_yaml


def load_defaults() -> Defaults:
    """Return the user's defaults; none are set where there is no file. Raises UserError with line and column."""
    return _personal().defaults


def retrieval_weights(workspace: Path) -> Weights:
    """Return what the terms of a hit's score count: as the workspace says, else the person, else as shipped.

    Raises:
        UserError: a file cannot be used, or no weight is above 0.
    """
    chosen: dict[str, float] = {}
    for said in (_personal().memory, workspace_settings(workspace).memory):
        chosen |= said.weights.model_dump(exclude_none=True)
    return replace(Weights(), **chosen)


def _personal() -> PersonSettings:
    path = personal_path()
    return load_yaml(path, PersonSettings) if path.is_file() else PersonSettings()


def save_defaults(defaults: Defaults) -> Path:
    """Write the user's defaults, leave what else is in the file as it is, and return where. Raises UserError."""
    path = personal_path()
    load_defaults()  # what cannot be used is said before it is written over
    yaml = YAML(pure=True)
    content: Any = yaml.load(path.read_text(encoding="utf-8")) if path.is_file() else {}
    content = {} if content is None else content
    chosen = defaults.model_dump(exclude_defaults=True, mode="json")
    kept = content.setdefault("defaults", {})
    for name in set(kept) - set(chosen):
        del kept[name]
    kept.update(chosen)  # in place, so that comments stay
    try:
        own_folder(path.parent)
        with open_own(path) as file:
            yaml.dump(content, file)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return path
