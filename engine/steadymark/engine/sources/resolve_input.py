"""Open sources from the texts that a user types: files, folders, patterns, cameras, addresses."""

from __future__ import annotations

import glob
import os
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.sources.folder_contents import folder_contents
from steadymark.engine.sources.frame_conversion import AS_STORED, DecodeSettings
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.input_paths import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    check_regular,
    exists,
    globbed,
    image_files,
    is_pattern,
    matches,
    plain,
)
from steadymark.engine.sources.live.camera import CameraSource, find_camera, list_cameras
from steadymark.engine.sources.live.network_camera import READ_TIMEOUT_S, NetworkCamera, is_network
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from steadymark.engine.core.protocols import FrameSource
    from steadymark.engine.sources.live.camera import CameraMode
    from steadymark.engine.sources.live.live_source import LiveStatus, OpenAttempt
    from steadymark.models.user_text import UserText

_CAMERA = "camera:"


def open_source(
    text: str,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    camera: CameraMode | None = None,
    decoding: DecodeSettings = AS_STORED,
) -> FrameSource:
    """Open one input.

    Args:
        text: The input as `expand_inputs` returns it.
        start_s: Start of the part to read, in seconds; files only.
        end_s: End of the part to read, in seconds; files only.
        camera: Camera mode; cameras only.
        decoding: Deinterlacing and rotation; video files only.

    Returns:
        The source.

    Raises:
        SourceError: The input cannot be opened.
        UsageError: The options do not fit the input.
    """
    if is_live(text):
        if start_s is not None or end_s is not None:
            raise UsageError(
                "{text} is live: a start and an end can only be given for files", text=text
            )
        _check_default(decoding, text)
        return open_live(text, mode=camera)
    if camera is not None:
        raise UsageError("{text} is not a camera: a camera mode cannot be given for it", text=text)
    path = recording_path(text) or text
    files = image_files(path)
    if files:
        _check_default(decoding, text)
        return ImageSequence(files, path=path, start_s=start_s, end_s=end_s)
    return VideoFile(path, start_s=start_s, end_s=end_s, decoding=decoding)


def _check_default(decoding: DecodeSettings, text: str) -> None:
    if decoding != AS_STORED:
        raise UsageError(
            "{text} is not a video file: --deinterlace and --rotate need one",
            text=text,
        )


def recording_path(text: str) -> str | None:
    """Return the file, image folder or pattern that an input names.

    Args:
        text: The input as the user typed it.

    Returns:
        The path or pattern; None if the input is live.

    Raises:
        SourceError: It does not exist.
        UsageError: Nothing matches, or several videos match.
    """
    if is_live(text):
        return None
    found = expand_inputs([text])
    if len(found) != 1:
        raise UsageError(
            "{text} contains {count} videos: open one of them", text=text, count=len(found)
        )
    return plain(found[0])


def expand_inputs(texts: Sequence[str]) -> list[str]:
    """Return every input that the arguments name, once and in their order.

    A folder stands for all videos in it and in its subfolders, in natural order; a folder that
    holds only images is one image sequence. Patterns (`*`, `?`, `[…]`, `**`) may be unexpanded;
    `img_%04d.png` and patterns that match only images are one image sequence each. Image files into
    which the shell expanded such a pattern become one sequence again.

    Args:
        texts: The arguments.

    Returns:
        The inputs.

    Raises:
        SourceError: A file does not exist.
        UsageError: Nothing matches.
    """
    if not all(map(str.strip, texts)) or not texts:
        raise UsageError(
            "there is no input: give a video, a folder, a pattern, camera:0 or an address"
        )
    found = [item for text in _join_image_sequences(texts) for item in _inputs_named_by(text)]
    return list(dict.fromkeys(found))


def left_out_of(text: str) -> tuple[UserText, ...]:
    """Return what a folder holds that is not tracked, and why; nothing for other inputs."""
    path = Path(plain(text))
    return folder_contents(path).left_out if not is_live(text) and path.is_dir() else ()


def is_live(text: str) -> bool:
    """Return whether an input names a camera or a network stream instead of files."""
    return text.startswith(_CAMERA) or (is_network(text) and not text.startswith("file://"))


def absolute(text: str) -> str:
    """Return a text that names an input from any working directory.

    Args:
        text: The input.

    Returns:
        The absolute path; the name of a camera or the address of a stream is unchanged.
    """
    return text if is_live(text) else os.path.abspath(plain(text))  # noqa: PTH100 - of patterns


