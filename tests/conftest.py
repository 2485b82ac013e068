"""For all tests: no window opens, one thread computes, and no learner's progress is touched."""

import atexit
import os
import shutil
import tempfile

folder = tempfile.mkdtemp(prefix="mflearn-tests-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ["MPLCONFIGDIR"] = folder  # a list of fonts that another program left behind may lack Matplotlib's own

import matplotlib  # noqa: E402
import scipy.linalg  # noqa: E402, F401 - its BLAS, and numpy's, must be there to be limited
import torch  # noqa: E402
from threadpoolctl import threadpool_limits  # noqa: E402

matplotlib.use("Agg")  # not MPLBACKEND in the environment: the kernels of the notebooks would inherit it
torch.set_num_threads(1)
threadpool_limits(1)
for library in ("OMP", "OPENBLAS", "MKL"):  # in the kernels, too: where two of them share two cores, threads wait
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
collect_ignore = ["bench", "other_arithmetic"]  # benchmarks, and a sitecustomize for other processes
os.environ["MFLEARN_PROGRESS"] = os.path.join(folder, "progress.json")  # of the kernels, too

LONGEST = "test_solved_course.py", "test_browser.py"


def pytest_collection_modifyitems(items):
    """The longest files come first: each of the two processes begins with one, and both are busy to the end."""
    items.sort(key=lambda item: item.path.name not in LONGEST)
