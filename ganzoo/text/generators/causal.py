"""Any causal language model of transformers as a generator."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError
from ganzoo.models.generator import evaluation_mode
from ganzoo.text.encoders.network import import_transformers
from ganzoo.text.generators.base import SequenceGenerator
from ganzoo.text.sequences import State

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Fields that name code or files elsewhere, or that change the dtype behind the zoo's back.
_REFUSED = frozenset({"auto_map", "attn_implementation", "dtype", "quantization_config", "torch_dtype", "trust_remote_code"})
# Fields with which logits are more than a linear function of the hidden state, and their values that change nothing.
_BEYOND_LINEAR = {"final_logit_softcapping": None, "logit_scale": 1, "logits_scaling": 1}


class CausalLMGenerator(SequenceGenerator):
    """An ``AutoModelForCausalLM`` with random weights; its keys and values so far are the state, so it can be forked.

    Args:
        transformers: Configuration of the network: ``model_type`` (``gpt2``, ``llama``, …) and the fields of its class. Nothing
            is ever downloaded for it, and no code comes from it.
        vocab_size: Tokens.
        max_length: Tokens of a sentence at most, its end included.
        start_token: Is fed before the first token.
        end_token: Closes a sentence; None where all have ``max_length`` tokens.
        pad_token: Fills a row behind the end.
        tokenizer_bytes: Size of the tokenizer that travels with the weights; 0 for plain ids.

    Raises:
        ConfigError: a configuration that cannot be used.
        MissingExtraError: transformers is not installed.
    """

    def __init__(
        self,
        transformers: Mapping[str, Any],
        vocab_size: int,
        max_length: int,
        start_token: int = 0,
        end_token: int | None = None,
        pad_token: int | None = None,
        tokenizer_bytes: int = 0,
    ) -> None:
        super().__init__(vocab_size, max_length, start_token, end_token, pad_token, tokenizer_bytes)
        special = {"bos_token_id": start_token, "eos_token_id": end_token, "pad_token_id": pad_token}
        self.network: Any = _network(dict(transformers), special, vocab_size, max_length)
        self._proven = False

    @property
    def head(self) -> nn.Linear:  # type: ignore[override]  # a part of the network, which must not be registered twice
        """The network's last layer; its weights may be those of the embedding."""
        head = self.network.get_output_embeddings()
        assert isinstance(head, nn.Linear)
        return head

    def begin(self, n: int, z: Tensor | None = None) -> State:
        """Nothing was seen yet.

        Raises:
            ConfigError: the network turns out not to be a causal one.
        """
        self._prove()
        return ()

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One token, with the keys and values of those before it: ``[n, heads, t, D]`` each."""
        from transformers import DynamicCache

        cache: Any = DynamicCache(list(zip(state[::2], state[1::2], strict=True)))
        hidden = self.network.base_model(input_ids=tokens[:, None], past_key_values=cache, use_cache=True).last_hidden_state
        return hidden[:, 0], tuple(part for layer in cache.layers for part in (layer.keys, layer.values))

    def hidden(self, tokens: Tensor, z: Tensor | None = None) -> Tensor:
        """All positions at once, ``[n, T, H]``.

        Raises:
            ConfigError: the network turns out not to be a causal one.
        """
        self._prove()
        return self._whole(self.shifted(tokens))

    def _whole(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.network.base_model(input_ids=inputs, use_cache=False).last_hidden_state
        return found

    @torch.no_grad()
    def _prove(self) -> None:
        """Once, on two sentences of two tokens: the second changes nothing before it, and single steps give the same.

        ``AutoModelForCausalLM`` has classes that see all tokens unless told otherwise (BERT's, say).
        """
        if self._proven:
            return
        inputs = torch.tensor([[0, 0], [0, self.vocab_size - 1]], device=self.head.weight.device)
        with evaluation_mode(self):
            whole = self._whole(inputs)
            first, state = self.step(inputs[:, 0], ())
            if None not in state:
                second, _ = self.step(inputs[:, 1], state)
                error = (whole - torch.stack([first, second], 1)).abs().max()
                rounding = 1e-4 if whole.dtype.itemsize >= 4 else 2e-2
                self._proven = bool(error <= rounding * whole.abs().max())
        if not self._proven:
            raise ConfigError(
                f"'{self.network.config.model_type}' is not causal, or does not go on from keys and values.",
                hint="Some models are causal only with the field is_decoder = true.",
            )


def _network(fields: dict[str, Any], special: Mapping[str, int | None], vocab_size: int, max_length: int) -> "PreTrainedModel":
    transformers = import_transformers("A language model of transformers")
    model_type = fields.pop("model_type", None)
    _check_fields(fields)
    if fields.setdefault("vocab_size", vocab_size) != vocab_size:
        raise ConfigError(f"The vocabulary has {vocab_size} tokens, but `transformers` says {fields['vocab_size']}.")
    try:
        config = transformers.AutoConfig.for_model(model_type, **{**special, **fields})
        _check_memory(config)
        network: PreTrainedModel = transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    except (ValueError, TypeError, AttributeError, KeyError) as e:
        raise ConfigError(f"transformers cannot build a causal language model '{model_type}' from {fields}: {e}") from e
    _check_network(network, max_length)
    # It is never shown padding as such: told of none, it neither looks for it nor warns of it while it reads.
    network.config.pad_token_id = None
    return network


def _check_fields(fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        if name in _REFUSED or name.startswith("_"):
            raise ConfigError(f"`transformers` must not have the field '{name}'.", hint="It could bring code or other weights.")
        if isinstance(value, Mapping):
            _check_fields(value)


def _check_network(network: Any, max_length: int) -> None:
    config = network.config
    places = getattr(config, "max_position_embeddings", None)
    if places is not None and places < max_length:
        raise ConfigError(f"The network has {places} positions, too few for sentences of {max_length} tokens.")
    head = network.get_output_embeddings()
    changed = [name for name, plain in _BEYOND_LINEAR.items() if getattr(config, name, plain) not in (plain, None)]
    if not isinstance(head, nn.Linear) or changed:
        why = f" ({', '.join(changed)})" if changed else ""
        raise ConfigError(f"The logits of '{config.model_type}' are more than one linear layer of its hidden states{why}.")


def _check_memory(config: Any) -> None:
    """Refuses, before it is built, a network whose past is more or less than keys and values of all tokens."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    kinds = sorted({type(layer).__name__ for layer in DynamicCache(config=config).layers} - {DynamicLayer.__name__})
    if kinds or config.is_encoder_decoder:
        raise ConfigError(
            f"'{config.model_type}' does not remember just the keys and values of all tokens ({', '.join(kinds)}).",
            hint="Of some models a field, such as sliding_window = null, makes it so.",
        )
