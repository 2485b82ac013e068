"""What an answer gave, as values that can be compared: numbers, words, tensors, and lists of them."""

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..descent import Factors

DEEPEST = 20  # lists in lists
MOST_PARTS = 200_000  # numbers, letters and parts of lists, all together
BASIC = (bool, int, float, complex, str)


class TooLarge(Exception):
    """There is more in a value than anybody could compare."""


def comparable(value: Any) -> Any:
    """A copy of a value, which no longer changes, runs no code of the learner's, and has an end. Raises TooLarge.

    Numbers, words, tensors, arrays and lists of them keep their meaning. Of an object of any other class, and of a list
    that is too deep in others, only the name of the class remains.
    """
    left = MOST_PARTS

    def take(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise TooLarge

    def copy(value: Any, depth: int) -> Any:
        take(len(value) if isinstance(value, str) else 1)
        if value is None or value is ...:
            return value
        for kind in BASIC:
            if isinstance(value, kind):
                return kind(value)
        if isinstance(value, Factors):  # `W, H = …` takes it apart, so it counts as a pair
            value = tuple(value)
        if isinstance(value, (tuple, list, range, set, frozenset)) and depth < DEEPEST:
            parts = [copy(part, depth + 1) for part in value]
            if isinstance(value, (set, frozenset)):
                return set(parts)
            return tuple(parts) if isinstance(value, tuple) else parts
        if isinstance(value, Tensor):
            take(value.numel())
            dense = value.detach().cpu().to_dense().as_subclass(Tensor)
            return dense.clone(memory_format=torch.contiguous_format)
        if not hasattr(value, "__array__"):
            return _empty_object(type(value).__name__)
        try:
            array = np.asarray(value)
        except Exception:  # it only looks like an array
            return _empty_object(type(value).__name__)
        take(array.size)
        if array.dtype.kind not in "biufc":
            return _empty_object(type(value).__name__)
        return array.item() if isinstance(value, np.generic) else array.copy()

    return copy(value, depth=0)


@cache
def _empty_object(name: str) -> Any:
    """An object of a class with this name, always the same."""
    return type(name, (), {})()
