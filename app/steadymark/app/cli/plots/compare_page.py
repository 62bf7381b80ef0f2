"""The page of `steadymark bench compare`: one HTML file with tables and plots."""

from __future__ import annotations

import json
import math
from html import escape
from typing import TYPE_CHECKING, Any

from steadymark.app.cli.plots.plot_files import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Figures = dict[str, tuple[str, int, str]]  # figure → heading, decimals, meaning

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1c1c1c; background: #fff }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto }
th, td { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: right }
th:first-child, td:first-child, td.text { text-align: left }
.plots { display: flex; flex-wrap: wrap; gap: 1rem }
figure { margin: 0 } figcaption { max-width: 22rem; font-size: 13px; color: #555 }
.note { background: #fff3d6; padding: .3rem .6rem }
"""
_BAR, _GAP, _LABEL, _WIDTH = 20, 6, 130, 350
_BARS = ("cpu_ms", "p95_ms", "rss_mib", "start_s", "nrmse", "nrmse_inner", "mav", "motion", "lost")


def compare_page(content: Any, figures: Figures) -> str:
    """Return the page.

    Args:
        content: What the JSON file holds; None stands for numbers that are not finite.
        figures: The figures to show.
    """
    medians = content["medians"]
    plots = [_bars(medians, name, figures[name]) for name in _BARS]
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Trackers compared</title>',
        f"<style>{_STYLE}</style></head><body>",
        "<h1>Trackers compared</h1>",
        f"<p>{escape(content['made'])}. The trackers took turns on the same frames, each in a "
        "process of its own on one core where the system allows it. Decoding is not counted, nor "
        "are the first frames of each clip. Lower is better in all plots.</p>",
        *(f'<p class="note">{escape(note)}</p>' for note in content["notes"]),
        "<h2>Medians over the clips</h2>",
        _table(["tracker", *(f[0] for f in figures.values())], _median_rows(medians, figures)),
        f'<div class="plots">{"".join(plots)}</div>',
        "<h2>What the figures mean</h2>",
        _meanings(figures, len(content["landmarks"])),
        "<h2>Each clip</h2>",
        _clip_table(content["rows"], figures),
        "<h2>Trackers</h2>",
        _table(["tracker", "versions", "one core"], _peer_rows(content["peers"])),
        "<h2>Computer</h2>",
        _table(["", ""], [[_text(k), _text(v)] for k, v in content["machine"].items()]),
        f'<script type="application/json" id="results">{_embedded(content)}</script>',
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _embedded(content: Any) -> str:
    """Return JSON that cannot end the element that holds it."""
    return json.dumps(content).replace("<", "\\u003c")


def _text(value: object) -> str:
    return f'<td class="text">{escape(str(value))}</td>'


def _number(value: object, digits: int) -> str:
    known = isinstance(value, int | float) and math.isfinite(value)
    return f"<td>{value:.{digits}f}</td>" if known else "<td>–</td>"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _median_rows(medians: Mapping[str, Any], figures: Figures) -> list[list[str]]:
    return [
        [_text(name), *(_number(values.get(f), digits) for f, (_, digits, _) in figures.items())]
        for name, values in medians.items()
    ]


def _clip_table(rows: Sequence[Mapping[str, Any]], figures: Figures) -> str:
    shown = {name: figure for name, figure in figures.items() if name in rows[0]}
    cells = [
        [
            _text(row["clip"]),
            _text(row["peer"]),
            *(_number(row[name], digits) for name, (_, digits, _) in shown.items()),
        ]
        for row in rows
    ]
    return _table(["clip", "tracker", *(heading for heading, _, _ in shown.values())], cells)


def _peer_rows(peers: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for name, facts in peers.items():
        versions = ", ".join(f"{k} {v}" for k, v in facts["versions"].items()) or "unknown"
        rows.append([_text(name), _text(versions), _text("yes" if facts["pinned"] else "no")])
    return rows


def _meanings(figures: Figures, landmarks: int) -> str:
    items = "".join(
        f"<li><b>{escape(heading)}</b>: {escape(meaning)}</li>"
        for heading, _, meaning in figures.values()
    )
    return (
        f"<ul>{items}</ul><p>{landmarks} of iBUG's 68 landmarks are compared, which all trackers "
        "have. Landmarks of other schemes are brought to them by the maps in assets/schemas/maps; "
        "where a scheme means another place by a landmark, the difference counts as an error, "
        "above all on the contour of the face.</p>"
    )


def _bars(medians: Mapping[str, Any], figure: str, shown: tuple[str, int, str]) -> str:
    """Return a bar for each tracker as SVG."""
    heading, digits, meaning = shown
    values = {name: each.get(figure) for name, each in medians.items()}
    most = max((v for v in values.values() if isinstance(v, int | float)), default=0) or 1
    height = len(values) * (_BAR + _GAP)
    lines = "".join(_bar_lines(values, most, digits))
    return (
        f"<figure><h3>{escape(heading)}</h3>"
        f'<svg width="{_WIDTH}" height="{height}" role="img" aria-label="{escape(meaning)}" '
        f'font-size="12" font-family="system-ui, sans-serif">{lines}</svg>'
        f"<figcaption>{escape(meaning)}</figcaption></figure>"
    )


def _bar_lines(values: Mapping[str, float | None], most: float, digits: int) -> Iterator[str]:
    room = _WIDTH - _LABEL - 60
    for number, (name, value) in enumerate(values.items()):
        top = number * (_BAR + _GAP)
        middle = top + _BAR * 0.7
        short = name if len(name) <= 20 else name[:19] + "…"
        known = value is not None
        width = room * (value or 0) / most
        colour = COLOURS[number % len(COLOURS)]
        yield f'<text x="0" y="{middle:.0f}"><title>{escape(name)}</title>{escape(short)}</text>'
        yield (
            f'<rect x="{_LABEL}" y="{top}" width="{max(width, 0):.1f}" height="{_BAR}" '
            f'fill="{colour}"/>'
        )
        text = f"{value:.{digits}f}" if known else "–"
        yield f'<text x="{_LABEL + max(width, 0) + 4:.1f}" y="{middle:.0f}">{text}</text>'
