"""Where frames come from."""

from steadymark.engine.sources.camera import CameraInfo, CameraMode, camera_modes, list_cameras
from steadymark.engine.sources.live import LiveStatus, Opening
from steadymark.engine.sources.opening import expand_inputs, open_live, open_source
from steadymark.engine.sources.probing import ProbeReport, probe

__all__ = [
    "CameraInfo",
    "CameraMode",
    "LiveStatus",
    "Opening",
    "ProbeReport",
    "camera_modes",
    "expand_inputs",
    "list_cameras",
    "open_live",
    "open_source",
    "probe",
]
