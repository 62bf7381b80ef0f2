"""Each check of `doctor` finds the fault that it looks for."""

from __future__ import annotations

import json
import shutil
import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from steadymark.app.cli.doctor import folder_checks, media_checks, model_checks, version_checks
from steadymark.app.cli.doctor.check_result import CheckState
from steadymark.app.cli.doctor.qt_checks import (
    check_libraries,
    check_qt,
    distribution_family,
    missing_libraries,
    window_on,
)
from steadymark.engine.sources import CameraInfo
from steadymark.models.runtime.zoo import weights_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def installed(**versions: str) -> Callable[[str], str]:
    """Return a function that knows only these distributions (with `_` for `-`)."""

    def find(name: str) -> str:
        if name.replace("-", "_") not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name.replace("-", "_")]

    return find


def test_a_python_that_is_too_old_is_a_fault() -> None:
    assert version_checks.check_python((3, 10)).state is CheckState.FAULT
    assert version_checks.check_python((3, 11)).state is CheckState.OK


def test_a_library_that_is_too_old_missing_or_damaged_is_a_fault() -> None:
    check = version_checks.check_library
    found = [
        check("av", "av", (18,), installed(av="17.9.1")),
        check("av", "av", (18,), installed()),
        check("av", "steadymark.no_such_module", (), installed(av="18.0")),
    ]
    assert [result.state for result in found] == [CheckState.FAULT] * 3
    assert "18 or later" in found[0].text
    assert found[1].text == "not installed"
    assert "cannot be imported" in found[2].text
    assert check("av", "av", (18,), installed(av="18.0")).state is CheckState.OK


def test_either_build_of_onnx_runtime_will_do_but_not_both() -> None:
    check = version_checks.check_library
    gpu = check("onnxruntime", "", (1, 22), installed(onnxruntime_gpu="1.30.0"))
    assert (gpu.state, gpu.text) == (CheckState.OK, "onnxruntime-gpu 1.30.0")
    both = installed(onnxruntime_gpu="1.30.0", onnxruntime="1.30.0")
    (conflict,) = version_checks.check_conflicts(both)
    assert conflict.state is CheckState.FAULT
    assert conflict.advice.startswith("pip uninstall onnxruntime onnxruntime-gpu")
    assert not list(version_checks.check_conflicts(installed(onnxruntime="1.30.0")))


def test_the_excluded_version_of_qt_is_a_fault() -> None:
    (found,) = version_checks.check_conflicts(installed(PySide6_Essentials="6.12.0"))
    assert found.state is CheckState.FAULT


def test_least_versions_are_read_from_requirements() -> None:
    lines = ["av>=18", "PySide6-Essentials!=6.12.0,>=6.7", "torch>=2; extra == 'train'"]
    assert version_checks.least_versions(lines)["av"] == (18,)
    assert "torch" not in version_checks.least_versions(lines)
    assert version_checks.least_versions(["PySide6-Essentials>=6.7,!=6.12.0"]) == {
        "pyside6-essentials": (6, 7)
    }


def load_all_but(*missing: str) -> Callable[[str], object]:
    def load(name: str) -> object:
        if name in missing:
            raise OSError(name)
        return name

    return load


@pytest.mark.parametrize(
    ("release", "advice"),
    [
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "sudo apt-get install libxcb-cursor0"),
        ({"ID": "debian"}, "sudo apt-get install libxcb-cursor0"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt-get install libxcb-cursor0"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "sudo dnf install xcb-util-cursor"),
        ({"ID": "manjaro", "ID_LIKE": "arch"}, "sudo pacman -S xcb-util-cursor"),
        ({"ID": "opensuse-leap"}, "sudo zypper install libxcb-cursor0"),
        ({"ID": "nixos"}, "install the packages that Debian calls libxcb-cursor0"),
    ],
)
def test_a_missing_library_is_named_with_the_package_of_the_distribution(
    release: dict[str, str], advice: str
) -> None:
    missing = missing_libraries(load_all_but("libxcb-cursor.so.0"))
    result = check_libraries(missing, distribution_family(release))
    assert result.state is CheckState.FAULT
    assert "libxcb-cursor.so.0" in result.text
    assert result.advice == advice


