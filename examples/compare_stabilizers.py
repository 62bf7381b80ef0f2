"""Track a video with several stabilizers and compare how still and how late each one is.

python examples/compare_stabilizers.py talk.mp4
"""

import argparse

import numpy as np

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("video")
parser.add_argument("--end", type=float, help="stop at this time, seconds")
args = parser.parse_args()

raw = sm.track_video(args.video, stabilizer="none", end_s=args.end)
print("stabilizer    motion, % of the eye distance a frame    lag behind raw, frames")
for stabilizer in ("none", "flow", "one-euro", "butterworth"):
    if stabilizer in sm.POINT_STABILIZERS:
        result = raw.smooth(stabilizer)  # the same as tracking once more, but at once
    elif stabilizer == "none":
        result = raw
    else:
        result = sm.track_video(args.video, stabilizer=stabilizer, end_s=args.end)
    face = result.landmarks[:, 0]
    motion = sm.metrics.mean_motion(face)
    lag = sm.metrics.lag(face, raw.landmarks[:, 0])
    print(f"{stabilizer:<14}{motion:<41.3f}{lag:.3f}" if np.isfinite(lag) else stabilizer)
