"""On Spark the solvers give the model of one machine, whatever happens there; and ratings come from Parquet files."""

import os
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch

from mflearn import sides, spark
from mflearn.festival import invent
from mflearn.objectives import Observed
from mflearn.ratings import Ratings
from mflearn.recommend import als, bayes, fit
from mflearn.scores import rmse

pytestmark = [
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),  # sockets of Spark
]
SWEEPS = 10


@pytest.fixture(scope="module")
def session():
    """One for all tests of this file."""
    try:
        running = spark.session()
    except OSError as error:
        pytest.skip(str(error))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def ratings():
    """Some of the festival, without the ratings of one user and of one item."""
    some = invent()[0].sample(3000)
    return some.where((some.user != 3) & (some.item != 5))


def shuffled(ratings):
    return ratings.where(torch.from_numpy(np.random.default_rng(0).permutation(len(ratings))))


def same(one, other, tolerance=1e-5):
    pairs = [(one.W, other.W), (one.H, other.H), (one.noise, other.noise), (one.prior.precision, other.prior.precision)]
    pairs += [] if one.spread is None else [(one.spread, other.spread), (one.prior.B, other.prior.B)]
    return all(torch.allclose(a, b, rtol=0, atol=tolerance) for a, b in pairs)


# the same as on one machine


@pytest.mark.parametrize("partitions", [1, 2, 7])
@pytest.mark.parametrize("name", ["als", "bayes"])
def test_spark_computes_the_model_of_one_machine(session, ratings, name, partitions):
    """On any number of partitions, and for ratings in any order."""
    solver = partial(als, lam=0.1, biases=False) if name == "als" else bayes
    one = fit(ratings, 4, solver=solver, sweeps=SWEEPS, seed=1)
    given = shuffled(ratings) if partitions == 7 else ratings
    on_spark = {"als": spark.als, "bayes": spark.bayes}[name]
    other = on_spark(session, given, 4, sweeps=SWEEPS, seed=1, partitions=partitions)
    assert same(one, other)
    if name == "als":
        assert not other.W[:, 0].any() and not other.H[-1].any()  # no biases
    assert not same(one, fit(ratings, 4, solver=solver, sweeps=SWEEPS - 1, seed=1))


def test_there_may_be_more_partitions_than_rows(session):
    few = Ratings.of([0, 0, 1, 2, 2], ["a", "b", "a", "b", "a"], [1.0, 2, 3, 4, 5])
    for on_spark, solver in ((spark.als, partial(als, biases=False)), (spark.bayes, bayes)):
        assert same(on_spark(session, few, 1, sweeps=2, partitions=5), fit(few, 1, solver=solver, sweeps=2))


