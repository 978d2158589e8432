"""Which headers does an answer carry, and when?

The names that `astrolabe_http.headers` writes, each with what it says. Groups by what must be
known of a request before a header can be sent; a test holds them and the answers together.
"""

from collections.abc import Mapping
from typing import Any, Final

from astrolabe_core.codes import Kind, PolicyStatus
from astrolabe_core.requests import ActionClass, Category, Complexity
from astrolabe_http.ids import REQUEST_ID_PATTERN
from astrolabe_http.openapi.schema import Schema, count, text, whole, words

REQUEST_ID: Final[Schema] = text(
    "Names one request, sortable by time.",
    pattern=f"^{REQUEST_ID_PATTERN}$",
    examples=["req_01kahm4jm0g5q2x9w7d3n8b1cv"],
)
_SHARE: Final[Schema] = text(pattern=r"^[01]\.[0-9]+$", examples=["0.87"])
_USD: Final[Schema] = text(
    "Dollars, a decimal string.", pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["0.000412"]
)

# A word list of a policy module, which nobody out here may import; a test compares them.
VERIFICATION_STATUSES: Final = ("skipped", "passed", "failed", "low_confidence", "unverified")

IDENTITY: Final[Mapping[str, tuple[str, Schema]]] = {
    "x-request-id": ("The id of this request; tell it to the operator.", REQUEST_ID),
    "x-astrolabe-cloud-request-id": ("The same id.", REQUEST_ID),
}
"""On every answer."""

ACCOUNT: Final[Mapping[str, tuple[str, Schema]]] = {
    "x-astrolabe-cloud-workspace": ("The workspace that the key belongs to.", text()),
    "x-astrolabe-cloud-key": ("The beginning of the key, to tell keys apart.", text()),
    "x-ratelimit-limit": ("Requests that this key may make in a minute.", count()),
    "x-ratelimit-remaining": ("Requests that are left of this minute.", count()),
    "x-ratelimit-reset": ("When the next minute begins, in Unix seconds.", count()),
}
"""Once the key is known."""

STACK: Final[Mapping[str, tuple[str, Schema]]] = {
    "x-astrolabe-stack-id": (
        "The governing stack as `slug@version`, which pins exactly it.",
        text(examples=["default-optimizer@1"]),
    ),
    "x-astrolabe-stack-name": ("Its slug.", text(examples=["default-optimizer"])),
    "x-astrolabe-stack-version": ("Its version.", whole(minimum=1)),
    "x-astrolabe-policy-status": (
        "Whether the stack's boundaries admitted a model.",
        words(PolicyStatus),
    ),
}
"""Once a stack is resolved."""

DECISION: Final[Mapping[str, tuple[str, Schema]]] = {
    "x-astrolabe-model": ("The model that answered.", text(examples=["openai/gpt-5.4-nano"])),
    "x-astrolabe-selected-provider": ("The provider of the first choice.", text()),
    "x-astrolabe-selected-model": ("The first choice.", text()),
    "x-astrolabe-decision": ("How the decision came about.", words(Kind)),
    "x-astrolabe-category": ("The kind of work.", words(Category)),
    "x-astrolabe-action-class": ("What the answer will be used to do.", words(ActionClass)),
    "x-astrolabe-complexity": ("How hard the work is.", words(Complexity)),
    "x-astrolabe-lane": ("The lane of the work.", text(examples=["auto"])),
    "x-astrolabe-verification-status": (
        "How the checks of the answer ended; in a stream they end after this header.",
        words(VERIFICATION_STATUSES),
    ),
    "x-astrolabe-verification-score": (
        "What a verifier gave the answer, where one graded it: from 1, useless, to 5.",
        whole(minimum=1, maximum=5),
    ),
    "x-astrolabe-confidence-score": (
        "How sure a verifier is of the answer, else how sure the classification is, from 0 to 1.",
        _SHARE,
    ),
    "x-astrolabe-attempts": ("How often a model was asked to answer; verifiers aside.", count()),
    "x-astrolabe-estimated-cost-usd": ("What the request was expected to cost.", _USD),
    "x-astrolabe-estimated-baseline-cost-usd": (
        "What it was expected to cost at the lane's reference model.",
        _USD,
    ),
    "x-astrolabe-estimated-savings-usd": ("The difference; negative where it cost more.", _USD),
}
"""Once a model is chosen, unless the stack's `observability.responseHeaders` is off."""

REFUSAL: Final[Mapping[str, tuple[str, Schema]]] = {
    "retry-after": ("Seconds after which the same request may succeed.", count()),
    "x-should-retry": ("`false` where the same request cannot succeed.", words(("false",))),
}
"""On answers that are errors, where they apply."""

HEADERS: Final[Mapping[str, tuple[str, Schema]]] = {
    **IDENTITY,
    **ACCOUNT,
    **STACK,
    **DECISION,
    **REFUSAL,
}


def header_components() -> dict[str, Any]:
    """Write every header once; what is on every answer is required wherever it is pointed at."""
    return {
        name: {
            "description": says,
            "schema": schema,
            **({"required": True} if name in IDENTITY else {}),
        }
        for name, (says, schema) in HEADERS.items()
    }


def pointing_at(*groups: Mapping[str, tuple[str, Schema]]) -> dict[str, Any]:
    """Point at every header of some groups."""
    return {name: {"$ref": f"#/components/headers/{name}"} for group in groups for name in group}
