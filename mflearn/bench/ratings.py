"""Our solvers beside what people install instead: same ratings, same split, same two threads, one process for each fit.

The time is that from three arrays in memory (user, item, value) to a fitted model, whatever a library builds of them
first; imports and prediction are not counted. A peer has its own default settings, or those that its function says.
CPU seconds are those of all threads together: on a busy machine compare these.
"""

import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ..model import Model
from ..ratings import Ratings
from ..recommend import als, bayes, fit, gibbs, implicit
from ..scores import biases, popularity, ranking, rmse

DATA = {
    "ml-latest-small": ("ml-latest-small/ratings.csv", "userId", "movieId", "rating"),
    "goodbooks-core": ("goodbooks-core/ratings.csv", "user_id", "book_id", "rating"),
}
THREADS, LIMIT = 2, 600  # seconds, for one fit
SIZES = 100_000, 1_000_000, 6_000_000, 20_000_000
SWEEPS = 10  # of `fit`, unless told otherwise
SPLIT = 10  # seed of the first split; nothing was chosen by this one and those that follow: settings by 100 and above
Course = Iterator[np.ndarray]  # predictions for the test ratings, again and again


class Clock:
    """Seconds spent inside `with clock:`, by the wall and by all threads."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self.wall -= time.perf_counter()
        self.cpu -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()


def ours(train: Ratings, test: Ratings, seed: int, clock: Clock, *, k: int = 16, solver: Callable = bayes) -> Course:
    """After each sweep of `fit`."""
    walk = None
    for number in range(SWEEPS):
        with clock:
            walk = walk or solver(train, k, seed=seed)
            sweep = next(walk)
        with clock if number == 0 else nullcontext():  # a fit makes one model, of its last sweep
            model = Model.of(train, [sweep])
        yield model.predict_all(test)


def ours_fitted(train: Ratings, test: Ratings, seed: int, clock: Clock, **options: object) -> Course:
    """Once, by `fit`."""
    with clock:
        model = fit(train, seed=seed, **options)
    yield model.predict_all(test)


def ours_biases(train: Ratings, test: Ratings, _seed: int, clock: Clock) -> Course:
    """The baseline."""
    with clock:
        model = biases(train)
    yield model.predict_all(test)


def embedding_loop(train: Ratings, test: Ratings, seed: int, clock: Clock, *, lean: bool = False) -> Course:
    """The program everybody writes first: nn.Embedding, autograd, Adam, batches of 1,024 from a DataLoader, 10 epochs.

    `lean`: k = 16 in place of 32, a little weight decay, no DataLoader; and its best epoch counts, by the test ratings.
    """
    torch.manual_seed(seed)
    (m, n), k = train.shape, 16 if lean else 32
    tables = torch.nn.ModuleList([torch.nn.Embedding(size, k) for size, k in ((m, k), (n, k), (m, 1), (n, 1))])
    for table, deviation in zip(tables, (0.1, 0.1, 0, 0), strict=True):
        torch.nn.init.normal_(table.weight, 0, deviation)
    optimizer = torch.optim.Adam(tables.parameters(), lr=5e-3, weight_decay=1e-5 if lean else 0)
    data = torch.utils.data.TensorDataset(train.user, train.item, train.value.float())
    loader = torch.utils.data.DataLoader(data, batch_size=1024, shuffle=True)

    def predict(u: torch.Tensor, i: torch.Tensor) -> torch.Tensor:
        w, h, b, c = (table(index) for table, index in zip(tables, (u, i, u, i), strict=True))
        return train.mean + (w * h).sum(1) + b[:, 0] + c[:, 0]

    for _ in range(10):
        with clock:
            for u, i, r in (data[part] for part in torch.randperm(len(train)).split(1024)) if lean else loader:
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(predict(u, i), r).backward()
                optimizer.step()
        with torch.no_grad():
            yield predict(test.user, test.item)


def surprise(train: Ratings, test: Ratings, seed: int, clock: Clock, *, name: str) -> Course:
    """Scikit-surprise, with its defaults."""
    import pandas as pd
    import surprise as library

    with clock:
        frame = pd.DataFrame({"user": train.user.numpy(), "item": train.item.numpy(), "value": train.value.numpy()})
        reader = library.Reader(rating_scale=(float(train.value.min()), float(train.value.max())))
        data = library.Dataset.load_from_df(frame, reader).build_full_trainset()
        make = getattr(library, name)
        model = make(verbose=False) if "KNN" in name else make(random_state=seed)
        model.fit(data)
    pairs = zip(test.user.tolist(), test.item.tolist(), strict=True)
    yield np.array([model.predict(*pair).est for pair in pairs])


def cornac(train: Ratings, test: Ratings, seed: int, clock: Clock, **options: object) -> Course:
    """Cornac's MF: SGD in C; its defaults, k = 10 and 20 epochs, unless options are given."""
    import cornac as library

    with clock:
        rows = list(zip(train.user.tolist(), train.item.tolist(), train.value.tolist(), strict=True))
        data = library.data.Dataset.build(rows)
        model = library.models.MF(seed=seed, num_threads=THREADS, verbose=False, **options).fit(data)
    b, c, W, H = model.u_biases, model.i_biases, model.u_factors, model.i_factors
    u = np.array([data.uid_map[user] for user in test.user.tolist()])
    i = np.array([data.iid_map[item] for item in test.item.tolist()])
    yield model.global_mean + b[u] + c[i] + (W[u] * H[i]).sum(1)


