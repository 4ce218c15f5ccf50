"""Checkpoints of williamSYSU/TextGAN-PyTorch: plain state dicts, one a network. No torch is needed to recognise them."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ganzoo.checkpoint import LayoutReader

if TYPE_CHECKING:
    from torch import Tensor

Shapes = Mapping[str, tuple[int, ...]]
TABLE = "tokenizer_table"  # of ours; in their files vocabularies are text files of their own, and ids stand for themselves
LENGTH = 20  # tokens of a sentence, which no tensor tells
START, PAD = 1, 0  # its settings start_letter and padding_idx, the same for all of its models


class TextGANGenerator(LayoutReader):
    """``SeqGAN_G`` and every other plain ``LSTMGenerator`` of the repository."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Sizes from the shapes. Where the padding ends sentences, say so: ``end_token=0``."""
        embedding, head = shapes.get("embeddings.weight", ()), shapes.get("lstm2out.weight", ())
        if len(embedding) != 2 or len(head) != 2:
            return None
        return {
            "vocab_size": embedding[0],
            "max_length": LENGTH,
            "embedding_size": embedding[1],
            "hidden_size": head[1],
            "start_token": START,
            "pad_token": PAD,
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Embedding and last layer are called otherwise."""
        lstm = [f"lstm.{part}_l0" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        others = {"embeddings.weight": "embedding.weight", "lstm2out.weight": "head.weight", "lstm2out.bias": "head.bias"}
        return {name: name for name in lstm} | others

    def convert(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Renamed; plain ids need no tokenizer."""
        return super().convert(state, config) | no_tokenizer()


class TextGANDiscriminator(LayoutReader):
    """``SeqGAN_D`` and every other ``CNNDiscriminator``, and the classifiers ``CNNClassifier`` and ``SentiGAN_C``."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the dropout. The longest filter may need sentences longer than the usual 20 tokens."""
        embedding, filters, output = shapes.get("embeddings.weight", ()), _filters(shapes), shapes.get(_output(shapes), ())
        if len(embedding) != 2 or not filters or len(output) != 2:
            return None
        return {
            "vocab_size": embedding[0],
            "max_length": max(LENGTH, *(shape[2] for shape in filters)),
            "pad_token": PAD,
            "embedding_size": embedding[1],
            "filter_sizes": [shape[2] for shape in filters],
            "filter_counts": [shape[0] for shape in filters],
            "highway": "shared",
            "hidden_size": shapes["feature2out.weight"][0] if _is_classifier(shapes) else 0,
            "outputs": output[0],
        }

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Their ``feature2out`` is the last layer of a discriminator and the one before it of a classifier."""
        names = {"embeddings.weight": "embedding.weight"}
        layers = {f"convs.{i}": f"convs.{i}" for i in range(len(config["filter_sizes"]))} | {"highway": "highway.transform"}
        layers |= {"feature2out": "hidden", "out2logits": "output"} if config["hidden_size"] else {"feature2out": "output"}
        return names | {f"{theirs}.{p}": f"{ours}.{p}" for theirs, ours in layers.items() for p in ("weight", "bias")}

    def convert(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """Their filters are pictures ``[count, 1, length, embedding]``, ours sequences ``[count, embedding, length]``."""
        renamed = super().convert(state, config)
        return {k: t[:, 0].transpose(1, 2).contiguous() if t.dim() == 4 else t for k, t in renamed.items()} | no_tokenizer()

    def export(self, state: Mapping[str, "Tensor"], config: Mapping[str, Any]) -> dict[str, "Tensor"]:
        """The inverse of `convert`."""
        renamed = super().export(state, config)
        return {k: t.transpose(1, 2)[:, None].contiguous() if t.dim() == 3 else t for k, t in renamed.items()}


def no_tokenizer() -> dict[str, "Tensor"]:
    """The empty table of a network of plain ids."""
    import torch

    return {TABLE: torch.zeros(0, dtype=torch.uint8)}


def _filters(shapes: Shapes) -> list[tuple[int, ...]]:
    """Shapes of the convolutions' weights by their numbers, which must go from 0 on; empty where one is something else."""
    found = {int(match[1]): shapes[key] for key in shapes if (match := re.fullmatch(r"convs\.(\d{1,3})\.weight", key))}
    ordered = [found.get(i, ()) for i in range(len(found))]
    return ordered if all(len(shape) == 4 and shape[1] == 1 for shape in ordered) else []


def _is_classifier(shapes: Shapes) -> bool:
    return "out2logits.weight" in shapes and len(shapes.get("feature2out.weight", ())) == 2


def _output(shapes: Shapes) -> str:
    return "out2logits.weight" if _is_classifier(shapes) else "feature2out.weight"
