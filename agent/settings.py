"""What the user has chosen for all sessions: the `defaults` of the person's own `config.yaml`.

Flags and environment variables go before them. A workspace has none: a file that came with somebody's project must
not choose where questions are sent.
"""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from crowquill.agent.safety import personal_path
from crowquill.errors import UserError
from crowquill.memory.owned import open_own, own_folder
from crowquill.tasks.safety import Defaults, PersonSettings
from crowquill.tasks.yaml_text import load_yaml


def load_defaults() -> Defaults:
    """Return the user's defaults; none are set where there is no file. Raises UserError with line and column."""
    path = personal_path()
    return load_yaml(path, PersonSettings).defaults if path.is_file() else Defaults()


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
