"""Plots over the same time, one below the other, without the choice of what is plotted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyqtgraph as pg
from PySide6.QtCore import QBuffer, QEvent, QIODevice, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPalette, QResizeEvent
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QApplication, QWidget

from steadymark.app.gui.panels.portable_svg import without_scaled_strokes
from steadymark.app.gui.theme import SMALL, is_dark, scaled_font
from steadymark.app.gui.widgets.value_axis import LocalAxis, ValueAxis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MIN_PLOT_PX = 62  # minimum height of a plot, with its header
_TIME_AXIS_PX = 24  # height of the values of time below the last plot
_LABEL_PX = 110  # minimum height of a plot that shows the label of the time axis
_AXIS_PX = 52  # width of the values at the left
_SAVED_PX = 800, 140  # minimum width of saved plots, and height of each


class PlotStack(pg.GraphicsLayoutWidget):  # type: ignore[misc]
    """Plots over the same time, one below the other.

    Attributes:
        clicked: Emitted with a time in seconds after a click that is not a double click.
        plots: The plots that were added, by name, also those that are not shown.
    """

    clicked = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plots: dict[str, Any] = {}
        self._headers: dict[str, Any] = {}
        self._axis_labels: dict[str, str] = {}
        self._position_lines: list[Any] = []
        self._time_s = 0.0
        self._shown: tuple[str, ...] = ()
        self._saving = False
        self.ci.layout.setContentsMargins(4, 4, 8, 2)
        self.ci.layout.setSpacing(2)
        self._clicked_s = 0.0
        self._click_soon = QTimer(self, singleShot=True)
        self._click_soon.timeout.connect(lambda: self.clicked.emit(self._clicked_s))
        self.scene().sigMouseClicked.connect(self._on_click)

    def add_plot(self, name: str, label: str, *, logarithmic: bool = False) -> Any:
        """Add a plot, which is not shown yet, and return it.

        Args:
            name: The name of the plot.
            label: The quantity with its unit.
            logarithmic: Whether the vertical axis is logarithmic.
        """
        axes = {"left": ValueAxis(), "bottom": LocalAxis("bottom")}
        plot = pg.PlotItem(axisItems=axes, enableMenu=False)
        plot.setLabel("left", label)
        plot.setLabel("bottom", self.tr("time, s"))
        plot.setLogMode(x=False, y=logarithmic)
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.getAxis("left").setWidth(_AXIS_PX)
        plot.getAxis("left").showLabel(False)
        plot.setMouseEnabled(x=True, y=False)
        plot.enableAutoRange(axis="y", enable=True)
        plot.setAutoVisible(y=True)
        plot.setClipToView(True)
        plot.setDownsampling(auto=True, mode="peak")
        plot.hideButtons()
        place = pg.InfiniteLine(angle=90, movable=False)
        plot.addItem(place, ignoreBounds=True)
        place.setValue(self._time_s)
        self._position_lines.append(place)
        self.plots[name] = plot
        self._add_header(name)
        self._colour(name, place)
        return plot

    def show_plots(self, names: Sequence[str]) -> None:
        """Show these plots in this order, over the whole time."""
        for plot in self.plots.values():
            plot.setXLink(None)
            if plot.scene() is not None:
                self.removeItem(plot)
        self._shown = tuple(names)
        for row, name in enumerate(names):
            plot = self.plots[name]
            self.addItem(plot, row=row, col=0)
            plot.getAxis("bottom").setStyle(showValues=row == len(names) - 1)
            if row:
                plot.setXLink(self.plots[names[0]])
        self.show_all()
        self.setMinimumHeight(self.needed_px)
        self._show_labels()

    @property
    def shown(self) -> list[Any]:
        """The plots that are shown, from top to bottom."""
        return [self.plots[name] for name in self._shown]

    def show_all(self) -> None:
        """Show the whole recording, also while it grows, until the user zooms in."""
        for plot in self.plots.values():
            if plot.vb.linkedView(plot.vb.XAxis) is None:  # The linked plots follow this one.
                plot.enableAutoRange(axis="x", enable=True)

    def set_time(self, time_s: float) -> None:
        """Move the marker of the playback position."""
        self._time_s = time_s
        for line in self._position_lines:
            line.setValue(time_s)

    def set_header(self, name: str, html: str) -> None:
        """Set the line above a plot."""
        header = self._headers[name]
        if header.text != html:
            header.setText(html)

    def header(self, name: str) -> str:
        """Return the text of the line above a plot."""
        return str(self._headers[name].item.toPlainText())

    @property
    def needed_px(self) -> int:
        """The height below which the shown plots scroll."""
        return _MIN_PLOT_PX * len(self.shown) + _TIME_AXIS_PX

    def reload_icons(self) -> None:
        """Take the colours from the palette."""
        self.setBackground(self.palette().color(QPalette.ColorRole.Base))
        for name, line in zip(self.plots, self._position_lines, strict=True):
            self._colour(name, line)

    def _colour(self, name: str, line: Any) -> None:
        """Give a plot, its header and its marker of the position the colours of the palette."""
        colours, plot, header = self.palette(), self.plots[name], self._headers[name]
        text = colours.color(QPalette.ColorRole.WindowText)
        for side in ("left", "bottom"):
            plot.getAxis(side).setPen(colours.color(QPalette.ColorRole.Mid))
            plot.getAxis(side).setTextPen(text)
        plot.showGrid(x=True, y=True, alpha=0.18 if is_dark(colours) else 0.12)
        header.setText(header.text, color=text.name())
        line.setPen(pg.mkPen(text, width=1))

    def as_image(self) -> QImage:
        """Return the shown plots as an image with room for all labels."""
        with self._enlarged():
            image: QImage = self.grab().toImage()
        return image

    def as_svg(self, title: str) -> bytes:
        """Return the shown plots as SVG with room for all labels."""
        with self._enlarged():
            return self._drawn(title)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "plots"):
            self.reload_icons()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "plots"):  # The base class resizes itself while it is built.
            self._show_labels()

    def _drawn(self, title: str) -> bytes:
        buffer, size = QBuffer(), self.size()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        drawing = QSvgGenerator()
        drawing.setOutputDevice(buffer)
        drawing.setSize(size)
        # Without it, the axes would be drawn at another scale.
        drawing.setResolution(self.logicalDpiX())
        drawing.setViewBox(QRectF(0, 0, size.width(), size.height()))
        drawing.setTitle(title)
        painter = QPainter(drawing)
        painter.fillRect(self.rect(), self.palette().color(QPalette.ColorRole.Base))
        self.render(painter)
        painter.end()
        return without_scaled_strokes(bytes(buffer.data().data()))

    @contextmanager
    def _enlarged(self) -> Iterator[None]:
        """Enlarge the plots and hide the marker for the duration of the context."""
        size, (width, height) = self.size(), _SAVED_PX
        self._saving = True
        self.resize(max(size.width(), width), max(size.height(), height * len(self.shown)))
        self._show_labels()
        for plot in self.plots.values():
            plot.layout.activate()
        self.ci.layout.activate()
        try:
            yield
        finally:
            self._saving = False
            self.resize(size)
            self._show_labels()

    def _show_labels(self) -> None:
        """Show the label of the time axis if it has room, and all labels while saving."""
        chosen = self.shown
        roomy = self._saving or self.height() >= _LABEL_PX * len(chosen)
        for plot in chosen:
            left = plot.getAxis("left")
            left.showLabel(self._saving)
            left.setWidth(_AXIS_PX + 16 * self._saving)
            left.setStyle(maxTickLevel=2 if roomy else 1)
            plot.getAxis("bottom").showLabel(roomy and plot is chosen[-1])
        for line in self._position_lines:
            line.setVisible(not self._saving)

    def _add_header(self, name: str) -> None:
        font = scaled_font(self.font(), SMALL)
        height = QFontMetrics(font).height() + 4
        plot = self.plots[name]
        plot.layout.setRowFixedHeight(0, height)
        header = pg.LabelItem("", size=f"{font.pointSizeF():.1f}pt", justify="left")
        header.setParentItem(plot)
        header.anchor(itemPos=(0, 0), parentPos=(0, 0), offset=(_AXIS_PX + 2, -3))
        self._headers[name] = header

    def _on_click(self, event: Any) -> None:
        """Start a click, or show the whole time at a double click, whose clicks do not count."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self._click_soon.stop()
            self.show_all()
            return
        for plot in self.shown:
            if plot.sceneBoundingRect().contains(event.scenePos()):
                self._clicked_s = float(plot.vb.mapSceneToView(event.scenePos()).x())
                self._click_soon.start(QApplication.doubleClickInterval())
                return
