"""Explorer of notebook 02: a formula for the gradient against the difference quotient, for every step δ."""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from ..descent import random_factors
from ..gradients import by_differences
from ..matrices import toy_matrix
from ..objectives import Frobenius
from ..plots import BLUE, GHOST, GREY, SIGNED, VERMILLION, Heatmap, number
from .explorer import Explorer, Question, Update, choice, slider

f = Frobenius(toy_matrix())
W, H = random_factors(4, 2, 2, seed=0)
E = f.residual(W, H)
FORMULAS = {
    "2 E Hᵀ": 2 * E @ H.mT,
    "−2 E Hᵀ (sign)": -2 * E @ H.mT,
    "E Hᵀ (no 2)": E @ H.mT,
    "2 E Hᵀ / mn (mean)": 2 * E @ H.mT / 8,
    "2 E H (no transpose)": 2 * E @ H,  # k = n = 2: the shapes fit, so nothing complains
}
QUOTIENTS = ("forward: (f(θ + δ) − f(θ)) / δ", "central: (f(θ + δ) − f(θ − δ)) / 2δ")
EXPONENTS = torch.arange(-13.0, -0.75, 0.25, dtype=torch.float64)


@dataclass(frozen=True)
class Comparison:
    """A formula for ∂f/∂W beside the quotient at one δ, and how far they are apart at all δ."""

    formula: str
    kind: str
    exponent: float
    slope: Tensor  # (4, 2), by the formula
    quotient: Tensor  # (4, 2), at δ = 10^exponent
    errors: Tensor  # relative, one for each of EXPONENTS
    error: float  # at δ


def quotient(kind: str, delta: float) -> Tensor:
    """The difference quotient of f in each entry of W."""
    if kind.startswith("central"):
        return by_differences(f, W, H, delta=delta)[0]
    slope = torch.empty_like(W)
    for i, p in torch.cartesian_prod(torch.arange(4), torch.arange(2)).tolist():
        moved = W.clone()
        moved[i, p] += delta
        slope[i, p] = (f(moved, H) - f(W, H)) / delta
    return slope


QUOTIENT_AT = {kind: torch.stack([quotient(kind, 10.0 ** float(e)) for e in EXPONENTS]) for kind in QUOTIENTS}


def compute(exponent: float, kind: str, formula: str) -> Comparison:
    """The relative distance ‖formula − quotient‖ / ‖quotient‖."""
    slope, here = FORMULAS[formula], quotient(kind, 10.0**exponent)
    errors = (slope - QUOTIENT_AT[kind]).norm(dim=(-2, -1)) / QUOTIENT_AT[kind].norm(dim=(-2, -1))
    return Comparison(formula, kind, exponent, slope, here, errors, float((slope - here).norm() / here.norm()))


def draw(figure: Figure) -> Update:
    """Error against δ, and the two gradients as tables."""
    ax, left, right = figure.subplots(1, 3, width_ratios=(5, 2, 2))
    ax.set(xscale="log", yscale="log", xlim=(6e-14, 0.2), ylim=(1e-15, 30))
    ax.set(xlabel="step δ of the quotient", ylabel="relative difference", title="formula against quotient")
    ax.grid(alpha=0.3)
    (ghost,) = ax.plot([], [], color=GHOST, linewidth=1.5)
    (curve,) = ax.plot([], [], color=BLUE, linewidth=2)
    (here,) = ax.plot([], [], color=VERMILLION, marker="o", markersize=10, linestyle="")
    (drop,) = ax.plot([], [], color=GREY, linestyle=":", linewidth=1.5)
    reach = float(FORMULAS["2 E Hᵀ"].abs().max())
    formula = Heatmap(left, (4, 2), "formula", limits=(-reach, reach), cmap=SIGNED)
    estimate = Heatmap(right, (4, 2), "quotient at δ", limits=(-reach, reach), cmap=SIGNED)

    def update(result: Comparison):
        delta = 10.0**result.exponent
        ghost.set_data(*curve.get_data())  # the setting before
        curve.set_data(10.0**EXPONENTS, result.errors.clamp_min(1e-16))
        here.set_data([delta], [max(result.error, 1e-16)])
        drop.set_data([delta, delta], [1e-16, max(result.error, 1e-16)])
        return [ghost, curve, drop, here, *formula.show(result.slope), *estimate.show(result.quotient)]

    return update


def describe(result: Comparison) -> str:
    """The error at δ, where it is smallest, and the ratio of formula and quotient if it is one number."""
    ratio, least = result.slope / result.quotient, float(result.errors.min())
    best = f"at the best δ {_size(least)}" if least < 1e-3 else "no δ brings it near 0"
    low, high = (number(float(end), 3) for end in (ratio.min(), ratio.max()))
    return (
        f"{result.formula}, {result.kind.split(':')[0]} quotient, δ = {10.0**result.exponent:.2g}: "
        f"relative difference {_size(result.error)}; {best}. Formula / quotient: "
        + (f"{low} in every entry." if low == high else f"from {low} to {high}.")
    )


def _size(error: float) -> str:
    """A number, or, where it may be round-off, which no two processors share, the next of a few bounds."""
    bounds = (10.0**-e for e in (13, 11, 9, 7, 5, 3))
    return next((f"below {bound:.0e}" for bound in bounds if error < bound), f"{error:.3g}")


def flat(result: Comparison) -> bool:
    """Whether the error of small δ is the same for all of them, but for rounding, which shows where δ is smallest."""
    errors = result.errors[EXPONENTS < -3]
    return float(errors.max()) < 1.2 * float(errors.min())


def falls(result: Comparison) -> bool:
    """Whether the error of small δ falls as δ gets smaller."""
    return not flat(result) and bool((result.errors[EXPONENTS < -3].diff() > 0).all())


def explore_difference_quotient() -> Explorer:
    """Which formula for ∂f/∂W is the right one, and how small should δ be?"""
    controls = {
        "exponent": slider("δ = 10^", -2.0, -13.0, -1.0, step=0.25),
        "kind": choice("quotient", *QUOTIENTS),
        "formula": choice("formula", *FORMULAS),
    }
    question = Question(
        "Someone derived E Hᵀ, without the 2. What does its error curve look like?",
        {
            "a V, as for the right formula": lambda result: not flat(result) and not falls(result),
            "flat, at one height": flat,
            "it falls as δ gets smaller": falls,
        },
        lambda _: {"exponent": -2.0, "kind": QUOTIENTS[0], "formula": "E Hᵀ (no 2)"},
        "The quotient comes near the true slope, which is twice this formula, so the difference stays at one half.",
    )
    return Explorer(compute, draw, describe, controls, question, title="a formula against the difference quotient")
