"""Where tensors are. The only file that names devices: stages, learner and decode loop ask here.

    model, adapter added ──► placed(model, device) ──► where(model) ──► moved(batch, ...), scope(...), host(...)

A crew of threads is the processor's way to compute; another device computes rows by itself. What was run on which
device is in docs/scale.md.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields
from typing import Any, TypeVar

import torch
from torch import Tensor

from autotelic.errors import ModelError
from autotelic.types import Batch

NAMES = ("auto", "cpu", "cuda", "mps")
"""What `--device` may be. `auto` takes the first of cuda, mps and cpu that torch has here."""
_FUSED = ("cpu", "cuda", "mps")
"""Types of device whose AdamW torch has as one kernel."""
Model = TypeVar("Model", bound=torch.nn.Module)


def device_of(name: str) -> torch.device:
    """The device of a name. Raises ModelError where torch has none of it here."""
    has: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    if name == "auto":
        name = next(kind for kind, there in has.items() if there())
    if name not in has:
        raise ModelError(f"device = {name!r} is not known", f"give one of {', '.join(NAMES)}")
    if not has[name]():
        built = f"torch {torch.__version__}"
        fix = "install a build of torch for it and its driver, or give --device cpu"
        raise ModelError(f"--device {name}: {built} finds no such device here", fix)
    return torch.device(name)


def placed(model: Model, device: torch.device) -> Model:
    """The model, moved; where it is there already, as it is."""
    return model if where(model) == device else model.to(device)


def where(model: torch.nn.Module) -> torch.device:
    """The device of a model's weights."""
    return next(model.parameters()).device


def scope(device: torch.device) -> AbstractContextManager[Any]:
    """Within it, tensors that are made are made there. On the processor it costs nothing."""
    return nullcontext() if device.type == "cpu" else device


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch there: itself where it is there already. From pinned memory where that is quicker."""
    if batch.ids_BT.device == device:
        return batch
    pin = device.type == "cuda"
    tensors = {f.name: getattr(batch, f.name) for f in fields(batch)}
    return Batch(
        **{n: (t.pin_memory() if pin else t).to(device, non_blocking=pin) for n, t in tensors.items()}
    )


def host(tensor: Tensor) -> Tensor:
    """The tensor where Python and numpy can read it."""
    return tensor.cpu()


def threads_of(device: torch.device, threads: int) -> int:
    """How many threads compute: those that were asked for on the processor, one beside another device."""
    return threads if device.type == "cpu" else 1


def fused(device: torch.device) -> bool:
    """Whether AdamW steps all parameters there in one kernel."""
    return device.type in _FUSED


def most_memory(device: torch.device) -> int:
    """The most bytes held at once so far: of the device where it counts them, else of this process."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    if device.type == "mps":
        return int(torch.mps.driver_allocated_memory())
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def advice(device: torch.device) -> str:
    """What else helps where memory ran out there; begins with a comma, or is empty."""
    if device.type == "cuda":
        return ", or see with `nvidia-smi` who else holds memory of this GPU, or take one with more"
    if device.type == "mps":
        return ", or end other programs: a Mac's GPU shares its memory with them; or give --device cpu"
    return ""
