"""The parts by which a class enters a network, against numbers worked out by hand."""

import pytest
import torch

from ganzoo.nn import ConditionalBatchNorm2d
from ganzoo.nn.conditioning import PROJECTION_STD, AuxiliaryHead, ClassConcat, ProjectionHead

C = torch.tensor([1, 0, 1])


def test_concat_appends_the_vector_of_the_class_at_every_place() -> None:
    concat = ClassConcat(2, 3)
    concat.embedding.weight.data = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    z = torch.randn(3, 5)
    joined = concat(z, C)
    assert torch.equal(joined[:, :5], z)
    assert joined[:, 5:].tolist() == [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    x = torch.randn(3, 2, 4, 6)
    joined = concat(x, C)
    assert joined.shape == (3, 5, 4, 6) and torch.equal(joined[:, :2], x)
    assert (joined[0, 2:] == torch.tensor([4.0, 5.0, 6.0])[:, None, None]).all()
    assert (joined[1, 2:] == torch.tensor([1.0, 2.0, 3.0])[:, None, None]).all()


def test_projection_is_the_product_of_the_features_with_the_vector_of_the_class() -> None:
    head = ProjectionHead(2, 2)
    head.embedding.weight.data = torch.tensor([[1.0, -1.0], [2.0, 0.5]])
    features = torch.tensor([[3.0, 4.0], [3.0, 4.0], [0.0, 2.0]])
    assert head(features, C).tolist() == [8.0, -1.0, 1.0]


def test_a_new_projection_hardly_looks_at_the_class() -> None:
    torch.manual_seed(0)
    weight = ProjectionHead(100, 100).embedding.weight.detach()
    assert abs(float(weight.std()) / PROJECTION_STD - 1) < 0.05


def test_auxiliary_logits_are_linear_in_the_features() -> None:
    head = AuxiliaryHead(2, 3)
    head.linear.weight.data = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    head.linear.bias.data = torch.tensor([0.0, 10.0, 0.0])
    assert head(torch.tensor([[2.0, 3.0]])).tolist() == [[2.0, 13.0, 5.0]]


def test_conditional_batch_norm_scales_and_shifts_by_the_condition() -> None:
    """Two entries a channel, 1 and 3: normalised to -1 and 1. Gain 1 + 2, bias 5."""
    norm = ConditionalBatchNorm2d(1, 2, eps=1e-12)
    norm.gain.weight.data, norm.bias.weight.data = torch.tensor([[2.0, 0.0]]), torch.tensor([[5.0, 0.0]])
    x = torch.tensor([1.0, 3.0]).view(2, 1, 1, 1)
    y = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    assert norm(x, y).flatten().tolist() == pytest.approx([3 * -1 + 5, 1.0])
