"""What is packed beside the program: versions, icons, desktop files, checksums, SBOM."""

from __future__ import annotations

import hashlib
import json
import plistlib
import re
import shutil
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtGui import QImage

import project_facts
from bundle_files import mac_info, version_resource
from checksums import checksum_lines
from icon_files import write_icns, write_ico
from project_facts import (
    APP_ID,
    EXCLUDED_MODULES,
    bundled_requirements,
    is_unused,
    numeric_version,
    version,
)
from sbom import codec_libraries, completed

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
PACKAGING = ROOT / "packaging"
ALIVE = "steadymark.models.runtime.zoo"  # a module that the program imports


@pytest.fixture(scope="module")
def deb() -> ModuleType:
    """The module packaging/linux/build_deb.py."""
    spec = util.spec_from_file_location("build_deb", PACKAGING / "linux" / "build_deb.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def checked_by(*command: str | Path) -> None:
    """Run a program that checks files; a skip if it is not installed."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    run = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_no_other_file_holds_a_version_of_its_own() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert set(re.findall(r"^ *version: (.+)$", citation, re.MULTILINE)) == {version()}
    for path in PACKAGING.rglob("*"):
        if path.is_file() and path.suffix not in (".pyc", ".md"):
            assert version() not in path.read_text(encoding="utf-8"), path


def test_publisher_address_and_pages_come_from_pyproject_alone(
    deb: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher = project_facts.publisher()
    author = {"name": "A & B", "email": "a@b.org"}
    pages = {"Homepage": "https://b.org/?a&b", "Issues": "https://b.org/i"}
    facts = {**project_facts.project(), "authors": [author], "urls": pages}
    monkeypatch.setattr(project_facts, "project", lambda: facts)
    tree = ElementTree.fromstring(deb.metainfo_text().encode())
    assert tree.findtext("developer/name") == "A & B"
    assert {node.get("type"): node.text for node in tree.findall("url")} == {
        "homepage": "https://b.org/?a&b",
        "bugtracker": "https://b.org/i",
    }
    assert project_facts.maintainer() == "A & B <a@b.org>"
    assert project_facts.unknown_facts() == ["pyproject.toml: 'project.urls' has no 'Repository'"]
    assert mac_info()["CFBundleIdentifier"] == APP_ID
    for path in PACKAGING.rglob("*"):
        if path.is_file() and path.suffix not in (".pyc", ".md"):
            text = path.read_text(encoding="utf-8")
            assert publisher not in text, path
            assert path.name == "project_facts.py" or APP_ID not in text, path


def test_a_debian_package_asks_for_the_c_library_that_its_files_need(
    deb: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "steadymark").write_bytes(b"ELF\0GLIBC_2.17\0GLIBC_2.9\0")
    (tmp_path / "_internal").mkdir()
    (tmp_path / "_internal" / "liba.so.1").write_bytes(b"ELF\0GLIBC_2.36\0")
    (tmp_path / "_internal" / "notes.txt").write_bytes(b"\0GLIBC_2.99\0")
    assert deb.least_libc(tmp_path) == "2.36"


def test_the_desktop_files_pass_the_checkers(deb: ModuleType, tmp_path: Path) -> None:
    deb.install_desktop_files(tmp_path)
    metainfo = tmp_path / "metainfo" / f"{APP_ID}.metainfo.xml"
    tree = ElementTree.parse(metainfo)
    release = tree.find("releases/release")
    assert release is not None
    assert release.get("version") == version()
    entry = (tmp_path / "applications" / "steadymark.desktop").read_text(encoding="utf-8")
    kinds = re.findall(r"^MimeType=(.*);$", entry, re.MULTILINE)[0].split(";")
    assert kinds == [node.text for node in tree.findall("provides/mediatype")]
    for size in (16, 512):
        icon = tmp_path / "icons" / "hicolor" / f"{size}x{size}" / "apps" / "steadymark.png"
        assert QImage(str(icon)).width() == size
    checked_by("desktop-file-validate", tmp_path / "applications" / "steadymark.desktop")
    checked_by("appstreamcli", "validate", "--no-net", metainfo)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is not installed")
def test_a_debian_package_of_a_bundle_has_command_entry_and_version(
    deb: ModuleType, tmp_path: Path
) -> None:
    bundle = tmp_path / "steadymark"
    (bundle / "licences").mkdir(parents=True)
    (bundle / "licences" / "README.txt").write_text("licences")
    (bundle / "steadymark").write_text("#!/bin/sh\n")
    deb.lay_out(tmp_path / "tree", bundle)
    package = deb.pack(tmp_path / "tree", tmp_path)
    fields = subprocess.check_output(["dpkg-deb", "--field", package], text=True)
    assert f"Version: {version()}\n" in fields
    assert f"Maintainer: {project_facts.maintainer()}\n" in fields
    content = subprocess.check_output(["dpkg-deb", "--contents", package], text=True)
    for name in (
        "./opt/steadymark/steadymark",
        "./usr/bin/steadymark -> ../../opt/steadymark/steadymark",
        "./usr/share/applications/steadymark.desktop",
        "./usr/share/doc/steadymark/copyright",
    ):
        assert name in content
    assert "root/root" in content


def test_the_windows_icon_holds_readable_pictures(tmp_path: Path) -> None:
    content = write_ico(tmp_path / "icon.ico").read_bytes()
    _, kind, count = struct.unpack_from("<HHH", content)
    assert (kind, count) == (1, 7)
    for index in range(count):
        width, *_, size, start = struct.unpack_from("<BBBBHHII", content, 6 + 16 * index)
        picture = QImage.fromData(content[start : start + size])
        assert picture.width() == picture.height() == (width or 256)
        assert picture.pixelColor(picture.width() // 2, 1).alpha() > 0
    assert start + size == len(content)


def test_the_mac_icon_holds_readable_pictures(tmp_path: Path) -> None:
    content = write_icns(tmp_path / "icon.icns").read_bytes()
    assert content[:4] == b"icns"
    assert struct.unpack_from(">I", content, 4)[0] == len(content)
    place, widths = 8, []
    while place < len(content):
        (size,) = struct.unpack_from(">I", content, place + 4)
        widths.append(QImage.fromData(content[place + 8 : place + size]).width())
        place += size
    assert widths == [16, 32, 32, 64, 128, 256, 512]


def test_the_version_resource_is_the_expression_that_pyinstaller_reads(tmp_path: Path) -> None:
    text = version_resource(tmp_path / "version.txt").read_text(encoding="utf-8")

    def collect(*arguments: Any, **named: Any) -> list[Any]:
        return [*arguments, *named.values()]

    names = ["VSVersionInfo", "FixedFileInfo", "StringFileInfo", "StringTable", "StringStruct"]
    names += ["VarFileInfo", "VarStruct"]
    parts = eval(text, dict.fromkeys(names, collect))
    assert numeric_version() in parts[0]
    assert f"'ProductVersion', '{version()}'" in text


def test_macos_asks_for_the_camera_with_a_reason() -> None:
    info = mac_info()
    assert info["CFBundleShortVersionString"] == version()
    assert "camera" in info["NSCameraUsageDescription"]
    assert plistlib.loads(plistlib.dumps(info)) == info
    with (PACKAGING / "macos" / "entitlements.plist").open("rb") as file:
        entitlements = plistlib.load(file)
    assert entitlements["com.apple.security.device.camera"] is True


def test_the_installer_of_windows_takes_the_version_and_existing_files() -> None:
    text = (PACKAGING / "windows" / "steadymark.iss").read_text(encoding="utf-8")
    assert "AppVersion={#AppVersion}" in text
    sections = re.findall(r"^\[(\w+)\]$", text, re.MULTILINE)
    assert sections == ["Setup", "Languages", "Tasks", "Files", "Icons", "Registry"]
    programs = set(re.findall(r"\{app\}\\([\w-]+)\.exe", text))
    spec = (PACKAGING / "steadymark.spec").read_text(encoding="utf-8")
    assert programs == {"steadymark-window"}
    assert all(f'executable("{name}"' in spec for name in programs)


def test_the_scripts_and_the_recipe_are_valid() -> None:
    compile((PACKAGING / "steadymark.spec").read_text(encoding="utf-8"), "spec", "exec")
    for script, shell in (
        ("release", "bash"),
        ("linux/steadymark-open", "sh"),
        ("macos/sign_and_pack", "sh"),
    ):
        path = PACKAGING / script
        if sys.platform != "win32":
            assert path.stat().st_mode & 0o111, f"{script} is not executable"
        subprocess.run([shell, "-n", str(path)], check=True)


def test_only_files_that_the_program_never_opens_are_left_out() -> None:
    plugins = "PySide6/Qt/plugins/"
    assert is_unused("PySide6/Qt/lib/libQt6Quick.so.6")
    assert is_unused("PySide6/Qt/translations/qtbase_fr.qm")
    assert is_unused("numpy-2.4.6.dist-info/RECORD")
    for name in (
        "PySide6/Qt/lib/libQt6Svg.so.6",
        "PySide6/Qt/translations/qtbase_de.qm",
        "numpy-2.4.6.dist-info/METADATA",
        f"{plugins}platforms/libqxcb.so",
        f"{plugins}platforms/libqwayland.so",
        f"{plugins}platforms/libqoffscreen.so",
        f"{plugins}imageformats/libqsvg.so",
        "steadymark/assets/translations/steadymark_de.qm",
    ):
        assert not is_unused(name), name
    assert not ALIVE.startswith(EXCLUDED_MODULES)
    assert "steadymark.models.training.cli".startswith(EXCLUDED_MODULES)


def test_a_bundle_gets_one_onnx_runtime_and_all_other_dependencies() -> None:
    lines = bundled_requirements()
    assert [line for line in lines if "onnxruntime" in line] == ["onnxruntime>=1.22"]
    assert any(line.startswith("PySide6-Essentials") for line in lines)


def test_checksums_are_those_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"b")
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "SHA256SUMS").write_bytes(b"old")
    digests = [hashlib.sha256(name).hexdigest() for name in (b"a", b"b")]
    assert checksum_lines(tmp_path) == [f"{digests[0]}  a", f"{digests[1]}  b"]


def test_the_sbom_lists_what_is_bundled_with_the_networks() -> None:
    def component(name: str) -> dict[str, str]:
        return {"type": "library", "name": name, "version": "1", "bom-ref": name}

    document = {
        "bomFormat": "CycloneDX",
        "components": [component(name) for name in ("numpy", "PyInstaller", "steadymark")],
        "dependencies": [{"ref": "numpy", "dependsOn": ["PyInstaller"]}, {"ref": "PyInstaller"}],
    }
    done = completed(document, {"numpy", "steadymark"})
    names = [each["name"] for each in done["components"]]
    assert names[0] == "numpy"
    assert "PyInstaller" not in names
    assert done["metadata"]["component"]["version"] == version()
    (network,) = (each for each in done["components"] if each["name"] == "face_net")
    card = json.loads((ROOT / "assets" / "weights" / "face_net.json").read_text())
    assert network["hashes"] == [{"alg": "SHA-256", "content": card["sha256"]}]
    assert done["dependencies"][0] == {"ref": "numpy", "dependsOn": []}


def test_the_sbom_names_the_libraries_of_pyav_that_are_under_the_gpl(tmp_path: Path) -> None:
    (tmp_path / "av.libs").mkdir()
    for name in ("libx264-d6533a8d.so.165", "libopus-114e2b1a.so.0.11.1"):
        (tmp_path / "av.libs" / name).write_bytes(b"ELF")
    opus, x264 = codec_libraries(tmp_path)
    assert (opus["name"], x264["name"]) == ("libopus", "libx264")
    assert x264["licenses"] == [{"license": {"id": "GPL-2.0-or-later"}}]
    assert "licenses" not in opus
    assert opus["hashes"][0]["content"] == hashlib.sha256(b"ELF").hexdigest()
