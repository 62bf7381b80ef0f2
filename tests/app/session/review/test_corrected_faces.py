"""The shown frame has exactly the corrected landmarks that a reviewed table has."""

from __future__ import annotations

import random

import numpy as np

from steadymark.app.session.recording.results import Results
from steadymark.app.session.review.corrected_faces import corrected_faces
from steadymark.app.session.review.results_table import whole_table
from steadymark.engine.core.types import FaceState
from steadymark.engine.review import edits
from steadymark.engine.review.project import Correction, Project, VideoReference
from steadymark.engine.review.reviewed_table import reviewed
from steadymark.models.face.schema import load_schema
from support.fakes.fake_results import face_points, track_result, tracked_face

FRAMES = 80


def results_of_two_faces() -> Results:
    """Return two moving faces; face 1 is away for a while and detected anew."""
    results = Results(np.arange(FRAMES) / 25, load_schema("ibug68"))
    for index in range(FRAMES):
        faces = [tracked_face(0, points=face_points(60 + index / 2))]
        if not 30 <= index < 34:
            state = FaceState.DETECTED if index in (0, 34) else FaceState.TRACKED
            faces.append(tracked_face(1, points=face_points(90, 50 + index / 3), state=state))
        results.add(track_result(index, *faces, restarted=index == 0))
    return results


def random_project(rng: random.Random) -> Project:
    project = Project(VideoReference("a.mp4", width=160, height=120))
    for _ in range(rng.randrange(1, 30)):
        frame = rng.randrange(-2, FRAMES + 3)
        landmarks = rng.sample(range(70), rng.choice((1, 3, 68)))
        points = tuple((i, rng.uniform(0, 160), rng.uniform(0, 120)) for i in sorted(landmarks))
        span_s = rng.choice((0.0, 0.1, 0.5, 3.0))
        made = Correction(rng.randrange(3), frame, frame / 25, points, span_s)
        project = edits.correct(project, made)
    return project


def test_frames_have_the_landmarks_and_attributes_of_the_reviewed_table() -> None:
    results = results_of_two_faces()
    table = whole_table(results, {})
    rng = random.Random(5)
    for _ in range(4):
        project = random_project(rng)
        wanted = reviewed(table, project)
        for row in range(rng.randrange(7), len(table), 7):
            frame, face_id = int(table.frame[row]), int(table.face_id[row])
            faces = results.faces(frame) or ()
            found = corrected_faces(faces, frame, results, project.corrections)
            (face,) = (one for one in found.faces if one.face_id == face_id)
            assert face.raw is not None
            assert face.stabilized is not None
            # tables are rounded
            np.testing.assert_allclose(face.stabilized.xy_px, wanted.table.xy_px[row], atol=1e-3)
            np.testing.assert_allclose(face.raw.xy_px, table.raw_xy_px[row], atol=1e-3)
            if face_id in found.corrected and found.corrected[face_id].moved.any():
                assert wanted.corrected[row]
