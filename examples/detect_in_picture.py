"""Find the faces of a picture, print where they look, and save a drawing.

python examples/detect_in_picture.py PICTURE.jpg DRAWN.png
"""

import argparse

import cv2

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("picture")
parser.add_argument("drawn")
args = parser.parse_args()

image = sm.read_image(args.picture)
faces = sm.FaceLandmarker(max_faces=16).detect(image)
for face in faces:
    x, y = face.landmarks[30]  # the tip of the nose, in iBUG's 68 landmarks
    pose = face.head_pose
    turned = f"yaw {pose.yaw_deg:+.0f}°, pitch {pose.pitch_deg:+.0f}°" if pose else "no pose"
    print(f"face {face.id}: nose at ({x:.1f}, {y:.1f}), score {face.score:.2f}, {turned}")
cv2.imwrite(args.drawn, sm.draw(image, faces, axes=True))