def test_a_killed_worker_changes_nothing(session, ratings, tmp_path):
    """In each half step, one partition loses its first worker; Spark repeats its task."""

    def clumsy(side, other, threads, **options):
        from pyspark import TaskContext

        task = TaskContext.get()
        if task.partitionId() == 1 and task.attemptNumber() == 0:
            (tmp_path / f"killed {os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return sides.half_step(side, other, threads, **options)

    models = []
    for solve in (sides.half_step, clumsy):
        with spark.half_step(session, ratings, 2, solve) as step:
            models.append(fit(ratings, 4, solver=partial(bayes, half_step=step), sweeps=2))
    assert len([*tmp_path.iterdir()]) == 4  # two half steps in each sweep
    assert torch.equal(models[0].W, models[1].W) and torch.equal(models[0].spread, models[1].spread)


# partitions


def sizes(table):
    """How many ratings each partition has."""
    return table.rdd.glom().map(len).collect()


def test_all_ratings_of_a_row_are_in_one_partition(session, ratings):
    for by, row in (("user", ratings.user), ("item", ratings.item)):
        parts = spark.frame(session, ratings, 3, by=by).rdd.glom().collect()
        rows = [{getattr(line, by) for line in part} for part in parts]
        assert len(rows) == 3 and sum(map(len, rows)) == len(set().union(*rows)) == len(row.unique())
        lines = {(line.user, line.item, line.value) for part in parts for line in part}
        assert lines == {
            *zip(*(column.tolist() for column in (ratings.user, ratings.item, ratings.value)), strict=True)
        }


def test_a_skewed_partition_is_cured(session):
    """The first 20 of 100 users gave 8 of 10 ratings: rows divided evenly leave most of the work to one partition."""
    user = torch.cat([torch.arange(20).repeat_interleave(40), torch.arange(20, 100).repeat_interleave(5)])
    item = torch.cat([torch.arange(40).repeat(20), torch.arange(5).repeat(80)])
    skewed = Ratings(user, item, torch.ones(len(user)).double(), (*range(100),), (*range(40),))
    assert sizes(spark.frame(session, skewed, 4, even=False)) == [825, 125, 125, 125]
    assert sizes(spark.frame(session, skewed, 4)) == [320, 280, 300, 300]


@pytest.mark.parametrize("count", [[5, 0, 0, 3], [0, 0, 9], [9, 0, 0], [1], [0, 1, 0, 1, 0, 1, 0], [100, 1, 1, 1]])
@pytest.mark.parametrize("partitions", [1, 2, 3, 7])
@pytest.mark.parametrize("even", [True, False])
def test_partitions_hold_all_rows_in_order_and_none_is_too_large(count, partitions, even):
    begin = spark.begins(torch.tensor(count), partitions, even=even).tolist()
    assert len(begin) == partitions + 1 and begin[0] == 0 and begin[-1] == len(count) and begin == sorted(begin)
    load = [sum(count[a:b]) if even else b - a for a, b in zip(begin, begin[1:], strict=False)]
    assert max(load) <= sum(load) / partitions + (max(count) if even else 1)


# MLlib


def test_mllib_reaches_the_objective_of_ours(session):
    train, test = invent()[0].split(0.1)
    f = Observed(train, lam=0.1, mean=train.mean, weighted=True, biases=True)
    theirs = spark.mllib(session, train, 8, lam=0.1, sweeps=SWEEPS)
    ours = fit(train, 8, solver=partial(als, lam=0.1, biases=False), sweeps=SWEEPS)
    assert float(f(theirs.W, theirs.H)) == pytest.approx(float(f(ours.W, ours.H)), rel=1e-3)
    assert float(f(theirs.W, theirs.H)) < 0.99 * float(f(*[X * 1.1 for X in (theirs.W, theirs.H)]))
    predicted = [model.predict_all(test) for model in (theirs, ours)]
    assert rmse(*predicted) < 0.1
    assert rmse(predicted[0], test.value) == pytest.approx(rmse(predicted[1], test.value), abs=0.01)
    assert float(theirs.noise) == pytest.approx(float(ours.noise), rel=0.01)
    label, at = train.users[7], train.user == 7
    guest = theirs.fold_in([train.items[i] for i in train.item[at]], train.value[at])
    assert torch.allclose(guest.w[:-1], theirs.W[7, :-1], atol=0.05)  # the last half step of MLlib solves for users
    assert [each for each, _ in guest.top(3)] == [each for each, _ in theirs.user(label).top(3)]


def test_many_sweeps_of_mllib_do_not_overflow_java(session, ratings):
    model = spark.mllib(session, ratings.sample(300), 1, sweeps=40)
    assert model.W.isfinite().all() and spark.session() is session


def test_a_row_without_ratings_has_no_factors_in_mllib(session, ratings):
    model = spark.mllib(session, ratings, 2, sweeps=1)
    assert not model.W[3].any() and not model.H[:, 5].any() and model.W[4].any()


# Parquet


def test_a_table_of_spark_comes_back_as_ratings(session, ratings, tmp_path):
    spark.frame(session, ratings, 3).write.parquet(str(tmp_path / "ratings"))
    back = spark.read(tmp_path / "ratings")
    assert back.shape == (len(ratings.user.unique()), len(ratings.item.unique()))
    lines = {
        (back.users[u], back.items[i], v)
        for u, i, v in zip(back.user.tolist(), back.item.tolist(), back.value.tolist(), strict=True)
    }
    assert lines == {*zip(ratings.user.tolist(), ratings.item.tolist(), ratings.value.tolist(), strict=True)}


PARTS, ROWS = 10, 100_000


def write_a_million(folder):
    """Ten files of a hundred thousand ratings each, with labels of 40 letters, and a column that nobody asks for."""
    import pyarrow
    from pyarrow import parquet

    folder.mkdir()
    for part in range(PARTS):
        number = part * ROWS + np.arange(ROWS)
        user, item = number // 100, (7 * number + number // 100) % 1000
        columns = {"reader": [f"{u:>40}" for u in user], "title": [f"{i:>40}" for i in item], "stars": number % 10 / 2}
        columns["review"] = [f"{n:>200}" for n in number]
        parquet.write_table(pyarrow.table(columns), folder / f"part-{part:02}.parquet")


def test_a_million_ratings_are_read_in_chunks(tmp_path):
    """In another process, whose memory of Arrow never holds more than a part of the columns that are asked for."""
    pytest.importorskip("pyarrow")
    write_a_million(tmp_path / "million")
    program = (
        "import pyarrow, sys; from mflearn import spark\n"
        "R = spark.read(sys.argv[1], user='reader', item='title', value='stars')\n"
        "print(R, R.users[1].strip(), R.items[R.item[-1]].strip(), float(R.value.sum()))\n"
        "print(pyarrow.default_memory_pool().max_memory() / 1e6)"
    )
    command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path / "million")]
    said, most = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert said == "Ratings(1,000,000 values, 10,000 users × 1,000 items) 1 992 2250000.0"
    assert float(most) < 64  # MB; the three columns are 96 MB; old versions of pyarrow hold more of them


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"value": "stars"}, "^value is 'stars'; the columns are user, item, value$"),
        ({"user": "item", "item": "nobody"}, "^item is 'nobody'; the columns are user, item, value$"),
        ({}, "^user has no label in 1 rows; every rating needs one$"),
        ({"user": "item"}, "^1 ratings are duplicates, the first of user 'x' and item 'x'"),
    ],
)
def test_parquet_that_holds_no_ratings_is_refused_in_one_line(given, words, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    columns = {"user": [None, "b"], "item": ["x", "x"], "value": [1.0, 2.0]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "part.parquet")
    with pytest.raises(ValueError, match=words) as caught:
        spark.read(tmp_path, **given)
    assert len(str(caught.value)) <= 160 and "\n" not in str(caught.value)


WRONG = {
    "spark.session('nonsense')": "master is 'nonsense'; it must be such as 'local[2,4]' or 'spark://host:7077'",
    "spark.session('local[0]')": "master is 'local[0]'; it must be such as 'local[2,4]' or 'spark://host:7077'",
    "spark.als(None, R)": "session is None; it must be open, such as spark.session()",
    "spark.mllib(None, R)": "session is None; it must be open, such as spark.session()",
    "spark.als(session, 5)": "ratings is a int; it must be Ratings, such as Ratings.of(...)",
    "spark.mllib(session, R, partitions='2')": "partitions is '2'; it must be a whole number, 1 or more",
    "spark.mllib(session, R, seed=2**63)": "seed is 9223372036854775808; it must be below 2**63",
    "spark.mllib(session, R, 10**6)": "the equations of rank 1000000 would hold 10000000000000 entries; at most",
    "spark.begins(R.value, 10**9)": "the list of partitions would hold 1000000000 entries; at most 100,000 fit",
    "fit(R, 2, solver=failing)": "Spark stopped: ValueError: give a larger lam",
}


@pytest.mark.parametrize("call", WRONG)
def test_what_spark_cannot_do_is_said_in_one_line(session, call):
    def give_up(*_, **__):
        raise ValueError("give a larger lam")

    R = Ratings.of(range(5), range(5), [1, 2, 3, 4, 5])
    with spark.half_step(session, R, 2, give_up) as step:
        failing = partial(als, biases=False, half_step=step)
        with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
            eval(call, dict(spark=spark, session=session, R=R, fit=fit, failing=failing))
    assert str(caught.value).startswith(WRONG[call]) and "\n" not in str(caught.value)


# what is missing


NO_JAVA = "OSError: Spark needs Java 17 or newer, and no such java starts here"
LACKS = {
    "sys.modules['pyspark'] = None": "OSError: pyspark or pyarrow is missing; pip install -c",
    "os.environ |= {'JAVA_HOME': '', 'PATH': ''}": NO_JAVA,
    "os.environ['JAVA_HOME'] = '/nowhere'": NO_JAVA,
    "os.environ['JAVA_HOME'] = sys.argv[1]": NO_JAVA,
}


@pytest.mark.parametrize("lack", LACKS)
def test_what_spark_lacks_is_said_in_one_line(lack, tmp_path):
    """Also of a java that is there, and cannot start Spark."""
    if "java" in lack.lower():
        pytest.importorskip("pyspark")
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    program = f"import os, sys\n{lack}\nfrom mflearn import spark\nspark.session()"
    command = [sys.executable, "-W", "ignore", "-c", program, str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 1 and answer.stderr.splitlines()[-1].startswith(LACKS[lack])


def test_arguments_are_checked(ratings):
    with pytest.raises(ValueError, match="^partitions is 0; it must be a whole number, 1 or more$"):
        spark.begins(torch.tensor([1, 2]), 0)
    with pytest.raises(TypeError, match="^ratings is a list; it must be Ratings"):
        spark.frame(None, [1, 2])
    with pytest.raises(ValueError, match="^sweeps is 0; it must be a whole number, 1 or more$"):
        spark.mllib(None, ratings, 2, sweeps=0)
    with pytest.raises(ValueError, match="^by is 'film'; it must be one of 'user', 'item'$"):
        spark.frame(None, ratings, by="film")
