"""The solvers on another device: on a graphics card where there is one, and on a pretended one everywhere."""

from functools import partial

import pytest
import torch
from test_recommend import invented, sweeps
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map_only

from mflearn import checked
from mflearn.model import Model
from mflearn.recommend import als, bayes, fit, implicit

SOLVERS = {"als": als, "als without biases": partial(als, biases=False), "bayes": bayes, "implicit": implicit}
ACROSS = "copy_", "_to_copy", "index"  # operations that may take tensors of two devices


class There(torch.Tensor):
    """A tensor that says that it is on the device "meta", and is here."""

    @staticmethod
    def __new__(cls, here):
        options = {"strides": here.stride(), "storage_offset": here.storage_offset(), "dtype": here.dtype}
        return torch.Tensor._make_wrapper_subclass(cls, here.shape, device="meta", **options)

    def __init__(self, here):
        self.here = here

    @classmethod
    def __torch_dispatch__(cls, operation, types, arguments=(), options=None):
        with Pretend():
            return operation(*arguments, **(options or {}))


class Pretend(TorchDispatchMode):
    """What is asked for on "meta" is computed here; an operation on tensors of two devices is an error there, too."""

    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        options = dict(options or {})
        tensors = [each for each in tree_flatten((arguments, options))[0] if isinstance(each, torch.Tensor)]
        there = [isinstance(each, There) for each in tensors]
        name = operation.overloadpacket.__name__
        if any(there) and name not in ACROSS:
            assert all(far or each.ndim == 0 for far, each in zip(there, tensors, strict=True)), f"{name}: two devices"
        far = any(there)
        if options.get("device") is not None:
            far = torch.device(options["device"]).type == "meta"
            options["device"] = "cpu"
        if name == "copy_":
            far = there[0]
        arguments, options = tree_map_only(There, lambda each: each.here, (arguments, options))
        found = operation(*arguments, **options)
        return tree_map_only(torch.Tensor, There, found) if far else found


@pytest.mark.parametrize("name", SOLVERS)
def test_solvers_stay_on_their_device(name, monkeypatch):
    """No operation mixes tensors of two devices, and the model that comes back is that of the processor."""
    ratings, _ = invented(30, 20)
    wanted = fit(ratings, 3, solver=SOLVERS[name], sweeps=3)
    monkeypatch.setattr(checked, "device", lambda value: value)
    with Pretend():
        (*_, last) = sweeps(SOLVERS[name](ratings, 3, device="meta"), 3)
        assert last.Z.device.type == "meta" and last.prior.precision.device.type == "meta"
        last = last.cpu()
    model = Model.of(ratings, last)
    assert type(model.W) is torch.Tensor and torch.allclose(model.W, wanted.W, rtol=0, atol=1e-12)
    assert torch.allclose(model.prior.precision, wanted.prior.precision, rtol=1e-9)
    assert torch.allclose(model.user(3).predict(), wanted.user(3).predict(), rtol=0, atol=1e-12)


def test_the_pretended_device_finds_what_a_card_would_refuse():
    with Pretend():
        there = torch.ones(3, 3).to("meta")
        assert there.device.type == "meta" and float((2 * there).sum()) == 18 and there.cpu().sum() == 9
        for mixed in (lambda: there + torch.ones(3), lambda: there @ torch.ones(3, 3)):
            with pytest.raises(AssertionError, match="two devices"):
                mixed()
        there[0] = 5
        assert there.cpu()[0].tolist() == [5, 5, 5]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card here")
def test_a_card_that_is_not_here_is_refused_in_one_line():
    ratings, _ = invented(12, 9)
    for call in (partial(fit, ratings, 2, device="cuda"), lambda: next(als(ratings, 2, device="cuda"))):
        with pytest.raises(
            ValueError, match="^device is 'cuda', but torch finds no graphics card of NVIDIA here; it must"
        ):
            call()


def test_another_word_is_no_device():
    with pytest.raises(ValueError, match="^device is 'tpu'; it must be one of 'cpu', 'cuda'$"):
        fit(invented(12, 9)[0], 2, device="tpu")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card here")
@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_card_gives_the_model_of_the_processor(name, dtype):
    ratings, _ = invented(300, 200)
    solver = partial(SOLVERS[name], dtype=dtype)
    here, there = (fit(ratings, 8, solver=solver, device=device) for device in ("cpu", "cuda"))
    assert there.W.device.type == "cpu" and there.W.dtype == dtype
    product = [(model.W @ model.H).double() for model in (here, there)]
    assert torch.allclose(*product, atol=1e-3 if dtype == torch.float32 else 1e-8)
