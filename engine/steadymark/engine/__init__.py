"""The streaming engine: sources, tracking, sinks; no Qt, no torch."""

import os

# OpenCV reads both variables when it is imported. With hardware transforms, a webcam takes up to a
# minute to open on Windows.
os.environ.setdefault("OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS", "0")
# An image file that declares more pixels than any camera has is refused before memory is allocated.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 28))
