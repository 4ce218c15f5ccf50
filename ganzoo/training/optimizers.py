"""Optimisers from recipes: built once, their scheduled settings kept up to date."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from ganzoo import spec
from ganzoo.training.schedules import value_at


def build_optimizer(options: spec.Optimizer, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser that ``options`` describe, with its settings at the beginning of a run."""
    betas = (value_at(options.betas[0], 0, 1), value_at(options.betas[1], 0, 1))
    common: dict[str, Any] = {"lr": value_at(options.lr, 0, 1), "weight_decay": options.weight_decay}
    match options.name:
        case "adam":
            return torch.optim.Adam(parameters, betas=betas, eps=options.eps, **common)
        case "adamw":
            return torch.optim.AdamW(parameters, betas=betas, eps=options.eps, **common)
        case "rmsprop":
            return torch.optim.RMSprop(parameters, momentum=betas[0], alpha=betas[1], eps=options.eps, **common)
        case "sgd":
            return torch.optim.SGD(parameters, momentum=betas[0], **common)


def follow_schedule(
    optimizer: torch.optim.Optimizer, options: spec.Optimizer, images: int, total: int, *, steps: float = 1.0
) -> None:
    """Sets learning rate and decays to what they are after ``images`` of ``total``.

    Args:
        optimizer: What `build_optimizer` made of ``options``.
        options: The settings.
        images: Real images shown so far.
        total: Real images in the whole run.
        steps: Optimiser steps for each update of the network: more than one where lazy regularisers take steps of their own.
            The rate is divided by it and the decays are taken to its inverse as power, so that an update moves the network and
            its moments as far as one step would (Karras et al. 2020b, app. B; ``c = k / (k + 1)`` there).
    """
    lr = value_at(options.lr, images, total) / steps
    betas = tuple(value_at(beta, images, total) ** (1 / steps) for beta in options.betas)
    for group in optimizer.param_groups:
        group["lr"] = lr
        if "betas" in group:
            group["betas"] = betas
        else:
            group["momentum"] = betas[0]
            if "alpha" in group:
                group["alpha"] = betas[1]


def portable_state(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Per-parameter tensors with string keys; the settings come from the recipe again."""
    return {str(index): dict(values) for index, values in optimizer.state_dict()["state"].items()}


def load_portable_state(optimizer: torch.optim.Optimizer, values: Mapping[str, Mapping[str, Any]]) -> None:
    """Takes up what `portable_state` gave."""
    whole = optimizer.state_dict()
    whole["state"] = {int(index): dict(each) for index, each in values.items()}
    optimizer.load_state_dict(whole)
