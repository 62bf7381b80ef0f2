"""MediaPipe's Face Landmarker as a landmark model, with a model file of the user.

It needs the extra 'mediapipe'. Its 478 points become iBUG's 68 by
`assets/schemas/maps/mediapipe478_ibug68.json`. It sees the crop of each face, as other models do,
so that every stabilizer works with it. MediaPipe's own smoothing, which needs whole videos, is not
used.
"""

from __future__ import annotations

import hashlib
import weakref
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from steadymark.engine.core.errors import UsageError
from steadymark.engine.tracking.mediapipe_detection import close_backend
from steadymark.models.face.schema import IBUG68, load_schema
from steadymark.models.face.schema_conversion import to_ibug68
from steadymark.models.runtime.onnx_session import Prediction
from steadymark.models.runtime.zoo import ModelCard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steadymark.models.face.crop import Image
    from steadymark.models.runtime.onnx_session import Moves, State

MEDIAPIPE_LANDMARKS = "mediapipe478"
TASK_SUFFIX = ".task"  # of MediaPipe's model files
_CROP_PX = 384  # the face is then larger than in the network's own input of 256
_MARGIN = 2.0  # MediaPipe's detector needs room around the face
_MOST_BYTES = 1 << 28


def mediapipe_card(model_file: str) -> ModelCard:
    """Return the description of a Face Landmarker.

    Args:
        model_file: A file like face_landmarker.task.

    Returns:
        Its card. The face score is 1 or 0, since MediaPipe tells no score.

    Raises:
        UsageError: There is no such file, or it is too large.
    """
    path = Path(model_file)
    if not path.is_file():
        raise UsageError(
            "there is no MediaPipe model file at '{model_file}': give face_landmarker.task as "
            "mediapipe:FILE.task",
            model_file=model_file,
        )
    return ModelCard(
        name=f"mediapipe-{path.stem}",
        kind="landmarks",
        path=path,
        sha256=_digest(path),
        licence="see the model card of MediaPipe's Face Landmarker",
        schema=IBUG68,
        crop=_CROP_PX,
        margin=_MARGIN,
        size_bytes=path.stat().st_size,
        input_text=f"{_CROP_PX}x{_CROP_PX} RGB",
    )


def _digest(path: Path) -> str:
    if path.stat().st_size > _MOST_BYTES:
        raise UsageError("'{model_file}' is too large for a model file", model_file=path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(
            "MediaPipe cannot use '{model_file}': {error}", model_file=path, error=error.strerror
        ) from error


def validate_mediapipe_model(path: Path) -> ModelCard:
    """Open a Face Landmarker once to see whether it can be used.

    Args:
        path: The model file.

    Returns:
        Its card.

    Raises:
        UsageError: The file or the package is missing, or MediaPipe refuses the file.
    """
    card = mediapipe_card(str(path))
    MediapipeLandmarks(card).close()
    return card


class MediapipeLandmarks:
    """A `LandmarkModel` that runs MediaPipe's Face Landmarker on each crop.

    Attributes:
        card: The model's card.
        device: Always `cpu`.
    """

    device = "cpu"

    def __init__(self, card: ModelCard, *, backend: Any = None) -> None:
        """Open the model file.

        Args:
            card: The card, see `mediapipe_card`.
            backend: A `FaceLandmarker` object of MediaPipe that is used instead of the file.

        Raises:
            UsageError: The package is missing, or MediaPipe refuses the file.
        """
        self.card = card
        self._image_of: Any = lambda rgb: rgb
        self._lock = Lock()  # the window tracks and exports with one model
        self._landmarker = backend or self._open(str(card.path))
        self._close = weakref.finalize(self, close_backend, self._landmarker)
        shape = load_schema(IBUG68).mean_shape.astype(np.float32)
        self._nowhere = shape * (card.crop / card.margin) + (card.crop - 1) / 2

    def close(self) -> None:
        """Close MediaPipe's landmarker; this also happens when the program ends."""
        self._close()

    def _open(self, model_file: str) -> Any:
        try:
            import mediapipe
            from mediapipe.tasks import python as tasks
            from mediapipe.tasks.python import vision
        except ImportError as error:
            raise UsageError(
                "MediaPipe is not installed: 'pip install steadymark[mediapipe]', or use another "
                "model"
            ) from error
        self._image_of = lambda rgb: mediapipe.Image(mediapipe.ImageFormat.SRGB, rgb)
        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=model_file), num_faces=1
        )
        try:
            return vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise UsageError(
                "MediaPipe cannot use '{model_file}': {error}",
                model_file=model_file,
                error=" ".join(str(error).split())[:200],
            ) from error

    def step(
        self, crops: Image, state: State | None = None, moved: Moves | None = None
    ) -> Prediction:
        """Find the landmarks of crops.

        Args:
            crops: (n, F, F, 3) uint8 BGR.
            state: Not used, since the model has no state.
            moved: Not used.

        Returns:
            68 landmarks for each crop; the scores are 1, or 0 where no face was found.
        """
        found = [self._find(crop) for crop in crops]
        points = np.stack([self._nowhere if xy is None else xy for xy in found]).astype(np.float32)
        face = np.array([xy is not None for xy in found], np.float32)
        scores = np.repeat(face[:, None], points.shape[1], axis=1)
        return Prediction(points, points, scores, face, ())

    def _find(self, crop: Image) -> NDArray[np.floating] | None:
        rgb = np.ascontiguousarray(crop[:, :, ::-1])
        with self._lock:
            faces = self._landmarker.detect(self._image_of(rgb)).face_landmarks
        if not faces:
            return None
        height, width = crop.shape[:2]
        mesh = np.array([(point.x, point.y) for point in faces[0]]) * (width, height) - 0.5
        return to_ibug68(mesh, MEDIAPIPE_LANDMARKS)
