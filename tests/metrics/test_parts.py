import importlib
import subprocess
import sys

from ganzoo.metrics import METRICS


def test_naming_the_metrics_imports_no_torch() -> None:
    code = "import sys, ganzoo.metrics as m; assert m.METRICS; print([n for n in ('torch', 'numpy') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_target_is_a_metric() -> None:
    import torch

    features = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    for part in METRICS:
        module, name = part.target.split(":")
        figures = getattr(importlib.import_module(module), name)(features, features)
        assert figures and all(isinstance(value, float) for value in figures.values())
