"""Words from files are shown to people as they are, as far as that is safe."""

from ganzoo.checkpoint.wording import printable, printable_shape


def test_harmless_words_are_untouched() -> None:
    assert printable("main.0.weight ü 画像 'x'") == "main.0.weight ü 画像 'x'"


def test_what_could_mislead_a_terminal_is_spelt_out() -> None:
    assert printable("\x1b[2J\r\n\u202e\ud800\x9b") == r"\x1b[2J\r\n\u202e\ud800\x9b"


def test_long_words_and_shapes_are_cut() -> None:
    assert printable("x" * 100, 5) == "xxxxx…"
    assert printable_shape([1, 2]) == "[1, 2]"
    assert printable_shape([7] * 100, 3) == "[7, 7, 7, …]"
    assert len(printable_shape([2**200] * 100)) < 300
