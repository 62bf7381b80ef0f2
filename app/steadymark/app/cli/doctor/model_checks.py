"""Checks of what networks need: their files, and the devices that run them."""

from __future__ import annotations

import logging
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING

from steadymark.app.cli.doctor.check_result import CheckResult, CheckState
from steadymark.engine.core.errors import SteadymarkError, WeightsError
from steadymark.models.runtime.zoo import (
    DEFAULT_DETECTOR,
    DEFAULT_MODEL,
    FLOW_CELL,
    list_models,
    list_own_models,
    own_folder,
    read_card,
    verified_bytes,
    weights_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

log = logging.getLogger(__name__)

_NEEDED = (DEFAULT_MODEL, DEFAULT_DETECTOR, FLOW_CELL)
_AGAIN = "install Steadymark again"


def check_weights(folder: Path | None = None) -> Iterator[CheckResult]:
    """Check that the shipped models are there, with the SHA-256 of their cards.

    Args:
        folder: The folder of the models; by default that of the shipped ones.
    """
    folder = folder or weights_folder()
    names = {path.stem for path in folder.glob("*.json")}
    for name in sorted(names | set(_NEEDED)):
        try:
            content = verified_bytes(read_card(folder / f"{name}.json"))
        except WeightsError as error:
            yield CheckResult("weights", name, CheckState.FAULT, str(error), _AGAIN)
        else:
            text = f"{len(content) / 1e6:.1f} MB, the SHA-256 is that of its card"
            yield CheckResult("weights", name, CheckState.OK, text)


def check_own_models() -> Iterator[CheckResult]:
    """Check the models that the user added; they are counted, not named."""
    damaged, cards = 0, list_own_models()
    for card in cards:
        try:
            verified_bytes(card)
        except WeightsError:
            damaged += 1
    if not cards:
        return
    text = f"{len(cards)} in {own_folder()}"
    if damaged:
        text += f", of which {damaged} are missing or were altered"
        advice = "see 'steadymark models', and add them again"
        yield CheckResult("weights", "models of your own", CheckState.NOTE, text, advice)
    else:
        yield CheckResult("weights", "models of your own", CheckState.OK, text)


def check_devices(*, has_driver: bool | None = None) -> Iterator[CheckResult]:
    """Run the default model on the CPU, and on the GPU if there is a driver.

    Args:
        has_driver: Whether NVIDIA's driver is installed; None finds out.
    """
    from steadymark.models.runtime import onnx_session
    from steadymark.models.runtime.onnxruntime_offline import ort

    providers = ", ".join(ort.get_available_providers())
    yield CheckResult("devices", "ONNX Runtime", CheckState.OK, f"offers {providers}")
    yield _check_device("cpu", CheckState.FAULT)
    if onnx_session.has_cuda_driver() if has_driver is None else has_driver:
        yield _check_device("cuda", CheckState.NOTE)
    else:
        text = "no driver of NVIDIA was found; networks run on the CPU"
        yield CheckResult("devices", "cuda", CheckState.OK, text)
    with suppress(metadata.PackageNotFoundError):
        yield CheckResult(
            "devices", "cluster", CheckState.OK, f"Dask {metadata.version('distributed')}"
        )


def _check_device(device: str, if_it_fails: CheckState) -> CheckResult:
    from steadymark.models.runtime.onnx_session import open_session

    card = next((card for card in list_models() if card.name == DEFAULT_MODEL), None)
    if card is None:
        return CheckResult("devices", device, if_it_fails, "there is no model to try", _AGAIN)
    try:
        open_session(card, device=device)
    except SteadymarkError as error:
        return CheckResult("devices", device, if_it_fails, str(error))
    except Exception as error:  # ONNX Runtime raises many kinds
        log.debug("opening %s", card.name, exc_info=True)
        text = f"{card.name} cannot be opened ({type(error).__name__}: {error})"
        return CheckResult("devices", device, if_it_fails, text, _AGAIN)
    return CheckResult("devices", device, CheckState.OK, f"{card.name} can be opened")