def lenskit(train: Ratings, test: Ratings, seed: int, clock: Clock) -> Course:
    """LensKit's biased matrix factorization by ALS, with its defaults."""
    import pandas as pd
    from lenskit.als import BiasedMFScorer
    from lenskit.data import ItemList, from_interactions_df
    from lenskit.training import TrainingOptions

    with clock:
        columns = {"user_id": train.user.numpy(), "item_id": train.item.numpy(), "rating": train.value.numpy()}
        data = from_interactions_df(pd.DataFrame(columns))
        model = BiasedMFScorer()
        model.train(data, TrainingOptions(rng=seed))
    result = np.empty(len(test))
    for user in test.user.unique().tolist():
        at = (test.user == user).nonzero()[:, 0].numpy()
        result[at] = model(user, ItemList(item_ids=test.item.numpy()[at])).scores()
    yield result


def myfm(train: Ratings, test: Ratings, seed: int, clock: Clock, *, kind: str) -> Course:
    """myFM, a Bayesian factorization machine of rank 10: 200 sweeps of Gibbs sampling, 190 kept, or variational."""
    import myfm as library
    import scipy.sparse as sparse

    def encode(ratings: Ratings) -> sparse.csr_matrix:
        places = torch.stack((ratings.user, ratings.item + ratings.shape[0]), 1).flatten().numpy()
        starts = np.arange(0, len(places) + 1, 2)
        return sparse.csr_matrix((np.ones(len(places)), places, starts), shape=(len(ratings), sum(ratings.shape)))

    options = {"n_iter": 200, "group_shapes": list(train.shape)}
    with clock:
        if kind == "Gibbs":
            model = library.MyFMGibbsRegressor(rank=10, random_seed=seed)
            model.fit(encode(train), train.value.numpy(), n_kept_samples=190, **options)
        else:
            model = library.VariationalFMRegressor(rank=10, random_seed=seed)
            model.fit(encode(train), train.value.numpy(), **options)
    yield model.predict(encode(test))


def truncated_svd(train: Ratings, test: Ratings, seed: int, clock: Clock) -> Course:
    """Scikit-learn's TruncatedSVD, k = 16, of what our biases leave, 0 where nothing is observed."""
    import scipy.sparse as sparse
    from sklearn.decomposition import TruncatedSVD

    with clock:
        base = biases(train)
        left = (train.value - base.predict_all(train)).numpy()
        table = sparse.csr_matrix((left, (train.user.numpy(), train.item.numpy())), shape=train.shape)
        model = TruncatedSVD(16, random_state=seed).fit(table)
        W = table @ model.components_.T
    yield base.predict_all(test).numpy() + (W[test.user] * model.components_.T[test.item]).sum(1)


