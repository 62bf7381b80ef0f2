"""A program that writes a table as OpenFace does: made_program.py TRUTH.npy VIDEO CSV [LACKING]."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

truth, table = np.load(sys.argv[1]), Path(sys.argv[3])
lacking = sys.argv[4:]
if "fails" in lacking:
    sys.exit("no licence found")
columns = ["frame", "face_id", "timestamp", "confidence", "success"]
columns += [f"{axis}_{i}" for axis in "xy" for i in range(68)]
kept = [i for i, name in enumerate(columns) if name not in lacking]
lines = [", ".join(columns[i] for i in kept)]
count = 1 if "one_frame" in sys.argv[2] else len(truth)
for t, points in enumerate(truth[:count]):
    values = [t + 1, 0, t / 25, 0.98, 1, *points[:, 0], *points[:, 1]]
    lines.append(", ".join(f"{values[i]:.6g}" for i in kept))
table.write_text("\n".join(lines) + "\n")
