"""Values as JSON, and back: numbers, words, tensors, and lists of them. Of all else only the name of its class travels.

So what comes out of a learner's process can be looked at, and never runs.
"""

import base64
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..descent import Factors

DEEPEST = 20  # lists in lists
CONTAINERS = {"tuple": tuple, "dict": dict, "set": (set, frozenset)}  # all others are lists


def write(value: Any, depth: int = 0) -> Any:
    """What `json.dumps` takes."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if value is ...:
        return {"dots": None}
    if isinstance(value, Factors):  # `W, H = …` takes it apart, so it counts as a pair
        value = tuple(value)
    if isinstance(value, complex):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, (Tensor, np.ndarray, np.generic)) or hasattr(value, "__array__"):
        return _write_numbers(value)
    if isinstance(value, (tuple, list, dict, set, frozenset, range)) and depth < DEEPEST:
        kind = next((kind for kind, of in CONTAINERS.items() if isinstance(value, of)), "list")
        parts = value.items() if kind == "dict" else value
        return {kind: [write(part, depth + 1) for part in parts]}
    return _named(value)


def read(written: Any) -> Any:
    """The value; a thing without a meaning, but of a class with that name, for what cannot travel."""
    if not isinstance(written, dict):
        return written
    ((kind, parts),) = written.items()
    match kind:
        case "dots":
            return ...
        case "complex":
            return complex(*parts)
        case "tensor" | "array":
            dtype, shape, data = parts
            array = np.frombuffer(base64.b64decode(data), dtype).reshape(shape).copy()
            return torch.from_numpy(array) if kind == "tensor" else array
        case "class":
            return _stand_in(parts)
    values = [read(part) for part in parts]
    return {"tuple": tuple, "dict": dict, "set": set, "list": list}[kind](values)


def _write_numbers(value: Any) -> Any:
    try:
        if isinstance(value, Tensor):
            still = value.detach().cpu().to_dense().resolve_conj().resolve_neg()
            array = (still.double() if still.dtype == torch.bfloat16 else still).numpy()
        else:
            array = np.asarray(value)
    except Exception:  # quantised, of a class that only looks like an array
        return _named(value)
    if array.dtype.kind not in "biufc":
        return _named(value)
    if array.dtype.itemsize > 8 and array.dtype.kind == "f":  # a float of 80 bits
        array = array.astype(np.float64)
    if isinstance(value, np.generic):
        return write(array.item())
    data = base64.b64encode(array.tobytes()).decode()
    return {"tensor" if isinstance(value, Tensor) else "array": [array.dtype.str, list(array.shape), data]}


def _named(value: Any) -> dict[str, str]:
    return {"class": type(value).__name__[:40]}


@cache
def _stand_in(name: str) -> Any:
    return type(name, (), {})()
