from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from steadymark.engine.core.errors import SteadymarkError, UsageError
from steadymark.engine.core.types import FaceBox
from steadymark.engine.metrics.accuracy_scores import AccuracyScores, accuracy_of
from steadymark.engine.metrics.image_evaluation import LabelledImages, compare_faces
from steadymark.engine.report.contact_sheet import contact_sheet
from steadymark.engine.tracking.face_pass import TrackerConfig
from steadymark.models.datasets import is_image_dataset
from steadymark.models.face.schema import load_schema
from support.fakes.fake_engine import SquareDetector, SquareNetwork, square_image

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Moves, Prediction

SCHEMA = load_schema("ibug68")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write three bright squares with the mean shape as landmarks, 1-based as in .pts files."""
    for i, x in enumerate((120.0, 160.0, 180.0)):
        cv2.imwrite(str(tmp_path / f"{i}.png"), square_image((x, 110, 80)))
        points = SCHEMA.mean_shape * 79 + (x - 0.5, 109.5) + 1
        rows = "\n".join(f"{a:.3f} {b:.3f}" for a, b in points)
        (tmp_path / f"{i}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{rows}\n}}\n")
    return tmp_path


def evaluate(network: SquareNetwork, folder: Path, **options: Any) -> AccuracyScores:
    return accuracy_of(compare_faces(network, LabelledImages(folder), SCHEMA, **options))


def test_a_network_that_finds_the_square_has_a_small_error(folder: Path) -> None:
    for detector in (None, SquareDetector()):
        found = evaluate(SquareNetwork(), folder, detector=detector)
        assert (found.faces, found.missed) == (3, 0)
        assert found.nrmse < 2.5
        assert found.fr8 == 0
        assert found.auc8 > 0.6
        assert set(found.regions) == {"contour", "brows", "nose", "eyes", "mouth"}


def test_faces_that_are_not_detected_count_as_failures(folder: Path) -> None:
    class DetectorWithoutRightSquare:
        turned = 0  # number of turned copies of the image that are still to be searched

        def detect(self, image: Image) -> tuple[FaceBox, ...]:
            if self.turned:
                self.turned -= 1
                return ()
            if int(np.nonzero(image[..., 0])[1].max()) < 205:
                return SquareDetector().detect(image)
            self.turned = 3
            return ()

    found = evaluate(SquareNetwork(), folder, detector=DetectorWithoutRightSquare())
    assert found.missed == 1
    assert found.fr8 == pytest.approx(1 / 3)


def test_a_folder_of_folders_is_one_data_set_whose_names_tell_the_folder(folder: Path) -> None:
    parts = folder / "parts"
    for kind in ("dark", "rolled", "annot"):
        (parts / kind).mkdir(parents=True)
    for file in folder.glob("[012].*"):
        file.rename(parts / ("dark" if file.stem == "0" else "rolled") / file.name)
    (parts / "annot" / "000001.pts").write_text("the labels of a video")
    assert is_image_dataset(parts)
    assert not is_image_dataset(folder)  # parts itself holds no labels
    found = compare_faces(SquareNetwork(), LabelledImages(parts), SCHEMA)
    assert [place.name for place in found.places] == ["dark/0", "rolled/1", "rolled/2"]
    assert accuracy_of(found).missed == 0
    assert contact_sheet({"net": found}, 3).max() > 200


class LowScoreNetwork(SquareNetwork):
    """Finds the landmarks, but with a low face score."""

    def step(
        self,
        crops: Image,
        state: tuple[object, ...] | None = None,
        moved: Moves | None = None,
    ) -> Prediction:
        result = super().step(crops)
        return result._replace(face=np.full_like(result.face, 0.9))


def test_a_low_face_score_counts_as_missed_only_with_a_detector(
    folder: Path,
) -> None:
    assert evaluate(LowScoreNetwork(), folder).missed == 0
    assert evaluate(LowScoreNetwork(), folder, detector=SquareDetector()).missed == 3
    config = TrackerConfig(find_from=0.8)
    result = evaluate(LowScoreNetwork(), folder, detector=SquareDetector(), config=config)
    assert result.missed == 0


def test_of_several_boxes_the_one_on_the_labelled_face_is_used(folder: Path) -> None:
    class DetectorWithSecondBox:
        def detect(self, image: Image) -> tuple[FaceBox, ...]:
            return (FaceBox(2, 2, 30, 30, 0.99), *SquareDetector().detect(image))

    config = TrackerConfig(max_faces=1)  # the limit does not apply to single images
    found = evaluate(SquareNetwork(), folder, detector=DetectorWithSecondBox(), config=config)
    assert found.missed == 0
    assert found.nrmse < 2.5


def test_a_folder_without_labels_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no data set.*300W form, with --data"):
        evaluate(SquareNetwork(), tmp_path)


def test_a_label_without_its_image_is_reported(folder: Path) -> None:
    (folder / "1.png").unlink()
    with pytest.raises(UsageError, match=r"1\.pts"):
        evaluate(SquareNetwork(), folder)


def test_an_invalid_label_is_reported_and_not_skipped(folder: Path) -> None:
    label = folder / "1.pts"
    text = label.read_text()
    for bad, words in (
        ("", "1.pts is empty"),
        (text.replace("n_points: 68", "n_points: 67"), "1.pts: it has 68 points"),
        (re.sub(r"{\n\S+", "{\n-900", text), "1.pts has points up to 900 px outside its"),
    ):
        label.write_text(bad)
        with pytest.raises(SteadymarkError, match=re.escape(words)):
            evaluate(SquareNetwork(), folder)


def wflw_list(folder: Path) -> Path:
    """Write a list in WFLW's form with two faces: bright squares with the mean shape of wflw98."""
    lines = []
    (folder / "WFLW_images").mkdir()
    for i, x in enumerate((120.0, 180.0)):
        cv2.imwrite(str(folder / "WFLW_images" / f"{i}.png"), square_image((x, 110, 80)))
        points = load_schema("wflw98").mean_shape * 79 + (x - 0.5, 109.5)
        lines.append(" ".join([*(f"{v:.3f}" for v in points.ravel()), f"{i}.png"]))
    path = folder / "list_98pt_test.txt"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_list_is_scored_by_the_landmarks_that_both_schemas_share(tmp_path: Path) -> None:
    path = wflw_list(tmp_path)
    images = LabelledImages(path)
    compared = compare_faces(SquareNetwork(), images, SCHEMA)
    assert (len(images), len(compared.places)) == (2, 2)
    assert len(compared.scored) == 68  # each landmark of ibug68 has a counterpart in wflw98
    assert accuracy_of(compared).nrmse < 12  # the mean shapes of both schemas differ a little
    sheet = contact_sheet({"square": compared}, 2)
    assert sheet.std() > 10


def test_a_bad_line_of_a_list_is_reported_and_not_skipped(tmp_path: Path) -> None:
    path = wflw_list(tmp_path)
    path.write_text(path.read_text().replace("1.png", "2.png"))
    with pytest.raises(UsageError, match=r"list_98pt_test.txt, line 2,? .*2.png is missing"):
        LabelledImages(path)
