"""Matrix factorization, A ≈ W H, to learn from: the package behind the notebooks.

matrices    matrices to factor
objectives  what is minimised, each with its gradient
gradients   three ways to the same gradient
descent     the one loop, the update rules, the recorded run
exact       what descent is measured against
plots       figures: axes in, axes out
widgets     sliders over a computation
"""

__version__ = "0.1.0"
