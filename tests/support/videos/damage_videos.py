"""Damage videos and read them.

`python tests/support/videos/damage_videos.py [--seeds N] [NAME …]` uses all videos by default.
It runs as a separate process because reading may crash or never end. The name of each video is
printed before it is read; the exit code is 1 if there is a fault.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from steadymark.engine.core.errors import SourceError
from steadymark.engine.sources.video.probe_report import probe
from steadymark.engine.sources.video.video_file import VideoFile
from support.videos.odd_videos import ODD_VIDEOS, encoded
from support.videos.video_corpus import INTACT_VIDEOS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steadymark.engine.core.types import Frame
    from steadymark.models.face.crop import Image

LIMIT_S = 10.0
CUTS = 10
_SEEKS = 6


def damaged(content: bytes, seeds: int) -> Iterator[tuple[str, bytes]]:
    """The file cut off at 10 places, and with 1 % of its bytes altered, once for each seed."""
    for part in range(1, CUTS + 1):
        yield f"cut {part}", content[: len(content) * part // (CUTS + 1)]
    undamaged = np.frombuffer(content, np.uint8)
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        altered = undamaged.copy()
        positions = random.choice(len(undamaged), max(1, len(undamaged) // 100), replace=False)
        altered[positions] ^= random.integers(1, 256, len(positions), dtype=np.uint8)
        yield f"seed {seed}", altered.tobytes()


def faults_in(path: Path, whole: dict[float, Image]) -> Iterator[str]:
    """Faults in reading this file. whole: the images before the damage, by time."""
    began = time.perf_counter()
    try:
        source = VideoFile(path)
        frames = list(source.frames())
    except SourceError as error:
        if "\n" in str(error) or path.name not in str(error):
            yield f"no clear sentence: {error}"
        yield "refused"
        return
    finally:
        check_probe(path)
    yield "read"
    if time.perf_counter() - began > LIMIT_S:
        yield "too slow"
    if any(a.index >= b.index or a.pts_s > b.pts_s for a, b in pairwise(frames)):
        yield "frames run backwards"
    if not np.isfinite(source.times_s).all() or np.any(np.diff(source.times_s) < 0):
        yield "times run backwards"
    reported = (*source.problems, *source.info.notes)
    if not reported and len(frames) < plainly_decoded(path):
        yield "frames are lost without a word"
    if path.stem.startswith("cut") and not reported and not times_unchanged(frames, whole):
        yield "other times than before the cut"
    yield from _seek_faults(source, {f.index: f for f in frames}, whole)
    source.close()


def check_probe(path: Path) -> None:
    """It may refuse the file, but must not fail otherwise."""
    try:
        probe(path)
    except SourceError:
        return


def plainly_decoded(path: Path) -> int:
    """The number of frames that FFmpeg decodes in one thread."""
    count = 0
    with av.open(f"file:{path}", metadata_errors="replace") as container:
        stream = container.streams.best("video")
        assert isinstance(stream, av.VideoStream)
        stream.thread_type = "NONE"
        try:
            for packet in container.demux(stream):
                try:
                    count += len(packet.decode())
                except av.FFmpegError:
                    continue
        except (av.FFmpegError, IndexError):
            return count
    return count


def times_unchanged(frames: list[Frame], whole: dict[float, Image]) -> bool:
    """Whether each frame has the time of a frame of the undamaged file."""
    known = np.array(list(whole))
    return all(np.abs(known - f.pts_s).min() < 1e-3 for f in frames)


def _seek_faults(
    source: VideoFile, frames: dict[int, Frame], whole: dict[float, Image]
) -> Iterator[str]:
    """Seeking an undamaged frame must give the same frame as reading the file."""
    for index in np.random.default_rng(1).permutation(len(source.times_s))[:_SEEKS].tolist():
        try:
            still = source.frame_at(index)
        except SourceError:
            continue
        if (still.index, still.pts_s) != (index, source.times_s[index]):
            yield "a seek gives another number"
        if index in frames:
            expected = {
                t
                for t in _times_of_similar(frames[index].image, whole)
                if abs(t - still.pts_s) < 1e-3
            }
            found = _times_of_similar(still.image, whole)
            if expected and found and not expected & found:
                yield f"a seek to {index} gives the frame at {sorted(found)}"


def _times_of_similar(image: Image, whole: dict[float, Image]) -> set[float]:
    """Times of the undamaged frames that look like this image."""
    same = ((t, w) for t, w in whole.items() if w.shape == image.shape)
    return {t for t, w in same if np.abs(w.astype(np.int16) - image).mean() < 1}


def main() -> int:
    """Print one line for each file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--seeds", type=int, default=100)
    arguments = parser.parse_args()
    faulthandler.enable()
    av.logging.set_level(None)
    fault_count = 0
    for file in (*map(encoded, INTACT_VIDEOS), *ODD_VIDEOS):
        if arguments.names and file.name not in arguments.names:
            continue
        counts: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            path = file.make(Path(folder))
            undamaged = {f.pts_s: f.image for f in VideoFile(path).frames()}
            for damage, content in damaged(path.read_bytes(), arguments.seeds):
                print(f"{file.name}, {damage}", file=sys.stderr, flush=True)  # noqa: T201
                broken = path.with_name(f"{damage.replace(' ', '_')}{path.suffix}")
                broken.write_bytes(content)
                counts.update(faults_in(broken, undamaged))
                broken.unlink()
        fault_count += len(set(counts) - {"read", "refused"})
        print(f"{file.name}: {dict(counts)}", flush=True)  # noqa: T201
    return 1 if fault_count else 0


if __name__ == "__main__":
    sys.exit(main())
