"""`${env:NAME}` in a task file: only as a whole value, only where a database address belongs, only such names."""

import re
from collections.abc import Mapping

from crowquill.errors import UserError

_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_ALLOWED = re.compile(r"(?:[A-Z][A-Z0-9_]*_)?DATABASE_URL")
"""Names of variables that hold the address of a database. A key of a service is not one that a file may name."""


def database_address(value: str, environment: Mapping[str, str]) -> str:
    """Return a database of a task file, from the environment when it is `${env:NAME}` or `name=${env:NAME}`.

    Raises:
        UserError: the name is not that of a database address, or the variable is not set.
    """
    name, equals, reference = value.rpartition("=") if re.match(r"[\w-]+=\$\{env:", value) else ("", "", value)
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return value
    if not _ALLOWED.fullmatch(match[1]):
        raise UserError(f"db: {reference}: only variables called DATABASE_URL or …_DATABASE_URL are read")
    if not environment.get(match[1]):
        raise UserError(f"db: {reference}: the environment variable {match[1]} is not set")
    return f"{name}{equals}{environment[match[1]]}"
