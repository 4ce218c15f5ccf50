"""What the tests of shipped models share."""

import ganzoo


def golden_values(name: str) -> tuple[list[float], list[float], float]:
    """The values that the model gives now, those of its card, and how far they may be apart."""
    golden = ganzoo.model_card(name).golden
    assert golden is not None
    flat = ganzoo.load(name, role="generator").sample(1, seed=golden.seed).tensor.flatten()
    count = len(golden.values)
    places = [round(i * (len(flat) - 1) / (count - 1)) for i in range(count)]
    return flat[places].tolist(), list(golden.values), golden.atol
