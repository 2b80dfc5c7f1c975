"""What asking a server may come to, beyond what the network gets over by being asked again."""

from seiryu.corpus.errors import InputError, SeiryuError


class Forbidden(SeiryuError):
    """A server answered 403: nobody asks it again in this run; the text says what it may mean and what to do."""


class NotThere(InputError):
    """A server answered 404: there is no such object."""


class EndsBefore(InputError):
    """An object has no such bytes: it is shorter."""


class Unreachable(SeiryuError):
    """A server was given up after all allowed attempts; it may go well later, so the unit is tried again."""
