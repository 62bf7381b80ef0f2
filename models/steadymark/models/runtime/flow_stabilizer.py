"""Stabilize the landmarks of any network with optical flow and a small recurrent ONNX network."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steadymark.models.face.crop import cut, transform
from steadymark.models.face.deformation_modes import face_modes
from steadymark.models.face.face_motion import face_size, flow_image
from steadymark.models.face.landmark_flow import FlowFrame, LandmarkFlow, landmark_flow
from steadymark.models.runtime.onnx_session import open_content
from steadymark.models.runtime.zoo import verified_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from steadymark.models.face.crop import Crop, Image, Points
    from steadymark.models.face.schema import LandmarkSchema
    from steadymark.models.runtime.zoo import ModelCard

    Motion = Callable[[FlowFrame, FlowFrame, Points, LandmarkSchema], LandmarkFlow]

Array = NDArray[np.float32]
FLOW_SIDE = 128  # side of the crops for optical flow, pixels
PARTS = ("contour", "brows", "nose", "eyes", "mouth")  # regions that the cell distinguishes
_FIRST_NOISE = 0.5  # the same as in FlowCell.start
_MAX_COORDINATE_PX = 1e6  # largest coordinate of a landmark that is tracked


class FlowMemory(NamedTuple):
    """The recurrent state of one face.

    Attributes:
        seen: The face in the previous frame.
        kept: (K, 2) landmarks that the cell carries to the next frame, frame pixels.
        state: The cell's state arrays for this face, in the order of the graph's inputs.
    """

    seen: FlowFrame
    kept: Points
    state: tuple[Array, ...]


class FlowStabilizer:
    """Run the recurrent cell of a model card of kind `stabilizer` on landmarks of one schema.

    Benchmarks replace `motion`, the function that measures motion, and `modes`, the deformation
    modes of `face_modes`.
    """

    def __init__(
        self, card: ModelCard, schema: LandmarkSchema, *, content: bytes | None = None
    ) -> None:
        """Open the cell on the CPU.

        Args:
            card: The model card of the cell.
            schema: The schema of the landmarks.
            content: An ONNX file to run instead of the one that the card describes.

        Raises:
            WeightsError: The model file is missing or altered, or cannot be run.
        """
        self.card, self.schema = card, schema
        self.motion: Motion = landmark_flow
        self.modes = face_modes(schema)
        content = verified_bytes(card) if content is None else content
        self._runner = open_content(content, card.path)
        self._states = [i for i in self._runner.session.get_inputs() if i.name.startswith("state_")]
        self._outputs = ["points", "kept"]
        self._outputs += [i.name.replace("state_", "next_", 1) for i in self._states]
        self._parts_of_landmarks = face_parts(schema)

    def begin(self, seen: FlowFrame) -> tuple[Points, FlowMemory]:
        """Start a face; its first frame gives the raw landmarks.

        Args:
            seen: The face in its first frame.

        Returns:
            The raw landmarks (K, 2), frame pixels, and the state for the next frame.
        """
        initial_values = {"state_noise": _FIRST_NOISE, "state_frames": 1.0}
        state = tuple(
            np.full(
                [
                    self.schema.count if side == "landmarks" else side
                    for side in state_input.shape[1:]
                ],
                initial_values.get(state_input.name, 0.0),
                np.float32,
            )
            for state_input in self._states
        )
        return seen.raw, FlowMemory(seen, seen.raw, state)

    def step(
        self, seen: Sequence[FlowFrame], scores: Array, before: Sequence[FlowMemory | None]
    ) -> list[tuple[Points, FlowMemory]]:
        """Stabilize the landmarks of n faces in one frame.

        Args:
            seen: The n faces in this frame.
            scores: (n, K) scores of the landmarks.
            before: The state of each face after the previous frame, or None for a new face. A face
                also starts anew if its landmarks are not finite or lie more than 10⁶ px away.

        Returns:
            For each face, the stabilized landmarks (K, 2) in frame pixels and its new state.
        """
        known = {
            i: memory
            for i, memory in enumerate(before)
            if memory is not None and _is_near(seen[i].raw) and _is_near(memory.kept)
        }
        stepped = self._step_known(seen, scores, known) if known else {}
        return [stepped.get(i) or self.begin(each) for i, each in enumerate(seen)]

    def _step_known(
        self, seen: Sequence[FlowFrame], scores: Array, known: Mapping[int, FlowMemory]
    ) -> dict[int, tuple[Points, FlowMemory]]:
        """Run the cell on the faces that have a state; keys are the faces' indices in `seen`."""
        flows = [self.motion(m.seen, seen[i], m.kept, self.schema) for i, m in known.items()]
        rows = [_cell_inputs(seen[i], known[i], flow) for i, flow in zip(known, flows, strict=True)]
        inputs = {name: _stack_arrays([row[name] for row in rows]) for name in rows[0]}
        inputs["score"] = scores[list(known)]
        states = zip(*(memory.state for memory in known.values()), strict=True)
        names = [i.name for i in self._states]
        inputs |= {name: _stack_arrays(part) for name, part in zip(names, states, strict=True)}
        inputs |= {"member": self._parts_of_landmarks, "modes": self.modes}
        points, kept, *after = self._runner(self._outputs, **inputs)
        return {
            i: (points[row], FlowMemory(seen[i], kept[row], tuple(part[row] for part in after)))
            for row, i in enumerate(known)
        }


def flow_frame_of(image: Image, part: Image, crop: Crop, raw: Points) -> FlowFrame:
    """Prepare a face of a frame for optical flow.

    Args:
        image: The frame, (H, W, 3) uint8 BGR.
        part: The landmark network's crop. It is reused if its side is `FLOW_SIDE`.
        crop: Where the crop lies in the frame.
        raw: (K, 2) landmarks, frame pixels.

    Returns:
        The face's image, crop and landmarks.
    """
    if len(part) != FLOW_SIDE:
        part = cut(image, crop.matrix_to_image(FLOW_SIDE), FLOW_SIDE)
    return FlowFrame(flow_image(part), crop, raw)


def _stack_arrays(parts: Sequence[Array]) -> Array:
    """Do what np.stack does, but do not copy a single array."""
    return parts[0][None] if len(parts) == 1 else np.stack(parts)


def _is_near(xy: Points) -> bool:
    return bool(np.abs(xy).max() < _MAX_COORDINATE_PX)


def _cell_inputs(seen: FlowFrame, memory: FlowMemory, flow: LandmarkFlow) -> dict[str, Array]:
    """Return the graph's inputs for one face, see `flow_cell.FlowCellInput`."""
    roll = math.radians(seen.crop.roll_deg)
    content = {
        "raw": seen.raw,
        "carried": transform(flow.face, memory.kept),
        "carried_raw": transform(flow.face, memory.seen.raw),
        "beside": flow.beside,
        "unsure": flow.unsure,
        "agreed": np.float32(flow.agreed),
        "upright": np.array((math.cos(roll), math.sin(roll))),
        "size_px": np.float32(face_size(seen.raw)),
    }
    return {name: np.asarray(value, np.float32) for name, value in content.items()}


def face_parts(schema: LandmarkSchema) -> Array:
    """Compute which landmarks belong to which of the facial parts `PARTS`.

    Args:
        schema: The landmark schema.

    Returns:
        (K, P) float32, 1 where a landmark belongs to a part, else 0.
    """
    membership = np.zeros((schema.count, len(PARTS)), np.float32)
    for column, name in enumerate(PARTS):
        membership[list(schema.regions.get(name, ())), column] = 1
    return membership
