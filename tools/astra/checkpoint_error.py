"""The one error of a checkpoint that cannot be had, read or used."""


class CheckpointError(ValueError):
    """The message says what came and what is needed; it is for whoever gave the command."""
