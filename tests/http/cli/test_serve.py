"""The commands that stay: how they begin, and how they end."""

from __future__ import annotations

import signal
import socket

import httpx
import pytest

from tests.http.catalogs import written
from tests.http.cli.running import Shell


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("words", [("serve",), ("simulator",), ("demo",)])
def test_a_signal_is_a_clean_end(shell: Shell, words: tuple[str, ...], number: int) -> None:
    with shell.staying(*words, "--port", "0") as staying:
        assert staying.first()["url"].startswith("http://127.0.0.1:")
        staying.process.send_signal(number)
        assert staying.process.wait(timeout=30) == 0
    assert "Traceback" not in staying.messages
    assert "Aborted" not in staying.messages


@pytest.mark.parametrize("words", [("serve",), ("simulator",)])
def test_a_taken_port_is_a_problem(shell: Shell, words: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = shell.process(*words, "--port", port)
    assert ran.returncode == 1
    assert f"port {port} of 127.0.0.1 cannot be taken" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_serving_needs_the_secret(shell: Shell) -> None:
    ran = shell.run("serve", "--port", "0", ASTROLABE_SECRET_KEY="")
    assert ran.exit_code == 2
    assert "ASTROLABE_SECRET_KEY" in ran.stderr


@pytest.mark.parametrize("words", [("serve",), ("demo", "--once")])
@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:////none/of/these.db"])
def test_a_database_that_cannot_be_opened_is_told(
    shell: Shell, words: tuple[str, ...], url: str
) -> None:
    ran = shell.process(*words, "--port", "0", "--database", url)
    assert ran.returncode == 1
    assert url.partition("//")[2].strip("/") in ran.stderr or "mysql" in ran.stderr
    assert ran.stderr.startswith("Error: ")
    assert "Traceback" not in ran.stderr


def test_a_catalog_that_cannot_be_served_is_told_at_the_start(shell: Shell) -> None:
    path = written(shell.folder, models=[])
    ran = shell.process("serve", "--port", "0", ASTROLABE_CATALOG=path)
    assert ran.returncode == 1
    assert f"Error: {path}: models: a catalog needs at least one model" in ran.stderr
    assert "docs/catalog.md" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("words", [("serve",), ("demo", "--once")])
def test_a_second_gateway_on_one_database_is_told(shell: Shell, words: tuple[str, ...]) -> None:
    with shell.staying("serve", "--port", "0") as gateway:
        gateway.first()
        ran = shell.process(*words, "--port", "0", "--database", shell.database)
        assert ran.returncode == 1
        assert "another gateway serves this database" in ran.stderr
        assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("words", [("serve",), ("simulator",)])
def test_an_address_that_is_none_of_ours_is_told(shell: Shell, words: tuple[str, ...]) -> None:
    ran = shell.process(*words, "--port", "0", "--host", "no such host")
    assert ran.returncode == 1
    assert "port 0 of no such host cannot be taken" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_more_workers_than_there_can_be_are_refused(shell: Shell) -> None:
    ran = shell.run("serve", "--port", "0", "--workers", "2")
    assert ran.exit_code == 2
    assert "one worker" in ran.stderr


def test_without_a_provider_key_it_serves_and_says_so(shell: Shell) -> None:
    with shell.staying("serve", "--port", "0") as gateway:
        url = gateway.first()["url"]
        assert httpx.get(f"{url}/health").json() == {"ok": True}
        ready = httpx.get(f"{url}/ready")
        assert ready.status_code == 503
        assert ready.json()["issues"] == ["missing_provider_key"]
    assert "OPENROUTER_API_KEY is not set" in gateway.messages


def test_the_simulator_sells_the_catalog(shell: Shell) -> None:
    with shell.staying("simulator", "--port", "0") as simulator:
        url = simulator.first()["url"]
        assert url.endswith("/api/v1")
        sold = {model["id"] for model in httpx.get(f"{url}/models").json()["data"]}
    listed = shell.told("models", "list", "--view", "serving")["data"]
    assert sold == {model["id"] for model in listed}
