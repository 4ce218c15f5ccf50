"""The adversarial game: two networks, their optimisers, the average of the generator, and one step of play.

The engine knows nothing of files, folders and terminals. Everything that decides its future is in its state, so that a restored
engine goes on bit by bit as the one that was saved.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo import spec
from ganzoo.data import Pictures, ShuffledBatches
from ganzoo.errors import TrainingError
from ganzoo.models import Discriminator, Generator
from ganzoo.training.augment import augmentations
from ganzoo.training.ema import average_of, update_average
from ganzoo.training.losses import find_loss
from ganzoo.training.penalties import r1_penalty


@dataclass(frozen=True)
class Progress:
    """What one step did, averaged over its discriminator updates. Logits are means over the batch.

    Attributes:
        images: Real images shown since the beginning of the run.
        d_loss: What the discriminator minimised, penalties included.
        g_loss: What the generator minimised.
        d_real: Logit of real images.
        d_fake: Logit of generated images.
    """

    images: int
    d_loss: float
    g_loss: float
    d_real: float
    d_fake: float


class Engine:
    """Plays a recipe.

    Args:
        generator: Is trained in place.
        discriminator: Is trained in place.
        pictures: Real images, uint8 ``[N, C, H, W]``.
        recipe: What to do.
        seed: Of the order of the pictures, of latents and augmentations, and of whatever the networks draw themselves.
        device: Where the networks are.
    """

    def __init__(
        self,
        generator: Generator[Any],
        discriminator: Discriminator,
        pictures: Pictures,
        recipe: spec.Recipe,
        *,
        seed: int,
        device: torch.device,
    ) -> None:
        self.recipe, self.pictures, self.device = recipe, pictures, device
        self.generator = generator.train()
        self.discriminator = discriminator.train()
        self.average = average_of(generator)
        self.optimizers = {
            "generator": _adam(generator, recipe.generator),
            "discriminator": _adam(discriminator, recipe.discriminator),
        }
        self.batches = ShuffledBatches(len(pictures), recipe.batch_size, seed)
        self.rng = torch.Generator().manual_seed(seed)
        self.images = 0
        self._loss = find_loss(recipe.loss)
        self._augment = augmentations(recipe.augment)

    @property
    def images_per_step(self) -> int:
        """Real images that one step shows to the discriminator."""
        return self.recipe.batch_size * self.recipe.discriminator_steps

    def step(self) -> Progress:
        """Updates the discriminator as often as the recipe says, then the generator and its average once.

        Raises:
            TrainingError: a loss that is not finite. The networks are not updated by it.
        """
        updates = [self._update_discriminator() for _ in range(self.recipe.discriminator_steps)]
        g_loss = self._update_generator()
        self.images += self.images_per_step
        update_average(
            self.average,
            self.generator,
            half_life=self.recipe.ema_images,
            shown=self.images_per_step,
            images=self.images,
        )
        d_loss, d_real, d_fake = torch.tensor(updates).mean(0).tolist()
        return Progress(self.images, d_loss, g_loss, d_real, d_fake)

    def _update_discriminator(self) -> tuple[float, float, float]:
        real = self._augment(self._real(), self.rng).requires_grad_(self.recipe.r1_gamma > 0)
        with torch.no_grad():
            fake = self._augment(self.generator(self._latents()), self.rng)
        on_real, on_fake = self.discriminator(real), self.discriminator(fake)
        loss = self._loss.discriminator(on_real, on_fake, self.recipe.label_smoothing)
        if self.recipe.r1_gamma:
            loss = loss + r1_penalty(on_real, real, self.recipe.r1_gamma)
        value = self._descend("discriminator", loss)
        return value, float(on_real.detach().mean()), float(on_fake.detach().mean())

    def _update_generator(self) -> float:
        self.discriminator.requires_grad_(False)
        try:
            fake = self._augment(self.generator(self._latents()), self.rng)
            return self._descend("generator", self._loss.generator(self.discriminator(fake)))
        finally:
            self.discriminator.requires_grad_(True)

    def _descend(self, role: str, loss: Tensor) -> float:
        value = float(loss.detach())
        if not math.isfinite(value):
            raise TrainingError(
                f"The {role}'s loss became {value} after {self.images} images.",
                hint="Usual remedies: a lower learning rate (--set generator.lr=1e-4 --set discriminator.lr=1e-4) or "
                "--set r1_gamma=1.",
            )
        optimizer = self.optimizers[role]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return value

    def _real(self) -> Tensor:
        """The next batch of real images, float32 in [-1, 1]."""
        return self.pictures[next(self.batches)].to(self.device).float().div_(127.5).sub_(1.0)

    def _latents(self) -> Tensor:
        """Drawn on the CPU one by one, as `Generator.sample` does: the family decides on the distribution."""
        rows = [self.generator.draw_latent(self.rng) for _ in range(self.recipe.batch_size)]
        return torch.stack(rows).to(self.device)

    def networks(self) -> dict[str, nn.Module]:
        """What a checkpoint holds as safetensors, by the stem of its file."""
        return {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}

    def state(self) -> dict[str, Any]:
        """Everything else that decides the future: tensors and JSON values in nested dictionaries."""
        state: dict[str, Any] = {
            "images": self.images,
            "sampler": dict(self.batches.state_dict()),
            "rng": {"run": self.rng.get_state(), "torch": torch.get_rng_state()},
            "optimizers": {role: _portable(optimizer) for role, optimizer in self.optimizers.items()},
        }
        if self.device.type == "cuda":
            state["rng"]["cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up ``state``; the networks are loaded separately.

        Raises:
            KeyError: something is missing.
            DataError: the state belongs to another number of pictures.
        """
        self.images = state["images"]
        self.batches.load_state_dict(state["sampler"])
        self.rng.set_state(state["rng"]["run"])
        torch.set_rng_state(state["rng"]["torch"])
        if "cuda" in state["rng"] and self.device.type == "cuda":
            torch.cuda.set_rng_state(state["rng"]["cuda"], self.device)
        for role, optimizer in self.optimizers.items():
            _load_portable(optimizer, state["optimizers"][role])


def _adam(network: nn.Module, options: spec.Optimizer) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        network.parameters(), lr=options.lr, betas=options.betas, eps=options.eps, weight_decay=options.weight_decay
    )


def _portable(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Per-parameter tensors with string keys; the settings come from the recipe again."""
    return {str(index): dict(values) for index, values in optimizer.state_dict()["state"].items()}


def _load_portable(optimizer: torch.optim.Optimizer, values: Mapping[str, Mapping[str, Any]]) -> None:
    whole = optimizer.state_dict()
    whole["state"] = {int(index): dict(each) for index, each in values.items()}
    optimizer.load_state_dict(whole)
