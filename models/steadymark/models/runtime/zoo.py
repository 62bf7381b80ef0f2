"""The model zoo: each ONNX file has a model card that describes it and holds its SHA-256."""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from steadymark.models.bounded_read import read_bounded_text
from steadymark.models.errors import ContentError, WeightsError
from steadymark.models.face.point_scores import PointScores  # noqa: TC001 msgspec evaluates it
from steadymark.models.face.schema import SCHEMA_OF_UNNAMED, assets_root
from steadymark.models.runtime.face_score import FaceScore  # noqa: TC001 msgspec evaluates it
from steadymark.models.user_text import UserText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEFAULT_MODEL = "heatmap1d-lite"
DEFAULT_DETECTOR = "face_net"
FLOW = "flow"  # the stabilizer that is a network of its own and works with every model
FLOW_CELL = "flow-cell"  # name of its model card
BEST_CELL = FLOW  # according to `steadymark bench stability`
MOST_MODEL_BYTES = 1 << 30  # 1 GiB, a hundred times the largest shipped model
_MAX_VALUES = {"crop": 4096, "margin": 20.0, "threshold": 1.0, "batch": 1024}
OWN_MODELS = "STEADYMARK_MODELS"  # environment variable: folder of the user's own models
_FILES = {".onnx", ".json"}
_FILE_NAME = re.compile(r"[^\x00-\x1f/\\:]{1,200}(?<!\.)")  # a file name that every system accepts


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The description of a model: what NAME.json says of NAME.onnx.

    Attributes:
        name: Name of the model.
        kind: `landmarks`, `face_detector`, `stabilizer` for any model's landmarks, or `pupils`.
        path: The ONNX file.
        sha256: SHA-256 of the ONNX file.
        licence: Licence of the weights.
        schema: Landmark schema of a landmark model; empty for other kinds.
        crop: Side of a landmark model's input, pixels.
        margin: Side of the crop divided by the fitted size of the face, for landmark models.
        threshold: Lowest score of a face.
        params: Number of parameters.
        macs: Multiply-accumulate operations of one run at the card's input size.
        size_bytes: Size of the ONNX file.
        input_text: The input's type and size in words.
        scores: Measured figures, by the command that prints them.
        follower: Model in the same folder that replaces this landmark model once a face is aligned
            (local_global, Figure 6).
        cell: `refine` or `convlstm` if the model contains a stabilizer, `flow` if the model
            `FLOW_CELL` stabilizes it, or None.
        over: The model whose heatmaps or landmarks are stabilized.
        batch: Number of faces per run if the network was exported for a fixed number, or 0.
        face_score: How to compute a face score if the network has none of its own.
        point_scores: How to compute the scores of landmarks that users see, or None if they are
            those of the network.
        judges_candidates: Whether the face score was fitted on places of which the face detector is
            unsure (`steadymark-train face-score`), so that the tracker may ask about such places.
    """

    name: str
    kind: str
    path: Path
    sha256: str
    licence: str
    schema: str = ""
    crop: int = 0
    margin: float = 0.0
    threshold: float = 0.5
    params: int = 0
    macs: int = 0
    size_bytes: int = 0
    input_text: str = ""
    scores: dict[str, float] = field(default_factory=dict)
    follower: str | None = None
    cell: str | None = None
    over: str | None = None
    batch: int = 0
    face_score: FaceScore | None = None
    point_scores: PointScores | None = None
    judges_candidates: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the model file, and of the numbers of the card that change its scores.

        Results with the same digest are the same.
        """
        if self.point_scores is None:
            return self.sha256
        numbers = json.dumps(self.point_scores.as_card(), sort_keys=True)
        return f"{self.sha256}+{hashlib.sha256(numbers.encode()).hexdigest()[:8]}"


def own_folder() -> Path:
    """Return the folder of models that the user added; it may not exist yet."""
    given = os.environ.get(OWN_MODELS)
    return Path(given) if given else platformdirs.user_data_path("steadymark", False) / "models"


def weights_folder() -> Path:
    """Return the folder of the shipped models."""
    return assets_root() / "weights"


