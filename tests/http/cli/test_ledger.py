from __future__ import annotations

import json
import sqlite3

from tests.http.cli.running import Shell


def test_true_books_are_ok(shell: Shell, workspace: str) -> None:
    shell.told("credits", "grant", "--usd", "5")
    assert shell.told("ledger", "verify") == {"ok": True, "differences": []}
    assert shell.run("ledger", "verify").stdout.startswith("ok")


def test_a_balance_that_its_journal_does_not_say_is_named(shell: Shell, workspace: str) -> None:
    shell.told("credits", "grant", "--usd", "5")
    other = shell.told("workspaces", "create", "theirs")["id"]
    with sqlite3.connect(shell.folder / "accounts.db") as database:
        changed = database.execute("UPDATE wallets SET available = 5000000001 WHERE available > 0")
        assert changed.rowcount == 1
    database.close()
    ran = shell.run("ledger", "verify", "-o", "json")
    assert ran.exit_code == 1
    assert json.loads(ran.stdout) == {
        "ok": False,
        "differences": [
            {
                "workspace": workspace,
                "subject": "wallet.available",
                "expected": "5000000000",
                "actual": "5000000001",
            }
        ],
    }
    assert shell.told("ledger", "verify", "--workspace", other)["ok"] is True
    shown = shell.run("ledger", "verify")
    assert shown.exit_code == 1
    assert "wallet.available" in shown.stdout
    assert "keep a copy" in shown.stderr
