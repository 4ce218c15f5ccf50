"""The networks of TextGAN."""

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from ganzoo.building import build_random, network_class
from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.models.network import json_value
from ganzoo_textgan import ganzoo_architectures
from ganzoo_textgan.networks import TextGANDiscriminator, TextGANGenerator
from tests.plugins.textgan.ground import LENGTH, LINES, TOKENIZER, discriminator, generator

(ARCHITECTURE,) = ganzoo_architectures()


@pytest.mark.parametrize("role", ARCHITECTURE.networks)
def test_declared_arguments_are_the_constructors(role: Any) -> None:
    cls = network_class(ARCHITECTURE, role)
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    declared = {field.name: json_value(field.default, field.name) for field in ARCHITECTURE.config if role in field.roles}
    assert declared == {p.name: json_value(p.default, p.name) for p in parameters}
    assert list(declared) == [p.name for p in parameters]
    network = cls(vocab_size=50, max_length=7)
    assert cls(**network.config).config == network.config


def z_of(n: int, seed: int = 0) -> torch.Tensor:
    return 2 * torch.rand(n, 6, generator=torch.Generator().manual_seed(seed)) - 1


def excited(**more: Any) -> TextGANGenerator:
    """A generator whose sentences differ and end: freshly made ones say the same again and again."""
    G = generator(**more).eval()
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        G.head.weight.normal_(0, 1.5, generator=rng)
        G.begin_with.weight.normal_(0, 1.5, generator=rng)
        G.lstm.weight_ih_l0.normal_(0, 1.0, generator=rng)
        G.embedding.weight.normal_(0, 1.0, generator=rng)
        G.head.bias[TOKENIZER.end] += 1
    return G


# --- the generator ----------------------------------------------------------------------------------------------------


def test_a_step_by_hand() -> None:
    G, z = generator().eval(), z_of(3)
    h, c, kept = G.begin(3, z)
    torch.testing.assert_close(h, torch.tanh(z @ G.begin_with.weight.T + G.begin_with.bias))
    assert (c == 0).all() and kept is z
    tokens = torch.tensor([4, 5, 6])
    cell = nn.LSTMCell(12 + 6, 32)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in G.lstm.state_dict().items()})
    want_h, want_c = cell(torch.cat([G.embedding(tokens), z], 1), (h, c))
    hidden, state = G.step(tokens, (h, c, z))
    torch.testing.assert_close(hidden, want_h)
    torch.testing.assert_close(state[1], want_c)
    assert state[2] is z  # it enters every step


def test_teacher_forcing_is_the_steps() -> None:
    G, z, tokens = generator().eval(), z_of(5), TOKENIZER.batch(LINES[:5], LENGTH)
    state, rows, inputs = G.begin(5, z), [], torch.full((5,), G.start_token)
    for t in range(LENGTH):
        hidden, state = G.step(inputs, state)
        rows.append(hidden)
        inputs = tokens[:, t]
    torch.testing.assert_close(G.hidden(tokens, z), torch.stack(rows, 1))


def test_z_changes_what_is_said_at_every_place() -> None:
    G, tokens = generator().eval(), TOKENIZER.batch(LINES[:1], LENGTH)
    one, other = G.hidden(tokens, z_of(1)), G.hidden(tokens, z_of(1, seed=1))
    assert ((one - other).abs().amax(2) > 1e-3).all()


def test_latents_are_uniform() -> None:
    z, uniforms = generator().latents(range(500)).split([6, LENGTH], 1)
    assert -1 <= z.min() < -0.98 and 0.98 < z.max() < 1
    assert abs(float(z.mean())) < 0.05 and abs(float(z.var()) - 1 / 3) < 0.02
    assert 0 <= uniforms.min() < 0.01 and 0.99 < uniforms.max() < 1


def test_soft_sentences_are_the_decoded_ones_where_they_are_sharp() -> None:
    G = excited()
    latent = G.latents(range(64))
    tokens = G(latent)
    soft = G.soft(latent[:, :6], sharpness=1e5)
    assert len(set(map(tuple, tokens.tolist()))) > 20
    assert (tokens == TOKENIZER.pad).any() and (tokens[:, -1] != TOKENIZER.pad).any()  # some end early, some never
    torch.testing.assert_close(soft, nn.functional.one_hot(tokens, TOKENIZER.size).float(), atol=1e-3, rtol=0)


def test_soft_rows_are_distributions_whatever_the_sharpness() -> None:
    G = excited(sharpness=2.0)
    soft = G.soft(z_of(9))
    assert soft.shape == (9, LENGTH, TOKENIZER.size)
    torch.testing.assert_close(soft.sum(2), torch.ones(9, LENGTH))
    assert not torch.equal(soft, G.soft(z_of(9), sharpness=4.0))
    torch.testing.assert_close(soft, G.soft(z_of(9), sharpness=2.0))


