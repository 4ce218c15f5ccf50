"""Devices and dtypes by name."""

import difflib

import torch

from ganzoo.errors import InvalidValueError

DTYPES = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "float64": torch.float64,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
    "fp64": torch.float64,
}


def resolve_device(device: str | torch.device | None) -> torch.device:
    """The device named ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ``xpu`` or ``auto`` (the accelerator if there is one).

    None is the CPU, so that the same line gives the same numbers everywhere.

    Raises:
        InvalidValueError: no such device, or none on this machine.
    """
    if device is None:
        return torch.device("cpu")
    if device == "auto":
        return accelerator() or torch.device("cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as e:
        available = ", ".join(["auto", "cpu", *accelerators()])
        raise InvalidValueError(
            f"The device '{device}' cannot be used on this machine.", hint=f"Available here: {available}."
        ) from e
    if resolved.type == "meta":
        raise InvalidValueError("The device 'meta' holds no data; weights cannot be loaded there.")
    return resolved


def resolve_dtype(dtype: str | torch.dtype | None) -> torch.dtype | None:
    """The floating-point dtype of that name (``float32`` or ``fp32`` …); None stays None.

    Raises:
        InvalidValueError: no such dtype, or not a floating-point one.
    """
    if dtype is None:
        return None
    if isinstance(dtype, torch.dtype) and dtype.is_floating_point:
        return dtype
    found = DTYPES.get(str(dtype).removeprefix("torch."))
    if found is None:
        close = difflib.get_close_matches(str(dtype), DTYPES, n=2)
        names = " or ".join(close) if close else ", ".join(DTYPES)
        raise InvalidValueError(f"'{dtype}' is no floating-point dtype that ganzoo knows.", hint=f"Use {names}.")
    return found


def accelerator() -> torch.device | None:
    """The kind of accelerator that this machine has, or None."""
    # A build of torch for CUDA names its accelerator on a machine without one, too.
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None


def accelerators() -> list[str]:
    """Every accelerator of this machine by name, e.g. ``cuda:0``."""
    kind = accelerator()
    return [] if kind is None else [f"{kind.type}:{i}" for i in range(torch.accelerator.device_count())]
