"""The layout of the main window's widgets, and the controllers that work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMainWindow, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from steadymark.app.gui.actions.actions import make_actions
from steadymark.app.gui.actions.context_menus import (
    figures_menu,
    on_request,
    plots_menu,
    timeline_menu,
)
from steadymark.app.gui.annotations.annotation_controller import AnnotationController
from steadymark.app.gui.comparison_controller import ComparisonController
from steadymark.app.gui.correction.correction_bar import CorrectionBar
from steadymark.app.gui.correction.correction_controller import CorrectionController
from steadymark.app.gui.docks import Docks
from steadymark.app.gui.errors.errors_controller import ErrorsController
from steadymark.app.gui.errors.errors_panel import ErrorsPanel
from steadymark.app.gui.expressions.expressions_controller import ExpressionsController
from steadymark.app.gui.files.close_questions import CloseQuestions
from steadymark.app.gui.files.exports_list import ExportsList
from steadymark.app.gui.files.file_controller import FileController
from steadymark.app.gui.files.results_opener import ResultsOpener
from steadymark.app.gui.files.table_exports import TableExports
from steadymark.app.gui.gaze.gaze_controller import GazeController
from steadymark.app.gui.live.live_bar import LiveBar
from steadymark.app.gui.live.live_controller import LiveController
from steadymark.app.gui.messages import Messages
from steadymark.app.gui.panels.more_faces import MoreFacesMessage
from steadymark.app.gui.panels.plots import Plots
from steadymark.app.gui.panels.settings_panel import SettingsPanel
from steadymark.app.gui.panels.statistics_panel import StatisticsPanel
from steadymark.app.gui.people.people_controller import PeopleController
from steadymark.app.gui.people.people_panel import PeoplePanel
from steadymark.app.gui.review.review_controller import ReviewController
from steadymark.app.gui.review.review_exports import ReviewExports
from steadymark.app.gui.review.review_panel import ReviewPanel
from steadymark.app.gui.start_page import StartPage
from steadymark.app.gui.status_line import StatusLine
from steadymark.app.gui.theme import style_sheet
from steadymark.app.gui.video.face3d_panel import Face3dPanel
from steadymark.app.gui.video.playback_bar import PlaybackBar
from steadymark.app.gui.video.video_view import VideoView
from steadymark.app.gui.window_rebuild import WindowParts
from steadymark.app.session.state import ComparisonLayout, Phase, ShownLandmarks

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.app.gui.actions.window_options import WindowOptions
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.session.recording.open_recording import OpenRecording
    from steadymark.app.session.session import Session
    from steadymark.app.session.state import Display

_CHOICES = "choices"  # name of the stored choices
_WIDE_PX = 1150  # minimum width of a window with the plots beside the picture
_HIGH_PX = 700  # minimum height of a window with room for many lanes


class WindowLayout(QMainWindow):
    """The main window's widgets; `MainWindow` connects them with the session.

    The view, the messages and the exports stay when the language changes. All other widgets contain
    translated text and are rebuilt.
    """

    options: WindowOptions

    def __init__(self, session: Session, preferences: Preferences) -> None:
        super().__init__()
        self.session, self.preferences = session, preferences
        self.view = VideoView()
        self.messages, self.exports = Messages(), ExportsList()

    def open_path(self, path: str, video: str = "") -> None:
        """Open a video, a folder or pattern of pictures, a table or a project.

        Args:
            path: What is opened.
            video: The video of a table or a project; see `ResultsOpener`.
        """
        self.messages.dismiss_all()
        self.results_opener.open(path, video)

    def _remember_recording(self, recording: OpenRecording) -> None:
        """Put a recording that could be opened at the front of the recent ones."""
        self.preferences.add_recent(recording.media.info.path)
        self.files.recent_menu.fill()

    def _make_controllers(self, log_file: Path | None) -> None:
        self.comparison = ComparisonController(self, session=self.session)
        self.results_opener = ResultsOpener(self, session=self.session, messages=self.messages)
        self.files = FileController(
            self,
            session=self.session,
            preferences=self.preferences,
            messages=self.messages,
            exports=self.exports,
            view=self.view,
            log_file=log_file,
            open_path=self.open_path,
            recordings_folder=lambda: self.live_controller.live_preferences.folder,
        )
        self.live_controller = LiveController(
            self,
            session=self.session,
            preferences=self.preferences,
            messages=self.messages,
            open_path=self.open_path,
            folder_choice=self.files.folder_choice,
        )
        self.expressions = ExpressionsController(
            self, session=self.session, preferences=self.preferences
        )
        self.gaze = GazeController(self, session=self.session, preferences=self.preferences)
        self._make_review_controllers()
        self.more_faces = MoreFacesMessage(
            self.messages, lambda count: self.settings.track_faces(count)
        )

        self.close_questions = CloseQuestions(
            self, live=self.session.live, exports=self.exports, messages=self.messages
        )

    def _make_review_controllers(self) -> None:
        self.review_controller = ReviewController(
            self, session=self.session, view=self.view, messages=self.messages
        )
        self.people_controller = PeopleController(
            self, session=self.session, messages=self.messages
        )
        self.table_exports = TableExports(
            self,
            session=self.session,
            preferences=self.preferences,
            exports=self.exports,
            ask_save_path=self.files.ask_save_path,
        )
        self.review_exports = ReviewExports(
            self,
            session=self.session,
            exports=self.exports,
            ask_save_path=self.files.ask_save_path,
        )
        self.errors_controller = ErrorsController(
            self,
            session=self.session,
            exports=self.exports,
            messages=self.messages,
            ask_save_path=self.files.ask_save_path,
        )
        self.annotations = AnnotationController(
            self,
            session=self.session,
            messages=self.messages,
            shortcuts=lambda: self.options.shortcuts,
        )
        self.corrections = CorrectionController(
            self,
            session=self.session,
            view=self.view,
            preferences=self.preferences,
            exports=self.exports,
            messages=self.messages,
        )

    def _build(self) -> None:
        """Build all widgets that contain translated text, except the menus."""
        self.actions_by_name = make_actions(self)
        self.start_page = StartPage(
            self.actions_by_name["open"], self.actions_by_name["open_camera"]
        )
        self.start_page.set_recent(self.preferences.recent())
        self.playback_bar = PlaybackBar(self.actions_by_name)
        self._make_thumbnails()
        self.live_bar = LiveBar(self.actions_by_name)
        self.correction_bar = CorrectionBar(self.actions_by_name)
        shown = self.preferences.values("statistics").get("details") is True
        self.plots, self.statistics = Plots(), StatisticsPanel(details_shown=shown)
        self.statistics.unfolded.connect(
            lambda shown: self.preferences.set_values("statistics", {"details": shown})
        )
        self.settings = SettingsPanel(self.session.settings, self.preferences.presets)
        self.status = StatusLine()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.start_page)
        self.pages.addWidget(self.view)
        self.central = QWidget()
        column = QVBoxLayout(self.central)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pages, 1)
        column.addWidget(self.correction_bar)
        column.addWidget(self.playback_bar)
        column.addWidget(self.live_bar)
        column.addWidget(self.exports)
        self.messages.lie_over(self.pages)
        self.setCentralWidget(self.central)
        self.review = ReviewPanel(self.actions_by_name)
        self.people = PeoplePanel(self.actions_by_name)
        self.errors, self.face3d = ErrorsPanel(), Face3dPanel()
        self.docks = Docks(
            self,
            plots=self.plots,
            statistics=self.statistics,
            settings=self.settings,
            review=self.review,
            people=self.people,
            errors=self.errors,
            face3d=self.face3d,
        )

    def _make_thumbnails(self) -> None:
        """Let a command show and hide the thumbnails of the timeline; the choice is remembered."""
        line, action = self.playback_bar.timeline, self.actions_by_name["thumbnails"]
        line.use_thumbnails(self.session.thumbnails)
        action.setChecked(self.preferences.values("timeline").get("thumbnails") is True)
        line.show_thumbnails(shown=action.isChecked())
        action.toggled.connect(lambda shown: line.show_thumbnails(shown=shown))
        action.toggled.connect(
            lambda shown: self.preferences.set_values("timeline", {"thumbnails": shown})
        )

    def _connect_controllers(self) -> None:
        """Connect the controllers with the widgets after these were built or rebuilt."""
        actions, docks = self.actions_by_name, self.docks
        self.files.connect_actions(actions, plots=self.plots, settings=self.settings)
        self.live_controller.connect_actions(actions, self.live_bar)
        self.expressions.connect_actions(actions["expressions"])
        self.gaze.connect_actions(actions["gaze_calibration"])
        self.review_controller.connect_actions(actions, self.review, docks.review)
        self.table_exports.connect_actions(actions)
        self.review_exports.connect_actions(actions)
        self.people_controller.connect_widgets(
            actions,
            self.people,
            docks.people,
            timeline=self.playback_bar.timeline,
            statistics=self.statistics,
        )
        more = self.statistics.truth_tables.more
        self.errors_controller.connect_panel(self.errors, docks.errors, more)
        self.annotations.connect_widgets(actions, self.playback_bar.timeline)
        self.corrections.connect_widgets(actions, self.correction_bar, self.playback_bar.timeline)

    def _show_page(self, display: Display) -> None:
        """Show the video, or the start page if no recording or live view is open."""
        has_source = display.has_source
        if display.phase is Phase.EMPTY:
            self.start_page.set_recent(self.preferences.recent())
        self.pages.setCurrentWidget(self.view if has_source else self.start_page)
        # The start page is higher than the view, and must not keep the window high behind it.
        policy = QSizePolicy.Policy
        height = policy.Ignored if has_source else policy.Preferred
        self.start_page.setSizePolicy(policy.Preferred, height)
        self.playback_bar.setVisible(display.has_recording)
        self.docks.show(has_source=has_source)
        self._make_room()

    def _remember_choices(self) -> None:
        """Store the chosen plots and which landmarks are shown, for the next start."""
        display, chosen = self.session.display, set(self.plots.shown_plots)
        if "error" in chosen:  # It belongs to this recording's ground truth and hid x.
            chosen = (chosen - {"error"}) | {"x"}
        values: dict[str, object] = {"plots": sorted(chosen)}
        if display.shown_landmarks is not ShownLandmarks.OFF:
            values |= {"landmarks": display.shown_landmarks, "layout": display.layout}
        self.preferences.set_values(_CHOICES, values)

    def _restore_choices(self) -> None:
        """Show the plots and landmarks that `_remember_choices` stored."""
        values = self.preferences.values(_CHOICES)
        plots = values.get("plots")
        if isinstance(plots, list) and plots:
            self.plots.show_plots(*(str(name) for name in plots))
        landmarks, layout = values.get("landmarks"), values.get("layout")
        if landmarks in set(ShownLandmarks):
            self.session.set_shown_landmarks(ShownLandmarks(str(landmarks)))
        if landmarks == ShownLandmarks.BOTH and layout in set(ComparisonLayout):
            self.session.set_layout(ComparisonLayout(str(layout)))

    def _offer_menus(self) -> None:
        """Give the timeline, the plots and the statistics their context menus."""
        line, plots, session = self.playback_bar.timeline, self.plots, self.session
        on_request(
            line,
            lambda at: (
                self.annotations.context_menu(at)
                or timeline_menu(line, line, session, line.frame_at(at.x()))
            ),
        )
        on_request(plots, lambda at: plots_menu(plots, plots, self.actions_by_name))
        statistics = self.statistics
        on_request(statistics, lambda at: figures_menu(statistics, statistics))

    def _use_style_sheet(self) -> None:
        """Apply the style sheet in the colours of the palette."""
        sheet = style_sheet(self.palette())
        if sheet != self.styleSheet():
            self.setStyleSheet(sheet)

    def _make_room(self) -> None:
        """Put the plots beside a portrait picture if the window is wide enough.

        The lanes of the timeline get less room if the window is low.
        """
        self.playback_bar.timeline.make_room(in_high_window=self.height() >= _HIGH_PX)
        display = self.session.display
        if display.has_source and min(display.size) > 0:
            portrait = display.size[1] > display.size[0]
            self.docks.make_room(portrait=portrait and self.width() >= _WIDE_PX)

    def _dismiss(self) -> None:
        """Leave the field that is typed into, give up an edit, or dismiss the messages."""
        if self.playback_bar.stop_editing():
            self.view.setFocus()
        elif not (self.annotations.dismiss() or self.corrections.dismiss()):
            self.messages.dismiss_all()

    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    def _parts(self) -> WindowParts:
        options = self.options
        menus = (
            self.files.recent_menu,
            options.language_menu,
            options.theme_menu,
            *self.annotations.menus.all,
        )
        return WindowParts(
            view=self.view,
            messages=self.messages,
            exports=self.exports,
            docks=self.docks,
            plots=self.plots,
            status=self.status,
            others=(*menus, *self.actions_by_name.values(), self.central),
        )
