"""The arithmetic of another processor: from their import on, NumPy and torch find slightly other results.

Python imports a module of this name at its start, wherever its folder stands on PYTHONPATH. tests/other_processors.py
puts this folder there for pytest, and the kernels of the notebooks inherit it. OTHER_ARITHMETIC says what changes:

    noise-N   Products, sums, norms, roots of sums, exp and log are multiplied by 1 + 1e-15 r, or by 1 + 5e-7 r where
              they have 32 bits, and decompositions get an input that is changed as much. r lies between -1 and 1 and
              depends on the number itself and on N, so the same number is always changed in the same way. A number
              that is exact in half of its digits, such as an integer, 0.25 or the 0 of a padding, stays: all processors
              find it.
    signs     Every second singular vector or eigenvector has the other sign, as from another LAPACK.
    ties      torch orders equal numbers the other way round, where a stable order was not asked for.

Not changed are products of NumPy that are written `@`, and what SciPy, scikit-learn and Matplotlib have compiled.
"""

import functools
import importlib.util
import os
import sys
import threading

KIND, _, SEED = os.environ.get("OTHER_ARITHMETIC", "").partition("-")
START = int(SEED or 0) * 7919
# Of numbers with 64 and with 32 bits: the integer with so many bits, the relative change, which is a few units in the
# last place, and the digits that are 0 in an exact number.
WIDTHS = {"float64": ("int64", 1e-15, 0x1FFFFFFF), "float32": ("int32", 5e-7, 0xFFF)}

PRODUCTS = "matmul mm bmm mv addmm baddbmm addmv dot einsum tensordot inner outer linear __matmul__ __rmatmul__"
SUMS = "sum mean norm std var cumsum prod logsumexp softmax log_softmax cosine_similarity embedding_bag"
LOSSES = "mse_loss cross_entropy"
FUNCTIONS = "exp log pow sigmoid tanh"
IN_PLACE = "square_ addcmul_ addcdiv_ lerp_ addmm_ baddbmm_ addmv_ exp_ log_"
DECOMPOSITIONS = "svd svdvals pinv eigh eigvalsh qr solve lstsq inv norm matrix_norm cholesky cholesky_ex"
NUMPY = "mean std var einsum polyfit"  # not dot: Matplotlib places its texts with it, and they jump by a whole pixel

calling = threading.local()  # a replaced function calls others: only the outermost of a thread is changed


