"""What a fault tells is one line of printable text."""

import pytest

from steadymark.models.errors import SteadymarkError, WeightsError


@pytest.mark.parametrize(
    ("quoted", "told"),
    [
        ("my  film.mp4", "my  film.mp4"),
        ("Größe 视频.mp4", "Größe 视频.mp4"),
        ("two\nlines\r", "two lines "),
        ("\x1b[31mred", " [31mred"),  # what would colour a terminal
        ("fdp.\u202e4pm", "fdp. 4pm"),  # what would turn a name round
    ],
)
def test_a_name_is_quoted_as_it_is_but_for_what_cannot_be_printed(quoted: str, told: str) -> None:
    assert str(WeightsError(f"'{quoted}' is no model")) == f"'{told}' is no model"
    assert f"{SteadymarkError(quoted)}" == told
