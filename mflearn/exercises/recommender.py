"""Exercises of notebook 09."""

from collections.abc import Callable
from math import log2
from typing import Any

import torch
from torch import Tensor

from .exercise import Choice, Exercise, QuizQuestion, Wrong, code, numbers, same


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _scores(seed: int) -> list[tuple]:
    """Scores below and above 0, which films are seen (the best always is), and how many to list."""
    generator, cases = _generator(seed), []
    for films, seen, n in ((6, 2, 2), (12, 4, 5), (9, 5, 4), (25, 10, 3), (30, 12, 10), (40, 25, 10)):
        score = 1 - 4 * torch.rand(films, generator=generator, dtype=torch.float64)
        some = torch.rand(films, generator=generator)
        some[score.argmax()] = 2
        cases.append((score, some.argsort().argsort() >= films - seen, n))
    return cases


def _lists(seed: int) -> list[tuple]:
    """Lists with few and many relevant films, more than the list holds, and no hit at all."""
    generator, cases = _generator(seed), []
    for n, relevant, hits in ((4, 5, 2), (5, 2, 1), (10, 4, 2), (3, 8, 1), (6, 9, 4), (7, 4, 0), (8, 5, 3)):
        films = torch.rand(40, generator=generator).argsort().tolist()
        listed, others = films[:n], films[n:]
        found = torch.rand(n, generator=generator).argsort()[:hits].tolist()
        cases.append((listed, {*(listed[place] for place in found), *others[: relevant - hits]}))
    return cases


def _newcomers(seed: int) -> list[tuple]:
    """H = [1; h; c], the films rated, their ratings, μ and λ: more ratings than unknowns, as many, and fewer."""
    generator, cases = _generator(seed), []
    sizes = (1, 5, 4, 0.1), (2, 8, 6, 0.3), (3, 12, 9, 0.05), (3, 7, 4, 0.2), (4, 9, 3, 0.1), (2, 20, 14, 1.0)
    for k, n, N, lam in sizes:
        H = torch.rand(k + 2, n, generator=generator, dtype=torch.float64) - 0.5
        H[0] = 1
        items = torch.rand(n, generator=generator).argsort()[:N]
        r = (torch.rand(N, generator=generator, dtype=torch.float64) * 10).ceil() / 2
        cases.append((H, items, r, 3.5 + 0.1 * k, lam))
    return cases


def _ndcgs(seed: int) -> list[tuple]:
    """NDCG by list and user, on validation and on test; users differ more than lists, and other lists lead on test."""
    generator, cases = _generator(seed), []
    sizes = (3, (12, 9), 1, 2), (4, (20, 30), 2, 1), (5, (15, 11), 0, 4), (6, (40, 25), 5, 3)
    for rows, users, leader, later in sizes:
        both = []
        for count, first in zip(users, (leader, later), strict=True):
            user = torch.rand(count, generator=generator, dtype=torch.float64)
            value = 0.5 * user + 0.2 * torch.rand(rows, count, generator=generator, dtype=torch.float64)
            value[first] += 0.2
            both.append(value)
        cases.append(tuple(both))
    return cases


def _genres(seed: int) -> list[tuple]:
    """Coordinates, not centred; a genre that lies apart, or does not; its labels shuffled. Whole numbers make ties."""
    generator, cases = _generator(seed), []
    sizes = (20, 6, -1.5, -0.25, 99), (30, 8, -1.5, 0, 60), (25, 18, 0.5, 0.25, 49), (24, 5, 0.5, -2, 39)
    for films, count, about, apart, S in sizes:
        genre = torch.rand(films, generator=generator).argsort() < count
        x = torch.rand(films, generator=generator).double() + about + apart * genre  # sums are exact
        cases.append((x, genre, genre[torch.rand(S, films, generator=generator).argsort(1)]))
    for films, S in ((16, 99), (32, 60)):  # half of them, a power of 2: all means are exact
        genre = torch.rand(films, generator=generator).argsort() < films // 2
        x = (4 * torch.rand(films, generator=generator, dtype=torch.float64)).floor() + 1
        x[genre.nonzero()[0]] -= 3
        cases.append((x, genre, genre[torch.rand(S, films, generator=generator).argsort(1)]))
    return cases


def _gives(wrong: Callable, right: Callable, part: int | None = None) -> Callable[[tuple, Any], bool]:
    """Whether a case gives what is wrong there, as a whole or in one part, and not right by chance."""

    def shows(arguments: tuple, value: Any) -> bool:
        if part is not None:
            if not isinstance(value, (tuple, list)) or len(value) <= part:
                return False
            value = value[part]
        mistake = wrong(*arguments)
        return mistake is not None and same(value, mistake, 1e-6) and not same(mistake, right(*arguments), 1e-6)

    return shows


