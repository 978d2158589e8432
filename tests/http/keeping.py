"""A gateway whose stack keeps conversations, and a provider that answers in Responses' format."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from astrolabe_core.canonical import digest
from astrolabe_core.ports import StorageUnavailable
from astrolabe_core.stacks import Memory, Stack, StackVersion
from astrolabe_core.units import StackSlug, WorkspaceId
from tests.http.gateways import Bench, ScriptedReply, json_reply, make_bench, sse, stream_reply

KEEPS = Memory(raw_prompt_storage=True, raw_output_storage=True)
SLUG = StackSlug("keeps")
NANO = "openai/gpt-5.4-nano"
SONNET = "anthropic/claude-sonnet-4.6"
USAGE = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14, "cost": 0.000007}


def keeping(**changes: Any) -> StackVersion:
    """A stack that keeps conversations."""
    stack = evolve(Stack(slug=SLUG, name="Keeps", memory=KEEPS), **changes)
    return StackVersion(stack=stack, version=1, hash=digest(stack))


async def make_keeping(**settings: Any) -> Bench:
    """A bench whose workspace has such a stack as its own."""
    bench = await make_bench(**settings)
    await let_keep(bench, bench.workspace.id)
    return bench


async def let_keep(bench: Bench, workspace: WorkspaceId, **changes: Any) -> None:
    assert await bench.store.publish_stack(workspace, keeping(**changes))
    await bench.service.assign_stack(workspace, SLUG)


def message(text: str = "Hello there.") -> dict[str, Any]:
    return {
        "type": "message",
        "id": "msg_up",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}],
    }


def call(arguments: str = '{"city":"Oslo"}') -> dict[str, Any]:
    return {
        "type": "function_call",
        "id": "fc_up",
        "call_id": "call_1",
        "name": "get_weather",
        "arguments": arguments,
        "status": "completed",
    }


def thought(**marks: Any) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": "Thinking."}]
    return {"type": "reasoning", "id": "rs_up", "summary": summary, **marks}


def response(*output: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "id": "gen-1",
        "object": "response",
        "status": "completed",
        "model": NANO,
        "output": list(output or (message(),)),
        "usage": USAGE,
        **changes,
    }


def answer(*output: dict[str, Any], **changes: Any) -> ScriptedReply:
    return json_reply(response(*output, **changes))


def stream(*output: dict[str, Any]) -> ScriptedReply:
    """The shortest stream of these items."""
    items = list(output or (message(),))
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response(status="in_progress", output=[])}
    ]
    for place, item in enumerate(items):
        opened = {**item, **({"content": []} if item["type"] == "message" else {})}
        opened |= {"arguments": ""} if item["type"] == "function_call" else {}
        told = {"output_index": place}
        events.append({"type": "response.output_item.added", **told, "item": opened})
        events.append({"type": "response.output_item.done", **told, "item": item})
    events.append({"type": "response.completed", "response": response(*items)})
    return stream_reply(sse(*events))


def away(bench: Bench, *names: str) -> None:
    """Let these calls of the store fail from now on."""

    async def fail(*_: object, **__: object) -> Any:
        raise StorageUnavailable("away")

    for name in names:
        setattr(bench.store, name, fail)
