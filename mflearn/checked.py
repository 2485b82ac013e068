"""Arguments at the door: each function returns what it was given, checked, or raises one clear line. No mathematics."""

import functools
import inspect
import math
import numbers
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import numpy as np
import pandas as pd
import torch
from scipy.sparse import csr_array, issparse
from torch import Tensor

F = TypeVar("F", bound=Callable)
LARGEST = 2**63 - 1  # of whole numbers: what a tensor can hold
NUMPYS = np.str_ | np.number | np.bool_


def matrix(value: Any, name: str = "A") -> Tensor:
    """A finite real matrix as a float64 tensor of its own, whatever kind of table it came as."""
    return observed(value, None, name)[0]


def observed(value: Any, where: Any, name: str = "A") -> tuple[Tensor, Tensor | None]:
    """A matrix and the mask of its observed entries, None for all. Hidden entries may be NaN; they come back as 0."""
    array = _array(value, name)
    if array.ndim != 2:
        _refuse(ValueError, name, f"has {array.ndim} axes", "it must be a matrix, with 2")
    if array.size == 0:
        _refuse(ValueError, name, f"is empty, of shape {array.shape}", "it must have at least one row and one column")
    with np.errstate(over="ignore"):  # what is too large becomes inf, and is refused below
        table = torch.from_numpy(array.astype(np.float64))
    if where is not None:
        where = mask(where, array.shape)
        table[~where] = 0
    if not table.isfinite().all():
        i, j = (~table.isfinite()).nonzero()[0].tolist()
        _refuse(ValueError, name, f"has {table[i, j].item()} at [{i}, {j}]", "all entries must be finite")
    return table, where


def nonnegative(value: Any, name: str = "A") -> Any:
    """A matrix without negative entries: a float64 tensor, or of a sparse matrix of scipy a `csr_array`."""
    if not issparse(value):
        table = entries = matrix(value, name)
    else:
        if value.ndim != 2 or 0 in value.shape:
            _refuse(ValueError, name, f"has shape {value.shape}", "it must have at least one row and one column")
        if value.dtype.kind not in "biuf":
            _refuse(TypeError, name, f"holds {value.dtype}", "it must hold real numbers")
        table = csr_array(value, dtype=np.float64, copy=True)
        table.sum_duplicates()
        entries = torch.from_numpy(table.data)
        if not entries.isfinite().all():
            _refuse(ValueError, name, f"holds {entries[~entries.isfinite()][0]}", "all entries must be finite")
    if (entries < 0).any():
        _refuse(ValueError, name, f"holds {float(entries.min())}", "no entry may be below 0")
    return table


def stack(value: Any, name: str = "H") -> Tensor:
    """Two or more matrices of one shape without negative entries, as one float64 tensor (runs, k, n)."""
    array = _array(value, name)
    if array.ndim != 3 or len(array) < 2 or array.size == 0:
        _refuse(ValueError, name, f"has shape {array.shape}", "it must be (runs, k, n), with two runs or more")
    return torch.stack([nonnegative(table, name) for table in array])


def mask(value: Any, shape: tuple[int, ...], name: str = "mask") -> Tensor:
    """Which entries of a matrix of this shape are observed, as a bool tensor."""
    array = _array(value, name)
    if array.shape != tuple(shape):
        _refuse(ValueError, name, f"has shape {array.shape}", f"the matrix has shape {tuple(shape)}")
    if not (known := np.isin(array, (0, 1))).all():
        _refuse(ValueError, name, f"holds {array[~known][0]}", "allowed are True (observed) and False (hidden)")
    if not array.any():
        _refuse(ValueError, name, "is False everywhere", "at least one entry must be observed")
    return torch.from_numpy(array.astype(bool))


def tensors(**given: Any) -> None:
    """Matrices or batches of them, as tensors already: where a derivative is taken, nothing is converted."""
    for name, value in given.items():
        if not isinstance(value, Tensor):
            _refuse(TypeError, name, f"is {_short(value)}", "it must be a tensor")
        if value.ndim < 2:
            _refuse(ValueError, name, f"has shape {(*value.shape,)}", "it must be a matrix or a batch of them")
        if not value.is_floating_point():
            _refuse(TypeError, name, f"holds {value.dtype}", "it must hold floating-point numbers")
    if len({value.dtype for value in given.values()}) > 1:
        came = " and ".join(str(value.dtype) for value in given.values())
        _refuse(TypeError, ", ".join(given), f"hold {came}", "they must hold numbers of one kind")


