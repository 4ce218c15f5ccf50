"""NVIDIA's checkpoints of StyleGAN3: their keys, and what their pickles state besides. No torch is needed."""

from collections.abc import Mapping
from typing import Any

from ganzoo.checkpoint import LayoutReader, Stated
from ganzoo_stylegan.stylegan3.geometry import Rules
from ganzoo_stylegan.stylegan3.inference import Shapes, as_arguments, inferred_rules

# What the authors' program calls our arguments, by the network in it that takes them.
_SYNTHESIS = {
    "channel_base": "channel_base",
    "channel_max": "channel_max",
    "num_critical": "critical_layers",
    "first_cutoff": "first_cutoff",
    "first_stopband": "first_stopband",
    "last_stopband_rel": "last_stopband",
    "margin_size": "margin",
    "output_scale": "output_scale",
    "num_fp16_res": "num_fp16_res",
    "filter_size": "filter_size",
    "lrelu_upsampling": "oversampling",
    "conv_clamp": "conv_clamp",
    "magnitude_ema_beta": "magnitude_beta",
}
_MAPPING = {"lr_multiplier": "mapping_lr", "w_avg_beta": "w_avg_beta"}
_WHOLE = ("critical_layers", "margin", "num_fp16_res", "filter_size", "oversampling")
_RULES = tuple(Rules.__dataclass_fields__)


class NvidiaGenerator(LayoutReader):
    """Keys are those of the authors' program, and ours."""

    def config(self, shapes: Shapes) -> dict[str, Any] | None:
        """Everything but the scale of the output, the clamp and other constants that no shape shows."""
        rules, w_avg = inferred_rules(shapes), shapes.get("mapping.w_avg", ())
        if rules is None or len(w_avg) != 1:
            return None
        embed, first = shapes.get("mapping.embed.weight", (0, 0)), shapes.get("mapping.fc0.weight", (0, w_avg[0]))
        if len(embed) != 2 or len(first) != 2:
            return None
        count = 0
        while f"mapping.fc{count}.weight" in shapes:
            count += 1
        mapping = {"z_dim": first[1] - embed[0], "w_dim": w_avg[0], "num_classes": embed[1], "mapping_layers": count}
        return {**as_arguments(rules), **mapping}

    def refine(self, config: dict[str, Any], stated: Stated) -> dict[str, Any]:
        """The constants that shapes do not show; what was not said has the value that they usually have."""
        synthesis, mapping = stated.part("synthesis"), stated.part("mapping")
        found = {**_told(synthesis, _SYNTHESIS), **_told(mapping, _MAPPING)}
        return {**config, **found}

    def keys(self, config: Mapping[str, Any]) -> dict[str, str]:
        """Each is its own name."""
        rules = Rules(**{name: value for name, value in config.items() if name in _RULES})
        mapping = ["w_avg", *(["embed.weight", "embed.bias"] if config.get("num_classes") else [])]
        mapping += [f"fc{i}.{kind}" for i in range(config.get("mapping_layers", 2)) for kind in ("weight", "bias")]
        names = [f"input.{name}" for name in ("weight", "transform", "freqs", "phases", "affine.weight", "affine.bias")]
        for plan in rules.plans:
            filters = [f"{way}_filter" for way, taps in (("up", plan.up_taps), ("down", plan.down_taps)) if taps > 1]
            parts = ("weight", "bias", "magnitude_ema", *filters, "affine.weight", "affine.bias")
            names += [f"{plan.name}.{part}" for part in parts]
        keys = [*(f"synthesis.{name}" for name in names), *(f"mapping.{name}" for name in mapping)]
        return {key: key for key in keys}


def _told(stated: Stated | None, names: Mapping[str, str]) -> dict[str, Any]:
    """Our arguments that the file states, what has the wrong type left out."""
    if stated is None:
        return {}
    given = {**stated.arguments, **stated.attributes}
    return {ours: given[theirs] for theirs, ours in names.items() if theirs in given and _usable(ours, given[theirs])}


def _usable(name: str, value: object) -> bool:
    if value is None:
        return name == "conv_clamp"
    return not isinstance(value, bool) and isinstance(value, int if name in _WHOLE else int | float)
