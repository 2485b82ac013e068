"""Exercises of notebook 08."""

from typing import Any

import torch
from torch import Tensor

from .exercise import Choice, Exercise, QuizQuestion, Wrong, code, numbers

NOWHERE = float("nan")  # where nothing is observed
CURVES = (  # errors by their ranks, and a patience
    ((9, 7, 6, 7, 5, 6, 7, 8, 4, 3), 3),  # a small rise, a minimum, and a lower one that comes too late
    ((9, 5, 8, 7, 6, 4, 3, 2), 3),  # three that get better, and none better than the best
    ((9, 6, 6, 6, 6, 3), 3),  # equal is no better
    ((9, 8, 7, 8, 6, 7), 3),  # the list ends first
    ((8, 6, 7, 5), 1),
    ((3, 4, 5, 6, 2), 2),  # the first is the best
    ((9, 8, 9, 7, 8, 6, 7, 5, 6, 6, 4), 2),
)


def _random(seed: int):
    """Draws tensors with entries between 0 and 1, one after the other."""
    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.rand(*shape, generator=generator, dtype=torch.float64)


def _masked(seed: int) -> list[tuple]:
    """(A, mask, W, H, lam): A holds nan where nothing is observed."""
    random, cases = _random(seed), []
    for m, n, k in ((4, 3, 2), (3, 5, 2), (4, 4, 3), (6, 2, 1), (5, 7, 3)):
        mask = random(m, n) < 0.6
        mask[0, 0], mask[-1, -1] = True, False
        A = torch.where(mask, 0.5 + 4.5 * random(m, n), NOWHERE)
        cases.append((A, mask, random(m, k) - 0.3, random(k, n) - 0.3, round(0.1 + float(random(1)), 2)))
    return cases


def _ratings(seed: int) -> list[tuple]:
    """(A, mask): half stars, nan where nothing is observed; one viewer and one film without ratings."""
    random, cases = _random(seed), []
    for m, n in ((6, 4), (4, 7), (5, 5), (12, 8), (9, 15)):
        mask = random(m, n) < 0.5
        mask[:2, :2] = torch.tensor([[True, True], [True, False]])
        mask[-1], mask[:, -1] = False, False
        cases.append((torch.where(mask, (1 + 9 * random(m, n)).round() / 2, NOWHERE), mask))
    return cases


def _lists(seed: int) -> list[tuple]:
    """(user, item, order, count): one viewer and one film have one rating alone; some counts cannot be met."""
    random, cases = _random(seed), []
    for m, n, count in ((6, 4, 3), (4, 7, 5), (8, 6, 6), (10, 12, 9), (5, 9, 60), (9, 5, 60)):
        mask = random(m, n) < 0.45
        mask[1:4, 1:4], mask[-1, 1:], mask[1:, -1] = True, True, True
        mask[0], mask[:, 0] = False, False
        mask[0, 1], mask[1, 0] = True, True  # alone
        user, item = mask.nonzero().T.contiguous()
        order = random(len(user)).argsort()
        if count < 6:  # the only rating of a viewer is the first of the order
            order = torch.cat((torch.tensor([0]), order[order > 0]))
        cases.append((user, item, order, count))
    return cases


def _tables(seed: int) -> list[tuple]:
    """(ks, lams, on_train, on_validation, on_test): the lowest entry of each table is elsewhere."""
    random, cases = _random(seed), []
    for ks, lams in (
        ((1, 3, 6, 10), (0.01, 0.03, 0.1)),
        ((2, 4), (0.02, 0.05, 0.1, 0.2, 0.5)),
        ((1, 2, 4, 8, 16), (0.05, 0.2)),
        ((2, 5, 10), (0.01, 0.1, 1.0)),
        ((1, 2, 3, 5, 8, 13), (0.01, 0.02, 0.05, 0.1)),
    ):
        shape = len(ks), len(lams)
        on_train = 0.8 - 0.3 * torch.linspace(0, 1, shape[0])[:, None] + 0.2 * torch.linspace(0, 1, shape[1])
        on_train = on_train.double() + 0.01 * random(*shape)
        while True:
            on_validation = 0.6 + 0.3 * random(*shape)
            on_test = on_validation + 0.1 * random(*shape) - 0.04
            alone = int(on_validation.mean(1).argmin()), int(on_validation.mean(0).argmin())
            best = divmod(int(on_validation.argmin()), shape[1])
            if best not in (alone, _lowest(on_test), _lowest(on_train), _lowest(on_validation - on_train)):
                break
        cases.append((list(ks), list(lams), on_train, on_validation, on_test))
    return cases


def _lowest(table: Tensor) -> tuple[int, int]:
    return divmod(int(table.argmin()), table.shape[1])


