"""Keys and passwords: out of the environment, else of the desktop's keyring (extra `keyring`, service `crowquill`).

`keyring set crowquill OPENAI_API_KEY` puts one there. Nothing else is ever asked for it: no file, no task, no page.
"""

import os
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping
from importlib.util import find_spec
from typing import cast

SERVICE = "crowquill"
NAMES = (
    *("OPENAI_API_KEY", "CROWQUILL_API_KEY", "TAVILY_API_KEY", "BRAVE_API_KEY", "WOLFRAM_APP_ID"),
    *("CROWQUILL_PROXY_PASSWORD", "PGPASSWORD", "MYSQL_PWD"),
)
"""Every secret that Crowquill itself uses, by the name of its environment variable."""


class _Keyring(Mapping[str, str]):
    """The keyring, asked once for each name, and only for names of ours."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def __getitem__(self, name: str) -> str:
        if name in NAMES and name not in self._known:
            self._known[name] = _ask(name)
        value = self._known.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in NAMES if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _ask(name: str) -> str | None:
    if find_spec("keyring") is None:
        return None
    import keyring  # 0.1 s, and only who has installed it pays
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, name)
    except KeyringError:  # a desktop without one, or a locked one: as if there were no key
        return None


_KEYRING = _Keyring()


def environment() -> Mapping[str, str]:
    """Return the environment's variables, and for our own secrets that it lacks, the keyring's."""
    return ChainMap(os.environ, cast("MutableMapping[str, str]", _KEYRING))  # it is only read
