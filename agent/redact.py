"""The one sink through which secrets are taken out, before anything is stored, logged or shown."""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from crowquill.tools.secrets import NAMES, environment

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
_WORD = re.compile(r"[^\W\d_]{1,14}")
"""A plain word; those that no variable of ours holds are no secrets: the mask in every text would tell them."""
MASK = "[redacted]"


def secrets_of(variables: Mapping[str, str]) -> list[str]:
    """Return the values of variables whose names say that they are secrets, and passwords in addresses.

    Not those of `plain_words_of`.
    """
    plain = plain_words_of(variables)
    named = [name for name in variables if name in NAMES or (_SECRET_NAME.search(name) and name not in plain)]
    found = [variables[name] for name in named]
    found += [password for value in variables.values() if (password := _password_in(value))]
    return [value for value in dict.fromkeys(found) if len(value) >= _SHORTEST]


def plain_words_of(variables: Mapping[str, str]) -> list[str]:
    """Return the names of secrets that are one plain word, such as `development`, and so are not masked.

    They stand in ordinary text, where a mask would spoil answers and tell everybody what the secret is.
    """
    return [
        name
        for name, value in variables.items()
        if _SECRET_NAME.search(name)
        and name not in NAMES
        and len(value) >= _SHORTEST
        and _WORD.fullmatch(value)
        and (value[1:].islower() or value.isupper())
    ]


def _password_in(value: str) -> str:
    """Return the password that stands in an address."""
    if "://" not in value or "@" not in value:
        return ""
    try:
        return urlsplit(value).password or ""
    except ValueError:
        return ""


class Redactor:
    """Replaces known secrets, plain or in one of the usual codes, and strings that look like secrets."""

    def __init__(self, secrets: Iterable[str] | None = None) -> None:
        known = secrets_of(environment()) if secrets is None else list(secrets)
        forms = sorted({form for secret in known for form in _forms(secret)}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, forms)) or r"(?!)")
        self._known_bytes = re.compile("|".join(map(re.escape, forms)).encode() or rb"(?!)")

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return _PATTERNS.sub(MASK, self._known.sub(MASK, text))

    def bytes(self, data: bytes) -> bytes:
        """Return the bytes of a page without known secrets; strings that only look like one stay."""
        return self._known_bytes.sub(MASK.encode(), data)

    def data(self, value: Any) -> Any:
        """Return JSON data with every string in it redacted, keys included; the same object if it holds none."""
        texts = "\0".join(_strings(value))  # looked through once: most data holds no secret
        if self._known.search(texts) is None and _PATTERNS.search(texts) is None:
            return value
        return self._masked(value)

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._masked(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._masked(item) for item in value]
        return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)


def _forms(secret: str) -> set[str]:
    """Return the spellings of a secret: plain, quoted for URLs, JSON and HTML, hexadecimal, base64, backwards."""
    raw = secret.encode()
    forms = {secret, secret[::-1], quote(secret, safe=""), quote_plus(secret), html.escape(secret)}
    forms |= {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], raw.hex(), raw.hex().upper()}
    for before in range(3):  # what stands before it in the same code shifts it; the ends mix with what is around
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            coded = encode(b"\0" * before + raw).decode().rstrip("=")
            forms.add(coded[(0, 2, 3)[before] : len(coded) - bool((before + len(raw)) % 3)])
    return {form for form in forms if len(form) >= _SHORTEST}
