"""What the user has chosen for all sessions: `config.yaml` in the user's configuration folder.

Flags and environment variables go before it. A workspace has no such file: one that came with somebody's project
must not choose where questions are sent.
"""

from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML

from crowquill.errors import UserError
from crowquill.tasks.yaml_text import load_yaml

_Names = Annotated[tuple[str, ...], Field(strict=False)]


class Settings(BaseModel):
    """Defaults of the command line; every key is the long option of `crowquill ask` with the same name."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    model: str | None = None
    policy: str | None = None
    corpus: _Names = ()
    db: _Names = ()
    data: _Names = ()
    web: bool | None = None
    search: str | None = None
    budget: str | None = None
    select: str | None = None
    profile: str | None = None


def settings_path() -> Path:
    """Return where the file is, or would be."""
    return platformdirs.user_config_path("crowquill") / "config.yaml"


def load_settings() -> Settings:
    """Return the user's settings; none are set where there is no file. Raises UserError with line and column."""
    path = settings_path()
    return load_yaml(path, Settings) if path.is_file() else Settings()


def save_settings(settings: Settings) -> Path:
    """Write the user's settings, and return where. Raises UserError."""
    path = settings_path()
    chosen = settings.model_dump(exclude_defaults=True, mode="json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            file.write("# Defaults of crowquill; flags and environment variables go before them.\n")
            YAML(typ="safe", pure=True).dump(chosen, file)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    return path
