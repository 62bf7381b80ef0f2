"""The panel that shows the 3D face of the shown frame."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from steadymark.app.gui.theme import palette
from steadymark.app.gui.video.face3d_panel import Face3dPanel
from steadymark.app.session.people.face_names import face_names
from steadymark.app.session.state import Phase
from steadymark.engine.core.types import EXPRESSIONS, HEAD_POSE, FaceAttributes
from steadymark.engine.expressions.arkit import SHAPES
from support.fakes.fake_results import FAKE_CONTEXT, lost_face, tracked_face
from support.window.window_driver import open_video

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pytestqt.qtbot import QtBot

    from steadymark.app.gui.main_window import MainWindow
    from steadymark.engine.core.types import HeadPose, TrackedFace

pytestmark = pytest.mark.usefixtures("english")


def face(face_id: int = 0, *, yaw: float = 0.0, **strengths: float) -> TrackedFace:
    """Return a face whose head is turned by a yaw in radians, with strengths of shapes."""
    shapes = tuple(strengths.get(name, 0.0) for name in SHAPES)
    values = {HEAD_POSE: (0.0, 0.0, 600.0, 0.0, yaw, 0.0), EXPRESSIONS: shapes}
    return replace(tracked_face(face_id), attributes=FaceAttributes(FAKE_CONTEXT, values))


@pytest.fixture
def panel(qtbot: QtBot) -> Face3dPanel:
    made = Face3dPanel()
    made.setPalette(palette(dark=False))
    made.resize(200, 200)
    qtbot.addWidget(made)
    made.show()
    return made


def show(panel: Face3dPanel, *faces: TrackedFace, **options: object) -> None:
    given = {"chosen": None, "mirrored": False} | options
    panel.set_faces(faces, face_names(None, {each.face_id for each in faces}, 0), **given)  # type: ignore[arg-type]


def pixels(panel: Face3dPanel) -> NDArray[np.int64]:
    image = panel.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    data = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return data[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int64)


def pupils_x(panel: Face3dPanel) -> float:
    """Return the mean x of the darkest part of the eyes' height, as a share of the width."""
    seen = pixels(panel)[60:100]
    dark: float = (seen.sum(2) < 90).nonzero()[1].mean() / seen.shape[1]
    return dark


def test_a_head_that_turns_to_its_left_turns_to_the_right_of_the_panel(panel: Face3dPanel) -> None:
    show(panel, face())
    ahead = pupils_x(panel)
    show(panel, face(yaw=-0.8))
    assert pupils_x(panel) > ahead + 0.08
    show(panel, face(yaw=-0.8), mirrored=True)
    assert pupils_x(panel) < ahead - 0.08


def test_expressions_move_the_face(panel: Face3dPanel) -> None:
    dark = []
    for jaw in (0.0, 1.0):
        show(panel, face(jawOpen=jaw))
        dark.append((pixels(panel)[110:180].sum(2) < 160).sum())
    assert dark[1] > dark[0] + 100


def test_the_eyes_follow_the_gaze_and_look_ahead_where_it_is_unknown(panel: Face3dPanel) -> None:
    show(panel, face())
    ahead = pixels(panel)
    middle = pupils_x(panel)
    show(panel, face(eyeLookOutLeft=0.8, eyeLookInRight=0.8))
    assert pupils_x(panel) > middle + 0.01
    show(panel, face(eyeLookOutLeft=float("nan"), eyeLookUpLeft=float("nan")))
    np.testing.assert_array_equal(pixels(panel), ahead)


def test_the_chosen_face_is_shown_or_the_first_one(panel: Face3dPanel) -> None:
    show(panel, lost_face(1), face(3), face(4))
    assert panel.shown is not None
    assert panel.shown.face_id == 3
    show(panel, face(3), face(4), chosen=4)
    assert panel.shown.face_id == 4
    show(panel, face(3), chosen=4)
    assert panel.shown is None
    assert panel.notice == "No face in this frame."


