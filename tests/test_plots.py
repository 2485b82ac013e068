"""Figures draw what they are given, and can be told apart without colour."""

import io
import itertools
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image

from mflearn import plots
from mflearn.descent import factorize
from mflearn.exact import lowest_loss, stable_eta
from mflearn.matrices import toy_matrix

A = toy_matrix()


def luminance(colour):
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def test_every_line_has_a_contrast_of_three_to_one_and_marks_of_its_own():
    for colour, _, _ in plots.LINES:
        assert 1.05 / (luminance(colour) + 0.05) >= 3
    colours, dashes, markers = zip(*plots.LINES, strict=True)
    assert len(set(colours)) == len(set(markers)) == len(plots.LINES) == 5
    assert len(set(dashes[:4])) == 4  # the fifth line repeats a dash, in black


def test_two_runs_are_two_kinds_of_line():
    run = factorize(A, k=1, eta=0.02, steps=50)
    one, other = plots.plot_loss([run, run], plots.canvas().subplots()).lines
    assert one.get_color() != other.get_color() and one.get_linestyle() != other.get_linestyle()


def test_the_values_of_a_heatmap_grow_lighter():
    from matplotlib import colormaps

    shades = [luminance(colour[:3]) for colour in colormaps[plots.VALUES](np.linspace(0, 1, 50))]
    assert all(a < b for a, b in itertools.pairwise(shades))


def test_plot_loss_draws_what_the_run_holds():
    run = factorize(A, k=1, eta=0.02, steps=50)
    ax = plots.plot_loss(run, plots.canvas().subplots(), floor=float(lowest_loss(A, 1)))
    assert len(ax.lines) == 2
    assert ax.lines[0].get_ydata().tolist() == run.loss.tolist()
    assert ax.lines[1].get_ydata()[0] == pytest.approx(0.16718, abs=1e-5)


def test_a_diverged_run_ends_in_a_cross():
    run = factorize(A, k=1, eta=0.5, steps=50)
    ax = plots.plot_loss(run, plots.canvas().subplots())
    assert ax.lines[-1].get_marker() == "X"
    assert ax.lines[-1].get_xydata().tolist() == ax.lines[0].get_xydata()[-1:].tolist()


def test_of_the_losses_those_are_shown_that_a_log_axis_can_show():
    run = replace(factorize(A, k=1, eta=0.02, steps=3), loss=torch.tensor([1.0, 0.0, 1e30, torch.inf, torch.nan]))
    assert plots.shown_loss(run) == pytest.approx([1, 1e-12, 1e12])


def test_a_heatmap_shows_the_numbers():
    ax = plots.plot_matrix(A, plots.canvas().subplots(), "A")
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
    ax = plots.plot_landscape(plots.canvas().subplots(), 1.0)
    assert len(ax.lines) == 2
    for line in ax.lines:
        w, h = line.get_data()
        assert np.allclose(np.asarray(w) * np.asarray(h), 1)
    assert ax.collections[0].zmax == pytest.approx((2.6**2 + 1) ** 2)  # in the corners of unlike signs


def test_the_path_starts_and_ends_where_the_run_does():
    run = factorize([[1.0]], start=([[0.5]], [[1.5]]), eta=0.1, steps=5, keep_path=True)
    path = torch.stack((run.path.W[:, 0, 0], run.path.H[:, 0, 0]), -1)
    ax = plots.plot_path(path, plots.canvas().subplots())
    walk, start, end = (line.get_xydata().tolist() for line in ax.lines)
    assert walk[:1] == start == [[0.5, 1.5]]
    assert walk[-1:] == end == [[float(run.W), float(run.H)]]


def test_steps_to_settle_are_those_of_the_runs():
    fractions = torch.tensor([0.3, 0.7], dtype=torch.float64)
    ax = plots.canvas().subplots()
    counts = plots.plot_steps_to_settle(A, fractions, ax, ks=(1,))
    assert ax.lines[0].get_ydata().tolist() == counts[1].tolist()
    for fraction, count in zip(fractions, counts[1], strict=True):
        loss = factorize(A, 1, eta=float(fraction * stable_eta(A)), steps=200).loss - lowest_loss(A, 1)
        assert loss[count] < 1e-6 <= loss[count - 1]


def test_the_law_is_the_line_and_the_points_are_the_points():
    ax = plots.plot_law({1.0: 0.45, 20.0: 0.025}, plots.canvas().subplots())
    line, points = ax.lines
    assert np.allclose(line.get_xdata() * line.get_ydata(), 0.5)
    assert points.get_xydata().tolist() == [[1.0, 0.45], [20.0, 0.025]]


def test_a_grid_hatches_what_diverged():
    etas = torch.tensor([0.01, 0.05, 0.5], dtype=torch.float64)
    run = factorize(A, k=torch.tensor([[1], [2]]), eta=etas, steps=100)
    figure = plots.canvas()
    plots.plot_grid({"gradient descent": run}, etas, figure)
    colours, hatched = figure.axes[0].collections
    assert hatched.get_hatch() == "///"
    assert len(hatched.get_paths()) == int(run.diverged.sum()) == 2
    assert all(0.158 < path.vertices[:, 0].min() < 0.5 < path.vertices[:, 0].max() for path in hatched.get_paths())
    assert colours.get_array()[~run.diverged].tolist() == run.loss[-1][~run.diverged].clamp_min(1e-6).tolist()


def test_the_error_of_a_quotient_is_drawn_as_given():
    errors = {"forward": [1e-4, 1e-2], "central": [0.0, 1e-9]}
    ax = plots.plot_quotient_error([1e-3, 1e-1], errors, plots.canvas().subplots())
    drawn = [value for line in ax.lines for value in line.get_ydata().tolist()]
    assert drawn == pytest.approx([1e-4, 1e-2, 1e-16, 1e-9], rel=1e-6, abs=0)
    assert [line.get_label() for line in ax.lines] == ["forward", "central"]


def test_rows_are_joined_to_their_places_on_the_line():
    W, H = torch.tensor([[4.0], [3.0], [2.0], [1.0]]), torch.tensor([[1.0, 0.5]])
    ax = plots.plot_rows(A, W, H, plots.canvas().subplots(), "rows")
    marked = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert marked["rows of A"] == A.tolist() and marked["rows of W H"] == (W @ H).tolist()
    assert [line.get_xydata().tolist() for line in ax.lines[1:5]] == torch.stack((A, W @ H), 1).tolist()


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


def test_no_figure_becomes_a_window():
    plots.canvas()
    assert plt.get_fignums() == []
