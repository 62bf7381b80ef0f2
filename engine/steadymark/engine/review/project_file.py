"""The file of a project: JSON that people and other programs can read (docs/projects.md)."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from steadymark.engine.core.errors import LandmarkFileError, UsageError
from steadymark.engine.core.version import version
from steadymark.engine.output.output_paths import replacing
from steadymark.engine.review.doubtful_stretches import DoubtLimits
from steadymark.engine.review.project import (
    EXCLUDE,
    Accepted,
    Annotation,
    Correction,
    Lane,
    NeutralFrame,
    Person,
    PersonGaze,
    Project,
    Reassignment,
    VideoReference,
)

if TYPE_CHECKING:
    from collections.abc import Callable

SUFFIX = ".steadymark"
FORMAT = 1
_MAGIC = "steadymark_project"
_LISTS: dict[str, type] = {
    "lanes": Lane,
    "annotations": Annotation,
    "corrections": Correction,
    "people": Person,
    "reassignments": Reassignment,
    "accepted": Accepted,
    "neutral": NeutralFrame,
    "gaze_calibrations": PersonGaze,
}
_ABOUT = (_MAGIC, "written_by")
T = TypeVar("T")


def project_path(video: str | Path) -> Path:
    """Return the path of a video's project: `talk.steadymark` beside `talk.mp4`."""
    path = Path(video)
    return path.with_name(f"{path.stem or path.name}{SUFFIX}")


def relative_path(path: Path, folder: Path) -> str:
    """Return a path as a project in this folder holds it: relative where possible, with slashes."""
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # on another drive
        return str(path.absolute())


def project_text(project: Project) -> str:
    """Return a project as JSON."""
    content: dict[str, object] = {_MAGIC: FORMAT, "written_by": f"steadymark {version()}"}
    for one in fields(project):
        if one.name != "unknown":
            content[one.name] = _plain(getattr(project, one.name))
    content |= project.unknown
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def write_project(path: Path, project: Project) -> None:
    """Write a project in such a way that the old file stays until the new one is complete.

    Args:
        path: The file; an existing one is replaced.
        project: The project.

    Raises:
        SinkError: The file cannot be written; the old one is as it was.
    """
    with replacing(path) as new, new.open("w", encoding="utf-8") as file:
        file.write(project_text(project))
        file.flush()
        os.fsync(file.fileno())


def read_project(path: Path) -> Project:
    """Read a project.

    Args:
        path: The file.

    Returns:
        The project.

    Raises:
        LandmarkFileError: The file cannot be read, is no project, was written by a newer version
            that this one does not understand, or was edited to something impossible.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LandmarkFileError("cannot read {path}: {error}", path=path, error=error) from error
    return parse_project(text, str(path))


def parse_project(text: str, path: str) -> Project:
    """Make a project of its JSON text; see `read_project`."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LandmarkFileError(
            "{path} is not JSON ({error}): restore it from a copy, or delete it to begin a new "
            "project",
            path=path,
            error=error,
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get(_MAGIC), int):
        raise LandmarkFileError(
            "{path} is not a project of Steadymark: it lacks '{magic}'", path=path, magic=_MAGIC
        )
    if content[_MAGIC] > FORMAT:
        raise LandmarkFileError(
            "{path} was written by a newer version ({version}): update Steadymark to open it",
            path=path,
            version=content.get("written_by", "?"),
        )
    try:
        return _project(content)
    except (TypeError, ValueError, KeyError, AttributeError, UsageError) as error:
        raise LandmarkFileError("{path}: {error}", path=path, error=error) from error


def _project(content: dict[str, Any]) -> Project:
    known = {one.name for one in fields(Project)} | set(_ABOUT)
    values: dict[str, Any] = {name: content[name] for name in content if name in known}
    for name in _ABOUT:
        values.pop(name, None)
    for name, kind in _LISTS.items():
        if name in values:
            values[name] = tuple(_checked(kind, one, name) for one in _list(values[name], name))
    values["video"] = _checked(VideoReference, content.get("video"), "video")
    values["tables"] = tuple(
        _text(one, "tables") for one in _list(values.get("tables", []), "tables")
    )
    values["doubts_off"] = frozenset(_list(values.get("doubts_off", []), "doubts_off"))
    for name in ("limits", "view"):
        if not isinstance(values.get(name, {}), dict):
            raise UsageError("'{name}' must be an object", name=name)
    _text(values.get("notes", ""), "notes")
    DoubtLimits(values.get("limits", {}), values["doubts_off"])
    unknown = {name: content[name] for name in content if name not in known}
    project = Project(**values, unknown=unknown)
    _check(project)
    return project


def _check(project: Project) -> None:
    """Raise UsageError if the parts of a project contradict each other."""
    names = [lane.name for lane in project.lanes]
    if EXCLUDE not in names or len(set(names)) < len(names):
        raise UsageError("the lanes must have different names, and one must be 'exclude'")
    numbers = [one.number for one in project.annotations]
    if len(set(numbers)) < len(numbers):
        raise UsageError("two annotations have the same number")
    for one in project.annotations:
        project.lane(one.lane)


_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "int | None": (int, type(None)),
}


def _checked(kind: Callable[..., T], value: object, name: str) -> T:
    """Make a dataclass of a JSON object, and check the types of its fields."""
    if not isinstance(value, dict):
        raise UsageError("'{name}' must hold objects, not {value}", name=name, value=repr(value))
    given = {key: _tuples(one) for key, one in value.items()}
    for one in fields(kind):  # type: ignore[arg-type]
        allowed = _TYPES.get(str(one.type))
        if allowed is None or one.name not in given:
            continue
        if not isinstance(given[one.name], allowed) or isinstance(given[one.name], bool):
            raise UsageError(
                "'{name}': '{field}' cannot be {value}",
                name=name,
                field=one.name,
                value=repr(given[one.name]),
            )
    try:
        return kind(**given)
    except TypeError as error:
        reason = str(error).rpartition("__init__() ")[2]
        raise UsageError("'{name}': {reason}", name=name, reason=reason) from error


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError("'{name}' must be a list", name=name)
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise UsageError("'{name}' must be text, not {value}", name=name, value=repr(value))
    return value


def _plain(value: object) -> object:
    """Return a value that JSON can hold."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return value


def _tuples(value: object) -> object:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
