"""Tables of figures, as the benchmarks print them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Columns = dict[str, tuple[str, int]]  # measure → heading, decimals


def figures_table(
    title: str,
    caption: str,
    names: tuple[str, str],
    columns: Columns,
    rows: Iterable[tuple[str, str, Mapping[str, float]]],
) -> Table:
    """names: headings of the first two columns. rows: what stands in these, and the measures."""
    table = Table(title=title, caption=caption, box=SIMPLE, collapse_padding=True)
    table.title_justify = table.caption_justify = "left"
    table.add_column(names[0], overflow="fold")
    table.add_column(names[1], no_wrap=True)
    for heading, _ in columns.values():
        table.add_column(heading, justify="right", no_wrap=True)
    for first, second, values in rows:
        cells = (f"{values[name]:.{digits}f}" for name, (_, digits) in columns.items())
        table.add_row(first, second, *cells)
    return table
