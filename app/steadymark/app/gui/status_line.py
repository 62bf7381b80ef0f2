"""The status line at the bottom of the window."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QDateTime, QLocale, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QWidget

from steadymark.app.gui.i18n.local_numbers import number_text, share_text, significant_text
from steadymark.app.gui.widgets.time_left import time_left
from steadymark.app.session.remaining_time import RemainingTime
from steadymark.app.session.state import Display, Phase
from steadymark.engine.core.face_frames import NO_FRAMES, FaceFrames

if TYPE_CHECKING:
    from collections.abc import Callable


class StatusLine(QWidget):
    """The status line: phase and progress on the left; size, rate, zoom and device on the right."""

    def __init__(
        self, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self._remaining, self._clock = RemainingTime(), clock
        self.phase, self.details, self.zoom = QLabel(), QLabel(), QLabel()
        self.progress_bar = QProgressBar()
        self.progress_bar.setRange(0, 1000)
        self.progress_bar.setFixedSize(140, 12)
        self.progress_bar.setTextVisible(False)
        self.progress_bar.setAccessibleName(self.tr("Frames processed"))
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 6, 0)
        row.setSpacing(12)
        row.addWidget(self.phase)
        row.addWidget(self.progress_bar)
        row.addStretch(1)
        row.addWidget(self.details)
        row.addWidget(self.zoom)
        for label in (self.phase, self.details):
            label.setTextFormat(Qt.TextFormat.PlainText)

    def set_display(self, display: Display, faces: FaceFrames = NO_FRAMES) -> None:
        """Show the phase and the facts, and in how many of the processed frames there is a face."""
        percent, with_face = share_text(display.share), share_text(faces.share, 1)
        self.phase.setText(
            {
                Phase.EMPTY: self.tr("Ready"),
                Phase.OPENING: self.tr("Opening…"),
                Phase.TRACKING: self._tracking_text(display, percent),
                Phase.PAUSED: self.tr("Tracking paused at {percent}").format(percent=percent),
                Phase.FINISHED: self._finished_text(display, with_face),
                Phase.LIVE: self.tr("Live"),
                Phase.RECONNECTING: self.tr("No frames arrive: reconnecting…"),
                Phase.STOPPED: self.tr("Stopped"),
                Phase.FAILED: self.tr("Tracking stopped at {percent}").format(percent=percent),
            }[display.phase]
        )
        if display.opening:
            self.phase.setText(self.tr("Opening {name}…").format(name=display.opening))
        self.phase.setToolTip(
            self.tr(
                "These results were kept when the recording was closed. "
                "'Track again from the beginning' computes them anew."
            )
            if display.kept_since_s
            else ""
        )
        under_way = display.phase in (Phase.TRACKING, Phase.PAUSED, Phase.FAILED)
        self.progress_bar.setVisible(under_way)
        self.progress_bar.setValue(round(1000 * display.share))
        details = []
        if display.has_source:
            details = [f"{display.size[0]} × {display.size[1]}"]
            if display.fps:
                details.append(self.tr("{rate} fps").format(rate=significant_text(display.fps, 4)))
            if not display.table:
                device = display.device.upper()
                details.append(self.tr("tracked on {device}").format(device=device))
        self.details.setText("   ".join(details))
        self.zoom.setVisible(display.has_source)

    def _tracking_text(self, display: Display, percent: str) -> str:
        if display.phase is not Phase.TRACKING:
            self._remaining.reset()  # the time of a pause does not count
            return ""
        left = time_left(self._remaining.update(display.share, self._clock()))
        text = self.tr("Tracking, {percent} of the frames processed").format(percent=percent)
        return f"{text}, {left}" if left else text

    def _finished_text(self, display: Display, with_face: str) -> str:
        if display.table:
            return self.tr("Results of {name}; not tracked here").format(name=display.table)
        if not display.kept_since_s:
            text = self.tr("All frames processed, {share} with a face")
            return text.format(share=with_face)
        when = QDateTime.fromSecsSinceEpoch(round(display.kept_since_s))
        date = self.locale().toString(when, QLocale.FormatType.ShortFormat)
        text = self.tr("All frames processed on {date}, {share} with a face")
        return text.format(date=date, share=with_face)

    def set_zoom(self, scale: float) -> None:
        """Show the zoom in screen pixels per frame pixel."""
        self.zoom.setText(
            self.tr("zoom {percent}").format(percent=number_text(100 * scale, 0, "%"))
        )
