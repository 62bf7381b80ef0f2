"""dan: the Deep Alignment Network (papers/dan.txt); equations and tables are the paper's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.dan_layers import Connection, canonical_shape, to_grey
from steadymark.models.networks.dan_loss import probability_within_tolerance
from steadymark.models.networks.pyramid import PyramidConvNorm, Residual


@dataclass(frozen=True, slots=True)
class DanConfig:
    """Sizes of the network; the defaults are the preset `lite`.

    Attributes:
        schema: Name of the landmark schema.
        crop: Side F of the input, pixels.
        margin: Side of the crop divided by the fitted size of the face; it determines S_0.
        stages: Number of stages.
        column: `vgg` is the paper's Table 1; the levels of `residual` start with a strided
            convolution.
        widths: Channels of each level; each level halves the side.
        blocks: Number of convolutions or residual blocks of each level.
        fold: Channels that enter fc1 after a 1×1 convolution; 0 uses all without one.
        hidden: Width of fc1.
        dropout: Dropout probability before fc1.
        feature: Side of the feature image F_t before it is enlarged.
        radius: Radius of the landmark heatmap (eq. 3), pixels.

    Raises:
        ValueError: The sizes do not fit together.
    """

    schema: str = "ibug68"
    crop: int = 112
    margin: float = 1.4
    stages: int = 2
    column: Literal["vgg", "residual"] = "residual"
    widths: tuple[int, ...] = (32, 48, 96, 160)
    blocks: tuple[int, ...] = (0, 2, 2, 1)
    fold: int = 32
    hidden: int = 192
    dropout: float = 0.2
    feature: int = 56
    radius: float = 16.0

    def __post_init__(self) -> None:
        if self.crop % 2 ** len(self.widths) or self.crop % self.feature:
            raise ValueError(f"a crop of {self.crop} px does not divide into this network's maps")
        if len(self.widths) != len(self.blocks) or self.stages < 1:
            raise ValueError(f"widths {self.widths}, blocks {self.blocks}, {self.stages} stages")


PRESETS: dict[str, DanConfig] = {
    "paper": DanConfig(
        column="vgg",
        widths=(64, 128, 256, 512),
        blocks=(2, 2, 2, 2),
        fold=0,
        hidden=256,
        dropout=0.5,
    ),
    "lite": DanConfig(),
}


class DanOutput(NamedTuple):
    """The output of the stages that ran.

    Attributes:
        shapes: S_1 … S_n, each (B, K, 2) crop pixels.
        face: (B,) logits of the face score.
        log_spread: (B, K) logarithm of the scale of each landmark's error after the last of these
            stages, see `dan_loss.spread_loss`.
    """

    shapes: tuple[Tensor, ...]
    face: Tensor
    log_spread: Tensor


class StageOutput(NamedTuple):
    """The output of one stage.

    Attributes:
        delta: ΔS_t, (B, K, 2), pixels of the warped image T_t(I).
        fc1: (B, hidden) activations of the layer fc1.
        face: (B,) logits.
        log_spread: (B, K), see `DanOutput`.
    """

    delta: Tensor
    fc1: Tensor
    face: Tensor
    log_spread: Tensor


def _vgg_level(c_in: int, width: int, count: int) -> nn.Sequential:
    convs = (PyramidConvNorm(width if i else c_in, width) for i in range(count))
    return nn.Sequential(*convs, nn.MaxPool2d(2))


def _residual_level(c_in: int, width: int, count: int) -> nn.Sequential:
    inner = (width * 5 // 8 + 7) // 8 * 8
    residuals = (Residual(width, inner) for _ in range(count))
    return nn.Sequential(PyramidConvNorm(c_in, width, 3, 2), *residuals)


class DanStage(nn.Module):
    """The feed-forward network of one stage (Table 1).

    In addition to fc2 it has outputs for a face logit and for the spread of each landmark.
    """

    def __init__(self, config: DanConfig, landmarks: int, c_in: int) -> None:
        super().__init__()
        level = _vgg_level if config.column == "vgg" else _residual_level
        widths = (c_in, *config.widths)
        self.column = nn.Sequential(
            *(level(widths[i], widths[i + 1], count) for i, count in enumerate(config.blocks))
        )
        if config.fold:
            self.column.append(PyramidConvNorm(config.widths[-1], config.fold, 1))
        side = config.crop // 2 ** len(config.widths)
        self.fc1 = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(config.dropout),
            nn.Linear((config.fold or config.widths[-1]) * side**2, config.hidden, bias=False),
            nn.BatchNorm1d(config.hidden),
            nn.ReLU(inplace=True),
        )
        self.fc2 = nn.Linear(config.hidden, 2 * landmarks)
        self.face = nn.Linear(config.hidden, 1)
        self.spread = nn.Linear(config.hidden, landmarks)
        nn.init.constant_(self.spread.bias, -3.0)  # e⁻³ pupil distances, a typical error

    def forward(self, x: Tensor) -> StageOutput:
        """Run the stage on x (B, c_in, F, F); all outputs but fc1 are float32, even in autocast."""
        fc1 = self.fc1(self.column(x))  # (B, hidden)
        delta = self.fc2(fc1).float().unflatten(1, (-1, 2))
        return StageOutput(delta, fc1, self.face(fc1).float().flatten(), self.spread(fc1).float())


class Dan(nn.Module):
    """The network: stages that are joined by connection layers and trained one after another.

    Stages are numbered from 1, as in the paper. Each stage adds a correction to the face logit, as
    it does to the shape. Only the first stage sees where the face lies in the crop; later stages
    see a crop that is aligned by the shape so far.
    """

    canonical: Tensor

    def __init__(self, config: DanConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DanConfig()
        schema = load_schema(config.schema)
        self.register_buffer("canonical", canonical_shape(schema, config.crop, config.margin))
        self.stages = nn.ModuleList(
            DanStage(config, schema.count, 3 if i else 1) for i in range(config.stages)
        )
        self.connections = nn.ModuleList(
            Connection(config.hidden, config.crop, config.feature, config.radius)
            for _ in range(config.stages - 1)
        )
        self.frozen = 0

    def forward(self, image: Tensor, stages: int | None = None) -> DanOutput:
        """Run the first stages (eq. 2).

        Args:
            image: (B, 3, F, F) BGR, normalised to about [-1, 1].
            stages: Number of stages to run; all by default.

        Returns:
            The shapes and scores.

        Raises:
            ValueError: The network does not have so many stages.
        """
        count = self._checked(self.config.stages if stages is None else stages)
        grey = to_grey(image)
        step: StageOutput = self.stages[0](grey)  # T_1 is the identity
        shapes, face = [self.canonical + step.delta], step.face
        for stage, connect in zip(self.stages[1:count], self.connections, strict=False):
            stage_input, transform = connect(grey, shapes[-1], self.canonical, step.fc1)
            step = stage(stage_input)
            moved = transform.apply(shapes[-1]) + step.delta
            shapes.append(transform.inverse().apply(moved))  # eq. 2
            face = face + step.face
        return DanOutput(tuple(shapes), face, step.log_spread)

    def stage_parameters(self, stage: int) -> list[nn.Parameter]:
        """Return the weights trained with a stage: its own and those of the connection before it.

        Args:
            stage: Number of the stage, from 1.

        Raises:
            ValueError: There is no such stage.
        """
        return [p for part in self._parts(self._checked(stage)) for p in part.parameters()]

    def train_stage(self, stage: int) -> None:
        """Start training one stage, with all earlier stages frozen until the next call.

        Frozen weights get no gradient, and frozen batch norms and dropout stay in `eval` mode, even
        if `train` is called later. Later stages are not changed.

        Args:
            stage: Number of the stage, from 1.

        Raises:
            ValueError: There is no such stage.
        """
        self.frozen = self._checked(stage) - 1
        for number in range(1, self.config.stages + 1):
            for part in self._parts(number):
                part.requires_grad_(number > self.frozen)
        self.train()

    def train(self, mode: bool = True) -> Dan:
        """Set the training mode, except for the stages that `train_stage` froze."""
        super().train(mode)
        for number in range(1, self.frozen + 1):
            for part in self._parts(number):
                part.eval()
        return self

    def _parts(self, stage: int) -> list[nn.Module]:
        return [*self.connections[max(stage - 2, 0) : stage - 1], self.stages[stage - 1]]

    def _checked(self, stage: int) -> int:
        if not 1 <= stage <= self.config.stages:
            raise ValueError(f"stage {stage} of a network of {self.config.stages}")
        return stage


class DanDecoded(nn.Module):
    """The exported network: it takes uint8 crops and returns points and scores."""

    def __init__(self, network: Dan) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Predict points and scores.

        A landmark's score is the face score times the probability that its error is below
        `dan_loss.TOLERANCE` pupil distances, which follows from its spread.

        Args:
            crops: (B, 3, F, F) uint8 BGR.

        Returns:
            Points (B, K, 2) in crop pixels, scores (B, K), and face scores (B,).
        """
        out = self.network((crops.float() - 127.5) / 127.5)
        face = out.face.sigmoid()
        return (
            out.shapes[-1],
            probability_within_tolerance(out.log_spread) * face.unsqueeze(-1),
            face,
        )
