"""Device and processes of a training: one process, or several that torchrun started."""

from __future__ import annotations

import os

import torch
from torch import nn


class ProcessGroup:
    """The processes that train together under torchrun; without torchrun there is one."""

    def __init__(self, device: torch.device) -> None:
        self.rank = int(os.environ.get("RANK", "0"))
        self.size = int(os.environ.get("WORLD_SIZE", "1"))
        if self.size > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def joined(self, network: nn.Module) -> nn.Module:
        """Wrap the network so that all processes share gradients."""
        if self.size == 1:
            return network
        return nn.parallel.DistributedDataParallel(network)

    def agree(self, value: float, device: torch.device) -> float:
        """Return the first process's value in all processes."""
        if self.size == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=device)
        torch.distributed.broadcast(tensor, 0)
        return float(tensor)


def pick_device(name: str) -> torch.device:
    """Return the device of this name.

    `auto` is CUDA if available, otherwise the CPU. Under torchrun each process uses its own GPU.

    Raises:
        ValueError: The name is unknown, or CUDA was requested but is not available.
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
