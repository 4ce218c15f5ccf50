import importlib
import importlib.util
import subprocess
import sys

import pytest

from ganzoo.errors import UnknownNameError
from ganzoo.metrics import FEATURES, METRICS, Features, builtin_metrics

needs_extra = pytest.mark.skipif(
    importlib.util.find_spec("torch_fidelity") is None or importlib.util.find_spec("timm") is None,
    reason="needs the extra 'evaluation'",
)


def test_naming_the_metrics_imports_no_torch() -> None:
    code = "import sys, ganzoo.metrics as m; assert m.METRICS; print([n for n in ('torch', 'numpy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_public_name_is_that_of_a_module() -> None:
    """It would be the module or the function, depending on what was imported first."""
    import ganzoo.metrics

    assert not [name for name in ganzoo.metrics.__all__ if importlib.util.find_spec(f"ganzoo.metrics.{name}")]


@needs_extra
def test_every_metric_gives_figures_whose_names_a_card_can_hold() -> None:
    import msgspec
    import torch

    from ganzoo.spec import Name
    from tests.metrics.text_toys import text_sets
    from tests.metrics.toys import sets_of

    rng = torch.Generator().manual_seed(0)
    features, scores = torch.randn(20, 3, generator=rng), torch.randn(20, 4, generator=rng)
    seen = []
    metrics = builtin_metrics(*(part.id for part in METRICS if part.extra != "mauve"))
    for metric in metrics:
        texts = metric.needs.modalities == ("text",)
        figures = metric.compute(text_sets() if texts else sets_of(features, features, scores=(scores, scores)))
        assert all(isinstance(value, float) for value in figures.values()), metric.id
        assert figures or metric.id in ("ppl", "nll")  # which need a generator
        assert texts == (not metric.needs.features)
        seen += [msgspec.convert(name, Name) for name in figures]
    assert len(set(seen)) == len(seen) >= 30
    assert [metric.id for metric in metrics] == [part.id for part in METRICS if part.id != "mauve"]


@needs_extra
def test_every_feature_space_is_one() -> None:
    for part in FEATURES:
        module, name = part.target.split(":")
        assert issubclass(getattr(importlib.import_module(module), name), Features)


def test_a_metric_that_is_not_there() -> None:
    with pytest.raises(UnknownNameError, match="There is no metric named 'kit'.\nDid you mean 'kid'"):
        builtin_metrics("fid", "kit")


WITHOUT = """
import sys
sys.modules["torch_fidelity"] = sys.modules["timm"] = None
from ganzoo import resources
from ganzoo.errors import MissingExtraError
sys.modules["nltk"] = sys.modules["mauve"] = sys.modules["transformers"] = None
assert [m.id for m in resources.open_metrics(["fid", "pr", "dc", "ppl", "modes", "c2st"])]
assert [m.id for m in resources.open_metrics(["bleu", "self-bleu", "distinct", "overlap", "lm", "reverse-lm", "nll"])]
for name in ("digits", "pixels", "raw"):
    resources.open_features(name)
for open_it, name in ((resources.open_metrics, ["kid"]), (resources.open_metrics, ["is"]),
                      (resources.open_metrics, ["mauve"]), (resources.open_features, "timm:resnet18"),
                      (resources.open_features, "inception")):
    try:
        open_it(name)
    except MissingExtraError as e:
        print(str(e).replace("\\n", " "))
"""


def test_without_the_extra_the_rest_works_and_the_error_names_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 5
    assert 'pip install "ganzoo-hub[mauve]"' in lines.pop(2)
    assert all('pip install "ganzoo-hub[evaluation]"' in line for line in lines)
    assert "'torch_fidelity" in lines[0] and "'timm'" in lines[2]
