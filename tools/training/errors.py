"""The error of a training that cannot be done as it was asked for."""


class TrainingError(ValueError):
    """The message says what came and what is needed; for the person at the command line."""
