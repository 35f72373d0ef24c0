"""What can go wrong. An image that cannot be scored is no error: its row says so in ``status`` and ``error``."""


class PristineError(Exception):
    """The base of all errors of this package."""


class ProgramNotFound(PristineError):
    """The program ``pristine`` is not where it should be."""


class CommandError(PristineError):
    """The program ended with a failure.

    Attributes:
        exit_code: 1 failed, 2 wrong usage, negative: ended by a signal.
    """

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


class WorkerError(CommandError):
    """The program behind a :class:`~pristine_iqa.Scorer` ended, or was closed, while it was needed. It is never started again silently."""


class RequestError(PristineError, ValueError):
    """What was asked cannot be answered: no image, bytes beyond the limit, a record that is no object."""


class MissingDependency(PristineError, ImportError):
    """A library that a result or an adapter needs is not installed."""


class PristineWarning(UserWarning):
    """Something that is not a failure but should be seen, such as a dataset of which nearly all images are missing."""
