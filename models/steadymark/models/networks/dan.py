"""dan: Deep Alignment Network (papers/dan.txt)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from steadymark.models.face.schema import load_schema
from steadymark.models.networks.dan_layers import Connection, canonical_shape, to_grey
from steadymark.models.networks.dan_loss import found_share
from steadymark.models.networks.pyramid import PyramidConvNorm, Residual


@dataclass(frozen=True, slots=True)
class DanConfig:
    """Sizes of the network; `lite` are the defaults.

    crop: F, side of the input in pixels; margin: side of the crop / fitted size of the face, which
    places S_0. column: `vgg` as Table 1, or `residual`, whose levels start with a strided
    convolution. widths, blocks: channels, and convolutions or residual blocks, of each level; a
    level halves the side. fold: channels that go into fc1, 0 for all of the last level. hidden:
    width of fc1. feature: side of F_t before it is upscaled. radius: of eq. 3, in pixels.
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
    """What the stages that ran found.

    shapes: S_1 … S_n, each (B, K, 2) crop px. face: (B,) logit. log_spread: (B, K), the log of the
    scale of each landmark's error after the last of these stages, see `dan_loss.spread_loss`.
    """

    shapes: tuple[Tensor, ...]
    face: Tensor
    log_spread: Tensor


class StageOutput(NamedTuple):
    """delta: ΔS_t, (B, K, 2) px of T_t(I). fc1: (B, hidden). face: (B,). log_spread: (B, K)."""

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
    """The feed-forward part (Table 1), with a face logit and each landmark's spread beside fc2."""

    def __init__(self, config: DanConfig, landmarks: int, c_in: int) -> None:
        super().__init__()
        level = _vgg_level if config.column == "vgg" else _residual_level
        ins = (c_in, *config.widths)
        self.column = nn.Sequential(
            *(level(ins[i], ins[i + 1], count) for i, count in enumerate(config.blocks))
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
        nn.init.constant_(self.spread.bias, -3.0)  # e⁻³ of the pupils' distance, about an error

    def forward(self, x: Tensor) -> StageOutput:
        """x: (B, c_in, F, F). Float32 comes out, also under autocast."""
        fc1 = self.fc1(self.column(x))  # (B, hidden)
        delta = self.fc2(fc1).float().unflatten(1, (-1, 2))
        return StageOutput(delta, fc1, self.face(fc1).float().flatten(), self.spread(fc1).float())


class Dan(nn.Module):
    """Stages joined by connection layers. They count from 1, as in the paper, and train in turn.

    The face logit is refined as the shape is: each stage adds to what the one before it found. The
    first stage alone sees where in the crop the face lies; the next sees it put right.
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
        """image: (B, 3, F, F) BGR, normalised to about [-1, 1]; stages: how many run, else all."""
        count = self._checked(self.config.stages if stages is None else stages)
        grey = to_grey(image)
        step: StageOutput = self.stages[0](grey)  # T_1 carries S_0 onto itself
        shapes, face = [self.canonical + step.delta], step.face
        for stage, connect in zip(self.stages[1:count], self.connections, strict=False):
            given, transform = connect(grey, shapes[-1], self.canonical, step.fc1)
            step = stage(given)
            moved = transform.apply(shapes[-1]) + step.delta
            shapes.append(transform.inverse().apply(moved))  # eq. 2
            face = face + step.face
        return DanOutput(tuple(shapes), face, step.log_spread)

    def stage_parameters(self, stage: int) -> list[nn.Parameter]:
        """What trains with stage 1, 2, …: its own weights and those of the connection before it."""
        return [p for part in self._parts(self._checked(stage)) for p in part.parameters()]

    def train_stage(self, stage: int) -> None:
        """Into training mode, for `stage`: what lies before it stands still until the next call.

        Its weights take no gradient and its batch norms and dropout stay as in `eval`, also when
        `train` is called later. Weights of later stages are left as they are.
        """
        self.frozen = self._checked(stage) - 1
        for number in range(1, self.config.stages + 1):
            for part in self._parts(number):
                part.requires_grad_(number > self.frozen)
        self.train()

    def train(self, mode: bool = True) -> Dan:
        """As of any module, but for the stages that `train_stage` froze."""
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
    """What is exported: uint8 crops in, points and scores out."""

    def __init__(self, network: Dan) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """crops: (B, 3, F, F) uint8 BGR → points (B, K, 2) crop px, scores (B, K), face (B,).

        A score is the face's times the probability, by the landmark's spread, that it lies within
        `dan_loss.TOLERANCE` of the pupils' distance of the truth.
        """
        out = self.network((crops.float() - 127.5) / 127.5)
        face = out.face.sigmoid()
        return out.shapes[-1], found_share(out.log_spread) * face.unsqueeze(-1), face
