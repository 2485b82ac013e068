"""For all tests: no window opens, one thread computes."""

import matplotlib
import scipy.linalg  # noqa: F401 - its BLAS, and numpy's, must be there to be limited
import torch
from threadpoolctl import threadpool_limits

matplotlib.use("Agg")  # not MPLBACKEND in the environment: the kernels of the notebooks would inherit it
torch.set_num_threads(1)
threadpool_limits(1)
