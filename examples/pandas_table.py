"""Work with landmarks as a pandas table: how far the mouth is open, second by second.

python examples/pandas_table.py talk.mp4
"""

import argparse

import numpy as np

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("video")
parser.add_argument("--end", type=float, help="stop at this time, seconds")
args = parser.parse_args()

table = sm.track_video(args.video, end_s=args.end).to_pandas()
table["mouth_px"] = np.hypot(table["x_62"] - table["x_66"], table["y_62"] - table["y_66"])
seconds = table["timestamp_s"].astype(int).rename("second")
print(table.groupby(["face_id", seconds])["mouth_px"].describe()[["mean", "min", "max"]])
