"""The card of ``stylegan-ffhq`` the whole way: fetched, verified, read as data, converted, cached and sampled."""

from collections.abc import Iterator

import pytest
import torch

import ganzoo
from tests.support.packs import GOLDEN
from tests.test_loading_hub import Zoo, file

SNAPSHOT = (GOLDEN / "stylegan2_ada.pkl").read_bytes()  # stands in for the weights, which nobody may hand on


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zoo]:
    zoo = Zoo(tmp_path_factory.mktemp("machine"))
    yield zoo
    zoo.close()


def test_the_alias_names_the_faces() -> None:
    card = ganzoo.model_card("stylegan-ffhq")
    assert (card.name, card.architecture, card.verified) == ("stylegan2-ffhq-1024", "stylegan2", False)
    assert not card.licence.commercial and card.output.shape == (3, 1024, 1024)


def test_it_loads_the_whole_way_and_the_second_time_from_the_cache(zoo: Zoo) -> None:
    real = ganzoo.model_card("stylegan-ffhq")
    files = [file(SNAPSHOT, each.path, each.role, format=each.format) for each in real.files]
    files.append({**files[0], "role": "discriminator"})
    name = zoo.card(
        zoo.hub_source({files[0]["path"]: SNAPSHOT}),
        *files,
        config={},
        architecture=real.architecture,
        plugin=real.plugin,
        output={"shape": [3, 16, 16], "range": [-1.0, 1.0]},
        aliases=["stylegan-stand-in"],
    )
    first = zoo.client("load", source="stylegan-stand-in")
    assert (first["class"], first["config"]["image_size"], first["training"]) == ("StyleGAN2Generator", 16, False)
    wanted = ganzoo.load(GOLDEN / "stylegan2_ada.pkl").sample(2, seed=0).tensor.flatten()[:8]
    assert torch.allclose(torch.tensor(first["sample"]), wanted, atol=1e-4)
    zoo.hub.forget()
    again = zoo.client("load", source=name)
    assert again["weights"] == first["weights"] and zoo.hub.requests == []
    assert any("/converted/" in path for path in again["mapped"])  # safetensors, mapped into memory
    assert not [path for path in again["opened"] if path.endswith(".pkl")]
    critic = zoo.client("load", source=name, options={"role": "discriminator"})
    assert (critic["class"], critic["config"]["mbstd_group_size"]) == ("StyleGAN2Discriminator", 2)


def test_other_bytes_than_the_cards_are_refused(zoo: Zoo) -> None:
    damaged = SNAPSHOT[:-1] + b"x"
    described = file(SNAPSHOT, "ffhq.pkl", format="pickle")
    name = zoo.card(zoo.hub_source({"ffhq.pkl": damaged}), described, config={}, architecture="stylegan2", plugin="stylegan")
    failed = zoo.client("load", source=name)
    assert described["sha256"] in failed["message"]
