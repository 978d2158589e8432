"""Which body does the provider send when it refuses?

OpenRouter's shape: `{"error": {"code": <number>, "message", "metadata": {"error_type", ...}},
"user_id": null}`. `STATUS_ERRORS` holds the message and `error_type` of every status the simulator
can be asked to answer with.
"""

from dataclasses import dataclass, field

import orjson


@dataclass(frozen=True, slots=True)
class StatusError:
    """The message and `error_type` that go with a status, and whether it carries `retry-after`."""

    message: str
    error_type: str
    retry_after: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is an error: a status and its body."""

    status: int
    message: str
    error_type: str
    metadata: dict[str, object] = field(default_factory=dict)

    def body(self) -> bytes:
        """The error as OpenRouter writes it."""
        return orjson.dumps({"error": self.error(), "user_id": None})

    def error(self) -> dict[str, object]:
        """The inner object, also used inside streams."""
        metadata = {"error_type": self.error_type, **self.metadata}
        return {"message": self.message, "code": self.status, "metadata": metadata}


STATUS_ERRORS: dict[int, StatusError] = {
    400: StatusError("Provider returned error", "invalid_request"),
    401: StatusError("User not found.", "authentication"),
    402: StatusError(
        "Insufficient credits. Add more using https://openrouter.ai/credits", "payment_required"
    ),
    403: StatusError("The request was flagged by moderation", "permission_denied"),
    404: StatusError("No endpoints found for this model.", "not_found"),
    408: StatusError("The request timed out", "timeout"),
    413: StatusError("Request payload too large", "payload_too_large"),
    422: StatusError("The request could not be processed", "unprocessable"),
    429: StatusError("Rate limit exceeded", "rate_limit_exceeded", retry_after=True),
    500: StatusError("Internal Server Error", "server"),
    502: StatusError("Provider returned error", "provider_unavailable"),
    503: StatusError("No instances available", "provider_overloaded", retry_after=True),
    524: StatusError("The edge network timed out", "timeout"),
    529: StatusError("Provider returned error: overloaded", "provider_overloaded"),
}


def refuse_status(status: int) -> Refusal:
    """The refusal a status fault asks for."""
    known = STATUS_ERRORS[status]
    return Refusal(status, known.message, known.error_type)


def refuse_request(message: str, **metadata: object) -> Refusal:
    """400: the body is not what the schema allows."""
    return Refusal(400, message, "invalid_request", metadata)
