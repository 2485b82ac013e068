"""Checks of arguments: each function returns its argument in one form, or raises an error of one line. No mathematics.

The line says which argument is wrong, what came, and what is allowed: "k is 0; it must be a whole number, 1 or more".
Arrays are copied, so that nothing done to them later reaches the caller's array.
"""

import inspect
import math
import numbers
from collections.abc import Callable, Iterator, Sequence, ValuesView
from decimal import Decimal
from typing import Any

import numpy as np
import torch
from torch import Tensor

KINDS = {None: "an array", 1: "a list", 2: "a matrix", 3: "a list of matrices"}  # by the number of axes
MOST_ENTRIES = 10**8  # of an array: 800 MB
LEAST, MOST = 1e-100, 1e100  # squares and products of numbers between them are numbers of 64 bits, too


def matrix(A: Any) -> Tensor:
    """A matrix of finite real numbers as a float64 tensor, whatever kind of table it came as."""
    return array(A, "A", axes=2)


def matrix_and_mask(A: Any, mask: Any) -> tuple[Tensor, Tensor]:
    """A matrix, and which of its entries are observed, as a bool tensor. Hidden entries may be NaN; they become 0."""
    A, mask = real(A, "A", axes=2), array(mask, "mask")
    if mask.shape != A.shape:
        raise ValueError(f"mask has shape {(*mask.shape,)}; A has shape {(*A.shape,)}, and the two must be equal")
    observed = mask == 1
    if not (observed | (mask == 0)).all():
        wrong = float(mask[~observed & (mask != 0)][0])
        raise ValueError(f"mask holds {wrong:g}; its entries must be True (observed) or False (hidden)")
    if not observed.any():
        raise ValueError("mask is False everywhere; at least one entry of A must be observed")
    return _finite(A.masked_fill(~observed, 0), "A"), observed


def array(value: Any, name: str, axes: int | None = None) -> Tensor:
    """Finite real numbers as a float64 tensor. `axes` is the number of axes that it must have, None for any number."""
    return _finite(real(value, name, axes), name)


def real(value: Any, name: str, axes: int | None = None) -> Tensor:
    """Real numbers, which may still be infinite or NaN, as a float64 tensor."""
    found = as_numpy(value, name)
    if found.dtype.kind not in "biuf":  # bool, int, unsigned int, float; a table of objects may hold them, too
        real = (numbers.Real, Decimal) if found.dtype.kind == "O" else ()
        wrong = [each for each in map(_python, found.flat) if not isinstance(each, real)]
        if wrong:  # in a column of text, which one spoiled it?
            first = next((each for each in wrong if not _reads_as_number(each)), wrong[0])
            raise TypeError(f"{name} holds {short(first)}; it must hold real numbers")
    if found.size == 0 or (axes is not None and found.ndim != axes):
        raise ValueError(f"{name} has shape {found.shape}; it must be {KINDS[axes]} with at least one entry")
    try:
        return torch.from_numpy(found.astype(np.float64))  # astype copies
    except (OverflowError, ValueError) as error:  # a whole number beyond 1e308, or a decimal that signals
        raise ValueError(f"{name} holds a number that no float can be: {error}"[:160]) from None


def start(value: Any, shape: tuple[int, int] | None = None) -> tuple[Tensor, Tensor]:
    """A start: W (..., m, k) and H (..., k, n) as two float64 tensors. `shape` is the (m, n) that they must have."""
    try:
        W, H = value
    except (TypeError, ValueError):
        raise TypeError(f"start is {short(value)}; it must be a pair (W, H)") from None
    W, H = array(W, "W of start"), array(H, "H of start")
    factors(W, H, shape)
    if W.shape[:-2] != H.shape[:-2]:
        came = f"{(*W.shape[:-2],)} and {(*H.shape[:-2],)}"
        raise ValueError(f"W, H of start have runs of shapes {came}; the two must be equal")
    return W, H


