"""The main class of the public API, which finds faces and landmarks in images and videos."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, TypedDict, Unpack

from steadymark.engine.api.face import Face, faces_of
from steadymark.engine.api.face_tracker import FaceTracker
from steadymark.engine.api.inputs import checked_image, checked_number
from steadymark.engine.core.errors import UsageError
from steadymark.engine.core.gaze import GazeCalibration
from steadymark.engine.core.types import Frame
from steadymark.engine.gaze.gaze_calibration import calibration_of, read_gaze_calibration
from steadymark.engine.stabilizers.stabilizer_registry import AUTO, choose
from steadymark.engine.tracking.face_pass import MOST_FACES, TrackerConfig
from steadymark.engine.tracking.settings import TrackSettings, make_tracker, open_models
from steadymark.models.runtime.zoo import DEFAULT_DETECTOR, DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from steadymark.engine.api.inputs import Image
    from steadymark.engine.api.run_tracking import Progress
    from steadymark.engine.api.video_landmarks import VideoLandmarks


class LandmarkerOptions(TypedDict, total=False):
    """The keyword arguments of `FaceLandmarker`; see its documentation."""

    model: str | Path
    stabilizer: str
    stabilizer_parameters: Mapping[str, float]
    max_faces: int
    device: str
    detector: str | Path
    detector_threshold: float | None
    threads: int
    focal_px: float | None
    gaze_calibration: GazeCalibration | str | Path | None
    pupils: bool


class FaceLandmarker:
    """Finds faces and their landmarks in images and videos.

    The networks are opened once, when the object is created. They hold no state of faces, so one
    object can be used for any number of images, videos and trackers.

    Args:
        model: A landmark model of `sm.list_models()`, or an .onnx file with its card beside it.
        stabilizer: How landmarks are stabilized in videos. `auto` uses the model's own
            stabilizer if it has one, otherwise `flow`. `flow` is a recurrent cell on landmarks that
            are warped by optical flow. `refine` and `convlstm` are the cells of Xu et al. on
            heatmaps. `one-euro` is the 1€ filter (Casiez, Roussel and Vogel, CHI 2012).
            `butterworth` is a filter without lag (Winter, Biomechanics and Motor Control, ch. 3),
            which needs the whole video. `none` returns the raw landmarks.
        stabilizer_parameters: Parameters of a filter by name, as for `sm.smooth`, for example
            `{"min_cutoff_hz": 0.5}` for `one-euro`; None takes the defaults.
        max_faces: The largest number of faces, 1 to 64.
        device: `auto`, `cpu` or `cuda`.
        detector: A face detector of `sm.list_models()`, or `yunet:FILE.onnx` or
            `mediapipe:FILE.tflite`.
        detector_threshold: The lowest score of a detected face, 0 to 1; None takes the
            detector's default.
        threads: CPU threads of each network; 0 lets ONNX Runtime choose.
        focal_px: The focal length of the camera in pixels, for head poses. None takes
            OpenFace's estimate, which is 500 pixels at 640 × 480 and scales with the size of the
            image.
        gaze_calibration: The correction of a person's gaze, or its file, which `steadymark
            gaze-calibrate`, the window and `sm.write_gaze_calibration` write. It corrects the gaze
            of all faces, which is `attributes["gaze"]` of a face, with the columns of tables.
        pupils: Whether the pupils are found, if the model's landmarks are in iBUG's order.

    Raises:
        WeightsError: The model is unknown, or its files are missing or altered.
        DeviceError: CUDA was requested but is not available.
        UsageError: The stabilizer or one of its parameters is unknown, or a value is out of range;
            or `gaze_calibration` is no calibration, or is given without pupils.

    Example:
        >>> import steadymark as sm
        >>> landmarker = sm.FaceLandmarker(max_faces=1)
        >>> faces = landmarker.detect(image)
        >>> faces[0].landmarks.shape
        (68, 2)

        The gaze of a person whose eyes look 3° farther to the left of the picture than they seem:

        >>> import math
        >>> anna = sm.GazeCalibration("Anna", offset_deg=((-3.0, 0.0), (-3.0, 0.0)))
        >>> (face,) = sm.FaceLandmarker(gaze_calibration=anna).detect(image)
        >>> angle_x, angle_y = face.attributes["gaze"][6:]  # in radians
        >>> round(math.degrees(angle_x - faces[0].attributes["gaze"][6]))
        -3
    """

    def __init__(
        self,
        *,
        model: str | Path = DEFAULT_MODEL,
        stabilizer: str = AUTO,
        stabilizer_parameters: Mapping[str, float] | None = None,
        max_faces: int = 1,
        device: str = "auto",
        detector: str | Path = DEFAULT_DETECTOR,
        detector_threshold: float | None = None,
        threads: int = 1,
        focal_px: float | None = None,
        gaze_calibration: GazeCalibration | str | Path | None = None,
        pupils: bool = True,
    ) -> None:
        if not 1 <= max_faces <= MOST_FACES:
            raise UsageError(
                "max_faces must be 1 to {most}, not {given}", most=MOST_FACES, given=max_faces
            )
        given = (stabilizer_parameters or {}).items()
        values = {name: checked_number(value, name=name) for name, value in given}
        settings = TrackSettings(
            model=str(model),
            detector=str(detector),
            stabilizer=stabilizer,
            device=device,
            threads=threads,
            detector_threshold=detector_threshold,
            tracker=TrackerConfig(max_faces=max_faces),
            filters=(choose(stabilizer, **values),),
            focal_px=focal_px,
            gaze_calibration=_calibration(gaze_calibration, pupils=pupils),
            pupils=pupils,
        )
        self._settings, self._models = settings, open_models(settings)
        make_tracker(self._models, settings)  # raises an error if a setting is wrong

    def __repr__(self) -> str:
        settings = self._settings
        return (
            f"FaceLandmarker(model={self.model!r}, stabilizer={settings.stabilizer!r}, "
            f"max_faces={settings.tracker.max_faces}, device={self.device!r})"
        )

    @property
    def model(self) -> str:
        """The name of the landmark model."""
        return self._models.network.card.name

    @property
    def schema(self) -> str:
        """The landmark schema of the model, for example `ibug68`."""
        return self._models.schema.name

    @property
    def device(self) -> str:
        """The device on which the network runs: `cpu` or `cuda`."""
        return self._models.device

    def detect(self, image: Image) -> list[Face]:
        """Find the faces in one image.

        No stabilizer runs, because an image has no previous frames.

        Args:
            image: (H, W, 3) uint8 in BGR order, as OpenCV and `sm.read_image` return it.

        Returns:
            At most `max_faces` faces; empty if there are none.

        Raises:
            UsageError: The image has another shape or type.
        """
        tracker = make_tracker(self._models, self._settings)
        return faces_of(tracker.track(Frame(checked_image(image), 0, 0.0)).faces, self.schema)

    def detect_batch(self, images: Iterable[Image]) -> list[list[Face]]:
        """Find the faces in several images, which may differ in size.

        Args:
            images: Images as for `detect`; each image is processed independently.

        Returns:
            One list of faces per image, in the order of the images.

        Raises:
            UsageError: An image has another shape or type.
        """
        return [self.detect(image) for image in images]

    def tracker(self) -> FaceTracker:
        """Create a tracker that follows faces through the frames of one video or camera.

        Returns:
            The tracker.

        Raises:
            UsageError: The stabilizer needs future frames, as `butterworth` does.
        """
        if self._settings.entry.needs_future:
            raise UsageError(
                "{name} needs the whole video, and a tracker gets one frame at a time: choose "
                "flow or one-euro, or pass the video to track_video",
                name=self._settings.stabilizer,
            )
        return FaceTracker(make_tracker(self._models, self._settings), self.schema)

    def track_video(
        self,
        source: str | Path,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        deinterlace: bool = False,
        rotate_deg: int | None = None,
        progress: Progress = False,
    ) -> VideoLandmarks:
        """Track the faces of a whole video.

        Args:
            source: See `sm.track_video`.
            start_s: See `sm.track_video`.
            end_s: See `sm.track_video`.
            deinterlace: See `sm.track_video`.
            rotate_deg: See `sm.track_video`.
            progress: See `sm.track_video`.

        Returns:
            The landmarks of all frames.

        Raises:
            SourceError: The video cannot be opened.
            TrackingError: Reading or tracking failed before the end.
            UsageError: The source is a camera, which has no end, or an option is wrong.
        """
        from steadymark.engine.api.run_tracking import run_tracking
        from steadymark.engine.sources.frame_conversion import DecodeSettings

        return run_tracking(
            source,
            self._models,
            self._settings,
            start_s=start_s,
            end_s=end_s,
            decoding=DecodeSettings(deinterlace, rotate_deg),
            progress=progress,
        )


def _calibration(
    given: GazeCalibration | str | Path | None, *, pupils: bool
) -> GazeCalibration | None:
    """Return the calibration that was given, or that its file holds."""
    if given is None:
        return None
    if not pupils:
        raise UsageError("gaze_calibration needs pupils: leave pupils=False out, or the other")
    if not isinstance(given, GazeCalibration):
        return read_gaze_calibration(given)
    if calibration_of(asdict(given)) is None:
        raise UsageError(
            "{given} is no gaze calibration: make one with VideoLandmarks.calibrate_gaze",
            given=repr(given),
        )
    return given


def track_video(
    source: str | Path,
    *,
    start_s: float | None = None,
    end_s: float | None = None,
    deinterlace: bool = False,
    rotate_deg: int | None = None,
    progress: Progress = False,
    **options: Unpack[LandmarkerOptions],
) -> VideoLandmarks:
    """Track the faces of a whole video.

    Args:
        source: A video file, or a folder or pattern of images.
        start_s: The time in seconds at which tracking starts; None starts at the beginning.
        end_s: The time in seconds at which tracking stops; None continues to the end.
        deinterlace: Whether the two fields of each frame are joined; video files only.
        rotate_deg: Clockwise rotation of the coded images, 0, 90, 180 or 270; None uses that of the
            file. Video files only.
        progress: True shows a progress bar on the terminal. A function is called from time to
            time with the number of tracked frames and the number of all frames, which is None if it
            is unknown.
        **options: The arguments of `sm.FaceLandmarker`, such as `stabilizer` and `max_faces`.
            To track several videos, create one landmarker and call its `track_video`.

    Returns:
        The landmarks of all frames; the numbers equal those of `steadymark track`.

    Raises:
        SourceError: The video cannot be opened.
        TrackingError: Reading or tracking failed before the end.
        UsageError: The source is a camera, which has no end, or an option is wrong.
        WeightsError: The model is unknown, or its files are missing or altered.
        DeviceError: CUDA was requested but is not available.

    Example:
        >>> import steadymark as sm
        >>> result = sm.track_video(video, stabilizer="flow", end_s=0.2)
        >>> result.timestamp_s.shape, result.landmarks.shape
        ((6,), (6, 1, 68, 2))
    """
    landmarker = FaceLandmarker(**options)
    return landmarker.track_video(
        source,
        start_s=start_s,
        end_s=end_s,
        deinterlace=deinterlace,
        rotate_deg=rotate_deg,
        progress=progress,
    )
