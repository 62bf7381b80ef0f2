"""Initial weights of a ConvLSTM over heatmaps; they make it nearly a running mean of frames."""

from __future__ import annotations

import math

SMALL = 0.25  # factor on the heatmap, so that tanh is nearly linear
OPEN = 3.0  # bias of the output gate, before the sigmoid
OUT = (1 + math.exp(-OPEN)) / SMALL  # factor from h back to a heatmap
NEW = 0.03  # weight of the newest frame in the running mean
LOGIT = math.log(NEW / (1 - NEW))  # bias of the input gate
SPREAD = 0.03  # factor on PyTorch's random initial weights of the convolutions