def factors(W: Any, H: Any, shape: tuple[int, int] | None = None) -> None:
    """Refuse W and H that are no tensors, or do not fit each other or a matrix of this shape. Nothing is converted."""
    for name, X in (("W", W), ("H", H)):
        if not (isinstance(X, Tensor) and X.is_floating_point() and X.ndim >= 2):
            allowed = "a tensor of floating-point numbers with 2 axes or more"
            raise TypeError(f"{name} is {short(X)}; it must be {allowed}")
        if X.layout is not torch.strided or X.is_meta:
            raise TypeError(f"{name} is {short(X)}; it must be a dense tensor that holds its numbers")
    if W.dtype != H.dtype:
        raise TypeError(f"W holds {W.dtype}, H holds {H.dtype}; both must hold the same kind of numbers")
    (m, k), (rows, n) = W.shape[-2:], H.shape[-2:]
    if k != rows or (shape is not None and (m, n) != tuple(shape)):
        rows, columns = ("m", "n") if shape is None else shape
        came = f"W, H have shapes {(*W.shape[-2:],)} and {(*H.shape[-2:],)}"
        raise ValueError(f"{came}; they must have shapes ({rows}, k) and (k, {columns})")
    runs(W, H)


def runs(W: Tensor, H: Tensor) -> torch.Size:
    """The leading axes of W H, to which those of W and of H must broadcast."""
    W, H = W.shape[:-2], H.shape[:-2]
    try:
        return W if W == H else torch.broadcast_shapes(W, H)
    except RuntimeError:
        raise ValueError(f"W, H have runs of shapes {(*W,)} and {(*H,)}; they must broadcast to one batch") from None