CONTESTANTS: dict[str, tuple[str | None, Callable[..., Course]]] = {  # what must be installed, what is run
    "mflearn, as it comes (Bayes, k = 16)": (None, ours),
    "mflearn, Bayes, k = 8": (None, partial(ours, k=8)),
    "mflearn, ALS, k = 4": (None, partial(ours, k=4, solver=als)),
    "mflearn, Gibbs, k = 8, 40 draws": (None, partial(ours_fitted, k=8, solver=gibbs, sweeps=50, average=40)),
    "mflearn, ALS, k = 16": (None, partial(ours, solver=als)),
    "mflearn, biases": (None, ours_biases),
    "myFM, Gibbs": ("myfm", partial(myfm, kind="Gibbs")),
    "myFM, variational": ("myfm", partial(myfm, kind="variational")),
    "Surprise SVD": ("surprise", partial(surprise, name="SVD")),
    "Surprise SVD++": ("surprise", partial(surprise, name="SVDpp")),
    "Surprise KNNBaseline": ("surprise", partial(surprise, name="KNNBaseline")),
    "Cornac MF": ("cornac", cornac),
    "Cornac MF, k = 50, 60 epochs, λ = .05": ("cornac", partial(cornac, k=50, max_iter=60, lambda_reg=0.05)),
    "LensKit BiasedMF": ("lenskit", lenskit),
    "scikit-learn TruncatedSVD": ("sklearn", truncated_svd),
    "nn.Embedding loop": (None, embedding_loop),
    "nn.Embedding loop, lean, best epoch": (None, partial(embedding_loop, lean=True)),
}


def load(name: str) -> Ratings:
    """One of the real data sets, from the folder in MFLEARN_DATA."""
    folder = os.environ.get("MFLEARN_DATA")
    if not folder:
        raise FileNotFoundError("MFLEARN_DATA is not set; let it name the folder that holds " + " and ".join(DATA))
    path, *columns = DATA[name]
    return Ratings.from_csv(Path(folder) / path, *columns)


def invented(size: int, seed: int = 0) -> Ratings:
    """About so many ratings: k = 8 normal factors, many more users than items, and a few items that all know."""
    m, n, rng = int(0.9 * size**0.7), int(1.1 * size**0.6), np.random.default_rng(seed)
    draws = int(1.15 * size)
    user = (m * rng.random(draws, dtype=np.float32) ** 1.3).astype(np.int64).clip(max=m - 1)
    item = (n * rng.random(draws, dtype=np.float32) ** 1.7).astype(np.int64).clip(max=n - 1)
    pair = np.unique(user * n + item)
    pair = pair[rng.random(len(pair), dtype=np.float32) < size / len(pair)]
    user, item = pair // n, pair % n
    W, H = (rng.standard_normal((rows, 8), dtype=np.float32) for rows in (m, n))
    b, c = (rng.standard_normal(rows, dtype=np.float32) for rows in (m, n))
    value = np.empty(len(user))
    for start in range(0, len(user), 10**6):
        u, i = user[start : start + 10**6], item[start : start + 10**6]
        value[start : start + 10**6] = 3.5 + 0.4 * (b[u] + c[i]) + 0.2 * (W[u] * H[i]).sum(1)
    value += 0.8 * rng.standard_normal(len(value), dtype=np.float32)
    return Ratings(*map(torch.from_numpy, (user, item, value)), tuple(range(m)), tuple(range(n)))


def compete(contestant: str, data: str, seed: int) -> dict:
    """One fit, in this process: its course (seconds, CPU seconds, RMSE), its end, and memory in MB."""
    _, run = CONTESTANTS[contestant]
    ratings, clock = load(data), Clock()
    train, test = ratings.split(0.1, seed=seed)
    low, high = float(ratings.value.min()), float(ratings.value.max())
    before, course = memory(), []
    for predicted in run(train, test, seed, clock):
        predicted = np.clip(np.asarray(predicted, dtype=float), low, high)
        course.append((clock.wall, clock.cpu, rmse(predicted, test.value)))
    end = min(course, key=lambda point: point[2]) if "best epoch" in contestant else course[-1]
    return {"end": end, "course": course, "peak": memory(), "before": before}


