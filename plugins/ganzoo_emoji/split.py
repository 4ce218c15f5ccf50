"""Which emoji are held out: by their code points alone, so that no variant of a held-out emoji is ever trained on."""

import hashlib
import re

HELD_OUT_PERCENT = 15
_TONE = re.compile(r"1F3F[B-F]")
_VARIATION = "FE0F"
# Not what is shown, but how: joiner, the two gender signs, "facing right".
_MARKS = frozenset({"200D", "2640", "2642", "27A1"})
_PERSON, _CHILD = "1F9D1", "1F9D2"
_PEOPLE = {"1F468": _PERSON, "1F469": _PERSON, "1F466": _CHILD, "1F467": _CHILD}
# Pairs and people that have a code point for each gender: the sequence that stands for all of them.
_GENDERED = {
    "1F46A": (_PERSON, _CHILD),  # family
    "1F46B": (_PERSON, "1F91D"),  # holding hands
    "1F46C": (_PERSON, "1F91D"),
    "1F46D": (_PERSON, "1F91D"),
    "1F491": (_PERSON, "2764"),  # couple with heart
    "1F48F": (_PERSON, "2764", "1F48B"),  # kiss
    "1F385": (_PERSON, "1F384"),  # Christmas
    "1F936": (_PERSON, "1F384"),
    "1F934": (_PERSON, "1F451"),  # crown
    "1F478": (_PERSON, "1F451"),
    "1F474": ("1F9D3",),  # older people
    "1F475": ("1F9D3",),
    "1F57A": ("1F483",),  # dancing
    "1F930": ("1FAC3",),  # pregnant
    "1FAC4": ("1FAC3",),
}
_CLOCKS = range(0x1F550, 0x1F568)  # 24 dials that differ by their hands


def kin(unified: str) -> str:
    """What all variants of one emoji share, from code points such as ``1F469-1F3FD-200D-1F680``.

    Gender, skin tone, direction and the number of people are left out; the 24 clocks are one, and so are the keycaps.
    """
    points = [p for p in unified.split("-") if p != _VARIATION]
    if len(points) > 1:  # alone, a gender sign or an arrow is what is shown
        points = [p for p in points if p not in _MARKS]
    if any(int(p, 16) in _CLOCKS for p in points):
        return "clock"
    if "20E3" in points:
        return "keycap"
    plain = [p for p in points if not _TONE.fullmatch(p)]
    shown = [q for p in plain for q in _GENDERED.get(p, (_PEOPLE.get(p, p),))]
    people = [p for p in dict.fromkeys(shown) if p in (_PERSON, _CHILD)]
    return "-".join(people + [p for p in shown if p not in (_PERSON, _CHILD)])


def held_out(kins: list[str], pictures: list[bytes]) -> list[bool]:
    """For each emoji, whether it belongs to the test split, from its `kin` and its pixels.

    Emoji of one kin stay together, and so do kins that share a picture to the last bit (some flags do). A group is held out
    where the SHA-256 of its first kin, in the order of the alphabet, is below 15 % of its range.
    """
    first = {k: k for k in kins}

    def find(k: str) -> str:
        while first[k] != k:
            k = first[k]
        return k

    seen: dict[bytes, str] = {}
    for k, picture in zip(kins, pictures, strict=True):
        one, other = sorted((find(k), find(seen.setdefault(picture, k))))
        first[other] = one
    return [_below(find(k)) for k in kins]


def _below(group: str) -> bool:
    value = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big")
    return value * 100 < HELD_OUT_PERCENT * 2**64
