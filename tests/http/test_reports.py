"""What is reported beside requests is one line each, and nobody else's words are in it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from astrolabe_http.reports import Reporter
from astrolabe_http.settings import LogFormat

FIELDS = {"at", "level", "logger", "place", "message", "fault", "trail"}


def told(
    name: str, message: str, *given: Any, error: Exception | None = None, text: bool = False
) -> bytes:
    lines: list[bytes] = []
    reporter = Reporter(lines.append, LogFormat.TEXT if text else LogFormat.JSON)
    trace = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord(name, logging.ERROR, __file__, 7, message, given, trace, "work")
    reporter.handle(record)
    (line,) = lines
    return line


def raised() -> Exception:
    try:
        int("canary\nprompt")
    except ValueError as error:
        return error
    raise AssertionError


def test_our_own_words_are_written_whole() -> None:
    said = json.loads(told("astrolabe", "%s: %s at %s", "req_1", "ValueError", "here"))
    assert said["message"] == "req_1: ValueError at here"
    assert (said["level"], said["logger"]) == ("error", "astrolabe")
    assert said["place"] == "test_reports:7 work"
    assert set(said) <= FIELDS


@pytest.mark.parametrize("text", [False, True])
def test_what_a_server_fills_into_its_messages_is_left_out(text: bool) -> None:
    line = told("uvicorn.error", "should return None, but returned '%s'.", "canary", text=text)
    assert b"canary" not in line
    assert b"should return None" in line


@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize("name", ["asyncio", "httpx", "uvicornish", "root"])
def test_the_words_of_others_are_not_written(name: str, text: bool) -> None:
    line = told(name, "future: <Task exception=ValueError('canary')>", error=raised(), text=text)
    assert b"canary" not in line
    assert b"ValueError" in line
    assert b"raised" in line
    assert line.count(b"\n") == 1


def test_where_an_exception_went_by_is_told_from_its_source_on() -> None:
    def outer() -> Exception:
        try:
            inner()
        except KeyError as error:
            return error
        raise AssertionError

    def inner() -> None:
        raise KeyError("canary")

    trail = json.loads(told("asyncio", "x", error=outer()))["trail"]
    assert [place.rpartition(" ")[2] for place in trail] == ["inner", "outer"]


@pytest.mark.parametrize("text", [False, True])
def test_no_report_begins_a_line_or_speaks_to_a_terminal(text: bool) -> None:
    line = told("astrolabe", "%s", 'a\nb\r\x1b[31m\u2028"', text=text)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert b"\x1b" not in line
    assert b"\r" not in line


def test_information_is_no_report() -> None:
    assert Reporter(lambda line: None, LogFormat.JSON).level == logging.WARNING
