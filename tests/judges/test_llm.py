"""The `llm` command, over Chat and over Responses: plain, streamed, tool and structured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner, Result
from llm.cli import cli

from tests.judges.conftest import BREAKS, Provider, Target

CONFINED: Final = Path(__file__).with_name("loopback.py")
FUNCTION: Final = '''
def get_weather(city: str) -> str:
    """Tell the weather."""
    return f"It snows in {city}."
'''
MODELS: Final = """
- model_id: chat
  model_name: {model}
  api_base: {url}
  api_key_name: astrolabe
  supports_schema: true
  supports_tools: true
  vision: true
- model_id: responses
  model_name: {model}
  api_base: {url}
  api_key_name: astrolabe
  responses: true
  supports_schema: true
  supports_tools: true
  vision: true
"""
Run = Callable[..., Result]


@pytest.fixture(params=["chat", "responses"])
def api(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def home(target: Target, tmp_path: Path) -> Path:
    """A home for the command, in which both APIs are models."""
    models = MODELS.format(model=target.model, url=target.url)
    (tmp_path / "extra-openai-models.yaml").write_text(models)
    (tmp_path / "keys.json").write_text(json.dumps({"astrolabe": target.key}))
    return tmp_path


@pytest.fixture
def run(home: Path, api: str) -> Run:
    """Run the command in this process, since starting it takes longer than all it does."""

    def run(*given: str) -> Result:
        return CliRunner().invoke(cli, ["-m", api, *given], env={"LLM_USER_PATH": str(home)})

    return run


def test_the_command_as_a_process(home: Path, api: str) -> None:
    done = subprocess.run(
        [sys.executable, CONFINED, "llm", "-m", api, "What is a ledger?"],
        env={"PATH": os.environ["PATH"], "HOME": str(home), "LLM_USER_PATH": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "ledger" in done.stdout


@pytest.mark.parametrize("how", ["--no-stream", "--usage"])
def test_a_plain_and_a_streamed_turn(run: Run, provider: Provider, how: str) -> None:
    done = run("What is a ledger?", how)
    assert done.exit_code == 0, done.output
    assert "ledger" in done.stdout
    (call,) = provider.calls()
    assert call["stream"] is (how == "--usage")
    if how == "--usage":
        assert "input" in done.stderr


def test_a_tool_turn(run: Run, provider: Provider) -> None:
    done = run("How is the weather in 'Ulm'?", "--functions", FUNCTION)
    assert done.exit_code == 0, done.output
    assert "It snows in Ulm." in done.stdout
    assert len(provider.calls()) == 2


@pytest.mark.parametrize("how", [(), ("--no-stream",)], ids=["streamed", "whole"])
def test_a_structured_turn(run: Run, how: tuple[str, ...]) -> None:
    done = run("Judge.", "--schema", "score float, verdict", *how)
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert isinstance(said["score"], int | float)
    assert isinstance(said["verdict"], str)


def test_an_image_is_seen(run: Run, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n and so on")
    done = run("What is this?", "--attachment", str(picture))
    assert done.exit_code == 0, done.output
    assert done.stdout


def test_a_conversation_goes_on(run: Run, provider: Provider) -> None:
    assert run("My name is 'Ada'.").exit_code == 0
    done = run("What is my name?", "--continue")
    assert done.exit_code == 0, done.output
    _, second = provider.calls()
    talk = second["body"].get("messages") or second["body"]["input"]
    assert [said["role"] for said in talk] == ["user", "assistant", "user"]
    assert "Ada" in str(talk)


@pytest.mark.parametrize("fault", BREAKS)
def test_a_stream_that_breaks_fails(run: Run, provider: Provider, fault: str) -> None:
    provider.order(fault)
    done = run("Hello")
    assert done.exit_code != 0
    assert "the provider" in done.stderr
