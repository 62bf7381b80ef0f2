"""Plots over time: jitter, position of one landmark, score, speed, face attributes and error.

A click on a plot seeks to that time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QVBoxLayout,
    QWidget,
)

from steadymark.app.gui.i18n.display_names import REGIONS, landmark_name, region_name, variant_name
from steadymark.app.gui.i18n.translate import translated
from steadymark.app.gui.panels.plot_curves import attribute_curves, curves_csv, curves_of
from steadymark.app.gui.panels.plot_header import header_entries, header_html
from steadymark.app.gui.panels.plot_stack import PlotStack
from steadymark.app.gui.widgets.flow_layout import FlowLayout
from steadymark.app.gui.widgets.scroll_area import in_scroll_area
from steadymark.app.session.state import frame_at_time
from steadymark.engine.attributes.attribute_registry import ATTRIBUTES
from steadymark.engine.output.video.draw_style import GREEN, PURPLE, RAW_COLOUR, STEADY_COLOUR

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from steadymark.app.session.analysis.face_measures import FaceMeasures
    from steadymark.app.session.analysis.variants import VariantPair

_MOTION_ALPHA = 90  # alpha value out of 255
_REGION_CHARACTERS = 7  # minimum number of characters that the region's box shows
_LEAST_HEIGHT_PX = 96  # minimum height of the part with the plots
_REST_PX = 380  # height that the picture and the bars need at least; the plots claim half the rest


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
        self._widget = PlotStack()
        self._plots = self._widget.plots
        self._check_boxes: dict[str, QCheckBox] = {}
        self._row = FlowLayout()
        self._row.setContentsMargins(8, 2, 8, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._row)
        self._area = in_scroll_area(self._widget)
        layout.addWidget(self._area, 1)
        self._measures: FaceMeasures | None = None
        self._values: dict[str, NDArray[np.float64]] = {}
        self._frame = 0
        self._variants = self.tr("raw"), self.tr("stabilized")
        self._curves: dict[str, Any] = {}
        self._labels: dict[str, str] = {}
        self._add_check_boxes()
        self._check_boxes["error"].hide()  # shown when ground truth is loaded
        self._add_regions()
        self._widget.reload_icons()
        self._arrange()
        self._widget.clicked.connect(self._on_click)

    def set_measures(self, measures: FaceMeasures | None) -> None:
        self._measures = measures
        self._values = {} if measures is None else curves_of(measures)
        self._show_error(there=measures is not None and measures.truth is not None)
        if measures is None:
            for curve in self._curves.values():
                curve.setData([], [])
            for plot in self._plots.values():  # otherwise the axes would keep the last values
                plot.vb.setRange(xRange=(0, 1), yRange=(0, 1), disableAutoRange=False)
            self._widget.show_all()
        else:
            for name in self._curves:
                self._draw(name, measures)
        self._show_headers()

    def _draw(self, name: str, measures: FaceMeasures) -> None:
        if name in self._values:
            self._curves[name].setData(measures.times_s, self._values[name], connect="finite")

    def set_variants(self, variants: VariantPair) -> None:
        """Show the names of the compared variants above the plots."""
        before = self._variants
        self._variants = variant_name(variants[0]), variant_name(variants[1])
        if before != self._variants:
            self._show_headers()

    def show_plots(self, *names: str) -> None:
        """Show the plots with these names: jitter, x, y, score, speed, error or an attribute."""
        for name, check_box in self._check_boxes.items():
            check_box.setChecked(name in names)

    @property
    def shown_plots(self) -> tuple[str, ...]:
        """Return the names of the shown plots."""
        return tuple(name for name, check_box in self._check_boxes.items() if check_box.isChecked())

    def set_region(self, name: str) -> None:
        """Select the region whose jitter is plotted, without emitting `region_chosen`."""
        self.region.setCurrentIndex(max(0, self.region.findData(name)))

    def set_time(self, time_s: float) -> None:
        """Move the marker of the playback position, and show the values there."""
        self._widget.set_time(time_s)
        if self._measures is not None:
            frame = frame_at_time(self._measures.times_s, time_s)
            if frame != self._frame:
                self._frame = frame
                self._show_headers()

    def header(self, name: str) -> str:
        """Return the text above a plot: its quantity, and the values at the position."""
        return self._widget.header(name)

    def show_everything(self) -> None:
        """Show the whole recording."""
        self._widget.show_all()

    @property
    def has_values(self) -> bool:
        return self._measures is not None

    def as_csv(self) -> str:
        """Return the values of the shown plots as CSV text."""
        return "" if self._measures is None else curves_csv(self._measures, self.shown_plots)

    def as_image(self) -> QImage:
        """Return the shown plots as an image with room for all labels."""
        self._show_headers(with_values=False)
        try:
            return self._widget.as_image()
        finally:
            self._show_headers()

    def as_svg(self) -> bytes:
        """Return the shown plots as SVG with room for all labels."""
        self._show_headers(with_values=False)
        try:
            return self._widget.as_svg(self.tr("Plots"))
        finally:
            self._show_headers()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self._apply_palette()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_least_height()

    def _add_check_boxes(self) -> None:
        """Add a check box for each plot; a plot is made when it is shown for the first time."""
        drawn = [a for a in ATTRIBUTES.all() if a.plot is not None]
        for name, title, label in (
            ("jitter", self.tr("Jitter"), self.tr("MAV, 1 s")),
            ("x", "x", "x, px"),
            ("y", "y", "y, px"),
            ("score", self.tr("Score"), self.tr("score")),
            ("speed", self.tr("Speed"), self.tr("speed, %/s")),
            *((a.name, translated(a.label), translated(a.plot.axis)) for a in drawn if a.plot),
            ("error", self.tr("Error"), self.tr("NRMSE, %")),
        ):
            self._labels[name] = label
            self._add_check_box(name, title)

    def _add_plot(self, name: str) -> None:
        """Make a plot with its curves, and draw the current measures."""
        hint = self.tr(
            "Click to go there, turn the wheel to zoom, double-click to show everything."
        )
        still = self.tr(
            "Bold where the face is at rest: the value is jitter. Faint: the value includes motion."
        )
        plot = self._widget.add_plot(name, self._labels[name], logarithmic=name == "jitter")
        plot.setToolTip(f"{still}\n{hint}" if name == "jitter" else hint)
        if name == "score":
            plot.setYRange(0, 1)
        for curve, pen in self._pens(name).items():
            self._curves[curve] = plot.plot([], [], pen=pen)
            if self._measures is not None:
                self._draw(curve, self._measures)

    def _add_check_box(self, name: str, title: str) -> None:
        check_box = QCheckBox(title)
        check_box.setChecked(name in ("jitter", "x"))
        check_box.setToolTip(self.tr("Show or hide this curve"))
        check_box.toggled.connect(self._arrange)
        self._check_boxes[name] = check_box
        self._row.addWidget(check_box)

    def _add_regions(self) -> None:
        self.region = QComboBox()
        self.region.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.region.setMinimumContentsLength(_REGION_CHARACTERS)
        self.region.setAccessibleName(self.tr("Region of the jitter curve"))
        self.region.setToolTip(self.tr("The part of the face whose jitter is plotted"))
        for name in REGIONS:
            self.region.addItem(region_name(name), name)
        self.region.activated.connect(
            lambda: self.region_chosen.emit(str(self.region.currentData()))
        )
        self._row.insert_widget(1, self.region)

    def _pens(self, plot: str) -> dict[str, QPen]:
        """Return the pens of a plot's curves by the names of the curves."""
        text = self.palette().color(QPalette.ColorRole.WindowText)
        pens = {}
        for name, colour, width in (
            ("jitter_raw_moving", RAW_COLOUR, 1),
            ("jitter_stabilized_moving", STEADY_COLOUR, 1),
            ("jitter_raw", RAW_COLOUR, 2),
            ("jitter_stabilized", STEADY_COLOUR, 2),
            ("x_raw", RAW_COLOUR, 1),
            ("x_stabilized", STEADY_COLOUR, 1),
            ("y_raw", RAW_COLOUR, 1),
            ("y_stabilized", STEADY_COLOUR, 1),
            ("score", GREEN, 1),
            ("speed", PURPLE, 1),
            ("error_raw", RAW_COLOUR, 1),
            ("error_stabilized", STEADY_COLOUR, 1),
        ):
            shown = QColor(colour)
            if name.endswith("moving"):
                shown.setAlpha(_MOTION_ALPHA)
            if name.split("_")[0] == plot:
                pens[name] = pg.mkPen(shown, width=width)
        if plot in ("x", "y"):
            pens[f"{plot}_truth"] = pg.mkPen(text, width=1, style=Qt.PenStyle.DashLine)
        for name, (plotted, curve) in attribute_curves().items():
            if plotted == plot:
                pens[name] = pg.mkPen(curve.colour, width=1)
        return pens

    def _show_error(self, *, there: bool) -> None:
        """Show or hide the error plot when ground truth appears or disappears."""
        check_box = self._check_boxes["error"]
        if check_box.isHidden() == there:
            check_box.setVisible(there)
            check_box.setChecked(there)
            # Most windows have no room for three plots.
            self._check_boxes["x"].setChecked(not there)

    def _arrange(self) -> None:
        """Stack the chosen plots vertically."""
        for name in self.shown_plots:
            if name not in self._plots:
                self._add_plot(name)
        self._widget.show_plots(self.shown_plots)
        self._set_least_height()
        self._show_headers()

    def _set_least_height(self) -> None:
        """Claim the height of the chosen plots if the window has it; otherwise they scroll."""
        most = max(_LEAST_HEIGHT_PX, (self.window().height() - _REST_PX) // 2)
        self._area.setMinimumHeight(min(self._widget.needed_px, most))

    def _show_headers(self, *, with_values: bool = True) -> None:
        """Name each plot and its curves, with the values at the playback position."""
        values = self._values if with_values and self._measures is not None else None
        for name in self.shown_plots:
            entries = header_entries(name)
            title = self._labels[name] if with_values else ""  # Saved plots have it at the axis.
            if name in ("x", "y") and self._measures is not None:
                title = f"{title}{' – ' * bool(title)}{self._landmark()}"
            html = header_html(title, entries, self._variants, values, self._frame)
            self._widget.set_header(name, html)

    def _landmark(self) -> str:
        """Return the number and the name of the landmark whose position is plotted."""
        assert self._measures is not None
        number = self._measures.landmark
        return f"{number} {landmark_name(number, self._measures.schema)}"

    def _apply_palette(self) -> None:
        for plot in ("x", "y"):
            if plot in self._plots:
                self._curves[f"{plot}_truth"].setPen(self._pens(plot)[f"{plot}_truth"])

    def _on_click(self, time_s: float) -> None:
        if self._measures is not None:
            self.clicked.emit(time_s)