def lists(contestant: str, data: str, seed: int) -> dict:
    """One fit to implicit feedback, all ratings of 4 or more as ones: seconds, NDCG@10."""
    ratings, clock = load(data), Clock()
    train, test = ratings.where(ratings.value >= 4).split(0.2, seed=seed)
    train = replace(train, value=torch.ones_like(train.value))
    before = memory()
    if contestant == "implicit":
        import scipy.sparse as sparse
        from implicit.als import AlternatingLeastSquares

        with clock:
            entries = train.value.numpy(), (train.user.numpy(), train.item.numpy())
            table = sparse.csr_matrix(entries, shape=train.shape, dtype=np.float32)
            library = AlternatingLeastSquares(factors=32, random_state=seed, num_threads=THREADS)
            library.fit(table, show_progress=False)
        W, H = (torch.from_numpy(np.asarray(X)) for X in (library.user_factors, library.item_factors))
        model = replace(popularity(train), W=W, H=H.mT, mean=0.0)
    else:
        with clock:
            model = popularity(train) if contestant == "popularity" else fit(train, 32, solver=implicit, seed=seed)
    found = ranking(model, train, test, n=10, relevant=4.0)
    end = {"seconds": clock.wall, "cpu": clock.cpu, "peak": memory(), "before": before}
    return end | {"ndcg": found.ndcg, "coverage": found.coverage}


def grow(size: str, _data: str, seed: int) -> dict:
    """One fit with k = 8 to invented ratings."""
    train, clock = invented(int(size)), Clock()
    before = memory()
    with clock:
        model = fit(train, 8, seed=seed)
    peak, some = memory(), train.sample(10_000)
    end = {"seconds": clock.wall, "cpu": clock.cpu, "peak": peak, "before": before}
    return end | {"ratings": len(train), "rmse": rmse(model.predict_all(some), some.value)}