def start(value: Any, shape: tuple[int, ...] | None = None) -> tuple[Tensor, Tensor]:
    """A pair (W, H) of finite factors that fit a matrix of this shape, as float64 tensors."""
    try:
        W, H = value
    except (TypeError, ValueError):
        _refuse(TypeError, "start", f"is {_short(value)}", "it must be a pair (W, H)")
    W, H = factors(W, H, shape)
    for name, X in (("W", W), ("H", H)):
        if not X.isfinite().all():
            _refuse(ValueError, f"{name} of start", f"holds {X[~X.isfinite()][0]}", "all entries must be finite")
    return W, H


def factors(W: Any, H: Any, shape: tuple[int, ...] | None = None) -> tuple[Tensor, Tensor]:
    """W (..., m, k) and H (..., k, n) that fit each other and a matrix of this shape, as float64 tensors."""
    W, H = (X if isinstance(X, Tensor) else torch.from_numpy(np.array(_array(X, s))) for X, s in ((W, "W"), (H, "H")))
    if W.is_complex() or H.is_complex():
        _refuse(TypeError, "W, H", "hold complex numbers", "they must be real")
    if W.ndim < 2 or H.ndim < 2:
        _refuse(ValueError, "W, H", f"have shapes {(*W.shape,)} and {(*H.shape,)}", "they must be matrices")
    (m, k), (rows, n) = W.shape[-2:], H.shape[-2:]
    shape = (m, n) if shape is None else shape
    if (m, n) != tuple(shape) or k != rows or k == 0:
        fits = f"A has shape {tuple(shape)}: they must be ({shape[0]}, k) and (k, {shape[1]})"
        _refuse(ValueError, "W, H", f"have shapes {(m, k)} and {(rows, n)}", fits)
    if W.shape[:-2] != H.shape[:-2]:
        _refuse(ValueError, "W, H", f"have runs of shape {(*W.shape[:-2],)} and {(*H.shape[:-2],)}", "make them equal")
    return W.detach().to(torch.float64), H.detach().to(torch.float64)


def broadcast(**shapes: tuple[int, ...]) -> None:
    """Shapes that broadcast to one batch of runs."""
    try:
        torch.broadcast_shapes(*shapes.values())
    except RuntimeError:
        have = ", ".join(f"{name} has runs of shape {(*shape,)}" for name, shape in shapes.items())
        raise ValueError(f"{have}; they must broadcast to one batch") from None


def integer(value: Any, name: str, *, least: int) -> int:
    """A whole number of at least `least`; True, 2.0 and "2" are none."""
    value = value.item() if isinstance(value, Tensor) and value.ndim == 0 else value
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        _refuse(TypeError, name, f"is {_short(value)}", f"it must be a whole number, {least} or more")
    if value < least:
        _refuse(ValueError, name, f"is {_short(value)}", f"it must be {least} or more")
    if value > LARGEST:
        _refuse(ValueError, name, f"is {_short(value)}", f"it must be {LARGEST} or less")
    return int(value)


def integers(value: Any, name: str, *, least: int) -> Tensor:
    """One whole number, or an array of them (one for each run), as an int64 tensor."""
    if isinstance(value, Tensor | np.ndarray | list | tuple | range):
        array = _array(value, name)
        if array.size == 0 or array.dtype.kind not in "iu":
            _refuse(TypeError, name, f"is {_short(value)}", f"it must hold whole numbers, {least} or more")
        if array.min() < least:
            _refuse(ValueError, name, f"holds {array.min()}", f"it must be {least} or more")
        if array.max() > LARGEST:
            _refuse(ValueError, name, f"holds {array.max()}", f"it must be {LARGEST} or less")
        return torch.from_numpy(array.astype(np.int64))
    return torch.tensor(integer(value, name, least=least))


def number(
    value: Any, name: str, *, above: float = -math.inf, least: float = -math.inf, below: float = math.inf
) -> float:
    """A finite real number `> above`, `>= least` and `< below`."""
    allowed = "a finite number" + (f" above {above:g}" if above > -math.inf else "")
    allowed += f" of at least {least:g}" if least > -math.inf else ""
    allowed += f" and below {below:g}" if below < math.inf else ""
    value = value.item() if isinstance(value, Tensor) and value.ndim == 0 else value
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        _refuse(TypeError, name, f"is {_short(value)}", f"it must be {allowed}")
    try:
        real = float(value)
    except OverflowError:  # a whole number that no float can hold
        _refuse(ValueError, name, f"is {_short(value)}", f"it must be {allowed}")
    if not (math.isfinite(real) and value > above and value >= least and value < below):
        _refuse(ValueError, name, f"is {real}", f"it must be {allowed}")
    return real


def sequence(value: Any, name: str) -> list:
    """Several things, one after the other."""
    if not isinstance(value, Iterable) or (isinstance(value, Tensor | np.ndarray) and value.ndim == 0):
        _refuse(TypeError, name, f"is {_short(value)}", "it must be a list")
    return value.tolist() if isinstance(value, Tensor | np.ndarray) else list(value)