def read_card(path: Path) -> ModelCard:
    """Read a model card.

    Args:
        path: The .json file.

    Returns:
        The model card.

    Raises:
        WeightsError: The file cannot be read, is not a model card, or names a model file outside
            its own folder.
    """
    try:
        data: dict[str, Any] = json.loads(read_bounded_text(path))
        return _card(path, data)
    except OSError as error:
        raise WeightsError(
            "the model card {path} cannot be read: {reason}", path=path, reason=error.strerror
        ) from error
    except RecursionError as error:
        raise WeightsError(
            "{path} is not a Steadymark model card (it is nested too deeply)", path=path
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(
            "{path} is not a Steadymark model card ({error})",
            path=path,
            error=error.__cause__ or error,  # msgspec wraps what a dataclass raises
        ) from error


def _card(path: Path, data: dict[str, Any]) -> ModelCard:
    import msgspec  # here, since not every program that needs the names of models reads cards

    scores = {k: v for k, v in dict(data.get("scores", {})).items() if _is_number(v)}
    converted = {
        "path": _model_path(path, str(data["file"])),
        "input_text": _input_text(data.get("input")),
        "scores": scores,
    }
    if data.get("schema") is None:
        converted["schema"] = SCHEMA_OF_UNNAMED if data["kind"] == "landmarks" else ""
    card = msgspec.convert({**data, **converted}, ModelCard, strict=False)
    for key in ("schema", "follower", "cell", "over"):
        _check_name(key, data.get(key))
    for key, most in _MAX_VALUES.items():
        _check_range(key, getattr(card, key), most)
    return card


def _model_path(card: Path, file: str) -> Path:
    """Return the path of the model file, which must lie in the folder of the card.

    If the model file is a symbolic link to another folder, the card must be one to the same folder.
    """
    path = card.parent / file
    if not _FILE_NAME.fullmatch(file) or path.resolve().parent not in (
        card.parent.resolve(),
        card.resolve().parent,
    ):
        raise ContentError("file '{file}' lies outside the card's folder", file=file[:80])
    return path


def _check_name(key: str, value: str | None) -> None:
    """Refuse names that are paths or files."""
    if value is None:
        return
    if not _FILE_NAME.fullmatch(value):
        if key in ("follower", "over"):
            raise ContentError(
                "the {key} '{value}' is an unknown model: it is not a plain name",
                key=key,
                value=value[:80],
            )
        raise ContentError(
            "the {key} '{value}' is unknown: it is not a plain name", key=key, value=value[:80]
        )
    if Path(value).suffix in _FILES:
        raise ContentError("{key} '{value}' is a file, not a name", key=key, value=value[:80])


def _check_range(key: str, value: float, most: float) -> None:
    if not 0 <= value <= most:
        raise ContentError(
            "{key} is {value:g}, which must be between 0 and {most:g}",
            key=key,
            value=value,
            most=most,
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _input_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(str(v) for v in value.values())
    return "" if value is None else str(value)


def list_models(folder: Path | None = None) -> tuple[ModelCard, ...]:
    """Read all model cards of a folder, landmark models first, sorted by name.

    Args:
        folder: The folder; by default that of the shipped models.

    Returns:
        The model cards.

    Raises:
        WeightsError: A .json file of the folder is not a model card.
    """
    cards = map(read_card, sorted((folder or weights_folder()).glob("*.json")))
    return tuple(sorted(cards, key=lambda card: (card.kind != "landmarks", card.name)))


def without_followers(cards: Sequence[ModelCard]) -> tuple[ModelCard, ...]:
    """Return the models that a user can choose: a follower belongs to another model."""
    followers = {card.follower for card in cards}
    return tuple(card for card in cards if card.name not in followers)


def list_own_models() -> tuple[ModelCard, ...]:
    """Read all model cards in the folder of the user's own models; other files are ignored."""
    found = []
    for path in sorted(own_folder().glob("*.json")):
        with suppress(WeightsError):
            found.append(read_card(path))
    return tuple(found)


def find_model(name: str, kind: str, folder: Path | None = None) -> ModelCard:
    """Find a model by its name or by the path of its .onnx or .json file.

    Args:
        name: Name of the model, or path of its file.
        kind: The kind that the model must have, see `ModelCard`.
        folder: Where to look for a name; by default the shipped models, then the user's own.

    Returns:
        The model card.

    Raises:
        WeightsError: There is no such model, or it has another kind.
    """
    given = Path(name)
    if given.suffix in _FILES:
        beside = given.with_suffix(".json")
        if given.is_file() and not beside.exists():
            raise WeightsError(
                "{name} has no model card: put {card} beside it, or make a model of it with "
                "'steadymark add-model'",
                name=given.name,
                card=beside.name,
            )
        card = read_card(beside)
    else:
        path = _path_of(given.name, folder)
        if given.name != name or not _FILE_NAME.fullmatch(name) or not path.is_file():
            cards = [*list_models(folder), *(list_own_models() if folder is None else ())]
            known = ", ".join(c.name for c in cards if c.kind == kind) or UserText("none")
            raise WeightsError(
                "unknown model '{name}': choose one of {known}, or name an .onnx file with its "
                "model card (.json) beside it",
                name=name,
                known=known,
            )
        card = read_card(path)
    if card.kind != kind:
        raise WeightsError(
            "the model '{name}' is a {kind} model, but {wanted} is needed",
            name=card.name,
            kind=card.kind,
            wanted=kind,
        )
    return card


def _path_of(name: str, folder: Path | None) -> Path:
    """Return the path of the card of that name, whether or not it exists."""
    path = (folder or weights_folder()) / f"{name}.json"
    own = own_folder() / path.name
    return own if folder is None and not path.is_file() and own.is_file() else path


def stabilized(card: ModelCard, cell: str) -> ModelCard:
    """Find the model that stabilizes a landmark model with one kind of cell.

    Args:
        card: The landmark model.
        cell: `flow`, `refine` or `convlstm`.

    Returns:
        The card of the stabilizing model, or `card` itself if it already uses this cell.

    Raises:
        WeightsError: The folder of the landmark model has no such stabilizer.
    """
    if card.cell == cell:
        return card
    if cell == FLOW:
        landmark_card = (
            card if card.over is None else find_model(card.over, card.kind, card.path.parent)
        )
        return replace(landmark_card, cell=FLOW, over=landmark_card.name)
    candidates = [candidate for candidate in _cards_in_folder(card) if candidate.cell == cell]
    for candidate in candidates:
        if candidate.over == card.name:
            return candidate
    known = ", ".join(str(candidate.over) for candidate in candidates) or UserText("no model")
    raise WeightsError(
        "there is no {cell} stabilizer for '{name}' (only for {known}): choose "
        "flow, none or one-euro, or train one with steadymark-train",
        cell=cell,
        name=card.name,
        known=known,
    )


def best_stabilizer(card: ModelCard) -> ModelCard:
    """Find the model that stabilizes a landmark model best.

    Args:
        card: The landmark model.

    Returns:
        The card of the stabilizing model. It is `card` itself if that already has a stabilizer, or
        if there is none for it.
    """
    if card.cell is not None:
        return card
    try:
        return stabilized(card, BEST_CELL)
    except WeightsError:
        return card


def _cards_in_folder(card: ModelCard) -> Iterator[ModelCard]:
    """Iterate over the model cards in the folder of a card; other JSON files are ignored."""
    for path in sorted(card.path.parent.glob("*.json")):
        with suppress(WeightsError):
            yield read_card(path)


def verified_bytes(card: ModelCard) -> bytes:
    """Read a model file and check that it is the one that the card describes.

    Args:
        card: The model card.

    Returns:
        The bytes of the ONNX file.

    Raises:
        WeightsError: The file is missing or larger than 1 GiB, or its SHA-256 differs.
    """
    try:
        if card.path.stat().st_size > MOST_MODEL_BYTES:
            raise WeightsError(
                "the weights {path} are larger than {most_gib} GiB: such large models "
                "cannot be used",
                path=card.path,
                most_gib=MOST_MODEL_BYTES >> 30,
            )
        content = card.path.read_bytes()
    except OSError as error:
        raise WeightsError(
            "there are no weights at {path} ({reason}): install Steadymark again, "
            "or restore the file",
            path=card.path,
            reason=error.strerror,
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.sha256:
        raise WeightsError(
            "the weights {path} were altered or damaged (SHA-256 {found}…, the "
            "model card says {wanted}…): install Steadymark again, or restore the "
            "file",
            path=card.path,
            found=digest[:12],
            wanted=card.sha256[:12],
        )
    return content
