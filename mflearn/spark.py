"""The same recommender on Spark: the half step of `sides` on partitions of the ratings, and Spark's own ALS beside it.

A half step needs the ratings of some rows and the factors of the other side, and nothing else. So the machines of a
cluster keep the ratings, once by user and once by item, with all ratings of a row in one partition. In each half step
every machine gets the other side, solves for its own rows, and sends them to the driver, the program that asked.
"""

import functools
import gc
import math
import os
import re
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from os import PathLike
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from . import checked, recommend, sides
from .fast import one_thread
from .model import Model, Prior
from .ratings import Ratings, distinct, given
from .recommend import Sweep
from .scores import rmse
from .sides import Side, upper_outer

if TYPE_CHECKING:  # without Spark, this module can still be imported and read
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import DataFrame, SparkSession

SETTINGS = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4", "spark.sql.adaptive.enabled": "false"}
SETTINGS |= {"spark.driver.memory": "4g"}  # at most; the usual 1g overflows after some fits of a million ratings
SETTINGS |= {"spark.driver.maxResultSize": "0"}  # no limit: with the usual 1g, not all rows of a large side come back
HERE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # needs no network
NO_JAVA = "Spark needs Java 17 or newer, and no such java starts here; the README says how to get it"
ANSWER = "part long, X binary, covariance binary, squares double, logs double"  # one line for each partition
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # we hand over tables of Arrow


def session(master: str = "local[2,4]") -> "SparkSession":
    """Spark on two threads of this machine, or on the cluster with this address, such as "spark://host:7077".

    The 4 says how often a task is tried: Spark repeats what a lost worker has not finished. If Spark runs already, the
    session that is there is returned. Each machine of a cluster needs this package with its libraries.
    """
    if why := missing():
        raise OSError(why)
    if not re.match(r"local(\[[1-9*]\S*\])?$|spark://|k8s://|yarn$", str(master)):
        raise ValueError(f"master is {checked.short(master)}; it must be such as 'local[2,4]' or 'spark://host:7077'")
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    if there := SparkSession.getActiveSession():
        return there
    settings = SETTINGS | (HERE if master.startswith("local") else {})
    conf = SparkConf().setMaster(master).setAppName("mflearn").setAll([*settings.items()])
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        quiet = {"stderr": DEVNULL}  # where Java always prints warnings
        gateway = SparkContext._gateway or launch_gateway(conf, quiet)
    except PySparkRuntimeError:
        raise OSError(NO_JAVA) from None
    return SparkSession(SparkContext(conf=conf, gateway=gateway))


@contextmanager
def _in_one_line() -> Iterator[None]:
    """The trace of an error in a worker is pages long; what went wrong stands in one line of it."""
    from pyspark.errors import PythonException

    try:
        yield
    except PythonException as error:
        told = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception): .*", str(error), re.MULTILINE)
        raise RuntimeError(f"Spark stopped: {told[-1] if told else error}"[:160]) from None


def missing() -> str | None:
    """What keeps Spark from running here, in one line; None if nothing does."""
    if not (find_spec("pyspark") and find_spec("pyarrow")):
        return 'pyspark or pyarrow is missing; pip install -c constraints.txt -e ".[spark]" installs both'
    home = os.environ.get("JAVA_HOME")
    return None if shutil.which(os.path.join(home, "bin", "java") if home else "java") else NO_JAVA


def begins(count: Tensor, partitions: int, *, even: bool = True) -> Tensor:
    """Where the partitions begin, (partitions + 1,): partition p holds the rows from begins[p] to begins[p + 1].

    `count` (size,) is the number of ratings of each row. The partitions get about as many ratings each; with even=False
    as many rows each. No row is divided, so a partition can hold more than the others by its largest row.
    """
    partitions = checked.integer(partitions, "partitions", least=1)
    checked.entries(partitions, "the list of partitions", most=10**5)
    weight = count if checked.choice(even, "even", [True, False]) else torch.ones_like(count)
    before = weight.cumsum(0) - weight  # the ratings of all rows above
    found = torch.searchsorted(before.double(), float(weight.sum()) * torch.arange(partitions + 1) / partitions)
    found[-1] = len(count)
    return found


def frame(
    session: "SparkSession", ratings: Ratings, partitions: int = 2, *, by: str = "user", even: bool = True
) -> "DataFrame":
    """The ratings as a table of Spark, with the columns user and item (their numbers in `ratings`) and value.

    Its partitions are those of `begins`, for the rows of one side: by="user" or by="item".
    """
    import pyarrow

    row, labels = given(ratings).user, ratings.users
    if checked.choice(by, "by", ["user", "item"]) == "item":
        row, labels = ratings.item, ratings.items
    begin = begins(torch.bincount(row, minlength=len(labels)), partitions, even=even)
    columns = {"user": ratings.user, "item": ratings.item, "part": torch.searchsorted(begin, row, right=True) - 1}
    if getattr(getattr(session, "sparkContext", None), "_jsc", None) is None:  # None after session.stop()
        raise TypeError(f"session is {checked.short(session)}; it must be open, such as spark.session()")
    columns = {name: column.int().numpy() for name, column in columns.items()} | {"value": ratings.value.numpy()}
    return session.createDataFrame(pyarrow.table(columns)).repartitionById(partitions, "part").drop("part")


