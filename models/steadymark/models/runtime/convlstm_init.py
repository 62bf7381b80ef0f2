"""Initial weights of a ConvLSTM over heatmaps; they make it nearly a running mean of frames."""

from __future__ import annotations

import math

HEATMAP_SCALE = 0.25  # factor on the heatmap, so that tanh is nearly linear
OUTPUT_GATE_BIAS = 3.0  # bias of the output gate, before the sigmoid
OUTPUT_SCALE = (1 + math.exp(-OUTPUT_GATE_BIAS)) / HEATMAP_SCALE  # factor from h back to a heatmap
NEW_FRAME_WEIGHT = 0.03  # weight of the newest frame in the running mean
INPUT_GATE_BIAS = math.log(NEW_FRAME_WEIGHT / (1 - NEW_FRAME_WEIGHT))  # bias of the input gate
INIT_SCALE = 0.03  # factor on PyTorch's random initial weights of the convolutions
