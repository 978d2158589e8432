"""The glossary keeps secrets out of sight."""

from astrolabe_core.messages import Load, Opened
from tests.flow.world import NOW, arrival


def test_the_hash_of_a_key_is_in_no_repr() -> None:
    """litellm #30670: keys echoed in errors and logs."""
    assert "hash'" not in repr(arrival())
    assert "secret" not in repr(Load(key_hash="secret", at=NOW, stack=None))


def test_an_open_stream_is_no_part_of_what_an_event_is() -> None:
    """Two events of one kind at one instant are equal, whatever socket stands behind them."""
    assert Opened(object(), NOW) == Opened(object(), NOW)
