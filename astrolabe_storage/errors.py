"""What can go wrong with a store that is not a refusal?

`astrolabe_core.ports.StorageUnavailable` is the third: there, and not answering.
"""


class OpeningError(Exception):
    """The store cannot be opened as asked; the message says why, and what to do."""


class ConstraintViolated(Exception):  # noqa: N818 - named by what is so
    """A write that the tables forbid: a bug of whoever sent it. Nothing of it was done."""
