"""Sliders over a computation. No mathematics here: controls → result → axes."""

from .difference_quotient import explore_difference_quotient
from .explorer import Explorer
from .learning_rate import explore_learning_rate, explore_stability_game
from .locked_test import LockedTest
from .noise import explore_noise
from .outer_products import explore_outer_products
from .parts_and_seeds import explore_parts
from .rank import explore_rank
from .rank_and_rate import explore_rank_and_rate
from .recommendations import explore_recommendations
from .sparse_ratings import explore_ratings

__all__ = [
    "Explorer",
    "LockedTest",
    "explore_difference_quotient",
    "explore_learning_rate",
    "explore_noise",
    "explore_outer_products",
    "explore_rank",
    "explore_parts",
    "explore_rank_and_rate",
    "explore_recommendations",
    "explore_ratings",
    "explore_stability_game",
]
