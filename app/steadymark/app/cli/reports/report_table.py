"""Tables for consoles of any width, in which no name and no figure is cut."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType

Cell = str | Text
Columns = dict[str, tuple[str, int]]  # measure → heading, decimals

_GAP = 2  # width between two columns, in cells
_INDENT = 2  # indent of figures that stand below a long name
_MAX_PARTS = 3  # largest number of parts that are printed with names beside figures
_MIN_REMARK_WIDTH = 24  # smallest width of a column of remarks, in cells


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a report table.

    Attributes:
        heading: The heading.
        align: How the cells are aligned.
        wraps: Whether the cells are sentences that may be wrapped. Other cells stay on one line.
    """

    heading: str
    align: JustifyMethod = "right"
    wraps: bool = False


def text_columns(*headings: str) -> tuple[Column, ...]:
    """Return columns of text with these headings, which are aligned to the left."""
    return tuple(Column(heading, "left") for heading in headings)


class ReportTable:
    """A table that is split into parts if it is wider than the console.

    Each part repeats the columns of names, so names and figures are never cut. If long names leave
    so little room that there would be more than three parts, each name stands on a line of its own
    above its figures. Cells are plain text; use `rich.text.Text` for colours.
    """

    def __init__(
        self,
        names: Sequence[str],
        columns: Iterable[str | Column],
        *,
        title: str = "",
        caption: str = "",
    ) -> None:
        """Create an empty table.

        Args:
            names: The headings of the first columns, which hold names.
            columns: The other columns. A plain heading means a column of figures.
            title: The text above the table.
            caption: The text below the table.
        """
        self.title, self.caption = title, caption
        self._names = text_columns(*names)
        self._columns = tuple(Column(c) if isinstance(c, str) else c for c in columns)
        self._rows: list[tuple[Text, ...]] = []
        self._section_ends: set[int] = set()

    def add_row(self, *cells: Cell) -> None:
        """Add a row with a cell for each column, starting with the columns of names.

        Raises:
            ValueError: The number of cells differs from the number of columns.
        """
        if len(cells) != len(self._names) + len(self._columns):
            raise ValueError(f"{len(cells)} cells for {len(self._all)} columns")
        self._rows.append(tuple(c if isinstance(c, Text) else Text(c) for c in cells))

    def add_section(self) -> None:
        """Begin a new section: an empty line is printed before the next row."""
        self._section_ends.add(len(self._rows) - 1)

    def fits(self, width: int) -> bool:
        """Return whether a console of this width shows the table in one part."""
        everything = range(len(self._all))
        return (
            self._total_width({i: self._natural_width(i, one_line=True) for i in everything})
            <= width
        )

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        width = options.max_width
        if self.title:
            yield Text(self.title, style="table.title", overflow="fold")
        for number, part in enumerate(self._parts(width)):
            if number:
                yield ""
            yield from part
        if self.caption:
            yield ""
            yield Text(self.caption, style="table.caption")
        yield ""

    @property
    def _all(self) -> tuple[Column, ...]:
        return (*self._names, *self._columns)

    def _parts(self, width: int) -> Iterator[Iterator[RenderableType]]:
        """Yield the whole table if it fits, or else its parts."""
        names = {i: self._natural_width(i, one_line=True) for i in range(len(self._names))}
        figures = range(len(self._names), len(self._all))
        if self.fits(width):
            yield self._with_names_beside(
                names | {i: self._natural_width(i, one_line=True) for i in figures}
            )
            return
        beside = list(self._split_columns(figures, width - self._total_width(names) - _GAP))
        above = list(self._split_columns(figures, width - _INDENT))
        if self._cuts_cells(beside) or len(beside) > max(_MAX_PARTS, len(above)):
            yield from (self._with_names_above(columns) for columns in above)
        else:
            yield from (self._with_names_beside(names | columns) for columns in beside)

    def _cuts_cells(self, parts: Iterable[Mapping[int, int]]) -> bool:
        """Return whether a column is narrower than its cells."""
        widths = {index: width for part in parts for index, width in part.items()}
        return any(widths[i] < self._min_cell_width(i) for i in widths)

    def _split_columns(self, figures: Iterable[int], room: int) -> Iterator[dict[int, int]]:
        """Yield groups of columns that fit into the room, with their widths."""
        part: dict[int, int] = {}
        for index in figures:
            needed = max(1, min(self._natural_width(index, one_line=False), room))
            if part and self._total_width(part | {index: needed}) > room:
                yield self._widened(part, room)
                part = {}
            part[index] = needed
        if part:
            yield self._widened(part, room)

    def _widened(self, part: dict[int, int], room: int) -> dict[int, int]:
        """Widen the column of remarks by the room that the other columns leave free."""
        for index, width in part.items():
            if self._all[index].wraps:
                free = width + room - self._total_width(part)
                return part | {index: min(self._natural_width(index, one_line=True), free)}
        return part

    def _natural_width(self, index: int, *, one_line: bool) -> int:
        """Return the width of a column. one_line: neither the heading nor remarks are wrapped."""
        column = self._all[index]
        if one_line:
            return max(self._longest_cell(index), cell_len(column.heading))
        return max(
            self._min_cell_width(index), *(cell_len(word) for word in column.heading.split()), 1
        )

    def _min_cell_width(self, index: int) -> int:
        """Return the smallest width of a column's cells, regardless of its heading."""
        longest = self._longest_cell(index)
        return min(longest, _MIN_REMARK_WIDTH) if self._all[index].wraps else longest

    def _longest_cell(self, index: int) -> int:
        return max((row[index].cell_len for row in self._rows), default=0)

    @staticmethod
    def _total_width(widths: Mapping[int, int]) -> int:
        return sum(widths.values()) + _GAP * (len(widths) - 1)

    def _with_names_beside(self, widths: Mapping[int, int]) -> Iterator[RenderableType]:
        """Yield one table with names and figures side by side."""
        table = self._empty_table(widths)
        for number, row in enumerate(self._rows):
            if self._has_figures(row, widths):
                table.add_row(*(row[i] for i in widths))
            if number in self._section_ends:
                table.add_section()
        yield table

    def _with_names_above(self, widths: Mapping[int, int]) -> Iterator[RenderableType]:
        """Yield a line of names above each row of figures."""
        yield Padding(self._empty_table(widths), (0, 0, 0, _INDENT), expand=False)
        for row in self._rows:
            if not self._has_figures(row, widths):
                continue
            yield Text("  ").join(cell for cell in row[: len(self._names)] if cell)
            table = self._empty_table(widths, headings=False)
            table.add_row(*(row[i] for i in widths))
            yield Padding(table, (0, 0, 0, _INDENT), expand=False)

    def _has_figures(self, row: Sequence[Text], widths: Mapping[int, int]) -> bool:
        """Return whether a row has figures in this part."""
        return any(row[i] for i in widths if i >= len(self._names))

    def _empty_table(self, widths: Mapping[int, int], *, headings: bool = True) -> Table:
        """Return a table of these columns without rows."""
        shown = headings and any(self._all[i].heading for i in widths)
        table = Table(box=SIMPLE_HEAD, show_header=shown, show_edge=False, pad_edge=False)
        table.collapse_padding = True
        for index, width in widths.items():
            column = self._all[index]
            lines = textwrap.wrap(column.heading, width) if width else []
            table.add_column("\n".join(lines), justify=column.align, width=width, overflow="fold")
        return table


def figures_table(
    title: str,
    caption: str,
    names: tuple[str, str],
    columns: Columns,
    rows: Iterable[tuple[str, str, Mapping[str, float]]],
) -> ReportTable:
    """Return a table of measures.

    Args:
        title: The text above the table.
        caption: The text below the table.
        names: The headings of the first two columns.
        columns: Measure → heading and number of decimals.
        rows: The cells of the first two columns and the measures, for each row.
    """
    headings = (heading for heading, _ in columns.values())
    table = ReportTable(names, headings, title=title, caption=caption)
    for first, second, values in rows:
        cells = (fixed(values[name], digits) for name, (_, digits) in columns.items())
        table.add_row(first, second, *cells)
    return table


def fixed(value: float, digits: int) -> str:
    """Return a number with this many decimals, and zero without a sign."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text
