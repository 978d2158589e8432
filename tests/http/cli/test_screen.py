"""What a terminal gets, and what a pipe gets."""

from __future__ import annotations

import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from fcntl import ioctl

import pytest

from tests.http.cli.running import Shell

COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-9]")


def on_a_terminal(shell: Shell, *words: str, columns: int = 100, **environ: str) -> tuple[int, str]:
    """Run a command with both streams on a terminal of that width."""
    leader, follower = pty.openpty()
    ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "astrolabe_http", *words],
        cwd=shell.folder,
        env={**shell.environment(TERM="xterm-256color"), **environ},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    ) as process:
        os.close(follower)
        read = b""
        try:
            while more := os.read(leader, 65_536):
                read += more
        except OSError:
            pass  # the other end is closed
        finally:
            os.close(leader)
    return process.returncode, read.decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_in_its_own_width(shell: Shell) -> None:
    code, text = on_a_terminal(shell, "models", "show", "nope")
    assert code == 3
    assert COLOUR.search(text)
    for columns in (50, 90):
        _, text = on_a_terminal(shell, "models", "list", columns=columns)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert max(map(len, plain.splitlines())) <= columns


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_who_wants_no_colour_gets_none(shell: Shell, environ: dict[str, str]) -> None:
    for words in (("models", "show", "nope"), ("doctor",)):
        _, text = on_a_terminal(shell, *words, columns=100, **environ)
        assert not COLOUR.search(text)
        assert text.strip()


def test_a_pipe_gets_nothing_but_text(shell: Shell) -> None:
    for words in (("models", "list"), ("doctor",), ("models", "show", "nope")):
        ran = shell.process(*words, OPENROUTER_API_KEY="x", ASTROLABE_UPSTREAM_URL="http://[::1]:9")
        assert "\x1b" not in ran.stdout + ran.stderr


def test_a_stream_that_knows_few_characters_is_no_reason_to_fail(shell: Shell) -> None:
    ran = shell.process("models", "list", PYTHONIOENCODING="ascii")
    assert ran.returncode == 0
    assert "Traceback" not in ran.stderr


def test_json_is_one_object_in_any_width(shell: Shell) -> None:
    assert shell.told("models", "list", COLUMNS="20")["object"] == "list"


def test_a_reader_that_stops_reading_is_no_bug(shell: Shell) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "astrolabe_http", "models", "list", "-o", "json"],
        cwd=shell.folder,
        env=shell.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()


HOSTILE = (
    "[bold]x[/] :smile: \x1b]0;owned\x07\x1b[31mred\x9b2J\u202ereversed [link=http://x]y[/link]"
)
UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")
STYLED = re.compile(r"\x1b\[[0-9;]*m")


def with_hostile_names(shell: Shell) -> str:
    """Make an account whose key and whose journal hold words that a terminal would obey."""
    workspace: str = shell.told("workspaces", "create", "acme")["id"]
    shell.told("keys", "create", "--workspace", workspace, "--name", HOSTILE)
    told = ("credits", "grant", "--workspace", workspace, "--usd", "1")
    shell.told(*told, "--note", f"{HOSTILE}\r\nforged line")
    return workspace


@pytest.mark.parametrize("columns", [40, 120])
@pytest.mark.parametrize(
    "words", [("keys", "list"), ("credits", "ledger")], ids=["a key", "a journal"]
)
def test_a_name_is_shown_and_never_obeyed(
    shell: Shell, words: tuple[str, str], columns: int
) -> None:
    workspace = with_hostile_names(shell)
    code, text = on_a_terminal(shell, *words, "--workspace", workspace, columns=columns)
    assert code == 0
    assert not UNPRINTABLE.search(STYLED.sub("", text))
    assert "[bold]" in text
    assert ":smile:" in text
    piped = shell.process(*words, "--workspace", workspace)
    assert not UNPRINTABLE.search(piped.stdout + piped.stderr)


@pytest.mark.parametrize(
    "words", [("keys", "list"), ("credits", "ledger")], ids=["a key", "a journal"]
)
def test_json_says_the_same_and_no_terminal_obeys_it(shell: Shell, words: tuple[str, str]) -> None:
    workspace = with_hostile_names(shell)
    ran = shell.process(*words, "--workspace", workspace, "-o", "json")
    assert not UNPRINTABLE.search(ran.stdout)
    assert HOSTILE in str(json.loads(ran.stdout)).encode().decode("unicode_escape")


def test_what_a_person_mistyped_is_not_obeyed_either(shell: Shell) -> None:
    for words in (("keys", "show", HOSTILE), ("traces", "show", HOSTILE), (HOSTILE,)):
        _, text = on_a_terminal(shell, *words)
        assert not UNPRINTABLE.search(STYLED.sub("", text))
