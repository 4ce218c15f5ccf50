"""The method of text recipes: phases on sentences, with a vocabulary that the data decide on and the networks carry."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec
import torch

from ganzoo.building import build_random
from ganzoo.data import Dataset, TextDataset
from ganzoo.errors import ConfigError, DataError
from ganzoo.models import Network
from ganzoo.models.seeds import SEED_LIMIT
from ganzoo.spec import Json, Modality, Role, TextRecipe, Tokenization
from ganzoo.text.discriminators import TextDiscriminator
from ganzoo.text.generators import SequenceGenerator
from ganzoo.text.training.game import TextGame, plan
from ganzoo.text.training.ground import Ground
from ganzoo.text.training.material import Material, check_ids, known_density, prepare, training_lines
from ganzoo.tokenizers import IdTokenizer, Tokenizer, build_tokenizer, encode_tokenizer
from ganzoo.training import Reporter
from ganzoo.training.methods import Arguments, NetworkClasses, Networks
from ganzoo.training.processes import Processes
from ganzoo.training.settings import check_optimizers

# Constructor arguments that the data decide on, and not the person who trains.
DATA_DECIDES = ("vocab_size", "max_length", "start_token", "end_token", "pad_token", "tokenizer_bytes")
# All of these are known only of a model that is begun with, and that brings its own vocabulary.
_FROM_A_MODEL = {"vocab_size", "max_length", "tokenizer_bytes"}


class TextMethod:
    """Makes a `TextGame` of a `ganzoo.spec.TextRecipe`."""

    modalities: tuple[Modality, ...] = ("text",)
    data_in_networks = True

    def check(self, recipe: TextRecipe) -> None:
        """Refuses phases and options that do not exist or mean nothing.

        Raises:
            ConfigError, UnknownNameError: there is one.
        """
        check_optimizers(recipe)
        if not recipe.phases:
            raise ConfigError(
                "The recipe has no phases, so there is nothing to do.", hint="For example: --set phases.mle.steps=1000"
            )
        for each in plan(recipe):
            each.kind.check(each.name, each.options, recipe)

    def size(self, recipe: TextRecipe) -> tuple[int, int]:
        """Sentences of the whole run, and of the longest step."""
        planned = plan(recipe)
        return planned[-1].end, max(each.sentences for each in planned)

    def outlook(self, recipe: TextRecipe, count: int) -> dict[str, Any]:
        """Steps and sentences; phases may end earlier."""
        planned = plan(recipe)
        return {"steps": sum(each.steps for each in planned), "sentences": planned[-1].end}

    def settled(self, recipe: TextRecipe, data: Dataset, begun: Network | None) -> TextRecipe:
        """``recipe`` with the tokens of the model that is begun with, or else of data that bring their own."""
        source = begun if isinstance(begun, SequenceGenerator) else data
        tokenizer = getattr(source, "tokenizer", None)
        if tokenizer is None:
            return recipe
        how = recipe.tokenizer
        fixed = msgspec.structs.replace(
            how,
            kind=tokenizer.kind,
            size=max(how.size, tokenizer.size),  # at most so many: any that is not smaller is true
            min_count=1,
            lower=getattr(tokenizer, "lower", False),
            length=source.max_length if isinstance(source, SequenceGenerator) else _length_of(_text(data), how),
        )
        return msgspec.structs.replace(recipe, tokenizer=fixed)

    def arguments(self, networks: NetworkClasses, config: Arguments, data: Dataset, recipe: TextRecipe) -> Arguments:
        """``config`` with the arguments that follow from the vocabulary: of the data, or of the model that is begun with.

        Raises:
            ConfigError: ``config`` gives some of them.
            DataError: the data are no text.
        """
        begun = dict(config.get("generator", {}))
        if not all(name in begun for name in _FROM_A_MODEL):
            for role, given in config.items():
                _refuse_decided(role, given)
            begun = _decided(_tokenizer_of(_text(data), recipe), _length_of(_text(data), recipe.tokenizer))
        from_data = {name: begun[name] for name in DATA_DECIDES if name in begun}
        complete: dict[Role, dict[str, Json]] = {}
        for role, cls in networks.items():
            taken = inspect.signature(cls.__init__).parameters
            mine = {name: value for name, value in from_data.items() if name in taken}
            complete[role] = {**mine, **config.get(role, {})}
        return complete

    def build(self, networks: NetworkClasses, config: Arguments, seed: int) -> Networks:
        """The generator, and the discriminator where the architecture has one.

        Raises:
            ConfigError: arguments that cannot be used or do not fit together.
        """
        generator = build_random(networks["generator"], config.get("generator", {}), seed=seed)
        if not isinstance(generator, SequenceGenerator):
            raise ConfigError(f"{type(generator).__name__} is no generator of sequences that can be trained.")
        if "discriminator" not in networks:
            return Networks(generator, None)
        discriminator = build_random(networks["discriminator"], config.get("discriminator", {}), seed=(seed + 1) % SEED_LIMIT)
        if not isinstance(discriminator, TextDiscriminator):
            raise ConfigError(f"{type(discriminator).__name__} is no discriminator of text that can be trained.")
        return Networks(generator, discriminator)

    def endow(self, networks: Networks, data: Dataset, recipe: TextRecipe) -> None:
        """Gives networks that have no vocabulary yet that of the data.

        Raises:
            DataError: the data's vocabulary is not the one that the networks were made for.
        """
        generator = _generator(networks)
        own = generator.has_tokenizer
        tokenizer = generator.tokenizer if own else _tokenizer_of(_text(data), recipe)
        for network in (generator, networks.discriminator):
            if isinstance(network, SequenceGenerator | TextDiscriminator) and not network.has_tokenizer:
                _give(network, tokenizer, data)
        if isinstance(networks.discriminator, TextDiscriminator):
            _check_pair(generator, networks.discriminator)

    def examples(
        self, networks: Networks, data: Dataset, recipe: TextRecipe, processes: Processes, reporter: Reporter
    ) -> Material:
        """The sentences as tokens, a part of them held out.

        Raises:
            DataError: sentences that cannot be used.
        """
        generator = _generator(networks)
        material = prepare(
            _text(data), generator.tokenizer, recipe.tokenizer, generator.max_length, recipe.validation, reporter
        )
        if len(material.train) < recipe.batch_size:
            reporter.note(
                f"There are {len(material.train)} sentences: a batch of {recipe.batch_size} shows some more than once."
            )
        return material

    def blank(self, networks: Networks, data: Dataset, recipe: TextRecipe) -> Material:
        """One sentence of nothing.

        Raises:
            DataError: the data are no text, or tokens of another vocabulary.
        """
        generator = _generator(networks)
        check_ids(_text(data), generator.tokenizer, generator.max_length)
        blank = torch.zeros(1, generator.max_length, dtype=torch.int64)
        return Material(blank, blank, known_density(_text(data), generator.tokenizer))

    def game(
        self, networks: Networks, examples: Material, data: Dataset, recipe: TextRecipe, *, seed: int, processes: Processes
    ) -> TextGame:
        """The game.

        Raises:
            ConfigError: settings that do not fit these networks or data.
            DataError: a phase asks for a density that is one of other tokens than the networks'.
        """
        if examples.density is None and _text(data).density is not None:
            _refuse_other_density(recipe, data)
        needing = [each.name for each in plan(recipe) if each.kind.needs_discriminator(each.options)]
        if needing and networks.discriminator is None:
            raise ConfigError(
                f"The phase '{needing[0]}' needs a discriminator, and this architecture has none.",
                hint=f"Take the phase out: --set phases.{needing[0]}=null",
            )
        judge = networks.discriminator if isinstance(networks.discriminator, TextDiscriminator) else None
        ground = Ground(_generator(networks), judge, examples, recipe, seed=seed, processes=processes)
        return TextGame(ground, networks, seed=seed)


def _generator(networks: Networks) -> SequenceGenerator:
    assert isinstance(networks.generator, SequenceGenerator)  # `build` saw to it
    return networks.generator


def _text(data: Dataset) -> TextDataset:
    if not isinstance(data, TextDataset):
        raise DataError(
            f"{data.name} holds {data.modality}s, but the generator makes text.",
            hint="Give a text file (.txt, .jsonl) or a data set of text.",
        )
    return data


def _tokenizer_of(data: TextDataset, recipe: TextRecipe) -> Tokenizer:
    if data.tokenizer is not None:
        return data.tokenizer
    how, lines = recipe.tokenizer, training_lines(data, recipe.validation)
    return build_tokenizer(how.kind, lines, size=how.size, min_count=how.min_count, lower=how.lower)


def _refuse_other_density(recipe: TextRecipe, data: Dataset) -> None:
    for each in plan(recipe):
        if each.kind.needs_density(each.options):
            raise DataError(
                f"The phase '{each.name}' asks {data.name} how probable sentences are, but the model has another vocabulary.",
                hint="Begin with a model that was trained on this data, or with none.",
            )


def _length_of(data: TextDataset, how: Tokenization) -> int:
    return how.length if data.ids is None else int(data.ids.shape[1])


def _decided(tokenizer: Tokenizer, length: int) -> dict[str, Any]:
    return {
        "vocab_size": tokenizer.size,
        "max_length": length,
        "start_token": tokenizer.start,
        "end_token": tokenizer.end,
        "pad_token": tokenizer.pad,
        "tokenizer_bytes": 0 if isinstance(tokenizer, IdTokenizer) else encode_tokenizer(tokenizer).numel(),
    }


def _refuse_decided(role: Role, given: Mapping[str, Json]) -> None:
    for name in given:
        if name in DATA_DECIDES:
            raise ConfigError(
                f"'{name}' of the {role} follows from the data and cannot be given.",
                hint="Say how text becomes tokens instead: --set tokenizer.size=…, --set tokenizer.length=…",
            )


def _give(network: SequenceGenerator | TextDiscriminator, tokenizer: Tokenizer, data: Dataset) -> None:
    try:
        network.set_tokenizer(tokenizer)
    except ConfigError as e:
        raise DataError(
            f"The vocabulary of {data.name} is not the one that {type(network).__name__} was made for. {e.message}",
            hint="Put the data back as it was, or start a new run.",
        ) from e


def _check_pair(generator: SequenceGenerator, discriminator: TextDiscriminator) -> None:
    """One forward pass: arguments that do not fit together show before the run begins."""
    tokens = torch.zeros(2, generator.max_length, dtype=torch.int64)
    try:
        with torch.inference_mode():
            scores = discriminator.eval()(tokens)
    except (RuntimeError, IndexError) as e:
        raise ConfigError(f"The discriminator does not take what the generator makes: {e}.") from e
    if scores.shape != (2,):
        raise ConfigError(f"The discriminator makes scores of shape {list(scores.shape)} of 2 sentences, not [2].")
