"""Prints what is installed of Crowquill's dependencies, with the extras dev and local, as constraints for pip."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement


def closure(
    name: str, extras: frozenset[str], found: dict[str, str], done: set[tuple[str, frozenset[str]]]
) -> None:
    """Note the version of a distribution and of all that it requires."""
    key = (re.sub(r"[-_.]+", "-", name).lower(), extras)
    if key in done:
        return
    done.add(key)
    try:
        installed = distribution(name)
    except PackageNotFoundError:  # for another platform or version of Python
        return
    found[key[0]] = installed.version
    for line in installed.requires or ():
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            closure(needed.name, frozenset(needed.extras), found, done)


if __name__ == "__main__":
    versions: dict[str, str] = {}
    closure("crowquill", frozenset({"dev", "local"}), versions, set())
    del versions["crowquill"]
    lines = ["# What CI installs, exactly: `make lock`. Users get the lower bounds of pyproject.toml."]
    lines += [f"{name}=={version}" for name, version in sorted(versions.items())]
    sys.stdout.write("\n".join(lines) + "\n")