def items(value: Any, name: str) -> list:
    """Several things that can be looked up, as the keys of a dictionary can."""
    listed = sequence(value, name)
    try:
        hash(tuple(listed))
    except TypeError:
        _refuse(TypeError, name, "holds what has no hash, such as a list", "items must be hashable")
    return listed


def path(value: Any, name: str = "path") -> Path:
    """Where a file is."""
    if not isinstance(value, str | os.PathLike):
        _refuse(TypeError, name, f"is {_short(value)}", "it must be the path of a file")
    return Path(value)


def rates(value: Any, name: str = "eta") -> Tensor:
    """One learning rate, or an array of them (one for each run), as a float64 tensor."""
    if isinstance(value, Tensor | np.ndarray | list | tuple):
        array = _array(value, name)
        if array.size == 0 or array.dtype.kind not in "iuf":
            _refuse(TypeError, name, f"is {_short(value)}", "it must hold finite numbers above 0")
        if not (np.isfinite(array).all() and array.min() > 0):
            bad = array[~(np.isfinite(array) & (array > 0))][0]
            _refuse(ValueError, name, f"holds {bad}", "it must hold finite numbers above 0")
        return torch.from_numpy(array.astype(np.float64))
    return torch.tensor(number(value, name, above=0), dtype=torch.float64)


def vector(value: Any, name: str) -> Tensor:
    """A list of finite real numbers as a float64 tensor of its own."""
    array = _array(value, name)
    if array.ndim != 1 or array.size == 0:
        came = "is empty" if array.size == 0 else f"has {array.ndim} axes"
        _refuse(ValueError, name, came, "it must be a list of numbers")
    array = array.astype(np.float64)
    if not (finite := np.isfinite(array)).all():
        at = int(finite.argmin())
        _refuse(ValueError, name, f"has {array[at]} at {at}", "all of them must be finite")
    return torch.from_numpy(array)


def labels(value: Any, name: str) -> tuple[Tensor, tuple]:
    """A list of hashable labels as numbers (N,) and the different labels, in the order of their first appearance."""
    _labels(value, name)
    if isinstance(value, Tensor):
        value = value.numpy(force=True)
    if not (isinstance(value, pd.Series | np.ndarray) and value.dtype.kind in "iuf"):  # labels of any kind, tuples too
        listed = [each.item() if isinstance(each, NUMPYS) else each for each in value]
        value = np.empty(len(listed), dtype=object)
        value[:] = listed
    if value.ndim != 1:
        _refuse(ValueError, name, f"has {value.ndim} axes", "it must be a list of labels")
    try:
        codes, different = pd.factorize(np.asarray(value))
    except TypeError:
        _refuse(TypeError, name, "holds what has no hash, such as a list", "labels must be hashable")
    if (codes < 0).any():
        _refuse(ValueError, name, f"has no label at {int((codes < 0).argmax())}", "every rating needs one")
    return torch.from_numpy(codes.astype(np.int64)), tuple(different.tolist())


def known(value: Any, places: dict, name: str) -> Tensor:
    """The places of labels that must all be known, as an int64 tensor."""
    _labels(value, name)
    value = value.tolist() if isinstance(value, Tensor | np.ndarray) or hasattr(value, "to_numpy") else list(value)
    try:
        found = [places.get(label, -1) for label in value]
    except TypeError:
        _refuse(TypeError, name, "holds what has no hash, such as a list", "labels must be hashable")
    if -1 in found:
        bad = value[found.index(-1)]
        _refuse(ValueError, name, f"holds {_short(bad)}", f"it is none of the {len(places):,} labels known here")
    return torch.tensor(found, dtype=torch.int64)


def _labels(value: Any, name: str) -> None:
    single = str | bytes | dict | pd.DataFrame
    if isinstance(value, single) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        _refuse(TypeError, name, f"is {_short(value)}", "it must be a list of labels")
    _unmasked(value, name)


def places(value: Any, count: int, name: str) -> Tensor:
    """Places in a list of `count` things, each once at most, or a mask (count,) of them, as an int64 tensor."""
    if not isinstance(value, Tensor | np.ndarray | Sequence):
        _refuse(TypeError, name, f"is {_short(value)}", f"it must hold places below {count}, or a mask of as many")
    array = _array(value, name)
    if array.dtype.kind == "b":
        if array.shape != (count,):
            _refuse(ValueError, name, f"has shape {array.shape}", f"a mask must have shape {(count,)}")
        return torch.from_numpy(array.nonzero()[0])
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        _refuse(TypeError, name, f"is {_short(value)}", f"it must hold places below {count}, or a mask of as many")
    if array.size and not -1 < array.min() <= array.max() < count:
        bad = array.min() if array.min() < 0 else array.max()
        _refuse(ValueError, name, f"holds {bad}", f"it must hold places from 0 to {count - 1}")
    taken = np.zeros(count, dtype=bool)
    taken[array.astype(np.int64)] = True
    if taken.sum() < len(array):
        _refuse(ValueError, name, "holds a place twice", "each rating can be taken once")
    return torch.from_numpy(array.astype(np.int64))