def open_live(
    text: str,
    *,
    mode: CameraMode | None = None,
    on_status: Callable[[LiveStatus], None] | None = None,
    opening: OpenAttempt | None = None,
    silence_s: float | None = None,
) -> CameraSource | NetworkCamera:
    """Open a camera (`camera:0`, `camera:NAME`, `camera:/dev/video0`) or a network stream.

    Args:
        text: The camera or the address of the stream.
        mode: Camera mode; cameras only.
        on_status: Called in the reading thread when images stop and come again.
        opening: Allows another thread to cancel opening.
        silence_s: A stream counts as lost after so many seconds without an image.

    Returns:
        The source.

    Raises:
        SourceError: It cannot be opened.
        UsageError: The text names neither, or the mode does not fit.
    """
    if not text.startswith(_CAMERA):
        if mode is not None:
            raise UsageError(
                "{text} is not a camera: a camera mode cannot be given for it", text=text
            )
        read_timeout_s = READ_TIMEOUT_S if silence_s is None else silence_s
        return NetworkCamera(
            text, read_timeout_s=read_timeout_s, on_status=on_status, opening=opening
        )
    device = text.removeprefix(_CAMERA).strip()
    if device.isdecimal() or device.startswith(("/", "\\\\")):
        known = list_cameras() if sys.platform == "linux" else ()
        name = next((c.name for c in known if device in (c.path, str(c.index))), None)
        opened = int(device) if device.isdecimal() else device
        return CameraSource(opened, mode=mode, name=name, on_status=on_status, opening=opening)
    if not device:
        raise UsageError("camera: needs a number or a name, for example camera:0")
    info = find_camera(device, list_cameras())
    device_path = info.path or info.index
    return CameraSource(
        device_path, mode=mode, name=info.name, on_status=on_status, opening=opening
    )


def _inputs_named_by(text: str) -> list[str]:
    if is_live(text):
        return [text]
    path = Path(plain(text))
    if exists(path):
        check_regular(path)
        return _in_folder(path) if path.is_dir() else [str(path)]
    if text == "-":
        raise SourceError(
            "the standard input is a pipe, and a video is read several times: write it into a "
            "file and track the file"
        )
    if not is_pattern(path):
        raise SourceError("{path} does not exist: check the name and the folder", path=path)
    matching = matches(str(path))
    if not matching:
        raise UsageError("nothing matches {path}: check the pattern and the folder", path=path)
    if all(p.suffix.lower() in IMAGE_SUFFIXES for p in matching):
        return [str(path)]
    videos = [str(v) for p in matching for v in _video_or_folder(p)]
    if not videos:
        raise UsageError("{path} matches no video: check the pattern", path=path)
    return videos


def _video_or_folder(path: Path) -> list[str]:
    if path.is_dir():
        return _found_in(path)
    return [str(path)] if path.suffix.lower() in VIDEO_SUFFIXES else []


def _in_folder(folder: Path) -> list[str]:
    found = _found_in(folder)
    if not found:
        raise UsageError(
            "{folder} contains no videos or images: choose another folder", folder=folder
        )
    return found


def _found_in(path: Path) -> list[str]:
    return list(map(str, folder_contents(path).inputs))


def _join_image_sequences(texts: Iterable[str]) -> list[str]:
    """Replace image files by a pattern if they are all the files that the pattern matches."""
    texts = list(texts)
    groups: dict[tuple[Path, str], list[Path]] = {}
    for path in map(Path, texts):
        if path.suffix.lower() in IMAGE_SUFFIXES and exists(path):
            groups.setdefault((path.parent, path.suffix), []).append(path)
    patterns: dict[str, str] = {}
    for (folder, suffix), files in groups.items():
        prefix = _common_start([p.stem for p in files])
        pattern = str(Path(glob.escape(str(folder))) / f"{glob.escape(prefix)}*{suffix}")
        if len(files) > 1 and set(globbed(pattern)) == set(files):
            patterns.update(dict.fromkeys(map(str, files), pattern))
    return [patterns.get(str(Path(t)), t) for t in texts]


def _common_start(names: list[str]) -> str:
    """Return the common prefix of all names, without trailing digits."""
    shared = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    return "".join(letters[0] for letters in shared).rstrip("0123456789")
