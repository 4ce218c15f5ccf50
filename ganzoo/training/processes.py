"""The processes that play one game together: one alone, or several started by ``accelerate launch`` or ``torchrun``.

Every process holds the whole networks and an equal share of each batch. Random numbers are drawn for the whole batch
everywhere (`ganzoo.training.draws`), gradients are averaged, and so all of them stay equal.
"""

import atexit
import os
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.errors import MissingExtraError
from ganzoo.models.devices import resolve_device


class Processes:
    """This process among those that train together.

    Attributes:
        count: How many there are.
        rank: Which one this is, from 0.
        device: Where it computes.
    """

    count = 1
    rank = 0

    def __init__(self, device: str | None = None) -> None:
        self.device = resolve_device(device)

    @property
    def main(self) -> bool:
        """Whether this process writes the files and talks to people."""
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """The mean of ``values`` over all processes."""
        return values

    def total(self, values: Tensor) -> Tensor:
        """The sum of ``values`` over all processes."""
        return values

    def gather(self, value: Tensor) -> Tensor:
        """``[count, *shape]``: the value of every process."""
        return value[None]

    def random_state(self) -> dict[str, Tensor]:
        """Torch's own random state of every process, on the CPU and on the device: what dropout draws from."""
        found = {"torch": self.gather(torch.get_rng_state())}
        if self.device.type == "cuda":
            found["cuda"] = self.gather(torch.cuda.get_rng_state(self.device))
        return found

    def restore_random_state(self, state: Mapping[str, Tensor]) -> None:
        """Takes up what `random_state` gave; of fewer processes, the last one's counts for those that were not there."""
        mine = {name: each[min(self.rank, len(each) - 1)] for name, each in state.items()}
        torch.set_rng_state(mine["torch"])
        if "cuda" in mine and self.device.type == "cuda":
            torch.cuda.set_rng_state(mine["cuda"], self.device)

    def wait(self) -> None:
        """Until all processes are here."""

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replaces gradients by their means over all processes."""

    def average_buffers(self, networks: Iterable[nn.Module]) -> None:
        """Replaces floating-point buffers (running statistics) by their means over all processes."""


class _Several(Processes):
    """Several processes, connected by accelerate."""

    def __init__(self, device: str | None = None) -> None:
        try:
            from accelerate import PartialState
            from accelerate.utils import reduce
        except ImportError as e:
            raise MissingExtraError("Training on several processes", "accelerate", "distributed") from e
        state = PartialState(cpu=device in (None, "cpu"))
        atexit.register(_leave)
        self._state, self._reduce = state, reduce
        self.count, self.rank, self.device = state.num_processes, state.process_index, state.device

    def mean(self, values: Tensor) -> Tensor:
        averaged: Tensor = self._reduce(values.clone(), reduction="mean")
        return averaged

    def total(self, values: Tensor) -> Tensor:
        summed: Tensor = self._reduce(values.clone(), reduction="sum")
        return summed

    def gather(self, value: Tensor) -> Tensor:
        from accelerate.utils import gather

        gathered: Any = gather(value[None].to(self.device))
        return torch.as_tensor(gathered).cpu()

    def wait(self) -> None:
        self._state.wait_for_everyone()

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        self._average([p.grad for p in parameters if p.grad is not None])

    def average_buffers(self, networks: Iterable[nn.Module]) -> None:
        self._average([b for network in networks for b in network.buffers() if b.is_floating_point()])

    def _average(self, tensors: list[Tensor]) -> None:
        """One exchange for all of them."""
        if not tensors:
            return
        flat = self.mean(torch.cat([t.detach().reshape(-1).float() for t in tensors]))
        for tensor, mean in zip(tensors, torch.split(flat, [t.numel() for t in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))


def _leave() -> None:
    """Ends the connection while Python still runs: threads of it that outlive Python abort the process, now and then."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def processes(device: str | None = None) -> Processes:
    """This process alone, or among those that a launcher started with it.

    Args:
        device: Its name; with several processes the launcher decides, except that ``cpu`` and None stay on the CPU.

    Raises:
        MissingExtraError: there are several processes, and accelerate is not installed.
        InvalidValueError: no such device here.
    """
    return _Several(device) if int(os.environ.get("WORLD_SIZE", "1")) > 1 else Processes(device)
