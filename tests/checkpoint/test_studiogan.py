"""The names that all of StudioGAN's networks share."""

import subprocess
import sys

import pytest

from ganzoo.checkpoint import studiogan


def test_blocks_shift_behind_attention() -> None:
    assert studiogan.block_names(3, [2]) == [
        ("blocks.0.0", None),
        ("blocks.1.0", "blocks.2.0"),
        ("blocks.3.0", None),
    ]
    assert studiogan.block_names(2, [1, 2]) == [("blocks.0.0", "blocks.1.0"), ("blocks.2.0", "blocks.3.0")]


@pytest.mark.parametrize("places", [[], [1], [2], [1, 3], [1, 2, 3, 4, 5, 6, 7, 8]])
def test_attention_is_found_where_it_was_put(places: list[int]) -> None:
    names = [attention for _, attention in studiogan.block_names(8, places) if attention]
    assert studiogan.attention_places({f"{name}.sigma": (1,) for name in names}) == places


def test_attention_keys() -> None:
    keys = studiogan.attention_keys("blocks.2.0", "attention.2", False)
    assert keys["blocks.2.0.sigma"] == "attention.2.gain"
    assert keys["blocks.2.0.conv1x1_attn.weight"] == "attention.2.output.weight"
    assert len(studiogan.attention_keys("a", "b", True)) == 13


@pytest.mark.parametrize(
    ("shapes", "wanted"),
    [
        ({"linear1": (1, 8)}, {"conditioning": "none", "num_classes": 0}),
        ({"linear1": (5, 8)}, {"conditioning": "MH", "num_classes": 4}),
        ({"linear1": (1, 8), "embedding": (4, 8)}, {"conditioning": "PD", "num_classes": 4}),
        ({"linear1": (1, 8), "linear2": (4, 8)}, {"conditioning": "AC", "num_classes": 4}),
        (
            {"linear1": (1, 8), "linear2": (4, 8), "linear_mi": (4, 8)},
            {"conditioning": "AC", "num_classes": 4, "auxiliary": "TAC"},
        ),
        (
            {"linear1": (1, 8), "linear2": (6, 8), "embedding": (4, 6)},
            {"conditioning": "2C", "num_classes": 4, "embedding_size": 6},
        ),
        ({"linear2": (4, 8)}, None),
        ({"linear1": (8,)}, None),
    ],
)
@pytest.mark.parametrize("spectral", [False, True])
def test_what_the_last_layers_are_for(
    shapes: dict[str, tuple[int, ...]], wanted: dict[str, object] | None, spectral: bool
) -> None:
    suffix = "weight_orig" if spectral else "weight"
    told = studiogan.head_config({f"{layer}.{suffix}": shape for layer, shape in shapes.items()}, spectral)
    assert told == wanted
    if told is not None:
        keys = studiogan.head_keys(told, "head", spectral)
        assert {key.partition(".")[0] for key in keys} == set(shapes)
        assert all(ours.startswith("head.") for ours in keys.values())


def test_conditions_of_a_generator() -> None:
    assert studiogan.generator_condition({"n.gain.weight": (8, 5)}, "n", False) == {"conditioning": "cBN", "num_classes": 5}
    assert studiogan.generator_condition({"n.weight": (8,)}, "n", False) == {"conditioning": "none", "num_classes": 0}


def test_readers_need_no_torch() -> None:
    modules = "ganzoo_sngan.layouts, ganzoo_sngan.studiogan_layouts, ganzoo_dcgan.layouts"
    code = f"import sys, {modules}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
