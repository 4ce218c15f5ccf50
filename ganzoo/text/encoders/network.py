"""Any encoder of transformers with its pooling: token ids, or vectors in their place, to one vector a sentence."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganzoo.errors import CheckpointError, ConfigError, GanzooError, MissingExtraError
from ganzoo.text.encoders.files import EXTRA, EncoderFiles
from ganzoo.text.encoders.settings import SentenceSettings

_LIMIT = 512  # tokens, where nothing says more: positions are counted differently by different models
# Of the attentions, the one that every model has and whose gradient has a gradient (for penalties); as fast on short sentences.
_ATTENTION = "eager"


class SentenceNetwork(nn.Module):
    """An encoder with pooling.

    Attributes:
        backbone: The `transformers.AutoModel`.
        settings: How a sentence becomes one vector.
        size: Numbers of that vector, D.
        max_tokens: Tokens that a sentence may have.
    """

    def __init__(self, backbone: nn.Module, settings: SentenceSettings) -> None:
        super().__init__()
        self.backbone: Any = backbone
        self.settings = settings
        config: Any = backbone.config
        self.size = int(config.hidden_size)
        self.max_tokens = min(settings.max_tokens or _LIMIT, getattr(config, "max_position_embeddings", None) or _LIMIT)

    @property
    def token_table(self) -> Tensor:
        """The embedding of every token of its vocabulary, ``[tokens, E]``."""
        table: Tensor = self.backbone.get_input_embeddings().weight
        return table

    def forward(self, mask: Tensor, *, ids: Tensor | None = None, vectors: Tensor | None = None) -> Tensor:
        """Sentence vectors ``[N, D]``; differentiable.

        Args:
            mask: Which positions count, bool ``[N, T]``.
            ids: Token ids, int64 ``[N, T]``; or
            vectors: What stands in for their embeddings, ``[N, T, E]``.
        """
        hidden = self.backbone(input_ids=ids, inputs_embeds=vectors, attention_mask=mask.long()).last_hidden_state
        pooled = self._pool(hidden, mask.unsqueeze(2))
        return F.normalize(pooled, dim=1) if self.settings.normalised else pooled

    def _pool(self, hidden: Tensor, mask: Tensor) -> Tensor:
        match self.settings.pooling:
            case "cls":
                return hidden[:, 0]
            case "max":
                return hidden.masked_fill(~mask, torch.finfo(hidden.dtype).min).amax(1)
            case "mean":
                return (hidden * mask).sum(1) / mask.sum(1).clamp_min(1)


def pretrained_network(files: EncoderFiles, settings: SentenceSettings) -> SentenceNetwork:
    """The encoder in ``files``, float32, in evaluation mode.

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: it cannot be built, needs code of its own, or its weights are incomplete.
    """
    transformers = import_transformers(f"The encoder '{files.name}'")
    with _errors(files.folder), _quiet(transformers), torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # a pooler that no file has is drawn, and never used
        backbone, found = transformers.AutoModel.from_pretrained(
            str(files.folder), **_LOCAL, config=_config(files.folder), dtype=torch.float32, output_loading_info=True
        )
    missing = sorted(key for key in found["missing_keys"] if "pooler." not in key) + sorted(map(str, found["mismatched_keys"]))
    if missing:
        raise CheckpointError(f"The weights of the encoder {files.name} are incomplete: {', '.join(missing[:5])}.")
    return SentenceNetwork(backbone, settings).eval()


def random_network(definition: Mapping[str, Any], vocab_size: int, pad_token: int | None) -> SentenceNetwork:
    """A freshly initialised encoder whose vocabulary has ``vocab_size`` tokens; mean pooling.

    Args:
        definition: A configuration of transformers: ``model_type`` and whatever that model takes, as its ``config.json`` says.
        vocab_size: Tokens.
        pad_token: The one that is never looked at; its embedding stays zero.

    Raises:
        MissingExtraError: transformers is not installed.
        ConfigError: no such model, or arguments that do not fit together.
    """
    transformers = import_transformers("An encoder of transformers")
    kind = definition.get("model_type")
    if kind not in transformers.CONFIG_MAPPING:
        raise ConfigError(f"transformers has no model_type {kind!r}.", hint='For example: {"model_type": "bert", …}')
    given = {**definition, "vocab_size": vocab_size, "pad_token_id": pad_token}
    del given["model_type"]
    try:
        config = transformers.AutoConfig.for_model(kind, **given)
        _check_encoder(config, f"The encoder of the type '{kind}'")
        backbone = transformers.AutoModel.from_config(config, attn_implementation=_ATTENTION, trust_remote_code=False)
    except GanzooError:
        raise
    except Exception as e:  # see `_errors`
        raise ConfigError(f"The encoder {dict(definition)!r} cannot be built: {e}.") from e
    longest = getattr(config, "max_position_embeddings", None)
    return SentenceNetwork(backbone, SentenceSettings(normalised=False, max_tokens=longest))


def hidden_size(files: EncoderFiles) -> int:
    """Numbers of a sentence's vector, without reading the weights.

    Raises:
        MissingExtraError: transformers is not installed.
        CheckpointError: no configuration of an encoder that needs no code of its own.
    """
    import_transformers(f"The encoder '{files.name}'")
    with _errors(files.folder):
        return int(_config(files.folder).hidden_size)


def import_transformers(what: str) -> Any:
    """The package; ``what`` needs it.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import transformers
    except ImportError as e:
        raise MissingExtraError(what, "transformers", EXTRA) from e
    return transformers


_LOCAL: dict[str, Any] = {
    "local_files_only": True,
    "trust_remote_code": False,
    "use_safetensors": True,
    "attn_implementation": _ATTENTION,
}


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    _check_encoder(config, f"The encoder {folder}")
    return config


def _check_encoder(config: Any, what: str) -> None:
    if getattr(config, "is_encoder_decoder", False) or not isinstance(getattr(config, "hidden_size", None), int):
        raise ConfigError(
            f"{what} is a {config.model_type}, which is no encoder of text.", hint="Use one of the kind of BERT, say."
        )


@contextlib.contextmanager
def _errors(folder: Path) -> Iterator[None]:
    """What transformers raises about a folder, for people. Its parts have errors of all kinds; some are bare `Exception`s."""
    try:
        yield
    except GanzooError:
        raise
    except Exception as e:
        reason = str(e).strip().splitlines()[0] if str(e).strip() else type(e).__name__
        raise CheckpointError(f"The encoder {folder} cannot be read: {reason}") from e


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """No bar and no list of unused weights on the terminal: what is missing is looked at by us."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
