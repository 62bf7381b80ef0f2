"""The page of a report: one HTML file that needs nothing else, and that Qt can print as PDF."""

from __future__ import annotations

import base64
import math
from html import escape
from typing import TYPE_CHECKING

from steadymark.engine.core.face_frames import percent_of
from steadymark.engine.metrics.eye_mouth_opening import eye_opening
from steadymark.engine.output.video.draw_style import PURPLE, VERMILLION
from steadymark.engine.report.course_plots import Band, Course, course_plot
from steadymark.engine.review.stretch_table import StretchStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from steadymark.engine.report.video_facts import VideoFacts
    from steadymark.engine.review.person_track import PersonTrack

MOST_STRETCHES = 30  # in the list of one video
_PLOT_WIDTH = 660  # pixels; a page of A4 has no more
_STYLE = """
body { font-family: sans-serif; font-size: 14px; margin: 24px; color: #1c1c1c; background: #ffffff }
h1 { font-size: 24px } h2 { font-size: 19px; margin-top: 28px } h3 { font-size: 15px }
table { border-collapse: collapse; margin: 8px 0 }
th, td { padding: 3px 9px; border-bottom: 1px solid #dddddd; text-align: left }
td.number { text-align: right }
p.small { color: #555555; font-size: 12px }
h1, h2, h3 { break-after: avoid } tr, img { break-inside: avoid }
"""


def report_page(
    videos: Sequence[tuple[VideoFacts, Sequence[str]]], *, title: str, made: str, citation: str
) -> str:
    """Return the HTML of a report.

    Args:
        videos: The facts of each video with the pictures of its stretches, which may be empty.
        title: Title of the report.
        made: When and with which version it was made.
        citation: How to cite the program.
    """
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{_STYLE}</style></head><body>",
        f"<h1>{escape(title)}</h1><p>{escape(made)}</p>",
    ]
    if len(videos) > 1:
        parts += ["<h2>All videos</h2>", _overview([facts for facts, _ in videos])]
    for number, (facts, pictures) in enumerate(videos):
        parts += _video(facts, pictures, number)
    parts += ["<h2>Software</h2>", f"<p>{escape(citation)}</p>", _meanings(), "</body></html>"]
    return "\n".join(parts) + "\n"


def _overview(videos: Sequence[VideoFacts]) -> str:
    rows = [
        [
            f'<a href="#video{i}">{escape(one.name)}</a>',
            f"{one.frames.processed}",
            _percent(one.frames.share),
            f"{len(one.faces)}",
            f"{one.status.count(StretchStatus.OPEN)}",
            f"{one.doubtful_s:.1f} s",
            f"{one.excluded_s:.1f} s",
        ]
        for i, one in enumerate(videos)
    ]
    headings = (
        "video",
        "frames",
        "with a face",
        "faces",
        "doubtful stretches, open",
        "their duration",
        "excluded",
    )
    return _table(headings, rows)


def _video(facts: VideoFacts, pictures: Sequence[str], number: int) -> Iterator[str]:
    yield f'<h2 id="video{number}">{escape(facts.name)}</h2>'
    yield f"<p>{escape(_summary(facts))}</p>"
    if facts.project.notes:
        yield f"<p>{escape(facts.project.notes)}</p>"
    yield "<h3>Faces</h3>"
    yield _table(
        (
            "face",
            "frames with it",
            "median score",
            "fast motion, raw",
            "fast motion, stabilized",
            "corrected frames",
        ),
        [
            [
                escape(one.name),
                f"{one.frames.with_face} ({_percent(one.frames.share)})",
                _number(one.score, 2),
                _number(one.fast_raw, 3, " %"),
                _number(one.fast_stabilized, 3, " %"),
                f"{one.corrected}",
            ]
            for one in facts.faces
        ],
    )
    for face, track in zip(facts.faces, facts.tracks, strict=True):
        yield f"<h3>Face {escape(face.name)} over time</h3>"
        yield from _plots(facts, track)
    yield from _stretches(facts, pictures)
    yield from _statistics(facts)
    yield "<h3>How the landmarks were made</h3>"
    yield _table(
        ("", ""),
        [[escape(k), escape(v)] for k, v in facts.made_with.items()]
        or [["The table does not tell.", ""]],
    )


