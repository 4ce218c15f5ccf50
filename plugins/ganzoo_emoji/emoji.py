"""``emoji``: the pictures of Noto Emoji (Google) at 64 px, as the npm package emoji-datasource-google carries them."""

from dataclasses import dataclass
from typing import Any

import msgspec
import torch
from torch import Tensor

from ganzoo.data import TensorDataset
from ganzoo.data.decode import BROKEN, decode
from ganzoo.errors import DataError, InvalidValueError
from ganzoo_emoji.package import INDEX, INSTALL, PICTURES, find_package
from ganzoo_emoji.split import held_out, kin

LICENCE = "pictures: Noto Emoji, Apache-2.0 (Google); as distributed in emoji-datasource-google (MIT, Cal Henderson)"
URL = "https://github.com/iamcal/emoji-data"
SPLITS = ("train", "test", "all", "train-tones", "test-tones", "all-tones")
SIZE = 64
CATEGORIES = (
    "Smileys & Emotion",
    "People & Body",
    "Animals & Nature",
    "Food & Drink",
    "Travel & Places",
    "Activities",
    "Objects",
    "Symbols",
    "Flags",
)  # the groups of Unicode's emoji-test.txt, in its order
TONES = {"1F3FB": "light", "1F3FC": "medium-light", "1F3FD": "medium", "1F3FE": "medium-dark", "1F3FF": "dark"}
_LEFT_OUT = "Component"  # the five swatches of the skin tones: flat squares, no emoji of their own


@dataclass(frozen=True)
class Entry:
    """One picture of the index: its file, its name in lower case, its category and what it shares with its variants."""

    image: str
    name: str
    category: str
    subcategory: str
    kin: str
    toned: bool


def emoji(*, split: str = "train") -> TensorDataset:
    """The emoji of one split as uint8 ``[N, 3, 64, 64]`` on white, with their categories and names.

    Args:
        split: ``train``, ``test`` (about 15 %, held out) or ``all``; these have each emoji once, in the yellow that it has
            without a skin tone. ``train-tones``, ``test-tones`` and ``all-tones`` have the skin tones too: 1,875 pictures more,
            nearly equal to others. All variants of one emoji (skin tone, gender, direction) fall in the same split.

    Raises:
        InvalidValueError: no such split.
        DataError: the package is not found, or it is damaged.
    """
    if split not in SPLITS:
        raise InvalidValueError(f"emoji has no split '{split}'.", hint=f"Use {', '.join(SPLITS)}.")
    package = find_package()
    entries = read_index(package.index())
    files = package.pictures()
    images = [_picture(entry, files) for entry in entries]
    part, _, tones = split.partition("-")
    tested = held_out([e.kin for e in entries], [image.numpy().tobytes() for image in images])
    chosen = [i for i, e in enumerate(entries) if (tones or not e.toned) and part in ("all", "test" if tested[i] else "train")]
    if not chosen:
        raise DataError(
            f"emoji/{split} is empty: this package holds {len(entries)} pictures.", hint=f"Use all of it: {INSTALL}"
        )
    return TensorDataset(
        torch.stack([images[i] for i in chosen]),
        f"emoji/{split}",
        labels=torch.tensor([CATEGORIES.index(entries[i].category) for i in chosen]),
        class_names=CATEGORIES,
        captions=[(entries[i].name,) for i in chosen],
        licence=LICENCE,
        url=URL,
    )


def read_index(content: bytes) -> list[Entry]:
    """The pictures that ``emoji.json`` lists, in the order of their file names.

    Raises:
        DataError: it is not the index of this package.
    """
    try:
        listed = [entry for emoji in msgspec.json.decode(content) for entry in _entries(emoji)]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError) as e:
        raise DataError(f"{INDEX} is not an index of emoji: {e!r}.", hint=f"Install the package again: {INSTALL}") from e
    if not listed:
        raise DataError(f"{INDEX} lists no emoji.", hint=f"Install the package again: {INSTALL}")
    return sorted(listed, key=lambda entry: entry.image)


def _entries(emoji: dict[str, Any]) -> list[Entry]:
    if emoji["category"] == _LEFT_OUT:
        return []
    if emoji["category"] not in CATEGORIES:
        raise ValueError(f"unknown category {emoji['category']!r}")
    name = str(emoji["name"]).lower()
    variants = [(name, emoji)]
    for tones, variant in emoji.get("skin_variations", {}).items():
        variants.append((", ".join([name, *(f"{TONES[tone]} skin tone" for tone in tones.split("-"))]), variant))
    return [
        Entry(
            image=str(variant["image"]),
            name=called,
            category=emoji["category"],
            subcategory=emoji["subcategory"],
            kin=kin(emoji["unified"]),
            toned=variant is not emoji,
        )
        for called, variant in variants
        if variant["has_img_google"]
    ]


def _picture(entry: Entry, files: dict[str, bytes]) -> Tensor:
    if entry.image not in files:
        raise DataError(
            f"{INDEX} lists {entry.image}, which is not in {PICTURES}.", hint=f"Install the package again: {INSTALL}"
        )
    try:
        return torch.from_numpy(decode(files[entry.image], (3, SIZE, SIZE)))
    except BROKEN as e:
        raise DataError(f"{PICTURES}/{entry.image} is damaged: {e}.", hint=f"Install the package again: {INSTALL}") from e
