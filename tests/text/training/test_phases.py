"""The phases against closed forms and against what they are for."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ganzoo.errors import ConfigError, UnknownNameError
from ganzoo.spec import Json, Phase, TextRecipe, Tokenization
from ganzoo.text.discriminators import CNNDiscriminator
from ganzoo.text.generators import LSTMGenerator
from ganzoo.text.sequences import State
from ganzoo.text.training import Ground, Material
from ganzoo.text.training.baselines import Baseline
from ganzoo.text.training.game import TextGame
from ganzoo.text.training.judging import DiscriminatorPhase, Pool
from ganzoo.text.training.likelihood import as_it_writes, weighted_nll
from ganzoo.text.training.method import TextMethod
from ganzoo.text.training.mle import MLE
from ganzoo.text.training.policy_gradient import PolicyGradient
from ganzoo.training import apply_settings
from ganzoo.training.methods import Networks
from ganzoo.training.processes import Processes
from tests.text.training.toy import RECIPE

SIZE, LENGTH = 5, 3


class Even:
    """A source in which all sentences of even ids are equally probable, and the others a thousand times less."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        return torch.where(tokens % 2 == 0, 0.33, 0.0005).log()


def material(density: Any = None) -> Material:
    tokens = torch.randint(0, SIZE, (40, LENGTH), generator=torch.Generator().manual_seed(3))
    return Material(tokens[:30], tokens[30:], density)


def ground(recipe: TextRecipe = RECIPE, *, density: Any = None, seed: int = 0, lr: float = 0.05) -> Ground:
    recipe = msgspec.structs.replace(
        recipe,
        generator=msgspec.structs.replace(recipe.generator, lr=lr),
        discriminator=msgspec.structs.replace(recipe.discriminator, lr=lr),
    )
    torch.manual_seed(seed)
    generator = LSTMGenerator(SIZE, LENGTH, embedding_size=4, hidden_size=6)
    judge = CNNDiscriminator(SIZE, LENGTH, embedding_size=4, filter_sizes=[1, 2], filter_counts=[4, 4], dropout=0.0)
    return Ground(generator, judge, material(density), recipe, seed=seed, processes=Processes())


def phase(kind: Any, on: Ground, steps: int = 50, **options: Json) -> Any:
    return kind(on, steps, kind.read_options("this", options))


def test_the_weighted_likelihood_is_what_it_says() -> None:
    on = ground()
    tokens, weights = on.material.train[:4], torch.randn(4, LENGTH, generator=torch.Generator().manual_seed(0))
    wanted = -(weights * on.generator.logits(tokens).log_softmax(2).gather(2, tokens[:, :, None])[:, :, 0]).sum()
    assert weighted_nll(on.generator, tokens, weights).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_likelihood_of_what_was_written_knows_no_dropout() -> None:
    torch.manual_seed(0)
    generator = LSTMGenerator(SIZE, LENGTH, embedding_size=4, hidden_size=6, dropout=0.7)
    generator.lstm = torch.nn.LSTM(4, 6, num_layers=2, dropout=0.7, batch_first=True)
    tokens, weights = material().train[:4], torch.ones(4, LENGTH)

    def gradient() -> Tensor:
        generator.zero_grad()
        weighted_nll(generator, tokens, weights).backward()
        assert generator.head.weight.grad is not None
        return generator.head.weight.grad.clone()

    wanted = gradient() if generator.eval() else None
    for training in (True, False):
        generator.train(training)
        with as_it_writes(generator):
            assert torch.equal(gradient(), wanted)
            assert generator.lstm.training == training  # cuDNN has no gradient for others
        assert all(module.training == training for module in generator.modules())
        assert generator.lstm.dropout == 0.7
    assert not torch.equal(gradient() if generator.train() else wanted, wanted)


