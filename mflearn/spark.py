"""The same recommender on Spark: the half step of `sides` on partitions of the ratings, and Spark's own ALS beside it.

A half step needs the ratings of some rows and the factors of the other side, and nothing else. So the machines of a
cluster hold the ratings, once by user and once by item, and all ratings of a row are in one partition. In each half
step every machine gets the other side, solves for its own rows, and sends them to the driver, the program that asked.
"""

import math
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from os import PathLike
from subprocess import DEVNULL
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from . import checked, recommend, sides
from .fast import one_thread
from .model import Model, Prior
from .ratings import Ratings, given
from .recommend import Sweep
from .scores import rmse
from .sides import Side, upper_outer

if TYPE_CHECKING:  # without Spark, this module can still be imported and read
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import DataFrame, SparkSession

SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.adaptive.enabled": "false",  # there are as many partitions as we ask for
    "spark.sql.execution.arrow.pyspark.enabled": "true",  # tables travel by columns, not row by row
}
HERE = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}  # needs no network
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")  # we hand over no table of pandas
ANSWER = "part long, X binary, covariance binary, squares double, logs double"  # one line for each partition


def session(master: str = "local[2,4]") -> "SparkSession":
    """Spark on two threads of this machine, or on the cluster with this address, such as "spark://host:7077".

    The 4 says how often a task is tried: Spark repeats what a lost worker has not finished. If Spark runs already, the
    session that is there is returned. Each machine of a cluster needs this package with its libraries.
    """
    try:
        from pyspark import SparkConf, SparkContext
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession
    except ImportError:
        raise ImportError('pyspark is missing; pip install -c constraints.txt -e ".[spark]" installs it') from None
    if there := SparkSession.getActiveSession():
        return there
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise OSError("Spark needs Java 17, and found no java; on Debian: apt-get install openjdk-17-jre-headless")
    settings = SETTINGS | (HERE if master.startswith("local") else {})
    conf = SparkConf().setMaster(master).setAppName("mflearn").setAll(list(settings.items()))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    gateway = SparkContext._gateway or launch_gateway(conf, {"stderr": DEVNULL})  # warnings of Java, in every notebook
    return SparkSession(SparkContext(conf=conf, gateway=gateway))


def begins(count: Tensor, partitions: int, *, even: bool = True) -> Tensor:
    """Where the partitions begin, (partitions + 1,): partition p holds the rows from begins[p] to begins[p + 1].

    `count` (size,) is the number of ratings of each row. The partitions get about as many ratings each; with even=False
    as many rows each. No row is divided, so a partition can hold more than the others by its largest row.
    """
    partitions = checked.integer(partitions, "partitions", least=1)
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

    at = {"user": given(ratings).user, "item": ratings.item}
    row, size = at[checked.choice(by, "by", ["user", "item"])], dict(zip(at, ratings.shape, strict=True))[by]
    begin = begins(torch.bincount(row, minlength=size), partitions, even=even)
    at["part"] = torch.searchsorted(begin, row, right=True) - 1
    columns = {name: index.int().numpy() for name, index in at.items()} | {"value": ratings.value.numpy()}
    table = session.createDataFrame(pyarrow.table(columns))
    return table.repartitionById(partitions, "part").drop("part")


@contextmanager
def half_step(
    session: "SparkSession", ratings: Ratings, partitions: int = 2, solve: Callable = sides.half_step
) -> Iterator[Callable]:
    """A function that answers as `sides.half_step` does, and lets each partition `solve` for its own rows.

    The machines keep the ratings while the block of `with` lasts. In each half step they get the rows Y of the other
    side; for Bayes they also get E[y yᵀ] of each of those, and the prior means of their own rows.
    """
    centred = replace(ratings, value=ratings.value - ratings.mean)
    tables = {by: frame(session, centred, partitions, by=by).cache() for by in ("user", "item")}

    def step(
        side: Side, other: Side, _: int, *, noise: float = 1, weighted: bool = False, covariance: Tensor | None = None
    ) -> tuple[float, float, Tensor | float]:
        bayes, K, begin = covariance is not None, side.X.shape[1], begins(side.count, partitions).tolist()
        by = "user" if side.fixed else "item"
        sent = {"Y": other.X, "row": side.X[0], "precision": side.precision}
        sent |= {"outer": other.outer, "mean": side.mean} if bayes else {}
        sent = {name: tensor.numpy() for name, tensor in sent.items()}  # a tensor would bring its whole storage
        sent |= {"by": by, "begin": begin, "free": side.free, "fixed": side.fixed, "noise": noise, "weighted": weighted}
        parcel = session.sparkContext.broadcast(sent)
        answers = tables[by].mapInArrow(lambda batches: _answer(batches, parcel.value, solve), ANSWER).collect()
        parcel.destroy()
        for line in answers:
            a, b = begin[line.part], begin[line.part + 1]
            side.X[a:b] = _numbers(line.X).view(b - a, K)
            if bayes:
                covariance[a:b] = _numbers(line.covariance).view(b - a, K, K)
        side.outer, total = upper_outer(side.X), 0.0
        if bayes:
            i, j = torch.triu_indices(K, K)
            side.outer += covariance[:, i, j]
            total = covariance[:, side.free, side.free].sum(0)
        return sum(line.squares for line in answers), sum(line.logs for line in answers), total

    try:
        yield step
    finally:
        for table in tables.values():
            table.unpersist()


