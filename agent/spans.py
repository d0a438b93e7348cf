"""Recorded runs as OpenTelemetry spans, with the semantic conventions for generative AI (extra `otel`).

Source of the names: OpenTelemetry semantic conventions, "Semantic conventions for generative AI systems", v1.37.
"""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crowquill.agent.story import Story
from crowquill.agent.tape import Effect, Key
from crowquill.errors import UserError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, Tracer

_TOOL = "execute_tool"


def make_provider(endpoint: str | None) -> "TracerProvider":
    """Return what takes spans: an OTLP server at `endpoint`, or lines of JSON on standard output.

    Raises:
        UserError: the extra `otel` is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor, SpanExporter
    except ImportError as error:
        raise UserError("spans need the extra otel: pip install 'crowquill[otel]'") from error

    exporter: SpanExporter
    if endpoint is None:
        exporter = ConsoleSpanExporter(out=sys.stdout, formatter=lambda span: span.to_json(indent=None) + "\n")
    else:
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
    provider = TracerProvider(resource=Resource.create({"service.name": "crowquill"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def export_spans(story: Story, provider: "TracerProvider") -> int:
    """Give a run to a provider as spans: the run, its model calls and its tools' calls; return their number."""
    from opentelemetry.trace import SpanKind, set_span_in_context

    tracer = provider.get_tracer("crowquill")
    record = story.record
    began = _nanoseconds(record.created_at)
    ended = _nanoseconds(record.finished_at) if record.finished_at is not None else began
    root = tracer.start_span(
        "invoke_agent crowquill",
        kind=SpanKind.INTERNAL,
        start_time=began,
        attributes={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "crowquill",
            "gen_ai.conversation.id": record.id,
            "crowquill.state": record.state,
        },
    )
    context, count = set_span_in_context(root), 1
    for key, effect in story.effects.items():
        if key.kind in ("clock", "random") or effect.response is None or not effect.started_at:
            continue
        span = _start(tracer, context, key, effect)
        if effect.status == "failed":
            span.set_attribute("error.type", str(json.loads(effect.response).get("error", "error")))
        span.end(_nanoseconds(effect.started_at) + int((effect.seconds or 0.0) * 1e9))
        count += 1
    root.end(ended)
    provider.force_flush()
    return count


def _start(tracer: "Tracer", context: Any, key: Key, effect: Effect) -> "Span":
    from opentelemetry.trace import SpanKind

    request = json.loads(effect.request)
    model = key.kind == "model"
    name = str(request["tool"]) if key.kind == "tool" else key.kind
    attributes: Mapping[str, Any] = _of_model(request, effect) if model else _of_tool(name)
    return tracer.start_span(
        f"chat {request['model']}" if model else f"{_TOOL} {name}",
        context=context,
        kind=SpanKind.CLIENT if model else SpanKind.INTERNAL,
        start_time=_nanoseconds(effect.started_at),
        attributes={**attributes, "crowquill.lane": key.lane},
    )


def _of_tool(name: str) -> dict[str, Any]:
    return {"gen_ai.operation.name": _TOOL, "gen_ai.tool.name": name, "gen_ai.tool.type": "function"}


def _of_model(request: Mapping[str, Any], effect: Effect) -> dict[str, Any]:
    reply = json.loads(effect.response or "{}") if effect.status == "done" else {}
    usage = reply.get("usage", {})
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": str(request["model"]).partition(":")[0],
        "gen_ai.request.model": request["model"],
        "gen_ai.request.max_tokens": request["max_tokens"],
        "gen_ai.request.temperature": request["temperature"],
        "gen_ai.usage.input_tokens": usage.get("prompt", 0),
        "gen_ai.usage.output_tokens": usage.get("completion", 0),
        "gen_ai.response.finish_reasons": [str(reply.get("finish", reply.get("kind", "error")))],
        "crowquill.role": request["role"],
    }


def _nanoseconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1e9)
