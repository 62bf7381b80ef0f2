"""How a ConvLSTM over heatmaps begins, before any training: nearly as the mean of past frames."""

from __future__ import annotations

import math

SMALL = 0.25  # of the heatmap, for tanh to pass it on
OPEN = 3.0  # of the output gate, before the sigmoid
OUT = (1 + math.exp(-OPEN)) / SMALL  # from h back to a heatmap
NEW = 0.03  # share of the newest frame in memory
LOGIT = math.log(NEW / (1 - NEW))  # of the input gate
SPREAD = 0.03  # of what PyTorch would draw for the convolutions