def test_the_soft_argmax_by_hand() -> None:
    """Two steps: softmax(L V h), and its embedding goes into the next step (eq. 7)."""
    G, z = excited(sharpness=3.0), z_of(4)
    hidden, state = G.step(torch.full((4,), G.start_token), G.begin(4, z))
    first = torch.softmax(3.0 * G.head(hidden), 1)
    cell = nn.LSTMCell(12 + 6, 32)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in G.lstm.state_dict().items()})
    h, _ = cell(torch.cat([first @ G.embedding.weight, z], 1), state[:2])
    second, ended = torch.softmax(3.0 * G.head(h), 1), first[:, [TOKENIZER.end]]
    want = (1 - ended) * second
    want[:, TOKENIZER.pad] += ended[:, 0]
    torch.testing.assert_close(G.soft(z)[:, :2], torch.stack([first, want], 1))


def test_gradients_reach_every_weight_and_z() -> None:
    G, z = generator(), z_of(4).requires_grad_()
    G.soft(z)[:, :, 4].sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in G.parameters())
    assert z.grad is not None and (z.grad != 0).all()


def test_ids_of_one_length() -> None:
    G = build_random(TextGANGenerator, {"vocab_size": 9, "max_length": 5, "latent_size": 3}, seed=0)
    z = torch.zeros(2, 3)
    torch.testing.assert_close(G.soft(z).sum(2), torch.ones(2, 5))
    assert G.sample(3, seed=0).tensor.shape == (3, 5)


def test_the_sentence_is_certain_given_z_unless_drawing_is_asked_for() -> None:
    G = excited()
    latent = G.latents(range(20))
    other = torch.cat([latent[:, :6], G.latents(range(20, 40))[:, 6:]], 1)  # the same z, other uniform numbers
    assert torch.equal(G(latent), G(other))
    assert torch.equal(G(latent), G(latent, top_k=1))
    for options in ({"temperature": 1.0}, {"top_k": 5}, {"top_p": 0.9}):
        assert not torch.equal(G(latent, **options), G(other, **options)), options


def test_a_prompt_is_continued() -> None:
    G = excited()
    G_bytes = build_random(TextGANGenerator, {**G.config, "tokenizer_bytes": 0}, seed=1)
    assert (G_bytes(G_bytes.latents(range(3)), prompt="4 7")[:, :2] == torch.tensor([4, 7])).all()
    with pytest.raises(InvalidValueError, match="8 tokens"):
        G(G.latents([0]), prompt="4 4 4 4 4 4 4 4")
    with pytest.raises(InvalidValueError, match="temperature"):
        G(G.latents([0]), temperature=0)


def test_without_z_one_is_drawn() -> None:
    G, tokens = generator(), TOKENIZER.batch(LINES[:4], LENGTH)
    torch.manual_seed(0)
    first, second = G.log_prob(tokens), G.log_prob(tokens)
    assert not torch.equal(first, second)
    torch.manual_seed(0)
    assert torch.equal(G.log_prob(tokens), first)
    z = G.begin(1000)[2]
    assert -1 <= z.min() < -0.98 and 0.98 < z.max() < 1
    G.eval()
    before = torch.get_rng_state()
    assert torch.equal(G.log_prob(tokens), G.log_prob(tokens))
    assert torch.equal(torch.get_rng_state(), before)
    z = G.begin(1000)[2]
    assert -1 <= z.min() < -0.98 and 0.98 < z.max() < 1 and len(z.unique(dim=0)) == 1000


@pytest.mark.parametrize("wrong", [{"sharpness": 0.0}, {"latent_size": 0}, {"hidden_size": -1}, {"embedding_size": True}])
def test_a_generator_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TextGANGenerator(**wrong)


# --- the discriminator ------------------------------------------------------------------------------------------------


def test_hard_and_soft_batches_are_one() -> None:
    D, tokens = discriminator().eval(), TOKENIZER.batch(LINES[:6], LENGTH)
    soft = nn.functional.one_hot(tokens, TOKENIZER.size).float()
    torch.testing.assert_close(D(soft), D(tokens))
    torch.testing.assert_close(D.features(soft), D.features(tokens))
    assert D(tokens).shape == (6,)
    assert D.features(tokens).shape == (6, 48)
    assert D.features(tokens).abs().max() < 1


def test_features_by_hand() -> None:
    D = TextGANDiscriminator(5, 4, latent_size=2, embedding_size=3, filter_sizes=[2], filter_count=1)
    tokens = torch.tensor([[1, 2, 3, 4]])
    words = torch.cat([torch.zeros(1, 3), D.embedding.weight[1:5], torch.zeros(1, 3)])
    weight, bias = D.convs[0].weight[0], D.convs[0].bias[0]
    answers = [(weight.T * words[i : i + 2]).sum() + bias for i in range(5)]
    torch.testing.assert_close(D.features(tokens), torch.tanh(torch.stack(answers).max())[None, None])


def test_z_is_told_in_its_range() -> None:
    D, tokens = discriminator(), TOKENIZER.batch(LINES[:6], LENGTH)
    z = D.reconstruct(D.features(tokens))
    assert z.shape == (6, 6)
    assert z.abs().max() < 1


def test_filters_longer_than_the_sentence_are_no_problem() -> None:
    D = TextGANDiscriminator(5, 2, filter_sizes=(3, 7))
    assert D(torch.tensor([[1, 2]])).isfinite().all()


@pytest.mark.parametrize("wrong", [{"filter_sizes": ()}, {"filter_sizes": (3, 0)}, {"filter_count": 0}, {"latent_size": 1.5}])
def test_a_discriminator_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        TextGANDiscriminator(**wrong)