def test_a_package_that_brings_two_libraries_is_named_once() -> None:
    result = check_libraries(["libxcb-shape.so.0", "libxcb-sync.so.1"], "fedora")
    assert result.advice == "sudo dnf install libxcb"
    assert check_libraries([], "fedora").state is CheckState.OK


def test_qt_opens_a_window_off_screen_and_says_why_it_cannot_elsewhere() -> None:
    works, text = window_on("offscreen")
    assert works, text
    assert text.startswith("offscreen, Qt 6")
    works, text = window_on("no-such-platform")
    assert not works
    assert "no-such-platform" in text


def test_a_computer_without_a_display_is_a_note_but_a_broken_qt_is_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    tried: list[str] = []

    def works(platform: str) -> tuple[bool, str]:
        tried.append(platform)
        return True, platform

    assert list(check_qt(works))[-1].state is CheckState.NOTE
    assert list(check_qt(lambda _: (False, "broken")))[-1].state is CheckState.FAULT
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert list(check_qt(works))[-1].state is CheckState.OK
    assert tried == ["offscreen", ""]


def test_a_missing_decoder_is_a_fault() -> None:
    def find(name: str) -> object:
        if "hevc" in name:
            raise ValueError(name)
        return name

    found = {result.name: result.state for result in media_checks.check_codecs(find)}
    assert found["hevc decoder"] is CheckState.FAULT
    assert found["h264 decoder"] is CheckState.OK
    assert found["h264 encoder"] is CheckState.OK


def test_a_camera_that_the_user_may_not_open_is_told_with_the_group(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    cameras = (CameraInfo(0, "Front", str(device)), CameraInfo(2, "Back", "/dev/video2"))
    found = media_checks.check_cameras(lambda: cameras, may_open=lambda path: path != str(device))
    closed, free = found
    assert (closed.name, closed.state) == ("camera:0", CheckState.NOTE)
    assert closed.advice.startswith("sudo usermod -aG ")
    assert (free.name, free.state) == ("camera:2", CheckState.OK)
    (none,) = media_checks.check_cameras(lambda: ())
    assert none.state is CheckState.NOTE


def test_damaged_and_missing_weights_are_faults(tmp_path: Path) -> None:
    for ending in (".json", ".onnx"):
        shutil.copy(weights_folder() / f"flow-cell{ending}", tmp_path)
    found = {result.name: result for result in model_checks.check_weights(tmp_path)}
    assert found["flow-cell"].state is CheckState.OK
    assert found["face_net"].state is CheckState.FAULT
    with (tmp_path / "flow-cell.onnx").open("ab") as file:
        file.write(b"x")
    found = {result.name: result for result in model_checks.check_weights(tmp_path)}
    assert "altered or damaged" in found["flow-cell"].text


def test_models_of_the_user_are_counted_and_not_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEADYMARK_MODELS", str(tmp_path))
    assert not list(model_checks.check_own_models())
    card = json.loads((weights_folder() / "flow-cell.json").read_text())
    (tmp_path / "secret.json").write_text(json.dumps({**card, "name": "secret"}))
    (found,) = model_checks.check_own_models()
    assert found.state is CheckState.NOTE
    assert "1 are missing" in found.text
    assert "secret" not in str(found)


def test_without_a_driver_the_cpu_is_enough_and_a_gpu_that_fails_is_a_note() -> None:
    without = {r.name: r.state for r in model_checks.check_devices(has_driver=False)}
    assert without["cpu"] is CheckState.OK
    assert without["cuda"] is CheckState.OK


def test_a_folder_that_cannot_be_made_is_a_fault_and_nothing_is_left_behind(
    tmp_path: Path,
) -> None:
    wanted = tmp_path / "a" / "b"
    assert folder_checks.check_folder("log", wanted).state is CheckState.OK
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "a").touch()
    found = folder_checks.check_folder("log", wanted)
    assert found.state is CheckState.FAULT
    assert "is a file" in found.advice


def test_a_folder_without_permission_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_checks, "can_write", lambda folder: folder != tmp_path)
    found = folder_checks.check_folder("log", tmp_path)
    assert found.state is CheckState.FAULT
    assert "not writable" in found.text
