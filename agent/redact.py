"""The one sink through which secrets are taken out, before anything is stored, logged or shown."""

import base64
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

_PATTERNS = re.compile(
    r"""
      \bsk-[A-Za-z0-9_-]{16,}                      # OpenAI-like keys
    | \b(?:ghp|gho|ghs|github_pat)_[A-Za-z0-9_]{20,}
    | \bAKIA[0-9A-Z]{16}\b                         # AWS access key ids
    | \beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}   # JWT
    | (?<=Bearer\ )[A-Za-z0-9._~+/-]{12,}=*
    | (?<=://)[^/\s:@]+:[^/\s@]+(?=@)              # user:password in a URL
    """,
    re.VERBOSE,
)
_SECRET_NAME = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$")
_SHORTEST = 8
MASK = "[redacted]"


def secrets_of(environment: Mapping[str, str]) -> list[str]:
    """Return the values of environment variables whose names say that they are secrets."""
    return [value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST]


class Redactor:
    """Replaces known secrets, plain, base64 or URL-encoded, and strings that look like secrets."""

    def __init__(self, secrets: Iterable[str] | None = None) -> None:
        known = secrets_of(os.environ) if secrets is None else list(secrets)
        forms = {form for secret in known for form in _forms(secret)}
        self._known = re.compile("|".join(sorted(map(re.escape, forms), key=len, reverse=True)) or r"(?!)")

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return _PATTERNS.sub(MASK, self._known.sub(MASK, text))

    def data(self, value: Any) -> Any:
        """Return JSON data with every string in it redacted, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value


def _forms(secret: str) -> set[str]:
    encoded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, encoded, quote(secret, safe="")}
