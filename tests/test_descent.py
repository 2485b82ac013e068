"""The loop walks as torch's optimizers do; a batch is its single runs; a diverging run ends with word of it."""

import itertools
from functools import partial

import numpy as np
import pytest
import torch

from mflearn import descent
from mflearn.descent import Adam, Factors, GradientDescent, Momentum, descend, factorize, random_factors, record
from mflearn.exact import lowest_loss, stable_eta
from mflearn.gradients import by_autograd
from mflearn.matrices import low_rank_matrix, toy_matrix
from mflearn.objectives import Frobenius, square

A = toy_matrix()
THEIRS = {  # what torch calls them
    GradientDescent: torch.optim.SGD,
    Momentum: partial(torch.optim.SGD, momentum=0.9),
    Adam: torch.optim.Adam,
}
RULES = list(THEIRS)


def torch_walk(A, W, H, optimizer, steps):
    """As a book on torch has it: two parameters, autograd, an optimizer. Nothing of the package."""
    W, H = W.clone().requires_grad_(), H.clone().requires_grad_()
    optimizer = optimizer([W, H])
    points, losses = [], []
    for step in range(steps + 1):
        optimizer.zero_grad()
        loss = ((W @ H - A) ** 2).sum()
        points.append((W.detach().clone(), H.detach().clone()))
        losses.append(loss.detach())
        if step < steps:
            loss.backward()
            optimizer.step()
    W, H = map(torch.stack, zip(*points, strict=True))
    return W, H, torch.stack(losses)


def farthest(run, walk):
    W, H, loss = walk
    assert run.path.W.shape == W.shape and run.path.H.shape == H.shape and run.loss.shape == loss.shape
    assert (W[-1] - W[0]).abs().max() > 1e-2  # torch has gone somewhere
    return max(float((ours - theirs).abs().max()) for ours, theirs in zip((*run.path, run.loss), walk, strict=True))


SAME_RULE = {
    "descent": (GradientDescent, torch.optim.SGD),
    "momentum": (Momentum, partial(torch.optim.SGD, momentum=0.9)),
    "momentum 0.5": (partial(Momentum, mu=0.5), partial(torch.optim.SGD, momentum=0.5)),
    "adam": (Adam, torch.optim.Adam),
}


@pytest.mark.parametrize("name", SAME_RULE)
@pytest.mark.parametrize("k", [1, 2, 3])
def test_our_rules_walk_as_those_of_torch(name, k):
    ours, theirs = SAME_RULE[name]
    walk = torch_walk(A, *random_factors(4, 2, k, seed=k), partial(theirs, lr=0.02), 300)
    for rule in (ours, theirs):
        run = factorize(A, k, eta=0.02, steps=300, rule=rule, seed=k, keep_path=True)
        assert farthest(run, walk) < 1e-12


@pytest.mark.parametrize("rule", RULES)
def test_a_rate_for_each_run_is_the_same_rule(rule):
    """Adam takes a shorter way with a single η than with one for each run; torch has only the single η."""
    rates = [0.005, 0.02]
    run = factorize(A, 2, eta=rates, steps=300, rule=rule, keep_path=True)
    torch_rule = THEIRS[rule]
    for i, eta in enumerate(rates):
        walk = torch_walk(A, *random_factors(4, 2, 2), partial(torch_rule, lr=eta), 300)
        assert farthest(run[i], walk) < 1e-12


