"""Results that are kept in a temporary file until the end of a video."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from steadymark.engine.core.pupils import Pupils
from steadymark.engine.core.types import FaceAttributes, FaceContext, Intrinsics
from steadymark.engine.output.csv.result_file import ResultFile
from support.fakes.fake_results import lost_face, track_result, tracked_face

if TYPE_CHECKING:
    from pathlib import Path


def test_results_come_back_as_they_were_added(tmp_path: Path) -> None:
    pupils = Pupils(np.array([[1.25, 2], [np.nan, np.nan]]), np.array([0.9, 0.1]))
    context = FaceContext("ibug68", Intrinsics(160, 120), 0.4, np.arange(5) / 3, pupils=pupils)
    face = replace(tracked_face(7), attributes=FaceAttributes(context, {}))
    unfiltered = replace(face, face_id=8, stabilized=face.raw, attributes=None)
    added = [
        track_result(3, face, lost_face(2), pts_s=0.1),
        track_result(4),
        track_result(5, unfiltered),
    ]
    file = ResultFile(tmp_path)
    for result in added:
        file.add(result)
    for _ in range(2):  # it can be read again
        found = list(file.results())
        assert [(r.frame.index, r.frame.pts_s, len(r.faces)) for r in found] == [
            (r.frame.index, r.frame.pts_s, len(r.faces)) for r in added
        ]
    again, lost, plain = *found[0].faces, found[2].faces[0]
    assert (again.face_id, again.state, again.score) == (7, face.state, face.score)
    assert again.box == face.box
    for got, expected in ((again.raw, face.raw), (again.stabilized, face.stabilized)):
        assert got is not None
        assert expected is not None
        np.testing.assert_array_equal(got.xy_px, expected.xy_px)
        np.testing.assert_array_equal(got.score, expected.score)
    assert again.attributes is not None
    assert again.attributes is not None
    known = again.attributes.context
    assert (known.schema, known.camera, known.time_s) == ("ibug68", Intrinsics(160, 120), 0.4)
    np.testing.assert_array_equal(known.identity, context.identity)
    assert known.pupils is not None
    np.testing.assert_array_equal(known.pupils.xy_px, pupils.xy_px)
    np.testing.assert_array_equal(known.pupils.score, pupils.score)
    assert (lost.state, lost.raw, lost.attributes) == (lost_face(2).state, None, None)
    assert plain.stabilized is plain.raw
    assert plain.attributes is None
    file.close()
    assert not list(tmp_path.iterdir())
