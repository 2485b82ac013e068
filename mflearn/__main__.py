"""The command line: opens the course and its slides, gets ratings, writes pages and all answers. No logic here."""

import argparse
import os
import sys
from pathlib import Path

from . import __version__, course

SETTINGS = Path(__file__).parent / "lab"  # what JupyterLab must be told, see labconfig/ there


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    sys.stdout.reconfigure(errors="replace")  # a terminal that has no ≈
    parser = argparse.ArgumentParser(prog="mflearn", description="A course on matrix factorization, A ≈ W H.")
    parser.add_argument("--version", action="version", version=f"mflearn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    lab = commands.add_parser("lab", help="open the notebooks in JupyterLab; other options are handed on to it")
    lab.add_argument("--copy", action="store_true", help="if there are no notebooks here, copy them without a question")
    lab.set_defaults(command=open_lab)
    slides = commands.add_parser("slides", help="present a notebook; other options are handed on to JupyterLab")
    slides.add_argument("notebook", metavar="NOTEBOOK", help="its number, such as 04, or the name of its file")
    slides.add_argument("--notes", metavar="FILE", help="write its notes for the speaker there, a page to print")
    slides.set_defaults(command=run_slides)
    data = commands.add_parser("data", help="download ratings by their name; without a name, list what there is")
    data.add_argument("name", nargs="?", metavar="NAME", help="such as movielens-small")
    data.add_argument("--to", metavar="FOLDER", help="a folder instead of the usual one; name it in MFLEARN_DATA then")
    data.set_defaults(command=run_data)
    answers = commands.add_parser("answers", help="for lecturers: all solutions and known mistakes, in Markdown")
    answers.add_argument("--to", metavar="FILE", help="write it to a file")
    answers.set_defaults(command=run_answers)
    book = commands.add_parser("book", help="the course as pages to read without Python")
    book.add_argument("--to", metavar="FOLDER", default="build/book", help="where they go; without it: build/book")
    book.add_argument("--pdf", action="store_true", help="also print a handout of each notebook, without solutions")
    book.add_argument(
        "--still", action="store_true", help="pictures of explorers: to record them takes minutes at first"
    )
    book.set_defaults(command=run_book)
    options, rest = parser.parse_known_args(arguments)
    if not hasattr(options, "command"):
        parser.print_help()
        return 2
    if rest and options.command not in (open_lab, run_slides):
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        return options.command(options, rest)
    except (OSError, ValueError) as error:
        print(f"mflearn: {error}", file=sys.stderr)
        return 1


def open_lab(options: argparse.Namespace, rest: list[str]) -> int:
    """JupyterLab on the first notebook, where there is no course yet on a copy of it."""
    folder, written = course.ready(lambda question: options.copy or agreed(question))
    if written:
        print(f"Written in {folder}: {', '.join(written)}")
    return start_lab(folder, [f"--LabApp.default_url=/lab/tree/{course.FIRST}", *rest])


def agreed(question: str) -> bool:
    """The answer to a question at the terminal; without a terminal it is no."""
    return sys.stdin.isatty() and input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")


def start_lab(notebooks: Path, options: list[str]) -> int:
    """JupyterLab in the folder of the notebooks, with the settings of the course."""
    folder = f"--ServerApp.root_dir={notebooks}"
    paths = [str(SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, paths))
    from jupyterlab import labapp

    quiet = "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"
    root = ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []  # in a container there is no one else
    labapp.main([folder, quiet, *root, *options])
    return 0


def run_slides(options: argparse.Namespace, rest: list[str]) -> int:
    """JupyterLab on the slides of one notebook; or only their notes, written to a file."""
    from . import slides

    notebook = slides.find(options.notebook, course.folder())
    if options.notes and (rest or options.notes.endswith(".ipynb")):
        raise ValueError(f"the notes go to a page such as notes.html, not to {' '.join((options.notes, *rest)):.60}")
    if options.notes:
        Path(options.notes).write_text(slides.notes(notebook), encoding="utf-8")
        return 0
    with slides.options(notebook) as told:
        return start_lab(notebook.parent, [*told, *rest])


def run_data(options: argparse.Namespace, _rest: list[str]) -> int:
    """Print what is here, or where a download went, with licence and citation."""
    from . import datasets

    if options.name is None:
        print(datasets.listing())
        return 0
    data = datasets.get(options.name, options.to, progress=sys.stderr.isatty())
    print(f"{data.name}: {data.ratings}, in {options.to or datasets.where(data.name)}")
    print(f"Licence: {data.licence}\nPlease cite: {data.citation}")
    return 0


def run_answers(options: argparse.Namespace, _rest: list[str]) -> int:
    """Print the page for lecturers, or write it."""
    from .exercises import lecturer

    if options.to:
        Path(options.to).write_text(lecturer.page(), encoding="utf-8")
    else:
        sys.stdout.reconfigure(encoding="utf-8")  # of a console on Windows, too
        print(lecturer.page(), end="")
    return 0


def run_book(options: argparse.Namespace, _rest: list[str]) -> int:
    """Write the pages, and print where to begin to read."""
    from . import book

    folder = Path(options.to)
    book.build(course.folder(), folder, still=options.still)
    print(f"The pages begin in {folder / 'index.html'}")
    if options.pdf:
        print(*book.handouts(course.folder(), folder), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
