"""Broken files give one clear error, or all frames that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.damage_report import DamageKind, DamageReport, clock
from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile
from steadymark.models.user_text import UserText
from support.videos.video_corpus import Recipe, bars, make, make_sound, number_in

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def file_of(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def without_index(folder: Path) -> Path:
    path = make(folder, Recipe("cut.mp4", frames=40))
    path.write_bytes(path.read_bytes()[:-1500])
    return path


def header_only(folder: Path) -> Path:
    path = make(folder, Recipe("header.mkv", frames=1))
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"\x1f\x43\xb6\x75")])  # the first cluster
    return path


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (file_of("zero.mp4", b""), "empty"),
        (file_of("notes.mp4", b"this is text\n" * 50), "not a video"),
        (file_of("noise.mkv", bytes(range(256)) * 40), "not a video"),
        (without_index, "moov"),
        (header_only, "cut off|not a video"),
        (lambda folder: make_sound(folder / "sound.m4a"), "sound but no images"),
        (lambda folder: folder / "absent.mp4", "does not exist"),
        (lambda folder: folder, "is a folder"),
        (lambda folder: folder / ("x" * 300 + ".mp4"), "too long"),
    ],
)
def test_a_file_that_is_not_a_video_is_refused_in_one_sentence(
    tmp_path: Path, broken: Callable[[Path], Path], words: str
) -> None:
    path = broken(tmp_path)
    for reader in (VideoFile, probe):
        with pytest.raises(SourceError, match=words) as caught:
            reader(path)
        assert "\n" not in str(caught.value)
        assert path.name[:40] in str(caught.value)


RECIPES = (
    Recipe("h264.mkv", b_frames=2, frames=40),
    Recipe("h264.mp4", b_frames=2, frames=40),
    Recipe("h264.ts", b_frames=2, frames=40),
    Recipe("ffv1.mkv", "ffv1", "bgr0", frames=40),
    Recipe("mjpeg.avi", "mjpeg", "yuvj420p", frames=40),
    Recipe("vp9.webm", "libvpx-vp9", frames=40),
    Recipe("png.mov", "png", "rgb24", frames=40),
)


def make_noisy_video(folder: Path, recipe: Recipe) -> Path:
    """Make a video with large packets, so that damage hits packets and not headers."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 40, (40, 64, 96, 3), np.uint8)
    return make(folder, recipe, [bars(n) // 4 * 3 + noise[n] for n in range(40)])


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.name)
def test_damage_in_the_middle_is_skipped_and_reported(tmp_path: Path, recipe: Recipe) -> None:
    path = make_noisy_video(tmp_path, recipe)
    content = bytearray(path.read_bytes())
    begin, size = len(content) // 2, len(content) // 10
    content[begin : begin + size] = np.random.default_rng(1).bytes(size)
    path.write_bytes(content)
    source = VideoFile(path)
    frames = list(source.frames())
    indices = [f.index for f in frames]
    assert indices == sorted(set(indices))
    assert [number_in(f.image) for f in frames[:10]] == list(range(10))
    assert number_in(frames[-1].image) in (38, 39)
    if path.suffix != ".avi":  # AVI has no timestamps
        assert frames[-1].pts_s == pytest.approx(number_in(frames[-1].image) / 25, abs=0.002)
    assert any("damaged" in p or "missing" in p for p in (*source.problems, *source.info.notes))


def test_damage_does_not_shift_the_numbers_of_later_frames(tmp_path: Path) -> None:
    path = make_noisy_video(tmp_path, Recipe("png.mov", "png", "rgb24", frames=40))
    content = bytearray(path.read_bytes())
    with av.open(path) as container:
        packets = [(p.pos, p.size) for p in container.demux() if p.size]
    random = np.random.default_rng(2)
    for pos, size in packets[18:20]:
        content[(pos or 0) + 12 : (pos or 0) + size - 4] = random.bytes(size - 16)
    path.write_bytes(content)
    source = VideoFile(path)
    frames = list(source.frames())
    assert [f.index for f in frames] == [n for n in range(40) if n not in (18, 19)]
    assert [number_in(f.image) for f in frames] == [f.index for f in frames]
    assert source.problems == ("2 damaged frames were skipped near 00:00.7",)
    with pytest.raises(SourceError, match=r"frame 18 at 00:00\.7 is damaged"):
        source.frame_at(18)
    assert number_in(source.frame_at(20).image) == 20


def test_a_truncated_file_gives_its_frames_and_a_note(tmp_path: Path) -> None:
    path = make_noisy_video(tmp_path, Recipe("a.mkv", frames=40, rate=10))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    source = VideoFile(path)
    frames = list(source.frames())
    assert 10 < len(frames) < 30
    assert [number_in(f.image) for f in frames] == list(range(len(frames)))
    assert any("cut off" in note for note in source.info.notes)


def test_many_damaged_places_are_summarized() -> None:
    damage = DamageReport()
    for number in range(100):
        damage.add(DamageKind.SKIPPED, number / 50)
    assert damage.sentences() == ("100 damaged frames were skipped near 00:00.0",)
    for number in range(100):
        damage.add(DamageKind.SKIPPED, 100 + number * 10)
    assert len(damage.sentences()) == 21
    assert damage.sentences()[-1] == "and 81 more places"
    assert clock(3661.27) == "61:01.3"


def test_endless_damage_is_counted_in_constant_memory() -> None:
    damage = DamageReport()
    for number in range(5000):
        damage.add(DamageKind.SKIPPED, number * 10)
        damage.add(DamageKind.SKIPPED, number * 10 + 0.5)
        damage.add_sentence(UserText("the camera delivered no more frames at {time}", time=number))
    assert damage.sentences()[0] == "2 damaged frames were skipped near 00:00.0"
    assert damage.sentences()[-1] == "and 9980 more places"
    assert len(damage._spans) + len(damage._sentences) < 100
