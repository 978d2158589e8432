"""Async tests run on asyncio, as the server does, and no gateway may break its grammar."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.gateways import VIOLATIONS


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def violations() -> Iterator[list[bytes]]:
    """What the gateways of this process sent against its grammar; who makes some takes them out."""
    VIOLATIONS.clear()
    yield VIOLATIONS
    assert VIOLATIONS == []
