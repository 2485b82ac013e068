"""For all tests: no window opens, one thread computes."""

import matplotlib
import torch

matplotlib.use("Agg")  # not MPLBACKEND in the environment: the kernels of the notebooks would inherit it
torch.set_num_threads(1)
