"""Where a training runs: one process on one device, or several that torchrun started."""

from __future__ import annotations

import os

import torch
from torch import nn


class ProcessGroup:
    """The processes that train together under torchrun; alone without it."""

    def __init__(self, device: torch.device) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        if self.size > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def joined(self, network: nn.Module) -> nn.Module:
        """The network with gradients shared by all."""
        if self.size == 1:
            return network
        return nn.parallel.DistributedDataParallel(network)

    def agree(self, value: float, device: torch.device) -> float:
        """The first one's value."""
        if self.size == 1:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=device)
        torch.distributed.broadcast(told, 0)
        return float(told)


def pick_device(name: str) -> torch.device:
    """`auto`: CUDA where there is one; under torchrun each process takes its own.

    Raises:
        ValueError: CUDA was asked for and there is none.
    """
    if name not in ("auto", "cpu") and not name.startswith("cuda"):
        raise ValueError(f"unknown device '{name}': choose auto, cpu or cuda")
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise ValueError("CUDA was asked for, but torch finds none: use --device cpu")
    name = name.replace("auto", "cuda")
    local = os.environ.get("LOCAL_RANK")
    return torch.device(f"cuda:{local}" if local and name == "cuda" else name)
