"""The streaming engine: sources, tracking, sinks; no Qt, no torch."""

import os

# Read by OpenCV when it is imported: with it on, a webcam takes up to a minute to open on Windows.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
