"""Evidence as JSON data, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from crowquill.errors import StorageError
from crowquill.memory.evidence import Evidence

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def encode(evidence: "DataclassInstance") -> dict[str, Any]:
    """Return evidence (or a note) as JSON data; `decode` restores an equal value."""
    return asdict(evidence)


def decode(data: Mapping[str, Any]) -> Evidence:
    """Restore what `encode` gave, also after a trip through a JSON file.

    Raises:
        StorageError: the data are no evidence.
    """
    try:
        return _adapter().validate_python(dict(data))
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise StorageError(f"stored evidence cannot be read: {where}: {error.errors()[0]['msg']}") from None


@cache
def _adapter() -> TypeAdapter[Evidence]:
    return TypeAdapter(Annotated[Evidence, Field(discriminator="kind")])