def _courses(seed: int) -> list[tuple]:
    """(errors, patience): curves of known shape, at new heights; and a long one that goes down and up."""
    random, cases = _random(seed), []
    for ranks, patience in CURVES:
        heights = 0.5 + (0.01 + 0.02 * random(10)).cumsum(0)
        cases.append((heights[list(ranks)].tolist(), patience))
    passes = torch.arange(1, 41)
    cases.append(((0.6 + 0.3 / passes + 0.004 * passes + 0.02 * random(40)).tolist(), 4))
    return cases


def _masks(arguments: tuple, value: Any) -> tuple[Tensor, Tensor] | None:
    """The two masks of a split, if these are such."""
    parts = [numbers(part) for part in value] if isinstance(value, (tuple, list)) else []
    whole = len(parts) == 2 and all(part is not None and part.shape == arguments[0].shape for part in parts)
    return (parts[0] != 0, parts[1] != 0) if whole else None


def _cold(column: int):
    """Whether somebody is tested, a viewer (0) or a film (1), of whom nothing is in the training part."""

    def shows(arguments: tuple, value: Any) -> bool:
        masks, labels = _masks(arguments, value), arguments[column]
        return masks is not None and not {*labels[masks[1]].tolist()} <= {*labels[masks[0]].tolist()}

    return shows


def _overlap(arguments: tuple, value: Any) -> bool:
    """Whether a rating is in both parts."""
    masks = _masks(arguments, value)
    return masks is not None and bool((masks[0] & masks[1]).any())


def _another_split(arguments: tuple, value: Any) -> bool:
    """Whether everybody keeps something to learn from, and as many as should be are tested, but others."""
    masks, exercise = _masks(arguments, value), EXERCISES[2]
    if masks is None or not (masks[0] ^ masks[1]).all() or any(_cold(i)(arguments, value) for i in (0, 1)):
        return False
    tested = exercise.answer(exercise.solution)(*arguments)[1]
    return masks[1].sum() == tested.sum() and not masks[1].equal(tested)


