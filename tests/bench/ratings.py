"""A benchmark of recommenders on real ratings: same data, same split, same two threads, one process for each fit.

CPU seconds are those of all threads together: on a busy machine compare these. The recommenders themselves, and what
their clock measures, are in `recommenders`. A library that is not installed is left out, and named in the first lines.
"""

import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import ndcg_score

from mflearn.model import Model
from mflearn.ratings import Ratings
from mflearn.recommend import fit, implicit
from mflearn.scores import popularity, rmse

from .recommenders import RECOMMENDERS, SWEEPS, THREADS, Clock

DATA = {
    "ml-latest-small": ("ml-latest-small/ratings.csv", "userId", "movieId", "rating"),
    "goodbooks-core": ("goodbooks-core/ratings.csv", "user_id", "book_id", "rating"),
}
LIMIT = 600  # seconds for one fit
SIZES = 100_000, 1_000_000, 6_000_000, 20_000_000
FIRST_SPLIT = 10  # the seed of the first split. Settings were chosen on splits from 100 on, never on these


def load(name: str) -> Ratings:
    """One of the real data sets, from the folder in MFLEARN_DATA."""
    folder = os.environ.get("MFLEARN_DATA")
    if not folder:
        raise FileNotFoundError("MFLEARN_DATA is not set; let it name the folder that holds " + " and ".join(DATA))
    path, *columns = DATA[name]
    frame = pd.read_csv(Path(folder) / path)
    return Ratings.of(*(frame[column] for column in columns))


def invented(size: int, seed: int = 0) -> Ratings:
    """About `size` invented ratings from k = 8 normal factors. Users outnumber items, and many rate the same few."""
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


def compete(recommender: str, data: str, seed: int) -> dict:
    """Fit one recommender in this process. Returned are its errors and times after each sweep, and its memory in MB.

    Each point of the course is (seconds, CPU seconds, RMSE); the end is the last point, or the best where the name of
    the recommender says so.
    """
    _, run = RECOMMENDERS[recommender]
    ratings, clock = load(data), Clock()
    train, test = ratings.split(0.1, seed=seed)
    low, high = float(ratings.value.min()), float(ratings.value.max())
    before, course = memory(), []
    for predicted in run(train, test, seed, clock):
        predicted = np.clip(np.asarray(predicted, dtype=float), low, high)
        course.append((clock.wall, clock.cpu, rmse(predicted, test.value)))
    end = min(course, key=lambda point: point[2]) if "best epoch" in recommender else course[-1]
    return {"end": end, "course": course, "peak": memory(), "before": before}


def lists(recommender: str, data: str, seed: int) -> dict:
    """Fit one recommender to implicit feedback, in which all ratings of 4 or more are ones: its seconds and NDCG@10."""
    ratings, clock = load(data), Clock()
    train, test = ratings.where(ratings.value >= 4).split(0.2, seed=seed)
    train = replace(train, value=torch.ones_like(train.value))
    before = memory()
    if recommender == "implicit":
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
            model = popularity(train) if recommender == "popularity" else fit(train, 32, solver=implicit, seed=seed)
    end = {"seconds": clock.wall, "cpu": clock.cpu, "peak": memory(), "before": before}
    return end | quality(model, train, test)


def quality(model: Model, train: Ratings, test: Ratings, n: int = 10) -> dict:
    """NDCG of the lists of n items that are not in `train`, where all of `test` is relevant, and their coverage.

    NDCG is the mean over the users with ratings in `test`; coverage is the share of all items on at least one list.
    """
    score = (model.W.double() @ model.H.double()).numpy()
    score[train.user, train.item] = -1e9
    relevant = np.zeros(train.shape)
    relevant[test.user, test.item] = 1
    users = relevant.any(1)
    listed = np.argsort(-score[users], axis=1, kind="stable")[:, :n]
    return {"ndcg": ndcg_score(relevant[users], score[users], k=n), "coverage": len(np.unique(listed)) / train.shape[1]}


def grow(size: str, _data: str, seed: int) -> dict:
    """Fit k = 8 to so many invented ratings: the seconds and the memory."""
    train, clock = invented(int(size)), Clock()
    before = memory()
    with clock:
        model = fit(train, 8, seed=seed)
    peak, some = memory(), train.sample(10_000)
    end = {"seconds": clock.wall, "cpu": clock.cpu, "peak": peak, "before": before}
    return end | {"ratings": len(train), "rmse": rmse(model.predict_all(some), some.value)}


