"""The streaming engine: sources, tracking, sinks; no Qt, no torch."""

import os

# Read by OpenCV when it is imported: with it on, a webcam takes up to a minute to open on Windows.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
# And this: a picture that says it has more pixels, which no camera's has, takes no memory.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))
