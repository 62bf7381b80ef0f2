"""The program without a command on a computer without a display."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from typer.testing import Result


def test_without_command_and_display_the_program_says_how_to_track(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    result = run()
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert "something unexpected" not in result.output
    for words in ("no display", "steadymark track"):
        assert words in result.output
