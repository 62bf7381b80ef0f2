"""Track a video; save its landmarks as a table, and the video with the landmarks drawn in.

python examples/track_video.py talk.mp4 talk.csv talk_drawn.mp4
"""

import argparse

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("video")
parser.add_argument("table")
parser.add_argument("drawn")
parser.add_argument("--end", type=float, help="stop at this time, seconds")
args = parser.parse_args()

result = sm.track_video(args.video, end_s=args.end, progress=True)
print(result)
print("landmarks:", result.landmarks.shape, "times:", result.timestamp_s.shape)
result.to_csv(args.table)
result.save_video(args.drawn, axes=True)
