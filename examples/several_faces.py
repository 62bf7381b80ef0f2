"""Say of each face in a video for how long it was seen and how large it was.

python examples/several_faces.py talk.mp4 --most 4
"""

import argparse

import numpy as np

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("video")
parser.add_argument("--most", type=int, default=4)
parser.add_argument("--end", type=float, help="stop at this time, seconds")
args = parser.parse_args()

result = sm.track_video(args.video, max_faces=args.most, end_s=args.end)
for n, face_id in enumerate(result.face_ids):
    there = np.isfinite(result.landmarks[:, n, 0, 0])
    first, last = result.timestamp_s[there][[0, -1]]
    width = np.nanmean(result.boxes[:, n, 2])
    print(f"face {face_id}: {first:.2f} s to {last:.2f} s, {there.mean():.0%}, {width:.0f} px wide")
