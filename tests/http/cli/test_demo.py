from __future__ import annotations

import json
import re
import socket
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import httpx
import pytest

from tests.http.cli.running import Shell

PROMISED = {
    "request_id",
    "model",
    "decision",
    "rejected",
    "hold_usd",
    "debit_usd",
    "balance_usd",
    "text",
}
CREDIT = Decimal(25)


def test_it_prints_one_object_whose_debit_is_the_price_of_the_reported_usage(
    shell: Shell,
) -> None:
    ran = shell.process("demo", "--once", "-o", "json", "--port", "0")
    assert ran.returncode == 0
    assert ran.stderr == ""
    found = json.loads(ran.stdout)
    assert found.keys() >= PROMISED
    assert Decimal(found["debit_usd"]) == priced(shell, found["model"], found["usage"]) > 0
    assert Decimal(found["hold_usd"]) >= Decimal(found["debit_usd"])
    assert Decimal(found["balance_usd"]) == CREDIT - Decimal(found["debit_usd"])
    assert found["decision"]["selected"]["model"] == found["model"]
    assert found["key"].startswith("astrolabe_test_")
    assert found["text"]
    # A first picture with nothing to choose, or nothing to refuse, would explain little.
    assert len(found["decision"]["accepted"]) > 1
    assert len(found["rejected"]) > 1


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_table_fits_its_width_and_carries_no_escape_sequence(
    shell: Shell, columns: int
) -> None:
    ran = shell.process("demo", "--once", "--port", "0", COLUMNS=str(columns))
    assert ran.returncode == 0
    assert "\x1b" not in ran.stdout
    pasted = re.compile(r"^curl |^  -[Hd] |^(key|database) ")
    wide = [line for line in ran.stdout.splitlines() if len(line) > columns]
    assert [line for line in wide if not pasted.match(line)] == []
    assert [line for line in ran.stdout.splitlines() if line != line.rstrip()] == []
    for word in (
        "Kept",
        "Dropped",
        "chosen",
        "customer-data@1",
        "held",
        "paid",
        "saved",
        "balance",
    ):
        assert word in ran.stdout
    assert "data_policy_mismatch" in ran.stdout


def test_its_curl_line_can_be_pasted(shell: Shell) -> None:
    text = shell.process("demo", "--once", "--port", "0").stdout
    line = text[text.index("curl ") :].split("\n\n")[0]
    assert line.count("\\\n") == 3
    body = re.search(r"-d '(.*)'", line)
    assert body is not None
    assert json.loads(body[1])["model"] == "astrolabe/auto"
    assert re.search(r"Bearer astrolabe_test_[A-Za-z0-9_-]{49}'", line)


def test_it_serves_its_key_until_it_is_stopped(shell: Shell) -> None:
    with shell.staying("demo", "--port", "0") as demo:
        found = demo.first()
        headers = {"authorization": f"Bearer {found['key']}"}
        body = {"model": "astrolabe/cheap", "input": "Why tides?"}
        answer = httpx.post(f"{found['url']}/responses", json=body, headers=headers, timeout=30)
        assert answer.status_code == 200
        # The database of a demonstration can be looked into while it runs.
        trace = shell.told("traces", "show", found["request_id"], "--database", found["database"])
        assert trace["decision"]["fingerprint"] == found["decision"]["fingerprint"]
    assert "until Ctrl-C" in demo.messages
    assert "Traceback" not in demo.messages


def test_a_port_that_was_asked_for_and_is_taken_is_a_problem(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for ran in (
            shell.process("demo", "--once", "--port", port),
            shell.process("demo", "--once", ASTROLABE_PORT=port),
        ):
            assert ran.returncode == 1
            assert ran.stdout == ""
            assert f"port {port} of 127.0.0.1 cannot be taken" in ran.stderr
            assert "Next: name another with --port" in ran.stderr
            assert "Traceback" not in ran.stderr


def test_where_no_port_was_asked_for_a_free_one_is_chosen(shell: Shell) -> None:
    try:
        taken = socket.create_server(("127.0.0.1", 8080))
    except OSError:
        taken = socket.socket()  # somebody else has it: as good
    with taken:
        ran = shell.process("demo", "--once", "-o", "json")
    assert ran.returncode == 0
    assert ran.stderr == "Port 8080 is taken; choosing a free one.\n"
    assert not json.loads(ran.stdout)["url"].endswith(":8080/v1")


def test_it_leaves_the_accounts_of_the_environment_alone(shell: Shell) -> None:
    shell.process("demo", "--once", "--port", "0")
    assert not (shell.folder / "accounts.db").exists()


def test_it_keeps_its_accounts_where_it_is_told_to(shell: Shell) -> None:
    database = f"sqlite:///{shell.folder / 'kept.db'}"
    ran = shell.process("demo", "--once", "--port", "0", "-o", "json", "--database", database)
    found = json.loads(ran.stdout)
    balance = shell.told("credits", "balance", "--database", database)
    assert balance["available_usd"] == found["balance_usd"]
    assert shell.told("ledger", "verify", "--database", database)["ok"] is True


def test_a_stack_that_does_not_exist_is_a_problem(shell: Shell) -> None:
    ran = shell.process("demo", "--once", "--port", "0", "--stack", "nope", "-o", "json")
    assert ran.returncode == 1
    assert "there is no stack nope" in ran.stderr
    assert "Traceback" not in ran.stderr


def priced(shell: Shell, model: str, usage: Any) -> Decimal:
    """Price a usage by the listed prices, in other words than the ledger's."""
    listed = shell.told("models", "show", model)["pricing"]
    cached = usage["cached_input_tokens"]
    exact = Decimal(listed["input"]) * (usage["input_tokens"] - cached)
    exact += Decimal(listed["cached_input"] or listed["input"]) * cached
    exact += Decimal(listed["output"]) * usage["output_tokens"]
    price: Decimal = (exact / 1_000_000).quantize(Decimal("1e-9"), ROUND_HALF_EVEN)
    return price
