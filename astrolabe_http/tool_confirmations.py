"""How is somebody's word for one tool call made, and how is it known again?

A refusal that asks for a confirmation names each call by its digest. Here it gets a token for
each: version, expiry, digest and workspace, and an HMAC-SHA-256 of them under a key that is made
of the server's secret for this alone. Whoever sends the token back vouches for that call. Nothing
is kept: every gateway with the same secret knows a token again, until it expires.

A token that was not made here is no confirmation, and neither is one of another workspace or one
that has expired: the core asks again for what they would have allowed. None of it is told apart,
so that a token tells nobody anything.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from attrs import evolve

from astrolabe_core.codes import Code, Json, Refusal
from astrolabe_core.requests import Confirmation, Request
from astrolabe_core.units import Digest, Instant, WorkspaceId

PREFIX: Final = "tool_"
_CONTEXT: Final = b"astrolabe tool confirmation"
_VERSION: Final = 1
_HEAD: Final = struct.Struct(">BQ32s")
"""Version, expiry in seconds since 1970, and the call's digest; the workspace follows."""
_SIGNATURE_BYTES: Final = hashlib.sha256().digest_size


def make_token(secret: str, call: Digest, workspace: WorkspaceId, expires_at_s: int) -> str:
    """Make the token that vouches for one call in one workspace until it expires."""
    head = _HEAD.pack(_VERSION, expires_at_s, bytes.fromhex(call))
    payload = head + workspace.encode()
    whole = _signed(secret, payload) + payload
    return PREFIX + base64.urlsafe_b64encode(whole).rstrip(b"=").decode()


def read_token(secret: str, token: str) -> Confirmation | None:
    """Know a token again that was made with this secret; `None` for everything else."""
    body = token.removeprefix(PREFIX)
    try:
        whole = base64.b64decode(body + "=" * (-len(body) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    signature, payload = whole[:_SIGNATURE_BYTES], whole[_SIGNATURE_BYTES:]
    if len(payload) <= _HEAD.size or not hmac.compare_digest(signature, _signed(secret, payload)):
        return None
    version, expires_at_s, call = _HEAD.unpack_from(payload)
    if version != _VERSION:
        return None
    return Confirmation(
        call=Digest(call.hex()),
        workspace=WorkspaceId(payload[_HEAD.size :].decode()),
        expires_at=Instant(expires_at_s * 1_000),
    )


def with_confirmations(request: Request, secret: str) -> Request:
    """Take the tokens of a request for what they are."""
    overrides = request.overrides
    if not overrides.tool_confirmations:
        return request
    return evolve(
        request,
        overrides=evolve(overrides, tool_confirmations=()),
        confirmations=tuple(_known(secret, overrides.tool_confirmations)),
    )


def _known(secret: str, tokens: Iterable[str]) -> Iterator[Confirmation]:
    for token in tokens:
        found = read_token(secret, token)
        if found is not None:
            yield found


def with_tokens(refusal: Refusal, workspace: WorkspaceId | None, secret: str) -> Refusal:
    """Add to a refusal that asks for confirmations the token for each call that needs one."""
    if refusal.code is not Code.TOOL_CALL_CONFIRMATION_REQUIRED or workspace is None:
        return refusal
    calls = refusal.details.get("calls")
    told = tuple(
        {**call, "confirmation": _token_for(call, workspace, secret)}
        for call in (calls if isinstance(calls, tuple) else ())
        if isinstance(call, Mapping)
    )
    return evolve(refusal, details={**refusal.details, "calls": told})


def _token_for(call: Mapping[str, Json], workspace: WorkspaceId, secret: str) -> Json:
    digest, expires_at_s = call.get("digest"), call.get("expires_at")
    if not isinstance(digest, str) or not isinstance(expires_at_s, int):
        return None
    return make_token(secret, Digest(digest), workspace, expires_at_s)


def _signed(secret: str, payload: bytes) -> bytes:
    return hmac.digest(_key(secret), payload, "sha256")


@lru_cache(maxsize=4)
def _key(secret: str) -> bytes:
    """Make of the secret a key for this alone: no other signature of ours can pass for a token."""
    return hmac.digest(secret.encode(), _CONTEXT, "sha256")