def _gain(places: Any) -> float:
    return sum(1 / log2(1 + place) for place in places)


def _hits(listed: list, relevant: set) -> list[int]:
    return [place for place, film in enumerate(listed, 1) if film in relevant]


def _ndcg(listed: list, relevant: set) -> float:
    return _gain(_hits(listed, relevant)) / _gain(range(1, min(len(listed), len(relevant)) + 1))


def _best_of_own(listed: list, relevant: set) -> float | None:
    hits = _hits(listed, relevant)
    return _gain(hits) / _gain(range(1, len(hits) + 1)) if len(hits) > 1 else None


def _row(H: Tensor, items: Tensor, r: Tensor, mu: float, lam: float) -> Tensor:
    y = H[:-1, items].T
    return torch.linalg.solve(y.T @ y + len(items) * lam * torch.eye(y.shape[1]), y.T @ (r - mu - H[-1, items]))


def _unpenalised(H: Tensor, items: Tensor, r: Tensor, mu: float, *_: float) -> Tensor | None:
    """The row without the penalty, where there are more ratings than unknowns; otherwise it is not unique."""
    return _row(H, items, r, mu, 0.0) if len(items) > len(H) - 1 else None


EXERCISES = (
    Exercise(
        id="09.1",
        title="Top N, without what is seen",
        statement=(
            "Write `top_n(score, seen, n)`: the places in `score`, counted from 0, of the `n` films with the highest "
            "scores among those that the user has **not** seen, best first.\n"
            "`score` holds a number for each film, `seen` is True where the user has rated it; both have shape "
            "(films,). At least `n` films are unseen, no two scores are equal. Leave the arguments as they are."
        ),
        stub=code("""
            def top_n(score, seen, n):
                return ...
        """),
        solution=code("""
            import torch

            def top_n(score, seen, n):
                left = torch.where(seen, -torch.inf, score)
                return left.argsort(descending=True)[:n]
        """),
        cases=_scores,
        hints=(
            "A film that was seen must come after all others, whatever the others score.",
            "Which number is below every score? `torch.where(seen, ..., score)` makes a new tensor.",
            "`argsort` gives places, not values, and sorts upwards unless it is told `descending=True`.",
        ),
        wrong=(
            Wrong(
                "lists what is seen",
                code("""
                    def top_n(score, seen, n):
                        return score.argsort(descending=True)[:n]
                """),
                "Films that the user has rated are on the list. He knows them; they must not take places.",
            ),
            Wrong(
                "worst first",
                code("""
                    import torch

                    def top_n(score, seen, n):
                        return torch.where(seen, torch.inf, score).argsort()[:n]
                """),
                "These are the unseen films with the lowest scores: it was sorted upwards.",
            ),
            Wrong(
                "sorted upwards from minus infinity",
                code("""
                    import torch

                    def top_n(score, seen, n):
                        return torch.where(seen, -torch.inf, score).argsort()[:n]
                """),
                "It was sorted upwards: the films that were meant to come last, the seen ones, now come first.",
            ),
            Wrong(
                "only the seen",
                code("""
                    import torch

                    def top_n(score, seen, n):
                        return torch.where(seen, score, -torch.inf).argsort(descending=True)[:n]
                """),
                "The films that he has seen come first: the mask is the wrong way round.",
            ),
            Wrong(
                "changes the scores",
                code("""
                    import torch

                    def top_n(score, seen, n):
                        score[seen] = -torch.inf
                        return score.argsort(descending=True)[:n]
                """),
                "The list is right, but the caller's scores are overwritten: who uses them next finds minus infinity.",
            ),
            Wrong(
                "zero for the seen",
                code("""
                    def top_n(score, seen, n):
                        return (score * ~seen).argsort(descending=True)[:n]
                """),
                "A seen film gets the score 0. Here scores may be negative, and 0 is then a good one.",
            ),
            Wrong(
                "cuts first, then filters",
                code("""
                    def top_n(score, seen, n):
                        best = score.argsort(descending=True)[:n]
                        return best[~seen[best]]
                """),
                "The list was cut to n before the seen films were taken out, so it is too short. The order of the two "
                "matters.",
            ),
            Wrong(
                "places among the unseen",
                code("""
                    def top_n(score, seen, n):
                        return score[~seen].argsort(descending=True)[:n]
                """),
                "These places count only the unseen films: after a selection, place 3 is no longer film 3.",
            ),
            Wrong(
                "scores and places",
                code("""
                    import torch

                    def top_n(score, seen, n):
                        return torch.where(seen, -torch.inf, score).topk(n)
                """),
                "This gives scores and places together. Only the places were asked for.",
                shows=lambda arguments, value: (
                    isinstance(value, tuple) and [getattr(x, "ndim", 0) for x in value] == [1, 1]
                ),
            ),
            Wrong(
                "scores instead of places",
                code("""
                    import torch

                    def top_n(score, seen, n):
                        return torch.where(seen, -torch.inf, score).sort(descending=True).values[:n]
                """),
                "These are the best scores. A list needs to know which films have them.",
            ),
            Wrong(
                "not best first",
                code("""
                    import torch

                    def top_n(score, seen, n):
                        return torch.where(seen, -torch.inf, score).topk(n).indices.sort().values
                """),
                "The right films, but in the order of the catalogue. On a list, the first place counts most.",
            ),
        ),
        further=(
            "Try it on user 0, beside `lists(models['Bayes'], train)[0]`. In MovieLens each film of this list has a "
            "single training rating; where that is the same, from the same user, two films tie, and may change places."
        ),
    ),
    Exercise(
        id="09.2",
        title="Precision and NDCG",
        statement=(
            "Write `precision_and_ndcg(listed, relevant)`, which returns both as a pair.\n"
            "`listed` is a list of films, best first; `relevant` is the set of the films that this user rated 4 or "
            "more, never empty. Both as defined in section 3, with the length of the list in place of 10. Without a "
            "hit, both are 0."
        ),
        stub=code("""
            def precision_and_ndcg(listed, relevant):
                return ...
        """),
        solution=code("""
            from math import log2

            def precision_and_ndcg(listed, relevant):
                def gain(places):
                    return sum(1 / log2(1 + place) for place in places)

                hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                most = min(len(listed), len(relevant))  # hits of the best possible list
                return len(hits) / len(listed), gain(hits) / gain(range(1, most + 1))
        """),
        cases=_lists,
        hints=(
            "First find the places of the hits; the first place has number 1. `enumerate(listed, 1)` counts so.",
            "Precision is a share of the list. So what is the number of hits divided by?",
            "How many hits can the best possible list have? It has a length, and there are only so many relevant "
            "films.",
            "The best possible list has min(length, number of relevant films) hits, at the first places.",
        ),
        wrong=(
            Wrong(
                "places from 0",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return len(hits) / len(listed), gain(hits) / gain(range(most))
                """),
                "Something is divided by zero, in every case: the logarithm of 1 is 0. Which number has the first "
                "place?",
            ),
            Wrong(
                "recall",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return len(hits) / len(relevant), gain(hits) / gain(range(1, most + 1))
                """),
                "The first value is the recall, the share of the relevant films that were found. Precision asks about "
                "the list.",
            ),
            Wrong(
                "divided by 10",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return len(hits) / 10, gain(hits) / gain(range(1, most + 1))
                """),
                "Precision is divided by 10, whatever the length of the list. Here it has not always 10 places.",
                shows=_gives(
                    lambda listed, relevant: len(_hits(listed, relevant)) / 10,
                    lambda listed, relevant: len(_hits(listed, relevant)) / len(listed),
                    0,
                ),
            ),
            Wrong(
                "precision divided by what was possible",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return len(hits) / most, gain(hits) / gain(range(1, most + 1))
                """),
                "The hits are divided by the most that were possible. NDCG is measured so; precision stays a share of "
                "all places.",
            ),
            Wrong(
                "best list longer than the list",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        return len(hits) / len(listed), gain(hits) / gain(range(1, len(relevant) + 1))
                """),
                "Where more films are relevant than the list has places, even a list of nothing but hits would not "
                "reach NDCG 1.",
            ),
            Wrong(
                "best list of nothing but hits",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        return len(hits) / len(listed), gain(hits) / gain(range(1, len(listed) + 1))
                """),
                "Where fewer films are relevant than the list has places, no list could reach NDCG 1: the best "
                "possible one cannot be all hits.",
            ),
            Wrong(
                "not divided by the best",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        return len(hits) / len(listed), sum(1 / log2(1 + place) for place in hits)
                """),
                "The second value is the gain itself, DCG. The N in NDCG stands for normalized: the best possible "
                "list has 1.",
            ),
            Wrong(
                "no discount",
                code("""
                    def precision_and_ndcg(listed, relevant):
                        hits = sum(film in relevant for film in listed)
                        return hits / len(listed), hits / min(len(listed), len(relevant))
                """),
                "In the second value every place counts the same. NDCG gives more for a hit at the top.",
            ),
            Wrong(
                "another discount",
                code("""
                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / place for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return len(hits) / len(listed), gain(hits) / gain(range(1, most + 1))
                """),
                "The second place counts a half here, the third a third. The logarithm falls more gently.",
            ),
            Wrong(
                "an older discount",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / max(1, log2(place)) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return len(hits) / len(listed), gain(hits) / gain(range(1, most + 1))
                """),
                "The first place and the second count the same here, as in an older formula. In section 3 every place "
                "counts less than the one before.",
            ),
            Wrong(
                "exchanged",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return gain(hits) / gain(range(1, most + 1)), len(hits) / len(listed)
                """),
                "Both values are right, in the other order.",
            ),
            Wrong(
                "best order of its own hits",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        best = gain(range(1, len(hits) + 1))
                        return len(hits) / len(listed), gain(hits) / best if hits else 0.0
                """),
                "NDCG is measured here against the best order of what is on this list. So a list with a single hit, "
                "at the top, would be perfect, whatever it misses. The best possible list may hold other films.",
                shows=_gives(_best_of_own, _ndcg, 1),
            ),
            Wrong(
                "divided by the hits",
                code("""
                    from math import log2

                    def precision_and_ndcg(listed, relevant):
                        def gain(places):
                            return sum(1 / log2(1 + place) for place in places)

                        hits = [place for place, film in enumerate(listed, 1) if film in relevant]
                        most = min(len(listed), len(relevant))
                        return len(hits) / max(len(hits), 1), gain(hits) / gain(range(1, most + 1))
                """),
                "This precision is 1 for a list that also has misses. They must lower it.",
                shows=_gives(
                    lambda listed, relevant: 1.0 if _hits(listed, relevant) else None,
                    lambda listed, relevant: len(_hits(listed, relevant)) / len(listed),
                    0,
                ),
            ),
        ),
        further="Another base of the logarithm would change nothing: the factor is in both sums of NDCG, and cancels.",
    ),
    Exercise(
        id="09.3",
        title="Fold in a new user",
        statement=(
            "Write `fold_in(H, items, r, mu, lam)`: the row $x = [b, w]$ of a new user, k + 1 numbers, by the formula "
            "of section 5.\n"
            "`H` = [1; h; c] has shape (k + 2, n), as in `simple.H`; `items` holds the places of the N films that he "
            "rated, and `r` their ratings. Films that he has not rated do not count."
        ),
        stub=code("""
            def fold_in(H, items, r, mu, lam):
                return ...
        """),
        solution=code("""
            import torch

            def fold_in(H, items, r, mu, lam):
                y, c = H[:-1, items].T, H[-1, items]  # a row [1, h] and a bias for each rating
                P = y.T @ y + len(items) * lam * torch.eye(y.shape[1])
                return torch.linalg.solve(P, y.T @ (r - mu - c))
        """),
        cases=_newcomers,
        hints=(
            "`H[:, items]` has a column [1; h; c] for each rating. Which rows of it does x multiply, and which does "
            "it not?",
            "The sum of $y_t y_t^\\top$ over the ratings is one product of two matrices.",
            "What is left for x to explain is what μ and the biases of the films do not: r − μ − c.",
            "With y = `H[:-1, items].T`: the matrix is yᵀy + NλI, the right-hand side yᵀ(r − μ − c). "
            "`torch.linalg.solve` solves.",
        ),
        wrong=(
            Wrong(
                "film biases twice",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:-1, items].T, H[-1, items]
                        P = y.T @ y + len(items) * lam * torch.eye(y.shape[1])
                        return torch.linalg.solve(P, y.T @ (r - mu - 2 * c))
                """),
                "The biases of the films are subtracted twice: that a film is good would count against this user's "
                "taste for it.",
            ),
            Wrong(
                "film biases left in",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y = H[:-1, items].T
                        P = y.T @ y + len(items) * lam * torch.eye(y.shape[1])
                        return torch.linalg.solve(P, y.T @ (r - mu))
                """),
                "The biases of the films are still in the ratings. Who rates films that everybody likes would look "
                "like a kind user.",
            ),
            Wrong(
                "mean left in",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:-1, items].T, H[-1, items]
                        P = y.T @ y + len(items) * lam * torch.eye(y.shape[1])
                        return torch.linalg.solve(P, y.T @ (r - c))
                """),
                "The mean of all ratings is still in them: the row would have to explain the stars that everybody "
                "gives.",
            ),
            Wrong(
                "no penalty",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:-1, items].T, H[-1, items]
                        return torch.linalg.lstsq(y, r - mu - c, driver="gelsd").solution
                """),
                "Nothing holds the row: λ has no effect. With fewer ratings than unknowns there is then no single "
                "solution.",
                shows=_gives(_unpenalised, _row),
            ),
            Wrong(
                "penalty once",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:-1, items].T, H[-1, items]
                        P = y.T @ y + lam * torch.eye(y.shape[1])
                        return torch.linalg.solve(P, y.T @ (r - mu - c))
                """),
                "The penalty counts once. For ratings, as in notebook 08, it counts once for each of them.",
            ),
            Wrong(
                "penalty for all films",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:-1, items].T, H[-1, items]
                        P = y.T @ y + H.shape[1] * lam * torch.eye(y.shape[1])
                        return torch.linalg.solve(P, y.T @ (r - mu - c))
                """),
                "The penalty counts once for each film there is, N is something else. With thousands of films nobody "
                "could be heard.",
            ),
            Wrong(
                "bias without a penalty",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:-1, items].T, H[-1, items]
                        penalty = len(items) * lam * torch.eye(y.shape[1])
                        penalty[0, 0] = 0
                        return torch.linalg.solve(y.T @ y + penalty, y.T @ (r - mu - c))
                """),
                "The penalty spares b. Some models do so; in this formula I is a whole identity matrix.",
            ),
            Wrong(
                "no bias of the user",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[1:-1, items].T, H[-1, items]
                        P = y.T @ y + len(items) * lam * torch.eye(y.shape[1])
                        return torch.linalg.solve(P, y.T @ (r - mu - c))
                """),
                "This row has no b. That somebody is mild or strict must then be told as if it were a taste.",
            ),
            Wrong(
                "with the fixed 1",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:-1, items].T, H[-1, items]
                        P = y.T @ y + len(items) * lam * torch.eye(y.shape[1])
                        return torch.cat([torch.linalg.solve(P, y.T @ (r - mu - c)), torch.ones(1)])
                """),
                "Almost: this is a whole row of W, with the fixed 1 at its end. Asked are the k + 1 unknowns.",
            ),
            Wrong(
                "film bias as a coordinate",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        y, c = H[:, items].T, H[-1, items]
                        P = y.T @ y + len(items) * lam * torch.eye(y.shape[1])
                        return torch.linalg.solve(P, y.T @ (r - mu - c))
                """),
                "There is one unknown too many: the last row of H, c, is multiplied by the user's fixed 1, not by an "
                "unknown.",
                shows=lambda arguments, value: (x := numbers(value)) is not None and x.shape == (len(arguments[0]),),
            ),
            Wrong(
                "zeros in the holes",
                code("""
                    import torch

                    def fold_in(H, items, r, mu, lam):
                        left = torch.zeros(H.shape[1], dtype=H.dtype)
                        left[items] = r - mu - H[-1, items]
                        P = H[:-1] @ H[:-1].T + len(items) * lam * torch.eye(len(H) - 1)
                        return torch.linalg.solve(P, H[:-1] @ left)
                """),
                "All films are in the sum, as if he had given the others exactly what was expected. A missing rating "
                "is no rating.",
            ),
        ),
        further="With a λ ten times as large the row gets shorter, and the list comes nearer to what anybody gets.",
        misconceptions=(1, 20, 22),
    ),
    Exercise(
        id="09.4",
        title="Beat the popularity list, or not",
        statement=(
            "Write `against_popularity(validation, test)`. Each holds NDCG, one row for each way to make a list, one "
            "column for each user; row 0 is the popularity list. The users of the two are not the same.\n"
            "Choose, of the **other** rows, the one with the highest mean, on the set that is there for choosing. "
            "Report, on the set that is there for reporting, how much better than popularity it is.\n"
            "Return three values: the number of the row, the mean over the users of its difference to popularity "
            "(positive if it is better), and the standard error of this mean, as in section 4: the standard deviation "
            "(divisor N − 1) over √N."
        ),
        stub=code("""
            def against_popularity(validation, test):
                return ...
        """),
        solution=code("""
            def against_popularity(validation, test):
                row = 1 + int(validation[1:].mean(1).argmax())
                more = test[row] - test[0]
                return row, more.mean(), more.std() / len(more) ** 0.5
        """),
        cases=_ndcgs,
        hints=(
            "Which of the two sets may be used to choose? Which one is left for the report?",
            "`validation[1:].mean(1)` has a mean for each of the others. What is the number of its first entry?",
            "Both lists were shown to the same users. So take the difference for each user first, then mean and "
            "deviation.",
        ),
        wrong=(
            Wrong(
                "chosen on the test set",
                code("""
                    def against_popularity(validation, test):
                        row = 1 + int(test[1:].mean(1).argmax())
                        more = test[row] - test[0]
                        return row, more.mean(), more.std() / len(more) ** 0.5
                """),
                "The list maker was chosen on the test set. The luckiest there wins, and its luck is then reported as "
                "skill.",
            ),
            Wrong(
                "reported on validation",
                code("""
                    def against_popularity(validation, test):
                        row = 1 + int(validation[1:].mean(1).argmax())
                        more = validation[row] - validation[0]
                        return row, more.mean(), more.std() / len(more) ** 0.5
                """),
                "Rightly chosen, but reported on the ratings it was chosen by: it was the best there, luck included.",
            ),
            Wrong(
                "popularity among the others",
                code("""
                    def against_popularity(validation, test):
                        row = int(validation.mean(1).argmax())
                        more = test[row] - test[0]
                        return row, more.mean(), more.std() / len(more) ** 0.5
                """),
                "Where popularity itself is the best, it is compared with itself. It is the measure, not one of the "
                "candidates.",
            ),
            Wrong(
                "number among the others",
                code("""
                    def against_popularity(validation, test):
                        row = int(validation[1:].mean(1).argmax())
                        more = test[row] - test[0]
                        return row, more.mean(), more.std() / len(more) ** 0.5
                """),
                "The number is that of another row: after row 0 was left out, counting began anew.",
            ),
            Wrong(
                "sign",
                code("""
                    def against_popularity(validation, test):
                        row = 1 + int(validation[1:].mean(1).argmax())
                        more = test[0] - test[row]
                        return row, more.mean(), more.std() / len(more) ** 0.5
                """),
                "The difference has the other sign: it must be positive where the chosen list is the better one.",
            ),
            Wrong(
                "deviation instead of standard error",
                code("""
                    def against_popularity(validation, test):
                        row = 1 + int(validation[1:].mean(1).argmax())
                        more = test[row] - test[0]
                        return row, more.mean(), more.std()
                """),
                "The third value says how far single users lie apart. How sure their mean is depends on how many they "
                "are.",
            ),
            Wrong(
                "as if the users were others",
                code("""
                    def against_popularity(validation, test):
                        row = 1 + int(validation[1:].mean(1).argmax())
                        one, other = test[row], test[0]
                        error = ((one.var() + other.var()) / len(one)) ** 0.5
                        return row, one.mean() - other.mean(), error
                """),
                "This error treats the two rows as coming from different people. Whether a user is easy or hard is in "
                "both, and cancels in his difference.",
            ),
            Wrong(
                "error of one list alone",
                code("""
                    def against_popularity(validation, test):
                        row = 1 + int(validation[1:].mean(1).argmax())
                        one, other = test[row], test[0]
                        return row, one.mean() - other.mean(), one.std() / len(one) ** 0.5
                """),
                "This is the error of the chosen list's own mean. Asked is how sure the difference is.",
            ),
            Wrong(
                "divisor N",
                code("""
                    def against_popularity(validation, test):
                        row = 1 + int(validation[1:].mean(1).argmax())
                        more = test[row] - test[0]
                        return row, more.mean(), more.std(correction=0) / len(more) ** 0.5
                """),
                "The error is a little too small: the deviation has the divisor N. The mean comes from the same "
                "numbers, so N − 1.",
            ),
        ),
        further=(
            "Now with lists of your own, on validation: for MovieLens, popularity divided by its maximum plus 0.3 "
            "times the score of Bayes (`W @ H`) has a higher NDCG than popularity alone."
        ),
        misconceptions=(17,),
    ),
    Exercise(
        id="09.5",
        title="Is an axis a genre?",
        statement=(
            "Write `p_value(x, genre, shuffled)`, a permutation test on **one** direction of the map.\n"
            "`x` holds a coordinate for each film; `genre` is True for the films of the genre; each row of `shuffled` "
            "is `genre` with its entries shuffled. The distance is the absolute difference between the mean of `x` "
            "over the genre and the mean over all others.\n"
            "Return the share of shuffles whose distance reaches the real one (equal counts), counting the real one "
            "as in section 8."
        ),
        stub=code("""
            def p_value(x, genre, shuffled):
                return ...
        """),
        solution=code("""
            def p_value(x, genre, shuffled):
                def distance(mask):
                    return float(abs(x[mask].mean() - x[~mask].mean()))

                reached = [distance(mask) >= distance(genre) for mask in shuffled]
                return (1 + sum(reached)) / (1 + len(reached))
        """),
        cases=_genres,
        hints=(
            "Write the distance as a function of a mask; then the real one and the shuffled ones are computed alike.",
            "Count the shuffles that are at least as far apart as the real genre.",
            "The real labels are one of the possible shuffles: 1 more above and 1 more below, so p is never 0.",
        ),
        wrong=(
            Wrong(
                "divided by 1001",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        reached = [distance(mask) >= distance(genre) for mask in shuffled]
                        return (1 + sum(reached)) / 1001
                """),
                "This divides by 1001, whatever the number of shuffles. Section 8 had 1,000 of them; count those here.",
            ),
            Wrong(
                "a verdict",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        reached = [distance(mask) >= distance(genre) for mask in shuffled]
                        return (1 + sum(reached)) / (1 + len(reached)) < 0.05
                """),
                "This is a yes or no. The p-value is a number, and where to draw a line is another question.",
                shows=lambda arguments, value: (
                    isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool")
                ),
            ),
            Wrong(
                "without the real one",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        reached = [distance(mask) >= distance(genre) for mask in shuffled]
                        return sum(reached) / len(reached)
                """),
                "The real labels are not counted. So p can be 0, which no number of shuffles could show.",
            ),
            Wrong(
                "the real one only above",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        reached = [distance(mask) >= distance(genre) for mask in shuffled]
                        return (1 + sum(reached)) / len(reached)
                """),
                "The real one is counted among those that reach it, but not among all. If every shuffle reached it, p "
                "would be above 1.",
            ),
            Wrong(
                "ties left out",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        reached = [distance(mask) > distance(genre) for mask in shuffled]
                        return (1 + sum(reached)) / (1 + len(reached))
                """),
                "Shuffles with exactly the real distance are left out. Chance has reached it there, too.",
            ),
            Wrong(
                "with its sign",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(x[mask].mean() - x[~mask].mean())

                        reached = [distance(mask) >= distance(genre) for mask in shuffled]
                        return (1 + sum(reached)) / (1 + len(reached))
                """),
                "The sign counts here: a genre that lies far on the negative side would look like chance. But the "
                "sign of an axis means nothing.",
            ),
            Wrong(
                "without the others",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean()))

                        reached = [distance(mask) >= distance(genre) for mask in shuffled]
                        return (1 + sum(reached)) / (1 + len(reached))
                """),
                "This measures how far the genre is from 0. The question is how far it is from the other films.",
            ),
            Wrong(
                "those that do not reach it",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        below = [distance(mask) < distance(genre) for mask in shuffled]
                        return (1 + sum(below)) / (1 + len(below))
                """),
                "The shuffles that stay below the real distance are counted. Then the clearest genres have the "
                "largest p.",
            ),
            Wrong(
                "doubled",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        reached = [distance(mask) >= distance(genre) for mask in shuffled]
                        return 2 * (1 + sum(reached)) / (1 + len(reached))
                """),
                "Twice the share: both sides are in it already, because of the absolute value.",
            ),
            Wrong(
                "a count",
                code("""
                    def p_value(x, genre, shuffled):
                        def distance(mask):
                            return float(abs(x[mask].mean() - x[~mask].mean()))

                        return 1 + sum(distance(mask) >= distance(genre) for mask in shuffled)
                """),
                "This is a number of shuffles. A p-value is a share, so it stays the same, about, if more are drawn.",
            ),
        ),
        further=(
            "Shuffle only among films of the same decade (`films.years`): a p that stays small then is not explained "
            "by the decade. Something else may still explain it."
        ),
        misconceptions=(23,),
    ),
)

QUIZ: tuple[QuizQuestion, ...] = (
    QuizQuestion(
        "On the same test ratings, model A has RMSE 0.81 and model B has 0.86. Whose lists of ten films are better?",
        (
            Choice(
                "A's: who predicts ratings better puts films in a better order.",
                "RMSE is a mean over films that people chose to watch. A list takes the highest of thousands of "
                "predictions, most of them for films hardly anybody rated. In the notebook the lowest RMSE came with "
                "NDCG 0.009, plain biases with 0.063.",
            ),
            Choice(
                "B's: a lower RMSE means that A has fitted the noise.",
                "These are errors on test ratings, where fitting noise does not help. And the order is not simply "
                "turned round: in the notebook the mean has the highest RMSE, and worse lists than the biases.",
            ),
            Choice(
                "That cannot be told from the RMSE: the lists must be scored.",
                "Yes. RMSE and a score of lists ask two questions, on two sets of films. Score the lists, beside "
                "those of popularity.",
                True,
            ),
        ),
        misconceptions=(18,),
    ),
    QuizQuestion(
        "A library has a class “SVD” that fits μ + b_u + c_i + w_u·h_i to the observed ratings by stochastic descent. "
        "What is true of it?",
        (
            Choice(
                "It computes the truncated SVD of the ratings, with zeros in the holes.",
                "It never looks at the holes: its sum runs over the observed ratings. The SVD needs every entry.",
            ),
            Choice(
                "It is another model than the SVD, fitted to the observed entries alone.",
                "Yes: no zeros, biases beside the factors, no formula for its minimum. Only the name is that of the "
                "SVD.",
                True,
            ),
            Choice(
                "b_u and c_i are superfluous: w_u·h_i with two columns more can do the same, so nothing is gained.",
                "It can, but it must find it out from the same few ratings. In notebook 08 three columns with "
                "biases predict better than five free columns.",
            ),
            Choice(
                "Its fit for rank 3, cut down to rank 2, is its fit for rank 2, as with the SVD.",
                "That holds where no entry is missing. With holes each rank is a fit of its own; notebook 08 measures "
                "how much they differ.",
            ),
        ),
        misconceptions=(19, 20),
    ),
    QuizQuestion(
        "Let C, the covariance of the users' rows, be the identity. Which of the films a = (0.5, 0) and b = (3, 3) is "
        "the more similar to the film h = (1, 0)?",
        (
            Choice(
                "a by the cosine, b by the dot product.",
                "Yes: the cosines are 1 and 1/√2, the dot products 0.5 and 3. a has the same direction, b is the "
                "longer one.",
                True,
            ),
            Choice(
                "a by both: it has the same direction.",
                "By the cosine, yes. The dot product asks also for the length, and that of b is large.",
            ),
            Choice(
                "b by both: it is longer.",
                "By the dot product, yes. The cosine divides the lengths out, and the direction of b is 45° off.",
            ),
            Choice(
                "b by the cosine, a by the dot product.",
                "Compute both: which of the two divides by the lengths?",
            ),
        ),
        misconceptions=(21,),
    ),
    QuizQuestion(
        "A model is trained. Somebody new has rated ten films. What must be done before his ratings of other films "
        "can be predicted?",
        (
            Choice(
                "Train W and H again with him among the users: only training makes rows of W.",
                "It can be done, and gains little: in section 5 it changed the predictions by 0.11 stars, another "
                "random start by 0.10. H says nearly all about the films already.",
            ),
            Choice(
                "Take the mean of all rows of W for him.",
                "Then every newcomer would get the same list, and his ten ratings would say nothing.",
            ),
            Choice(
                "Wait for more ratings: with ten ratings and seventeen unknowns nothing can be computed.",
                "Without λ there would be no single solution. With λ, or with what is known of all users, there is "
                "one from the first rating on.",
            ),
            Choice(
                "Solve k + 1 linear equations for his row, with H as it is.",
                "Yes: half a step of ALS, for one user. So a site can answer while he rates.",
                True,
            ),
        ),
        misconceptions=(22,),
    ),
    QuizQuestion(
        "On another map sixteen genres are tested. The smallest p is 0.03, that of Animation. What may be said?",
        (
            Choice(
                "The model has found out what animation is.",
                "It has seen only ratings. A small p would say “not by chance”; the cause may be the audience, or the "
                "decade.",
            ),
            Choice(
                "Little: among sixteen genres without any meaning, one such p would be no surprise.",
                "Yes: with sixteen independent tests of nothing, a p of 0.03 or less turns up somewhere in more "
                "than a third of all cases (1 − 0.97¹⁶).",
                True,
            ),
            Choice(
                "With a probability of 97 % it is not by chance.",
                "The p-value goes the other way: if there were only chance, so large a distance would be seen in 3 % "
                "of the shuffles. It does not say how probable chance is.",
            ),
            Choice(
                "The films of animation are a cluster: one sees it, and p is below 0.05.",
                "The test compares two means. They may lie apart though the films of the genre are scattered over the "
                "whole map.",
            ),
        ),
        misconceptions=(23,),
    ),
)
