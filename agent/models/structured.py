"""Text of a model made safe, and JSON objects read out of it and checked against a schema."""

import json
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NoReturn, cast

from crowquill.agent.models.base import Message, Request

_THOUGHT = re.compile(r"\s*<think>.*?(?:</think>|\Z)\s*", re.S)
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.S | re.I)


class NotThatObject(ValueError):
    """The text holds no JSON object that fits the schema; the message says why, in one line."""


def clean(text: str) -> str:
    """Replace lone surrogates and drop NUL, which no file, database or terminal takes well."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "")


def without_thoughts(text: str) -> str:
    """Drop what a reasoning model thought aloud before its answer.

    Some chat templates open the thought in the prompt, so that only its end is in the reply.
    """
    if "<think>" not in text:
        return text.partition("</think>")[2].lstrip() if "</think>" in text else text
    thought = _THOUGHT.match(text)
    return text[thought.end() :] if thought else text


def parse_object(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read the JSON object in `text` that fits the schema, be it bare, after some prose or fenced.

    Raises:
        NotThatObject: there is none, or it is cut off, ambiguous or does not fit.
    """
    problems: list[str] = []
    for candidate in (text, *_FENCE.findall(text)):
        try:
            value = clean_values(first_object(candidate))
        except NotThatObject as error:
            problems.append(str(error))
            continue
        problem = violation(value, schema)
        if problem is None:
            return cast("dict[str, Any]", value)
        problems.append(problem)
    raise NotThatObject(problems[-1])


def with_schema_in_prompt(request: Request) -> Request:
    """Ask for the schema in words, for a server that cannot constrain its output."""
    wish = "Reply with one JSON object and nothing else. It must fit this JSON schema:\n" + json.dumps(
        request.schema, ensure_ascii=False, separators=(",", ":")
    )
    *earlier, last = request.messages
    return Request(
        role=request.role,
        messages=(*earlier, Message(last.role, f"{last.content}\n\n{wish}")),
        max_tokens=request.max_tokens,
        temperature=request.temperature,
        seed=request.seed,
        logprobs=request.logprobs,
    )


def is_strict(schema: Mapping[str, Any]) -> bool:
    """Tell whether every object in the schema is closed and requires all its properties.

    Only such schemas may be sent with `strict: true` to the OpenAI API; others are refused there.
    """
    if isinstance(schema.get("properties"), dict):
        required = set(cast("list[str]", schema.get("required", [])))
        if schema.get("additionalProperties") is not False or required != set(schema["properties"]):
            return False
    return all(is_strict(part) for part in _parts(schema))


def _parts(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    children: list[Any] = [schema.get("items")]
    for key in ("properties", "$defs"):
        children.extend(schema.get(key, {}).values())
    for key in ("anyOf", "oneOf", "allOf"):
        children.extend(schema.get(key, []))
    return [child for child in children if isinstance(child, dict)]


def first_object(text: str) -> object:
    """Return the first JSON object in a text. Raises NotThatObject: none, a key twice in one object, NaN, …"""
    start = text.find("{")
    if start < 0:
        raise NotThatObject("there is no JSON object in it")
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)
    try:
        return decoder.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        raise NotThatObject(f"{error.msg} at character {error.pos}") from error
    except (ValueError, RecursionError) as error:
        raise NotThatObject(str(error)) from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number in JSON")


def clean_values(value: object) -> object:
    """Apply `clean` to every string in a JSON value."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_values(item) for item in cast("list[object]", value)]
    if isinstance(value, dict):
        return {clean(k): clean_values(v) for k, v in cast("dict[str, object]", value).items()}
    return value


def violation(value: object, schema: Mapping[str, Any]) -> str | None:
    """Return how a value breaks a schema, in one line; None if it does not."""
    jsonschema: Any = import_module("jsonschema")  # 0.1 s, and only replies with a schema need it
    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
    if error is None:
        return None if isinstance(value, dict) else "it is not an object"
    where = ".".join(str(part) for part in error.absolute_path)
    return f"{where}: {error.message[:160]}" if where else error.message[:160]
