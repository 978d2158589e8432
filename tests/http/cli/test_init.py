from __future__ import annotations

import os
import stat
import tomllib

import pytest

from astrolabe_http.keys import is_key
from tests.http.cli.running import Shell

BARE = {"ASTROLABE_SECRET_KEY": "", "ASTROLABE_DATABASE_URL": ""}


def test_after_it_every_command_in_that_folder_works_without_more(shell: Shell) -> None:
    made = shell.told("init", **BARE)
    assert is_key(made["key"]["key"])
    assert made["workspace"]["status"] == "active"
    listed = shell.told("workspaces", "list", **BARE)["data"]
    assert listed == [made["workspace"]]
    # The secret that was made is the one that later keys are made under.
    assert is_key(shell.told("keys", "create", **BARE)["key"])
    assert shell.told("credits", "grant", "--usd", "5", **BARE)["available_usd"] == "5"


def test_the_secret_is_for_its_owner_only(shell: Shell) -> None:
    former = os.umask(0)
    try:
        shell.told("init", **BARE)
    finally:
        os.umask(former)
    file = shell.folder / "astrolabe.secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) == 64


def test_the_secret_is_never_shown(shell: Shell) -> None:
    told = shell.run("init", **BARE).output
    assert (shell.folder / "astrolabe.secret").read_text().strip() not in told
    assert "astrolabe.secret" in told


def test_the_settings_name_secret_and_database_from_anywhere(shell: Shell) -> None:
    made = shell.told("init", **BARE)
    written = tomllib.loads((shell.folder / "astrolabe.toml").read_text())
    assert written["secret_key_file"] == str(shell.folder / "astrolabe.secret")
    assert written["database_url"] == f"sqlite:///{shell.folder / 'astrolabe.db'}"
    elsewhere = shell.folder / "elsewhere"
    elsewhere.mkdir()
    other = Shell(elsewhere, shell.monkeypatch)
    config = str(shell.folder / "astrolabe.toml")
    found = other.told("workspaces", "list", "--config", config, **BARE)
    assert found["data"] == [made["workspace"]]


def test_settings_are_written_where_they_are_asked_for(shell: Shell) -> None:
    made = shell.told("init", "--config", "mine.toml", **BARE)
    assert made["config_file"] == str(shell.folder / "mine.toml")
    assert not (shell.folder / "astrolabe.toml").exists()
    assert len(shell.told("workspaces", "list", "--config", "mine.toml", **BARE)["data"]) == 1


def test_a_secret_that_is_set_is_used_and_written_nowhere(shell: Shell) -> None:
    made = shell.told("init")
    assert made["secret_file"] is None
    assert {file.name for file in shell.folder.iterdir() if file.suffix != ".lock"} <= {
        "accounts.db",
        "accounts.db-wal",
        "accounts.db-shm",
    }
    assert is_key(made["key"]["key"])


def test_to_repeat_it_changes_nothing(shell: Shell) -> None:
    shell.told("init", **BARE)
    secret = (shell.folder / "astrolabe.secret").read_text()
    again = shell.told("init", **BARE)
    assert (again["workspace"], again["key"], again["secret_file"]) == (None, None, None)
    assert (shell.folder / "astrolabe.secret").read_text() == secret
    assert len(shell.told("keys", "list", **BARE)["data"]) == 1
    assert "nothing was added" in shell.run("init", **BARE).stderr


def test_settings_that_are_there_are_left_alone(shell: Shell) -> None:
    (shell.folder / "astrolabe.toml").write_text("port = 9999\n")
    ran = shell.run("init", **BARE)
    assert ran.exit_code == 0
    assert (shell.folder / "astrolabe.toml").read_text() == "port = 9999\n"
    assert f"ASTROLABE_SECRET_KEY_FILE={shell.folder / 'astrolabe.secret'}" in ran.stderr


def test_no_second_secret_is_made_for_accounts_that_have_one(shell: Shell) -> None:
    shell.told("init")
    ran = shell.run("init", ASTROLABE_SECRET_KEY="")
    assert ran.exit_code == 1
    assert "under a secret that is not set" in ran.stderr
    assert not (shell.folder / "astrolabe.secret").exists()


def test_a_secret_file_is_never_overwritten(shell: Shell) -> None:
    (shell.folder / "astrolabe.secret").write_text("precious")
    ran = shell.run("init", **BARE)
    assert ran.exit_code == 1
    assert (shell.folder / "astrolabe.secret").read_text() == "precious"


@pytest.mark.parametrize("name", ["", "\n", "x" * 201])
def test_a_name_that_is_none_is_refused(shell: Shell, name: str) -> None:
    ran = shell.run("init", "--name", name)
    assert ran.exit_code == 1
    assert "name" in ran.stderr
