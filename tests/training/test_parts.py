from typing import Any

import pytest

from ganzoo.errors import UnknownNameError
from ganzoo.training import AdversarialLoss, Regularizer, builtin
from ganzoo.training.augment import AUGMENTATIONS
from ganzoo.training.constraints import Constraint
from ganzoo.training.parts import Kind, find, table


@pytest.mark.parametrize("part", builtin.LOSSES, ids=lambda p: p.id)
def test_every_loss_that_is_declared_exists(part: Any) -> None:
    assert isinstance(find("loss", part.id), AdversarialLoss)


@pytest.mark.parametrize("part", builtin.REGULARIZERS, ids=lambda p: p.id)
def test_every_regulariser_that_is_declared_exists(part: Any) -> None:
    made = find("regulariser", part.id).from_options(part.id, {})
    assert isinstance(made, Regularizer) and made.role in ("generator", "discriminator") and made.default_weight > 0


@pytest.mark.parametrize("part", builtin.CONSTRAINTS, ids=lambda p: p.id)
def test_every_constraint_that_is_declared_exists(part: Any) -> None:
    assert isinstance(find("constraint", part.id)(), Constraint)


def test_every_augmentation_that_is_declared_exists() -> None:
    assert AUGMENTATIONS
    for part in AUGMENTATIONS:
        assert find("augmentation", part.id) is not None


@pytest.mark.parametrize(
    ("kind", "wrong", "right"),
    [
        ("loss", "hings", "hinge"),
        ("regulariser", "r-1", "r1"),
        ("augmentation", "ada-colour", "ada-color"),
        ("constraint", "spectral", "spectral-norm"),
    ],
)
def test_a_wrong_name_gets_the_closest(kind: Kind, wrong: str, right: str) -> None:
    with pytest.raises(UnknownNameError, match=f"There is no {kind} named '{wrong}'") as caught:
        find(kind, wrong)
    assert right in caught.value.close


def test_parts_have_owners() -> None:
    assert table("loss").find("ganzoo/hinge") == table("loss").find("hinge")
