"""Networks of third parties are data: they are wrapped, or refused in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steadymark.models.errors import WeightsError
from steadymark.models.own_models.add_model import prepare_model
from steadymark.models.own_models.preprocessing_search import NetworkDescription
from support.fakes.foreign_networks import mean_face, network, write_network
from support.malformed_files import corrupted, read_or_refused

if TYPE_CHECKING:
    from pathlib import Path

TINY = network(("out", mean_face("cofw29", 1.0)), side=16)
QUICK = NetworkDescription(rgb=True, white=1.0, margin=1.4)


@settings(max_examples=40)
@given(content=st.one_of(corrupted(TINY), st.binary(max_size=50)))
def test_any_bytes_are_wrapped_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onnx"
    path.write_bytes(content)
    read_or_refused(lambda: prepare_model(path, QUICK), "")


def test_a_graph_in_two_parts_is_merged(tmp_path: Path) -> None:
    whole, rest = onnx.load_from_string(TINY), onnx.ModelProto()
    rest.graph.node.append(whole.graph.node[-1])
    del whole.graph.node[-1]
    content = whole.SerializeToString() + rest.SerializeToString()
    prepared = prepare_model(write_network(tmp_path, content), QUICK)
    assert prepared.schema == "cofw29"


def test_networks_with_data_in_other_files_are_refused(tmp_path: Path) -> None:
    model = onnx.load_from_string(TINY)
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    with pytest.raises(WeightsError, match="reads data from other files"):
        prepare_model(write_network(tmp_path, model.SerializeToString()), QUICK)


def test_infinite_points_are_refused_without_a_numpy_warning(tmp_path: Path) -> None:
    values = np.full((68, 2), np.inf, np.float32)
    with pytest.raises(WeightsError, match="landmarks that are not finite"):
        prepare_model(write_network(tmp_path, network(("out", values), side=16)), QUICK)
