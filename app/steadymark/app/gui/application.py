"""Start and end of the program with a window."""

from __future__ import annotations

import logging
import logging.handlers
import os
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from steadymark.engine.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.session.live.live_view import OpenFeed
    from steadymark.engine.expressions.expression_settings import ExpressionSettings
    from steadymark.engine.sources import CameraMode
    from steadymark.engine.streaming.targets import StreamTarget

log = logging.getLogger(__name__)

QUIT_AFTER = "STEADYMARK_QUIT_AFTER_MS"  # used by the tests of installed programs
_NO_DISPLAY = (
    "there is no display to open a window on: start Steadymark from a desktop, or use "
    "'steadymark track VIDEO --out FOLDER' ('steadymark --help' lists all commands)"
)


def run_window(
    recording: str | None = None,
    mode: CameraMode | None = None,
    send: Sequence[StreamTarget] = (),
    *,
    video: str = "",
    expressions: ExpressionSettings | None = None,
    on_window: Callable[[MainWindow], object] = bool,
) -> int:
    """Run the window until it is closed, and return the exit code.

    Args:
        recording: The file, camera or address to open at the start.
        mode: The mode to request from a camera.
        send: Where to send live results, in addition to the user's own choice.
        video: The video of `recording`, if that is a table or a project.
        expressions: Settings of sent expressions, for this run; None takes the user's own choice.
        on_window: Called with the window before it is shown.

    Raises:
        UsageError: No window can be opened on this computer.
    """
    if not has_display():
        raise UsageError(_NO_DISPLAY)
    # OpenCV wheels with a GUI point Qt to their own plugins.
    for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR"):
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]
    try:
        from PySide6.QtCore import QSettings, QTimer
        from PySide6.QtWidgets import QApplication

        from steadymark.app.gui.first_hint import show_first_hint
        from steadymark.app.gui.garbage_collection import GuiGarbageCollector
    except ImportError as error:
        raise UsageError(
            "Qt cannot be loaded ({error}): install the system libraries that the README names",
            error=error,
        ) from error
    application = QApplication(["steadymark"])
    garbage = GuiGarbageCollector(application)
    _set_application_info(application)
    log_file = log_to_file(platformdirs.user_log_path("steadymark", appauthor=False))
    state_root = platformdirs.user_state_path("steadymark", appauthor=False) / "sessions"
    presets = platformdirs.user_config_path("steadymark", appauthor=False) / "presets"
    settings = QSettings("steadymark", "steadymark")
    window = make_window(settings, state_root, log_file, presets=presets)
    signal_objects = _close_on_signals(window)
    _show_unexpected_errors(window)
    if expressions is not None:
        window.session.expressions.use(expressions)
    on_window(window)
    window.show()
    log.info("ready")
    if recording is not None:
        open_recording(window, recording, mode, send, video)
    show_first_hint(
        window.session, window.preferences, window.messages, lambda: window.actions_by_name
    )
    offer_recovery(window, state_root)
    if os.environ.get(QUIT_AFTER, "").isdecimal():
        QTimer.singleShot(int(os.environ[QUIT_AFTER]), window.close)
    code = application.exec()
    garbage.stop()
    del signal_objects
    return code if window.closed_in_time else 1


def make_window(
    settings: QSettings,
    state_root: Path,
    log_file: Path | None,
    *,
    presets: Path | None = None,
    opener: OpenFeed | None = None,
) -> MainWindow:
    """Return the main window with its session; a QApplication must exist.

    Args:
        settings: Where preferences are stored.
        state_root: The folder for the state of sessions.
        log_file: The log file, which the window can show.
        presets: The folder of presets; see `Preferences`.
        opener: Opens cameras.
    """
    from PySide6.QtWidgets import QApplication

    from steadymark.app.gui.i18n.language import apply_language
    from steadymark.app.gui.main_window import MainWindow
    from steadymark.app.gui.preferences import Preferences
    from steadymark.app.gui.theme import follow_system_theme
    from steadymark.app.session.live.open_stream import open_feed
    from steadymark.app.session.session import Session

    preferences = Preferences(settings, presets)
    application = QApplication.instance()
    if isinstance(application, QApplication):
        follow_system_theme(application, preferences.theme())
        apply_language(application, preferences.language())
    session = Session(preferences.tracking(), state_root=state_root, opener=opener or open_feed)
    return MainWindow(session, preferences, log_file=log_file)


