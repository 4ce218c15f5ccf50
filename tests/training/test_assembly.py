"""Networks that do not fit together are refused before a run begins."""

from typing import Any

import pytest

from ganzoo.errors import ConfigError
from ganzoo.training.adversarial import AdversarialMethod
from ganzoo_dcgan.networks import DCGANDiscriminator, DCGANGenerator
from ganzoo_dcgan.studiogan import StudioDCGANDiscriminator, StudioDCGANGenerator

SMALL: dict[str, Any] = {"image_size": 8, "width": 2}


def built(generator: dict[str, Any], discriminator: dict[str, Any]) -> Any:
    networks: Any = {"generator": DCGANGenerator, "discriminator": DCGANDiscriminator}
    config: Any = {"generator": SMALL | generator, "discriminator": SMALL | discriminator}
    return AdversarialMethod().build(networks, config, seed=0).by_role()


@pytest.mark.parametrize("conditioning", ["projection", "concat"])
def test_a_discriminator_that_needs_classes_needs_a_generator_that_has_them(conditioning: str) -> None:
    with pytest.raises(ConfigError, match="given one of 3 classes, but the generator has none"):
        built({}, {"num_classes": 3, "conditioning": conditioning})


def test_one_that_classifies_or_has_no_classes_does_not() -> None:
    assert built({}, {"num_classes": 3, "conditioning": "auxiliary"})["discriminator"].num_classes == 3
    assert built({"num_classes": 3}, {})["generator"].num_classes == 3


def test_numbers_of_classes_must_agree() -> None:
    with pytest.raises(ConfigError, match="The generator has 3 classes and the discriminator 4"):
        built({"num_classes": 3}, {"num_classes": 4})


def test_what_needs_a_loss_of_its_own_is_refused() -> None:
    networks: Any = {"generator": StudioDCGANGenerator, "discriminator": StudioDCGANDiscriminator}
    config: Any = {
        "generator": {"width": 2, "conditioning": "cBN", "num_classes": 3},
        "discriminator": {"width": 2, "conditioning": "2C", "num_classes": 3},
    }
    with pytest.raises(ConfigError, match="'2C' needs a loss of its own to be trained"):
        AdversarialMethod().build(networks, config, seed=0)
