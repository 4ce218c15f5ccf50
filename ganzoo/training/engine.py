"""The adversarial game: two players, the average of the generator, and one step of play.

The engine knows nothing of files, folders and terminals. Everything that decides its future is in its state, so that a restored
engine goes on bit by bit as the one that was saved.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo import spec
from ganzoo.data import Examples, Feed, ShuffledBatches
from ganzoo.errors import ConfigError
from ganzoo.models import Discriminator, Generator, Judgement, Samples
from ganzoo.models.seeds import sample_seeds
from ganzoo.spec import Json, Role
from ganzoo.training.constraints import constraints_of, plain_state_dict
from ganzoo.training.draws import Draws
from ganzoo.training.ema import Average
from ganzoo.training.freezing import frozen
from ganzoo.training.game import Progress
from ganzoo.training.losses import AdversarialLoss, top_k_scores
from ganzoo.training.parts import find
from ganzoo.training.player import Player, Term, terms_of
from ganzoo.training.processes import Processes
from ganzoo.training.schedules import value_at
from ganzoo.training.turns import DiscriminatorTurn, GeneratorTurn
from ganzoo.training.view import View

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Engine:
    """Plays an adversarial recipe: a `ganzoo.training.game.Game`.

    The figures of a step are its losses (the discriminator's with the penalties of every update), the mean logits, the
    penalties by name before their weight, and the augmentation's probability as ``augment_p`` where there is one.

    Args:
        generator: Is trained in place.
        discriminator: Is trained in place.
        examples: Real examples: uint8 pictures ``[B, C, H, W]``, or numbers as the generator makes them.
        recipe: What to do.
        seed: Of the order of the examples, of latents and augmentations, and of whatever the networks draw themselves.
        processes: Who trains together, and where.
        labels: Class of each example, int64 ``[N]``; needed where a network is conditional.

    Raises:
        ConfigError: settings that contradict each other or do not fit these networks.
    """

    def __init__(
        self,
        generator: Generator[Any],
        discriminator: Discriminator,
        examples: Examples,
        recipe: spec.Recipe,
        *,
        seed: int,
        processes: Processes | None = None,
        labels: Tensor | None = None,
    ) -> None:
        self.recipe, self.labels = recipe, labels
        self.processes = Processes() if processes is None else processes
        self.device = self.processes.device
        self.shares = self.processes.count * recipe.accumulate
        _check(recipe, self.shares, generator, discriminator, labels)
        layout = torch.channels_last if recipe.channels_last else torch.preserve_format
        self.generator = generator.to(self.device).to(memory_format=layout).train()
        self.discriminator = discriminator.to(self.device).to(memory_format=layout).train()
        self.average = Average(self.generator)
        freeze_layers(self.discriminator, recipe.freeze_layers)
        self.constraints = constraints_of(recipe.constraints)
        for constraint in self.constraints:
            constraint.apply(self.discriminator)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.precision == "float16")
        self.players = {
            "generator": self._player("generator", self.generator, recipe.generator),
            "discriminator": self._player("discriminator", self.discriminator, recipe.discriminator),
        }
        self.view = View(recipe, self.processes)
        self.feed = Feed(
            examples,
            ShuffledBatches(len(examples), recipe.batch_size, seed),
            device=self.device,
            shares=self.processes.count,
            share=self.processes.rank,
        )
        self.rng = torch.Generator().manual_seed(seed)
        self.images = 0
        self.rollbacks = 0
        self._seed = seed
        self._loss: AdversarialLoss = find("loss", recipe.loss)
        self._log: dict[str, list[Tensor | float]] = {}
        if recipe.compile:
            self._compile()

    @property
    def total(self) -> int:
        """Real examples of the whole run."""
        return self.recipe.images

    @property
    def unit(self) -> str:
        """What the examples are."""
        return "points" if self.generator.modality == "vector" else "images"

    @property
    def finished_generator(self) -> Generator[Any]:
        """The moving average."""
        return self.average.generator

    @property
    def images_per_step(self) -> int:
        """Real examples that one step shows to the discriminator."""
        return self.recipe.batch_size * self.recipe.discriminator_steps

    def step(self) -> Progress:
        """Updates the discriminator as often as the recipe says, then the generator and its average once.

        Raises:
            TrainingError: a loss that is not finite. The network is not updated by it.
        """
        self._log = {}
        self.view.follow(self.images)
        for player in self.players.values():
            player.follow(self.images)
        for _ in range(self.recipe.discriminator_steps):
            real, c_real = self._real_batch()
            self._update_discriminator(real, c_real)
        self._update_generator(real, c_real)
        self.images += self.images_per_step
        half_life = value_at(self.recipe.ema_images, self.images, self.recipe.images)
        self.average.update(
            self.generator, half_life=half_life, ramp=self.recipe.ema_ramp, shown=self.images_per_step, images=self.images
        )
        return self._progress()

    # --- the discriminator's turn -------------------------------------------------------------------------------------

    def _update_discriminator(self, real: Tensor, c_real: Tensor | None) -> None:
        player = self.players["discriminator"]
        scores: list[Tensor] = []
        self._note("d_loss", player.descend(self._discriminate(player, real, c_real, scores)))
        self.view.observe(scores)
        for constraint in self.constraints:
            constraint.after_step(self.discriminator)
        if player.due:
            player.descend(self._penalise_discriminator(player, real, c_real))
            for constraint in self.constraints:
                constraint.after_step(self.discriminator)
        player.updates += 1

    def _discriminate(self, player: Player, real: Tensor, c_real: Tensor | None, scores: list[Tensor]) -> Iterator[Tensor]:
        """The loss of each piece; the logits of its real examples go to ``scores``."""
        for turn in self._discriminator_turns(player, player.every_time, real, c_real):
            with self._autocast():
                loss = self._loss.discriminator(turn.real_scores, turn.fake_scores, self.recipe.label_smoothing)
                loss = loss + self._classes(turn.real_judgement, turn.c_real) + self._classes(turn.fake_judgement, turn.c_fake)
                for term in player.every_time:
                    loss = loss + self._weigh(term, term.part.penalty(turn))
            self._note("d_real", turn.real_scores.detach().mean())
            self._note("d_fake", turn.fake_scores.detach().mean())
            scores.append(turn.real_scores.detach())
            yield loss / self.recipe.accumulate

    def _penalise_discriminator(self, player: Player, real: Tensor, c_real: Tensor | None) -> Iterator[Tensor]:
        for turn in self._discriminator_turns(player, player.due, real, c_real):
            with self._autocast():
                loss = sum_of(self._weigh(term, term.part.penalty(turn)) for term in player.due)
            yield loss / self.recipe.accumulate

    def _discriminator_turns(
        self, player: Player, terms: list[Term], real: Tensor, c_real: Tensor | None
    ) -> Iterator[DiscriminatorTurn]:
        for draws, rows in self._pieces(len(real)):
            c = self._fake_classes(c_real, rows)
            yield DiscriminatorTurn(
                self.discriminator,
                real[rows],
                partial(self._generated, self._latents(draws, rows), c),
                c_real=None if c_real is None else c_real[rows],
                c_fake=c,
                augment=self.view(draws),
                draws=draws,
                gradients=player.gradients_of(terms),
                images=self.images,
            )

    # --- the generator's turn -----------------------------------------------------------------------------------------

    def _update_generator(self, real: Tensor, c_real: Tensor | None) -> None:
        player = self.players["generator"]
        with frozen(self.discriminator):
            self._note("g_loss", player.descend(self._deceive(player, real, c_real)))
            if player.due:
                player.descend(self._penalise_generator(player, real, c_real))
        player.updates += 1

    def _deceive(self, player: Player, real: Tensor, c_real: Tensor | None) -> Iterator[Tensor]:
        share = value_at(self.recipe.top_k, self.images, self.recipe.images)
        for turn in self._generator_turns(real, c_real):
            with self._autocast():
                scores = turn.fake_scores if share >= 1 else top_k_scores(turn.fake_scores, share)
                loss = self._loss.generator(scores, turn.real_scores if self._loss.compares else None)
                loss = loss + self._classes(turn.fake_judgement, turn.c)
                for term in player.every_time:
                    loss = loss + self._weigh(term, term.part.penalty(turn))
            yield loss / self.recipe.accumulate

    def _penalise_generator(self, player: Player, real: Tensor, c_real: Tensor | None) -> Iterator[Tensor]:
        for turn in self._generator_turns(real, c_real):
            with self._autocast():
                loss = sum_of(self._weigh(term, term.part.penalty(turn)) for term in player.due)
            yield loss / self.recipe.accumulate

    def _generator_turns(self, real: Tensor, c_real: Tensor | None) -> Iterator[GeneratorTurn]:
        for draws, rows in self._pieces(len(real)):
            yield GeneratorTurn(
                self.generator,
                self.discriminator,
                self._latents(draws, rows),
                c=self._fake_classes(c_real, rows),
                plain_real=real[rows],
                c_real=None if c_real is None else c_real[rows],
                augment=self.view(draws),
                draws=draws,
                images=self.images,
            )

    # --- what both need -----------------------------------------------------------------------------------------------

    def _weigh(self, term: Term, penalty: Tensor) -> Tensor:
        self._note(term.name, penalty.detach())
        return penalty * (term.weight * term.options.every)

    def _classes(self, judgement: Judgement, c: Tensor | None) -> Tensor | float:
        """The loss of the auxiliary classifier, where there is one (Odena et al. 2017, eq. 3)."""
        if judgement.class_logits is None or c is None:
            return 0.0
        return self.recipe.classifier_weight * F.cross_entropy(judgement.class_logits, c)

    def _real_batch(self) -> tuple[Tensor, Tensor | None]:
        """This process's rows of the next batch of real examples, and their classes."""
        indices, examples = self.feed.next_batch()
        if examples.dtype == torch.uint8:
            examples = examples.float().div_(127.5).sub_(1.0)
        if self.recipe.channels_last and examples.dim() == 4:
            examples = examples.contiguous(memory_format=torch.channels_last)
        return examples, None if self.labels is None else self.labels[indices].to(self.device)

    def _pieces(self, rows: int) -> Iterator[tuple[Draws, slice]]:
        """The pieces of this process's rows, each with draws that begin where those of the first began."""
        count = self.recipe.accumulate
        size = rows // count
        before = self.rng.get_state() if count > 1 else None
        for piece in range(count):
            if before is not None:
                self.rng.set_state(before)
            share = self.processes.rank * count + piece
            yield Draws(self.rng, shares=self.shares, share=share), slice(piece * size, (piece + 1) * size)

    def _latents(self, draws: Draws, rows: slice) -> Tensor:
        return draws.latents(self.generator.draw_latent, rows.stop - rows.start, device=self.device)

    def _fake_classes(self, c_real: Tensor | None, rows: slice) -> Tensor | None:
        """Those of the real examples: as frequent, and what a loss compares in pairs is of one class (Huang et al. 2024)."""
        return None if c_real is None or not self.generator.num_classes else c_real[rows]

    def _generated(self, z: Tensor, c: Tensor | None) -> Tensor:
        with torch.no_grad(), self._autocast():
            output: Tensor = self.generator(z) if c is None else self.generator(z, c)
        return output

    def _autocast(self) -> AbstractContextManager[Any]:
        precision = self.recipe.precision
        return torch.autocast(self.device.type, dtype=_DTYPES[precision], enabled=precision != "float32")

    def _player(self, role: Role, network: nn.Module, options: spec.Optimizer) -> Player:
        terms = terms_of(self.recipe, role)
        return Player(
            role, network, options, total=self.recipe.images, processes=self.processes, terms=terms, scaler=self.scaler
        )

    def _compile(self) -> None:
        """In place, so that state dicts keep their keys. What is differentiated twice cannot be compiled (torch 2.14)."""
        for player in self.players.values():
            if not any(term.part.second_order for term in player.terms):
                player.network.compile()

    def _note(self, name: str, value: Tensor | float) -> None:
        self._log.setdefault(name, []).append(value)

    def _progress(self) -> Progress:
        names = list(self._log)
        local = torch.stack([torch.stack([torch.as_tensor(v, device=self.device) for v in self._log[n]]).mean() for n in names])
        means = dict(zip(names, self.processes.mean(local).tolist(), strict=True))
        main = {name: means.pop(name) for name in ("d_loss", "g_loss", "d_real", "d_fake")}
        return Progress(self.images, {**main, **means, **self.view.figures()})

    # --- what there is to see -----------------------------------------------------------------------------------------

    def grid(self, seeds: Sequence[int]) -> Samples:
        """Samples of the average; a conditional generator shows one class after the other."""
        generator = self.average.generator
        options: dict[str, Any] = {"c": torch.arange(len(seeds)) % generator.num_classes} if generator.num_classes else {}
        return cast(Samples, generator.sample(seeds=seeds, **options))

    # --- what a checkpoint holds --------------------------------------------------------------------------------------

    def synchronise(self) -> None:
        """Makes running statistics equal in all processes: each has seen its own share."""
        self.processes.average_buffers([self.generator, self.discriminator, self.average.generator])

    def networks(self) -> dict[str, nn.Module]:
        """What a checkpoint holds as safetensors, by the stem of its file."""
        return {"generator": self.generator, "discriminator": self.discriminator, "average": self.average.generator}

    def configs(self) -> dict[Role, dict[str, Json]]:
        """The networks' constructor arguments."""
        return {"generator": self.average.generator.config, "discriminator": self.discriminator.config}

    def model_states(self) -> dict[Role, dict[str, Tensor]]:
        """State dicts of the finished model: the average, and the discriminator without its constraints."""
        return {
            "generator": self.average.generator.state_dict(),
            "discriminator": plain_state_dict(self.discriminator, self.constraints),
        }

    def state(self) -> dict[str, Any]:
        """Everything else that decides the future: tensors and JSON values in nested dictionaries."""
        return {
            "images": self.images,
            "sampler": dict(self.feed.state_dict()),
            "rng": {"run": self.rng.get_state(), **self.processes.random_state()},
            "players": {role: player.state() for role, player in self.players.items()},
            "view": self.view.state(),
            "scaler": self.scaler.state_dict(),
            "rollbacks": self.rollbacks,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes up ``state``; the networks are loaded separately.

        Raises:
            KeyError: something is missing.
            DataError: the state belongs to another number of examples.
        """
        self.images = state["images"]
        self.feed.load_state_dict(state["sampler"])
        self.rng.set_state(state["rng"]["run"])
        self.processes.restore_random_state({name: each for name, each in state["rng"].items() if name != "run"})
        for role, player in self.players.items():
            player.restore(state["players"][role])
        self.view.restore(state["view"])
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(state["scaler"])
        self.rollbacks = state["rollbacks"]

    def reseed(self, rollbacks: int) -> None:
        """Takes other random numbers from here on, decided by how often the run went back: after a loss that was not finite."""
        self.rollbacks = rollbacks
        self.rng.manual_seed(sample_seeds(rollbacks + 1, self._seed)[rollbacks])

    def close(self) -> None:
        """Ends what reads in the background."""
        self.feed.close()


def freeze_layers(discriminator: Discriminator, count: int) -> None:
    """Stops the training of the first ``count`` layers, counted from the input (freeze-D, Mo, Cho and Shin 2020).

    Raises:
        ConfigError: it has not more layers than that.
    """
    layers = discriminator.layers_from_input()
    if count >= len(layers):
        raise ConfigError(
            f"freeze_layers is {count}, but this discriminator has {len(layers)} layers.", hint="One at least must learn."
        )
    for layer in layers[:count]:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)


def sum_of(losses: Iterable[Tensor]) -> Tensor:
    """Their sum; at least one."""
    return torch.stack(list(losses)).sum()


def _check(
    recipe: spec.Recipe, shares: int, generator: Generator[Any], discriminator: Discriminator, labels: Tensor | None
) -> None:
    """Refuses what only the networks and the processes tell."""
    if recipe.batch_size % shares:
        raise ConfigError(
            f"A batch of {recipe.batch_size} cannot be split into {shares} equal pieces.",
            hint="Pieces are processes times accumulate: set batch_size to a multiple of them.",
        )
    wanted = max(generator.num_classes, discriminator.num_classes)
    if not wanted:
        return
    if labels is None:
        raise ConfigError(
            f"The networks have {wanted} classes, but the data has no labels.",
            hint="Put the pictures into a folder for each class.",
        )
    present = int(labels.max()) + 1
    for network in (generator, discriminator):
        if network.num_classes and network.num_classes < present:
            raise ConfigError(
                f"{type(network).__name__} has {network.num_classes} classes, but the data has {present}.",
                hint=f"--config num_classes={present}",
            )