FIRST_ORDER = {
    "SGD": (torch.optim.SGD, 0.02),
    "SGD, Nesterov": (partial(torch.optim.SGD, momentum=0.9, nesterov=True), 0.01),
    "SGD, decay": (partial(torch.optim.SGD, weight_decay=0.1, momentum=0.5, dampening=0.5), 0.02),
    "Adam": (torch.optim.Adam, 0.02),
    "AMSGrad": (partial(torch.optim.Adam, amsgrad=True), 0.02),
    "AdamW": (torch.optim.AdamW, 0.02),
    "Adamax": (torch.optim.Adamax, 0.02),
    "NAdam": (torch.optim.NAdam, 0.02),
    "RAdam": (torch.optim.RAdam, 0.02),
    "Adagrad": (torch.optim.Adagrad, 0.1),
    "Adadelta": (torch.optim.Adadelta, 0.3),  # at 1 it never settles, and rounding grows
    "RMSprop": (torch.optim.RMSprop, 0.01),
    "Rprop": (torch.optim.Rprop, 0.01),
    "ASGD": (torch.optim.ASGD, 0.02),
}


@pytest.mark.parametrize("name", FIRST_ORDER)
def test_any_first_order_optimizer_of_torch_is_a_rule(name):
    rule, eta = FIRST_ORDER[name]
    run = factorize(A, 2, eta=eta, steps=300, rule=rule, keep_path=True)
    walk = torch_walk(A, *random_factors(4, 2, 2), partial(rule, lr=eta), 300)
    assert farthest(run, walk) < 1e-12


@pytest.mark.parametrize("rule", [torch.optim.SGD, torch.optim.Adam])
def test_an_optimizer_of_torch_takes_a_batch_of_seeds_at_one_rate(rule):
    batch = factorize(A, 2, eta=0.02, steps=200, rule=rule, seed=range(4))
    for seed in range(4):
        assert_same(batch[seed], factorize(A, 2, eta=0.02, steps=200, rule=rule, seed=seed))


def assert_same(one, alone):
    """The same run but for rounding, which differs between the products of one matrix and of many."""
    assert one.last == alone.last and one.diverged == alone.diverged and one.k == alone.k
    assert one.loss.shape == alone.loss.shape
    assert torch.allclose(one.loss, alone.loss, rtol=1e-9, atol=1e-12 * float(square(A)))
    assert one.W.shape == alone.W.shape and one.H.shape == alone.H.shape
    assert torch.allclose(one.factors.Z, alone.factors.Z, rtol=1e-9, atol=1e-11)


CALM = {  # in units of η*: elsewhere a rule blows rounding up, Momentum at 0.95 and Adam at 8 a million times and more
    GradientDescent: [0.3, 0.95, 2.5, 0.7, 0.1, 8.0],
    Momentum: [0.3, 0.6, 2.5, 0.7, 0.1, 8.0],
    Adam: [0.3, 0.95, 0.5, 0.7, 0.1, 0.8],
}


def test_every_rule_is_compared_with_one_of_torch():
    rules = {one for one in vars(descent).values() if isinstance(one, type) and hasattr(one, "step")}
    assert rules == {*THEIRS}, "name each rule in THEIRS, above"
    assert rules == {*CALM}, "give each rule six learning rates in CALM, above"


def each_its_own(runs, rule=GradientDescent):
    """k, η and seed that all differ between runs; every third run diverges, but none of Adam, which hardly can."""
    index = torch.arange(max(1, int(torch.tensor(runs).prod()))).reshape(runs)
    factor = torch.tensor(CALM[rule], dtype=torch.float64)[index % 6]
    return {"k": 1 + index % 3, "eta": factor * stable_eta(A), "seed": 7 * index}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("runs", [(), (3,), (2, 3)])