def entries(row: Any, column: Any, value: Any, shape: tuple[int, int]) -> None:
    """Places and finite values of entries of a matrix of this shape, as int64 and float64 tensors of one length."""
    sizes = []
    for name, index, kind in (
        ("user", row, torch.int64),
        ("item", column, torch.int64),
        ("value", value, torch.float64),
    ):
        if not isinstance(index, Tensor) or index.dtype != kind or index.ndim != 1:
            _refuse(TypeError, name, f"is {_short(index)}", f"it must be a tensor of one axis and {kind}")
        sizes.append(len(index))
    if len({*sizes}) > 1 or 0 in sizes:
        came = f"have {sizes[0]}, {sizes[1]} and {sizes[2]} entries"
        _refuse(ValueError, "users, items and values", came, "they must have the same number, 1 or more")
    for name, index, size in (("user", row, shape[0]), ("item", column, shape[1])):
        if index.min() < 0 or index.max() >= size:
            bad = int(index.min() if index.min() < 0 else index.max())
            _refuse(ValueError, name, f"holds {bad}", f"it must be 0 to {size - 1}")
    if not value.isfinite().all():
        _refuse(ValueError, "value", f"holds {value[~value.isfinite()][0]}", "all of them must be finite")


def choice(value: Any, name: str, allowed: Sequence) -> Any:
    """One of a few words."""
    value = value.item() if isinstance(value, NUMPYS) else value
    if not any(value is each or (type(value) is type(each) and value == each) for each in allowed):
        _refuse(ValueError, name, f"is {_short(value)}", f"it must be one of {', '.join(map(repr, allowed))}")
    return value


def flag(value: Any, name: str) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        _refuse(TypeError, name, f"is {_short(value)}", "it must be True or False")
    return bool(value)


def function(value: Any, name: str, *, takes: str, count: int | None = None) -> Callable:
    """Something that can be called; `takes` says with what, `count` with how many arguments."""
    if not callable(value):
        _refuse(TypeError, name, f"is {_short(value)}", f"it must be a function of {takes}")
    if count is not None:
        try:
            inspect.signature(value).bind(*[None] * count)
        except TypeError:
            _refuse(TypeError, name, f"cannot take {count} arguments", f"it must be a function of {takes}")
        except ValueError:  # not written in Python; the call will show it
            pass
    return value


def options(public: F) -> F:
    """Refuse an option that the function does not have, and say which ones it has."""
    title = public.__qualname__.removesuffix(".__init__")
    names = [name for name in inspect.signature(public).parameters if name not in ("self", "cls")]

    @functools.wraps(public)
    def door(*args: Any, **given: Any) -> Any:
        for name in given:
            if name not in names:
                _refuse(TypeError, title, f"has no option {_short(name)}", f"it has {', '.join(names)}")
        return public(*args, **given)

    return door


def _array(value: Any, name: str) -> np.ndarray:
    """A copy as an array of numbers: nothing done to it later reaches the caller's data."""
    _unmasked(value, name)
    if isinstance(value, pd.DataFrame) and all(kind.kind in "biuf" for kind in value.dtypes):
        value = value.to_numpy(np.float64, na_value=np.nan)  # pandas has numbers that may be missing
    try:
        array = np.array(value.numpy(force=True) if isinstance(value, Tensor) else value)
    except ValueError:
        _refuse(ValueError, name, "has rows of different lengths", "all rows must have the same length")
    except (TypeError, RuntimeError):
        _refuse(TypeError, name, f"is {_short(value)}", "it must be a table of numbers")
    if array.dtype.kind == "c":
        _refuse(TypeError, name, "holds complex numbers", "they must be real")
    if array.dtype.kind not in "biuf":
        _refuse(TypeError, name, f"holds {_short(array.flat[0])}" if array.size else "is empty", "it must hold numbers")
    return array


def _unmasked(value: Any, name: str) -> None:
    if np.ma.is_masked(value):
        _refuse(TypeError, name, "is a masked array", "hidden entries go into a mask of their own, or are left out")


def _short(value: Any) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:  # a whole number of thousands of digits, or an object of a learner's
        text = f"a {type(value).__name__}"
    return text if len(text) <= 40 else text[:37] + "..."


def _refuse(kind: type[Exception], name: str, came: str, allowed: str) -> NoReturn:
    line = f"{name} {came}; {allowed}"
    raise kind(line if len(line) <= 160 else line[:157] + "...") from None
