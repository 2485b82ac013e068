"""Whatever a title holds, it is shown as text: in a table, in a figure, in a widget."""

import io
import re
import unicodedata
from fractions import Fraction
from html.parser import HTMLParser

import ipywidgets
import numpy as np
import pytest
import torch

from mflearn import plots
from mflearn.titles import Table, plain

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</td></tr></table><h1>Gone",
    "<!-- Comment",
    "&lt;b&gt; & &amp; &#60;",
    "'; DROP TABLE films; --",
    "$x_1^2$ and $\\frac{1}{0}$",
    "$$\\undefined{$$",
    "The $4 Million Sandwich",
    "\\(a\\) \\[b\\] \\$ \\",
    "{title} {0} {{x}} %s %d",
    "_^~`*#|[link](javascript:alert(1))",
    "javascript:alert(1)",
    "One\nTwo\r\nThree\tFour\x0bFive\u2028Six\x85Seven",
    "NUL \x00 BEL \x07 ESC \x1b[31m red \x7f",
    "\u202egnp.exe \u2066hidden\u2069 \u200e\u200f\ufeff",
    "אבא גנוב",
    "بچه‌های آسمان",
    "千と千尋の神隠し",
    "👩‍👩‍👧 🎬 🇫🇷 Émoji",
    "Z" + "\u0301\u0335" * 40 + "algo",
    "A" * 10_000,
    "<b>" * 4_000,
    "\ud800 half a pair \udfff",
]


def test_there_are_25():
    assert len(set(HOSTILE)) == 25


class Seen(HTMLParser):
    """The tags and the text of a page, as a browser would make them."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.text = [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.text += " "  # what stands in two cells is two things

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.tags.append("comment")


@pytest.mark.parametrize("title", HOSTILE)
def test_a_plain_title_is_one_short_line_without_orders(title):
    line = plain(title, width=40)
    assert 1 <= len(line) <= 40
    orders = [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\u200c\u200d"]
    assert orders == [] and line == " ".join(line.split())
    line.encode()  # so that it can be written


def test_a_plain_title_keeps_what_it_can():
    assert plain("Amélie  (2001) ") == "Amélie (2001)"
    assert plain("بچه‌های آسمان") == "بچه‌های آسمان"
    assert plain("NUL \x00 BEL \x07") == "NUL BEL"
    assert plain("One\nTwo\r\nThree") == "One Two Three"
    assert plain("A" * 10_000, width=5) == "AAAA…" and plain("AAAAA", width=5) == "AAAAA"
    assert plain(1984) == "1984" and plain("") == ""


@pytest.mark.parametrize("title", HOSTILE)
def test_a_table_shows_the_title_and_nothing_else(title):
    page = Table({title: [title, "Bread"], "rating": [4.5, 3]}, width=80)._repr_html_()
    seen = Seen(page)
    assert seen.tags == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td", "tr", "td", "td"]
    assert seen.text.split() == [*plain(title, 80).split(), "rating", *plain(title, 80).split(), "4.50", "Bread", "3"]
    text = repr(Table({"film": [title, "Bread"], "rating": [4.5, 3]}, width=80))
    assert text.split("\n")[1].startswith(plain(title, 80)) and len(text.split("\n")) == 3


def test_a_table_is_not_typeset_as_mathematics():
    """MathJax, which JupyterLab runs over all output, leaves this class alone."""
    assert re.match('<table class="mathjax_ignore ', Table({"film": ["$x$"]})._repr_html_())


def test_a_table_takes_numbers_of_any_kind():
    table = Table({"film": ["Bread", "Salt"], "score": torch.tensor([1.25, 2.0]), "seen": torch.tensor([10, 9])})
    assert repr(table) == "film   score  seen\nBread   1.25    10\nSalt    2.00     9"


def test_a_table_of_uneven_columns_is_refused():
    with pytest.raises(ValueError, match=r"^columns have lengths \{'a': 1, 'b': 2\}; they must have one and the same$"):
        Table({"a": [1], "b": [1, 2]})


@pytest.mark.parametrize("title", HOSTILE)
def test_a_figure_shows_the_title(title):
    """Without a warning of a missing glyph, and with its dollars."""
    figure = plots.canvas(8, 3)
    text = figure.text(0, 0.5, plots.drawable(title), parse_math=False)
    figure.savefig(io.BytesIO(), format="png")
    assert len(plots.drawable(title)) == len(plain(title, 30))
    assert text.get_window_extent().width < 400  # of 800 pixels


def test_a_figure_draws_the_letters_that_its_font_has():
    assert plots.drawable("Ольга и маяк") == "Ольга и маяк"
    assert plots.drawable("千と Amélie") == "□□ Amélie"


@pytest.mark.parametrize("title", HOSTILE)
def test_a_widget_shows_the_title(title):
    menu = ipywidgets.Dropdown(options=[(plain(title), 7)])
    assert menu._options_labels == (plain(title),) and menu.value == 7


def test_a_number_of_32_bits_is_rounded_too():
    assert repr(Table({"a": [np.float32(0.123456789)]})).split() == ["a", "0.12"]


def test_a_title_behind_much_white_space_is_found():
    for nothing in (" ", "\u200b"):
        assert plain(3000 * nothing + "Alien") == "Alien"


@pytest.mark.parametrize("column", ["Alien", 5, None, torch.tensor(3.0), np.array("Alien")])
def test_what_is_no_list_is_no_column(column):
    with pytest.raises(TypeError, match="^the column 'film' is .*; it must be a list$"):
        Table({"film": column})


def test_a_list_is_no_table():
    with pytest.raises(TypeError, match=r"^columns is \[1, 2\]; it must be a dict of lists, each under its name$"):
        Table([1, 2])


def test_dates_scalars_and_fractions_are_cells():
    dates = np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[ns]")
    assert "2020-01-01" in repr(Table({"day": dates}))
    assert repr(Table({"a": [torch.tensor(4.5), Fraction(1, 3)]})).split() == ["a", "4.50", "0.33"]