def test_the_policy_gradient_drops_nothing_out(monkeypatch: pytest.MonkeyPatch) -> None:
    on = ground()
    on.generator.dropout.p = 0.9
    seen: list[bool] = []
    hidden = LSTMGenerator.hidden

    def spy(self: LSTMGenerator, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        seen.append(self.dropout.training)
        return hidden(self, tokens, z)

    monkeypatch.setattr(LSTMGenerator, "hidden", spy)
    playing = phase(PolicyGradient, on, reward="constant", discriminator_steps=0, mle_every=1, look_every=0)
    playing.step()
    assert seen == [False, True]  # what it wrote, then real sentences


def test_mle_learns_and_its_figure_is_the_mean_over_the_tokens_that_count() -> None:
    on = ground()
    on.generator.end_token = on.generator.pad_token = 0
    batch = on.real()
    on._feed.load_state_dict({"count": 30, "seed": 0, "epoch": 0, "position": 0})
    mask = (batch == 0).cumsum(1) - (batch == 0).long() == 0
    losses = F.cross_entropy(on.generator.logits(batch).transpose(1, 2), batch, reduction="none")
    learning = phase(MLE, on, every=100)
    first = learning.step()["nll"]
    assert first == pytest.approx(losses[mask].mean().item(), rel=1e-5)
    assert not mask.all() and sum(learning.step()["nll"] for _ in range(49)) / 49 < first


class Telling(LSTMGenerator):
    """Begins with the token that the sign of its latent tells."""

    latent_size = 1

    def begin(self, n: int, z: Tensor | None = None) -> State:
        assert z is not None and z.shape == (n, 1)
        h, c = super().begin(n)
        return h + 40 * z.sign(), c


def test_a_latent_is_drawn_for_every_sentence() -> None:
    """Also across the rows that are written at once: no sentence is made twice from one latent."""
    torch.manual_seed(0)
    network = Telling(SIZE, LENGTH, embedding_size=4, hidden_size=6)
    on = Ground(network, None, material(), RECIPE, seed=0, processes=Processes())
    drawn: list[Tensor] = []
    begin = network.begin
    network.begin = lambda n, z=None: drawn.append(z) or begin(n, z)  # type: ignore[method-assign,func-returns-value]
    assert on.generate(1200).shape == (1200, LENGTH)
    z = torch.cat(drawn)
    assert len(z) == 1200 and len(z.unique()) > 1190


class Second(Processes):
    """One of two processes; the other has 5 tokens that count."""

    count, rank = 2, 1

    def total(self, values: Tensor) -> Tensor:
        return values + 5


def test_the_mean_is_over_the_tokens_of_all_processes() -> None:
    on = ground()
    on.processes = Second()
    mask = torch.tensor([[True, True, True], [True, False, False]])
    mine = float(on.per_token(mask).sum())
    assert (mine + 5 * mine / 4) / 2 == pytest.approx(1.0)  # the other's tokens weigh as much


def test_mle_ends_with_the_best_weights_when_its_patience_does() -> None:
    on = ground(lr=0.3)
    learning = phase(MLE, on, 400, every=4, patience=3)
    looks = []
    while not learning.finished and learning.done < 400:
        looks += [value for name, value in learning.step().items() if name == "held_out_nll"]
    assert learning.finished and len(looks) == looks.index(min(looks)) + 4
    assert on.held_out_nll() > min(looks) + 1e-3
    learning.end()
    assert on.held_out_nll() == pytest.approx(min(looks), abs=1e-6)


def test_mle_may_keep_the_last_weights() -> None:
    on = ground(lr=0.3)
    learning = phase(MLE, on, 40, every=4, keep="last")
    figures = [learning.step() for _ in range(40)]
    learning.end()
    assert on.held_out_nll() == pytest.approx(figures[-1]["held_out_nll"], abs=1e-6)
    with pytest.raises(ConfigError, match="would stop after its best weights and keep the last ones"):
        MLE.check("mle", MLE.read_options("mle", {"keep": "last", "patience": 2}), RECIPE)


def test_the_pool_is_shown_as_often_as_it_says_and_then_made_anew() -> None:
    on = ground()
    pool = Pool(on, 20, 2)  # 20 are 3 batches of 8
    shown = [pool.next_batch() for _ in range(9)]
    assert all(torch.equal(shown[i], shown[i + 3]) for i in range(3))
    assert not torch.equal(torch.cat(shown[:3]), torch.cat(shown[6:]))
    assert len({tuple(map(tuple, each.tolist())) for each in shown[:3]}) == 3


def test_the_discriminator_learns_to_tell() -> None:
    on = ground()
    with torch.no_grad():
        on.generator.head.bias[1] = 4.0  # hardly anything but ones
    learning = phase(DiscriminatorPhase, on)
    figures = [learning.step() for _ in range(50)]
    assert figures[-1]["d_loss"] < 0.7 * figures[0]["d_loss"]
    assert figures[-1]["d_real"] > 0.5 > -0.5 > figures[-1]["d_fake"]


@pytest.mark.parametrize("loss", ["wasserstein", "relativistic-pairing"])
def test_losses_whose_logits_are_no_probabilities_are_refused(loss: str) -> None:
    for kind in (DiscriminatorPhase, PolicyGradient):
        with pytest.raises(ConfigError, match="are no probabilities, which the rewards need"):
            kind.check("this", kind.read_options("this", {"loss": loss}), RECIPE)


def expected_reward(generator: LSTMGenerator, worth: Tensor) -> Tensor:
    """By enumeration of all sentences."""
    every = torch.cartesian_prod(*[torch.arange(SIZE)] * LENGTH)
    return (generator.log_prob(every).sum(1).exp() * worth[every[:, 0]]).sum()


@pytest.mark.parametrize("reward", ["sentence", "rollout"])
@pytest.mark.parametrize("baseline", ["none", "batch", "position", "ema"])
def test_the_gradient_is_that_of_the_expected_reward(reward: str, baseline: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over many sentences it approaches minus the gradient of the exact expectation."""
    recipe = msgspec.structs.replace(RECIPE, batch_size=20_000, clip=None)
    on = ground(recipe)
    worth = torch.tensor([0.1, 0.9, 0.3, 0.0, 0.5])
    wanted = torch.autograd.grad(expected_reward(on.generator, worth), on.generator.head.bias)[0]
    monkeypatch.setattr(on, "judge", lambda tokens: worth[tokens[:, 0]])
    options: Mapping[str, Any] = {"rollouts": 4} if reward == "rollout" else {}
    learning = phase(PolicyGradient, on, reward=reward, reward_options=options, score="log-ratio", baseline=baseline)
    seen: list[Tensor] = []
    monkeypatch.setattr(
        learning._player,
        "descend",
        lambda losses: seen.extend(-torch.autograd.grad(loss, on.generator.head.bias)[0] for loss in losses) or 0.0,
    )
    learning._improve()
    learning._improve()  # the moving average begins with the first batch itself
    noise = 0.012 if baseline == "none" else 0.006
    assert (sum(seen) / 2 - wanted).abs().max() < noise < wanted.abs().max() / 3


def test_a_reward_moves_the_generator_towards_it(monkeypatch: pytest.MonkeyPatch) -> None:
    on = ground()
    monkeypatch.setattr(on, "judge", lambda tokens: 6.0 * (tokens == 2).float().mean(1) - 3)
    learning = phase(PolicyGradient, on, 60, baseline="batch", discriminator_steps=0)
    figures = [learning.step() for _ in range(60)]
    assert (on.generate(200) == 2).float().mean() > 0.9
    assert figures[-1]["reward"] > 0.9 > 0.4 > figures[0]["reward"]
    assert "d_loss" not in figures[0] and "held_out_nll" in figures[9] and "held_out_nll" not in figures[8]


def test_the_optimal_judge_needs_a_density_and_finds_it() -> None:
    with pytest.raises(ConfigError, match="only for data that know their own density"):
        phase(PolicyGradient, ground(), judge="optimal")
    on = ground(density=Even())
    learning = phase(PolicyGradient, on, 80, judge="optimal", reward="sentence", baseline="batch", score="log-ratio")
    assert set(learning.players()) == {"generator"}
    for _ in range(80):
        learning.step()
    made = on.generate(500)
    assert (made % 2 == 0).float().mean() > 0.9
    assert {0, 2, 4} <= set(made[made % 2 == 0].tolist())


class Strict(Even):
    """Sentences with an odd id are impossible."""

    def log_prob(self, tokens: Tensor) -> Tensor:
        return super().log_prob(tokens).masked_fill(tokens % 2 == 1, -math.inf)


@pytest.mark.parametrize("score", ["probability", "signed", "log-ratio"])
@pytest.mark.parametrize("reward", ["sentence", "rollout"])
def test_impossible_sentences_have_a_finite_worth(score: str, reward: str) -> None:
    on = ground(density=Strict())
    options = {"judge": "optimal", "score": score, "reward": reward, "baseline": "batch"}
    learning = phase(PolicyGradient, on, 60, **options)
    tokens = torch.tensor([[0, 2, 4], [0, 2, 1]])
    possible, impossible = learning._score(tokens).tolist()
    ratio = math.log(0.33) * 3 - float(on.generator.log_prob(tokens[:1]).detach().sum())
    worth = {"probability": (1 / (1 + math.exp(-ratio)), 0.0), "log-ratio": (ratio, -104.0)}
    worth["signed"] = (2 * worth["probability"][0] - 1, -1.0)
    assert (possible, impossible) == pytest.approx(worth[score], rel=1e-5)
    before = (on.generate(300) % 2 == 0).float().mean()
    assert all(math.isfinite(value) for _ in range(60) for value in learning.step().values())
    assert (on.generate(300) % 2 == 0).float().mean() > before + 0.1


def test_a_constant_reward_needs_no_judge_and_sharpens() -> None:
    on = ground()
    learning = phase(PolicyGradient, on, 150, reward="constant")
    assert not PolicyGradient.needs_discriminator(learning.options) and set(learning.players()) == {"generator"}
    before = on.generator.log_prob(on.generate(500)).mean()
    for _ in range(150):
        learning.step()
    assert on.generator.log_prob(on.generate(500)).mean() > before + 0.3
    held = phase(PolicyGradient, on, 150, reward="constant", baseline="batch")
    weights = {name: tensor.clone() for name, tensor in on.generator.state_dict().items()}
    held.step()
    assert all(torch.allclose(tensor, weights[name], atol=1e-6) for name, tensor in on.generator.state_dict().items())


def test_maximum_likelihood_between_holds_the_generator() -> None:
    on = ground()
    learning = phase(PolicyGradient, on, 6, reward="uniform", mle_every=3)
    assert ["nll" in learning.step() for _ in range(6)] == [False, False, True, False, False, True]


def test_a_reward_for_tokens_needs_a_judge_of_tokens() -> None:
    with pytest.raises(ConfigError, match="needs a discriminator that judges single tokens"):
        phase(PolicyGradient, ground(), reward="per-token")
    with pytest.raises(ConfigError, match="needs a discriminator that judges single tokens"):
        phase(PolicyGradient, ground(density=Even()), reward="per-token", judge="optimal")


@pytest.mark.parametrize("reward", ["rollout", "sentence", "constant"])
def test_the_policy_gradient_needs_the_likelihood_of_a_sentence_alone(reward: str) -> None:
    network = Telling(SIZE, LENGTH, embedding_size=4, hidden_size=6)
    on = Ground(network, ground().discriminator, material(), RECIPE, seed=0, processes=Processes())
    with pytest.raises(ConfigError, match="Telling makes sentences from a latent z, which a sentence alone does not tell"):
        phase(PolicyGradient, on, reward=reward)


def test_rewards_of_tokens_are_discounted_from_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    on = ground()
    monkeypatch.setattr(on.discriminator, "token_scores", lambda tokens: tokens.float(), raising=False)
    learning = phase(PolicyGradient, on, reward="per-token", reward_options={"discount": 0.5}, score="log-ratio")
    tokens = torch.tensor([[1, 2, 4], [4, 0, 1]])
    assert learning._rewards(tokens, torch.ones(2, 3).bool()).tolist() == [[3, 4, 4], [4.25, 0.5, 1]]
    assert learning._rewards(tokens, torch.tensor([[1, 1, 0], [1, 0, 0]]).bool())[:, 0].tolist() == [2, 4]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("none", 0.0), ("batch", 2.5), ("position", [2.0, 3.0])],
)
def test_baselines(kind: Any, wanted: Any) -> None:
    rewards, mask = torch.tensor([[1.0, 3.0], [3.0, 99.0]]), torch.tensor([[True, True], [True, False]])
    wanted = 7 / 3 if kind == "batch" else wanted
    assert Baseline(kind, Processes())(rewards, mask).tolist() == pytest.approx(wanted)


def test_the_moving_baseline_is_that_of_earlier_batches() -> None:
    baseline, mask = Baseline("ema", Processes()), torch.ones(1, 1)
    given = [float(baseline(torch.full((1, 1), value), mask)) for value in (1.0, 2.0, 2.0)]
    assert given == pytest.approx([1.0, 1.0, 1.1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("phases.mle.options.patients=3", r"phases.mle.options cannot be used: .*patients.*\nIts options: .*patience"),
        ("phases.adversarial.options.baseline=median", r"phases.adversarial.options.*it is one of batch, ema, none, position"),
        (
            "phases.adversarial.options.discriminator_steps=-1",
            r"phases.adversarial.options .*number >= 0 \(discriminator_steps\)",
        ),
        (
            "phases.adversarial.options.reward_options.rolouts=3",
            r"The reward 'rollout' cannot be used: .*rolouts.*\nIts options: rollouts, positions. "
            r"Take out what it has not: --set phases.adversarial.options.reward_options.rolouts=null$",
        ),
        (
            "phases.adversarial.options.reward=sentence",
            r"The reward 'sentence' cannot be used: .*rollouts.*\nIt has no options. "
            r"Take out what it has not: --set phases.adversarial.options.reward_options.rollouts=null$",
        ),
        ("phases.mle.options.patience=-1", r"Its options: generator, every, patience, keep.$"),
        ('phases.adversarial.options.generator={"lr": -1}', r"phases.adversarial.options.generator.lr must be above 0"),
        ("phases=", "The recipe has no phases"),
        ("generator.lr=-1", "generator.lr must be above 0"),
        ("tokenizer.length=1", r"tokenizer.length=1 cannot be used: Expected a whole number >= 2"),
        ("batch=3", "There is no recipe field named 'batch'.\nDid you mean 'batch_size'"),
        ("phases.mle.step=3", "There is no recipe field named 'phases.mle.step'.\nDid you mean 'phases.mle.steps'"),
    ],
)
def test_settings_that_cannot_be_used_are_named(settings: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        apply_settings(RECIPE, [settings])


def test_phases_and_rewards_that_do_not_exist_are_named_with_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="no phase named 'policy-gradients'.*") as refused:
        apply_settings(RECIPE, ["phases.adversarial.kind=policy-gradients"])
    assert "policy-gradient" in str(refused.value)
    with pytest.raises(UnknownNameError, match="no reward named 'rollouts'"):
        apply_settings(RECIPE, ["phases.adversarial.options.reward=rollouts"])


def test_settings_change_phases_and_take_them_out() -> None:
    changed = apply_settings(RECIPE, ["phases.mle.steps=1e3", "phases.mle.options.patience=2", "phases.discriminator=null"])
    assert changed.phases["mle"] == Phase(steps=1000, options={"every": 2, "patience": 2})
    assert list(changed.phases) == ["mle", "adversarial"]
    assert apply_settings(RECIPE, ["tokenizer.kind=char"]).tokenizer == Tokenization(kind="char", length=8)


def test_the_length_of_a_run_follows_from_its_phases() -> None:
    assert TextMethod().size(RECIPE) == (6 * 8 + 4 * 16 + 3 * 8 * 5, 40)


def test_an_early_end_leaps_to_the_end_of_the_phase() -> None:
    recipe = msgspec.structs.replace(
        RECIPE,
        phases={
            "mle": Phase(steps=1000, options={"every": 1, "patience": 1}),
            "constant": Phase(kind="policy-gradient", steps=2, options={"reward": "constant"}),
        },
    )
    on = ground(recipe, lr=3.0)
    game = TextGame(on, Networks(on.generator, on.discriminator), seed=0)
    seen = [game.step()]
    while game.images < game.total:
        seen.append(game.step())
    first = [each for each in seen if each.phase == "mle"]
    assert len(first) < 100 and first[-1].images == 8000
    assert [each.images for each in seen if each.phase == "constant"] == [8008, 8016]
