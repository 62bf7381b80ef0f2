"""Error messages are one line of printable text."""

import pytest

from steadymark.models.errors import SteadymarkError, WeightsError


@pytest.mark.parametrize(
    ("quoted", "message"),
    [
        ("my  film.mp4", "my  film.mp4"),
        ("Größe 视频.mp4", "Größe 视频.mp4"),
        ("two\nlines\r", "two lines "),
        ("\x1b[31mred", " [31mred"),  # colours a terminal
        ("fdp.\u202e4pm", "fdp. 4pm"),  # reverses the direction of text
    ],
)
def test_names_in_messages_are_unchanged_except_for_unprintable_characters(
    quoted: str, message: str
) -> None:
    assert (
        str(WeightsError(f"'{quoted}' is not a YuNet model")) == f"'{message}' is not a YuNet model"
    )
    assert f"{SteadymarkError(quoted)}" == message
