"""Which headers does an answer carry, from what is known of its request?

Lists of byte pairs, made directly for ASGI. Every answer names its request; a known caller adds
workspace, key and rate limit; a resolved stack adds itself; a decision adds how the request was
routed, unless the stack's observability keeps that to itself. What is not known is left out.
A value that is no printable ASCII is percent-encoded: it would cost the connection.
"""

from collections.abc import Iterator
from typing import Final, TypeAlias
from urllib.parse import quote

from astrolabe_core.catalog import Model
from astrolabe_core.codes import Refusal
from astrolabe_core.money import usd_text
from astrolabe_core.routing import Routed
from astrolabe_core.trace import Trace
from astrolabe_core.units import FULL_BPS, RequestId
from astrolabe_http.errors import may_pass

Header: TypeAlias = tuple[bytes, bytes]

_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))


def header(name: str, value: str) -> Header:
    """Make a header that any server will send: printable ASCII, no space at either end."""
    if not (value.isascii() and value.isprintable()):
        value = quote(value, safe=_PRINTABLE, errors="replace")
    return name.encode("ascii"), value.strip().encode("ascii")


def identity_headers(request_id: RequestId) -> list[Header]:
    """Name the request, twice: OpenAI's SDKs show `x-request-id`."""
    value = request_id.encode("ascii")
    return [(b"x-astrolabe-cloud-request-id", value), (b"x-request-id", value)]


def refusal_headers(refusal: Refusal) -> list[Header]:
    """Say when to try again, or that it is no use: OpenAI's SDKs retry 409 and 5xx."""
    made: list[Header] = []
    if refusal.retry_after_s is not None:
        made.append((b"retry-after", b"%d" % refusal.retry_after_s))
    if not may_pass(refusal):
        made.append((b"x-should-retry", b"false"))
    return made


def trace_headers(trace: Trace, *, serving: Model | None = None) -> list[Header]:
    """Give all headers of an answer from what its trace knows by now.

    `serving` is the model whose stream is about to be relayed: its attempt has not ended and
    is in no trace yet. Without one, a trace that has not ended tells nothing of its attempts.
    """
    made = identity_headers(trace.arrival.id)
    made += _account_headers(trace)
    made += _stack_headers(trace)
    routed = trace.routed
    if routed is not None and _are_shown(trace):
        made += _decision_headers(trace, routed, serving)
        made += _cost_headers(routed)
    if trace.refusal is not None:
        made += refusal_headers(trace.refusal)
    return made


def _are_shown(trace: Trace) -> bool:
    return trace.stack is None or trace.stack.observability.response_headers


def _account_headers(trace: Trace) -> Iterator[Header]:
    if trace.caller is not None:
        yield header("x-astrolabe-cloud-workspace", trace.caller.workspace.id)
        yield header("x-astrolabe-cloud-key", trace.caller.key.prefix)
    if trace.rate is not None:
        yield b"x-ratelimit-limit", b"%d" % trace.rate.limit
        yield b"x-ratelimit-remaining", b"%d" % trace.rate.remaining
        yield b"x-ratelimit-reset", b"%d" % trace.rate.reset_s


def _stack_headers(trace: Trace) -> Iterator[Header]:
    resolved = trace.resolved
    if resolved is None:
        return
    slug, version = resolved.version.stack.slug, resolved.version.version
    # The id is what a caller writes to pin exactly this version.
    yield header("x-astrolabe-stack-id", f"{slug}@{version}")
    yield header("x-astrolabe-stack-name", slug)
    yield b"x-astrolabe-stack-version", b"%d" % version
    yield header("x-astrolabe-policy-status", trace.policy_status.value)


def _decision_headers(trace: Trace, routed: Routed, serving: Model | None) -> Iterator[Header]:
    first = routed.decision.selected.model
    served = trace.served
    model = serving if served is None else served.option.model
    if model is not None:
        yield header("x-astrolabe-model", model.id)
    yield header("x-astrolabe-selected-provider", first.provider)
    yield header("x-astrolabe-selected-model", first.id)
    # A stream that is held back may begin with a comment, before anybody knows who will answer.
    is_open = trace.ended_at is None and serving is None
    kind = trace.kind_under_way if served is None and serving is not None else trace.kind
    if kind is not None and not is_open:
        yield header("x-astrolabe-decision", kind.value)
    found = routed.profile.classification
    yield header("x-astrolabe-category", found.category.value)
    yield header("x-astrolabe-action-class", found.action_class.value)
    yield header("x-astrolabe-complexity", found.complexity.value)
    yield header("x-astrolabe-lane", found.lane)
    grade = None if trace.verdict is None else trace.verdict.grade
    if trace.verdict is not None:
        yield header("x-astrolabe-verification-status", trace.verdict.status.value)
    if grade is not None:
        yield b"x-astrolabe-verification-score", b"%d" % grade.score
    # How sure somebody is of the answer, else how sure we are of what was asked.
    sure = found.confidence if grade is None else grade.confidence
    yield header("x-astrolabe-confidence-score", _share(sure))
    if not is_open:
        running = 1 if served is None and serving is not None else 0
        yield b"x-astrolabe-attempts", b"%d" % (len(trace.attempts) + running)


def _cost_headers(routed: Routed) -> Iterator[Header]:
    decision = routed.decision
    estimated = decision.estimate.expected_cost
    yield header("x-astrolabe-estimated-cost-usd", usd_text(estimated))
    if decision.baseline is not None:
        yield header("x-astrolabe-estimated-baseline-cost-usd", usd_text(decision.baseline.cost))
    if decision.savings is not None:
        yield header("x-astrolabe-estimated-savings-usd", usd_text(decision.savings))


def _share(bps: int) -> str:
    """Write basis points as a decimal share; a score has two decimals at least."""
    whole, rest = divmod(bps, FULL_BPS)
    return f"{whole}.{rest:04d}".removesuffix("0").removesuffix("0")