def _summary(facts: VideoFacts) -> str:
    still_open = facts.status.count(StretchStatus.OPEN)
    corrected = sum(one.corrected for one in facts.faces)
    return (
        f"Frames: {facts.frames.processed} in {facts.duration_s:.1f} s; "
        f"{_percent(facts.frames.share)} of them with a face. "
        f"Doubtful stretches: {len(facts.stretches)}; neither accepted nor excluded: "
        f"{still_open} ({facts.doubtful_s:.1f} s). Excluded: {facts.excluded_s:.1f} s. "
        f"Frames that corrections change: {corrected}."
    )


def _plots(facts: VideoFacts, track: PersonTrack) -> Iterator[str]:
    bands = [Band(one.start_s, one.end_s, VERMILLION) for one in facts.project.excluded]
    pairs = zip(facts.stretches, facts.status, strict=True)
    bands += [
        Band(one.start_s, one.end_s, PURPLE)
        for one, status in pairs
        if one.face_id == track.face_id and status == StretchStatus.OPEN
    ]
    score = track.point_score.mean(1).astype("float64")
    pitch, yaw, roll = track.rotation_deg.T
    shown = [
        ("mean score of the landmarks", [Course("score", score)]),
        (
            "rotation of the head, degrees",
            [Course("pitch", pitch), Course("yaw", yaw), Course("roll", roll)],
        ),
    ]
    if track.xy.shape[1] == 68:
        opening = [Course("eyes", eye_opening(track.xy))]
        shown.append(("opening of the eyes, % of the eye distance", opening))
    for title, courses in shown:
        yield f"<p>{_image(course_plot(title, track.time_s, courses, bands))}</p>"


def _image(svg: str) -> str:
    """Return an element that shows an SVG; Qt shows SVG only as the source of an image."""
    if not svg.startswith("<svg"):
        return svg
    data = base64.b64encode(svg.encode()).decode()
    return f'<img width="{_PLOT_WIDTH}" src="data:image/svg+xml;base64,{data}">'


def _stretches(facts: VideoFacts, pictures: Sequence[str]) -> Iterator[str]:
    yield "<h3>Doubtful stretches, the worst first</h3>"
    if not facts.stretches:
        yield "<p>None.</p>"
        return
    names = {t.face_id: f.name for t, f in zip(facts.tracks, facts.faces, strict=True)}
    rows = []
    for i, (one, status) in enumerate(zip(facts.stretches, facts.status, strict=True)):
        picture = pictures[i] if i < len(pictures) else ""
        rows.append(
            [
                f'<img src="{picture}" width="96">' if picture else "",
                escape(names[one.face_id]),
                f"{one.start_s:.2f} – {one.end_s:.2f} s",
                f"{one.first} – {one.last}",
                escape(one.reason),
                status,
            ]
        )
    yield _table(("", "face", "time", "frames", "why", ""), rows[:MOST_STRETCHES])
    if len(rows) > MOST_STRETCHES:
        yield f"<p>{len(rows) - MOST_STRETCHES} more; steadymark review lists all.</p>"


def _statistics(facts: VideoFacts) -> Iterator[str]:
    yield "<h3>Statistics</h3>"
    rows = [
        [
            escape(f"{one.lane}: {one.label}" if one.label else one.lane),
            f"{one.start_s:.2f} – {one.end_s:.2f} s",
            escape(one.person),
            _number(one.tracked_percent, 1, " %"),
            f"{_number(one.yaw_mean, 1)} ± {_number(one.yaw_sd, 1)}°",
            _number(one.mouth_opening_amplitude, 1, " %"),
            _number(one.blinks, 0),
            _number(one.blinks_per_minute, 1),
        ]
        for one in facts.statistics
    ]
    headings = (
        "interval",
        "time",
        "face",
        "tracked",
        "yaw",
        "amplitude of the mouth",
        "blinks",
        "a minute",
    )
    yield _table(headings, rows)


def _meanings() -> str:
    return (
        '<p class="small">Fast motion is how far the landmarks are from their course without what '
        "is faster than 5 Hz: jitter, and real motion as fast as a blink. Openings, amplitudes and "
        "fast motion are in percent of the distance of the outer eye corners. In plots, red is "
        "excluded, and purple is doubtful and neither accepted nor excluded.</p>"
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>{body}</table>"


def _number(value: float, digits: int, unit: str = "") -> str:
    return f"{value:.{digits}f}{unit}" if math.isfinite(value) else "–"


def _percent(share: float) -> str:
    return f"{percent_of(share):.1f} %" if math.isfinite(share) else "–"
