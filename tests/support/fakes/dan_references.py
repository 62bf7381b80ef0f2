"""Shared by the tests of dan: ground truth, a random network, and a least-squares fit."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.dan import Dan, DanConfig, DanStage
from steadymark.models.networks.dan_layers import Connection, canonical_shape


def fitted_similarity(shape: np.ndarray, canonical: np.ndarray) -> np.ndarray:
    """(2, 3) similarity from shape to canonical, by the normal equations of all its points."""
    rows, right = [], []
    for (x, y), (u, v) in zip(shape, canonical, strict=True):
        rows += [[x, -y, 1, 0], [y, x, 0, 1]]
        right += [u, v]
    a, b, tx, ty = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    return np.array([[a, -b, tx], [b, a, ty]])


def faces(count: int) -> torch.Tensor:
    """Plausible ground truth: S_0 with noise on each point."""
    rng = np.random.default_rng(2)
    shape = canonical_shape(load_schema(), 112, 1.4)
    return shape + torch.from_numpy(rng.normal(0, 3, (count, len(shape), 2))).float()


def stages_of(network: Dan) -> list[DanStage]:
    return [stage for stage in network.stages if isinstance(stage, DanStage)]


def connection_of(network: Dan) -> tuple[Connection, nn.Linear]:
    """The connection before the second stage, and its dense layer."""
    connection = network.connections[0]
    assert isinstance(connection, Connection)
    dense = connection.dense[0]
    assert isinstance(dense, nn.Linear)
    return connection, dense


def backward(loss: torch.Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


def random_dan(config: DanConfig) -> Dan:
    """A network as after training: batch norms and outputs are not at their initial values."""
    torch.manual_seed(1)
    network = Dan(config)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, 0, 0.2)
            nn.init.uniform_(module.running_var, 0.2, 0.8)
            nn.init.normal_(module.bias, 0, 0.2)
    for stage in stages_of(network):
        nn.init.normal_(stage.fc2.weight, 0, 0.2)
        nn.init.normal_(stage.spread.weight, 0, 0.1)
    return network.eval()
