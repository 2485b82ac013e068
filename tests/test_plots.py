"""Figures draw what they are given, and can be told apart without colour."""

import io
import itertools
from dataclasses import replace
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

from mflearn import plots
from mflearn.descent import factorize
from mflearn.exact import lowest_loss
from mflearn.matrices import photograph, toy_matrix

A = toy_matrix()


def luminance(colour):
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(colour, ground):
    low, high = sorted((luminance(colour), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["white", "#111111"])  # of JupyterLab's two themes
def test_ink_has_a_contrast_of_four_to_one_and_every_line_one_of_three(ground):
    figure = plots.canvas()
    ax = figure.subplots()
    ax.set(title="title", xlabel="x", ylabel="y")
    ax.plot([1, 2], label="a line")
    inks = [text.get_color() for text in figure.findobj(Text)] + [spine.get_edgecolor() for spine in ax.spines.values()]
    assert len(inks) > 10
    for ink in inks:
        assert contrast(ink, ground) >= 4
    for colour, _, _ in plots.LINES:
        assert contrast(colour, ground) >= 3


def test_every_line_has_marks_of_its_own():
    colours, dashes, markers = zip(*plots.LINES, strict=True)
    assert len(set(colours)) == len(set(markers)) == len(plots.LINES) == 5
    assert len(set(dashes[:4])) == 4  # the fifth line repeats a dash, in grey


def test_two_runs_are_two_kinds_of_line():
    run = factorize(A, k=1, eta=0.02, steps=50)
    one, other, _ = plots.plot_loss([run, run], plots.canvas().subplots(), labels=["one", "other"], floor=0.2).lines
    assert one.get_color() != other.get_color() and one.get_linestyle() != other.get_linestyle()


def test_the_values_of_a_heatmap_grow_lighter():
    from matplotlib import colormaps

    shades = [luminance(colour[:3]) for colour in colormaps[plots.VALUES](np.linspace(0, 1, 50))]
    assert all(a < b for a, b in itertools.pairwise(shades))


def test_plot_loss_draws_what_the_run_holds():
    run = factorize(A, k=1, eta=0.02, steps=50)
    ax = plots.plot_loss([run], plots.canvas().subplots(), labels=["k = 1"], floor=float(lowest_loss(A, 1)))
    assert len(ax.lines) == 2
    assert ax.lines[0].get_ydata().tolist() == run.loss.tolist()
    assert ax.lines[1].get_ydata()[0] == pytest.approx(0.16718, abs=1e-5)


@pytest.mark.parametrize("case", ["too many", "no list", "a batch", "no labels"])
def test_runs_that_cannot_be_told_apart_are_refused(case):
    run, batch = factorize(A, k=1, eta=0.02, steps=5), factorize(A, k=1, eta=[0.02, 0.03], steps=5)
    runs, labels = {
        "too many": ([run] * 6, "abcdef"),
        "no list": (batch, "ab"),
        "a batch": ([batch], "a"),
        "no labels": ([run], ""),
    }[case]
    with pytest.raises(ValueError, match="^runs are .*; they must be at most 5 single runs, such as run.0., each with"):
        plots.plot_loss(runs, plots.canvas().subplots(), labels=labels, floor=0.2)


@pytest.mark.parametrize("draw", [partial(plots.plot_equation, signs=[]), partial(plots.plot_photographs, zoom=2)])
def test_matrices_of_any_kind_are_drawn_and_what_is_none_is_named(draw):
    for M in (A.numpy(), A.tolist(), A > 2, A.bfloat16(), A.clone().requires_grad_()):
        assert len(draw({"A": M}).axes) == 1
    for M, words in ((A[0], r"'A' has shape \(2,\)"), (A[:0], r"'A' has shape \(0, 2\)"), (None, "'A' holds None")):
        with pytest.raises((TypeError, ValueError), match=f"^{words}; it must "):
            draw({"A": M})
    for nothing in ({}, [A]):
        with pytest.raises(TypeError, match="^matrices is .*; it must be a dict of matrices, each under its title$"):
            draw(nothing)


def test_a_diverged_run_ends_in_a_cross():
    run = factorize(A, k=1, eta=0.5, steps=50)
    line, cross, _ = plots.plot_loss([run], plots.canvas().subplots(), labels=["k = 1"], floor=0.2).lines
    assert cross.get_marker() == "X"
    assert cross.get_xydata().tolist() == line.get_xydata()[-1:].tolist()


def test_of_the_losses_those_are_shown_that_a_log_axis_can_show():
    run = replace(factorize(A, k=1, eta=0.02, steps=3), loss=torch.tensor([1.0, 0.0, 1e30, torch.inf, torch.nan]))
    assert plots.shown_loss(run) == pytest.approx([1, 1e-12, 1e12])


def test_a_heatmap_shows_the_numbers():
    ax = plots.canvas().subplots()
    plots.Heatmap(ax, (4, 2), "A", limits=(0, 5)).show(A)
    assert [text.get_text() for text in ax.texts] == [f"{value:.2f}" for value in A.flatten().tolist()]
    assert ax.get_title() == "A"
    assert ax.images[0].get_array().tolist() == A.tolist()
    assert (ax.texts[0].get_color(), ax.texts[-1].get_color()) == ("black", "white")  # on light yellow, on dark blue


def test_a_smaller_matrix_leaves_the_rest_of_a_heatmap_empty():
    heatmap = plots.Heatmap(plots.canvas().subplots(), (4, 3), "W", limits=(0, 1))
    heatmap.show(torch.zeros(4, 3))
    heatmap.show(torch.ones(4, 1))
    assert [[text.get_text() for text in row] for row in heatmap.texts] == [["1.00", "", ""]] * 4


def test_the_landscape_is_zero_on_its_curve():
    ax = plots.plot_landscape(plots.canvas().subplots())
    assert len(ax.lines) == 2
    for line in ax.lines:
        w, h = line.get_data()
        assert np.allclose(np.asarray(w) * np.asarray(h), 1)
    assert ax.collections[0].zmax == pytest.approx((2.6**2 + 1) ** 2)  # in the corners of unlike signs


def test_an_equation_has_one_scale_of_colour():
    figure = plots.plot_equation({"A": A, "B": A / 10}, ["="])
    assert [ax.images[0].get_clim() for ax in figure.axes] == [(0, 5)] * 2


def test_show_gives_the_caption_as_text_and_the_same_bytes_every_time(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **more: shown.append((bundle, more)))
    for _ in range(2):
        plots.show(plots.plot_equation({"A": A}, []), "A caption that says what is shown.")
    assert capsys.readouterr().out.splitlines()[0] == "A caption that says what is shown."
    (first, more), (second, _) = shown
    assert first == second
    assert Image.open(io.BytesIO(first["image/png"])).text == {}  # no version stamp
    assert first["text/plain"].startswith("Figure: A caption")
    assert more["metadata"]["image/png"]["alt"].startswith("A caption")


def shown_and_drawn(figure, monkeypatch):
    """The PNG that `show` gives the notebook, and the one that matplotlib would write."""
    shown, whole = [], io.BytesIO()
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: shown.append(bundle["image/png"]))
    plots.show(figure, "A figure.")
    figure.savefig(whole)
    return shown[0], whole.getvalue()


