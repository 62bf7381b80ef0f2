"""Find the face in each picture of a folder and save all landmarks as one NumPy array.

python examples/detect_in_folder.py FOLDER LANDMARKS.npz
"""

import argparse
from pathlib import Path

import numpy as np

import steadymark as sm

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("folder", type=Path)
parser.add_argument("out")
args = parser.parse_args()

paths = sorted(p for p in args.folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
landmarker = sm.FaceLandmarker()
batch = landmarker.detect_batch(sm.read_image(path) for path in paths)
missing = np.full((68, 2), np.nan, np.float32)
landmarks = np.stack([faces[0].landmarks if faces else missing for faces in batch])
np.savez(args.out, names=[path.name for path in paths], landmarks=landmarks)
print(f"{sum(map(bool, batch))} of {len(paths)} pictures have a face")
