"""The command line: `mflearn lab` opens the course, `mflearn bench` measures. No logic here."""

import argparse
import os
import sys
from pathlib import Path

from . import __version__

FIRST = "00_start_here.ipynb"
SETTINGS = Path(__file__).parent / "lab"  # what JupyterLab must be told, see labconfig/ there


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = argparse.ArgumentParser(prog="mflearn", description="A course on matrix factorization, A ≈ W H.")
    parser.add_argument("--version", action="version", version=f"mflearn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    lab = commands.add_parser(
        "lab",
        help="open the notebooks in JupyterLab",
        description="Open the notebooks in JupyterLab. Other options are handed on to it: mflearn lab --no-browser",
    )
    lab.set_defaults(command=open_lab)
    bench = commands.add_parser("bench", help="measure against the classic program")
    bench.add_argument("what", choices=["toy"], help="toy: the 4×2 matrix, 5,000 steps, and what grows out of it")
    bench.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each side runs (default: 5)")
    bench.set_defaults(command=run_bench)
    options, rest = parser.parse_known_args(arguments)
    if not hasattr(options, "command"):
        parser.print_help()
        return 2
    if rest and options.command is not open_lab:
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        return options.command(options, rest)
    except (OSError, ValueError) as error:
        print(f"mflearn: {error}", file=sys.stderr)
        return 1


def open_lab(_options: argparse.Namespace, rest: list[str]) -> int:
    """JupyterLab on the first notebook, with the settings of the course."""
    first = notebooks() / FIRST
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    from jupyterlab import labapp

    quiet = "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # in a container there is no one else
    opens = [f"--ServerApp.root_dir={first.parent}", f"--LabApp.default_url=/lab/tree/{first.name}"]
    labapp.main([*opens, quiet, *root, *rest])
    return 0


def notebooks() -> Path:
    """The folder with the first notebook: here, in notebooks/ here, or in the checkout that this package stands in."""
    here, checkout = Path.cwd(), Path(__file__).parents[1]
    for folder in (here, here / "notebooks", checkout / "notebooks"):
        if (folder / FIRST).is_file():
            return folder
    raise FileNotFoundError(f"found no notebooks/{FIRST}; run this in the folder of the course")


def run_bench(options: argparse.Namespace, _rest: list[str]) -> int:
    """Print a table; 1 if a goal is missed."""
    if options.rounds < 1:
        raise ValueError(f"--rounds is {options.rounds}; it must be 1 or more")
    from . import bench

    return 0 if bench.toy(options.rounds) else 1


if __name__ == "__main__":
    sys.exit(main())
