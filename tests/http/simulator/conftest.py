"""A simulator on a free port, as new for each test, two models, and ways to ask it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from astrolabe_http.simulator import RunningSimulator, SimulatedModel

NANO = SimulatedModel(
    id="openai/gpt-5.4-nano",
    context_length=20_000,
    max_output=8_000,
    input_price=Decimal("0.0000002"),
    output_price=Decimal("0.00000125"),
    cached_input_price=Decimal("0.00000002"),
    input_modalities=("text", "image"),
)
SONNET = SimulatedModel(
    id="anthropic/claude-sonnet-4.6",
    context_length=1_000_000,
    max_output=64_000,
    input_price=Decimal("0.000003"),
    output_price=Decimal("0.000015"),
    cached_input_price=Decimal("0.0000003"),
    cache_write_price=Decimal("0.00000375"),
    hosts=("Anthropic", "Amazon Bedrock", "Google"),
    collects_data=True,
    zero_retention=False,
)


@pytest.fixture(scope="session")
def models() -> tuple[SimulatedModel, ...]:
    return (NANO, SONNET)


@pytest.fixture(scope="session")
def running(models: tuple[SimulatedModel, ...]) -> Iterator[RunningSimulator]:
    with RunningSimulator(models) as made:
        yield made


@pytest.fixture
def simulator(running: RunningSimulator) -> RunningSimulator:
    running.provider.reset()
    return running


@pytest.fixture
def client(simulator: RunningSimulator) -> Iterator[httpx.Client]:
    headers = {"authorization": "Bearer any"}
    with httpx.Client(base_url=simulator.url, headers=headers, timeout=10) as made:
        yield made
