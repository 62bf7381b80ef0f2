"""Stabilize landmarks that another program found.

The points are a NumPy array (T, K, 2) or (T, N, K, 2) in pixels, NaN where a face is missing; K may
be any number, 68 or 478.

python examples/smooth_own_points.py points.npy 30 smooth.npy --method one-euro
"""

import argparse

import numpy as np

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("points")
parser.add_argument("fps", type=float)
parser.add_argument("out")
parser.add_argument("--method", choices=sm.POINT_STABILIZERS, default="butterworth")
args = parser.parse_args()

points = np.load(args.points)
timestamps_s = np.arange(len(points)) / args.fps
smooth = sm.smooth(points, timestamps_s, method=args.method)
before, after = (np.nanmean(np.abs(np.diff(p, axis=0))) for p in (points, smooth))
print(f"mean motion from frame to frame: {before:.3f} px before, {after:.3f} px after")
np.save(args.out, smooth)