def test_the_panel_says_why_it_shows_nothing(panel: Face3dPanel) -> None:
    assert panel.notice == "There is no picture yet: open a video or a camera."
    panel.set_faces(None, {}, chosen=None, mirrored=False, has_frame=False)
    assert panel.notice == "There is no picture yet: open a video or a camera."
    panel.set_faces(None, {}, chosen=None, mirrored=False)
    assert panel.notice == "This frame is not tracked yet."
    show(panel)
    assert panel.notice == "No face in this frame."
    show(panel, lost_face())
    assert panel.notice == "No face in this frame."
    known = face().attributes
    assert known is not None
    show(panel, replace(face(), attributes=replace(known, values={})))
    assert panel.notice == "The 3D face does not fit these landmarks."
    other = replace(known.context, schema="wflw98")
    show(panel, replace(face(), attributes=FaceAttributes(other, {})))
    assert "needs iBUG's 68 landmarks" in panel.notice
    assert len(np.unique(pixels(panel).reshape(-1, 3), axis=0)) > 1  # the words
    show(panel, face())
    assert panel.notice == ""


def test_dragging_turns_the_view_and_a_double_click_resets_it(panel: Face3dPanel) -> None:
    show(panel, face())
    ahead = pixels(panel)
    start, end = QPoint(60, 100), QPoint(120, 110)
    QTest.mousePress(panel, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(panel, end)
    QTest.mouseRelease(panel, Qt.MouseButton.LeftButton, pos=end)
    assert pupils_x(panel) > 0.58  # The face follows the mouse.
    QTest.mouseMove(panel, QPoint(20, 100))
    assert pupils_x(panel) > 0.58  # No button is pressed.
    QTest.mouseDClick(panel, Qt.MouseButton.LeftButton, pos=start)
    np.testing.assert_array_equal(pixels(panel), ahead)


def test_the_view_stays_below_the_zenith(panel: Face3dPanel) -> None:
    show(panel, face())
    panel.look_from(yaw_deg=0, pitch_deg=200)
    from_above = pixels(panel)
    panel.look_from(yaw_deg=360, pitch_deg=80)
    np.testing.assert_array_equal(pixels(panel), from_above)


def test_the_colours_are_those_of_the_theme(panel: Face3dPanel) -> None:
    show(panel, face())
    for dark, level in ((False, 0xF4), (True, 0x22)):
        panel.setPalette(palette(dark=dark))
        assert pixels(panel)[3, 3, 0] == level


def test_the_face_is_named_if_there_are_several(panel: Face3dPanel) -> None:
    show(panel, face(3))
    alone = pixels(panel)[:25, :60]
    show(panel, face(3), face(4))
    assert (pixels(panel)[:25, :60] != alone).any()


def test_a_hidden_panel_draws_nothing(panel: Face3dPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def picture(_: Face3dPanel, face: TrackedFace) -> QImage:
        drawn.append(face)
        return QImage()

    monkeypatch.setattr(Face3dPanel, "_picture", picture)
    panel.hide()
    show(panel, face())
    QTest.qWait(20)
    assert drawn == []
    panel.show()
    QTest.qWaitForWindowExposed(panel)
    panel.grab()
    assert drawn


def shows(panel: Face3dPanel, pose: HeadPose) -> bool:
    return panel.shown is not None and panel.shown.pose == pose


def test_the_window_shows_the_face_of_the_shown_frame(
    qtbot: QtBot, window: MainWindow, clip: str
) -> None:
    open_video(qtbot, window, clip)
    qtbot.waitUntil(lambda: window.session.display.phase is Phase.FINISHED, timeout=20000)
    window.session.recording.pause()
    assert window.docks.face3d.isHidden()
    window.docks.face3d.toggleViewAction().trigger()
    assert window.docks.face3d.isVisible()
    results = window.session.results
    assert results is not None
    for frame in (20, 70):
        window.session.recording.seek(frame)
        wanted = results.faces(frame)
        assert wanted is not None
        pose = wanted[0].pose
        assert pose is not None
        qtbot.waitUntil(partial(shows, window.face3d, pose))
    window.session.close_source()
    assert window.docks.face3d.isHidden()