def number(
    value: Any, name: str, *, above: float = -math.inf, least: float = -math.inf, below: float = math.inf
) -> float:
    """A finite real number with `above` < number < `below` and number >= `least`."""
    allowed = "a finite number" + (f" above {above:g}" if above > -math.inf else "")
    allowed += f" of at least {least:g}" if least > -math.inf else ""
    allowed += f" and below {below:g}" if below < math.inf else ""
    value = _python(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is {short(value)}; it must be {allowed}")
    if not (above < value < below and value >= least):  # False for nan as well
        raise ValueError(f"{name} is {value}; it must be {allowed}")
    size(abs(value), name)
    return float(value)


def size(largest: float, name: str) -> None:
    """Refuse numbers so large or so small that their squares and products could not be told from infinity or from 0."""
    if not (largest == 0 or LEAST <= largest <= MOST):
        allowed = f"the largest size must be 0, or between {LEAST:g} and {MOST:g}"
        raise ValueError(f"{name} reaches a size of {short(largest)}; {allowed}")


def entries(count: int, name: str, most: int = MOST_ENTRIES) -> None:
    """Refuse an array with so many entries that the memory may not hold it."""
    if count > most:
        raise ValueError(f"{name} would hold {short(count)} entries; at most {most:,} fit")


def slopes(found: Any, W: Tensor, H: Tensor) -> tuple[Tensor, Tensor]:
    """What the gradient of an objective gave: two tensors of the shapes of W and H, none of which torch may stretch."""
    if not isinstance(found, tuple | list) or len(found) != 2 or not all(isinstance(part, Tensor) for part in found):
        raise TypeError(f"gradient gave {short(found)}; it must give two tensors, for W and for H")
    for name, part, X in zip("WH", found, (W, H), strict=True):
        if part.shape != X.shape:
            raise ValueError(f"gradient for {name} has shape {(*part.shape,)}; it must be {(*X.shape,)}")
    return tuple(found)


def learning_rates(eta: Any) -> Tensor:
    """One number above 0, or an array of them, one for each run, as a float64 tensor."""
    rates = real(eta, "eta", axes=None)
    if not (rates.isfinite() & (rates > 0)).all():
        raise ValueError(f"eta is {short(eta)}; it must be a finite number above 0, or an array of those")
    return rates


def integer(value: Any, name: str, *, least: int) -> int:
    """A whole number of at least `least`. True, 2.0 and "2" are refused."""
    computing_on_the_cpu()  # where the arrays of this size will be made
    value = _python(value)
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {short(value)}; it must be a whole number, {least} or more")
    if value < least:
        raise ValueError(f"{name} is {short(value)}; it must be a whole number, {least} or more")
    if value >= 2**63:
        raise ValueError(f"{name} is {short(value)}; it must be below 2**63")
    return int(value)


def integers(value: Any, name: str, *, least: int) -> Tensor:
    """One whole number of at least `least`, or an array of them, one for each run, as an int64 tensor."""
    found = as_numpy(value, name)
    allowed = f"it must be a whole number, {least} or more, or an array of those"
    if any(isinstance(each, numbers.Integral) and each >= 2**63 for each in found.flat):
        raise ValueError(f"{name} is {short(value)}; it must be below 2**63")
    if found.dtype.kind not in "iu":  # whole numbers with and without sign; those beyond 64 bits are objects
        raise TypeError(f"{name} is {short(value)}; {allowed}")
    found = torch.from_numpy(found.astype(np.int64))
    if found.numel() == 0 or found.min() < least:
        raise ValueError(f"{name} is {short(value)}; {allowed}")
    return found


def function(value: Any, name: str, *arguments: str) -> None:
    """Refuse what cannot be called with so many arguments; these are named in the error."""
    if not _takes(value, arguments):
        raise TypeError(f"{name} is {short(value)}; it must be a function of {', '.join(arguments)}")


def method(value: Any, name: str, called: str, *arguments: str) -> Callable:
    """The method of this name, which must take so many arguments."""
    found = getattr(value, called, None)
    if not _takes(found, arguments):
        allowed = f"it must have a method to be called as {called}({', '.join(arguments)})"
        raise TypeError(f"{name} is {short(value)}; {allowed}")
    return found


def _takes(value: Any, arguments: Sequence[str]) -> bool:
    """Whether a value can be called with so many arguments."""
    try:
        inspect.signature(value).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # a function written in C may not tell what it takes
        return callable(value)
    return True


def loss(found: Any, runs: tuple[int, ...]) -> Tensor:
    """What an objective gave for so many runs: one number for each. A number of Python will do for a single run."""
    if isinstance(found, numbers.Real):
        found = torch.tensor(found, dtype=torch.float64)
    if not isinstance(found, Tensor):
        raise TypeError(f"objective gave {short(found)}; it must give a number for each W and H, as a tensor")
    if found.shape != runs:
        came = f"objective gave a loss of shape {(*found.shape,)}"
        raise ValueError(f"{came}; it must be {(*runs,)}, one number for each W and H: sum over the last two axes")
    return found


def choice(value: Any, name: str, allowed: Sequence) -> Any:
    """One of the `allowed` values."""
    value = _python(value)
    for each in allowed:
        if type(value) is type(each) and value == each:  # so that True is not taken for 1
            return each
    words = ", ".join(map(repr, allowed))
    raise ValueError(f"{name} is {short(value)}; it must be one of {words}"[:160])


def computing_on_the_cpu() -> None:
    """Refuse another default device of torch, on which new tensors would not meet those that were given."""
    device = torch.get_default_device()
    if device.type != "cpu":
        raise ValueError(f"torch's default device is {device}; call torch.set_default_device('cpu') for this course")


def device(value: Any) -> str:
    """The word "cpu", or "cuda" where torch finds a graphics card."""
    if choice(value, "device", ["cpu", "cuda"]) == "cuda" and not torch.cuda.is_available():
        raise ValueError("device is 'cuda', but torch finds no graphics card of NVIDIA here; it must be 'cpu'")
    return value


def as_numpy(value: Any, name: str) -> np.ndarray:
    """An array of numpy, which may still share its memory with the value."""
    computing_on_the_cpu()
    if np.ma.is_masked(value):
        raise TypeError(f"{name} is a masked array; say what is hidden in a separate mask")
    try:
        if isinstance(value, Tensor):
            value = value.detach().cpu()
            value = (value.double() if value.is_floating_point() else value).numpy(force=True)  # NumPy has no bfloat16
        elif isinstance(value, Iterator | ValuesView):
            value = [*value]
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths; they must all have the same length") from None
    except (TypeError, RuntimeError) as error:  # a sparse tensor, or one on "meta"; torch says what helps
        raise TypeError(f"{name} is {short(value)}: {' '.join(str(error).split())}"[:160]) from None


def _finite(table: Tensor, name: str) -> Tensor:
    """The same tensor; the error says where its first infinite or NaN entry is."""
    largest = float(table.abs().max())
    if math.isfinite(largest):
        size(largest, name)
        return table
    at = (~table.isfinite()).nonzero()[0].tolist()
    raise ValueError(f"{name} holds {float(table[*at])} at {at}; all entries must be finite")


def _python(value: Any) -> Any:
    """A number or word of Python, where one came as a scalar of torch or numpy."""
    return value.item() if isinstance(value, np.generic) or (isinstance(value, Tensor) and value.ndim == 0) else value


def _reads_as_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def short(value: Any) -> str:
    """How Python writes a value, on one line of at most 40 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else text[:37] + "..."
