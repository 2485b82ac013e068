"""Matrix factorization, A ≈ W H, to learn from: the package behind the notebooks.

matrices     matrices to factor
titles       titles of items as plain text, and tables of them
ratings      the observed entries of a large matrix, with labels
festival     invented ratings whose truth is known
objectives   what is minimised, each with its gradient
sides        one side of the ratings, users or items, solved for in one piece
gradients    three ways to the same gradient
fast         quicker ways to the same loss and gradient, for the loop
descent      the one loop, the update rules, the recorded run
exact        what descent is measured against
model        a trained recommender: predictions, new users, lists, saved and loaded
nonnegative  factors without negative entries, and how far two runs agree
recommend    the solvers for sparse ratings
estimator    the SVD and non-negative factorization as an estimator of scikit-learn
scores       how good predictions and lists are, and the baselines
plots        figures: axes in, axes out
exercises    tasks that answer at once, and name the mistake
widgets      sliders over a computation
datasets     ratings by name: the festival, MovieLens, Goodbooks, any CSV
"""

__version__ = "0.1.0"


def progress():
    """What you have done of the exercises and questions, as a small picture."""
    from .exercises import progress as overview  # not before it is asked for: it loads torch

    return overview()