def test_a_batch_is_its_runs(rule, runs):
    """Also those that diverge. Not for η between about 1.0 and 1.9 η*: there a run neither settles nor leaves.

    It oscillates, for some η chaotically, and then rounding grows without bound, between any two computers too.
    """
    given = each_its_own(runs, rule)
    batch = factorize(A, given["k"], eta=given["eta"], seed=given["seed"], steps=400, rule=rule, keep_path=True)
    assert batch.last.shape == batch.diverged.shape == batch.k.shape == runs
    if rule is GradientDescent and runs:
        assert batch.diverged.flatten().tolist() == [False, False, True, False, False, True][: batch.k.numel()]
    for at in itertools.product(*map(range, runs)):
        k, eta, seed = (int(given["k"][at]), float(given["eta"][at]), int(given["seed"][at]))
        alone = factorize(A, k, eta=eta, seed=seed, steps=400, rule=rule, keep_path=True)
        one = batch[at] if runs else batch
        assert_same(one, alone)
        assert one.path.Z.shape == alone.path.Z.shape
        good = int(one.last) + 1
        assert torch.allclose(one.path.Z[:good], alone.path.Z[:good], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("count", [300, 1500])
def test_a_large_batch_whose_runs_lie_last_in_memory_is_its_runs(count):
    given = each_its_own((count,))
    points = descend(
        itertools.repeat(Frobenius(A)),
        random_factors(4, 2, given["k"], seed=given["seed"]),
        partial(GradientDescent, eta=given["eta"]),
    )
    assert next(points).Z.stride(0) == 1
    batch = factorize(A, given["k"], eta=given["eta"], seed=given["seed"], steps=200)
    for i in range(0, count, count // 60):
        k, eta, seed = int(given["k"][i]), float(given["eta"][i]), int(given["seed"][i])
        assert_same(batch[i], factorize(A, k, eta=eta, seed=seed, steps=200))


def test_k_eta_and_seed_broadcast_to_one_batch():
    batch = factorize(A, [[1], [2]], eta=[0.01, 0.03, 0.05], seed=[[4], [5]], steps=50)
    assert batch.k.tolist() == [[1, 1, 1], [2, 2, 2]]
    assert batch.loss.shape == (51, 2, 3) and batch.WH.shape == (2, 3, 4, 2)
    assert_same(batch[1, 2], factorize(A, 2, eta=0.05, seed=5, steps=50))
    assert_same(batch[0][1], factorize(A, 1, eta=0.03, seed=4, steps=50))
    assert torch.equal(batch[:, 1].loss, batch.loss[:, :, 1])


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("shape", [(4, 2), (6, 5), (20, 12)])
def test_padding_with_zero_columns_changes_nothing(rule, shape):
    """The gradient of a zero column with a zero row is zero, and no rule moves it: what is padding stays exactly 0.

    The other entries are the same but for rounding: some libraries multiply a wider matrix in another order.
    """
    matrix, small = low_rank_matrix(*shape, k=2, noise=0.1), random_factors(*shape, 2)
    padded = Factors(torch.nn.functional.pad(small.Z, (0, 3)), small.m)
    eta = 0.5 * float(stable_eta(matrix))
    one, other = (factorize(matrix, start=s, eta=eta, steps=300, rule=rule, keep_path=True) for s in (small, padded))
    assert torch.allclose(one.path.Z, other.path.Z[..., :2], rtol=1e-9, atol=1e-11)
    assert torch.allclose(one.loss, other.loss, rtol=1e-9, atol=1e-12 * float(square(matrix)))
    assert other.path.Z[..., 2:].abs().max() == 0.0
    assert (one.path.Z[-1] - one.path.Z[0]).abs().max() > 1e-2


def test_smaller_ranks_of_a_batch_start_as_alone_and_are_padded():
    batch = random_factors(4, 2, [1, 3], seed=[8, 9])
    assert torch.equal(batch.Z[0, :, :1], random_factors(4, 2, 1, seed=8).Z) and not batch.Z[0, :, 1:].any()
    assert torch.equal(batch.Z[1], random_factors(4, 2, 3, seed=9).Z)


def test_random_factors_are_the_numbers_of_torch_rand():
    W, H = random_factors(3, 4, 2, seed=5, scale=0.1)
    generator = torch.Generator().manual_seed(5)
    assert torch.equal(W, 0.1 * torch.rand(3, 2, dtype=torch.float64, generator=generator))
    assert torch.equal(H, 0.1 * torch.rand(2, 4, dtype=torch.float64, generator=generator))


@pytest.mark.parametrize("rule", RULES)
def test_a_start_of_zeros_never_moves(rule):
    run = factorize(A, start=(torch.zeros(4, 2), torch.zeros(2, 2)), eta=0.05, steps=100, rule=rule)
    assert not run.factors.Z.any() and not run.diverged and run.last == 100
    assert (run.loss == square(A)).all()


@pytest.mark.parametrize("rule", RULES)
def test_an_all_equal_start_stays_rank_1(rule):
    """Equal columns have equal gradients, so k = 2 gets no further than k = 1."""
    run = factorize(A, start=(torch.full((4, 2), 0.5), torch.full((2, 2), 0.5)), eta=0.02, steps=2000, rule=rule)
    assert torch.linalg.svdvals(run.WH)[1] < 1e-12
    assert float(run.loss[-1]) == pytest.approx(float(lowest_loss(A, 1)), rel=1e-6)
    assert lowest_loss(A, 2) < 1e-20 < float(run.loss[-1])


@pytest.mark.parametrize("rule", [GradientDescent, Momentum, torch.optim.SGD, partial(torch.optim.SGD, momentum=0.9)])
@pytest.mark.parametrize("eta", [10, 100, 1e6, 1e200])
def test_divergence_is_never_silent_and_never_a_crash(rule, eta):
    """With warnings as errors. What is kept is the last good step, and the history ends one step after it."""
    batch = factorize(A, 2, eta=eta, steps=300, rule=rule, seed=range(20), keep_path=True)
    assert batch.diverged.all() and (batch.last < 300).all()
    assert batch.factors.Z.isfinite().all()
    assert not batch.loss.isnan().any()
    for seed in range(20):
        run = factorize(A, 2, eta=eta, steps=300, rule=rule, seed=seed, keep_path=True)
        last = int(run.last)
        assert run.diverged and len(run.loss) == len(run.path.Z) == last + 2
        limit = 1e6 * max(float(run.loss[0]), float(square(A)))
        assert (run.loss[:-1] <= limit).all() and run.loss[-1] > limit
        assert torch.equal(run.factors.Z, run.path.Z[last])
        assert float(square(run.WH - A)) == pytest.approx(float(run.loss[last]), rel=1e-12)
        assert_same(batch[seed], run)


def test_a_loss_beyond_all_numbers_is_inf():
    run = factorize(A, 2, eta=1e200, steps=10)
    assert run.loss.tolist() == [float(run.loss[0]), float("inf")]


def test_after_a_run_has_diverged_its_loss_is_inf_and_the_others_go_on():
    batch = factorize(A, 2, eta=[0.01, 1.0], steps=200)
    assert batch.diverged.tolist() == [False, True] and batch.last[0] == 200
    last = int(batch.last[1])
    assert batch.loss[: last + 1, 1].isfinite().all() and (batch.loss[last + 2 :, 1] == torch.inf).all()
    assert batch.loss[:, 0].isfinite().all() and len(batch.loss) == 201


@pytest.mark.parametrize("runs", [(), (2, 3)])
def test_watch_ends_the_recording_and_what_was_recorded_stays(runs):
    told, seed = [], torch.arange(6).reshape(2, 3) if runs else 0

    def watch(step):
        told.append(step)
        return len(told) < 3

    part = factorize(A, 2, eta=0.01, steps=5000, seed=seed, watch=watch, keep_path=True)
    whole = factorize(A, 2, eta=0.01, steps=5000, seed=seed, keep_path=True)
    end = told[-1]
    assert len(told) == 3 and 0 < end < 5000
    assert len(part.loss) == len(part.path.Z) == end + 1 and (part.last == end).all() and not part.diverged.any()
    assert torch.equal(part.loss, whole.loss[: end + 1])
    assert torch.equal(part.factors.Z, whole.path.Z[end])


def test_watch_that_answers_true_changes_nothing():
    told = []
    run = factorize(A, 2, eta=0.01, steps=300, watch=lambda step: told.append(step) or True)
    assert torch.equal(run.loss, factorize(A, 2, eta=0.01, steps=300).loss)
    assert told == sorted(told) and told[-1] == 300


@pytest.mark.parametrize("runs", [(), (3,), (300,)])
def test_the_path_is_the_steps(runs):
    f, start = Frobenius(A), random_factors(4, 2, 2, seed=torch.arange(300)[: runs[0]] if runs else 0)
    rule, keep = partial(GradientDescent, eta=0.01), list(itertools.islice(walk_of(f, start), 151))
    run = record(descend(itertools.repeat(f), start, rule), f, steps=150, keep_path=True)
    assert run.path.Z.shape == (151, *start.Z.shape)
    for step, point in enumerate(keep):
        assert torch.equal(run.path.Z[step], point.Z)
        assert torch.allclose(run.loss[step], f(*point), rtol=1e-12)
    assert torch.equal(run.factors.Z, run.path.Z[-1]) and torch.equal(run.path.Z[0], start.Z)
    assert record(walk_of(f, start), f, steps=150).path is None


def walk_of(f, start):
    return descend(itertools.repeat(f), start, partial(GradientDescent, eta=0.01))


def test_each_update_takes_the_next_objective():
    """Stochastic descent: W ← W − 2η E Hᵀ with the mask of the day, written out."""
    masks = [torch.rand(4, 2, generator=torch.Generator().manual_seed(day)) > 0.3 for day in range(20)]
    points = list(
        descend([Frobenius(A, M) for M in masks], random_factors(4, 2, 2), partial(GradientDescent, eta=0.02))
    )
    W, H = random_factors(4, 2, 2)
    assert len(points) == 21
    for M, point in zip(masks, points[1:], strict=True):
        E = M * (W @ H - A)
        W, H = W - 0.04 * E @ H.mT, H - 0.04 * W.mT @ E
        assert torch.allclose(point.W, W, rtol=1e-12) and torch.allclose(point.H, H, rtol=1e-12)


def test_a_walk_that_ends_early_is_recorded_as_far_as_it_went():
    f = Frobenius(A)
    run = record(descend([f] * 7, random_factors(4, 2, 2), partial(GradientDescent, eta=0.02)), f, steps=100)
    assert len(run.loss) == 8 and run.last == 7 and not run.diverged


@pytest.mark.parametrize("rule", RULES)
def test_a_walk_can_be_recorded_in_parts_and_gone_on_with_by_hand(rule):
    f, whole = Frobenius(A), factorize(A, 2, eta=0.01, steps=30, rule=rule, keep_path=True)
    walk = descend(itertools.repeat(f), random_factors(4, 2, 2), partial(rule, eta=0.01))
    first = record(walk, f, steps=10)
    later = list(itertools.islice(walk, 20))
    assert torch.equal(first.factors.Z, whole.path.Z[10])
    assert torch.equal(torch.stack([point.Z for point in later]), whole.path.Z[11:])


def test_the_points_of_a_walk_stay_as_they_were():
    points = list(itertools.islice(walk_of(Frobenius(A), random_factors(4, 2, 2)), 5))
    assert all(not torch.equal(one.Z, other.Z) for one, other in itertools.pairwise(points))
    points[2].Z.zero_()
    assert points[1].Z.any() and points[3].Z.any()


@pytest.mark.parametrize("k", [2, 5000])  # large Z are recorded one by one
def test_a_walk_that_changes_its_factors_in_place_is_recorded_as_it_went(k):
    A, start = torch.ones(3, 2, dtype=torch.float64), random_factors(3, 2, k, seed=1, scale=k**-0.5)

    def in_place():
        W, H = start.W.clone(), start.H.clone()
        own = Factors.of(W, H)
        while True:
            yield own
            own.Z.mul_(0.5)

    run = record(in_place(), Frobenius(A), steps=3, keep_path=True)
    halves = [Factors(start.Z / 2**step, 3) for step in range(4)]
    assert torch.equal(run.path.Z, torch.stack([point.Z for point in halves]))
    assert torch.equal(run.factors.Z, halves[-1].Z)
    assert torch.allclose(run.loss, torch.stack([Frobenius(A)(*point) for point in halves]))


def test_two_runs_can_be_asked_whether_they_are_one():
    one, other = (factorize([[1, 2]], 1, eta=0.01, steps=3) for _ in range(2))
    assert one == one and one != other


def test_what_is_recorded_can_be_differentiated_and_changed():
    """Recording uses torch's inference mode; nothing of it is left in the result."""
    run = factorize(A, 2, eta=0.02, steps=100, keep_path=True)
    for tensor in (run.loss, run.factors.Z, run.last, run.diverged, run.k, run.path.Z):
        assert not tensor.is_inference()
    (run.W.requires_grad_() @ run.H).sum().backward()


def test_an_objective_can_be_given_for_the_matrix():
    f = Frobenius(A, A > 1, lam=0.1)
    run = factorize(f, 2, eta=0.02, steps=50)
    assert torch.equal(run.loss[0], f(*random_factors(4, 2, 2)))
    assert float(run.loss[-1]) == pytest.approx(float(f(run.W, run.H)), rel=1e-12)
    assert torch.equal(factorize(A, 2, eta=0.02, steps=50).loss, factorize(Frobenius(A), 2, eta=0.02, steps=50).loss)


def test_factors_are_two_views_of_one_matrix():
    W, H = low_rank_matrix(4, 2, k=2, seed=1), low_rank_matrix(2, 3, k=2, seed=2)
    both = Factors.of(W, H)
    assert torch.equal(both.W, W) and torch.equal(both.H, H)
    assert both.W.data_ptr() == both.Z.data_ptr() and both.Z.data_ptr() != W.data_ptr()
    both.Z[4:] = 0
    assert not both.H.any() and both.W.any() and H.any()


@pytest.mark.parametrize("batch", [(), (3,), (300,)])
def test_an_objective_of_your_own_descends_on_its_gradient(batch):
    """Any class with a loss and a gradient, such as one by autograd."""

    class Own:
        shape = A.shape

        def __call__(self, W, H):
            return (W @ H - A).square().sum((-2, -1))

        def gradient(self, W, H):
            return by_autograd(self, W, H)

    eta = torch.full(batch, 0.05)
    one, other = (factorize(f, 1, eta=eta, steps=50) for f in (Own(), A))
    torch.testing.assert_close(one.loss, other.loss, rtol=1e-12, atol=0)
    del Own.shape  # which only a random start needs
    again = factorize(Own(), start=random_factors(4, 2, 1), eta=eta, steps=50)
    assert torch.equal(again.loss, one.loss)


def test_a_watch_that_answers_nothing_only_watches():
    told = []
    assert len(factorize(A, 1, eta=0.05, steps=500, watch=told.append).loss) == 501 and len(told) > 1
    for no in (False, np.bool_(False), 0):
        assert len(factorize(A, 1, eta=0.05, steps=500, watch=lambda _, no=no: no).loss) < 501


def test_the_first_step_below_a_loss_is_found_and_inf_where_there_is_none():
    etas = torch.tensor([1e-5, 0.3, 0.7, 3.0], dtype=torch.float64) * stable_eta(A)  # slow; they settle; far
    runs, level = factorize(A, 1, eta=etas, steps=200), lowest_loss(A, 1) + 1e-6
    first = runs.first_below(level)
    assert first[[0, 3]].isinf().all() and first[2] < first[1] < torch.inf
    for i in (1, 2):
        assert runs.loss[int(first[i]), i] < level <= runs.loss[int(first[i]) - 1, i]
