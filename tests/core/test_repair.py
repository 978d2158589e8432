"""Broken JSON is mended without a model, or left alone."""

from astrolabe_core.repair import candidates


def test_the_text_itself_comes_first() -> None:
    assert candidates("{}")[0] == "{}"
