"""A benchmark of ALS on Spark: MLlib's and ours there, against ours on one machine; same split, same two cores."""

import os
import statistics
from collections.abc import Callable
from functools import partial

import torch

from mflearn import datasets, spark
from mflearn.model import Model
from mflearn.ratings import Ratings
from mflearn.recommend import als, fit
from mflearn.scores import rmse

from .comparison import seconds, versions
from .ratings import invented

K, LAM, SWEEPS, CORES = 16, 0.1, 10, 2
SIZES = 1_000_000, 6_000_000  # of invented ratings


def measure(rounds: int = 3) -> bool:
    """Print the table; True if all three have the same RMSE, and one machine is the fastest at every size."""
    session = spark.session(f"local[{CORES},4]")
    before = torch.get_num_threads()
    torch.set_num_threads(CORES)
    try:
        print(f"{versions()}, Spark {session.version}, {CORES} threads, float64 (factors of MLlib: float32)")
        print(f"ALS without biases, k = {K}, λ = {LAM} for each rating, {SWEEPS} sweeps, {CORES} partitions.\n")
        print(f"{'':34}{'RMSE':>8}{'seconds':>9}{'s a sweep more than on one machine':>36}")
        good = [_compare(name, ratings, session, rounds) for name, ratings in _data()]
    finally:
        torch.set_num_threads(before)
    print(
        f"\nMedians of {rounds} rounds, in turns, after a first one that is not counted: then Java and Python are warm."
    )
    return all(good)


def _data() -> list[tuple[str, Ratings]]:
    named = ["festival"] + (["movielens-small"] if os.environ.get("MFLEARN_DATA") else [])
    real = [(name, datasets.load(name).ratings) for name in named]
    return real + [(f"invented, {size:,}", invented(size)) for size in SIZES]


def _compare(name: str, ratings: Ratings, session: object, rounds: int) -> bool:
    """Print three lines for these ratings; whether the errors agree and one machine is the fastest."""
    train, test = ratings.split(0.1, seed=0)
    ways: dict[str, Callable[[], Model]] = {
        "MLlib": partial(spark.mllib, session, train, K, lam=LAM, sweeps=SWEEPS, partitions=CORES),
        "ours on Spark": partial(spark.als, session, train, K, lam=LAM, sweeps=SWEEPS, partitions=CORES),
        "ours on one machine": partial(fit, train, K, solver=partial(als, lam=LAM, biases=False), sweeps=SWEEPS),
    }
    errors = {way: rmse(run().predict_all(test), test.value) for way, run in ways.items()}
    times = {way: [] for way in ways}
    for _ in range(rounds):
        for way, run in ways.items():
            times[way].append(seconds(run))
    median = {way: statistics.median(each) for way, each in times.items()}
    print(f"{name}: {len(train):,} ratings to train on, {train.shape[0]:,} users, {train.shape[1]:,} items")
    alone = median["ours on one machine"]
    for way in ways:
        print(f"{'  ' + way:34}{errors[way]:8.4f}{median[way]:9.2f}{(median[way] - alone) / SWEEPS:36.3f}")
    near = max(errors.values()) - min(errors.values()) < 0.005
    return near and alone == min(median.values())
