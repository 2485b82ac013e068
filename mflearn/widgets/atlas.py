"""An atlas: the descents of a whole grid of settings, trained in one batch for each rule. A move only looks one up."""

import threading
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..descent import Rule, Run, factorize
from ..fast import one_thread


class Atlas:
    """Descents on A for every k, η and seed of a grid, by every rule, each of as many steps.

    Nothing is trained before `train`; a setting that is off the grid, or not trained yet, is not found.
    """

    def __init__(
        self,
        A: Tensor,
        *,
        k: Sequence[int],
        eta: Sequence[float],
        seed: Sequence[int],
        rules: dict[str, Callable[..., Rule]],
        steps: int,
    ) -> None:
        self.A, self.k, self.eta, self.seed, self.rules, self.steps = A, tuple(k), tuple(eta), tuple(seed), rules, steps
        self.runs: dict[str, Run] = {}  # by rule; the axes of each are k, η, seed
        self.lock = threading.Lock()

    def train(self, watch: Callable[[float], bool] = lambda _done: True) -> None:
        """Train what is missing. `watch` is called with the share that is done, and ends the training with False."""
        k, seed = torch.tensor(self.k)[:, None, None], torch.tensor(self.seed)
        eta = torch.tensor(self.eta, dtype=torch.float64)[:, None]
        with self.lock, one_thread():
            for name, rule in self.rules.items():
                if name not in self.runs:
                    share = len(self.runs) / len(self.rules)
                    told = [True]

                    def tell(step: int, share: float = share, told: list = told) -> bool:
                        told.append(watch(share + step / self.steps / len(self.rules)))
                        return told[-1]

                    runs = factorize(self.A, k, eta=eta, seed=seed, steps=self.steps, rule=rule, watch=tell)
                    if not all(told):
                        return
                    self.runs = {**self.runs, name: runs}

    def find(self, *, k: int, eta: float, rule: str, seed: int, steps: int) -> Run | None:
        """The run of these settings, as `factorize` records it, or None."""
        runs = self.runs.get(rule)
        if runs is None or steps != self.steps or eta not in self.eta or seed not in self.seed or k not in self.k:
            return None
        return runs[self.k.index(k), self.eta.index(eta), self.seed.index(seed)]

    def ends(self, *, rule: str, seed: int) -> Tensor | None:
        """The last loss for each k and η, (k, η), inf where the run diverged; or None."""
        runs = self.runs.get(rule)
        if runs is None or seed not in self.seed:
            return None
        at = self.seed.index(seed)
        return torch.where(runs.diverged, torch.inf, runs.loss[-1])[..., at]
