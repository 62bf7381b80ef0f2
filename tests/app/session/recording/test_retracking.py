"""A part of a recording is tracked again from corrected landmarks; nothing is lost if it fails."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from steadymark.app.session.background_opening import ModelCache
from steadymark.app.session.recording.crash_recovery import sessions_in
from steadymark.app.session.review.corrected_faces import corrected_faces
from steadymark.app.session.session import Session
from steadymark.app.session.state import Phase
from steadymark.engine.review import edits
from steadymark.engine.review.project import Correction
from steadymark.engine.stabilizers.stabilizer_registry import choose
from steadymark.engine.tracking.settings import TrackSettings
from steadymark.models.face.schema import load_schema
from steadymark.models.user_text import UserText
from support.fakes.blocking_fakes import Gate
from support.videos.two_squares import LARGE, SMALL, two_squares_models, two_squares_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytestqt.qtbot import QtBot

    from steadymark.engine.tracking.settings import OpenModels

FRAMES, WAIT_MS = 60, 20_000
SHAPE = load_schema("ibug68").mean_shape


class Program:
    """Opens the same recording again and again, as the program does when it is started again."""

    def __init__(self, qtbot: QtBot, clip: Path, state_root: Path) -> None:
        self._qtbot, self.clip, self.state_root = qtbot, clip, state_root
        self.session: Session | None = None
        self.models: list[OpenModels] = []
        self.messages: list[str] = []

    def start(self, settings: TrackSettings) -> Session:
        self.close()

        def opener(_: TrackSettings) -> OpenModels:
            self.models.append(two_squares_models())
            return self.models[-1]

        session = Session(settings, state_root=self.state_root, models=ModelCache(opener))
        self.session = session
        session.message_posted.connect(self.messages.append)
        session.open(str(self.clip))
        self._qtbot.waitUntil(
            lambda: session.display.phase is Phase.FINISHED and session.frame is not None,
            timeout=WAIT_MS,
        )
        return session

    def close(self) -> None:
        if self.session is not None:
            assert self.session.close()
        self.session = None


@pytest.fixture
def program(qtbot: QtBot, tmp_path: Path) -> Iterator[Program]:
    program = Program(qtbot, two_squares_video(tmp_path / "a.mp4", FRAMES), tmp_path / "state")
    yield program
    program.close()


def correct(session: Session, frame: int, square: tuple[int, int, int]) -> None:
    """Put all landmarks of face 0 onto a square."""
    x, y, side = square
    places = (SHAPE * side + (x, y)).tolist()
    points = tuple((i, px, py) for i, (px, py) in enumerate(places))
    made = Correction(0, frame, frame / 25, points)
    session.review.edit(UserText("correct"), lambda project: edits.correct(project, made))


def track_again(qtbot: QtBot, session: Session, frame: int) -> None:
    before = session.results
    assert session.retracking.start(frame)
    qtbot.waitUntil(lambda: session.results is not before, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED, timeout=WAIT_MS)


def places(session: Session) -> list[float]:
    """Return the x of the raw landmarks of face 0 in each frame."""
    assert session.results is not None
    rows = session.results.rows()
    assert rows.frame.tolist() == list(range(FRAMES))
    assert set(rows.face_id.tolist()) == {0}
    xs: list[float] = rows.raw[:, :, 0].mean(1).tolist()
    return xs


def on(session: Session) -> str:
    """Return for each frame whether face 0 is on the large or the small square."""
    return "".join("L" if abs(x - LARGE[0]) < 20 else "s" for x in places(session))


def test_frames_after_the_correction_follow_it_until_the_next_corrected_frame(
    qtbot: QtBot, program: Program
) -> None:
    session = program.start(TrackSettings())
    assert on(session) == "L" * FRAMES
    correct(session, 20, SMALL)
    correct(session, 50, LARGE)
    track_again(qtbot, session, 20)
    assert on(session) == "L" * 21 + "s" * 29 + "L" * 10
    assert session.results is not None
    assert np.flatnonzero(session.results.restarted()).tolist() == [0, 21, 50]
    assert session.results.segment_count == 3
    project = session.review.project
    assert project is not None
    for frame in (21, 30, 49):  # where the corrections would reach
        faces = session.results.faces(frame) or ()
        found = corrected_faces(faces, frame, session.results, project.corrections)
        assert found.corrected == {}
    assert (
        corrected_faces(session.results.faces(15) or (), 15, session.results, project.corrections)
        .corrected[0]
        .moved.all()
    )
    assert program.messages == []


@pytest.mark.parametrize("stabilizer", ["none", "one-euro", "butterworth"])
def test_the_new_part_is_filtered_kept_and_shown_when_the_recording_is_opened_again(
    qtbot: QtBot, program: Program, stabilizer: str
) -> None:
    settings = TrackSettings(stabilizer=stabilizer)
    session = program.start(settings)
    correct(session, 20, SMALL)
    track_again(qtbot, session, 20)
    assert session.results is not None
    tracked, stabilized = on(session), session.results.rows().stabilized
    assert tracked == "L" * 21 + "s" * 39
    networks = len(program.models)
    again = program.start(settings)
    assert [len(models.network.batches) for models in program.models[networks:]] == [0]  # type: ignore[attr-defined]
    assert on(again) == tracked
    assert again.results is not None
    np.testing.assert_allclose(again.results.rows().stabilized, stabilized, atol=0.01)
    assert again.review.project is not None
    assert len(again.review.project.corrections) == 1
    program.close()
    assert len(sessions_in(program.state_root)) == 1


def test_a_filter_that_is_changed_meanwhile_is_used(qtbot: QtBot, program: Program) -> None:
    session = program.start(TrackSettings(stabilizer="none"))
    correct(session, 20, SMALL)
    gate = hold_network(program)
    assert session.retracking.start(20)
    assert gate.reached.wait(20)
    changed = TrackSettings(stabilizer="butterworth")
    session.use_settings(changed)
    before = session.results
    gate.open()
    qtbot.waitUntil(lambda: session.results is not before, timeout=WAIT_MS)
    current = session.recording.current
    assert current is not None
    qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED)
    qtbot.waitUntil(lambda: current.tracking._filter.choice == choose("butterworth"))


def hold_network(program: Program, *, fails: bool = False) -> Gate:
    """Let the network wait at the fifth frame of the part, and fail there if wanted."""
    network, gate, calls = program.models[-1].network, Gate(), 0
    step = network.step

    def held(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 5:
            gate.pass_through()
            if fails:
                raise ZeroDivisionError("planted")
        return step(*arguments, **named)  # type: ignore[arg-type]

    network.step = held  # type: ignore[method-assign, assignment]
    return gate


def test_nothing_is_lost_if_it_fails(qtbot: QtBot, program: Program) -> None:
    session = program.start(TrackSettings())
    correct(session, 20, SMALL)
    before = session.results
    hold_network(program, fails=True).open()
    session.retracking.start(20)
    qtbot.waitUntil(lambda: session.retracking.running is None, timeout=WAIT_MS)
    assert session.results is before
    assert on(session) == "L" * FRAMES
    assert "Frames 21 to 59 are as they were" in program.messages[0]
    assert on(program.start(TrackSettings())) == "L" * FRAMES
    program.close()
    assert len(sessions_in(program.state_root)) == 1


@pytest.mark.parametrize("how", ["stop", "close", "again"])
def test_nothing_is_lost_if_it_is_given_up(qtbot: QtBot, program: Program, how: str) -> None:
    session = program.start(TrackSettings())
    correct(session, 20, SMALL)
    gate = hold_network(program)
    assert session.retracking.start(20)
    assert gate.reached.wait(20)
    assert "being tracked again" in session.retracking.why_not(20)
    if how == "stop":
        session.retracking.give_up()
        gate.open()
    elif how == "close":
        session.close_source()
        gate.open()
    else:
        session.recording.retrack()
        qtbot.waitUntil(lambda: session.retracking.running is None, timeout=WAIT_MS)
        gate.open()
        qtbot.waitUntil(lambda: session.display.phase is Phase.FINISHED, timeout=WAIT_MS)
    assert session.retracking.running is None
    assert on(program.start(TrackSettings())) == "L" * FRAMES
    program.close()
    assert len(sessions_in(program.state_root)) == 1
    assert program.messages == []


def test_faces_keep_their_numbers_and_new_ones_get_those_that_were_in_their_places(
    qtbot: QtBot, program: Program
) -> None:
    two_squares_video(program.clip, FRAMES, small_from=30)
    config = replace(TrackSettings().tracker, max_faces=2)
    session = program.start(TrackSettings(tracker=config))

    def numbers() -> list[list[int]]:
        assert session.results is not None
        faces = [session.results.faces(frame) or () for frame in range(FRAMES)]
        return [[face.face_id for face in each] for each in faces]

    before = numbers()
    assert (before[20], before[50]) == ([0], [0, 1])
    correct(session, 10, LARGE)
    track_again(qtbot, session, 10)
    after = numbers()
    assert (after[20], after[50]) == ([0], [0, 1])
    assert {face_id for each in after for face_id in each} == {0, 1}


def test_the_reason_is_told_where_nothing_can_be_tracked_again(program: Program) -> None:
    session = program.start(TrackSettings())
    assert session.retracking.why_not(10) == ""
    assert "no frame to track after" in session.retracking.why_not(FRAMES - 1)
    assert not session.retracking.start(FRAMES - 1)
    assert "no frame to track after" in program.messages[0]
    session.close_source()
    assert "Open a recording first" in session.retracking.why_not(0)
