"""How does the document tell errors?

Statuses, types and codes are those of `astrolabe_http.errors.FORMS`; here stands only when each
code is given, in a sentence that docs/errors.md has too. An operation names its codes; its
answers are made of them, one a status, each with exactly the codes that it may hold.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from astrolabe_core.codes import Code, Reason, Refusal
from astrolabe_core.requests import ToolLabel
from astrolabe_core.units import RequestId
from astrolabe_http.errors import DOCS_PATH, FORMS, SERVER, error_body
from astrolabe_http.openapi.headers import ACCOUNT, IDENTITY, REFUSAL, REQUEST_ID, pointing_at
from astrolabe_http.openapi.schema import (
    OBJECT,
    STRING,
    Schema,
    any_of,
    array,
    nullable,
    record,
    ref,
    text,
    whole,
    words,
)

INTERNAL_ERROR: Final = "internal_error"
"""What a bug is answered with. It is no `Code`: nothing in the core refuses with it."""

MEANINGS: Final[Mapping[Code, str]] = {
    Code.REQUEST_HEADERS_TOO_LARGE: (
        "The request has more headers, or a larger head, than the gateway takes"
    ),
    Code.UNAUTHORIZED: "There is no key, or no key like this one.",
    Code.WORKSPACE_PENDING: "The workspace awaits review.",
    Code.WORKSPACE_SUSPENDED: "The workspace is suspended.",
    Code.FORBIDDEN: "The key may not do this: it is of the wrong kind, or limited to other stacks.",
    Code.RATE_LIMITED: "The key has used up its minute.",
    Code.REQUEST_TIMEOUT: (
        "Head or body of the request took longer to arrive than the gateway waits"
    ),
    Code.PAYLOAD_TOO_LARGE: "The body is larger than the gateway takes.",
    Code.UNSUPPORTED_MEDIA_TYPE: "The body is not `application/json`, or it is compressed.",
    Code.INVALID_REQUEST: "The body, a header or a field is not what the API takes.",
    Code.INVALID_ROUTING_OVERRIDE: (
        "`metadata.astrolabe`, one of its flat forms, the header `x-astrolabe-stack` or the stack "
        "behind a model's `@` holds an unknown field, a value that is not allowed, or contradicts "
        "another of them."
    ),
    Code.UNSUPPORTED_PARAMETER: (
        "A field asks for something that would change the answer and that nothing here can honour"
    ),
    Code.IDEMPOTENCY_CONFLICT: (
        "The `Idempotency-Key` was used before: with another body, or by a request that still runs"
    ),
    Code.UNKNOWN_MODEL: "No model has this id.",
    Code.ROUTING_STACK_NOT_FOUND: (
        "The stack that request, key or workspace names does not exist, or not in this version."
    ),
    Code.ROUTING_STACK_RESOLUTION_FAILED: "The stack exists and has no version that may govern.",
    Code.NOT_FOUND: "There is nothing here that this key may see.",
    Code.CONTEXT_LENGTH_EXCEEDED: "The request is too long for every candidate.",
    Code.ROUTING_POLICY_BLOCKED: "The rules admit no candidate.",
    Code.BUDGET_EXCEEDED: (
        "A budget of the stack, the key or the workspace has reached its hard stop."
    ),
    Code.PAYMENT_REQUIRED: "The balance that is free does not cover the hold or the floor.",
    Code.TOOL_CALL_BLOCKED: "The model called a tool that the tool policy blocks.",
    Code.TOOL_CALL_CONFIRMATION_REQUIRED: (
        "The model called a tool that needs a person's word first."
    ),
    Code.UNKNOWN_PRICING_MODEL: "The model has no price, and what cannot be priced is not called.",
    Code.PROVIDER_AUTH_ERROR: "The provider refused the gateway's own credentials.",
    Code.PROVIDER_ERROR: (
        "The provider failed, and so did every fallback that the stack allows. Nothing was charged."
    ),
    Code.ORIGIN_UNREACHABLE: "The provider could not be reached. Nothing was charged.",
    Code.PROVIDER_TIMEOUT: "The provider did not answer in time. Nothing was charged.",
    Code.STRUCTURED_OUTPUT_INVALID: (
        "No candidate gave JSON, or arguments of a tool call, of the schema that was asked for. "
        "Nothing was charged."
    ),
    Code.VERIFICATION_FAILED: (
        "The stack asks for a verified answer and none passed. Nothing was charged."
    ),
    Code.STORAGE_UNAVAILABLE: "The store cannot be reached. No provider was called.",
    Code.OVERLOADED: "The gateway has more requests than it can take, or of every model that may "
    "serve too many calls failed of late. No provider was called.",
}
"""When each code is given."""

_BLOCKED: Final = frozenset({Code.ROUTING_POLICY_BLOCKED})
_STOPPED: Final = frozenset({Code.TOOL_CALL_BLOCKED, Code.TOOL_CALL_CONFIRMATION_REQUIRED})
_ATTEMPTED: Final = frozenset(
    {
        *_STOPPED,
        Code.PROVIDER_AUTH_ERROR,
        Code.PROVIDER_ERROR,
        Code.ORIGIN_UNREACHABLE,
        Code.PROVIDER_TIMEOUT,
        Code.STRUCTURED_OUTPUT_INVALID,
        Code.VERIFICATION_FAILED,
    }
)

ERROR_OBJECT: Final[Schema] = record(
    {
        "code": words([*Code, INTERNAL_ERROR], "What went wrong; it never changes its meaning."),
        "message": text("What happened, and what to do next."),
        "type": words(
            dict.fromkeys([*(form.type for form in FORMS.values()), SERVER]),
            "OpenAI's class of it.",
        ),
        "param": nullable(STRING, "The field at fault, as the caller wrote it."),
        "requestId": REQUEST_ID,
        "docs_url": text(
            "Where the code is explained, below wherever the pages are served.",
            examples=[f"{DOCS_PATH}#{Code.UNKNOWN_MODEL}"],
        ),
        "details": {**OBJECT, "description": "What a program may want to read."},
    },
    "The same object in answers and in streams.",
    optional=["details"],
)
_REJECTION: Final[Schema] = record(
    {
        "code": words(Reason),
        "rule": text("The field of the stack or envelope."),
        "limit": text("What the rule allows."),
        "actual": text("What the model or the request has."),
        "imposed_by": text("Whose rule it is: the stack's, an envelope's, the catalog's."),
        "remedy": nullable(STRING, "The smallest change of the rule that would admit the model."),
    },
    "One reason, with the values that were compared.",
)
ERROR_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Error": record({"error": ref("ErrorObject")}, "Every error, whatever its status."),
    "ErrorObject": ERROR_OBJECT,
    "Rejection": _REJECTION,
    "RejectedCandidate": record(
        {"model": STRING, "reasons": array(ref("Rejection"), minItems=1)},
        "A model that may not serve, with every reason.",
    ),
    "Unblocking": record(
        {"model": STRING, "changes": array(STRING)},
        "The smallest set of rule changes that would admit a model.",
    ),
    "BlockedDetails": record(
        {
            "stack": STRING,
            "fingerprint": text("Names all inputs of the decision."),
            "rejected": array(ref("RejectedCandidate")),
            "unblock": array(ref("Unblocking")),
        },
        "The `details` of `routing_policy_blocked`.",
    ),
    "StoppedCall": record(
        {
            "tool": STRING,
            "labels": array(words(ToolLabel), "What the call may do."),
            "permission": words(("confirmation_required", "blocked")),
            "arguments": nullable(STRING, "As the model wrote them; null where they are too long."),
            "digest": text("Names tool and arguments, however these are laid out."),
            "expires_at": nullable(
                whole(minimum=0), "Until when the confirmation holds, in seconds since 1970."
            ),
            "confirmation": text("To be sent back in `metadata.astrolabe.tool_confirmations`."),
        },
        "A tool call that the tool policy stopped.",
        optional=["confirmation"],
    ),
    "ToolCallDetails": record(
        {"calls": array(ref("StoppedCall"), minItems=1), "attempts": array(ref("AttemptSummary"))},
        "The `details` of `tool_call_blocked` and `tool_call_confirmation_required`.",
    ),
    "AttemptDetails": record(
        {"attempts": array(ref("AttemptSummary"), "In order; nothing of them was charged.")},
        "In the `details` of an error after which models were asked in vain.",
    ),
}


@dataclass(frozen=True, slots=True)
class Refusals:
    """What an operation may refuse with. The name tells answers of one status apart."""

    name: str
    codes: frozenset[Code]

    def statuses(self) -> dict[int, tuple[Code, ...]]:
        """Sort the codes by their status; both in order."""
        found: dict[int, tuple[Code, ...]] = {}
        for code in sorted(self.codes, key=list(Code).index):
            status = FORMS[code].status
            found[status] = (*found.get(status, ()), code)
        return dict(sorted(found.items()))


class ErrorAnswers:
    """Every answer that is an error, once for each set of codes that some operation has."""

    def __init__(self, every: Sequence[Refusals]) -> None:
        self._names: dict[tuple[Code, ...], str] = {}
        for refusals in every:
            for status, codes in refusals.statuses().items():
                # The same status with other codes is another answer, and has the group's name too.
                taken = _phrase(status) in self._names.values()
                name = f"{_phrase(status)}{refusals.name}" if taken else _phrase(status)
                self._names.setdefault(codes, name)

    def components(self) -> dict[str, Any]:
        """Write all of them by their names."""
        made = {name: _answer(FORMS[codes[0]].status, codes) for codes, name in self._names.items()}
        return dict(sorted({**made, _phrase(500): _internal_error()}.items()))

    def of(self, refusals: Refusals) -> dict[str, Any]:
        """Point at those of an operation, by status; a bug may be one of each."""
        made = {
            str(status): self._named(self._names[codes])
            for status, codes in refusals.statuses().items()
        }
        return {**made, "500": self._named(_phrase(500))}

    def _named(self, name: str) -> dict[str, Any]:
        return {"$ref": f"#/components/responses/{name}"}


def _phrase(status: int) -> str:
    words = HTTPStatus(status).phrase.replace("-", " ").split()
    return "".join(word[0].upper() + word[1:] for word in words)


def _internal_error() -> dict[str, Any]:
    says = f"* `{INTERNAL_ERROR}`: The gateway failed; tell the request id to the operator."
    return _response(500, [INTERNAL_ERROR], says, None)


def _answer(status: int, held: Sequence[Code]) -> dict[str, Any]:
    says = "\n".join(f"* `{code}`: {MEANINGS[code].rstrip('.')}." for code in held)
    return _response(status, [code.value for code in held], says, _example(held[0]))


def _response(status: int, codes: list[str], says: str, example: object) -> dict[str, Any]:
    narrowed: dict[str, Any] = {"code": {"enum": codes}}
    told = [
        name
        for name, whose in (
            ("BlockedDetails", _BLOCKED),
            ("ToolCallDetails", _STOPPED),
            ("AttemptDetails", _ATTEMPTED),
        )
        if not whose.isdisjoint(codes)
    ]
    if told:
        narrowed["details"] = any_of(*map(ref, told), OBJECT)
    error = {**ref("ErrorObject"), "properties": narrowed}
    content: dict[str, Any] = {"schema": record({"error": error})}
    if example is not None:
        content["example"] = example
    return {
        "description": f"{HTTPStatus(status).phrase}\n\n{says}",
        "headers": pointing_at(IDENTITY, ACCOUNT, REFUSAL),
        "content": {"application/json": content},
    }


def _example(code: Code) -> dict[str, object]:
    refusal = Refusal(code=code, message=MEANINGS[code].rstrip("."))
    return error_body(refusal, RequestId(REQUEST_ID["examples"][0]))