def on(ground, png):
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    page = Image.new("RGBA", picture.size, ground)
    page.alpha_composite(picture)
    return np.asarray(page.convert("RGB"), float)


@pytest.mark.parametrize("ground", ["white", "#111111"])
@pytest.mark.parametrize("coloured", [False, True])
def test_show_keeps_the_colours_in_half_of_the_bytes(ground, coloured, monkeypatch):
    M = photograph(shrink=4)
    figure = plots.plot_photographs({"grey": M, "other": M - 0.5}, zoom=2, signed=["other"] if coloured else ())
    small, large = shown_and_drawn(figure, monkeypatch)
    apart = np.abs(on(ground, small) - on(ground, large))
    assert apart.max() <= 8 and apart.mean() < 0.1
    assert len(small) < 0.7 * len(large)


def test_a_figure_leaves_its_ground_to_the_page(monkeypatch):
    figure = plots.canvas()
    ax = figure.subplots()
    plots.Heatmap(ax, (4, 3), "a column is missing", limits=(0, 1)).show(torch.ones(4, 2))
    for png in shown_and_drawn(figure, monkeypatch):
        alpha = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3]
        x, y = (round(at) for at in ax.transData.transform((2, 1)))
        assert alpha[0].max() == alpha[-y, x] == 0
        x, y = (round(at) for at in ax.transData.transform((1.3, 1.3)))
        assert alpha[-y, x] == 255


