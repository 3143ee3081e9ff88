"""The errors of this backend; who may read which."""


class SavedModelError(ValueError):
    """The model cannot be served; one sentence for whoever installed it says why."""


class InputError(ValueError):
    """The input is at fault, and the message says how; safe to show to whoever sent it."""


class AnswerError(RuntimeError):
    """The SavedModel's answer is not what its signature says; for the log, and without data."""
