"""Sliders over a computation. No mathematics here: controls → result → axes."""

from .difference_quotient import explore_difference_quotient
from .explorer import Explorer
from .learning_rate import explore_learning_rate, explore_stability_game
from .outer_products import explore_outer_products
from .rank_and_rate import explore_rank_and_rate

__all__ = [
    "Explorer",
    "explore_difference_quotient",
    "explore_learning_rate",
    "explore_outer_products",
    "explore_rank_and_rate",
    "explore_stability_game",
]
