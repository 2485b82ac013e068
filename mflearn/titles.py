"""Titles as plain text on one short line, and tables of them: nothing in a title acts on a page or a figure."""

import html
import numbers
import unicodedata
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from .checked import short

JOINERS = "\u200c\u200d"  # which Persian, Hindi and some emoji need; other marks without a width are dropped


def plain(title: Any, width: int = 60) -> str:
    """A title as one line of at most `width` characters.

    Control characters and marks that turn the direction of reading are dropped, runs of white space become one space.

    >>> plain("The\\tLong\\nGoodbye\\0, Again", width=12)
    'The Long Go…'
    """
    letters = (" " if c.isspace() else c for c in str(title).lstrip())
    kept = (c for c in letters if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    text = " ".join("".join(islice(kept, 40 * width)).split())  # the rest of a title of 10 kB would not show
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


class Table:
    """Columns of the same length under their names, shown by a notebook as a table, and elsewhere as text.

    Cells are plain text of at most `width` characters. Numbers are aligned at the right, and those that are not whole
    are rounded to so many `digits`.

    >>> Table({"film": ["Bread", "Salt"], "rating": [4.5, 3.25]})
    film   rating
    Bread    4.50
    Salt     3.25
    """

    def __init__(self, columns: Mapping[str, Iterable], *, digits: int = 2, width: int = 60) -> None:
        if not hasattr(columns, "items"):
            raise TypeError(f"columns is {short(columns)}; it must be a dict of lists, each under its name")
        values = {name: _values(name, column) for name, column in columns.items()}
        lengths = {name: len(column) for name, column in values.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"columns have lengths {lengths}; they must have one and the same"[:160])
        self._columns = []  # the texts of each column with its name above, and whether it holds numbers
        for name, column in values.items():
            texts = [plain(name, width), *(_cell(value, digits, width) for value in column)]
            self._columns.append((texts, all(isinstance(value, numbers.Real) for value in column)))

    def __repr__(self) -> str:
        padded = []
        for texts, right in self._columns:
            widest = max(map(len, texts))
            padded.append([text.rjust(widest) if right else text.ljust(widest) for text in texts])
        return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))

    def _repr_html_(self) -> str:
        cells = []
        for texts, right in self._columns:
            opening = f'<td dir="auto" style="text-align: {"right" if right else "left"}">'
            cells.append([f"{opening}{html.escape(text)}</td>" for text in texts])
        head, *body = (f"<tr>{''.join(row)}</tr>" for row in zip(*cells, strict=True))
        head = head.replace("<td", '<th scope="col"').replace("</td>", "</th>")
        classes = "mathjax_ignore tex2jax_ignore"  # or JupyterLab would typeset what stands between two $
        lines = "\n".join(body)
        return f'<table class="{classes}">\n<thead>{head}</thead>\n<tbody>\n{lines}\n</tbody>\n</table>'


def _values(name: str, column: Any) -> list:
    """The cells of a column, as Python has them."""
    if isinstance(column, str) or not isinstance(column, Iterable) or getattr(column, "ndim", 1) == 0:
        raise TypeError(f"the column {name!r:.40} is {short(column)}; it must be a list")
    if getattr(getattr(column, "dtype", None), "kind", "") in ("M", "m"):  # dates, for which NumPy may give numbers
        return [str(value) for value in column]
    return [value.tolist() if hasattr(value, "tolist") else value for value in column]


def _cell(value: Any, digits: int, width: int) -> str:
    real = isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral)
    return f"{float(value):.{digits}f}" if real else plain(value, width)
