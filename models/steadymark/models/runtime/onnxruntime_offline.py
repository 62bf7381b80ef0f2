"""ONNX Runtime without telemetry; every other module imports `ort` from here.

From version 1.29 on, the official builds send events to Microsoft and keep a device id under
`~/.cache/Microsoft`. The environment variable prevents both if it is set before the import (Linux,
macOS). The function call switches off the events of Windows builds, and of an ONNX Runtime that
another package has imported before.
"""

from __future__ import annotations

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

ort.disable_telemetry_events()

__all__ = ["ort"]
