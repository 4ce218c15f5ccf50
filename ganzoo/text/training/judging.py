"""How the discriminator of a text GAN learns: real sentences against a pool of generated ones that is renewed now and then."""

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from msgspec import Meta
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.spec import Declaration, Name, Optimizer, PositiveInt, Role, TextRecipe
from ganzoo.text.training.ground import Ground
from ganzoo.text.training.phase import TextPhase
from ganzoo.training.losses import AdversarialLoss
from ganzoo.training.parts import find
from ganzoo.training.player import Player


class Judging(Declaration, frozen=True, kw_only=True):
    """How the discriminator learns.

    Attributes:
        discriminator: The optimiser; the recipe's unless given.
        loss: Name of the adversarial loss whose discriminator's side is descended.
        pool: Generated sentences that are made at once; a batch unless given.
        epochs: How often each of them is shown before fresh ones are made.
        output_penalty: Half the squared norm of the discriminator's last layer, its ``output``, is added to the loss times
            this (0.2 in the code of Yu et al. 2017).
    """

    discriminator: Optimizer | None = None
    loss: Name = "non-saturating"
    pool: PositiveInt | None = None
    epochs: PositiveInt = 1
    output_penalty: Annotated[float, Meta(ge=0)] = 0.0


class Pool:
    """Generated sentences, shown batch by batch; fresh ones are made when each has been shown ``epochs`` times.

    Args:
        ground: Makes them.
        size: How many, over all processes.
        epochs: How often each is shown.
    """

    def __init__(self, ground: Ground, size: int, epochs: int) -> None:
        self._ground, self._epochs = ground, epochs
        self._size = -(-size // ground.recipe.batch_size) * ground.rows  # whole batches, this process's part of them
        self._sentences: Tensor | None = None
        self._shown = 0

    def next_batch(self) -> Tensor:
        """This process's rows of the next batch, int64 ``[rows, T]``."""
        if self._sentences is None or self._shown == self._size * self._epochs:
            self._sentences, self._shown = self._ground.generate(self._size), 0
        start = self._shown % self._size
        self._shown += self._ground.rows
        return self._sentences[start : start + self._ground.rows]

    def drop(self) -> None:
        """Makes fresh ones at the next call: the generator has moved."""
        self._sentences = None

    def state(self) -> dict[str, Any]:
        """The sentences of all processes, and how many of them were shown."""
        if self._sentences is None:
            return {"shown": 0}
        return {"shown": self._shown, "sentences": self._ground.processes.gather(self._sentences)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        self._shown = state["shown"]
        every = state.get("sentences")
        self._sentences = None if every is None else every[self._ground.processes.rank].to(self._ground.device)


class Judge:
    """The discriminator as it learns in a phase.

    Args:
        phase: Whose player it is.
        options: How it learns.
    """

    def __init__(self, phase: TextPhase[Any], options: Judging) -> None:
        self.ground = phase.ground
        self.player = phase.player("discriminator", self.ground.discriminator)
        self.pool = Pool(self.ground, options.pool or self.ground.recipe.batch_size, options.epochs)
        self._loss: AdversarialLoss = find("loss", options.loss)
        self._penalty, self._output = options.output_penalty, getattr(self.ground.discriminator, "output", None)
        if self._penalty and not isinstance(self._output, nn.Module):
            raise ConfigError(
                f"{type(self.ground.discriminator).__name__} has no layer `output` that output_penalty could weigh.",
                hint="Set output_penalty=0.",
            )

    def update(self) -> dict[str, float]:
        """One update on a batch of real and a batch of generated sentences."""
        real, fake = self.ground.real(), self.pool.next_batch()
        scores = self.ground.discriminator(torch.cat([real, fake]))
        on_real, on_fake = scores.split(len(real))
        value = self.player.descend([self._loss.discriminator(on_real, on_fake, 0.0) + self._weight_penalty()])
        means = self.ground.processes.mean(torch.stack([on_real.detach().mean(), on_fake.detach().mean()])).tolist()
        return {"d_loss": value, "d_real": means[0], "d_fake": means[1]}

    def _weight_penalty(self) -> Tensor | float:
        if not self._penalty or self._output is None:
            return 0.0
        squares = [parameter.square().sum() for parameter in self._output.parameters()]
        return self._penalty * 0.5 * torch.stack(squares).sum()


class DiscriminatorPhase(TextPhase[Judging]):
    """Trains the discriminator alone, so that the adversarial phase begins with one that knows something."""

    Options = Judging

    def __init__(self, ground: Ground, steps: int, options: Judging) -> None:
        super().__init__(ground, steps, options)
        self._judge = Judge(self, options)

    @classmethod
    def check(cls, name: str, options: Judging, recipe: TextRecipe) -> None:
        """See `TextPhase.check`."""
        super().check(name, options, recipe)
        check_judging(name, options)

    @classmethod
    def sentences_per_step(cls, options: Judging, recipe: TextRecipe) -> int:
        """A batch of real and one of generated sentences."""
        return 2 * recipe.batch_size

    @classmethod
    def needs_discriminator(cls, options: Judging) -> bool:
        """Yes."""
        return True

    def step(self) -> dict[str, float]:
        """One update."""
        self._judge.player.follow(self.done)
        figures = self._judge.update()
        self.done += 1
        return figures

    def players(self) -> dict[Role, Player]:
        """The discriminator."""
        return {"discriminator": self._judge.player}

    def state(self) -> dict[str, Any]:
        """Also the pool."""
        return {**super().state(), "pool": self._judge.pool.state()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up what `state` gave."""
        super().restore(state)
        self._judge.pool.restore(state["pool"])


def check_judging(name: str, options: Judging) -> None:
    """Refuses a loss that does not exist, or that a text discriminator cannot use.

    Raises:
        ConfigError: its logits say nothing by their sign.
        UnknownNameError: there is no such loss.
    """
    loss: AdversarialLoss = find("loss", options.loss)
    if not loss.zero_centred:
        raise ConfigError(
            f"phases.{name}.options.loss: the logits of '{loss.name}' are no probabilities, which the rewards need.",
            hint="Take non-saturating or hinge.",
        )