def memory() -> float:
    """The largest memory that this process has held so far, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


def alone(task: str, name: str, data: str = "", seed: int = 0) -> dict:
    """Run `compete`, `lists` or `grow` in a process of its own; the result, or {"failed": the reason}."""
    settings = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(THREADS))
    settings |= {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "TQDM_DISABLE": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "bench.ratings", task, name, data, str(seed)]
    try:
        done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"failed": f"stopped after {LIMIT} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["no message"])[-1][:100]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def first_at(courses: list[list], error: float) -> tuple[float, float] | None:
    """The wall and CPU seconds in which the first of our courses that ever reaches this RMSE does so."""
    for course in courses:
        for wall, cpu, ours in course:
            if ours <= error:
                return wall, cpu
    return None


def measure(rounds: int = 3, plot: str | None = None) -> bool:
    """Print the tables; True if all goals are reached."""
    for data in DATA:
        load(data)  # now, so that a missing file is reported before hours of work
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}, "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {THREADS} threads"
    )
    needed = {library for library, _ in RECOMMENDERS.values()} | {"implicit"}
    missing = sorted(library for library in needed if not installed(library))
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


def installed(library: str | None) -> bool:
    """Whether a library is here; None stands for a recommender that needs no other library."""
    return library is None or importlib.util.find_spec(library) is not None


@dataclass(frozen=True)
class Line:
    """One line of the table: the RMSE of each split, the medians of the seconds, the maxima of the memory."""

    errors: list[float]
    seconds: float
    cpu: float
    peak: float
    by_fit: float  # how much of the memory came during the fit

    @property
    def rmse(self) -> float:
        """The mean RMSE over the splits."""
        return statistics.mean(self.errors)


def against_peers(data: str, seeds: int) -> tuple[str, dict[str, Line], dict[str, tuple]]:
    """Print the table of one data set. Also returned: how many times faster we reach the RMSE of each peer.

    Those ratios are (by wall seconds, by CPU seconds).
    """
    runs: dict[str, list[dict]] = {}
    for seed in range(FIRST_SPLIT, FIRST_SPLIT + seeds):  # in turns: what disturbs the machine disturbs all
        for name, (library, _) in RECOMMENDERS.items():
            if installed(library):
                runs.setdefault(name, []).append(alone("compete", name, data, seed))
    lines: dict[str, Line] = {}
    for name, each in runs.items():
        if failed := [run["failed"] for run in each if "failed" in run]:
            print(f"{name} failed on {data}: {failed[0]}")
            continue
        walls, cpus, errors = (list(column) for column in zip(*(run["end"] for run in each), strict=True))
        peak = max(run["peak"] for run in each)
        by_fit = max(run["peak"] - run["before"] for run in each)
        lines[name] = Line(errors, statistics.median(walls), statistics.median(cpus), peak, by_fit)
    print(f"\n{data}: a tenth held out, {seeds} splits. RMSE: mean; seconds: median; MB: most held, and by the fit")
    print(
        f"{'':38}{'RMSE':>8}{'seconds':>9}{'CPU s':>8}{'MB':>7}{'fit':>6}{'we reach it in':>16}{'faster':>12}{'CPU':>7}"
    )
    first_three = reversed(list(RECOMMENDERS)[:3])  # from the fastest to the most accurate
    mine = [name for name in first_three if name in lines]
    faster: dict[str, tuple] = {}
    for name, line in sorted(lines.items(), key=lambda each: each[1].rmse):
        text = f"{name:38}{line.rmse:8.4f}{line.seconds:9.3f}{line.cpu:8.3f}{line.peak:7,.0f}{line.by_fit:6,.0f}"
        if not name.startswith("mflearn"):
            times = [first_at([runs[own][s]["course"] for own in mine], line.errors[s]) for s in range(seeds)]
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
    """The goals of one data set: each with what was reached, and whether that is enough."""
    goals, ours = [], lines[next(iter(RECOMMENDERS))]
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
    """Print the table of lists from implicit feedback."""
    names = ["mflearn", "popularity"]
    if installed("implicit"):
        names.append("implicit")
    print(f"\n{data}, lists: ratings of 4 and more as ones, a fifth held out, k = 32")
    print(f"{'':38}{'NDCG@10':>8}{'seconds':>9}{'CPU s':>8}{'MB':>7}{'coverage':>10}")
    for name in names:
        each = [alone("lists", name, data, seed) for seed in range(FIRST_SPLIT, FIRST_SPLIT + seeds)]
        if failed := [run["failed"] for run in each if "failed" in run]:
            print(f"{name:38} failed: {failed[0]}")
            continue
        ndcg, coverage = (statistics.mean(run[key] for run in each) for key in ("ndcg", "coverage"))
        wall, cpu = (statistics.median(run[key] for run in each) for key in ("seconds", "cpu"))
        print(f"{name:38}{ndcg:8.4f}{wall:9.3f}{cpu:8.3f}{max(run['peak'] for run in each):7,.0f}{coverage:10.3f}")


def scaling() -> dict:
    """Print the table of growing sizes; the runs, and the goals."""
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
    """Write a figure: RMSE over seconds for each data set, and seconds over the number of ratings."""
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
    task, name, data, seed = sys.argv[1:]
    print(json.dumps({"compete": compete, "lists": lists, "grow": grow}[task](name, data, int(seed))))
