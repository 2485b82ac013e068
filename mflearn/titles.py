"""Titles as plain text on one short line, and tables of them: nothing in a title acts on a page or a figure."""

import html
import numbers
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

JOINERS = "\u200c\u200d"  # which Persian, Hindi and some emoji need; other marks without a width are dropped


def plain(title: Any, width: int = 60) -> str:
    """A title as one line of at most `width` characters.

    Control characters and marks that turn the direction of reading are dropped, runs of white space become one space.

    >>> plain("The\\tLong\\nGoodbye\\0, Again", width=12)
    'The Long Go…'
    """
    text = " ".join(str(title)[: 40 * width].split())  # the rest of a title of 10 kB would not show
    kept = (c for c in text if c in JOINERS or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    text = " ".join("".join(kept).split())
    return text if len(text) <= width else text[: width - 1].rstrip() + "…"


@dataclass(frozen=True)
class Table:
    """Columns of the same length under their names, shown by a notebook as a table, and elsewhere as text.

    Cells are plain text; numbers are rounded, and aligned at the right.

    >>> Table({"film": ["Bread", "Salt"], "rating": [4.5, 3.25]})
    film   rating
    Bread    4.50
    Salt     3.25
    """

    columns: Mapping[str, Sequence]
    digits: int = 2  # of numbers that are not whole
    width: int = 60  # of a cell, in characters

    def __post_init__(self) -> None:
        columns = {
            name: column.tolist() if hasattr(column, "tolist") else list(column)
            for name, column in self.columns.items()
        }
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"columns have lengths {lengths}; they must have one and the same"[:160])
        object.__setattr__(self, "columns", columns)

    def __repr__(self) -> str:
        lines = self._lines()
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        sides = [str.rjust if number else str.ljust for number in self._numbers()]
        return "\n".join(
            "  ".join(side(cell, width) for cell, width, side in zip(line, widths, sides, strict=True)).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        sides = ["right" if number else "left" for number in self._numbers()]
        rows = [
            "".join(
                f'<td dir="auto" style="text-align: {side}">{html.escape(cell)}</td>'
                for cell, side in zip(line, sides, strict=True)
            )
            for line in self._lines()
        ]
        head, *body = (f"<tr>{row}</tr>" for row in rows)
        head = head.replace("<td", '<th scope="col"').replace("</td>", "</th>")
        classes = "mathjax_ignore tex2jax_ignore"  # or JupyterLab would typeset what stands between two $
        lines = "\n".join(body)
        return f'<table class="{classes}">\n<thead>{head}</thead>\n<tbody>\n{lines}\n</tbody>\n</table>'

    def _lines(self) -> list[list[str]]:
        rows = zip(*self.columns.values(), strict=True)
        return [
            [plain(name, self.width) for name in self.columns],
            *([self._cell(value) for value in row] for row in rows),
        ]

    def _cell(self, value: Any) -> str:
        real = isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral)
        return f"{value:.{self.digits}f}" if real else plain(value, self.width)

    def _numbers(self) -> list[bool]:
        return [all(isinstance(value, numbers.Real) for value in column) for column in self.columns.values()]
