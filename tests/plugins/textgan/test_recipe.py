"""TextGAN's recipes, and a whole small run of them."""

from importlib.resources import files
from typing import Any

import torch

from ganzoo.data import TextDataset
from ganzoo.spec import TextRecipe
from ganzoo.text.training import TextGame
from ganzoo.text.training.method import TextMethod
from ganzoo.training import Silent, apply_settings, read_settings
from ganzoo.training.processes import Processes
from ganzoo_textgan import ganzoo_architectures
from ganzoo_textgan.networks import TextGANDiscriminator, TextGANGenerator
from ganzoo_textgan.recipe import PAPER_RECIPE, TEXTGAN_RECIPE
from tests.plugins.textgan.ground import LINES

(ARCHITECTURE,) = ganzoo_architectures()
NETWORKS: dict[Any, Any] = {"generator": TextGANGenerator, "discriminator": TextGANDiscriminator}
SMALL = {"generator": {"latent_size": 6, "hidden_size": 32}, "discriminator": {"latent_size": 6, "filter_count": 16}}
SHORT = [f"phases.{name}.steps={steps}" for name, steps in (("autoencoder", 4), ("permutation", 3), ("feature-matching", 4))]


def paper_tables() -> dict[str, dict[str, Any]]:
    return read_settings(files("ganzoo_textgan") / "recipes" / "paper.toml", ("recipe", "config"))  # type: ignore[arg-type]


def test_the_published_recipe_as_a_file() -> None:
    assert apply_settings(TEXTGAN_RECIPE, table=paper_tables()["recipe"]) == PAPER_RECIPE
    assert ARCHITECTURE.recipes == {"paper": PAPER_RECIPE}


def test_the_published_figures() -> None:
    """Those of theano/textGAN.py: lines 139 to 195."""
    assert (PAPER_RECIPE.batch_size, PAPER_RECIPE.generator.lr, PAPER_RECIPE.discriminator.lr) == (256, 5e-5, 1e-4)
    assert PAPER_RECIPE.phases["feature-matching"].options == {"lambda_r": 0.001, "lambda_m": 0.001, "sigmas": [20.0]}
    config = paper_tables()["config"]
    assert (config["latent_size"], config["embedding_size"], config["generator.hidden_size"]) == (900, 300, 500)
    assert config["generator.sharpness"] == 1000
    assert config["discriminator.filter_count"] * len(config["discriminator.filter_sizes"]) == config["latent_size"]


def test_the_networks_of_the_file_can_be_built() -> None:
    fields = {field.name: field.roles for field in ARCHITECTURE.config}
    for role, cls in NETWORKS.items():
        given = {
            name.rpartition(".")[2]: v for name, v in paper_tables()["config"].items() if role in (name.partition(".")[0], role)
        }
        mine = {name: value for name, value in given.items() if role in fields[name]}
        small = {"latent_size": 5, "embedding_size": 4, "hidden_size": 3, "filter_count": 2, "judge_size": 2}
        assert (
            cls(vocab_size=9, **{**mine, **{name: small[name] for name in mine if name in small}}).config.items()
            >= {name: value for name, value in mine.items() if name not in small}.items()
        )


def game_of(recipe: TextRecipe) -> TextGame:
    method, processes, data = TextMethod(), Processes("cpu"), TextDataset(LINES, "lines")
    config = method.arguments(NETWORKS, SMALL, data, recipe)
    networks = method.build(NETWORKS, config, 0)
    method.endow(networks, data, recipe)
    material = method.examples(networks, data, recipe, processes, Silent())
    return method.game(networks, material, data, recipe, seed=0, processes=processes)


def test_the_whole_recipe_is_played_and_resumed(tmp_path: Any) -> None:
    recipe = apply_settings(TEXTGAN_RECIPE, [*SHORT, "batch_size=16", "tokenizer.length=8"])
    game = game_of(recipe)
    seen = []
    while game.images < game.total:
        if len(seen) == 9:  # in the middle of feature matching
            torch.save(
                {"state": game.state(), "networks": {k: v.state_dict() for k, v in game.networks().items()}}, tmp_path / "c"
            )
        seen.append(game.step())
    assert [progress.phase for progress in seen] == ["autoencoder"] * 4 + ["permutation"] * 3 + ["feature-matching"] * 4
    saved = torch.load(tmp_path / "c", weights_only=False)
    again = game_of(recipe)
    for name, network in again.networks().items():
        network.load_state_dict(saved["networks"][name])
    again.restore(saved["state"])
    assert [again.step().figures, again.step().figures] == [seen[9].figures, seen[10].figures]
    for name, network in again.networks().items():
        assert all(
            torch.equal(a, b)
            for a, b in zip(network.state_dict().values(), game.networks()[name].state_dict().values(), strict=True)
        )


def test_sentences_come_out_as_text() -> None:
    recipe = apply_settings(TEXTGAN_RECIPE, [*SHORT, "batch_size=16", "tokenizer.length=8"])
    samples = game_of(recipe).grid([1, 2, 3])
    assert len(samples.text) == 3
    assert set(" ".join(samples.text).split()) <= set(" ".join(LINES).split()) | {"<unk>", "<s>"}
