"""The mistakes that a person can mend, each with a sentence that says what, where and what to do."""


class SeiryuError(Exception):
    """Something a person can mend; its text is shown without a traceback."""


class InputError(SeiryuError):
    """An input that no second try will change: not an archive, a damaged table, a missing file."""


class StorageFull(SeiryuError):
    """Nothing more can be written where the run lives; going on would only fail unit after unit."""


class NodeFull(SeiryuError):
    """No room for temporary files on this machine; another one may have some."""


class NotWritable(SeiryuError):
    """A place that takes no files, such as a directory below a file, or one of somebody else."""


class LawBroken(SeiryuError):
    """Records in and records accounted for differ: a defect of seiryu, never of the input."""