def _answer(batches: Iterator, parcel: dict, solve: Callable) -> Iterator:
    """What the partition with these ratings solved for, in one line with the columns of ANSWER."""
    import pyarrow
    from pyspark import TaskContext

    part = TaskContext.get().partitionId()
    a, b = parcel["begin"][part : part + 2]
    if a == b:  # more partitions than rows
        return
    bayes, by = "outer" in parcel, parcel["by"]
    kinds = pyarrow.schema([("user", "int32"), ("item", "int32"), ("value", "float64")])
    table = pyarrow.Table.from_batches(batches, kinds).sort_by([("user", "ascending"), ("item", "ascending")])
    user, item, value = (torch.tensor(column.to_numpy()) for column in table.columns)
    row, column = (user, item) if by == "user" else (item, user)
    X, Y = torch.tensor(parcel["row"]).repeat(b - a, 1), torch.tensor(parcel["Y"])
    side = Side(row.long() - a, column, value, X, parcel["free"], parcel["fixed"])
    side.precision = torch.tensor(parcel["precision"])
    other = SimpleNamespace(X=Y, outer=torch.tensor(parcel["outer"]) if bayes else upper_outer(Y))
    if bayes:
        side.mean = torch.tensor(parcel["mean"][a:b])
    covariance = X.new_empty(b - a, X.shape[1], X.shape[1]) if bayes else None
    noise, weighted = parcel["noise"], parcel["weighted"]
    with one_thread():
        squares, logs, _ = solve(side, other, 1, noise=noise, weighted=weighted, covariance=covariance)
    S = covariance.numpy().tobytes() if bayes else b""
    answer = {"part": [part], "X": [X.numpy().tobytes()], "covariance": [S], "squares": [squares], "logs": [logs]}
    yield pyarrow.RecordBatch.from_pydict(answer)


def _numbers(data: bytearray) -> Tensor:
    return torch.frombuffer(data, dtype=torch.float64)


def als(
    session: "SparkSession",
    train: Ratings,
    k: int = 16,
    *,
    lam: float = 0.1,
    sweeps: int = 10,
    seed: int = 0,
    partitions: int = 2,
    solve: Callable = sides.half_step,
) -> Model:
    """The model of `recommend.fit(train, k, solver=partial(recommend.als, lam=lam, biases=False))`, computed on Spark.

    The result does not depend on the number of partitions. `solve` is the half step that each partition runs.
    """
    with half_step(session, train, partitions, solve) as step:
        solver = partial(recommend.als, lam=lam, biases=False, half_step=step)
        return recommend.fit(train, k, solver=solver, sweeps=sweeps, seed=seed)


def bayes(
    session: "SparkSession",
    train: Ratings,
    k: int = 16,
    *,
    sweeps: int = 10,
    seed: int = 0,
    partitions: int = 2,
    solve: Callable = sides.half_step,
) -> Model:
    """The model of `recommend.fit(train, k)`, variational Bayes with biases, computed on Spark. MLlib has none.

    The driver estimates the priors and the noise between the half steps, from the rows that it collected.
    """
    with half_step(session, train, partitions, solve) as step:
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

    It starts at other random factors, solves for items first, and keeps factors in 32 bits. It is given the ratings
    less their mean μ.
    """
    from pyspark.ml.recommendation import ALS

    blocks = {"numUserBlocks": partitions, "numItemBlocks": partitions}
    solver = ALS(
        rank=k, maxIter=sweeps, regParam=lam, seed=seed, userCol="user", itemCol="item", ratingCol="value", **blocks
    )
    centred = replace(train, value=train.value - train.mean)
    return model(solver.fit(frame(session, centred, partitions)), train, lam)


def model(trained: "ALSModel", train: Ratings, lam: float) -> Model:
    """An ALSModel of Spark, trained with λ on `frame`, as a `Model`: for new users, lists and labels."""
    (m, n), k = train.shape, trained.rank
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

    The files are read in chunks, and of each rating 16 bytes are kept: labels and other columns may exceed the memory.
    """
    from pyarrow import dataset

    files = dataset.dataset(folder, format="parquet")
    for name, column in (("user", user), ("item", item), ("value", value)):
        if column not in files.schema.names:
            raise ValueError(f"{name} is {column!r}; the columns are {', '.join(files.schema.names)}"[:160])
    numbers, numbered = {user: {}, item: {}}, {user: [], item: [], value: []}
    for chunk in files.to_batches(columns=[user, item, value]):
        for name, known in numbers.items():
            if chunk[name].null_count:
                raise ValueError(f"column {name} has no label at some rows; every rating needs one")
            coded = chunk[name].dictionary_encode()
            number = [known.setdefault(label, len(known)) for label in coded.dictionary.to_pylist()]
            numbered[name].append(np.array(number, np.int32)[coded.indices])
        numbered[value].append(chunk[value].to_numpy(zero_copy_only=False))
    ratings = Ratings.of(*(np.concatenate(parts) for parts in numbered.values()))
    return replace(ratings, users=tuple(numbers[user]), items=tuple(numbers[item]))
