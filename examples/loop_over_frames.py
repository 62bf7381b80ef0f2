"""Follow faces in a loop over frames, as a program with a camera would.

python examples/loop_over_frames.py camera:0
python examples/loop_over_frames.py talk.mp4
"""

import argparse

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("source", help="a video, camera:0, or the address of a stream")
parser.add_argument("--frames", type=int, default=100)
args = parser.parse_args()

tracker = sm.FaceLandmarker(stabilizer="flow").tracker()
for frame in sm.read_frames(args.source):
    faces = tracker.update(frame.image, timestamp_s=frame.timestamp_s)
    told = ", ".join(f"face {face.id} ({face.state}, {face.score:.2f})" for face in faces)
    print(f"{frame.timestamp_s:.3f} s: {told or 'no face'}")
    if frame.index + 1 >= args.frames:
        break