@contextmanager
def half_step(
    session: "SparkSession", ratings: Ratings, partitions: int = 2, solve: Callable = sides.half_step
) -> Iterator[Callable]:
    """A function that answers as `sides.half_step` does, and lets each partition `solve` for its own rows.

    The machines keep the ratings while the block of `with` lasts. In each half step they get the rows Y of the other
    side; for Bayes they also get E[y yᵀ] of each of those, and the prior means of their own rows.
    """
    centred = replace(given(ratings), value=ratings.value - ratings.mean)
    tables = {by: frame(session, centred, partitions, by=by).cache() for by in ("user", "item")}

    def step(
        side: Side, other: Side, _: int, *, noise: float = 1, weighted: bool = False, covariance: Tensor | None = None
    ) -> tuple[float, float, Tensor | float]:
        by, begin, K = "user" if side.fixed else "item", begins(side.count, partitions).tolist(), side.X.shape[1]
        letter = {"begin": begin, "by": by, "row": side.X[0].clone(), "free": side.free, "fixed": side.fixed}
        letter |= {"precision": side.precision, "Y": other.X, "noise": noise, "weighted": weighted}
        if covariance is not None:
            letter |= {"mean": side.mean, "outer": other.outer}
        sent = session.sparkContext.broadcast(letter)
        with _in_one_line():
            answers = tables[by].mapInArrow(lambda batches: _answer(batches, sent.value, solve), ANSWER).collect()
        sent.destroy()
        for part, X, S, _, _ in answers:
            rows = slice(begin[part], begin[part + 1])
            side.X[rows] = _numbers(X).view(-1, K)
            if covariance is not None:
                covariance[rows] = _numbers(S).view(-1, K, K)
        side.outer, total = upper_outer(side.X), 0.0
        if covariance is not None:
            i, j = torch.triu_indices(K, K)
            side.outer += covariance[:, i, j]
            total = covariance[:, side.free, side.free].sum(0)
        return sum(line.squares for line in answers), sum(line.logs for line in answers), total

    try:
        yield step
    finally:
        for table in tables.values():
            table.unpersist()


def _answer(batches: Iterator, letter: dict, solve: Callable) -> Iterator:
    """What the partition with these ratings has solved for, in one line with the columns of ANSWER."""
    import pyarrow
    from pyspark import TaskContext

    _keep_libraries()
    part = TaskContext.get().partitionId()
    a, b = letter["begin"][part : part + 2]
    kinds = pyarrow.schema([("user", "int32"), ("item", "int32"), ("value", "float64")])
    table = pyarrow.Table.from_batches(batches, kinds).sort_by([("user", "ascending"), ("item", "ascending")])
    if a == b:  # more partitions than rows
        return
    user, item, value = (torch.tensor(column.to_numpy()) for column in table.columns)
    row, column = (user, item) if letter["by"] == "user" else (item, user)
    side = Side(row.long() - a, column, value, letter["row"].repeat(b - a, 1), letter["free"], letter["fixed"])
    side.precision, bayes, Y = letter["precision"], "outer" in letter, letter["Y"]
    other, covariance = SimpleNamespace(X=Y, outer=letter["outer"] if bayes else upper_outer(Y)), None
    if bayes:
        side.mean, covariance = letter["mean"][a:b], Y.new_empty(b - a, Y.shape[1], Y.shape[1])
    with one_thread():
        noise, weighted = letter["noise"], letter["weighted"]
        squares, logs, _ = solve(side, other, 1, noise=noise, weighted=weighted, covariance=covariance)
    X, S = (b"" if found is None else found.numpy().tobytes() for found in (side.X, covariance))
    yield pyarrow.RecordBatch.from_pylist([{"part": part, "X": X, "covariance": S, "squares": squares, "logs": logs}])


@functools.cache
def _keep_libraries() -> None:
    """Spark collects garbage after each task: to search all objects of torch would take a tenth of a second."""
    gc.freeze()


def _numbers(data: bytes) -> Tensor:
    return torch.tensor(np.frombuffer(data))


def als(
    session: "SparkSession",
    train: Ratings,
    k: int = 16,
    *,
    lam: float = 0.1,
    sweeps: int = 10,
    seed: int = 0,
    partitions: int = 2,
) -> Model:
    """On Spark, `recommend.fit(train, k, solver=partial(recommend.als, lam=lam, biases=False))`: the same model.

    It does not depend on the number of partitions. The penalty λ counts once for each rating.
    """
    with half_step(session, train, partitions) as step:
        solver = partial(recommend.als, lam=lam, biases=False, half_step=step)
        return recommend.fit(train, k, solver=solver, sweeps=sweeps, seed=seed)


