"""From nothing to a request that was paid for, and its key revoked: by commands alone."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.http.cli.running import Shell

pytestmark = pytest.mark.timeout(180)


def test_a_script_can_do_all_of_it_while_the_gateway_serves(shell: Shell) -> None:
    begun = json.loads(shell.process("init", "-o", "json").stdout)
    workspace = begun["workspace"]["id"]
    with (
        shell.staying("simulator", "--port", "0") as simulator,
        shell.staying(
            "serve",
            "--port",
            "0",
            "--upstream-url",
            simulator.first()["url"],
            OPENROUTER_API_KEY="any",
        ) as gateway,
    ):
        url = gateway.first()["url"]
        assert httpx.get(f"{url}/ready").json()["ok"] is True
        # The gateway has the database open; so does each command.
        key = told(shell, "keys", "create", "--workspace", workspace, "--name", "script")
        assert post(url, key["key"]).status_code == 402
        granted = told(shell, "credits", "grant", "--workspace", workspace, "--usd", "5.00")
        assert granted["available_usd"] == "5"
        answer = post(url, key["key"])
        assert answer.status_code == 200

        request_id = answer.headers["x-request-id"]
        trace = told(shell, "traces", "show", request_id)
        assert trace["request_id"] == request_id
        assert trace["stack"]["resolved_by"] == "default"
        assert trace["decision"]["selected"]["model"] == answer.json()["model"]
        debit = Decimal(trace["ledger"]["debit_usd"])
        assert debit > 0
        assert "chosen" in shell.process("traces", "show", request_id).stdout

        used = told(shell, "usage", "--workspace", workspace)
        assert Decimal(used["total"]["debit_usd"]) == debit
        assert [row["group"] for row in used["data"] if row["billable"]] == [answer.json()["model"]]
        assert Decimal(used["total"]["savings_usd"]) > 0
        balance = told(shell, "credits", "balance", "--workspace", workspace)
        assert Decimal(balance["available_usd"]) == 5 - debit
        assert (balance["held_usd"], balance["debt_usd"]) == ("0", "0")

        assert told(shell, "workspaces", "suspend", workspace)["status"] == "suspended"
        assert post(url, key["key"]).status_code == 403
        assert told(shell, "workspaces", "activate", workspace)["status"] == "active"
        assert told(shell, "ledger", "verify") == {"ok": True, "differences": []}
        assert told(shell, "keys", "revoke", key["id"])["status"] == "revoked"
        assert post(url, key["key"]).status_code == 401
        assert post(url, begun["key"]["key"]).status_code == 200
    assert "Serving at" in gateway.messages
    assert "Traceback" not in gateway.messages + simulator.messages
    assert told(shell, "ledger", "verify")["ok"] is True


def told(shell: Shell, *words: str) -> Any:
    """Run a command as a process, and read its one object."""
    ran = shell.process(*words, "-o", "json")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return json.loads(ran.stdout)


def post(url: str, key: str) -> httpx.Response:
    body = {"model": "astrolabe/auto", "messages": [{"role": "user", "content": "Why tides?"}]}
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=30)
