"""A causal language model that one CPU core can train. It stands apart so that declaring it needs no torch."""

from typing import Any

SMALL_TRANSFORMER: dict[str, Any] = {
    "model_type": "gpt2",
    "n_embd": 128,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 128,
}