def memory() -> float:
    """The most that this process has held so far, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def alone(task: str, name: str, data: str = "", seed: int = 0) -> dict:
    """The same, in a process of its own; or why there is no result."""
    settings = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(THREADS))
    settings |= {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "TQDM_DISABLE": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "mflearn.bench.ratings", task, name, data, str(seed)]
    try:
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"failed": f"stopped after {LIMIT} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1][:100]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def reached(courses: list[list], error: float) -> tuple[float, float] | None:
    """The wall and CPU seconds in which the first of our courses that comes to this RMSE does so."""
    return next(((wall, cpu) for course in courses for wall, cpu, ours in course if ours <= error), None)


def ratings(rounds: int = 3, plot: str | None = None) -> bool:
    """Print the tables; True if all goals are reached."""
    for data in DATA:
        load(data)  # or say at once that it is missing
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {THREADS} threads"
    )
    missing = sorted({needs for needs, _ in CONTESTANTS.values() if needs and not importlib.util.find_spec(needs)})
    if missing:
        print(f'Not installed, left out: {", ".join(missing)}. All peers: pip install -e ".[peers,lenskit]"')
    results = {data: against_peers(data, rounds) for data in DATA}
    for data in DATA:
        against_lists(data, rounds)
    growth = scaling()
    if plot:
        draw(results, growth, plot)
    goals = [goal for result in results.values() for goal in goals_of(*result)] + growth["goals"]
    print("\nGoals")
    for text, value, good in goals:
        print(f"  {'yes' if good else 'NO ':4}{text}: {value}")
    return all(good for *_, good in goals)


@dataclass(frozen=True)
class Line:
    """One line of the table: the RMSE of each split, the medians of the seconds, the most of the memory."""

    errors: list[float]
    seconds: float
    cpu: float
    peak: float
    more: float  # above what the process held before the fit

    @property
    def rmse(self) -> float:
        """The mean over the splits."""
        return statistics.mean(self.errors)


def against_peers(data: str, seeds: int) -> tuple[str, dict[str, Line], dict[str, tuple]]:
    """The table of one data set; how many times faster we reach the RMSE of each peer, by the wall and by CPU."""
    runs: dict[str, list[dict]] = {}
    for seed in range(SPLIT, SPLIT + seeds):  # in turns: what disturbs the machine disturbs all
        for name, (needs, _) in CONTESTANTS.items():
            if needs is None or importlib.util.find_spec(needs):
                runs.setdefault(name, []).append(alone("compete", name, data, seed))
    lines: dict[str, Line] = {}
    for name, each in runs.items():
        if failed := [run["failed"] for run in each if "failed" in run]:
            print(f"{name} failed on {data}: {failed[0]}")
            continue
        walls, cpus, errors = (list(column) for column in zip(*(run["end"] for run in each), strict=True))
        peak, more = max(run["peak"] for run in each), max(run["peak"] - run["before"] for run in each)
        lines[name] = Line(errors, statistics.median(walls), statistics.median(cpus), peak, more)
    print(f"\n{data}: a tenth held out, {seeds} splits. RMSE: mean; seconds: median; MB: most held, and by the fit")
    print(
        f"{'':38}{'RMSE':>8}{'seconds':>9}{'CPU s':>8}{'MB':>7}{'fit':>6}{'we reach it in':>16}{'faster':>12}{'CPU':>7}"
    )
    mine = [name for name in reversed(list(CONTESTANTS)[:3]) if name in lines]  # the fast first, as on other splits
    faster: dict[str, tuple] = {}
    for name, line in sorted(lines.items(), key=lambda each: each[1].rmse):
        text = f"{name:38}{line.rmse:8.4f}{line.seconds:9.3f}{line.cpu:8.3f}{line.peak:7,.0f}{line.more:6,.0f}"
        if not name.startswith("mflearn"):
            times = [reached([runs[own][s]["course"] for own in mine], line.errors[s]) for s in range(seeds)]
            if None in times:
                text += f"{'not reached':>16}"
            else:
                ends = [run["end"] for run in runs[name]]
                ratios = [(end[0] / wall, end[1] / cpu) for end, (wall, cpu) in zip(ends, times, strict=True)]
                faster[name] = tuple(map(statistics.median, zip(*ratios, strict=True)))
                text += f"{statistics.median(wall for wall, _ in times):14.3f} s"
                text += f"{faster[name][0]:12,.1f}{faster[name][1]:7,.1f}"
        print(text)
    return data, lines, faster


def goals_of(data: str, lines: dict[str, Line], faster: dict[str, tuple]) -> list[tuple[str, str, bool]]:
    """What is to be reached, what came, and whether it is enough."""
    goals, ours = [], lines[next(iter(CONTESTANTS))]
    others = {name: line for name, line in lines.items() if not name.startswith("mflearn")}
    near = {name: line for name, line in others.items() if line.rmse < ours.rmse + 0.01}
    sampled = others.pop("myFM, Gibbs", None)
    if others:
        name = min(others, key=lambda other: others[other].rmse)
        worst = max(a - b for line in others.values() for a, b in zip(ours.errors, line.errors, strict=True))
        value = f"{ours.rmse:.4f} against {others[name].rmse:.4f} of {name}, {worst:+.4f} in the worst split"
        goals.append((f"{data}: RMSE below every peer but myFM's Gibbs", value, worst < 0))
    if sampled:
        gap = max(a - b for a, b in zip(ours.errors, sampled.errors, strict=True))
        share, cpu = ours.seconds / sampled.seconds, ours.cpu / sampled.cpu
        value = f"{ours.rmse - sampled.rmse:+.4f}, {gap:+.4f} in the worst split, in {share:.3f} of it, CPU {cpu:.3f}"
        good = gap <= 0.001 and share <= 0.1
        goals.append((f"{data}: at most 0.001 behind myFM's Gibbs in 0.1 of its time", value, good))
    if near:
        name = min(near, key=lambda other: near[other].seconds)
        value = f"{ours.seconds:.3f} s against {near[name].seconds:.3f} s of {name}"
        goals.append((f"{data}: less time than the fastest peer within 0.01", value, ours.seconds < near[name].seconds))
    for name, goal in (("Surprise SVD", 10), ("nn.Embedding loop", 50)):
        if name in lines:
            wall, cpu = faster.get(name, (0, 0))
            value = f"{wall:,.1f} times, by CPU time {cpu:,.1f}"
            goals.append((f"{data}: {name} reached at least {goal} times faster", value, wall >= goal))
    return goals


def against_lists(data: str, seeds: int) -> None:
    """The table of lists from implicit feedback."""
    names = ["mflearn", "popularity"] + ["implicit"] * bool(importlib.util.find_spec("implicit"))
    print(f"\n{data}, lists: ratings of 4 and more as ones, a fifth held out, k = 32")
    print(f"{'':38}{'NDCG@10':>8}{'seconds':>9}{'CPU s':>8}{'MB':>7}{'coverage':>10}")
    for name in names:
        each = [alone("lists", name, data, seed) for seed in range(SPLIT, SPLIT + seeds)]
        if failed := [run["failed"] for run in each if "failed" in run]:
            print(f"{name:38} failed: {failed[0]}")
            continue
        ndcg, coverage = (statistics.mean(run[key] for run in each) for key in ("ndcg", "coverage"))
        wall, cpu = (statistics.median(run[key] for run in each) for key in ("seconds", "cpu"))
        print(f"{name:38}{ndcg:8.4f}{wall:9.3f}{cpu:8.3f}{max(run['peak'] for run in each):7,.0f}{coverage:10.3f}")


def scaling() -> dict:
    """The table of growing sizes."""
    print(f"\nInvented ratings, Bayes, k = 8, {SWEEPS} sweeps; MB: most held, and before the fit")
    print(f"{'ratings':>14}{'seconds':>9}{'CPU s':>8}{'ns a rating and sweep':>24}{'MB':>7}{'before':>8}")
    runs, full = [], "20 million ratings in under 20 s and 4 GB"
    for size in SIZES:
        run = alone("grow", str(size))
        if "failed" in run:
            print(f"{size:14,} failed: {run['failed']}")
            return {"runs": runs, "goals": [(full, run["failed"], False)]}
        runs.append(run)
        each = 1e9 * run["seconds"] / run["ratings"] / SWEEPS
        text = f"{run['ratings']:14,}{run['seconds']:9.2f}{run['cpu']:8.2f}{each:24.1f}"
        print(text + f"{run['peak']:7,.0f}{run['before']:8,.0f}")
    logs = {key: np.log10([run[key] for run in runs]) for key in ("ratings", "seconds", "peak")}
    slope, held = (float(np.polyfit(logs["ratings"][1:], logs[key][1:], 1)[0]) for key in ("seconds", "peak"))
    print(f"Slopes on log axes, from a million on: seconds {slope:.2f}, memory {held:.2f}; 1 is linear")
    last = runs[-1]
    value = f"{last['seconds']:.1f} s, {last['peak'] / 1024:.2f} GB"
    goals = [
        (full, value, last["seconds"] < 20 and last["peak"] < 4096),
        ("time and memory grow with a slope of at most 1.1", f"{slope:.2f}, {held:.2f}", max(slope, held) <= 1.1),
    ]
    return {"runs": runs, "slope": slope, "goals": goals}


def draw(results: dict, growth: dict, path: str) -> None:
    """RMSE over seconds for each data set, and seconds over ratings."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6 * (len(results) + 1), 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(results) + 1)
    for ax, (data, (_, lines, _)) in zip(axes, results.items(), strict=False):
        for name, line in lines.items():
            own = name.startswith("mflearn")
            ax.plot(line.seconds, line.rmse, "o" if own else "s", color="#D55E00" if own else "#0072B2")
            ax.annotate(name, (line.seconds, line.rmse), fontsize=7, xytext=(4, 2), textcoords="offset points")
        ax.set(xscale="log", title=data, xlabel="seconds of fit", ylabel="test RMSE")
    sizes, seconds = ([run[key] for run in growth["runs"]] for key in ("ratings", "seconds"))
    axes[-1].loglog(sizes, seconds, "o-", color="#D55E00")
    title = f"k = 8: slope {growth.get('slope', np.nan):.2f}"
    axes[-1].set(title=title, xlabel="ratings", ylabel="seconds of fit")
    figure.savefig(path)


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    task, *rest, number = sys.argv[1:]
    print(json.dumps({"compete": compete, "lists": lists, "grow": grow}[task](*rest, int(number))))
