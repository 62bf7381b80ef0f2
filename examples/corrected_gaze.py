"""Correct a person's gaze by points that the person looked at, and say where the eyes look.

The file of points has the columns start_s, end_s, angle_x_deg and angle_y_deg, as for `steadymark
gaze-calibrate`. Both angles are 0 for a person who looks along the axis of the camera.

python examples/corrected_gaze.py calibration.mp4 points.csv talk.mp4
"""

import argparse
import csv
from pathlib import Path

import numpy as np

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("calibration_video")
parser.add_argument("points")
parser.add_argument("video")
parser.add_argument("--end", type=float, help="stop at this time, seconds")
args = parser.parse_args()

points = []
with Path(args.points).open(encoding="utf-8", newline="") as file:
    for row in csv.DictReader(file):
        angles = float(row["angle_x_deg"]), float(row["angle_y_deg"])
        times = float(row["start_s"]), float(row["end_s"])
        points.append(sm.LookedAtPoint(*times, angles_deg=angles))

fit = sm.track_video(args.calibration_video, end_s=args.end).calibrate_gaze(points)
print(f"error of the gaze: {fit.before_deg:.1f}° before, {fit.after_deg:.1f}° after")

result = sm.track_video(args.video, gaze_calibration=fit.calibration, end_s=args.end)
angles_deg = np.degrees(result.attribute("gaze")[:, 0, 6:])  # of the first face
right, down = np.nanmedian(angles_deg, axis=0)
print(f"median gaze: {right:.1f}° to the right of the picture, {down:.1f}° downwards")
