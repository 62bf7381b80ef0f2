"""The trackers that `steadymark bench compare` can run, and how a user names them."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steadymark.engine.core.errors import UsageError
from steadymark.models.runtime.zoo import DEFAULT_MODEL, find_model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WORKERS = Path(__file__).parent / "workers"
PROGRAM = "program"
_LABEL, _PYTHON = "name", "python"


@dataclass(frozen=True, slots=True)
class PeerSpec:
    """A tracker to compare.

    Attributes:
        kind: Name of its `PeerKind`.
        name: Name in tables; no two peers of a run have the same.
        python: The Python that runs the adapter.
        adapter: The adapter's file; None for a program.
        options: What the adapter gets.
        command: Arguments of a program, with `{video}` and `{csv}`.
    """

    kind: str
    name: str
    python: str = sys.executable
    adapter: Path | None = None
    options: tuple[tuple[str, str], ...] = ()
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PeerKind:
    """A kind of tracker.

    Attributes:
        form: How a user writes it.
        help: What it is, in one sentence.
        install: How to get it, in one sentence.
        options: Names of the options that it takes besides `name` and `python`; None for any.
        read: Makes the adapter's options, or raises `UsageError` for a wrong value.
        adapter: File in the folder `workers`.
    """

    form: str
    help: str
    install: str
    options: tuple[str, ...] | None = ()
    read: Callable[[str], Mapping[str, str]] = lambda _: {}
    adapter: str = ""


def parse_peer(text: str) -> PeerSpec:
    """Parse a peer as a user writes it, KIND:VALUE with options behind commas.

    Args:
        text: One of the forms of `PEER_KINDS`.

    Returns:
        The peer.

    Raises:
        UsageError: The form is unknown, or a file, folder, option or model does not exist.
    """
    kind_name, _, rest = text.partition(":")
    kind = PEER_KINDS.get(kind_name)
    if kind is None:
        raise UsageError(
            "'{text}' names no tracker: write one of {forms}",
            text=text,
            forms="; ".join(kind.form for kind in PEER_KINDS.values()),
        )
    if kind_name == PROGRAM:
        return PeerSpec(PROGRAM, _program_name(rest), command=_command(rest))
    value, options = _split_options(rest, text)
    unknown = set(options) - {_LABEL, _PYTHON, *(kind.options or options)}
    if unknown:
        raise UsageError(
            "'{text}': there is no option '{option}': write {form}",
            text=text,
            option=min(unknown),
            form=kind.form,
        )
    adapter = WORKERS / kind.adapter if kind.adapter else Path(value)
    given = {**kind.read(value), **options}
    name = given.pop(_LABEL, "") or _usual_name(kind_name, value, options)
    python = _python(given.pop(_PYTHON, ""))
    return PeerSpec(kind_name, name, python, adapter, tuple(sorted(given.items())))


def parse_peers(texts: list[str], *, with_ours: bool = True) -> tuple[PeerSpec, ...]:
    """Parse all peers of a run; the shipped model comes first.

    Args:
        texts: The peers as a user writes them.
        with_ours: Whether to add the shipped model.

    Returns:
        The peers, with names that differ.

    Raises:
        UsageError: See `parse_peer`; or two peers have the same name, or this is no Python.
    """
    if getattr(sys, "frozen", False):
        raise UsageError(
            "trackers are compared by the Python package, not by the installed program: "
            "'pip install steadymark'"
        )
    ours = [f"model:{DEFAULT_MODEL}"] if with_ours else []
    peers = list(dict.fromkeys(parse_peer(text) for text in [*ours, *texts]))
    names = [peer.name for peer in peers]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            "two trackers are called '{name}': give one another name with ,name=…", name=twice
        )
    return tuple(peers)


def _split_options(rest: str, text: str) -> tuple[str, dict[str, str]]:
    value, *parts = rest.split(",")
    options = {}
    for part in parts:
        key, equals, given = part.partition("=")
        if not equals or not given:
            raise UsageError(
                "'{text}': '{part}' is not OPTION=VALUE (a comma separates options)",
                text=text,
                part=part,
            )
        options[key.strip()] = given
    return value, options


def _usual_name(kind: str, value: str, options: Mapping[str, str]) -> str:
    chosen = [
        v.rpartition("/")[2] for k, v in sorted(options.items()) if k not in (_LABEL, _PYTHON)
    ]
    if kind == "model":
        return " ".join((Path(value).stem if "/" in value else value, *chosen))
    return " ".join((Path(value).stem if kind == "adapter" else kind, *chosen))


def _python(given: str) -> str:
    if not given:
        return sys.executable
    found = shutil.which(given)
    if found is None:
        raise UsageError("there is no Python at '{python}': name its program", python=given)
    return found


def _command(text: str) -> tuple[str, ...]:
    try:
        parts = tuple(shlex.split(text, posix=os.name != "nt"))
    except ValueError:
        parts = ()
    if not parts or not all(any(mark in part for part in parts) for mark in ("{video}", "{csv}")):
        raise UsageError(
            "'{text}' is not the command of a program: write it with {marks}, where the video and "
            "its table stand",
            text=text,
            marks="{video} and {csv}",
        )
    if shutil.which(parts[0]) is None:
        raise UsageError("there is no program '{program}': check its path", program=parts[0])
    return parts


def _program_name(text: str) -> str:
    return Path(text.split(maxsplit=1)[0]).stem if text.split() else PROGRAM


def _model(value: str) -> dict[str, str]:
    name = value or DEFAULT_MODEL
    find_model(name, "landmarks")
    return {"model": name}


def _task_file(value: str) -> dict[str, str]:
    if not Path(value).is_file():
        raise UsageError(
            "there is no model file at '{file}': give MediaPipe's face_landmarker.task as "
            "mediapipe:FILE",
            file=value,
        )
    return {"file": str(Path(value).absolute())}


def _openseeface(value: str) -> dict[str, str]:
    folder = Path(value)
    if not value or not folder.is_dir():
        raise UsageError("there is no folder '{folder}': give OpenSeeFace's", folder=value)
    if not (folder / "tracker.py").is_file() or not (folder / "models").is_dir():
        raise UsageError(
            "'{folder}' is not OpenSeeFace's folder: it has no tracker.py with a folder models",
            folder=value,
        )
    return {"folder": str(folder.absolute())}


def _adapter(value: str) -> dict[str, str]:
    if not Path(value).is_file():
        raise UsageError("there is no adapter at '{file}': name a Python file", file=value)
    return {}


PEER_KINDS: dict[str, PeerKind] = {
    "model": PeerKind(
        "model:NAME[,stabilizer=NAME][,detector=NAME]",
        "a model of Steadymark, shipped or added with add-model",
        "add an ONNX model with 'steadymark add-model'",
        ("stabilizer", "detector"),
        _model,
        "steadymark_peer.py",
    ),
    "mediapipe": PeerKind(
        "mediapipe:FILE.task[,python=PYTHON]",
        "MediaPipe's Face Landmarker",
        "'pip install mediapipe' into an environment of its own, and name its Python with "
        ",python=PYTHON",
        (),
        _task_file,
        "mediapipe_peer.py",
    ),
    "facemesh": PeerKind(
        "facemesh:[,python=PYTHON]",
        "FaceMesh of MediaPipe 0.10.21 and earlier",
        "'pip install mediapipe==0.10.21' into an environment of its own, and name its Python with "
        ",python=PYTHON",
        (),
        adapter="facemesh_peer.py",
    ),
    "openseeface": PeerKind(
        "openseeface:FOLDER[,model=3][,python=PYTHON]",
        "OpenSeeFace, from a copy of its repository",
        '\'pip install onnxruntime "opencv-python<5" pillow "numpy<2"\' into an environment of its '
        "own, and name its Python with ,python=PYTHON",
        ("model",),
        _openseeface,
        "openseeface_peer.py",
    ),
    PROGRAM: PeerKind(
        "program:COMMAND with {video} and {csv}",
        "any program that writes a table as OpenFace does",
        "install the program",
    ),
    "adapter": PeerKind(
        "adapter:FILE.py[,OPTION=VALUE…][,python=PYTHON]",
        "a Python file with open_peer(options), see docs/benchmarks.md",
        "install what the adapter imports",
        None,
        _adapter,
    ),
}
