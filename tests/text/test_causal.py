"""Language models of transformers: steps with a cache equal a whole pass, states fork, nothing is executed or fetched."""

import logging
from typing import Any

import pytest
import torch

from ganzoo.building import build, build_random
from ganzoo.errors import ConfigError
from ganzoo.text.generators import CausalLMGenerator
from ganzoo.text.rollout import rollout_rewards
from ganzoo.text.sequences import join, repeat, select

pytest.importorskip("transformers")

GPT2 = {"model_type": "gpt2", "n_layer": 2, "n_head": 2, "n_embd": 12, "n_positions": 8}
LLAMA = {
    "model_type": "llama",
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "hidden_size": 8,
    "intermediate_size": 9,
    "tie_word_embeddings": False,
}


def network(fields: dict[str, Any] = GPT2, **options: Any) -> CausalLMGenerator:
    generator = build_random(CausalLMGenerator, {"transformers": fields, "vocab_size": 11, "max_length": 6} | options, seed=1)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.mul_(8)  # far from uniform
    return generator.eval()


@pytest.mark.parametrize("fields", [GPT2, LLAMA], ids=lambda f: f["model_type"])
def test_steps_equal_the_whole_pass(fields: dict[str, Any]) -> None:
    generator = network(fields).double()
    tokens = torch.randint(11, (3, 6), generator=torch.Generator().manual_seed(0))
    whole, state, inputs = generator.hidden(tokens), generator.begin(3), torch.zeros(3, dtype=torch.int64)
    ids = torch.cat([torch.zeros(3, 1, dtype=torch.int64), tokens[:, :-1]], 1)
    assert torch.allclose(generator.logits(tokens), generator.network(ids).logits, atol=1e-12)
    for t in range(6):
        hidden, state = generator.step(inputs, state)
        # LLaMA's own layers work in float32 inside.
        assert torch.allclose(hidden, whole[:, t], atol=1e-12 if fields is GPT2 else 1e-5)
        inputs = tokens[:, t]


def test_states_fork() -> None:
    generator = network().double()
    tokens = torch.tensor([[1, 2], [3, 4], [5, 6]])
    _, state = generator.step(tokens[:, 0], generator.begin(3))
    straight, _ = generator.step(tokens[:, 1], state)
    forked, _ = generator.step(tokens[:, 1].repeat_interleave(2), repeat(state, 2))
    assert torch.allclose(forked, straight.repeat_interleave(2, 0), atol=1e-12)
    rows = torch.tensor([2, 0])
    back, _ = generator.step(tokens[rows][:, 1], join(select(state, rows[:1]), select(state, rows[1:])))
    assert torch.allclose(back, straight[rows], atol=1e-12)


def test_samples_do_not_depend_on_the_batch() -> None:
    generator = network(end_token=2, pad_token=1)
    together, apart = (generator.sample(20, seed=0, batch_size=size).tensor for size in (20, 3))
    assert torch.equal(together, apart)
    assert (together == 2).any()


def test_transformers_has_nothing_to_say_while_sampling(caplog: pytest.LogCaptureFixture, monkeypatch: Any) -> None:
    """It would guess that the padding behind a sentence's end is padding inside its input."""
    logger = logging.getLogger("transformers.modeling_utils")
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    caplog.set_level(logging.WARNING, logger.name)
    for fields in (GPT2, LLAMA):
        logger.warning_once.cache_clear()  # type: ignore[attr-defined]  # it says everything once only
        generator = network(fields, end_token=2, pad_token=0)
        generator.sample(20, seed=0)
        generator.log_prob(torch.zeros(2, 6, dtype=torch.int64))
    assert not caplog.records


def test_rewards_of_all_positions() -> None:
    generator = network(end_token=2, pad_token=1)
    tokens = generator.sample(4, seed=0).tensor
    rewards = rollout_rewards(
        generator, lambda s: (s == 5).sum(1).float(), tokens, rollouts=3, rng=torch.Generator().manual_seed(0)
    )
    assert rewards.shape == (4, 6)
    assert rewards.isfinite().all()


def test_weights_round_trip() -> None:
    generator = network()
    twin = build(CausalLMGenerator, generator.config, generator.state_dict())
    assert torch.equal(twin.sample(5, seed=1).tensor, generator.sample(5, seed=1).tensor)
    assert twin.head.weight is twin.network.get_input_embeddings().weight


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model_type": "no-such-model"}, "no-such-model"),
        ({}, "None"),
        ({"model_type": "bert", "auto_map": {"AutoModelForCausalLM": "evil.Model"}}, "auto_map"),
        ({**GPT2, "attn_implementation": "somebody/kernel"}, "attn_implementation"),
        ({**GPT2, "_attn_implementation": "somebody/kernel"}, "_attn_implementation"),
        ({**GPT2, "text_config": {"quantization_config": {}}}, "quantization_config"),
        ({**GPT2, "vocab_size": 12}, "11 tokens, but `transformers` says 12"),
        ({**GPT2, "n_positions": 5}, "5 positions"),
        ({**GPT2, "n_head": 5}, "gpt2"),
        ({**LLAMA, "model_type": "cohere", "logit_scale": 0.5}, "logit_scale"),
        ({"model_type": "clip_text_model", "num_hidden_layers": 1, "hidden_size": 8}, "clip"),
        ({"model_type": "mamba"}, "does not remember just"),
        ({"model_type": "mistral", "sliding_window": 4}, "sliding_window = null"),
    ],
)
def test_configurations_that_cannot_be_used(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CausalLMGenerator(fields, vocab_size=11, max_length=6)


BERT = {"model_type": "bert", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 9}


def test_a_network_that_sees_the_future() -> None:
    tokens = torch.zeros(1, 6, dtype=torch.int64)
    rwkv = {"model_type": "rwkv", "hidden_size": 8, "num_hidden_layers": 2}
    untouched = build_random(CausalLMGenerator, {"transformers": BERT, "vocab_size": 11, "max_length": 6}, seed=1)
    with pytest.raises(ConfigError, match="is not causal"):  # little of one token reaches another in the beginning
        untouched.log_prob(tokens)
    assert network(BERT | {"is_decoder": True}).log_prob(tokens).shape == (1, 6)
    for fields in (BERT, rwkv):
        with pytest.raises(ConfigError, match="is not causal"):
            network(fields).sample(1, seed=0)
        with pytest.raises(ConfigError, match="is not causal"):
            network(fields).log_prob(tokens)
