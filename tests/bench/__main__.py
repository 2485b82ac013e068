"""The command line of the benchmarks: `make bench` runs all of them, `make bench ONLY=toy` runs one."""

import argparse
import importlib
import sys

BENCHES = {
    "toy": "descent on the 4×2 matrix and what grows out of it, against the classic program",
    "nmf": "non-negative factorization of digits and texts, against scikit-learn",
    "explorer": "an explorer in a browser, from key to pixels, against interact; needs Chromium",
    "spark": "ALS on Spark, of MLlib and of ours, against one machine; needs Java 17",
    "ratings": "recommenders on real ratings, against other libraries; needs MFLEARN_DATA and the extra `peers`",
}


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that are named, or all; the exit status is 1 if one missed a goal or could not run."""
    described = "\n".join(f"    {name:10}{text}" for name, text in BENCHES.items())
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=f"Measure mflearn against what one would use instead:\n\n{described}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", type=known, help="default: all, in this order")
    parser.add_argument(
        "--rounds", metavar="N", type=positive, help="how often each side runs (5; ratings: 3 splits; spark: 3)"
    )
    parser.add_argument("--plot", metavar="FILE", help="write a figure of the benchmark `ratings`, too")
    options = parser.parse_args(arguments)
    names = options.names or list(BENCHES)
    if options.plot and "ratings" not in names:
        parser.error(f"--plot is for the benchmark `ratings` alone; {' and '.join(names)} cannot draw")

    all_good = True
    for name in names:
        settings = {}
        if options.rounds:
            settings["rounds"] = options.rounds
        if options.plot and name == "ratings":
            settings["plot"] = options.plot
        try:
            reached = importlib.import_module(f"bench.{name}").measure(**settings)
        except (ImportError, OSError, ValueError) as error:
            print(f"The benchmark {name} cannot run: {error}", file=sys.stderr)
            reached = False
        all_good = all_good and reached
    return 0 if all_good else 1


def known(name: str) -> str:
    """The name of a benchmark."""
    if name not in BENCHES:
        raise argparse.ArgumentTypeError(f"there is no benchmark {name}; there are {', '.join(BENCHES)}")
    return name


def positive(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"it is {text}; it must be a whole number of 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
