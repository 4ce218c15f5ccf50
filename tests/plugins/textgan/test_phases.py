"""The phases of TextGAN: every term pulls the right way, and an interrupted phase goes on as if nothing had happened."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo.building import build_random
from ganzoo.errors import ConfigError, UnknownNameError
from ganzoo.spec import Optimizer, TextRecipe
from ganzoo.text.discriminators import CNNDiscriminator
from ganzoo.text.generators import LSTMGenerator
from ganzoo.text.mmd import mmd2
from ganzoo.text.training import Ground, TextPhase
from ganzoo.text.training.parts import find_phase
from ganzoo_textgan.autoencoder import Autoencoder
from ganzoo_textgan.feature_matching import FeatureMatching
from ganzoo_textgan.permutation import Permutation, swap_two
from tests.plugins.textgan.ground import TOKENIZER, discriminator, generator, ground, sizes

RECIPE = TextRecipe(phases={}, batch_size=32)
ADAM = Optimizer(lr=2e-3, betas=(0.5, 0.9))


def phase_of(kind: type[TextPhase[Any]], on: Ground, steps: int = 10, **options: Any) -> Any:
    return kind(on, steps, kind.read_options("x", options))


def test_the_phases_are_found_by_name() -> None:
    assert find_phase("feature-matching") is FeatureMatching
    assert find_phase("permutation") is Permutation
    assert find_phase("autoencoder") is Autoencoder


# --- feature matching: which way each term pulls ----------------------------------------------------------------------


def measured(phase: FeatureMatching, real: Tensor, z: Tensor) -> dict[str, float]:
    with torch.no_grad():
        fake = phase.ground.generator.soft(z)  # type: ignore[operator]
        found = phase.quantities(real, fake, z)
    return {name: float(value) for name, value in found.items()}


def batch(on: Ground) -> tuple[Tensor, Tensor]:
    z = 2 * torch.rand(48, 6, generator=torch.Generator().manual_seed(9)) - 1
    return on.material.train[:48], z


@pytest.mark.parametrize(
    ("weights", "name", "sign"),
    [
        ({"lambda_r": 0.0, "lambda_m": 0.0}, "gan", -1),
        ({"lambda_r": 100.0, "lambda_m": 0.0}, "reconstruction", -1),
        ({"lambda_r": 0.0, "lambda_m": 100.0}, "mmd", +1),
    ],
)
def test_what_the_discriminator_ascends_and_descends(weights: dict[str, float], name: str, sign: int) -> None:
    on = ground(batch_size=48)
    phase = phase_of(FeatureMatching, on, sigmas=[2.0, 4.0], **weights)
    real, z = batch(on)
    before, found = measured(phase, real, z), phase.quantities(real, on.generator.soft(z).detach(), z)
    loss = phase.discriminator_loss(found)
    gradients = torch.autograd.grad(loss, list(on.discriminator.parameters()), allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(on.discriminator.parameters(), gradients, strict=True):
            if gradient is not None:
                parameter -= 1e-4 * gradient
    assert sign * (measured(phase, real, z)[name] - before[name]) > 0


def test_the_discriminators_loss_is_the_sum_of_its_terms() -> None:
    phase = phase_of(FeatureMatching, ground(), lambda_r=0.25, lambda_m=4.0)
    loss = phase.discriminator_loss(
        {name: torch.tensor(value) for name, value in {"gan": 3.0, "reconstruction": 8.0, "mmd": 0.5}.items()}
    )
    assert float(loss) == 3.0 + 0.25 * 8.0 - 4.0 * 0.5


def test_the_quantities_by_hand() -> None:
    on = ground(batch_size=48)
    phase = phase_of(FeatureMatching, on, sigmas=[2.0, 4.0])
    real, z = batch(on)
    fake = on.generator.soft(z)
    found, D = phase.quantities(real, fake, z), on.discriminator
    torch.testing.assert_close(found["gan"], -torch.sigmoid(D(real)).log().mean() - (1 - torch.sigmoid(D(fake))).log().mean())
    torch.testing.assert_close(found["reconstruction"], (D.reconstruct(D.features(fake)) - z).square().sum() / 48)
    torch.testing.assert_close(
        found["mmd"], mmd2(D.features(real), D.features(fake), [2.0]) + mmd2(D.features(real), D.features(fake), [4.0])
    )


def test_the_generator_descends_the_discrepancy() -> None:
    on = ground(batch_size=48)
    still = {"name": "sgd", "lr": 0.0, "betas": [0, 0]}
    phase = phase_of(FeatureMatching, on, 30, sigmas=[2.0, 4.0], discriminator=still, generator={"lr": 0.002}, lambda_m=1.0)
    kept = {name: value.clone() for name, value in on.discriminator.state_dict().items()}
    real, z = batch(on)
    before = measured(phase, real, z)["mmd"]
    figures = [phase.step() for _ in range(30)]
    assert measured(phase, real, z)["mmd"] < 0.5 * before
    assert sum(f["g_loss"] for f in figures[-5:]) < 0.7 * sum(f["g_loss"] for f in figures[:5])
    assert all(torch.equal(value, kept[name]) for name, value in on.discriminator.state_dict().items())
    assert all(p.requires_grad for p in on.discriminator.parameters())
    assert set(figures[0]) == {"d_loss", "d_real", "d_fake", "reconstruction", "g_loss", "mmd"}


def test_the_generators_turn_leaves_the_discriminator_without_gradients() -> None:
    on = ground()
    phase = phase_of(FeatureMatching, on)
    phase.step()
    seen = [None if p.grad is None else p.grad.clone() for p in on.discriminator.parameters()]
    phase._match()
    now = [p.grad for p in on.discriminator.parameters()]
    assert all((a is None and b is None) or torch.equal(a, b) for a, b in zip(seen, now, strict=True))


def test_steps_and_sentences() -> None:
    on = ground(batch_size=16)
    options = FeatureMatching.read_options("x", {"discriminator_steps": 3, "generator_steps": 2})
    assert FeatureMatching.sentences_per_step(options, on.recipe) == 2 * 16 * 5
    phase = FeatureMatching(on, 5, options)
    phase.step()
    assert {role: player.updates for role, player in phase.players().items()} == {"generator": 2, "discriminator": 3}


def test_the_sharpness_follows_its_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    on = ground(optimizer=Optimizer(name="sgd", lr=0.0, betas=(0, 0)))
    used: list[float | None] = []
    soft = on.generator.soft
    monkeypatch.setattr(on.generator, "soft", lambda z, sharpness=None: (used.append(sharpness), soft(z, sharpness))[1])
    phase = phase_of(FeatureMatching, on, 4, sharpness={"start": 2.0, "end": 10.0, "shape": "linear"})
    for _ in range(4):
        phase.step()
    assert used == [2.0, 2.0, 4.0, 4.0, 6.0, 6.0, 8.0, 8.0]
    phase_of(FeatureMatching, on, 4).step()
    assert used[-1] is None


# --- permutation ------------------------------------------------------------------------------------------------------


def test_swapping_by_hand() -> None:
    end, pad = TOKENIZER.end, TOKENIZER.pad
    tokens = torch.tensor([[7, 8, 9, end, pad], [7, 7, 9, 5, 6], [8, 8, end, pad, pad], [end, pad, pad, pad, pad]])
    keys = torch.tensor([[0.1, 0.9, 0.5, 1.0, 1.0], [0.9, 0.8, 0.1, 0.2, 0.3], [0.5, 0.6, 0.7, 0.8, 0.9], [0.5] * 5])
    want = torch.tensor([[7, 9, 8, end, pad], [6, 7, 9, 5, 7], [8, 8, end, pad, pad], [end, pad, pad, pad, pad]])
    assert torch.equal(swap_two(tokens, keys, end), want)
    assert torch.equal(swap_two(tokens[1:2], keys[1:2], None), want[1:2])


def test_every_pair_is_swapped_equally_often() -> None:
    keys = torch.rand(12_000, 4, generator=torch.Generator().manual_seed(0))
    swapped = swap_two(torch.tensor([[4, 5, 6, 7]]).expand(12_000, -1), keys, None)
    kinds, counts = swapped.unique(dim=0, return_counts=True)
    assert len(kinds) == 6 and (counts - 2000).abs().max() < 200
    assert (kinds.sort(1).values == torch.tensor([4, 5, 6, 7])).all()


def test_the_discriminator_learns_order() -> None:
    on = ground(optimizer=ADAM)
    phase = phase_of(Permutation, on, 60)
    figures = [phase.step() for _ in range(60)]
    assert figures[0]["d_loss"] > 1.3  # two times log 2: it knows nothing
    assert figures[-1]["d_loss"] < 0.6
    assert figures[-1]["d_real"] > 0 > figures[-1]["d_swapped"]


# --- autoencoder ------------------------------------------------------------------------------------------------------


def test_the_autoencoder_learns_to_say_the_sentence_again() -> None:
    on = ground(optimizer=Optimizer(lr=1e-2, betas=(0.5, 0.9)))
    phase = phase_of(Autoencoder, on, 200, prior_weight=1.0)
    figures = [phase.step() for _ in range(200)]
    assert figures[-1]["nll"] < 0.2 * figures[0]["nll"]
    tokens = on.material.train
    codes = on.discriminator.eval().reconstruct(on.discriminator.features(tokens))
    said = on.generator.eval()(torch.cat([codes, torch.zeros(len(tokens), on.generator.max_length)], 1))
    assert (said == tokens).all(1).float().mean() > 0.5


def test_both_halves_get_the_gradient_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    on = ground(optimizer=Optimizer(name="sgd", lr=1.0, betas=(0, 0)))
    phase = phase_of(Autoencoder, on, 10)
    tokens = on.material.train[:32]
    monkeypatch.setattr(on, "real", lambda: tokens)
    D, G = on.discriminator, on.generator
    before = [p.detach().clone() for p in (*D.parameters(), *G.parameters())]
    loss = -(G.log_prob(tokens, D.reconstruct(D.features(tokens)))).sum() / on.mask(tokens).sum()
    want = torch.autograd.grad(loss, [*D.parameters(), *G.parameters()], allow_unused=True)
    assert phase.step()["nll"] == pytest.approx(loss.item(), rel=1e-5)
    for parameter, old, gradient in zip((*D.parameters(), *G.parameters()), before, want, strict=True):
        moved = old - parameter.detach()
        torch.testing.assert_close(moved, torch.zeros_like(old) if gradient is None else gradient, atol=1e-5, rtol=1e-3)


def test_the_prior_weight_draws_codes_to_the_latents() -> None:
    def last(weight: float) -> float:
        phase = phase_of(Autoencoder, ground(optimizer=ADAM), 60, prior_weight=weight)
        return sum([phase.step()["code_mmd"] for _ in range(60)][-10:])

    assert last(10.0) < 0.5 * last(0.0)


# --- all of them ------------------------------------------------------------------------------------------------------

OPTIONS: dict[type[TextPhase[Any]], dict[str, Any]] = {
    FeatureMatching: {"lambda_m": 1.0, "sigmas": [2.0, 4.0], "sharpness": {"start": 2.0, "end": 9.0}},
    Permutation: {},
    Autoencoder: {"prior_weight": 1.0},
}


def everything(on: Ground) -> list[Tensor]:
    return [*on.generator.state_dict().values(), *on.discriminator.state_dict().values()]


@pytest.mark.parametrize("kind", OPTIONS)
def test_an_interrupted_phase_goes_on_bit_by_bit(kind: type[TextPhase[Any]]) -> None:
    options = OPTIONS[kind]
    on = ground(optimizer=ADAM)
    phase = phase_of(kind, on, 6, **options)
    for _ in range(3):
        phase.step()
    saved = copy.deepcopy(phase.state()), on.state(), [t.clone() for t in everything(on)]
    want = [phase.step() for _ in range(3)]

    other = ground(optimizer=ADAM)
    for tensor, value in zip(everything(other), saved[2], strict=True):
        tensor.copy_(value)
    again = phase_of(kind, other, 6, **options)
    again.restore(saved[0])
    other.restore(saved[1])
    assert [again.step() for _ in range(3)] == want
    assert all(torch.equal(a, b) for a, b in zip(everything(on), everything(other), strict=True))


@pytest.mark.parametrize("kind", OPTIONS)
def test_a_phase_moves_with_its_own_settings(kind: type[TextPhase[Any]]) -> None:
    still = {"name": "sgd", "lr": 0.0, "betas": [0, 0]}
    own = {name: still for name in ("generator", "discriminator") if name in kind.Options.__struct_fields__}
    on = ground(optimizer=ADAM)
    before = [t.clone() for t in everything(on)]
    phase_of(kind, on, **own).step()
    assert all(torch.equal(a, b) for a, b in zip(everything(on), before, strict=True))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (FeatureMatching, {"sigmas": []}, "sigmas"),
        (FeatureMatching, {"sigmas": [1.0, -2.0]}, "sigmas"),
        (FeatureMatching, {"lambda_m": -1}, "lambda_m"),
        (FeatureMatching, {"bandwidth": 3}, "bandwidth"),
        (FeatureMatching, {"sharpness": 0.0}, "sharpness"),
        (FeatureMatching, {"sharpness": {"start": 1.0, "end": -1.0}}, "sharpness"),
        (FeatureMatching, {"generator": {"lr": -1.0}}, "lr"),
        (Autoencoder, {"prior_weight": -0.5}, "prior_weight"),
        (Permutation, {"swaps": 3}, "swaps"),
    ],
)
def test_options_that_cannot_be(kind: type[TextPhase[Any]], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        kind.check("x", kind.read_options("x", options), RECIPE)


@pytest.mark.parametrize("kind", [FeatureMatching, Permutation])
def test_a_loss_that_nobody_knows(kind: type[TextPhase[Any]]) -> None:
    with pytest.raises(UnknownNameError, match="non-saturatin"):
        kind.check("x", kind.read_options("x", {"loss": "non-saturatin"}), RECIPE)


def test_unbiased_estimates_need_pairs() -> None:
    with pytest.raises(ConfigError, match="at least 2"):
        FeatureMatching.check("x", FeatureMatching.read_options("x", {"unbiased": True}), TextRecipe(phases={}, batch_size=1))


def plain_generator() -> LSTMGenerator:
    config = {name: value for name, value in sizes(end_token=TOKENIZER.end).items() if name != "latent_size"}
    return build_random(LSTMGenerator, config, seed=0)


def plain_discriminator() -> CNNDiscriminator:
    config = {name: value for name, value in sizes(filter_sizes=[2], filter_counts=[3]).items() if name != "latent_size"}
    return build_random(CNNDiscriminator, config, seed=0)


MISFITS: list[tuple[type[TextPhase[Any]], dict[str, Callable[[], Any]], str]] = [
    (FeatureMatching, {"generator": lambda: generator(latent_size=5)}, "6 entries, but the generator's has 5"),
    (FeatureMatching, {"discriminator": plain_discriminator}, "CNNDiscriminator does not"),
    (Autoencoder, {"discriminator": lambda: discriminator(latent_size=7)}, "7 entries, but the generator's has 6"),
    (Autoencoder, {"discriminator": plain_discriminator}, "CNNDiscriminator does not"),
]


@pytest.mark.parametrize(("kind", "networks", "message"), MISFITS)
def test_networks_that_do_not_fit(kind: type[TextPhase[Any]], networks: dict[str, Callable[[], Any]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        phase_of(kind, ground(**{role: make() for role, make in networks.items()}))


def test_a_generator_without_soft_sentences() -> None:
    G = plain_generator()
    G.latent_size = 6
    with pytest.raises(ConfigError, match="soft one-hots"):
        phase_of(FeatureMatching, ground(generator=G))


def test_permutation_takes_any_discriminator_of_text() -> None:
    assert phase_of(Permutation, ground(generator=plain_generator(), discriminator=plain_discriminator())).step()["d_loss"] > 0
