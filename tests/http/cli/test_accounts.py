"""Workspaces, keys and credit, by command."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from astrolabe_http.keys import is_key
from tests.http.cli.running import SECRET, Shell


def test_a_new_workspace_is_active_and_has_nothing(shell: Shell) -> None:
    made = shell.told("workspaces", "create", "ours")
    assert made["name"] == "ours"
    assert made["status"] == "active"
    wallet = shell.told("credits", "balance", "--workspace", made["id"])
    assert wallet == {
        "workspace": made["id"],
        "available_usd": "0",
        "held_usd": "0",
        "debt_usd": "0",
    }
    assert shell.told("workspaces", "show", made["id"]) == made
    assert shell.told("workspaces", "list")["data"] == [made]


def test_the_first_workspace_makes_its_database(shell: Shell) -> None:
    url = f"sqlite:///{shell.folder / 'new.db'}"
    made = shell.told("workspaces", "create", "ours", "--database", url)
    assert shell.told("workspaces", "list", "--database", url)["data"] == [made]


def test_a_workspace_is_suspended_and_activated(shell: Shell, workspace: str) -> None:
    assert shell.told("workspaces", "suspend", workspace)["status"] == "suspended"
    assert shell.told("workspaces", "show", workspace)["status"] == "suspended"
    assert shell.told("workspaces", "activate", workspace)["status"] == "active"


def test_a_key_is_shown_once_and_kept_nowhere(shell: Shell, workspace: str) -> None:
    made = shell.told("keys", "create", "--workspace", workspace, "--name", "ci", "--stack", "fast")
    assert is_key(made["key"])
    assert made["key"].startswith(made["prefix"])
    assert made["key"].startswith("astrolabe_live_")
    shown = shell.told("keys", "show", made["id"])
    assert (shown["name"], shown["stack"], shown["rate_limit"]) == ("ci", "fast", 6_000)
    assert made["key"] not in json.dumps(shown)
    assert made["key"].encode() not in (shell.folder / "accounts.db").read_bytes()
    listed = shell.run("keys", "list")
    assert made["key"] not in listed.output
    assert made["prefix"] in listed.output


def test_a_person_sees_the_key_too(shell: Shell, workspace: str) -> None:
    ran = shell.run("keys", "create", "--workspace", workspace)
    shown = next(line for line in ran.stdout.splitlines() if line.startswith("key"))
    assert is_key(shown.split()[1])
    assert "shown this once" in ran.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bounds.json", '{"blockedProviders": ["x-ai"], "dataPolicy": "no_training"}'),
        ("bounds.toml", 'blockedProviders = ["x-ai"]\ndataPolicy = "no_training"\n'),
    ],
)
def test_an_envelope_is_read_from_json_and_toml(
    shell: Shell, workspace: str, name: str, text: str
) -> None:
    (shell.folder / name).write_text(text)
    made = shell.told("keys", "create", "--envelope", name, "--rate-limit", "7")
    assert made["envelope"]["blockedProviders"] == ["x-ai"]
    assert made["envelope"]["dataPolicy"] == "no_training"
    assert made["rate_limit"] == 7
    shown = shell.run("keys", "show", made["id"]).stdout
    assert "blockedProviders: x-ai" in shown
    assert "allowPreview" not in shown


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"blockedProvider": []}', "blockedProviders"),
        ("not json", "JSON"),
    ],
)
def test_an_envelope_that_cannot_be_read_makes_no_key(
    shell: Shell, workspace: str, text: str, said: str
) -> None:
    (shell.folder / "bounds.json").write_text(text)
    ran = shell.run("keys", "create", "--envelope", "bounds.json")
    assert ran.exit_code == 2
    assert said in ran.stderr
    assert shell.told("keys", "list")["data"] == []


def test_a_revoked_key_stays_revoked(shell: Shell, workspace: str) -> None:
    made = shell.told("keys", "create")
    for _ in range(2):
        assert shell.told("keys", "revoke", made["id"])["status"] == "revoked"
    assert shell.told("keys", "list")["data"][0]["status"] == "revoked"


def test_a_key_of_another_workspace_is_not_found(shell: Shell, workspace: str) -> None:
    made = shell.told("keys", "create")
    other = shell.told("workspaces", "create", "theirs")["id"]
    ran = shell.run("keys", "revoke", made["id"], "--workspace", other)
    assert ran.exit_code == 3
    assert shell.told("keys", "show", made["id"])["status"] == "active"


def test_a_key_needs_the_secret(shell: Shell, workspace: str) -> None:
    ran = shell.run("keys", "create", ASTROLABE_SECRET_KEY="")
    assert ran.exit_code == 2
    assert "ASTROLABE_SECRET_KEY" in ran.stderr
    assert shell.told("keys", "list", ASTROLABE_SECRET_KEY="")["data"] == []


def test_nothing_tells_the_secret(shell: Shell, workspace: str) -> None:
    for words in (("keys", "create"), ("doctor",), ("init",), ("keys", "list", "--workspace", "x")):
        assert SECRET not in shell.run(*words).output


def test_credit_is_granted_exactly(shell: Shell, workspace: str) -> None:
    for amount, available in (("5.00", "5"), ("0.000000001", "5.000000001")):
        wallet = shell.told("credits", "grant", "--workspace", workspace, "--usd", amount)
        assert wallet["available_usd"] == available
        assert wallet.keys() >= {"available_usd", "held_usd", "debt_usd"}


def test_a_grant_with_an_identity_is_made_once(shell: Shell, workspace: str) -> None:
    for _ in range(2):
        wallet = shell.told("credits", "grant", "--usd", "3", "--id", "order-7")
        assert wallet["available_usd"] == "3"
    ran = shell.run("credits", "grant", "--usd", "4", "--id", "order-7")
    assert ran.exit_code == 1
    assert "order-7 was made before" in ran.stderr


@pytest.mark.parametrize("amount", ["1e3", "0.0000000001", "-1", "0", "nan", "five", "1,000"])
def test_an_amount_that_is_none_grants_nothing(shell: Shell, workspace: str, amount: str) -> None:
    ran = shell.run("credits", "grant", "--usd", amount)
    assert ran.exit_code in {1, 2}
    assert "Traceback" not in ran.output
    assert shell.told("credits", "balance")["available_usd"] == "0"


def test_the_journal_is_read_in_pages(shell: Shell, workspace: str) -> None:
    for amount in ("1", "2", "3"):
        shell.told("credits", "grant", "--usd", amount, "--note", f"no. {amount}")
    first = shell.told("credits", "ledger", "--limit", "2")
    assert [line["available_usd"] for line in first["data"]] == ["1", "2"]
    assert first["has_more"] is True
    rest = shell.told("credits", "ledger", "--limit", "2", "--after", str(first["next_after"]))
    assert [line["note"] for line in rest["data"]] == ["no. 3"]
    assert rest["has_more"] is False
    for line in first["data"] + rest["data"]:
        amounts = ("available_usd", "held_usd", "house_usd")
        assert sum(Decimal(line[name]) for name in amounts) == Decimal(line["debt_usd"])
    shown = shell.run("credits", "ledger", "--limit", "2")
    assert "--after 2" in shown.stderr
    assert "no. 2" in shown.stdout


def test_among_several_workspaces_one_must_be_named(shell: Shell, workspace: str) -> None:
    other = shell.told("workspaces", "create", "theirs")["id"]
    for words in (("credits", "balance"), ("keys", "list"), ("keys", "create")):
        ran = shell.run(*words)
        assert ran.exit_code == 2
        assert f"{other} (theirs)" in ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("workspaces", "show", "ws_none"),
        ("workspaces", "suspend", "ws_none"),
        ("keys", "create", "--workspace", "ws_none"),
        ("keys", "list", "--workspace", "ws_none"),
        ("keys", "show", "key_none"),
        ("keys", "revoke", "key_none"),
        ("credits", "grant", "--usd", "1", "--workspace", "ws_none"),
        ("credits", "balance", "--workspace", "ws_none"),
        ("credits", "ledger", "--workspace", "ws_none"),
        ("traces", "show", "req_none"),
        ("usage", "--workspace", "ws_none"),
        ("models", "show", "openai/none"),
    ],
)
def test_what_is_not_there_is_three_and_says_where_to_look(
    shell: Shell, workspace: str, words: tuple[str, ...]
) -> None:
    for form in ("table", "json"):
        ran = shell.run(*words, "-o", form)
        assert ran.exit_code == 3
        assert ran.stdout == ""
        assert "Error: there is no" in ran.stderr
        assert "Next: " in ran.stderr


@pytest.mark.parametrize(
    "words", [("workspaces", "list"), ("ledger", "verify"), ("usage",), ("traces", "show", "x")]
)
def test_a_database_that_is_not_there_is_not_made(shell: Shell, words: tuple[str, ...]) -> None:
    ran = shell.run(*words)
    assert ran.exit_code == 3
    assert "astrolabe init" in ran.stderr
    assert list(shell.folder.iterdir()) == []


@pytest.mark.parametrize("url", ["accounts.db", "mysql://x/y", "sqlite://accounts.db"])
def test_a_database_that_cannot_be_opened_is_told(shell: Shell, url: str) -> None:
    ran = shell.run("workspaces", "list", "--database", url)
    assert ran.exit_code == 1
    assert "sqlite:///" in ran.stderr
    assert "Traceback" not in ran.output


def test_a_file_that_is_no_database_is_told(shell: Shell) -> None:
    (shell.folder / "accounts.db").write_text("these are the days of our lives" * 100)
    ran = shell.run("workspaces", "list")
    assert ran.exit_code == 1
    assert "Error: " in ran.stderr
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
