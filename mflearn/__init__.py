"""Matrix factorization, A ≈ W H, to learn from: the package behind the notebooks.

Its modules, in the order of their imports: each imports only modules above it.

checked      checks of arguments
matrices     matrices to factor
titles       titles of items as plain text, and tables of them
ratings      the observed entries of a large matrix, with labels
festival     invented ratings whose truth is known
objectives   what is minimised, each with its gradient
exact        what descent is measured against
sides        one side of the ratings, users or items, solved for in one piece
gradients    three ways to the same gradient
fast         quicker ways to the same results, on one thread where more would wait for each other
descent      the one loop, the update rules, the recorded run
nonnegative  factors without negative entries, and how far two runs agree
estimator    the SVD and non-negative factorization as an estimator of scikit-learn
model        a trained recommender: predictions, new users, lists, saved and loaded
recommend    the solvers for sparse ratings
scores       how far predictions are off, and the baselines
plots        figures: axes in, axes out
exercises    tasks that answer at once, and name the mistake
widgets      sliders over a computation
downloads    one file from the network, whole and verified, or none
datasets     ratings by name: the festival, MovieLens, Goodbooks, any CSV
book         the course as pages, to read without Python
environment  is everything here that the course needs?
"""

__version__ = "0.1.0"


def progress():
    """What you have done of the exercises and questions, as a small table."""
    from .exercises import progress as table  # not before it is asked for: it loads torch

    return table()
