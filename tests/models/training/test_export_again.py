"""`steadymark-train export-again`: today's graph with the weights of an exported model."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from typer.testing import CliRunner

from steadymark.models.runtime.zoo import read_card, verified_bytes, weights_folder
from steadymark.models.training.cli import app
from steadymark.models.training.export_again import export_again

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAME = "flow-cell"  # the smallest model


def weights_of(content: bytes) -> dict[str, NDArray[np.float32]]:
    stored = onnx.load_from_string(content).graph.initializer
    return {w.name: numpy_helper.to_array(w) for w in stored if "." in w.name}


@pytest.mark.slow
def test_the_weights_and_the_card_stay_the_same(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["export-again", NAME, "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    old, new = (read_card(folder / f"{NAME}.json") for folder in (weights_folder(), tmp_path))
    before, after = weights_of(verified_bytes(old)), weights_of(verified_bytes(new))
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)
    old_entries, new_entries = (
        json.loads((folder / f"{NAME}.json").read_text(encoding="utf-8"))
        for folder in (weights_folder(), tmp_path)
    )
    origin = new_entries["recipe"].pop("same_weights_as")
    assert origin["sha256"] == old.sha256
    old_entries["recipe"].pop("same_weights_as", None)
    file_entries = ("size_bytes", "sha256", "macs")
    for entries in (old_entries, new_entries):
        for name in file_entries:
            entries.pop(name)
    assert new_entries == old_entries


def test_a_stabilizer_over_a_foreign_network_is_refused(tmp_path: Path) -> None:
    for suffix in (".onnx", ".json"):
        shutil.copyfile(weights_folder() / f"{NAME}{suffix}", tmp_path / f"other{suffix}")
    card = tmp_path / "other.json"
    entries = json.loads(card.read_text(encoding="utf-8"))
    entries |= {"name": "other", "file": "other.onnx", "kind": "landmarks", "crop": 128}
    entries["recipe"] |= {"system": "stabilizer"}
    card.write_text(json.dumps(entries), encoding="utf-8")
    with pytest.raises(ValueError, match="other stabilizes a foreign network"):
        export_again(str(card), tmp_path / "out")
    assert not (tmp_path / "out").exists()
