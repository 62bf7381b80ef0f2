"""Open sources from the texts that a user types: files, folders, patterns, cameras, addresses."""

from __future__ import annotations

import glob
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import SourceError, UsageError
from steadymark.engine.sources.folder_contents import folder_contents
from steadymark.engine.sources.frame_conversion import AS_STORED, DecodeSettings
from steadymark.engine.sources.image_arrangement import arrange
from steadymark.engine.sources.image_sequence import ImageSequence
from steadymark.engine.sources.input_paths import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    check_regular,
    common_start,
    exists,
    files_in_list,
    globbed,
    image_files,
    image_list,
    input_name,
    is_pattern,
    matches,
    plain,
)
from steadymark.engine.sources.live.camera import CameraSource, find_camera, list_cameras
from steadymark.engine.sources.live.network_camera import READ_TIMEOUT_S, NetworkCamera, is_network
from steadymark.engine.sources.video.video_file import VideoFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from steadymark.engine.core.image_order import ImageOrder
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
    images: ImageOrder | None = None,
) -> FrameSource:
    """Open one input.

    Args:
        text: The input as `expand_inputs` returns it.
        start_s: Start of the part to read, in seconds; files only.
        end_s: End of the part to read, in seconds; files only.
        camera: Camera mode; cameras only.
        decoding: Deinterlacing and rotation; video files only.
        images: Whether image files are a sequence; None decides by their names and sizes.

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
        name = input_name(path)
        return ImageSequence(
            files, name=name, path=path, start_s=start_s, end_s=end_s, order=images
        )
    return VideoFile(path, start_s=start_s, end_s=end_s, decoding=decoding)


def image_order(path: str, wanted: ImageOrder | None = None) -> ImageOrder | None:
    """Return whether the image files of an input are a sequence; None for a video.

    Args:
        path: The input as `recording_path` returns it.
        wanted: What the user asks for; None decides by the names and sizes of the files.
    """
    files = image_files(path)
    return arrange(files, wanted).order if files else None


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
    if files_in_list(text):
        return text
    path = Path(plain(text))
    if exists(path) and path.is_dir() and image_files(text):  # whatever its subfolders hold
        return str(path)
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
    `img_%04d.png` and patterns that match only images of one folder are one input each. Image files
    into which the shell expanded such a pattern become one input again.

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
    found = [item for text in join_images(texts) for item in resolve_input(text).inputs]
    return list(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class ResolvedInput:
    """What one argument names.

    Attributes:
        inputs: The inputs, each as `open_source` takes it.
        left_out: What a folder holds that is not tracked, and why; one sentence each.
    """

    inputs: tuple[str, ...]
    left_out: tuple[UserText, ...] = ()


def resolve_input(text: str) -> ResolvedInput:
    """Find the inputs that one argument names; a folder is searched once.

    Args:
        text: The argument, or a text that `join_images` made.

    Returns:
        The inputs, and what is left out.

    Raises:
        SourceError: A file does not exist.
        UsageError: Nothing matches.
    """
    if is_live(text) or files_in_list(text):
        return ResolvedInput((text,))
    path = Path(plain(text))
    if exists(path):
        check_regular(path)
        return _in_folder(path) if path.is_dir() else ResolvedInput((str(path),))
    if text == "-":
        raise SourceError(
            "the standard input is a pipe, and a video is read several times: write it into a "
            "file and track the file"
        )
    if not is_pattern(path):
        raise SourceError("{path} does not exist: check the name and the folder", path=path)
    return _matching(path)


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
    if is_live(text) or files_in_list(text):
        return text
    return os.path.abspath(plain(text))  # noqa: PTH100 - of patterns


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


def join_images(texts: Sequence[str]) -> list[str]:
    """Replace the image files among the arguments, as a shell lists them, by one input per folder.

    Images that are alone in their folders become one input together.

    Args:
        texts: The arguments.

    Returns:
        The arguments, in which each input takes the place of its first image.
    """
    files = {text: Path(plain(text)) for text in texts if not is_live(text)}
    images = {
        text: path
        for text, path in files.items()
        if path.suffix.lower() in IMAGE_SUFFIXES and exists(path) and path.is_file()
    }
    if len(images) < 2:
        return list(texts)
    by_folder: dict[Path, list[Path]] = {}
    for path in images.values():
        by_folder.setdefault(path.parent, []).append(path)
    drives = {path.absolute().drive for path in by_folder}
    if len(drives) == 1 and all(len(group) == 1 for group in by_folder.values()):
        together = image_list(images.values())
        named = dict.fromkeys(by_folder, together)
    else:
        named = {folder: _name_of_images(folder, group) for folder, group in by_folder.items()}
    joined = (named[images[text].parent] if text in images else text for text in texts)
    return list(dict.fromkeys(joined))


def _name_of_images(folder: Path, files: list[Path]) -> str:
    """Return a pattern if it matches exactly these files of a folder, otherwise a list."""
    if len(files) == 1:
        return str(files[0])
    suffixes = {path.suffix for path in files}
    start = common_start([path.stem for path in files])
    pattern = str(Path(glob.escape(str(folder))) / f"{glob.escape(start)}*{files[0].suffix}")
    if len(suffixes) == 1 and set(globbed(pattern)) == set(files):
        return pattern
    return image_list(files)


def _matching(path: Path) -> ResolvedInput:
    matching = matches(str(path))
    if not matching:
        raise UsageError("nothing matches {path}: check the pattern and the folder", path=path)
    if all(p.suffix.lower() in IMAGE_SUFFIXES for p in matching):
        if len({p.parent for p in matching}) == 1:
            return ResolvedInput((str(path),))
        return ResolvedInput(tuple(join_images(list(map(str, matching)))))
    found = [_video_or_folder(p) for p in matching]
    videos = tuple(video for each in found for video in each.inputs)
    if not videos:
        raise UsageError("{path} matches no video: check the pattern", path=path)
    return ResolvedInput(videos, tuple(reason for each in found for reason in each.left_out))


def _video_or_folder(path: Path) -> ResolvedInput:
    if path.is_dir():
        contents = folder_contents(path)
        return ResolvedInput(tuple(map(str, contents.inputs)), contents.left_out)
    return ResolvedInput((str(path),) if path.suffix.lower() in VIDEO_SUFFIXES else ())


def _in_folder(folder: Path) -> ResolvedInput:
    found = _video_or_folder(folder)
    if not found.inputs:
        raise UsageError(
            "{folder} contains no videos or images: choose another folder", folder=folder
        )
    return found