EXERCISES = (
    Exercise(
        id="08.1",
        title="Only what is observed",
        statement=(
            "Write `masked(A, mask, W, H, lam)`: the loss $f = \\|M \\odot (WH - A)\\|_F^2 + \\lambda\\,(\\|W\\|_F^2 + "
            "\\|H\\|_F^2)$ and its gradients, as `(f, dW, dH)`.\n"
            "`mask` is True where `A` is observed; elsewhere `A` is `nan`. The sum is a sum, without ½. The penalty "
            "counts once, not once for each rating as in section 3. Leave `A` as it is."
        ),
        stub=code("""
            def masked(A, mask, W, H, lam):
                E = ...
                return ...
        """),
        solution=code("""
            import torch

            def masked(A, mask, W, H, lam):
                E = torch.where(mask, W @ H - A, 0.0)
                f = E.square().sum() + lam * (W.square().sum() + H.square().sum())
                return f, 2 * E @ H.T + 2 * lam * W, 2 * W.T @ E + 2 * lam * H
        """),
        cases=_masked,
        hints=(
            "First the residual: W H − A where something is observed, 0 elsewhere. Mind that `0 * nan` is `nan`.",
            "`torch.where(mask, W @ H - A, 0.0)` is the residual E. The loss and both gradients see nothing else of A.",
            "Without λ the gradients are 2 E Hᵀ and 2 Wᵀ E. The penalty adds 2λ W and 2λ H.",
        ),
        wrong=(
            Wrong(
                "nan times 0",
                code("""
                    def masked(A, mask, W, H, lam):
                        E = mask * (W @ H - A)
                        f = E.square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T + 2 * lam * W, 2 * W.T @ E + 2 * lam * H
                """),
                "There is a nan in it: 0 times what is not known is still not known. Choose by the mask instead.",
                shows=lambda arguments, value: (
                    isinstance(value, (tuple, list))
                    and any((x := numbers(part)) is not None and bool(x.isnan().any()) for part in value)
                ),
            ),
            Wrong(
                "holes are zeros",
                code("""
                    def masked(A, mask, W, H, lam):
                        E = W @ H - A.nan_to_num(0)
                        f = E.square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T + 2 * lam * W, 2 * W.T @ E + 2 * lam * H
                """),
                "The holes were filled with zeros and counted, as if all that is missing had been rated, with 0.",
            ),
            Wrong(
                "only dW is masked",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = W @ H - A.nan_to_num(0)
                        R = torch.where(mask, E, 0.0)
                        f = R.square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * R @ H.T + 2 * lam * W, 2 * W.T @ E + 2 * lam * H
                """),
                "One side is masked, the other is not: dH still sees the holes. Both gradients need the same residual.",
            ),
            Wrong(
                "only dH is masked",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = W @ H - A.nan_to_num(0)
                        R = torch.where(mask, E, 0.0)
                        f = R.square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T + 2 * lam * W, 2 * W.T @ R + 2 * lam * H
                """),
                "One side is masked, the other is not: dW still sees the holes. Both gradients need the same residual.",
            ),
            Wrong(
                "only the loss is masked",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = W @ H - A.nan_to_num(0)
                        f = E[mask].square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T + 2 * lam * W, 2 * W.T @ E + 2 * lam * H
                """),
                "The loss leaves out the holes, the gradients do not. So they are those of another loss.",
            ),
            Wrong(
                "mean over all entries",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = torch.where(mask, W @ H - A, 0.0)
                        f = E.square().mean() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T / E.numel() + 2 * lam * W, 2 * W.T @ E / E.numel() + 2 * lam * H
                """),
                "The squares were divided by m·n, and holes are no ratings. In this course the loss is the sum.",
            ),
            Wrong(
                "mean over the observed",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E, N = torch.where(mask, W @ H - A, 0.0), mask.sum()
                        f = E.square().sum() / N + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T / N + 2 * lam * W, 2 * W.T @ E / N + 2 * lam * H
                """),
                "This is the mean over what is observed. Here the loss is the sum; the mean changes what a λ means.",
            ),
            Wrong(
                "penalty for each rating",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = torch.where(mask, W @ H - A, 0.0)
                        by_row, by_column = lam * mask.double().sum(1, keepdim=True), lam * mask.double().sum(0)
                        f = E.square().sum() + (by_row * W.square()).sum() + (by_column * H.square()).sum()
                        return f, 2 * E @ H.T + 2 * by_row * W, 2 * W.T @ E + 2 * by_column * H
                """),
                "The penalty counts once for each rating, as in section 3. In the formula here each entry of W and H "
                "is in it once.",
            ),
            Wrong(
                "no penalty in the gradients",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = torch.where(mask, W @ H - A, 0.0)
                        f = E.square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T, 2 * W.T @ E
                """),
                "The penalty is in the loss, but not in the gradients: what pulls W and H towards 0?",
            ),
            Wrong(
                "penalty without its 2",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = torch.where(mask, W @ H - A, 0.0)
                        f = E.square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T + lam * W, 2 * W.T @ E + lam * H
                """),
                "The penalty is half as strong in the gradients as in the loss: it is a square, too.",
            ),
            Wrong(
                "residual the other way round",
                code("""
                    import torch

                    def masked(A, mask, W, H, lam):
                        E = torch.where(mask, A - W @ H, 0.0)
                        f = E.square().sum() + lam * (W.square().sum() + H.square().sum())
                        return f, 2 * E @ H.T + 2 * lam * W, 2 * W.T @ E + 2 * lam * H
                """),
                "With A − W H the loss is the same, but this part of the gradients has the wrong sign.",
            ),
        ),
        further="The cost of E grows with m·n here; with a list of ratings it grows with their number alone.",
        misconceptions=(1,),
    ),
    Exercise(
        id="08.2",
        title="The mean, the film, the viewer",
        statement=(
            "Write `baseline(A, mask)`: the matrix (m, n) of predictions $\\mu + b_u + c_i$ for **all** entries, "
            "as in section 2.\n"
            "$\\mu$ is the mean of what is observed. First the films, $c_i$: the sum of what $\\mu$ leaves over, "
            "divided by the "
            "number of ratings + 10. Then the viewers, $b_u$: the same of what $\\mu + c_i$ leaves over.\n"
            "`A` is `nan` where `mask` is False. A viewer or a film may be without ratings: its bias is 0."
        ),
        stub=code("""
            def baseline(A, mask):
                mu = ...
                return ...
        """),
        solution=code("""
            import torch

            def baseline(A, mask):
                mu = A[mask].mean()
                R = torch.where(mask, A - mu, 0.0)
                c = R.sum(0) / (mask.sum(0) + 10)
                b = torch.where(mask, R - c, 0.0).sum(1) / (mask.sum(1) + 10)
                return mu + b[:, None] + c
        """),
        cases=_ratings,
        hints=(
            "`A[mask]` holds what is observed. Viewers are rows, films are columns: `.sum(0)` adds up each film.",
            "Put 0 where nothing is observed, after μ is subtracted: then holes add nothing to a sum.",
            "The same for the viewers, from R − c; this, too, is masked again, since R − c is not 0 in the holes.",
        ),
        wrong=(
            Wrong(
                "raw means",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A[mask].mean()
                        R = torch.where(mask, A - mu, 0.0)
                        c = R.sum(0) / (mask.sum(0) + 10)
                        b = R.sum(1) / (mask.sum(1) + 10)
                        return mu + b[:, None] + c
                """),
                "The bias of a viewer comes from raw ratings here. Somebody who saw good films only is then taken "
                "for kind, and "
                "what is good about the films is counted twice.",
            ),
            Wrong(
                "c subtracted in the holes",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A[mask].mean()
                        R = torch.where(mask, A - mu, 0.0)
                        c = R.sum(0) / (mask.sum(0) + 10)
                        b = (R - c).sum(1) / (mask.sum(1) + 10)
                        return mu + b[:, None] + c
                """),
                "When c is subtracted, films that a viewer has not seen get a residual of −c. A hole has no residual.",
            ),
            Wrong(
                "viewers first",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A[mask].mean()
                        R = torch.where(mask, A - mu, 0.0)
                        b = R.sum(1) / (mask.sum(1) + 10)
                        c = torch.where(mask, R - b[:, None], 0.0).sum(0) / (mask.sum(0) + 10)
                        return mu + b[:, None] + c
                """),
                "The viewers came first here, and the films got what was left: a baseline too, with other numbers.",
            ),
            Wrong(
                "mean of the matrix",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A.nan_to_num(0).mean()
                        R = torch.where(mask, A - mu, 0.0)
                        c = R.sum(0) / (mask.sum(0) + 10)
                        b = torch.where(mask, R - c, 0.0).sum(1) / (mask.sum(1) + 10)
                        return mu + b[:, None] + c
                """),
                "Your μ counts the holes as zeros: it lies far below what people give.",
            ),
            Wrong(
                "ratings, not residuals",
                code("""
                    def baseline(A, mask):
                        mu = A[mask].mean()
                        c = A.nan_to_num(0).sum(0) / (mask.sum(0) + 10)
                        b = A.nan_to_num(0).sum(1) / (mask.sum(1) + 10)
                        return mu + b[:, None] + c
                """),
                "These biases are means of whole ratings. A bias is how far somebody is from μ, so mostly around 0.",
            ),
            Wrong(
                "plain means",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A[mask].mean()
                        R = torch.where(mask, A - mu, 0.0)
                        c = R.sum(0) / mask.sum(0).clamp_min(1)
                        b = torch.where(mask, R - c, 0.0).sum(1) / mask.sum(1).clamp_min(1)
                        return mu + b[:, None] + c
                """),
                "These are plain means: one rating of 5 makes a film the best. What keeps small counts near 0?",
            ),
            Wrong(
                "mean of nan",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A.mean()
                        R = torch.where(mask, A - mu, 0.0)
                        c = R.sum(0) / (mask.sum(0) + 10)
                        b = torch.where(mask, R - c, 0.0).sum(1) / (mask.sum(1) + 10)
                        return mu + b[:, None] + c
                """),
                "All predictions are nan: one nan makes a whole mean or sum nan. Which of yours still has holes in it?",
                shows=lambda arguments, value: (
                    (x := numbers(value)) is not None and x.shape == arguments[0].shape and bool(x.isnan().all())
                ),
            ),
            Wrong(
                "not divided where nothing is",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A[mask].mean()
                        R = torch.where(mask, A - mu, 0.0)
                        c = R.sum(0) / mask.sum(0)
                        b = torch.where(mask, R - c, 0.0).sum(1) / mask.sum(1)
                        return mu + b[:, None] + c
                """),
                "Some predictions are nan. All are asked for: also where A is nan, and where a count is 0.",
                shows=lambda arguments, value: (
                    (x := numbers(value)) is not None and x.shape == arguments[0].shape and bool(x.isnan().any())
                ),
            ),
            Wrong(
                "films alone",
                code("""
                    import torch

                    def baseline(A, mask):
                        mu = A[mask].mean()
                        R = torch.where(mask, A - mu, 0.0)
                        return (mu + R.sum(0) / (mask.sum(0) + 10)).expand(A.shape)
                """),
                "Everybody gets the same predictions: the films have a bias, the viewers have none.",
            ),
        ),
        further=(
            "This alone brought the error from 0.927 to 0.762, and factors that need not learn it again do better "
            "still."
        ),
        misconceptions=(1, 20),
    ),
    Exercise(
        id="08.3",
        title="Split, and leave everybody something to learn from",
        statement=(
            "Rating `t` is from viewer `user[t]` about film `item[t]`; `order` is a random permutation of the "
            "numbers `t` of all ratings. All three are tensors.\n"
            "Write `split(user, item, order, count)`: go through the ratings in this order, and put a rating into "
            "the test part "
            "if its viewer and its film each keep at least one rating for training. Stop when `count` are tested, or "
            "at the end of the order.\n"
            "Return two masks of True and False, one entry a rating: `(train, test)`."
        ),
        stub=code("""
            def split(user, item, order, count):
                test = ...
                return ...
        """),
        solution=code("""
            import torch

            def split(user, item, order, count):
                test = torch.zeros(len(user), dtype=torch.bool)
                by_user, by_item = torch.bincount(user), torch.bincount(item)  # still in training
                for t in order.tolist():
                    u, i = user[t], item[t]
                    if test.sum() < count and by_user[u] > 1 and by_item[i] > 1:
                        test[t] = True
                        by_user[u] -= 1
                        by_item[i] -= 1
                return ~test, test
        """),
        cases=_lists,
        hints=(
            "Count first: how many ratings has each viewer, and each film? `torch.bincount`.",
            "A rating may go if both counts are above 1. When it goes, both counts fall by 1.",
            "Begin with a mask of False, set `test[t] = True` in a loop over `order`, and return `~test` as well.",
        ),
        wrong=(
            Wrong(
                "counts never fall",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user, by_item = torch.bincount(user), torch.bincount(item)
                        for t in order.tolist():
                            if test.sum() < count and by_user[user[t]] > 1 and by_item[item[t]] > 1:
                                test[t] = True
                        return ~test, test
                """),
                "The counts are those of the beginning. Each rating that is tested is one fewer to learn from.",
            ),
            Wrong(
                "nobody is spared",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        test[order[:count]] = True
                        return ~test, test
                """),
                "The first of the order are all tested, also the only rating of a viewer or a film: a count of 1 "
                "is the rating "
                "itself, and when it goes, nothing is left to learn from.",
            ),
            Wrong(
                "films not looked at",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user = torch.bincount(user)
                        for t in order.tolist():
                            if test.sum() < count and by_user[user[t]] > 1:
                                test[t] = True
                                by_user[user[t]] -= 1
                        return ~test, test
                """),
                "Viewers keep something for training, but films may not. A column needs a rating as a row does.",
            ),
            Wrong(
                "viewers not looked at",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_item = torch.bincount(item)
                        for t in order.tolist():
                            if test.sum() < count and by_item[item[t]] > 1:
                                test[t] = True
                                by_item[item[t]] -= 1
                        return ~test, test
                """),
                "Films keep something for training, but viewers may not. A row needs a rating as a column does.",
            ),
            Wrong(
                "parts exchanged",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user, by_item = torch.bincount(user), torch.bincount(item)
                        for t in order.tolist():
                            u, i = user[t], item[t]
                            if test.sum() < count and by_user[u] > 1 and by_item[i] > 1:
                                test[t] = True
                                by_user[u] -= 1
                                by_item[i] -= 1
                        return test, ~test
                """),
                "The two parts are exchanged: the first is for training.",
            ),
            Wrong(
                "cold viewers",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        test[order[-count:]] = True
                        return ~test, test
                """),
                "A viewer is tested who has no rating left to learn from: such a test says nothing about the factors.",
                shows=_cold(0),
            ),
            Wrong(
                "cold films",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user = torch.bincount(user)
                        for t in order.flip(0).tolist():
                            if test.sum() < count and by_user[user[t]] > 1:
                                test[t] = True
                                by_user[user[t]] -= 1
                        return ~test, test
                """),
                "A film is tested that has no rating left to learn from: such a test says nothing about the factors.",
                shows=_cold(1),
            ),
            Wrong(
                "leakage",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user, by_item = torch.bincount(user), torch.bincount(item)
                        for t in order.tolist():
                            u, i = user[t], item[t]
                            if test.sum() < count and by_user[u] > 1 and by_item[i] > 1:
                                test[t] = True
                                by_user[u] -= 1
                                by_item[i] -= 1
                        return torch.ones_like(test), test
                """),
                "Some ratings are in both parts. What was learnt from cannot test what was learnt.",
                shows=_overlap,
            ),
            Wrong(
                "the refused are not replaced",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user, by_item = torch.bincount(user), torch.bincount(item)
                        for t in order[:count].tolist():
                            u, i = user[t], item[t]
                            if by_user[u] > 1 and by_item[i] > 1:
                                test[t] = True
                                by_user[u] -= 1
                                by_item[i] -= 1
                        return ~test, test
                """),
                "Only the first of the order were looked at. Others, further on, could take the place of the refused.",
            ),
            Wrong(
                "tensors as keys",
                code("""
                    from collections import Counter

                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user, by_item = Counter(user), Counter(item)
                        for t in order:
                            u, i = user[t], item[t]
                            if test.sum() < count and by_user[u] > 1 and by_item[i] > 1:
                                test[t] = True
                                by_user[u] -= 1
                                by_item[i] -= 1
                        return ~test, test
                """),
                "Nothing is tested: when may a rating go? Mind that to a Counter or a dictionary two tensors with the "
                "same number are two keys.",
            ),
            Wrong(
                "order not used",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user, by_item = torch.bincount(user), torch.bincount(item)
                        for t in range(len(user)):
                            u, i = user[t], item[t]
                            if test.sum() < count and by_user[u] > 1 and by_item[i] > 1:
                                test[t] = True
                                by_user[u] -= 1
                                by_item[i] -= 1
                        return ~test, test
                """),
                "This goes through the ratings as they are listed, by viewer or by date: that is no random draw.",
            ),
            Wrong(
                "unseeded",
                code("""
                    import torch

                    def split(user, item, order, count):
                        test = torch.zeros(len(user), dtype=torch.bool)
                        by_user, by_item = torch.bincount(user), torch.bincount(item)
                        for t in torch.randperm(len(user)).tolist():
                            u, i = user[t], item[t]
                            if test.sum() < count and by_user[u] > 1 and by_item[i] > 1:
                                test[t] = True
                                by_user[u] -= 1
                                by_item[i] -= 1
                        return ~test, test
                """),
                "Everybody keeps something, but others are tested than `order` asks for. Begin at its beginning; a "
                "draw of your own could not be repeated.",
                shows=_another_split,
            ),
        ),
        further=(
            "Viewers without any training rating are worth a test of their own: it measures the mean and the biases "
            "of the films."
        ),
    ),
    Exercise(
        id="08.4",
        title="Choose k and λ",
        statement=(
            "Models were fitted for each k of the list `ks` and each λ of the list `lams`. `on_train`, "
            "`on_validation` and `on_test` are matrices of "
            "their errors: row `a`, column `b` is the model with `ks[a]` and `lams[b]`.\n"
            "Write `choose(ks, lams, on_train, on_validation, on_test)`: return `(k, lam, error)`, the model that "
            "you choose, and "
            "the error that you report for it to somebody who will use it."
        ),
        stub=code("""
            def choose(ks, lams, on_train, on_validation, on_test):
                return ...
        """),
        solution=code("""
            def choose(ks, lams, on_train, on_validation, on_test):
                a, b = divmod(int(on_validation.argmin()), len(lams))
                return ks[a], lams[b], on_test[a, b]
        """),
        cases=_tables,
        hints=(
            "There are three tables. One was used to fit, one is there to choose, one is there to report.",
            "`argmin()` counts entries row after row: `divmod` by the length of a row gives row and column.",
            "Look at the test table in one place only: that of the model that has the lowest error on validation.",
        ),
        wrong=(
            Wrong(
                "chosen on test",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int(on_test.argmin()), len(lams))
                        return ks[a], lams[b], on_test[a, b]
                """),
                "This picks the model by the test ratings. Their lowest error is partly luck, and is no honest "
                "estimate any more: "
                "the test set has become a validation set.",
            ),
            Wrong(
                "the lowest of the test errors is reported",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int(on_validation.argmin()), len(lams))
                        return ks[a], lams[b], on_test.min()
                """),
                "The model is well chosen, but the error is that of another one, which was the best on test.",
            ),
            Wrong(
                "chosen on training",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int(on_train.argmin()), len(lams))
                        return ks[a], lams[b], on_test[a, b]
                """),
                "This picks the model by the training error. That can be made as small as you like by a large k "
                "and a small λ: "
                "it rewards those who learn by heart.",
            ),
            Wrong(
                "validation error reported",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int(on_validation.argmin()), len(lams))
                        return ks[a], lams[b], on_validation[a, b]
                """),
                "The model is well chosen, but the error is that by which it was chosen: of many, the one that "
                "came out lowest, "
                "partly by luck.",
            ),
            Wrong(
                "training error reported",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int(on_validation.argmin()), len(lams))
                        return ks[a], lams[b], on_train[a, b]
                """),
                "The model is well chosen, but the error is that on ratings which it has seen. New ones will be worse.",
            ),
            Wrong(
                "places, not values",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int(on_validation.argmin()), len(lams))
                        return a, b, on_test[a, b]
                """),
                "These are the row and the column of the model. Which k and which λ are that?",
            ),
            Wrong(
                "largest error",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int(on_validation.argmax()), len(lams))
                        return ks[a], lams[b], on_test[a, b]
                """),
                "This is the model with the largest validation error. Errors are to be small.",
            ),
            Wrong(
                "one after the other",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = int(on_validation.mean(1).argmin()), int(on_validation.mean(0).argmin())
                        return ks[a], lams[b], on_test[a, b]
                """),
                "k and λ were chosen each for itself, by a mean over the other. The best λ depends on k.",
            ),
            Wrong(
                "smallest gap",
                code("""
                    def choose(ks, lams, on_train, on_validation, on_test):
                        a, b = divmod(int((on_validation - on_train).argmin()), len(lams))
                        return ks[a], lams[b], on_test[a, b]
                """),
                (
                    "This is the model with the smallest gap between training and validation. One that learns nothing "
                    "has hardly a gap, either: what counts is the validation error itself."
                ),
            ),
        ),
        further="Report it once. If the number makes you change something, the next one is no longer honest.",
        misconceptions=(7, 17),
    ),
    Exercise(
        id="08.5",
        title="Stop early, with patience",
        statement=(
            "`errors` is the list of validation errors after pass 1, 2, 3, … Descent stops as soon as `patience` "
            "passes in a row "
            "were no better than the best one before them, or when the list ends.\n"
            "Write `stop_early(errors, patience)`: return `(kept, run)`, the number of the pass whose factors are "
            "kept, and the "
            "number of passes that were run. Passes count from 1; an equal error is no better."
        ),
        stub=code("""
            def stop_early(errors, patience):
                return ...
        """),
        solution=code("""
            def stop_early(errors, patience):
                kept, best = 0, float("inf")
                for run, error in enumerate(errors, 1):
                    if error < best:
                        kept, best = run, error
                    elif run - kept == patience:
                        break
                return kept, run
        """),
        cases=_courses,
        hints=(
            "Go through the errors as descent does: one after the other, without a look at those to come.",
            "Remember two things: the lowest error so far, and the number of its pass.",
            "Since the best pass, `run - kept` passes were no better. When is that enough?",
        ),
        wrong=(
            Wrong(
                "looks ahead",
                code("""
                    def stop_early(errors, patience):
                        return errors.index(min(errors)) + 1, len(errors)
                """),
                "This runs all passes and then picks the best. To stop early is to decide without knowing what comes.",
            ),
            Wrong(
                "keeps the last",
                code("""
                    def stop_early(errors, patience):
                        best, bad = float("inf"), 0
                        for run, error in enumerate(errors, 1):
                            best, bad = (error, 0) if error < best else (best, bad + 1)
                            if bad == patience:
                                break
                        return run, run
                """),
                "The factors of the last pass are kept, which are worse than others you have had.",
                shows=lambda arguments, value: (
                    isinstance(value, (tuple, list))
                    and len(value) == 2
                    and all(isinstance(x, int) for x in value)
                    and value[0] == value[1]
                    and 1 < value[0] <= len(arguments[0])
                    and arguments[0][value[0] - 1] > min(arguments[0][: value[0]])
                ),
            ),
            Wrong(
                "stops at the first rise",
                code("""
                    def stop_early(errors, patience):
                        kept, best = 0, float("inf")
                        for run, error in enumerate(errors, 1):
                            if error >= best:
                                break
                            kept, best = run, error
                        return kept, run
                """),
                "This stops at the first pass that is no better. Validation errors jitter: patience waits.",
            ),
            Wrong(
                "never begins again",
                code("""
                    def stop_early(errors, patience):
                        kept, best, bad = 0, float("inf"), 0
                        for run, error in enumerate(errors, 1):
                            if error < best:
                                kept, best = run, error
                            else:
                                bad += 1
                                if bad == patience:
                                    break
                        return kept, run
                """),
                "All passes that were no better are counted together. Only those in a row count.",
            ),
            Wrong(
                "compared with the pass before",
                code("""
                    def stop_early(errors, patience):
                        kept, best, bad, before = 0, float("inf"), 0, float("inf")
                        for run, error in enumerate(errors, 1):
                            if error < best:
                                kept, best = run, error
                            bad = 0 if error < before else bad + 1
                            before = error
                            if bad == patience:
                                break
                        return kept, run
                """),
                "Each pass is compared with the one before. One that comes down from a peak need not beat the best.",
            ),
            Wrong(
                "counted from 0",
                code("""
                    def stop_early(errors, patience):
                        kept, best = 0, float("inf")
                        for run, error in enumerate(errors):
                            if error < best:
                                kept, best = run, error
                            elif run - kept == patience:
                                break
                        return kept, run
                """),
                "Both numbers are one too small: passes count from 1.",
            ),
            Wrong(
                "one pass more",
                code("""
                    def stop_early(errors, patience):
                        kept, best = 0, float("inf")
                        for run, error in enumerate(errors, 1):
                            if error < best:
                                kept, best = run, error
                            elif run - kept > patience:
                                break
                        return kept, run
                """),
                "It waits for one pass more than its patience says.",
            ),
            Wrong(
                "one pass fewer",
                code("""
                    def stop_early(errors, patience):
                        kept, best = 0, float("inf")
                        for run, error in enumerate(errors, 1):
                            if error < best:
                                kept, best = run, error
                            elif run - kept >= patience - 1:
                                break
                        return kept, run
                """),
                "It waits for one pass fewer than its patience says.",
            ),
            Wrong(
                "equal is better",
                code("""
                    def stop_early(errors, patience):
                        kept, best = 0, float("inf")
                        for run, error in enumerate(errors, 1):
                            if error <= best:
                                kept, best = run, error
                            elif run - kept == patience:
                                break
                        return kept, run
                """),
                "An error equal to the best begins the count again. On a plain this would walk for ever.",
            ),
            Wrong(
                "errors, not passes",
                code("""
                    def stop_early(errors, patience):
                        kept, best = 0, float("inf")
                        for run, error in enumerate(errors, 1):
                            if error < best:
                                kept, best = run, error
                            elif run - kept == patience:
                                break
                        return best, run
                """),
                "The first value is the lowest error. Asked is in which pass it was.",
            ),
        ),
        further=(
            "The number of passes is a choice like k and λ: made on validation ratings, and never on the test set."
        ),
        misconceptions=(7,),
    ),
)

QUIZ: tuple[QuizQuestion, ...] = (
    QuizQuestion(
        "To use the SVD, somebody fills all holes with the mean rating. What is wrong with that?",
        (
            Choice(
                "Nothing: the mean is neutral.",
                "It is a statement like any other: each hole now says “exactly average”, and the fit has to obey.",
            ),
            Choice(
                "Zeros would be more honest: they say that nothing is there.",
                "To a fit a zero is a very bad rating. In section 3 zeros gave an RMSE of 2.85 at best, the mean 0.83.",
            ),
            Choice(
                "Each hole counts as much as a rating, and there are many more holes than ratings.",
                "Yes: more than seven for each rating. A missing rating is no rating, so the sum leaves it out.",
                right=True,
            ),
            Choice(
                "The SVD cannot be computed when many entries are equal.",
                "It can, for every matrix. It then is the best fit to what was filled in.",
            ),
        ),
        misconceptions=(1,),
    ),
    QuizQuestion(
        "Five free columns can write all that three columns and two biases can. On validation they did worse. Why?",
        (
            Choice(
                "They have more to learn from the same ratings.",
                "Yes: that biases exist is given in one model, and must be found out in the other, with 5 free "
                "numbers for each "
                "viewer and film instead of 4.",
                right=True,
            ),
            Choice(
                "They cannot fit the training ratings as well.",
                "They can: without a penalty, what can write more fits no worse. It does not help on new ratings.",
            ),
            Choice(
                "It was bad luck; biases are superfluous.",
                "It was 0.608 against 0.584, and at k = 3 without biases 0.690. The biases alone came to 0.762.",
            ),
        ),
        misconceptions=(20, 7),
    ),
    QuizQuestion(
        "A library calls the model of this notebook “SVD”. What is true of its factors, and not of those of the SVD?",
        (
            Choice(
                "Their product has a low rank.",
                "That holds for both.",
            ),
            Choice(
                "They minimise a sum of squares.",
                "Both do: the truncated SVD over all entries (Eckart and Young), this model over the observed ones.",
            ),
            Choice(
                "The best rank 2 is found by cutting the best rank 3.",
                "That is so for the SVD. In section 4 the factors of rank 3, cut down, were not those of rank 2.",
            ),
            Choice(
                "They come from the observed entries alone.",
                "Yes: the SVD needs every entry. With holes there is no formula, and each k is a fit of its own.",
                right=True,
            ),
        ),
        misconceptions=(19,),
    ),
    QuizQuestion(
        (
            "Forty models are compared on 30 test ratings, and the lowest RMSE is reported. What is this number, as an "
            "estimate of the error of that model on other ratings?"
        ),
        (
            Choice(
                "Honest: these ratings were not used to fit.",
                "They were used to choose, and of forty numbers the lowest is partly luck.",
            ),
            Choice(
                "On average too low.",
                "Yes: in section 7 it was 0.556, and on all other ratings 0.602. With 1000 ratings both were 0.584.",
                right=True,
            ),
            Choice(
                "On average too high, since 30 ratings are few.",
                "Few ratings make a number uncertain, up and down. Taking the lowest of forty makes it too low.",
            ),
        ),
        misconceptions=(17,),
    ),
    QuizQuestion(
        "The training error is 0.22 with k = 10, λ = 0.001, and 0.43 with k = 3, λ = 0.05. Which model do you take?",
        (
            Choice(
                "The first: its error is smaller.",
                "On ratings it has seen. On the validation ratings it had 0.93, worse than the biases alone.",
            ),
            Choice(
                "The first, because k = 10 can do all that k = 3 can.",
                "It can do more, so it also learns the noise by heart: viewers' moods, and the rounding to half stars.",
            ),
            Choice(
                "The second, because a small k is always better.",
                "Not always: k = 1 is too small for three tastes. Something that was held out has to decide.",
            ),
            Choice(
                "These two numbers do not say.",
                "Yes: a training error can be made as small as you like. On validation it was 0.93 against 0.58.",
                right=True,
            ),
        ),
        misconceptions=(7,),
    ),
)
