"""The model zoo: a card beside each ONNX file says what it is, and proves that it is unaltered."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from steadymark.models.errors import WeightsError
from steadymark.models.schema import assets_root
from steadymark.models.small_file import read_small_text

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_MODEL = "heatmap1d-lite"
DEFAULT_DETECTOR = "face_net"
BEST_CELL = "convlstm"  # by `steadymark bench stability`
MOST_MODEL_BYTES = 1 << 30  # 1 GiB: a hundred times the largest that is shipped
_LARGEST_CROP = 4096  # px
_WIDEST_MARGIN = 20.0
_FILES = {".onnx", ".json"}
_PLAIN = re.compile(r"[^\x00-\x1f/\\:]{1,200}(?<!\.)")  # a name in a folder, on any system


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What assets/weights/NAME.json says of NAME.onnx.

    kind: `landmarks` or `face_detector`. macs: multiply-accumulates of one run at the card's input
    size. crop: side of the input in pixels and margin: side of the crop / fitted size of the face
    (landmark models). threshold: score from which a face is one. scores: measured figures, by the
    command that prints them. follower: the model, in the same folder, that takes over from a
    landmark model once a face is aligned (local_global, Figure 6). cell: `refine` or `convlstm`,
    where the model stabilizes by itself; over: the model whose heatmaps it stabilizes.
    """

    name: str
    kind: str
    path: Path
    sha256: str
    licence: str
    schema: str | None = None
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


def weights_folder() -> Path:
    """Where the shipped models lie."""
    return assets_root() / "weights"


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises:
        WeightsError: the file is no model card, or names a model file outside its own folder.
    """
    try:
        data: dict[str, Any] = json.loads(read_small_text(path))
        return _card(path, data)
    except OSError as error:
        raise WeightsError(f"the model card {path} cannot be read: {error.strerror}") from error
    except RecursionError as error:
        raise WeightsError(f"{path} is not a Steadymark model card (it is too deep)") from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise WeightsError(f"{path} is not a Steadymark model card ({error})") from error


def _card(path: Path, data: dict[str, Any]) -> ModelCard:
    return ModelCard(
        name=str(data["name"]),
        kind=str(data["kind"]),
        path=_beside_card(path, str(data["file"])),
        sha256=str(data["sha256"]),
        licence=str(data["licence"]),
        schema=_plain_name(data, "schema"),
        follower=_plain_name(data, "follower"),
        cell=_plain_name(data, "cell"),
        over=_plain_name(data, "over"),
        crop=int(_within(data, "crop", 0, _LARGEST_CROP)),
        margin=_within(data, "margin", 0.0, _WIDEST_MARGIN),
        threshold=_within(data, "threshold", 0.5, 1.0),
        params=int(data.get("params", 0)),
        macs=int(data.get("macs", 0)),
        size_bytes=int(data.get("size_bytes", 0)),
        input_text=_input_text(data.get("input")),
        scores={k: float(v) for k, v in dict(data.get("scores", {})).items() if _is_number(v)},
    )


def _beside_card(card: Path, file: str) -> Path:
    """The model file, which may be a link only where the card is one to the same folder."""
    path = card.parent / file
    if not _PLAIN.fullmatch(file) or path.resolve().parent not in (
        card.parent.resolve(),
        card.resolve().parent,
    ):
        raise ValueError(f"file '{file[:80]}' lies outside the card's folder")
    return path


def _plain_name(data: dict[str, Any], key: str) -> str | None:
    """A name that is no path."""
    value = data.get(key)
    if value is not None and not (isinstance(value, str) and _PLAIN.fullmatch(value)):
        unknown = "an unknown model" if key in ("follower", "over") else "unknown"
        raise ValueError(f"the {key} '{str(value)[:80]}' is {unknown}: it is not a plain name")
    if value is not None and Path(value).suffix in _FILES:
        raise ValueError(f"{key} '{value[:80]}' is a file, not a name")
    return value


def _within(data: dict[str, Any], key: str, default: float, most: float) -> float:
    value = float(data.get(key, default))
    if not 0 <= value <= most:
        raise ValueError(f"it says {key} {value:g}, which must lie between 0 and {most:g}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _input_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(str(v) for v in value.values())
    return "" if value is None else str(value)


def list_models(folder: Path | None = None) -> tuple[ModelCard, ...]:
    """Every card of a folder, landmark models first, by name."""
    folder = folder or weights_folder()
    cards = [read_card(path) for path in sorted(folder.glob("*.json"))]
    return tuple(sorted(cards, key=lambda card: (card.kind != "landmarks", card.name)))


def find_model(name: str, kind: str, folder: Path | None = None) -> ModelCard:
    """The card of that name, or the card lying beside a named .onnx or .json file.

    Raises:
        WeightsError: there is no such model, or it is of another kind.
    """
    given = Path(name)
    if given.suffix in _FILES:
        card = read_card(given.with_suffix(".json"))
    else:
        folder = folder or weights_folder()
        path = folder / f"{given.name}.json"
        if given.name != name or not _PLAIN.fullmatch(name) or not path.is_file():
            known = ", ".join(c.name for c in list_models(folder) if c.kind == kind) or "none"
            raise WeightsError(
                f"unknown model '{name}': choose one of {known}, or name an .onnx file "
                "with its model card (.json) beside it"
            )
        card = read_card(path)
    if card.kind != kind:
        raise WeightsError(f"the model '{card.name}' is a {card.kind} model, {kind} is needed")
    return card


def stabilized(card: ModelCard, cell: str) -> ModelCard:
    """The model that stabilizes a landmark model by this kind of cell; itself where it does.

    Raises:
        WeightsError: none lies in its folder.
    """
    if card.cell == cell:
        return card
    beside = [other for other in _beside(card) if other.cell == cell]
    for other in beside:
        if other.over == card.name:
            return other
    known = ", ".join(str(other.over) for other in beside) or "no model"
    raise WeightsError(
        f"there is no {cell} stabilizer over '{card.name}' (only over {known}): choose none or "
        "one-euro, or train one with steadymark-train"
    )


def steadiest(card: ModelCard) -> ModelCard:
    """The model that stabilizes this one best, where its folder has one; else itself."""
    if card.cell is not None:
        return card
    try:
        return stabilized(card, BEST_CELL)
    except WeightsError:
        return card


def _beside(card: ModelCard) -> Iterator[ModelCard]:
    """The other models of its folder; a folder of the user's own may hold other JSON files."""
    for path in sorted(card.path.parent.glob("*.json")):
        with suppress(WeightsError):
            yield read_card(path)


def verified_bytes(card: ModelCard) -> bytes:
    """The model file, if it is the one that the card describes.

    Raises:
        WeightsError: the file is missing or its SHA-256 differs from the card's.
    """
    try:
        if card.path.stat().st_size > MOST_MODEL_BYTES:
            raise WeightsError(
                f"the weights {card.path} are larger than {MOST_MODEL_BYTES >> 30} GiB: "
                "models of that size cannot be tracked with"
            )
        content = card.path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"no weights at {card.path} ({error.strerror}): install Steadymark again, "
            "or put the file back"
        ) from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != card.sha256:
        raise WeightsError(
            f"the weights {card.path} were altered or damaged (SHA-256 {digest[:12]}…, the model "
            f"card says {card.sha256[:12]}…): install Steadymark again, or put the file back"
        )
    return content
