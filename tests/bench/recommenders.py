"""The recommenders that the benchmark `ratings` compares: ours, those of other libraries, and the usual PyTorch loop.

Each is a function of training ratings, test ratings, a seed and a clock. It fits a model while the clock runs, and
yields its predictions for the test ratings: once, or after each sweep or epoch. The clock runs from three arrays in
memory (user, item, value) to a fitted model, whatever a library builds of them first; imports and predictions are not
counted. A library has its default settings, unless its function says otherwise.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial

import numpy as np
import torch

from mflearn.model import Model
from mflearn.ratings import Ratings
from mflearn.recommend import als, bayes
from mflearn.scores import biases

THREADS = 2
SWEEPS = 10  # of `fit`, unless told otherwise
Course = Iterator[np.ndarray]  # predictions for the test ratings, again and again


class Clock:
    """Adds up the seconds spent inside `with clock:`, on the wall and in all threads of this process."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self.wall -= time.perf_counter()
        self.cpu -= time.process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()


def ours(train: Ratings, test: Ratings, seed: int, clock: Clock, *, k: int = 16, solver: Callable = bayes) -> Course:
    """Our solvers, sweep by sweep, as `fit` runs them."""
    walk = None
    for number in range(SWEEPS):
        with clock:
            walk = walk or solver(train, k, seed=seed)
            sweep = next(walk)
        counted = clock if number == 0 else nullcontext()  # a fit makes a model once, of its last sweep
        with counted:
            model = Model.of(train, sweep)
        yield model.predict_all(test)


def ours_biases(train: Ratings, test: Ratings, _seed: int, clock: Clock) -> Course:
    """Our baseline: biases alone."""
    with clock:
        model = biases(train)
    yield model.predict_all(test)


def embedding_loop(train: Ratings, test: Ratings, seed: int, clock: Clock) -> Course:
    """The program everybody writes first: nn.Embedding, Adam, batches of 1,024 from a DataLoader, 10 epochs."""
    data = torch.utils.data.TensorDataset(train.user, train.item, train.value.float())
    torch.manual_seed(seed)
    model = Embeddings(train, k=32)
    loader = torch.utils.data.DataLoader(data, batch_size=1024, shuffle=True)
    return epochs(model, lambda: loader, test, clock, weight_decay=0)


def lean_embedding_loop(train: Ratings, test: Ratings, seed: int, clock: Clock) -> Course:
    """The same program improved: k = 16 in place of 32, a little weight decay, and no DataLoader.

    The table shows its best epoch, chosen by the test ratings; so it looks better here than it is.
    """
    data = torch.utils.data.TensorDataset(train.user, train.item, train.value.float())
    torch.manual_seed(seed)
    model = Embeddings(train, k=16)

    def batches() -> Iterator[list[torch.Tensor]]:
        for places in torch.randperm(len(train)).split(1024):
            yield data[places]

    return epochs(model, batches, test, clock, weight_decay=1e-5)


class Embeddings(torch.nn.Module):
    """A model of four embeddings: the factors of users and items, and their biases."""

    def __init__(self, train: Ratings, k: int) -> None:
        super().__init__()
        (m, n), self.mean = train.shape, train.mean
        sizes = (m, k), (n, k), (m, 1), (n, 1)
        self.tables = torch.nn.ModuleList([torch.nn.Embedding(rows, columns) for rows, columns in sizes])
        for table, deviation in zip(self.tables, (0.1, 0.1, 0, 0), strict=True):
            torch.nn.init.normal_(table.weight, 0, deviation)

    def forward(self, u: torch.Tensor, i: torch.Tensor) -> torch.Tensor:
        """The predictions for some pairs of a user and an item."""
        factors_u, factors_i, bias_u, bias_i = self.tables
        return self.mean + (factors_u(u) * factors_i(i)).sum(1) + bias_u(u)[:, 0] + bias_i(i)[:, 0]


def epochs(
    model: Embeddings, batches: Callable[[], Iterable], test: Ratings, clock: Clock, *, weight_decay: float
) -> Course:
    """Train for 10 epochs, and predict after each."""
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3, weight_decay=weight_decay)
    for _ in range(10):
        with clock:
            for u, i, r in batches():
                optimizer.zero_grad()
                torch.nn.functional.mse_loss(model(u, i), r).backward()
                optimizer.step()
        with torch.no_grad():
            yield model(test.user, test.item)


def surprise(train: Ratings, test: Ratings, seed: int, clock: Clock, *, name: str) -> Course:
    """The algorithm of this name in scikit-surprise, with its defaults."""
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
    """Scikit-learn's TruncatedSVD, k = 16, of the ratings minus our biases; 0 where nothing is observed."""
    import scipy.sparse as sparse
    from sklearn.decomposition import TruncatedSVD

    with clock:
        base = biases(train)
        left = (train.value - base.predict_all(train)).numpy()
        table = sparse.csr_matrix((left, (train.user.numpy(), train.item.numpy())), shape=train.shape)
        model = TruncatedSVD(16, random_state=seed).fit(table)
        W = table @ model.components_.T
    yield base.predict_all(test).numpy() + (W[test.user] * model.components_.T[test.item]).sum(1)


RECOMMENDERS: dict[str, tuple[str | None, Callable[..., Course]]] = {  # the library it needs, and its function
    "mflearn, as it comes (Bayes, k = 16)": (None, ours),
    "mflearn, Bayes, k = 8": (None, partial(ours, k=8)),
    "mflearn, ALS, k = 4": (None, partial(ours, k=4, solver=als)),
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
    "scikit-learn TruncatedSVD": (None, truncated_svd),
    "nn.Embedding loop": (None, embedding_loop),
    "nn.Embedding loop, lean, best epoch": (None, lean_embedding_loop),
}
