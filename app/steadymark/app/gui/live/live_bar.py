"""The bar below a live view: start, stop, record, mirror, frame rate, latency and drops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from steadymark.app.gui.i18n.local_numbers import UNKNOWN, number_text
from steadymark.app.gui.widgets.elided_label import ElidedLabel
from steadymark.app.session.state import Display, Phase, clock_text
from steadymark.engine.output.video.draw_style import VERMILLION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PySide6.QtGui import QAction

    from steadymark.app.session.live.latency import LiveFigures

_BUTTONS = ("play", "record", "mirror")


class LiveBar(QWidget):
    """The bar below a live view; `set_figures` updates its figures a few times a second."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 4, 4)
        row.setSpacing(4)
        self._play = actions["play"]
        self._record = actions["record"]
        self._record.setIconText(self.tr("Record"))
        for name in _BUTTONS:
            row.addWidget(_button(actions[name], with_text=name != "mirror"))
        self.recording, self.sending = QLabel(), ElidedLabel()
        self.rate, self.latency, self.dropped = QLabel(), QLabel(), ElidedLabel()
        self._about_dropped = self.tr("Frames that were skipped because newer ones had arrived")
        row.addSpacing(6)
        row.addWidget(self.recording)
        row.addWidget(self.sending, 1)
        for label, tip in (
            (self.rate, self.tr("Frames per second: shown / delivered by the camera")),
            (
                self.latency,
                self.tr(
                    "Latency from the arrival of a frame until it is painted with "
                    "landmarks: the median, and the value that 95 % of the last 300 frames "
                    "stayed below"
                ),
            ),
            (self.dropped, self._about_dropped),
        ):
            label.setToolTip(tip)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            row.addSpacing(2)
            row.addWidget(label)
        self.recording.setTextFormat(Qt.TextFormat.PlainText)
        colours = self.recording.palette()
        colours.setColor(QPalette.ColorRole.WindowText, QColor(VERMILLION))
        self.recording.setPalette(colours)
        self._phase = Phase.EMPTY

    def set_display(self, display: Display) -> None:
        self._phase = display.phase
        self.setVisible(display.live is not None)
        if display.live is not None:
            self._play.setIconText(self.tr("Stop") if display.playing else self.tr("Start again"))
        recorded = display.live is not None and bool(display.live.recording)
        self._record.setIconText(self.tr("Stop recording") if recorded else self.tr("Record"))
        if not recorded:
            self.recording.clear()

    def set_figures(self, figures: LiveFigures) -> None:
        """Show the current figures.

        Without recent pictures, the frame rate and the latency are shown as dashes.
        """
        late, there = figures.latency, self._phase is Phase.LIVE
        self.rate.setText(
            self.tr("{shown} / {came} fps").format(
                shown=number_text(late.fps, 1) if there else UNKNOWN,
                came=number_text(figures.source_fps, 1) if there else UNKNOWN,
            )
        )
        self.latency.setText(
            self.tr("{median} ms (95 %: {p95})").format(
                median=number_text(late.p50_ms, 0),
                p95=number_text(late.p95_ms, 0),
            )
        )
        self.dropped.setText(self.tr("{count} dropped").format(count=figures.dropped))
        self.dropped.setToolTip(f"{self.dropped.text()}\n{self._about_dropped}")
        recording = figures.recording
        if recording is None:
            self.recording.clear()
            return
        words = f"● {clock_text(recording.duration_s)[:-4]}"
        if recording.dropped:
            words += self.tr(" ({count} lost)").format(count=recording.dropped)
        self.recording.setText(words)
        self.recording.setToolTip(
            self.tr("frames written: {frames}; not written in time: {count}").format(
                frames=recording.frames, count=recording.dropped
            )
        )


def _button(action: QAction, *, with_text: bool) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setAutoRaise(True)
    button.setIconSize(QSize(22, 22))
    if with_text:
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setAccessibleName(action.text().replace("&", ""))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
