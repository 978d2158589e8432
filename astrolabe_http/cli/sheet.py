"""How does a table keep every figure whole, however narrow the terminal?

Nothing is cut: where a table does not fit, columns of prose are wrapped, then spare columns are
left out and named below, and at last each row becomes a block of names and values.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Self

from attrs import define, field, frozen
from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from astrolabe_http.cli.screen import plain

GAP: Final = 2
PROSE_WIDTH_MIN: Final = 16


@frozen
class Column:
    """A column. `prose` may wrap; of the `spare` ones the highest number is left out first."""

    name: str
    right: bool = field(default=False, kw_only=True)
    prose: bool = field(default=False, kw_only=True)
    spare: int = field(default=0, kw_only=True)


@frozen(kw_only=True)
class Row:
    """One row; `sums` has a rule above it."""

    cells: tuple[Text, ...]
    style: str = ""
    sums: bool = False


@define
class Sheet:
    """A table that fits."""

    columns: tuple[Column, ...]
    rows: list[Row] = field(factory=list)

    @classmethod
    def of(cls, *columns: Column | str) -> Self:
        """Begin a table; a mere name is a column of text."""
        return cls(tuple(Column(each) if isinstance(each, str) else each for each in columns))

    def add(self, *cells: str | Text, style: str = "", sums: bool = False) -> None:
        """Add a row."""
        made = tuple(map(plain, cells))
        if len(made) != len(self.columns):
            raise ValueError(f"{len(made)} cells for {len(self.columns)} columns")
        self.rows.append(Row(cells=made, style=style, sums=sums))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self._fitting(options.max_width)
        if shown is None:
            yield from self._blocks()
            return
        yield self._table(shown)
        absent = [each.name for place, each in enumerate(self.columns) if place not in shown]
        if absent:
            yield Text(f"not shown in this width: {', '.join(absent)}", "dim italic")

    def _fitting(self, width: int) -> Sequence[int] | None:
        """Choose the columns to show, by their places; `None` where it cannot be a table."""
        shown = list(range(len(self.columns)))
        spare = sorted((place for place in shown if self.columns[place].spare), key=self._spare)
        while self._width(shown) > width:
            if not spare:
                return None
            shown.remove(spare.pop())
        return shown

    def _spare(self, place: int) -> int:
        return self.columns[place].spare

    def _width(self, shown: Iterable[int]) -> int:
        widths = [self._least(place) for place in shown]
        return sum(widths) + GAP * (len(widths) - 1)

    def _least(self, place: int) -> int:
        """Give the least width that a column can be shown in."""
        column = self.columns[place]
        cells = (row.cells[place].cell_len for row in self.rows)
        natural = max((len(column.name), *cells))
        return min(natural, PROSE_WIDTH_MIN) if column.prose else natural

    def _table(self, shown: Sequence[int]) -> Table:
        made = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, GAP - 1, 0, 0),
            header_style="bold",
        )
        for place in shown:
            column = self.columns[place]
            made.add_column(
                column.name,
                justify="right" if column.right else "left",
                no_wrap=not column.prose,
                min_width=self._least(place),
            )
        for row in self.rows:
            if row.sums:
                made.add_section()
            made.add_row(*(row.cells[place] for place in shown), style=row.style or None)
        return made

    def _blocks(self) -> Iterable[Table | Text]:
        for number, row in enumerate(self.rows):
            if number:
                yield Text()
            block = Table.grid(padding=(0, GAP, 0, 0))
            block.add_column(no_wrap=True, style="dim")
            block.add_column(overflow="fold")
            for column, cell in zip(self.columns, row.cells, strict=True):
                block.add_row(column.name, cell, style=row.style or None)
            yield block
