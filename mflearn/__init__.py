"""Matrix factorization, A ≈ W H, to learn from: the package behind the notebooks. The README lists its modules."""

__version__ = "0.1.0"


def progress():
    """What you have done of the exercises and questions, as a small table."""
    from .exercises import progress as table  # not before it is asked for: it loads torch

    return table()
