"""Score tracked landmarks against the true ones of a video.

python examples/score_on_truth.py assets/clips/demo.mp4 assets/clips/demo_truth.csv
"""

import argparse

import numpy as np

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("video")
parser.add_argument("truth", help="a table with one face a frame, or a folder of .pts files")
parser.add_argument("--end", type=float, help="stop at this time, seconds")
args = parser.parse_args()

result = sm.track_video(args.video, end_s=args.end)
truth = sm.read_truth(args.truth)[result.frame]
found = result.landmarks[:, 0]
known = np.isfinite(truth).all((1, 2))
errors = sm.metrics.nme(found, truth)[known]
print(f"NME {np.nanmean(errors):.2f} % of the outer-eye distance")
print(f"failures at 8 %: {sm.metrics.failure_rate(errors):.1%}, AUC: {sm.metrics.auc(errors):.3f}")
print(f"MAV {sm.metrics.mav(found, truth):.4f}, MCV {sm.metrics.mcv(found, truth):.1f} %")
print(f"lag {sm.metrics.lag(found, truth):.2f} frames")
