"""What is plainly wrong with an answer?

Deterministic checks of a whole answer against what was asked for, without a schema and without
a model. A check that fails names the trigger that a stack's fallback may act on. What it says is
ours: no word of the answer is in it.
"""

from enum import StrEnum
from typing import Final

from attrs import frozen

from astrolabe_core.answers import Answer, Finish
from astrolabe_core.conformity import promised
from astrolabe_core.repair import parses
from astrolabe_core.requests import OutputFormat, Request, ToolChoice
from astrolabe_core.stacks import Trigger


class Check(StrEnum):
    """One deterministic check, in the order in which they run."""

    FINISHED = "finished"
    NOT_TRUNCATED = "not_truncated"
    NOT_REFUSED = "not_refused"
    NOT_EMPTY = "not_empty"
    TOOL_CHOICE = "tool_choice"
    TOOL_OFFERED = "tool_offered"
    TOOL_ARGUMENTS_PARSE = "tool_arguments_parse"
    TOOL_ARGUMENTS_CONFORM = "tool_arguments_conform"
    JSON_PARSES = "json_parses"
    JSON_CONFORMS = "json_conforms"
    SCHEMA_CHECKED = "schema_checked"


@frozen(kw_only=True)
class Finding:
    """A check that failed, what was found, and what it may trigger.

    `flaws` say where a schema is missed: JSON pointers and words of ours, none of the answer's.
    """

    check: Check
    message: str
    trigger: Trigger
    flaws: tuple[str, ...] = ()


def check(answer: Answer, request: Request) -> tuple[Finding, ...]:
    """Run every check that needs no schema, in their order."""
    return tuple(
        finding
        for each in (_finish, _refusal, _emptiness, _choice, _offered, _arguments, _json)
        if (finding := each(answer, request)) is not None
    )


def hollow(answer: Answer) -> bool:
    """Whether there is nothing in an answer to be judged: no text and no call."""
    return not (answer.text.strip() or answer.tool_calls)


def is_loose(request: Request) -> bool:
    """Whether JSON is promised, and no schema that it must have."""
    if request.output_format is OutputFormat.JSON_SCHEMA:
        return request.schema is None
    return request.output_format is OutputFormat.JSON_OBJECT


def is_json(text: str, request: Request) -> bool:
    """Whether a text is the JSON that was asked for, schema apart."""
    return parses(text, as_object=request.output_format is OutputFormat.JSON_OBJECT)


def _finish(answer: Answer, request: Request) -> Finding | None:
    match answer.finish:
        case Finish.ERROR | Finish.UNKNOWN:
            return Finding(
                check=Check.FINISHED,
                message="the provider did not say that the answer is finished",
                trigger=Trigger.PROVIDER_ERROR,
            )
        case Finish.LENGTH if not _fills(answer, request):
            return Finding(
                check=Check.NOT_TRUNCATED,
                message="the answer was cut short before any length that the caller set",
                trigger=Trigger.CONTEXT_LENGTH,
            )
        case _:
            return None


def _fills(answer: Answer, request: Request) -> bool:
    """Whether an answer ends where its caller wanted it to end at the latest.

    Providers count in their own ways: a tenth less is as much. Who counts nothing is believed.
    """
    cap, usage = request.output_tokens_max, answer.receipt.usage
    if cap is None:
        return False
    return usage is None or usage.output_tokens * 10 >= cap * 9


def _refusal(answer: Answer, _: Request) -> Finding | None:
    if answer.refusal is None and answer.finish is not Finish.CONTENT_FILTER:
        return None
    return Finding(
        check=Check.NOT_REFUSED, message="the model declined to answer", trigger=Trigger.REFUSAL
    )


def _emptiness(answer: Answer, _: Request) -> Finding | None:
    if answer.text.strip() or answer.tool_calls or answer.refusal is not None:
        return None
    if answer.finish in {Finish.LENGTH, Finish.CONTENT_FILTER}:
        return None
    return Finding(
        check=Check.NOT_EMPTY,
        message="the answer has neither text nor tool calls",
        trigger=Trigger.PROVIDER_ERROR,
    )


def _choice(answer: Answer, request: Request) -> Finding | None:
    """Hold an answer against `tool_choice`, which a host may not know."""
    message = None
    if answer.tool_calls and request.tool_choice is ToolChoice.NONE:
        message = "a tool was called although none was to be"
    elif (
        request.tool_choice in {ToolChoice.REQUIRED, ToolChoice.NAMED}
        and not answer.tool_calls
        and answer.refusal is None
        and answer.finish not in {Finish.LENGTH, Finish.CONTENT_FILTER}
    ):
        message = "no tool was called although one was to be"
    if message is None:
        return None
    return Finding(check=Check.TOOL_CHOICE, message=message, trigger=Trigger.SCHEMA_FAILURE)


def _offered(answer: Answer, request: Request) -> Finding | None:
    """Find a call of a function that nobody offered.

    Only functions are known by name. A call without one is of another type; a name that the
    conversation has seen called may belong to a tool of another type, which was sent with it.
    """
    known = {tool.name for tool in request.tools}
    strange = [call for call in answer.tool_calls if call.name and call.name not in known]
    if strange:
        known = {name for turn in request.turns for name in turn.tool_calls}
    if all(call.name in known for call in strange):
        return None
    return Finding(
        check=Check.TOOL_OFFERED,
        message="a tool was called that was not offered",
        trigger=Trigger.SCHEMA_FAILURE,
    )


def _arguments(answer: Answer, request: Request) -> Finding | None:
    if answer.finish is Finish.LENGTH:
        return None
    for call in answer.tool_calls:
        if call.arguments and not parses(call.arguments, as_object=True):
            # A name that the caller gave may be told; any other is a provider's words.
            offered = any(tool.name == call.name for tool in request.tools)
            which = f"tool {call.name}" if offered else "a tool that was not offered"
            return Finding(
                check=Check.TOOL_ARGUMENTS_PARSE,
                message=f"the arguments of {which} are not a JSON object",
                trigger=Trigger.SCHEMA_FAILURE,
            )
    return None


def _json(answer: Answer, request: Request) -> Finding | None:
    """Hold the texts against a promise of JSON; those with a schema are held against that."""
    if not is_loose(request) or all(is_json(text, request) for _, text in promised(answer)):
        return None
    return NO_JSON


NO_JSON: Final = Finding(
    check=Check.JSON_PARSES,
    message="JSON was promised and the answer does not parse as it",
    trigger=Trigger.SCHEMA_FAILURE,
)
