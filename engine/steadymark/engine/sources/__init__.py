"""Sources of frames: video files, image sequences, cameras and network streams."""

from steadymark.engine.sources.live.camera import CameraInfo, CameraMode, camera_modes, list_cameras
from steadymark.engine.sources.live.live_source import LiveStatus, OpenAttempt
from steadymark.engine.sources.resolve_input import expand_inputs, open_live, open_source
from steadymark.engine.sources.video.probe_report import ProbeReport, probe

__all__ = [
    "CameraInfo",
    "CameraMode",
    "LiveStatus",
    "OpenAttempt",
    "ProbeReport",
    "camera_modes",
    "expand_inputs",
    "list_cameras",
    "open_live",
    "open_source",
    "probe",
]