def bayes(
    session: "SparkSession", train: Ratings, k: int = 16, *, sweeps: int = 10, seed: int = 0, partitions: int = 2
) -> Model:
    """On Spark, `recommend.fit(train, k)`, variational Bayes with biases: the same model. MLlib has no such solver.

    Between the half steps the driver estimates the priors and the noise from the rows that it has collected.
    """
    with half_step(session, train, partitions) as step:
        return recommend.fit(train, k, solver=partial(recommend.bayes, half_step=step), sweeps=sweeps, seed=seed)


def mllib(
    session: "SparkSession",
    train: Ratings,
    k: int = 16,
    *,
    lam: float = 0.1,
    sweeps: int = 10,
    seed: int = 0,
    partitions: int = 2,
) -> Model:
    """The model of Spark MLlib's ALS, for the objective of `als`: λ counts once for each rating, without biases.

    It gets the ratings less their mean μ. It starts at other random factors, solves for the items first, and keeps 32
    bits of a factor.
    """
    from pyspark.ml.recommendation import ALS

    checked.integer(k, "k", least=1), checked.integer(sweeps, "sweeps", least=1), checked.number(lam, "lam", above=0)
    checked.integer(seed, "seed", least=0)
    checked.entries(sum(given(train).shape) * k * k, f"the equations of rank {k}", most=10**10)
    table = frame(session, replace(train, value=train.value - train.mean), partitions)
    columns = {"userCol": "user", "itemCol": "item", "ratingCol": "value"}
    blocks = {"numUserBlocks": partitions, "numItemBlocks": partitions}
    solver = ALS(rank=k, maxIter=sweeps, regParam=lam, seed=seed, **columns, **blocks)
    context = session.sparkContext
    with TemporaryDirectory() as folder:
        if context.master.startswith("local"):  # without what it keeps there, 20 sweeps overflow Java's stack
            context.setCheckpointDir(folder)
        return model(solver.fit(table), train, lam)


def model(trained: "ALSModel", train: Ratings, lam: float) -> Model:
    """What MLlib trained on these ratings less their mean, with the penalty λ, as a `Model`: for new users, lists, …"""
    (m, n), k = given(train).shape, trained.rank
    Z = torch.zeros(m + n, k + 2, dtype=torch.float64)
    for first, factors in ((0, trained.userFactors), (m, trained.itemFactors)):
        table = factors.toArrow()
        features = table["features"].combine_chunks().flatten().to_numpy().reshape(-1, k)
        Z[first + torch.tensor(table["id"].to_numpy()), 1:-1] = torch.tensor(features).double()
    W, H = Z.split((m, n))
    noise = max(rmse((W[train.user] * H[train.item]).sum(1), train.value - train.mean) ** 2, 1e-9)
    no_features = torch.zeros(2, k + 1).double(), torch.zeros(n, 0).double(), torch.ones(3).double()
    prior = Prior(lam / noise * torch.eye(k + 1).double(), *no_features, weighted=True)
    return Model.of(train, Sweep(Z, m, math.nan, train.mean, noise, prior))


def read(folder: str | PathLike, *, user: str = "user", item: str = "item", value: str = "value") -> Ratings:
    """The ratings in a folder of Parquet files, such as Spark writes; `user`, `item` and `value` name the columns.

    The files are read in chunks. Only three numbers of each rating are kept, so the files may exceed the memory.
    """
    from pyarrow import dataset

    files = dataset.dataset(folder, format="parquet")
    for name, column in (("user", user), ("item", item), ("value", value)):
        if column not in files.schema.names:
            raise ValueError(f"{name} is {column!r:.40}; the columns are {', '.join(files.schema.names)}"[:160])
    known, columns = ({}, {}), {"user": [], "item": [], "value": []}
    for chunk in files.to_batches(columns=[user, item, value], batch_readahead=1, fragment_readahead=1):
        for name, column, numbers in zip(("user", "item"), chunk, known, strict=False):
            if column.null_count:
                raise ValueError(f"{name} has no label in {column.null_count} rows; every rating needs one")
            coded = column.dictionary_encode()
            number = [numbers.setdefault(label, len(numbers)) for label in coded.dictionary.to_pylist()]
            columns[name].append(np.array(number, np.int32)[coded.indices])
        columns["value"].append(chunk.columns[2].to_numpy(zero_copy_only=False))
    user, item, value = map(np.concatenate, columns.values())
    user, item, users, items = torch.from_numpy(user).long(), torch.from_numpy(item).long(), *map(tuple, known)
    return distinct(Ratings(user, item, checked.array(value, "values", axes=1), users, items))