def offer_recovery(window: MainWindow, state_root: Path) -> None:
    """Offer to recover the two newest sessions that crashed."""
    from steadymark.app.session.recording.crash_recovery import find_sessions

    for found in reversed(find_sessions(state_root)[:2]):
        window.files.offer_recovery(found)


def has_display() -> bool:
    """Return whether Qt would find a display.

    Without a display, Qt ends the whole program.
    """
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    wayland = os.environ.get("WAYLAND_DISPLAY", "")
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    if wayland and (Path(folder) / wayland).exists():
        return True
    return _x_server_accepts(os.environ.get("DISPLAY", ""))


def log_to_file(folder: Path) -> Path | None:
    """Write log records to a file from now on.

    Returns:
        The log file, or None if it cannot be written.
    """
    path = folder / "steadymark.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            path, maxBytes=1 << 20, backupCount=2, encoding="utf-8", delay=True
        )
    except OSError:
        return None
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    for other in root.handlers:  # The terminal must not show more messages than before.
        other.setLevel(max(other.level, root.level))
    root.addHandler(handler)
    root.setLevel(min(root.level, logging.INFO))
    log.info("started")
    return path


def open_recording(
    window: MainWindow,
    recording: str,
    mode: CameraMode | None,
    send: Sequence[StreamTarget],
    video: str = "",
) -> None:
    """Open the recording; see `run_window` for the arguments."""
    from steadymark.app.session.live.open_stream import LiveTarget
    from steadymark.engine.sources.resolve_input import is_live

    if not is_live(recording):
        window.open_path(recording, video)
        return
    for target in send:
        window.session.live.sending.set_target(target.kind, place=target.place, on=True)
    window.live_controller.open(LiveTarget(recording, mode))


def _set_application_info(application: QApplication) -> None:
    from steadymark.app.gui.theme import icon
    from steadymark.engine.core.version import version

    application.setApplicationName("Steadymark")
    application.setApplicationVersion(version())
    application.setDesktopFileName("steadymark")
    application.setWindowIcon(icon("steadymark"))


def _x_server_accepts(display: str) -> bool:
    """Return whether an X server accepts connections at host:number.screen."""
    host, _, rest = display.rpartition(":")
    number = rest.split(".")[0]
    if not number.isdecimal():
        return False
    try:
        if host in ("", "unix"):
            for name in (f"/tmp/.X11-unix/X{number}", f"\0/tmp/.X11-unix/X{number}"):
                if _can_connect(socket.AF_UNIX, name):
                    return True
            return False
        return _can_connect(socket.AF_INET, (host, 6000 + int(number)))
    except OSError:
        return False


def _can_connect(family: socket.AddressFamily, address: str | tuple[str, int]) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as link:
        link.settimeout(2)
        return link.connect_ex(address) == 0


def _close_on_signals(window: MainWindow) -> object:
    """Close the window on SIGINT and SIGTERM without questions, which might stay unanswered."""
    from PySide6.QtCore import QSocketNotifier

    read_socket, write_socket = socket.socketpair()
    write_socket.setblocking(False)
    read_socket.setblocking(False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(write_socket.fileno())
    notifier = QSocketNotifier(read_socket.fileno(), QSocketNotifier.Type.Read)

    def on_signal() -> None:
        read_socket.recv(64)
        window.close_questions.asks = False
        window.close()

    notifier.activated.connect(on_signal)
    return notifier, read_socket, write_socket


def _show_unexpected_errors(window: MainWindow) -> None:
    """Log unexpected exceptions and show them to the user; the window stays open."""
    from PySide6.QtCore import QCoreApplication

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("unexpected", exc_info=(kind, error, trace))
        words = QCoreApplication.translate(
            "start",
            "An unexpected error occurred ({fault}). The tracked results are kept. "
            "Help > Copy diagnostics tells more: please report it.",
        )
        window.session.message_posted.emit(words.format(fault=f"{kind.__name__}: {error}"))

    sys.excepthook = hook
