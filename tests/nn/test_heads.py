"""Discriminator heads and class conditions against numbers worked out by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganzoo.errors import ConfigError, InvalidValueError
from ganzoo.nn import (
    ClassBatchNorm2d,
    ClassHead,
    ConditionalBatchNorm2d,
    activation_named,
    class_indices,
    class_mixture,
    class_weights,
    one_hot,
)

X = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
C = torch.tensor([2, 0])


def head(conditioning: str, **options: Any) -> ClassHead:
    """Two features, three classes; weights 1, 2, 3 … in order, biases a half."""
    made = ClassHead(2, conditioning=conditioning, num_classes=3, embedding_size=2, **options)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            numbers = torch.arange(1.0, parameter.numel() + 1).view(parameter.shape)
            parameter.copy_(torch.full_like(parameter, 0.5) if name.endswith("bias") else numbers)
    return made


def rows(*values: list[float]) -> Tensor:
    return torch.tensor(values)


def test_an_unconditional_score() -> None:
    scores, logits = head("none")(X)
    assert torch.equal(scores, torch.tensor([5.5, 1.5]))  # 1*1 + 2*2 + 0.5, 1*3 - 2*1 + 0.5
    assert logits is None
    assert head("none").num_classes == 0


def test_the_projection() -> None:
    scores, logits = head("PD")(X, C)
    # The proxies are (1, 2), (3, 4), (5, 6): add 5*1 + 6*2 and 1*3 - 2*1.
    assert torch.equal(scores, torch.tensor([5.5 + 17, 1.5 + 1]))
    assert logits is None


def test_the_auxiliary_classifier() -> None:
    scores, logits = head("AC")(X, C)
    assert torch.equal(scores, torch.tensor([5.5, 1.5]))
    assert logits is not None
    assert torch.equal(logits, rows([5, 11, 17], [1, 5, 9]))  # without a bias
    normalised = head("AC", normalize_embedding=True).outputs(X, C).class_logits
    assert normalised is not None
    assert torch.allclose(normalised[0], torch.tensor([5.0, 11, 17]) / 5**0.5)


def test_a_score_for_each_class() -> None:
    assert torch.equal(head("MD")(X, C)[0], torch.tensor([17.5, 1.5]))


def test_the_multi_hinge() -> None:
    made = head("MH")
    assert torch.equal(made.outputs(X).adversarial, rows([5.5, 11.5, 17.5, 23.5], [1.5, 5.5, 9.5, 13.5]))
    assert torch.equal(made(X, C)[0], torch.tensor([17.5 - 23.5, 1.5 - 13.5]))


@pytest.mark.parametrize("conditioning", ["2C", "D2DCE"])
def test_the_embeddings(conditioning: str) -> None:
    told = head(conditioning, auxiliary="TAC").outputs(X, C)
    assert told.embedding is not None
    assert told.proxy is not None
    assert torch.equal(told.embedding, rows([5.5, 11.5], [1.5, 5.5]))
    assert torch.equal(told.proxy, rows([5, 6], [1, 2]))
    assert told.information_embedding is not None
    assert torch.equal(told.information_embedding, told.embedding)
    unit = head(conditioning, normalize_embedding=True).outputs(X, C)
    assert unit.proxy is not None
    assert torch.allclose(unit.proxy, rows([5 / 61**0.5, 6 / 61**0.5], [1 / 5**0.5, 2 / 5**0.5]))


def test_split_classes() -> None:
    made = head("PD", auxiliary="ADC")
    # Six proxies: class 2 is the fifth (9, 10) when real, the sixth (11, 12) when generated.
    assert made.outputs(X[:1], C[:1]).adversarial.item() == 5.5 + 29
    assert made.outputs(X[:1], C[:1], generated=True).adversarial.item() == 5.5 + 35
    assert head("AC", auxiliary="ADC").outputs(X, C).class_logits is not None
    assert head("AC", auxiliary="ADC")(X, C)[1] is None  # no loss of the usual kind fits six halves of three classes


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"conditioning": "XY", "num_classes": 3}, "conditioning 'XY'"),
        ({"conditioning": "PD"}, "needs num_classes"),
        ({"auxiliary": "XY"}, "auxiliary 'XY'"),
        ({"conditioning": "PD", "num_classes": 3, "auxiliary": "TAC"}, "TAC"),
    ],
)
def test_heads_that_do_not_exist(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        ClassHead(2, **options)


@pytest.mark.parametrize(
    ("c", "words"),
    [
        (None, "needs a class"),
        (3, "0 to 2"),
        (-1, "0 to 2"),
        (torch.tensor([0, 1, 2]), "3 classes for 2 samples"),
        (1.0, "whole numbers, not float32"),
        (torch.tensor([0.0, 1.0]), "whole numbers, not float32"),
        (True, "whole numbers, not bool"),
        ("cat", "The class is 'cat'"),
        ([[0], [1, 2]], "it is a whole number"),
        (2**70, "it is a whole number"),
    ],
)
def test_classes_that_are_none(c: Any, words: str) -> None:
    with pytest.raises(InvalidValueError) as e:
        class_indices(c, 3, X)
    assert words in str(e.value)
    with pytest.raises(InvalidValueError):
        head("PD")(X, c)


def test_classes_as_vectors() -> None:
    assert torch.equal(class_indices(1, 3, X), torch.tensor([1, 1]))
    assert torch.equal(one_hot(C, 3, X.double()), torch.tensor([[0, 0, 1], [1, 0, 0]], dtype=torch.float64))
    assert torch.equal(class_weights(C, 3, X), one_hot(C, 3, X))


def test_mixtures_of_classes() -> None:
    half = torch.tensor([[0.5, 0.5, 0.0]])
    assert class_mixture(C, 3, X) is None
    assert class_mixture(2, 3, X) is None
    for mixture in (class_mixture(half.double(), 3, X), class_weights(half, 3, X)):
        assert mixture is not None
        assert mixture.dtype == X.dtype
        assert torch.equal(mixture, half.expand(2, 3))
    for bad in (torch.rand(3), torch.rand(3, 3), torch.rand(2, 2), torch.rand(2, 3, 1)):
        with pytest.raises(InvalidValueError, match=r"\[2, 3\]"):
            class_mixture(bad, 3, X)
    with pytest.raises(InvalidValueError, match="not all finite"):
        class_mixture(half / 0, 3, X)


def test_classes_in_an_exported_graph() -> None:
    """Classes that the graph was not made with; out of range ones are left to whoever runs it."""

    class Weights(nn.Module):
        def forward(self, c: Tensor, x: Tensor) -> Tensor:
            return class_weights(c, 3, x)

    graph = torch.export.export(Weights(), (C, X)).module()
    other = torch.tensor([1, 1])
    assert torch.equal(graph(other, X), one_hot(other, 3, X))


def test_gains_and_biases_of_each_class_by_hand() -> None:
    norm = ClassBatchNorm2d(2, 3, eps=0.0).eval()
    assert torch.equal(norm.embedding.weight[:, 2:], torch.zeros(3, 2))
    assert 0 < norm.embedding.weight[:, :2].sub(1).abs().max() < 0.2
    norm.bn.running_mean.copy_(torch.tensor([1.0, 0.0]))
    norm.bn.running_var.copy_(torch.tensor([4.0, 1.0]))
    norm.embedding.weight.data.copy_(torch.arange(12.0).view(3, 4))
    x = torch.full((2, 2, 1, 1), 3.0)  # normalised: 1 and 3
    assert torch.equal(norm(x, C).flatten(1), rows([8 * 1 + 10, 9 * 3 + 11], [0 * 1 + 2, 1 * 3 + 3]))


def test_gains_and_biases_of_a_condition_by_hand() -> None:
    norm = ConditionalBatchNorm2d(1, 2, eps=0.0).eval()
    nn.init.constant_(norm.gain.weight, 2.0)
    nn.init.constant_(norm.bias.weight, 5.0)
    assert norm(torch.ones(1, 1, 1, 1), torch.ones(1, 2)).item() == 1 + 4 + 10


def test_activations_by_name() -> None:
    x = torch.tensor([-1.0, 2.0])
    assert torch.allclose(activation_named("Leaky_ReLU")(x), torch.tensor([-0.1, 2.0]))
    with pytest.raises(ConfigError, match="'relu'"):
        activation_named("relu")
