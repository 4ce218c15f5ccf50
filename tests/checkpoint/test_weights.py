"""Weights that are NaN are told, and only those."""

import pytest
import torch

from ganzoo.checkpoint.weights import refuse_nan
from ganzoo.errors import CheckpointError

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.float8_e4m3fn]


@pytest.mark.parametrize("dtype", FLOATS)
def test_nan_is_found_in_every_dtype(dtype: torch.dtype) -> None:
    values = torch.arange(300.0).remainder(7)
    refuse_nan({"a": values.to(dtype)}, "x")
    values[[4, 90]] = float("nan")
    with pytest.raises(CheckpointError, match=r"^The file .*NaN\): 'a' \(2 of 300\)\. .*"):
        refuse_nan({"fine": torch.ones(3), "a": values.to(dtype)}, "The file")


def test_what_is_large_or_infinite_passes() -> None:
    masks = torch.tensor([float("inf"), float("-inf"), 1.0])  # their sum is NaN
    large = torch.full((1000,), 3e38)  # their sum overflows
    half = torch.full((70_000,), 60_000.0, dtype=torch.float16)
    whole = {
        "ids": torch.arange(4),
        "flags": torch.tensor([True]),
        "empty": torch.zeros(0),
        "meta": torch.ones(2, device="meta"),
    }
    refuse_nan({"masks": masks, "large": large, "half": half, **whole}, "x")


def test_many_are_counted_and_a_name_cannot_paint_the_terminal() -> None:
    state = {f"layer\x1b.{i}": torch.tensor(float("nan")) for i in range(5)}
    with pytest.raises(CheckpointError, match=r"layer\\x1b\.2' \(1 of 1\) and 2 more tensors.*\n.*allow_nan=True"):
        refuse_nan(state, "x")
