from __future__ import annotations

import socket
from typing import Any

from astrolabe_core import shipped
from astrolabe_http.simulator import RunningSimulator, SimulatorSettings
from astrolabe_http.simulator.catalog import from_catalog
from tests.http.catalogs import local_model, written
from tests.http.cli.running import Shell

NOWHERE = "http://127.0.0.1:9/api/v1"


def checks(shell: Shell, **environ: str) -> tuple[int, dict[str, Any]]:
    given = {"ASTROLABE_UPSTREAM_URL": NOWHERE, "ASTROLABE_PORT": "0", **environ}
    ran = shell.run("doctor", "-o", "json", **given)
    import json

    found = json.loads(ran.stdout)
    assert found["ok"] == all(each["ok"] for each in found["checks"]) == (ran.exit_code == 0)
    assert all(each["ok"] or each["remedy"] for each in found["checks"])
    return ran.exit_code, {each["check"]: each for each in found["checks"]}


def test_a_sound_set_up_is_zero(shell: Shell) -> None:
    shell.told("init")
    with RunningSimulator(from_catalog(shipped.catalog())) as simulator:
        code, found = checks(shell, ASTROLABE_UPSTREAM_URL=simulator.url, OPENROUTER_API_KEY="any")
    assert code == 0, found
    assert set(found) == {
        "settings",
        "secret",
        "database",
        "accounts",
        "catalog",
        "provider key",
        "upstream",
        "port",
    }


def test_nothing_at_all_is_told_line_by_line_and_changes_nothing(shell: Shell) -> None:
    code, found = checks(shell, ASTROLABE_SECRET_KEY="")
    assert code == 1
    for name in ("secret", "database", "provider key", "upstream"):
        assert not found[name]["ok"], name
    assert "astrolabe init" in found["database"]["remedy"]
    assert list(shell.folder.iterdir()) == []


def test_a_provider_that_refuses_the_key_is_told(shell: Shell) -> None:
    shell.told("init")
    settings = SimulatorSettings(key="the right one")
    with RunningSimulator(from_catalog(shipped.catalog()), settings) as simulator:
        url = simulator.url
        _, wrong = checks(shell, ASTROLABE_UPSTREAM_URL=url, OPENROUTER_API_KEY="wrong")
        code, right = checks(shell, ASTROLABE_UPSTREAM_URL=url, OPENROUTER_API_KEY="the right one")
    assert "refuses the key" in wrong["upstream"]["message"]
    assert "wrong" not in wrong["upstream"]["message"]
    assert code == 0, right


def test_a_url_that_is_no_upstream_is_told(shell: Shell) -> None:
    with RunningSimulator(from_catalog(shipped.catalog())) as simulator:
        _, found = checks(shell, ASTROLABE_UPSTREAM_URL=simulator.origin)
    assert "404" in found["upstream"]["message"]
    assert "/api/v1" in found["upstream"]["remedy"]


def test_a_taken_port_is_told(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        _, found = checks(shell, ASTROLABE_PORT=str(taken.getsockname()[1]))
    assert "already in use" in found["port"]["message"]


def test_every_bad_setting_is_told(shell: Shell) -> None:
    ran = shell.run("doctor", ASTROLABE_PORT="many", ASTROLABE_UPSTREAM_URL="not a url")
    assert ran.exit_code == 1
    assert ran.stdout.count("problem settings") == 2


def test_a_short_secret_is_told(shell: Shell) -> None:
    _, found = checks(shell, ASTROLABE_SECRET_KEY="short")
    assert "fewer than 32" in found["secret"]["message"]
    assert "short" not in found["secret"]["message"]


def test_a_workspace_without_a_key_is_told(shell: Shell, workspace: str) -> None:
    _, found = checks(shell)
    assert "no workspace has a key" in found["accounts"]["message"]


def test_a_file_that_is_no_database_is_told(shell: Shell) -> None:
    (shell.folder / "accounts.db").write_text("these are the days of our lives" * 100)
    code, found = checks(shell)
    assert code == 1
    assert not found["database"]["ok"]


def test_a_catalog_of_one_s_own_is_counted_or_its_faults_are_told(shell: Shell) -> None:
    shell.told("init")
    _, sound = checks(shell, ASTROLABE_CATALOG=written(shell.folder))
    assert sound["catalog"]["message"] == "2 models and 1 virtual model, sound"
    unfit = written(shell.folder, models=[local_model("local/a", retailPrice={})])
    _, found = checks(shell, ASTROLABE_CATALOG=unfit)
    assert "retailPrice.input" in found["catalog"]["message"]
    assert "docs/catalog.md" in found["catalog"]["remedy"]


def test_a_plain_server_may_ask_for_no_key(shell: Shell) -> None:
    shell.told("init")
    _, found = checks(shell, ASTROLABE_UPSTREAM_KIND="openai")
    assert found["provider key"]["ok"]
