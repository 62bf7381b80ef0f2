"""Facial landmarks that are accurate and stable: the public API of Steadymark.

```python
import steadymark as sm

landmarker = sm.FaceLandmarker(max_faces=1)
faces = landmarker.detect(image)        # an image: (H, W, 3) uint8, BGR
result = sm.track_video("talk.mp4")     # a video: result.landmarks is (T, N, 68, 2)
```

Names are imported when they are first used, so that `import steadymark` itself loads nothing. The
names in `__all__` are stable; everything else is internal and may change.
"""

from __future__ import annotations

import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steadymark.engine.api import point_metrics as metrics
    from steadymark.engine.api.draw_faces import draw
    from steadymark.engine.api.estimate_pose import head_pose
    from steadymark.engine.api.face import Face
    from steadymark.engine.api.face_tracker import FaceTracker
    from steadymark.engine.api.landmarker import FaceLandmarker, track_video
    from steadymark.engine.api.own_models import (
        ModelInfo,
        OnnxLandmarker,
        add_model,
        list_models,
    )
    from steadymark.engine.api.read_frames import VideoFrame, read_frames, read_image
    from steadymark.engine.api.read_tables import read_csv, read_truth
    from steadymark.engine.api.smooth_points import POINT_STABILIZERS, STABILIZERS, smooth
    from steadymark.engine.api.video_landmarks import VideoLandmarks
    from steadymark.engine.attributes.looked_at_points import LookedAtPoint
    from steadymark.engine.core.errors import (
        DeviceError,
        LandmarkFileError,
        SinkError,
        SourceError,
        SteadymarkError,
        TrackingError,
        UsageError,
        WeightsError,
    )
    from steadymark.engine.core.gaze import GazeCalibration
    from steadymark.engine.core.pupils import Pupils
    from steadymark.engine.core.types import FaceBox, FaceState, HeadPose, Landmarks
    from steadymark.engine.gaze.gaze_calibration import (
        read_gaze_calibration,
        write_gaze_calibration,
    )
    from steadymark.engine.stabilizers.stabilizer_registry import StabilizerEntry, add_stabilizer
    from steadymark.models.choice_registry import Parameter
    from steadymark.models.user_text import UserText

    __version__: str

__all__ = [
    "POINT_STABILIZERS",
    "STABILIZERS",
    "DeviceError",
    "Face",
    "FaceBox",
    "FaceLandmarker",
    "FaceState",
    "FaceTracker",
    "GazeCalibration",
    "HeadPose",
    "LandmarkFileError",
    "Landmarks",
    "LookedAtPoint",
    "ModelInfo",
    "OnnxLandmarker",
    "Parameter",
    "Pupils",
    "SinkError",
    "SourceError",
    "StabilizerEntry",
    "SteadymarkError",
    "TrackingError",
    "UsageError",
    "UserText",
    "VideoFrame",
    "VideoLandmarks",
    "WeightsError",
    "__version__",
    "add_model",
    "add_stabilizer",
    "draw",
    "head_pose",
    "list_models",
    "metrics",
    "read_csv",
    "read_frames",
    "read_gaze_calibration",
    "read_image",
    "read_truth",
    "smooth",
    "track_video",
    "write_gaze_calibration",
]

_MODULES = {
    "engine.api.draw_faces": ("draw",),
    "engine.api.estimate_pose": ("head_pose",),
    "engine.api.face": ("Face",),
    "engine.api.face_tracker": ("FaceTracker",),
    "engine.api.landmarker": ("FaceLandmarker", "track_video"),
    "engine.api.own_models": ("ModelInfo", "OnnxLandmarker", "add_model", "list_models"),
    "engine.api.read_frames": ("VideoFrame", "read_frames", "read_image"),
    "engine.api.read_tables": ("read_csv", "read_truth"),
    "engine.api.smooth_points": ("POINT_STABILIZERS", "STABILIZERS", "smooth"),
    "engine.api.video_landmarks": ("VideoLandmarks",),
    "engine.attributes.looked_at_points": ("LookedAtPoint",),
    "engine.core.errors": (
        "DeviceError",
        "LandmarkFileError",
        "SinkError",
        "SourceError",
        "SteadymarkError",
        "TrackingError",
        "UsageError",
        "WeightsError",
    ),
    "engine.core.gaze": ("GazeCalibration",),
    "engine.core.pupils": ("Pupils",),
    "engine.core.types": ("FaceBox", "FaceState", "HeadPose", "Landmarks"),
    "engine.gaze.gaze_calibration": ("read_gaze_calibration", "write_gaze_calibration"),
    "engine.stabilizers.stabilizer_registry": ("StabilizerEntry", "add_stabilizer"),
    "models.choice_registry": ("Parameter",),
    "models.user_text": ("UserText",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def _portions() -> list[str]:
    """Return the folders of this package in the order of `sys.path`.

    In a checkout, the package lies in three source roots (app, engine, models). Other distributions
    may add folders to it, as to a namespace package. `extend_path` would put the folder of this
    file first. With the order of `sys.path`, a checkout takes precedence over an installed package.
    """
    here = str(Path(__file__).parent)
    found: list[str] = list(pkgutil.extend_path([], __name__))
    return found if here in found else [here, *found]


__path__ = _portions()
if len(__path__) > 1 and __spec__ is not None:
    # grimp (import-linter) accepts parts of a package as roots only if the package has no single
    # location, which is the case for this package in a checkout
    __spec__.submodule_search_locations = __path__
    __spec__.has_location = False


if not TYPE_CHECKING:  # otherwise type checkers accept every name

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used (PEP 562)."""
        from importlib import import_module

        value: object
        if name == "metrics":
            value = import_module("steadymark.engine.api.point_metrics")
        elif name == "__version__":
            value = import_module("steadymark.engine.pipeline.job").version()
        elif name in _MODULE_OF:
            value = getattr(import_module(f"steadymark.{_MODULE_OF[name]}"), name)
        else:
            raise AttributeError(f"module 'steadymark' has no attribute '{name}'")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
