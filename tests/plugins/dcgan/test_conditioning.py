"""DCGAN with classes: every combination works, and without classes it is what it was."""

import itertools
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from ganzoo.building import build, build_random
from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo_dcgan.networks import CLASS_SIZE, DCGANDiscriminator, DCGANGenerator

GENERATORS = ["batch-norm", "concat"]
DISCRIMINATORS = ["projection", "concat", "auxiliary"]
SMALL: dict[str, Any] = {"image_size": 8, "channels": 1, "width": 4}


def generator(conditioning: str | None = None, num_classes: int = 3, **more: Any) -> DCGANGenerator:
    return build_random(
        DCGANGenerator, {**SMALL, "latent_size": 5, "num_classes": num_classes, "conditioning": conditioning, **more}, seed=1
    )


def discriminator(conditioning: str | None = None, num_classes: int = 3, **more: Any) -> DCGANDiscriminator:
    return build_random(DCGANDiscriminator, {**SMALL, "num_classes": num_classes, "conditioning": conditioning, **more}, seed=2)


def test_without_classes_nothing_has_changed() -> None:
    g, d = generator(num_classes=0), discriminator(num_classes=0)
    assert all(name.startswith("main.") for name in (*g.state_dict(), *d.state_dict()))
    z = g.latents([1, 2])
    assert torch.equal(g.eval()(z), g.main(z.view(2, -1, 1, 1)))
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(d.eval()(x), d.main(x).flatten())
    assert d.judge(x, None).class_logits is None
    assert torch.equal(d(x, torch.tensor([7, 7])), d(x))  # a class is not used, so it is not looked at


@pytest.mark.parametrize("conditioning", GENERATORS)
def test_the_generator_makes_another_image_of_another_class(conditioning: str) -> None:
    g = generator(conditioning).eval()
    z = g.latents([1, 2, 3])
    together = g(z, torch.tensor([0, 1, 2]))
    assert together.shape == (3, 1, 8, 8)
    apart = torch.cat([g(z[i : i + 1], i) for i in range(3)])
    assert torch.allclose(together, apart, atol=1e-6)
    assert not torch.allclose(g(z, 0), g(z, 1), atol=1e-6)
    assert torch.equal(g.sample(3, seed=4, c=2).tensor, g.sample(3, seed=4, c=2, batch_size=3).tensor)
    assert not torch.equal(g.sample(3, seed=4, c=2).tensor, g.sample(3, seed=4, c=1).tensor)


def test_the_generator_concatenates_before_its_first_layer() -> None:
    g = generator("concat").eval()
    z = g.latents([1, 2])
    assert g.concat is not None and g.main[0].in_channels == 5 + CLASS_SIZE
    joined = torch.cat([z, g.concat.embedding(torch.tensor([2, 0]))], 1)
    assert torch.equal(g(z, torch.tensor([2, 0])), g.main(joined[:, :, None, None]))


def test_projection_adds_the_product_of_class_and_pooled_features() -> None:
    d = discriminator("projection").eval()
    x, c = torch.randn(2, 1, 8, 8), torch.tensor([2, 0])
    features = d.main[:-1](x)
    assert d.projection is not None
    wanted = d.main[-1](features).flatten() + (d.projection.embedding(c) * features.sum((2, 3))).sum(1)
    assert torch.allclose(d(x, c), wanted)
    assert torch.equal(d.judge(x, c).scores, d(x, c))
    assert d.judge(x, c).class_logits is None


def test_the_discriminator_concatenates_planes_of_the_class() -> None:
    d = discriminator("concat").eval()
    x, c = torch.randn(2, 1, 8, 8), torch.tensor([2, 0])
    assert d.concat is not None
    planes = d.concat.embedding(c)[:, :, None, None].expand(-1, -1, 8, 8)
    assert torch.equal(d(x, c), d.main(torch.cat([x, planes], 1)).flatten())
    assert not torch.equal(d(x, c), d(x, torch.tensor([1, 0])))


def test_the_auxiliary_classifier_shares_all_layers_but_the_last() -> None:
    d = discriminator("auxiliary").eval()
    x = torch.randn(2, 1, 8, 8)
    judged = d.judge(x, torch.tensor([2, 0]))
    assert d.classifier is not None and judged.class_logits is not None
    assert torch.equal(judged.class_logits, d.classifier.linear(d.main[:-1](x).flatten(1)))
    assert torch.equal(judged.scores, d.main(x).flatten()) and torch.equal(judged.scores, d(x))
    F.cross_entropy(judged.class_logits, torch.tensor([2, 0])).backward()
    assert d.main[0].weight.grad is not None and d.main[-1].weight.grad is None


@pytest.mark.parametrize(("of_g", "of_d", "size"), list(itertools.product(GENERATORS, DISCRIMINATORS, (28, 32))))
def test_every_pair_plays_a_turn(of_g: str, of_d: str, size: int) -> None:
    g, d = generator(of_g, image_size=size).train(), discriminator(of_d, image_size=size).train()
    c = torch.tensor([0, 1, 2, 0])
    judged = d.judge(g(torch.randn(4, 5), c), c)
    loss = F.softplus(-judged.scores).mean()
    if judged.class_logits is not None:
        loss = loss + F.cross_entropy(judged.class_logits, c)
    loss.backward()
    for network in (g, d):
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize(
    "make", [*[lambda n=n: generator(n) for n in GENERATORS], *[lambda n=n: discriminator(n) for n in DISCRIMINATORS]]
)
def test_the_config_and_the_state_rebuild_it(make: Any) -> None:
    network = make().eval()
    twin = build(type(network), network.config, network.state_dict()).eval()
    x, c = torch.randn(2, *([5] if isinstance(network, DCGANGenerator) else [1, 8, 8])), torch.tensor([0, 2])
    assert torch.equal(twin(x, c), network(x, c))


def test_the_default_with_classes() -> None:
    assert (generator().conditioning, discriminator().conditioning) == ("batch-norm", "projection")
    assert (generator().num_classes, discriminator().num_classes) == (3, 3)


@pytest.mark.parametrize("make", [lambda: (generator(), torch.randn(2, 5)), lambda: (discriminator(), torch.randn(2, 1, 8, 8))])
def test_classes_are_checked(make: Any) -> None:
    network, x = make()
    for c, words in (
        (None, "needs a class"),
        (3, "0 to 2"),
        (-1, "0 to 2"),
        (torch.tensor([0, 1, 2]), "3 classes for 2 samples"),
    ):
        with pytest.raises(InvalidValueError, match=words):
            network(x, c)


@pytest.mark.parametrize(
    ("make", "config", "words"),
    [
        (generator, {"conditioning": "projection"}, "batch-norm or concat"),
        (discriminator, {"conditioning": "batch-norm"}, "projection or concat or auxiliary"),
        (generator, {"conditioning": "concat", "num_classes": 0}, "needs num_classes"),
        (discriminator, {"num_classes": -1}, "cannot have -1 classes"),
    ],
)
def test_bad_configurations(make: Any, config: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make(**config)