def test_a_picture_is_drawn_pixel_by_pixel():
    M = photograph(shrink=4)
    pictures = {"A": M, "wide\nand low": M[:20], "residual": M - 0.5}
    figure = plots.plot_photographs(pictures, zoom=2, columns=2, signed=["residual"])
    figure.canvas.draw()
    drawn = np.asarray(figure.canvas.buffer_rgba())[..., :3] / 255
    for ax, wanted in zip(figure.axes, pictures.values(), strict=True):
        box = ax.get_window_extent()
        x, y = round(box.x0), round(figure.bbox.height - box.y1)
        seen = drawn[y : y + 2 * wanted.shape[0], x : x + 2 * wanted.shape[1]]
        assert (round(box.width), round(box.height)) == (2 * wanted.shape[1], 2 * wanted.shape[0])
        if ax.get_title() != "residual":
            assert np.abs(seen - np.repeat(np.repeat(wanted.numpy(), 2, 0), 2, 1)[..., None]).max() < 1.5 / 64
    assert figure.axes[2].images[0].norm(0.0) == 0.5  # the middle of its colours


def test_no_figure_becomes_a_window():
    plots.canvas()
    assert plt.get_fignums() == []


def crowd(count=40):
    return torch.from_numpy(np.random.default_rng(0).normal(size=(count, 2)))


def named(points, names, figure=None):
    """Axes with the points, and the names that find a place."""
    ax = (figure or plots.canvas()).subplots()
    ax.plot(*points.T, marker="o", markersize=5, linestyle="")
    ax.margins(0.12)
    plots.place_names(points, names, ax)
    return ax


def boxes(figure, ax):
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    return {text.get_text(): text.get_window_extent(renderer) for text in ax.texts}


def test_the_names_on_a_map_do_not_overlap_nor_hide_a_point():
    figure, points = plots.canvas(7, 5), crowd()
    names = [f"name_{i}$" for i in range(40)]
    ax = named(points, names, figure)
    placed = boxes(figure, ax)
    assert len(placed) > 25 and set(placed) <= set(names)
    for one, other in itertools.combinations(placed.values(), 2):
        assert not one.padded(2).overlaps(other)  # pixels
    dots = ax.transData.transform(points.numpy())
    for box in placed.values():
        assert not any(box.contains(*dot) for dot in dots)
        assert ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1 and ax.bbox.y0 <= box.y0 and box.y1 <= ax.bbox.y1


def test_a_name_stands_beside_its_point_or_is_joined_to_it():
    figure, points = plots.canvas(7, 5), crowd(90)
    names = [f"name_{i}" for i in range(90)]
    ax = named(points, names, figure)
    placed, joined = boxes(figure, ax), {tuple(line.get_xydata()[0]) for line in ax.lines[1:]}
    far = 0
    for name, box in placed.items():
        point = points[names.index(name)]
        x, y = ax.transData.transform(point.numpy())
        gap = np.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1))
        assert gap < 70
        far += gap > 10
        assert gap < 10 or tuple(point.tolist()) in joined
    assert far > 3


def test_where_there_is_no_room_a_name_is_left_out_and_the_first_comes_first():
    points = torch.zeros(200, 2) + 0.001 * torch.arange(200)[:, None]
    figure = plots.canvas(3, 2)
    ax = named(points, [f"a long name, {i}" for i in range(200)], figure)
    placed = boxes(figure, ax)
    assert 1 <= len(placed) < 200 and "a long name, 0" in placed
    some = named(points[:3] * 1e3, ["", "b", ""])
    assert [text.get_text() for text in some.texts] == ["b"]


def test_a_map_is_drawn_twice_alike():
    """The same bytes: no random place, no state left in matplotlib."""

    def png():
        figure, data = plots.canvas(4, 4), io.BytesIO()
        named(crowd(12), list("abcdefghijkl"), figure)
        figure.savefig(data, format="png", metadata={"Software": None})
        return data.getvalue()

    before = dict(plt.rcParams)
    assert png() == png()
    assert dict(plt.rcParams) == before