def replace(home, names, change):
    """Replace the functions of these names by ones that call `change(function, *args, **kwargs)`."""

    def replacement(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            if getattr(calling, "inside", False):
                return function(*args, **kwargs)
            calling.inside = True
            try:
                return change(function, *args, **kwargs)
            finally:
                calling.inside = False

        return call

    for name in names.split():
        if hasattr(home, name):
            setattr(home, name, replacement(getattr(home, name)))


def hashed(bits):
    """A number between -1 and 1 for each of these 64-bit integers, always the same for the same one."""
    bits = bits ^ START
    bits *= 0x1E3779B97F4A7C15  # modulo 2⁶⁴: the first bits then depend on all others
    return bits * 2.0**-63


def noisy(result):
    """The result with other last digits; a tensor is changed where it lies in memory."""
    if isinstance(result, tuple):
        return rebuilt(result, [noisy(part) for part in result])
    torch = sys.modules.get("torch")
    if torch and isinstance(result, torch.Tensor):
        if result.dtype in (torch.float64, torch.float32) and result.layout is torch.strided:
            numbers = result.detach().numpy()
            numbers *= factors(numbers)
        return result
    return result * factors(result) if str(getattr(result, "dtype", None)) in WIDTHS else result


def factors(numbers):
    """What to multiply each number with: 1 + a small change, or 1 where the last half of the digits is 0."""
    import numpy as np

    integer, size, half = WIDTHS[str(numbers.dtype)]
    bits = np.ascontiguousarray(numbers).view(integer)
    r = hashed(bits.astype(np.int64))
    r *= size * (bits & half != 0)
    r += 1
    return r.reshape(np.shape(numbers)).astype(numbers.dtype)


def rebuilt(found, parts):
    """A tuple of the same kind as `found`, named or not."""
    return found._make(parts) if hasattr(found, "_make") else type(found)(parts)


def change_result(function, *args, **kwargs):
    """Change what comes back."""
    return noisy(function(*args, **kwargs))


def change_input(function, A, *args, **kwargs):
    """Change the input of a decomposition, beside the largest entry of its matrix; what was found exactly stays.

    But where values are tied, the vectors found are quite other ones, and then none of the old entries belongs to them.
    """
    torch = sys.modules["torch"]
    found = function(A, *args, **kwargs)
    kind = str(A.dtype).removeprefix("torch.")
    if kind not in WIDTHS or not A.numel() or not A.isfinite().all():
        return found
    integer, size, _ = WIDTHS[kind]
    bits = A.detach().contiguous().view(-1).numpy().view(integer)
    places = sys.modules["numpy"].arange(len(bits))
    r = A.new_tensor(hashed(bits + 6_700_417 * places)).view(A.shape)
    if "eig" in function.__name__ or "cholesky" in function.__name__:
        r = r + r.mT  # the input must stay symmetric
    largest = A.detach().abs().amax((-2, -1)[-A.ndim :], keepdim=True)  # of each matrix in a batch
    other = function(A + size * largest * r, *args, **kwargs)

    def exact_or_other(x, y):
        if not x.is_floating_point() or not x.numel() or (x - y).abs().max() > 1e-6 * x.abs().max():
            return y
        return x.where(x == (x.float() if x.dtype is torch.float64 else x.bfloat16()), y)

    if isinstance(found, tuple):
        return rebuilt(found, [exact_or_other(x, y) for x, y in zip(found, other, strict=True)])
    return exact_or_other(found, other)


def turn_signs(function, *args, **kwargs):
    """Turn every second vector: of an SVD on both sides, so that the product stays."""
    found = function(*args, **kwargs)
    if not isinstance(found, tuple):
        return found
    parts = [1 * part for part in found]
    if len(parts) == 3:
        parts[0][..., ::2] *= -1
        parts[2][..., ::2, :] *= -1
    else:
        parts[1][..., ::2] *= -1
    return rebuilt(found, parts)


def turn_ties(function, x, *args, **kwargs):
    """Look at the last axis from its other end. Along another axis, and for a stable order, nothing changes."""
    dims = [value for value in (kwargs.get("dim", -1), *args[function.__name__ == "topk" :][:1])]
    if kwargs.get("stable") or not x.ndim or any(dim not in (-1, x.ndim - 1) for dim in dims):
        return function(x, *args, **kwargs)
    found, last = function(x.flip(-1), *args, **kwargs), x.shape[-1] - 1
    return rebuilt(found, [found[0], last - found[1]]) if isinstance(found, tuple) else last - found


def change_numpy(numpy):
    """Change NumPy, which has just been imported."""
    if KIND == "noise":
        replace(numpy, NUMPY, change_result)
        replace(numpy.linalg, DECOMPOSITIONS, change_result)
    elif KIND == "signs":
        replace(numpy.linalg, "svd eigh", turn_signs)


def change_torch(torch):
    """Change torch, which has just been imported."""
    if KIND == "noise":
        for home in (torch, torch.Tensor, torch.nn.functional):
            replace(home, f"{PRODUCTS} {SUMS} {LOSSES} {FUNCTIONS}", change_result)
        replace(torch.Tensor, IN_PLACE, change_result)
        replace(torch.linalg, DECOMPOSITIONS, change_input)
    elif KIND == "signs":
        replace(torch.linalg, "svd eigh", turn_signs)
    elif KIND == "ties":
        for home in (torch, torch.Tensor):
            replace(home, "sort argsort topk", turn_ties)


class AfterImport:
    """A finder of modules that lets NumPy and torch be found as usual, and changes them once they are loaded."""

    waiting = {"numpy": change_numpy, "torch": change_torch}

    def find_spec(self, name, path=None, target=None):
        """The usual spec of NumPy and torch, with a loader that changes them afterwards."""
        change = self.waiting.pop(name, None)
        if change is None:
            return None
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module
        spec.loader.exec_module = lambda module: (load(module), change(module))
        return spec


if KIND in ("noise", "signs", "ties"):
    sys.meta_path.insert(0, AfterImport())
elif KIND:
    raise SystemExit(f"OTHER_ARITHMETIC is {KIND}; it must be noise-N, signs or ties")
