from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from astrolabe_core.money import usd
from astrolabe_http.settings import (
    OPTIONS,
    InvalidSettings,
    LogFormat,
    Settings,
    load_settings,
)

SECRET = {"ASTROLABE_SECRET_KEY": "canary-secret"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(environ: dict[str, str] | None = None, **flags: str | None) -> Settings:
    found = load_settings(flags, SECRET | (environ or {}))
    assert isinstance(found, Settings), str(found)
    return found


def findings(environ: dict[str, str], **flags: str) -> str:
    found = load_settings(flags, environ)
    assert isinstance(found, InvalidSettings)
    return str(found)


def test_with_a_secret_alone_everything_has_its_default() -> None:
    assert load() == Settings(secret_key="canary-secret")
    assert load().upstream_url == "https://openrouter.ai/api/v1"
    assert load().request_timeout_ms == 600_000
    assert load().upstream_silence_ms == 60_000
    assert load().body_bytes_max == 32 * 1024 * 1024


def test_a_flag_wins_over_the_environment_and_that_over_the_file(elsewhere: Path) -> None:
    (elsewhere / "astrolabe.toml").write_text('port = 1\nhost = "file"\nlog_format = "text"\n')
    environ = {"ASTROLABE_PORT": "2", "ASTROLABE_HOST": "environment"}
    found = load(environ, port="3", host=None)
    assert (found.port, found.host, found.log_format) == (3, "environment", LogFormat.TEXT)


def test_an_empty_variable_is_unset() -> None:
    assert load({"ASTROLABE_PORT": "", "OPENROUTER_API_KEY": ""}) == load()


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.secret])
def test_a_secret_may_stand_in_a_file_of_its_own(option: Any, elsewhere: Path) -> None:
    (elsewhere / "secret").write_text("from the file\n")
    environ = {**SECRET, f"{option.variable}_FILE": "secret"}
    if option.variable in SECRET:
        del environ[option.variable]
    found = load_settings({}, environ)
    assert isinstance(found, Settings)
    assert getattr(found, option.field) == "from the file"


def test_a_secret_file_may_be_named_in_the_toml_file(elsewhere: Path) -> None:
    (elsewhere / "secret").write_text("from the file")
    (elsewhere / "other.toml").write_text('openrouter_api_key_file = "secret"\n')
    assert load({"ASTROLABE_CONFIG": "other.toml"}).upstream_key == "from the file"
    assert load(config="other.toml").upstream_key == "from the file"


def test_a_secret_is_in_no_representation() -> None:
    found = load({"OPENROUTER_API_KEY": "canary-upstream"})
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "ASTROLABE_SECRET_KEY is not set"),
        ({**SECRET, "ASTROLABE_PORT": "70000"}, "between 0 and 65535"),
        ({**SECRET, "ASTROLABE_PORT": "-1"}, "ASTROLABE_PORT '-1'"),
        ({**SECRET, "ASTROLABE_UPSTREAM_URL": "openrouter.ai"}, "must be a URL"),
        ({**SECRET, "ASTROLABE_UPSTREAM_URL": "https://u:p@host/x"}, "neither credentials"),
        ({**SECRET, "ASTROLABE_REQUEST_TIMEOUT": "soon"}, "number of seconds"),
        ({**SECRET, "ASTROLABE_ATTEMPT_TIMEOUT": "0"}, "above 0"),
        ({**SECRET, "ASTROLABE_ATTEMPT_TIMEOUT": "nan"}, "number of seconds"),
        ({**SECRET, "ASTROLABE_BALANCE_FLOOR_USD": "-1"}, "must not be negative"),
        ({**SECRET, "ASTROLABE_BALANCE_FLOOR_USD": "1e3"}, "exact decimal"),
        ({**SECRET, "ASTROLABE_LOG_FORMAT": "xml"}, "json, text, off"),
        ({**SECRET, "ASTROLABE_CONFIG": "absent.toml"}, "cannot be read"),
        ({**SECRET, "ASTROLABE_SECRET_KEY_FILE": "x"}, "keep one"),
        ({"ASTROLABE_SECRET_KEY_FILE": "absent"}, "absent cannot be read"),
    ],
)
def test_what_cannot_be_is_told_by_its_name(environ: dict[str, str], said: str) -> None:
    assert said in findings(environ)


def test_all_findings_are_told_at_once() -> None:
    told = findings({**SECRET, "ASTROLABE_PORT": "x", "ASTROLABE_LOG_FORMAT": "x"}, workers="0")
    assert len(told.splitlines()) == 3
    assert "--workers '0'" in told


def test_a_secret_that_is_wrong_is_not_repeated(elsewhere: Path) -> None:
    (elsewhere / "secret").write_text("\n")
    told = findings({**SECRET, "OPENROUTER_API_KEY_FILE": "secret"})
    assert told == "OPENROUTER_API_KEY_FILE: must not be empty"


def test_an_unknown_name_in_the_file_is_refused_with_a_suggestion(elsewhere: Path) -> None:
    (elsewhere / "astrolabe.toml").write_text("prot = 1\n")
    assert "'prot'; did you mean 'port'?" in findings(SECRET)


def test_a_file_that_is_no_toml_is_refused(elsewhere: Path) -> None:
    (elsewhere / "astrolabe.toml").write_text("port == 1\n")
    assert "is not TOML" in findings(SECRET)


def test_seconds_and_dollars_may_have_fractions() -> None:
    found = load({"ASTROLABE_ATTEMPT_TIMEOUT": "1.5", "ASTROLABE_BALANCE_FLOOR_USD": "0.25"})
    assert found.upstream_silence_ms == 1_500
    assert found.balance_floor == usd("0.25")


def test_a_demonstration_needs_no_secret() -> None:
    assert isinstance(load_settings({}, {}, demo=True), Settings)
