import pytest
import torch
from torch.nn import functional as F

from ganzoo.building import build_random
from ganzoo.errors import ConfigError
from ganzoo_toys.networks import MLPDiscriminator, MLPGenerator


def test_the_generator_is_linear_relu_linear() -> None:
    G = build_random(MLPGenerator, {"latent_size": 3, "output_size": 5, "width": 7, "depth": 2}, seed=0)
    z = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    (w1, b1, w2, b2, w3, b3) = G.parameters()
    expected = F.linear(F.linear(F.linear(z, w1, b1).relu(), w2, b2).relu(), w3, b3)
    assert torch.equal(G(z), expected)
    assert (tuple(expected.shape), G.latent_shape, G.output_shape) == ((4, 5), (3,), (5,))


def test_the_discriminator_gives_one_unbounded_logit_a_point() -> None:
    D = build_random(MLPDiscriminator, {"output_size": 5, "width": 7, "depth": 1}, seed=0)
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    (w1, b1, w2, b2) = D.parameters()
    assert torch.equal(D(x), F.linear(F.linear(x, w1, b1).relu(), w2, b2)[:, 0])


def test_sampling_gives_points() -> None:
    G = build_random(MLPGenerator, {}, seed=0)
    samples = G.sample(5, seed=1)
    assert (samples.modality, tuple(samples.tensor.shape), samples.tensor.dtype) == ("vector", (5, 2), torch.float32)
    torch.testing.assert_close(G.sample(5, seed=1, batch_size=2).tensor, samples.tensor)


@pytest.mark.parametrize("kind", [MLPGenerator, MLPDiscriminator])
@pytest.mark.parametrize("bad", [{"width": 0}, {"depth": 0}, {"output_size": -1}, {"width": 2.5}, {"depth": True}])
def test_sizes_that_make_no_network(kind: type, bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        kind(**bad)
