"""Figures of models of the 3D scheme on cards."""

from pathlib import Path

import pytest

from steadymark.models.datasets.hard_faces import turned_faces
from steadymark.models.runtime.zoo import list_models, read_card, weights_folder, without_followers
from support.two_schemes import write_two_schemes
from tools.model_scores.measure_3d import measure_3d
from tools.model_scores.measure_models import landmark_models, models_3d


def test_the_figures_name_the_part_the_boxes_and_the_missed_faces(tmp_path: Path) -> None:
    write_two_schemes(tmp_path / "aflw2000", 8)
    told: list[str] = []
    figures = measure_3d("local_global-3d", tmp_path, reported=True, tell=told.append)
    assert len(told) == 4
    faces = len(turned_faces(tmp_path, held_back=True))
    missed = figures[f"aflw2000_3d_held_back_our_boxes_missed_of_{faces}"]
    assert missed == faces  # squares are no faces
    assert figures["aflw2000_3d_exact_true_boxes_missed_of_1"] == 0
    assert figures["aflw2000_3d_exact_true_boxes_nme_percent_of_box"] > 1
    told.clear()
    held_back = measure_3d("local_global-3d", tmp_path, reported=False, tell=told.append)
    assert held_back == {name: value for name, value in figures.items() if "exact" not in name}
    assert len(told) == 2


@pytest.mark.parametrize("name", models_3d())
def test_a_shipped_model_of_the_3d_scheme_tells_its_error(name: str) -> None:
    scores = read_card(weights_folder() / f"{name}.json").scores
    assert 2 < scores["aflw2000_3d_held_back_true_boxes_nme_percent_of_box"] < 4


def test_a_follower_is_no_choice_of_its_own() -> None:
    names = [card.name for card in without_followers(list_models())]
    assert "local_global-3d" in names
    assert "local_global-3d-follower" not in names
    assert not set(models_3d()) & set(landmark_models())
