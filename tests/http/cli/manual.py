"""The generated parts of docs/cli.md: every setting, and what each command says of itself.

`uv run python -m tests.http.cli.manual` writes them anew; a test holds the page to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from attrs import fields_dict
from click.testing import CliRunner

from astrolabe_http.cli.root import astrolabe
from astrolabe_http.settings import OPTIONS, Settings
from tests.docs.generated import embedded

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"
WIDTH = 88

MEANINGS = {
    "secret_key": "keys are stored as hashes under this secret; required but for `demo`",
    "upstream_key": "the key for the provider",
    "upstream_url": "OpenRouter, or another that speaks its API; ends in `/api/v1`",
    "upstream_kind": "`openrouter`, or `openai` for a plain OpenAI-compatible server",
    "upstream_apis": "which of `chat` and `responses` the upstream has; the other is translated",
    "catalog_file": "a catalog of one's own in place of the shipped one",
    "database_url": "where accounts are kept: `sqlite:///relative`, `sqlite:////absolute`",
    "host": "the address to listen on",
    "port": "the port to listen on; 0 takes any free one",
    "workers": "processes; this version has one",
    "log_format": "one line a request on stderr: `json`, `text` or `off`",
    "balance_floor": "dollars that must stay available",
    "request_timeout_ms": "seconds for a whole request",
    "upstream_silence_ms": "seconds without a byte from the provider",
    "upstream_connect_ms": "seconds for a connection to the provider",
    "upstream_connections_max": "connections to the provider at once",
    "stream_keepalive_ms": "seconds without a word in a stream that is held back; then a comment",
    "on_client_disconnect": "`cancel` the provider's work, or `drain` it and bill all of it",
    "headers_max": "headers of a request; more is 431",
    "header_bytes_max": "bytes of a request's head; more is 431",
    "head_timeout_ms": "seconds that a caller may take to send a request's head",
    "body_timeout_ms": "seconds that a caller may take to send a request's body",
    "concurrency_max": "requests at once; more are 503",
    "body_bytes_max": "bytes of a request's body; more is 413",
    "answer_bytes_max": "bytes of a provider's answer",
    "circuits": "make no calls for a while of a model that keeps failing",
    "circuit_failures": "failures in a row after which a model is not called",
    "circuit_open_ms": "seconds until it is tried again; twice as many each time",
    "circuit_open_ms_max": "the most seconds that a model is not called",
    "debug": "check each stream that goes out against its grammar",
}


def parts() -> dict[str, str]:
    """Give each generated part of the page under its mark."""
    return {"settings": "\n".join(_settings()), "commands": "\n".join(_commands())}


def verbs(
    command: click.Command = astrolabe, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Name every command that can be run, in the order in which help lists them."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from verbs(below, (*words, name))
    else:
        yield words


def help_of(words: tuple[str, ...]) -> str:
    """Give what a command says of itself."""
    ran = CliRunner().invoke(
        astrolabe, [*words, "--help"], prog_name="astrolabe", terminal_width=WIDTH
    )
    assert ran.exit_code == 0, ran.output
    return ran.stdout.rstrip()


def _settings() -> Iterator[str]:
    yield "| Variable | In the file | Default | |"
    yield "| --- | --- | --- | --- |"
    for option in OPTIONS:
        default: Any = fields_dict(Settings)[option.field].default
        if option.field.endswith(("_ms", "_ms_max")):
            default = f"{default / 1_000:g}"
        if isinstance(default, frozenset):
            default = ",".join(sorted(default))
        if isinstance(default, bool):
            default = str(default).lower()
        shown = f"`{default}`" if default != "" else "none"
        names = f"`{option.variable}`", f"`{option.name}`"
        yield f"| {names[0]} | {names[1]} | {shown} | {MEANINGS[option.field]} |"


def _commands() -> Iterator[str]:
    yield f"```text\n$ astrolabe --help\n{help_of(())}\n```"
    for words in verbs():
        name = " ".join(words)
        yield f"\n### astrolabe {name}\n\n```text\n{help_of(words)}\n```"


if __name__ == "__main__":
    PAGE.write_text(embedded(PAGE.read_text(encoding="utf-8"), parts()), encoding="utf-8")
