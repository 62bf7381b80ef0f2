"""Track a video with a landmark network of your own.

What you do not say of the network is found out on the face of the demo clip.

python examples/own_onnx_model.py pfld.onnx talk.mp4 --schema wflw98
"""

import argparse

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("network")
parser.add_argument("video")
parser.add_argument("--schema", help="numbering of its landmarks, for example wflw98")
parser.add_argument("--end", type=float, help="stop at this time, seconds")
args = parser.parse_args()

said = {"schema": args.schema} if args.schema else {}
try:
    landmarker = sm.OnnxLandmarker(args.network, **said)
except sm.SteadymarkError as error:
    raise SystemExit(f"error: {error}") from error
print(f"error on the demo clip: {landmarker.error:.1%} of the eye distance")
for warning in landmarker.warnings:
    print("warning:", warning)
print(landmarker.track_video(args.video, end_s=args.end))
