"""Plots over time: jitter, position of one landmark, score, speed, face attributes and error.

A click on a plot seeks to that time.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6.QtCore import QBuffer, QEvent, QIODevice, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPalette, QResizeEvent
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.display_names import REGIONS, landmark_name, region_name, variant_name
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.plot_curves import attribute_curves, curves_of
from steadymark.app.gui.panels.portable_svg import without_scaled_strokes
from steadymark.app.gui.theme import is_dark
from steadymark.app.gui.widgets.value_axis import LocalAxis, ValueAxis
from steadymark.engine.attributes.attribute_registry import ATTRIBUTES
from steadymark.engine.output.video.draw_style import GREEN, PURPLE, RAW_COLOUR, STEADY_COLOUR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.analysis.variants import VariantPair

_FAINT, _PLATE = 90, 200  # alpha values out of 255
_VALUES_PX = 78  # minimum height of a plot that shows values on its logarithmic axis
_LEAST_WIDTH = 800  # minimum width of saved plots
_REGION_LETTERS = 7  # minimum number of characters that the region's box shows
_LABEL_PX = 90  # minimum height of a plot that shows its axis label
_TICKS_PX = 50  # minimum height of a plot that shows its tick values
_LEAST_WORDS_PX = 60  # minimum width of the landmark's name
# minimum height of a plot, height of the time axis, and largest minimum height of all plots
_LEAST_PX, _TIMES_PX, _MOST_LEAST_PX = 38, 22, 130


class Plots(QWidget):
    """The plots over time.

    Attributes:
        clicked: Emitted with a time in seconds.
        region_chosen: Emitted with a region of the schema; an empty string is the whole face.
    """

    clicked = Signal(float)
    region_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Plots"))
        self._widget = pg.GraphicsLayoutWidget()
        self._switches: dict[str, QCheckBox] = {}
        self._row = QHBoxLayout()
        self._row.setContentsMargins(8, 2, 8, 2)
        self._row.setSpacing(8)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._row)
        layout.addWidget(self._widget, 1)
        self._measures: FaceMeasures | None = None
        self._plots: dict[str, Any] = {}
        self._curves: dict[str, Any] = {}
        self._titles: dict[str, Any] = {}
        self._places: list[Any] = []
        drawn = [a for a in ATTRIBUTES.all() if a.plot is not None]
        self._legends = ("jitter", *(a.name for a in drawn if a.plot and len(a.plot.curves) > 1))
        for name, title, label in (
            ("jitter", self.tr("Jitter"), self.tr("MAV, 1 s")),
            ("x", "x", "x, px"),
            ("y", "y", "y, px"),
            ("score", self.tr("Score"), self.tr("score")),
            ("speed", self.tr("Speed"), self.tr("speed, %/s")),
            *((a.name, translated(a.label), translated(a.plot.axis)) for a in drawn if a.plot),
            ("error", self.tr("Error"), self.tr("NRMSE, %")),
        ):
            self._add_plot(name, label)
            self._add_title(name, label)
            self._add_switch(name, title)
        self._switches["error"].hide()  # shown when ground truth is loaded
        self._add_regions()
        self._told = ""  # name of the landmark that is plotted
        self.landmark = QLabel()
        self.landmark.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        # If there is little room, the landmark's name is shortened and the switches stay.
        self.landmark.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._row.addWidget(self.landmark, 1)
        self._add_curves()
        self._recolour()
        self._arrange()
        self._widget.scene().sigMouseClicked.connect(self._on_click)

    def set_measures(self, measures: FaceMeasures | None) -> None:
        self._measures = measures
        if measures is None:
            for curve in self._curves.values():
                curve.setData([], [])
            self._show_error(there=False)
            self._show_all()
            return
        for name, values in curves_of(measures).items():
            self._curves[name].setData(measures.times_s, values, connect="finite")
        self._show_error(there=measures.truth is not None)
        self._told = self.tr("x, y: {number} {name}").format(
            number=measures.landmark, name=landmark_name(measures.landmark, measures.schema)
        )
        self._show_labels()

    def set_takes(self, takes: VariantPair) -> None:
        """Show the names of the compared variants in the legend."""
        for (_, label), take in zip(self._plots["jitter"].legend.items, takes, strict=True):
            label.setText(variant_name(take), color=self.palette().windowText().color().name())

    def choose(self, *names: str) -> None:
        """Show the plots with these names: jitter, x, y, score, speed, error or an attribute."""
        for name, switch in self._switches.items():
            switch.setChecked(name in names)

    @property
    def chosen(self) -> tuple[str, ...]:
        """Return the names of the shown plots."""
        return tuple(name for name, switch in self._switches.items() if switch.isChecked())

    def set_region(self, name: str) -> None:
        """Select the region whose jitter is plotted, without emitting `region_chosen`."""
        self.region.setCurrentIndex(max(0, self.region.findData(name)))

    def set_time(self, time_s: float) -> None:
        """Move the marker of the playback position."""
        for line in self._places:
            line.setValue(time_s)

    def as_image(self) -> QImage:
        """Return the shown plots as an image with room for all labels."""
        with self._roomy():
            image: QImage = self._widget.grab().toImage()
        return image

    def as_svg(self) -> bytes:
        """Return the shown plots as SVG with room for all labels."""
        with self._roomy():
            return self._drawn()

    def _drawn(self) -> bytes:
        buffer, size = QBuffer(), self._widget.size()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        drawing = QSvgGenerator()
        drawing.setOutputDevice(buffer)
        drawing.setSize(size)
        # Without it, the axes would be drawn at another scale.
        drawing.setResolution(self._widget.logicalDpiX())
        drawing.setViewBox(QRectF(0, 0, size.width(), size.height()))
        drawing.setTitle(self.tr("Plots"))
        painter = QPainter(drawing)
        painter.fillRect(self._widget.rect(), self.palette().color(QPalette.ColorRole.Base))
        self._widget.render(painter)
        painter.end()
        return without_scaled_strokes(bytes(buffer.data().data()))

    @contextmanager
    def _roomy(self) -> Iterator[None]:
        """Enlarge the plots for the duration of the context, so that all labels fit."""
        size, chosen = self._widget.size(), sum(s.isChecked() for s in self._switches.values())
        self._widget.resize(max(size.width(), _LEAST_WIDTH), max(size.height(), 130 * chosen))
        self._show_labels()
        for plot in self._plots.values():
            plot.layout.activate()
        self._widget.ci.layout.activate()
        try:
            yield
        finally:
            self._widget.resize(size)
            self._show_labels()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._recolour()
        super().changeEvent(event)

    def _add_switch(self, name: str, title: str) -> None:
        switch = QCheckBox(title)
        switch.setChecked(name in ("jitter", "x"))
        switch.setToolTip(self.tr("Show or hide this curve"))
        switch.toggled.connect(self._arrange)
        self._switches[name] = switch
        self._row.addWidget(switch)

    def _add_regions(self) -> None:
        self.region = QComboBox()
        self.region.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.region.setMinimumContentsLength(_REGION_LETTERS)
        self.region.setAccessibleName(self.tr("Region of the jitter curve"))
        self.region.setToolTip(self.tr("The part of the face whose jitter is plotted"))
        for name in REGIONS:
            self.region.addItem(region_name(name), name)
        self.region.activated.connect(
            lambda: self.region_chosen.emit(str(self.region.currentData()))
        )
        self._row.insertWidget(1, self.region)

    def _show_error(self, *, there: bool) -> None:
        """Show or hide the error plot when ground truth appears or disappears."""
        switch = self._switches["error"]
        if switch.isHidden() == there:
            switch.setVisible(there)
            switch.setChecked(there)
            self._switches["x"].setChecked(not there)  # Most windows have no room for three plots.

    def _arrange(self) -> None:
        """Stack the chosen plots vertically and link their time axes."""
        chosen = [self._plots[n] for n, switch in self._switches.items() if switch.isChecked()]
        for plot in self._plots.values():
            plot.setXLink(None)
            if plot.scene() is not None:
                self._widget.removeItem(plot)
        for row, plot in enumerate(chosen):
            self._widget.addItem(plot, row=row, col=0)
            plot.getAxis("bottom").setStyle(showValues=row == len(chosen) - 1)
            if row:
                plot.setXLink(chosen[0])
        self._show_all()
        self._show_labels()
        self._widget.setMinimumHeight(min(_LEAST_PX * len(chosen) + _TIMES_PX, _MOST_LEAST_PX))

    def _show_all(self) -> None:
        """Show the whole recording, also while it grows, until the user zooms in."""
        for plot in self._plots.values():
            if plot.vb.linkedView(plot.vb.XAxis) is None:  # The linked plots follow this one.
                plot.enableAutoRange(axis="x", enable=True)

    def _show_labels(self) -> None:
        """Show only the labels that have room."""
        chosen = [plot for plot in self._plots.values() if plot.scene() is not None]
        roomy = self._widget.height() >= _LABEL_PX * len(chosen)
        low = self._widget.height() < _TICKS_PX * len(chosen)
        for plot in chosen:
            plot.getAxis("left").showLabel(roomy)
            plot.getAxis("bottom").showLabel(roomy and plot is chosen[-1])
            plot.getAxis("left").setWidth(64 if roomy else 48)
            plot.getAxis("left").setStyle(maxTickLevel=2 if roomy else 0, showValues=not low)
        for name in self._legends:
            self._plots[name].legend.setVisible(roomy)
        for title in self._titles.values():
            title.setVisible(not roomy)
        # The values of the decades would overlap.
        low = self._widget.height() < _VALUES_PX * len(chosen)
        self._plots["jitter"].getAxis("left").setStyle(showValues=not low)
        told = self._told if any(self._switches[name].isChecked() for name in ("x", "y")) else ""
        elide, width = self.landmark.fontMetrics().elidedText, self.landmark.width()
        shown = elide(told, Qt.TextElideMode.ElideRight, width)
        self.landmark.setText(shown if width >= _LEAST_WORDS_PX else "")
        self.landmark.setToolTip(told)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._show_labels()

    def _add_plot(self, name: str, title: str) -> None:
        plot = pg.PlotItem(axisItems={"left": ValueAxis(), "bottom": LocalAxis("bottom")})
        plot.setLabel("left", title)
        plot.setLabel("bottom", self.tr("time, s"))
        plot.setLogMode(x=False, y=name == "jitter")
        plot.getAxis("left").setWidth(64)
        plot.getAxis("left").enableAutoSIPrefix(False)
        plot.getAxis("bottom").enableAutoSIPrefix(False)
        plot.setMouseEnabled(x=True, y=False)
        plot.enableAutoRange(axis="y", enable=True)
        plot.setAutoVisible(y=True)
        plot.setClipToView(True)
        plot.setDownsampling(auto=True, mode="peak")
        plot.hideButtons()
        plot.setMenuEnabled(False)
        place = pg.InfiniteLine(angle=90, movable=False)
        plot.addItem(place, ignoreBounds=True)
        self._places.append(place)
        self._plots[name] = plot

    def _add_title(self, name: str, words: str) -> None:
        """Add a title inside the plot, which is shown when the axis has no room for its label."""
        title = pg.LabelItem(words, size="8pt")
        title.setParentItem(self._plots[name].vb)
        title.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(2, -4))
        self._titles[name] = title

    def _add_curves(self) -> None:
        for name in self._legends:
            legend = self._plots[name].addLegend(offset=(-6, 2), labelTextSize="8pt")
            legend.setParentItem(self._plots[name].vb)
        for name, colour, width in (
            ("jitter_raw_moving", RAW_COLOUR, 1),
            ("jitter_steady_moving", STEADY_COLOUR, 1),
            ("jitter_raw", RAW_COLOUR, 2),
            ("jitter_stabilized", STEADY_COLOUR, 2),
            ("x_raw", RAW_COLOUR, 1),
            ("x_steady", STEADY_COLOUR, 1),
            ("y_raw", RAW_COLOUR, 1),
            ("y_steady", STEADY_COLOUR, 1),
            ("score", GREEN, 1),
            ("speed", PURPLE, 1),
            ("error_raw", RAW_COLOUR, 1),
            ("error_stabilized", STEADY_COLOUR, 1),
            ("x_truth", RAW_COLOUR, 1),  # gets the colour of the text in _recolour
            ("y_truth", RAW_COLOUR, 1),
        ):
            shown = QColor(colour)
            if name.endswith("moving"):
                shown.setAlpha(_FAINT)
            label = {
                "jitter_raw": self.tr("raw"),
                "jitter_stabilized": self.tr("stabilized"),
            }.get(name)
            plot = self._plots[name.split("_")[0]]
            self._curves[name] = plot.plot([], [], pen=pg.mkPen(shown, width=width), name=label)
        for name, (plotted, curve) in attribute_curves().items():
            pen, label = pg.mkPen(curve.colour, width=1), translated(curve.label)
            self._curves[name] = self._plots[plotted].plot([], [], pen=pen, name=label)
        hint = self.tr(
            "Click to go there, turn the wheel to zoom, double-click to show everything."
        )
        for plot in self._plots.values():
            plot.setToolTip(hint)
        still = self.tr(
            "Bold where the face is at rest: the value is jitter. Faint: the value includes motion."
        )
        self._plots["jitter"].setToolTip(f"{still}\n{hint}")
        self._plots["score"].setYRange(0, 1)

    def _recolour(self) -> None:
        colours = self.palette()
        text = colours.color(QPalette.ColorRole.WindowText)
        base = colours.color(QPalette.ColorRole.Base)
        self._widget.setBackground(base)
        base.setAlpha(_PLATE)
        for plot in self._plots.values():
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(colours.color(QPalette.ColorRole.Mid))
                plot.getAxis(side).setTextPen(text)
            plot.showGrid(x=True, y=True, alpha=0.18 if is_dark(colours) else 0.12)
        for title in self._titles.values():
            title.setText(title.text, color=text.name())
        for line in self._places:
            line.setPen(pg.mkPen(text, width=1))
        for name in ("x_truth", "y_truth"):
            self._curves[name].setPen(pg.mkPen(text, width=1, style=Qt.PenStyle.DashLine))
        for name in self._legends:
            self._plots[name].legend.setBrush(base)
            for _, label in self._plots[name].legend.items:
                label.setText(label.text, color=text.name())

    def _on_click(self, event: Any) -> None:
        if event.double():
            self._show_all()
        if self._measures is None or event.button() != Qt.MouseButton.LeftButton:
            return
        for plot in self._plots.values():
            there = plot.scene() is not None
            if there and plot.sceneBoundingRect().contains(event.scenePos()):
                self.clicked.emit(float(plot.vb.mapSceneToView(event.scenePos()).x()))
                return
