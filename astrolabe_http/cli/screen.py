"""How does a command show what it found: as a table, or as JSON?

Without a terminal there is neither colour nor a bound below 120 columns. `NO_COLOR` and `TERM=dumb`
are respected. Names and words that others chose are shown, never obeyed: what is no printable
character cannot speak to a terminal, and nothing is read as markup.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from io import StringIO
from typing import Final, TextIO

import click
from attrs import frozen
from rich.console import (
    Console,
    ConsoleOptions,
    ConsoleRenderable,
    RenderableType,
    RenderHook,
    RenderResult,
)
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

WIDTH_PIPED: Final = 120
NONE: Final = "-"
SHOWN: Final = "\N{REPLACEMENT CHARACTER}"


def console(*, err: bool = False) -> Console:
    """Give the terminal, or what stands for it."""
    stream = sys.stderr if err else sys.stdout
    tty = stream.isatty()
    made = Console(
        file=stream if tty else _Trimmed(stream),
        width=None if tty or "COLUMNS" in os.environ else WIDTH_PIPED,
        highlight=False,
        markup=False,
        emoji=False,
    )
    made.push_render_hook(_Shown())
    return made


class _Shown(RenderHook):
    """Replaces what is no printable character, wherever it comes from, as the last step."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Wrap all that is printed."""
        return [_Printable(each) for each in renderables]


@frozen
class _Printable:
    """Something to print whose every character is printable."""

    inner: ConsoleRenderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.inner, options):
            if segment.control:
                yield segment
            else:
                yield Segment(printable(segment.text), segment.style)


def printable(text: str) -> str:
    """Write text so that no terminal obeys it; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else SHOWN for each in text)


class _Trimmed(StringIO):
    """Passes lines on without the blanks that only fill them up: nobody wants those in a file."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass text on; rich writes whole lines."""
        return self._stream.write(re.sub(r" +$", "", text, flags=re.MULTILINE))

    def flush(self) -> None:
        """Pass it on."""
        self._stream.flush()


def plain(words: str | Text) -> Text:
    """Make text printable before it is laid out: what is replaced then has a width."""
    made = Text(words) if isinstance(words, str) else words
    made.plain = printable(made.plain)
    return made


def show_json(value: object) -> None:
    """Write one JSON object to stdout; what a terminal might obey is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if not text.replace("\n", "").isprintable():
        text = "".join(
            each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text
        )
    click.echo(text)


def say(text: str = "") -> None:
    """Tell a person something that is no data."""
    click.echo(printable(text), err=True)


def facts(pairs: Mapping[str, RenderableType]) -> Table:
    """Lay out names and values in two columns."""
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True, style="dim")
    made.add_column(overflow="fold")
    for name, value in pairs.items():
        made.add_row(name, plain(value) if isinstance(value, str | Text) else value)
    return made


def heading(text: str, more: str = "") -> Text:
    """Write the title of a part."""
    return Text.assemble((text, "bold"), (f"  {more}" if more else "", "dim"))


def dollars(amount: object) -> str:
    """Write a decimal string of dollars for a person; a missing one as a dash."""
    if amount is None:
        return NONE
    text = str(amount)
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def moment(millis: object) -> str:
    """Write an instant in UTC for a person."""
    if not isinstance(millis, int) or not millis:
        return NONE
    return f"{datetime.fromtimestamp(millis / 1_000, UTC):%Y-%m-%d %H:%M:%S}"
