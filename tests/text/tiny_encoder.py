"""A pretrained encoder of a few kilobytes: a BERT with random weights and a vocabulary that one can read."""

import json
from pathlib import Path
from typing import Any

import torch

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
PIECES = ["the", "man", "rides", "a", "horse", "sea", "##side", ".", ",", "##s", "is", "un", "##happy", "walk"]
BERT: dict[str, Any] = {
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 24,
    "initializer_range": 0.5,
}


def write_encoder(folder: Path, seed: int = 0, **settings: Any) -> Path:
    """An encoder as transformers saves it, with files of sentence-transformers where ``settings`` names them."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    ids = {piece: i for i, piece in enumerate([*SPECIAL, *PIECES])}
    engine = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    engine.normalizer = normalizers.Lowercase()
    engine.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    engine.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=engine, **names).save_pretrained(str(folder))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        BertModel(BertConfig(vocab_size=len(ids), pad_token_id=0, **BERT)).save_pretrained(str(folder))
    for name, value in settings.items():
        write_json(folder / {"pooling": "1_Pooling/config.json"}.get(name, f"{name}.json"), value)
    return folder


def write_json(file: Path, value: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value))


def modules(*kinds: str) -> list[dict[str, Any]]:
    """What ``modules.json`` says of layers of these kinds."""
    return [{"idx": i, "type": f"sentence_transformers.models.{kind}"} for i, kind in enumerate(kinds)]
