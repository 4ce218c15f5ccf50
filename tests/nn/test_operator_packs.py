"""The operators of the StyleGAN family give the results and gradients of the golden packs."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.nn import (
    bias_act,
    conv2d_resample,
    downsample2d,
    filter2d,
    filtered_lrelu,
    fir_filter,
    modulated_conv2d,
    unit_power,
    upfirdn2d,
    upsample2d,
)
from tests.nn.operator_packs import OperatorCase, operator_cases
from tests.support.packs import packs

FILTERS = ("f", "fu", "fd", "resample_filter")  # stay float32 in the float64 cases


def stylegan2(**given: Any) -> Tensor:
    given["fused"] = given.pop("fused_modconv", None)
    return modulated_conv2d(**given)


def stylegan3(x: Tensor, w: Tensor, s: Tensor, demodulate: bool = True, **given: Any) -> Tensor:
    padding = given.pop("padding")
    padding = padding if isinstance(padding, int) else padding[::-1]  # the reference has y first here, and x first elsewhere
    w, s = unit_power(w, s) if demodulate else (w, s)
    return modulated_conv2d(x, w, s, demodulate=demodulate, padding=padding, **given)


def setup_filter(f: Any, flip_filter: bool = False, **given: Any) -> Tensor:
    return fir_filter(f, flip=flip_filter, **given)


FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "bias_act": bias_act,
    "conv2d_resample": conv2d_resample,
    "downsample2d": downsample2d,
    "filter2d": filter2d,
    "filtered_lrelu": filtered_lrelu,
    "setup_filter": setup_filter,
    "sg2": stylegan2,
    "sg3": stylegan3,
    "upfirdn2d": upfirdn2d,
    "upsample2d": upsample2d,
}
CASES = [case for path in packs("ops_") for case in operator_cases(path)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_operator_gives_the_reference_s_result_and_gradients(case: OperatorCase, dtype: torch.dtype) -> None:
    tensors = {
        name: None if tensor is None else tensor if name in FILTERS else tensor.to(dtype).requires_grad_()
        for name, tensor in case.tensors.items()
    }
    y = FUNCTIONS[case.function](**tensors, **case.arguments)
    if case.function == "setup_filter":
        case.compare({"f": y}, torch.float32)
        return
    leaves = {name: tensor for name, tensor in tensors.items() if tensor is not None and tensor.requires_grad}
    loss = (y * torch.cos(torch.arange(y.numel(), dtype=dtype)).view_as(y)).sum()
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    case.compare({"y": y} | {f"grad_{name}": g for name, g in zip(leaves, gradients, strict=True)}, dtype)


def test_there_are_cases_of_every_function() -> None:
    assert {case.function for case in CASES} >= set(FUNCTIONS)
