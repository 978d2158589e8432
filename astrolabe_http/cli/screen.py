"""How does a command show what it found: as a table, or as JSON?

Without a terminal there is neither
colour nor a bound below 120 columns. `NO_COLOR` and `TERM=dumb` are respected.
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
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

WIDTH_PIPED: Final = 120
NONE: Final = "-"


def console(*, err: bool = False) -> Console:
    """Give the terminal, or what stands for it."""
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        return Console(file=stream, highlight=False)
    width = None if "COLUMNS" in os.environ else WIDTH_PIPED
    return Console(file=_Trimmed(stream), width=width, highlight=False)


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


def show_json(value: object) -> None:
    """Write one JSON object to stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def say(text: str = "") -> None:
    """Tell a person something that is no data."""
    click.echo(text, err=True)


def facts(pairs: Mapping[str, RenderableType]) -> Table:
    """Lay out names and values in two columns."""
    made = Table.grid(padding=(0, 2))
    made.add_column(no_wrap=True, style="dim")
    made.add_column(overflow="fold")
    for name, value in pairs.items():
        made.add_row(name, value)
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
