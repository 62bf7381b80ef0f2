"""Export training runs as ONNX files with model cards."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from steadymark.models.networks.onnx_export import write_card
from steadymark.models.training.loop.checkpoint import load_checkpoint
from steadymark.models.training.registry import system_of
from steadymark.models.training.stabilizer.heatmap_cell_systems import RecurrentSystem

if TYPE_CHECKING:
    from pathlib import Path

    from steadymark.models.training.system import System

NOT_STATED = "not stated"
LICENCE_300W = "300W annotations: for research purposes only, no commercial products"
_WEIGHTS = f"weights trained on {LICENCE_300W}"
LICENCE = f"{_WEIGHTS}; negatives from faces/none"
DATA = ["300w/train without the validation split (a hash of the photo)", "faces/none"]


def provenance(
    system: Any,
    run: Path,
    sources: dict[str, Any] | None,
    licence: str = "",
    data_note: str = "",
) -> dict[str, Any]:
    """Return licence and training data for a model card.

    What the user states takes precedence over what the checkpoint knows. Anything unknown becomes
    "not stated".

    Args:
        system: The system that was trained.
        run: Folder of the run.
        sources: Data that the checkpoint lists. None for old checkpoints that list none; these were
            trained on 300W.
        licence: Licence that the user states.
        data_note: Description of the training data that the user states.

    Returns:
        Entries of the card. For a stabilizer, `licence` and `data` describe its backbone, and
        `stabilizer_data` describes the sequences that the stabilizer itself learned from.
    """
    if not isinstance(system, RecurrentSystem):
        return _with_stated(_provenance_of_sources(sources), licence, data_note)
    entries = _with_stated(_provenance_of_backbone(system.backbone_copy(run)), licence, data_note)
    if sources is not None:
        entries["stabilizer_data"] = {
            "licence": LICENCE_300W if _is_300w(sources) else NOT_STATED,
            "made_of": sources["data"],
            **{name: sources[name] for name in ("faces", "sequences", "frames")},
        }
    return entries


def _with_stated(known: dict[str, Any], licence: str, data_note: str) -> dict[str, Any]:
    return {
        "licence": licence or known.get("licence") or NOT_STATED,
        "data": [data_note] if data_note else known.get("data") or [NOT_STATED],
    }


def _provenance_of_sources(sources: dict[str, Any] | None) -> dict[str, Any]:
    if sources is None:
        return {"licence": LICENCE, "data": DATA}
    if "licence" in sources:
        return {name: sources[name] for name in ("licence", "data")}
    if not _is_300w(sources):
        return {"data": sources["data"]}
    return {
        "data": sources["data"],
        "licence": LICENCE if "faces/none" in sources["data"] else _WEIGHTS,
    }


def _is_300w(sources: dict[str, Any]) -> bool:
    return any(name.startswith("300w/") for name in sources["data"])


def _provenance_of_backbone(file: Path) -> dict[str, Any]:
    """Return licence and data as a checkpoint, or the card beside an ONNX file, states them."""
    if file.suffix != ".onnx":
        return _provenance_of_sources(load_checkpoint(file).get("sources"))
    try:
        card = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        return {name: card[name] for name in ("licence", "data") if name in card}
    except (OSError, ValueError, TypeError):
        return {}


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")


def export_run(
    run: Path,
    out: Path,
    name: str,
    *,
    scores: dict[str, Any] | None = None,
    scores_note: str = "",
    threshold: float = 0.0,
    best: bool = False,
    over: str = "",
    licence: str = "",
    data_note: str = "",
) -> Path:
    """Export the averaged weights of a run, the last ones or the best on the validation split.

    Args:
        run: Folder of the run.
        out: Folder for the model, the card and the training curve.
        name: Name of the model.
        scores: Measured figures for the card, see `System.scores_of`.
        scores_note: How the figures were measured.
        threshold: Lowest score of a face, for a detector; 0 takes what the validation chose.
        best: Export the best weights instead of the last ones.
        over: Name of the zoo model whose heatmaps a stabilizer works on.
        licence: Licence of the network; by default what is known of it, otherwise "not stated".
        data_note: Description of the training data; by default likewise.

    Returns:
        Path of the ONNX file.

    Raises:
        OSError: There is no checkpoint in `run`.
        ValueError: The system is unknown, the name contains other characters than a file name may,
            or the figures lack an entry.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"--name {name}: give letters, digits, '-', '_' and '.' alone")
    checkpoint = load_checkpoint(run / "last.pt")
    if "recipe" not in checkpoint:
        raise ValueError(f"{run / 'last.pt'} is no checkpoint of steadymark-train")
    system = system_of(checkpoint["recipe"])
    figures = _scores(system, scores or {})
    network = system.build()
    chosen = load_checkpoint(run / "best.pt") if best else checkpoint
    network.load_state_dict(chosen["averaged"])
    out.mkdir(parents=True, exist_ok=True)
    model = out / f"{name}.onnx"
    network_entries = system.export(network.eval(), run, model)
    curve = run / "curve.csv"
    if curve.exists():
        (out / f"{name}.curve.csv").write_text(curve.read_text())
    card = {
        "name": name,
        "version": "1",
        **provenance(system, run, checkpoint.get("sources"), licence, data_note),
        **network_entries,
        **({"over": over} if over else {}),
        "recipe": _recipe(system, checkpoint, best=best),
        "curve": f"{name}.curve.csv",
        "scores": figures,
        **({"scores_note": scores_note} if scores_note else {}),
        **system.card_entries(chosen.get("figures", {})),
        **checkpoint.get("card_entries", {}),
        **({"threshold": threshold} if threshold else {}),
    }
    write_card(out / f"{name}.json", model, card)
    return model


def _recipe(system: System[Any], checkpoint: dict[str, Any], *, best: bool) -> dict[str, Any]:
    """Return the recipe of a checkpoint for the model card."""
    return {
        **checkpoint["recipe"],
        "seed": checkpoint["seed"],
        "steps": checkpoint["step"],
        "samples": checkpoint.get(
            "samples", checkpoint["step"] * system.batch * checkpoint["ranks"]
        ),
        "trained_minutes": round(checkpoint["elapsed_s"] / 60, 1),
        "weights": "best on the validation split" if best else "last",
        "commit": checkpoint["commit"],
        "commits_by_step": checkpoint["history"],
        **({"began_with": checkpoint["origin"]} if checkpoint.get("origin") else {}),
    }


def _scores(system: System[Any], measured: dict[str, Any]) -> dict[str, float]:
    try:
        return system.scores_of(measured) if measured else {}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"the figures of --scores are not those of {system.name} ({error}): give JSON of names "
            "and figures, or for a detector that of bench detector"
        ) from error
