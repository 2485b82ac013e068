"""Ratings of invented films by invented viewers, and what they are made of: tastes, biases and noise."""

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from . import checked
from .ratings import Ratings, given

TASTES = ("loud", "odd", "far")
STARS = torch.arange(1, 11, dtype=torch.float64) / 2  # ½ to 5
FIRST_NAMES = (
    "Ada Bruno Chiara Dmitri Elif Farid Greta Hamid Ines Jonas Keiko Lars Malika Noah Olga Pablo "
    "Quentin Rosa Samir Tove Umar Vera Wanda Xenia Yusuf Zoë Anil Birgit Carlos Dede Emeka Fatou"
)
LAST_NAMES = (
    "Applewhite Bergström Castellan Dragomir Eastwater Featherby Goldwasser Hollin Ivanescu Jablonski Kettleworth "
    "Lindqvist Marchetti Nightjar Okonjo Pemberley Quillfeather Rautio Sandoval Thistlewood Umbridge-Lane Vasquez "
    "Winterbourne Xiphos Yarrow Zapata Abernethy Blumenthal Corvo Dunmore Ekström Fairweather"
)


@dataclass(frozen=True, eq=False)
class Truth:
    """What invented ratings are made of: mean μ, biases b and c, factors W and H, and normal noise σ.

    A viewer i means to give film j the score A = μ + b_i + c_j + (W H)_ij, feels A + σ ε that day, and writes down
    the nearest of the ten ratings ½, 1, …, 5.
    """

    mu: float
    b: Tensor  # (m,)
    c: Tensor  # (n,)
    W: Tensor  # (m, k)
    H: Tensor  # (k, n)
    sigma: float

    def scores(self) -> Tensor:
        """A = μ + b + c + W H, shape (m, n)."""
        return self.mu + self.b[:, None] + self.c + self.W @ self.H

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and variance, both (m, n), of the rating that each viewer would give each film.

        No prediction has a smaller expected squared error than this mean, and that error is this variance: exact
        sums over the ten ratings, P(rating ≤ r) = Φ((r + ¼ − A)/σ).
        """
        edges = torch.tensor([-math.inf, *(STARS[:-1] + 0.25), math.inf], dtype=torch.float64)
        chance = torch.special.ndtr((edges - self.scores()[..., None]) / self.sigma).diff()
        mean = chance @ STARS
        return mean, chance @ STARS.square() - mean.square()

    def lowest_rmse(self, ratings: Ratings) -> float:
        """The expected RMSE on these ratings of a predictor that knows the truth; no predictor has a lower one.

        It is the root of the mean variance over the pairs that were rated. It includes the noise, the rounding to half
        stars, and the ends of the scale.
        """
        if given(ratings).shape != tuple(self.scores().shape):
            raise ValueError(f"ratings have shape {ratings.shape}; the truth has {(*self.scores().shape,)}")
        return math.sqrt(float(self.moments()[1][ratings.user, ratings.item].mean()))


def invent(viewers: int = 600, films: int = 152, *, seed: int = 0) -> tuple[Ratings, Truth, pd.DataFrame]:
    """Ratings, the truth behind them, and the films, in the order of the columns; the same on every machine.

    Three tastes make the factors: loud or quiet, odd or earnest, far from this world or close to it. The number of
    viewers of a film falls with a power of its rank, and the number of films that a viewer sees is as uneven. Viewers
    see films that suit them more often than other films. There are names for 1,024 viewers and titles for 152 films.
    The table of films has a title, a year, a genre and from −2 to 2 of each taste.
    """
    m, n = checked.integer(viewers, "viewers", least=1), checked.integer(films, "films", least=1)
    names, programme = _names(), pd.read_csv(Path(__file__).with_name("festival.csv"))[:n]
    if m > len(names) or n > len(programme):
        raise ValueError(f"viewers, films are {m}, {n}; they must be at most {len(names)}, {len(programme)}")
    generator = torch.Generator().manual_seed(checked.integer(seed, "seed", least=0))

    def uniform(*shape: int) -> Tensor:  # torch.rand alone is the same on all processors
        return torch.rand(*shape, dtype=torch.float64, generator=generator)

    def bell(*shape: int) -> Tensor:  # between −1 and 1, standard deviation 1/√6
        return uniform(*shape) + uniform(*shape) - 1

    H = torch.tensor(programme[[*TASTES]].to_numpy(float).T)
    truth = Truth(mu=3.4, b=0.9 * bell(m), c=bell(n), W=1.3 * bell(m, 3), H=(H + bell(3, n)) / 2, sigma=0.5)
    A = truth.scores()
    rank = torch.empty(n, dtype=torch.float64)
    rank[uniform(n).argsort()] = torch.arange(1, n + 1, dtype=torch.float64)
    appeal = (truth.W @ truth.H).exp() * rank**-0.8
    seen = (15 / uniform(m).sqrt()).clamp(max=max(1, n // 2)).long().clamp(min=1)
    turn = (-uniform(m, n).log() / appeal).argsort(1)  # a draw without replacement, with chances as the appeal
    user = torch.arange(m).repeat_interleave(seen)
    item = turn[torch.arange(n) < seen[:, None]]
    felt = A[user, item] + truth.sigma * math.sqrt(2) * torch.erfinv(2 * uniform(len(user)) - 1)
    value = ((2 * felt).round() / 2).clamp(STARS[0], STARS[-1])  # the same on processors that differ in the last bit
    return Ratings(user, item, value, names[:m], tuple(programme["title"])), truth, programme


def _names() -> tuple[str, ...]:
    """Invented names, each once; neighbours share neither part."""
    first, last = FIRST_NAMES.split(), LAST_NAMES.split()
    return tuple(f"{first[i]} {last[(i + j) % 32]}" for j in range(32) for i in range(32))
