"""Figures draw what they are given, and can be told apart without colour."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb

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
    for field in zip(*plots.LINES, strict=True):
        if "-" not in field:  # the fifth line repeats a dash, in black
            assert len(set(field)) == len(field)
    assert len({(dash, marker) for _, dash, marker in plots.LINES}) == len(plots.LINES)


def test_the_values_of_a_heatmap_grow_lighter():
    from matplotlib import colormaps

    shades = [luminance(colour[:3]) for colour in colormaps[plots.VALUES](np.linspace(0, 1, 50))]
    assert all(a < b for a, b in itertools.pairwise(shades))


def test_plot_loss_draws_what_the_run_holds():
    run = factorize(A, k=1, eta=0.02, steps=50)
    ax = plots.plot_loss(run, plots.canvas().subplots(), floor=float(lowest_loss(A, 1)))
    assert ax.lines[0].get_ydata().tolist() == run.loss.tolist()
    assert ax.lines[1].get_ydata()[0] == pytest.approx(0.16718, abs=1e-5)


def test_a_diverged_run_ends_in_a_cross():
    run = factorize(A, k=1, eta=0.5, steps=50)
    ax = plots.plot_loss(run, plots.canvas().subplots())
    assert ax.lines[-1].get_marker() == "X"
    assert np.isfinite(ax.lines[0].get_ydata()).all()


def test_a_heatmap_shows_the_numbers():
    ax = plots.plot_matrix(A, plots.canvas().subplots(), "A")
    assert [text.get_text() for text in ax.texts] == [f"{value:.2f}" for value in A.flatten().tolist()]
    assert ax.get_title() == "A"


def test_a_smaller_matrix_leaves_the_rest_of_a_heatmap_empty():
    heatmap = plots.Heatmap(plots.canvas().subplots(), (4, 3), "W", limits=(0, 1))
    heatmap.show(torch.ones(4, 1))
    assert [[text.get_text() for text in row] for row in heatmap.texts] == [["1.00", "", ""]] * 4


def test_the_landscape_is_zero_on_its_curve():
    ax = plots.plot_landscape(plots.canvas().subplots(), 1.0)
    for line in ax.lines:
        w, h = line.get_data()
        assert np.allclose(np.asarray(w) * np.asarray(h), 1)


def test_the_path_starts_and_ends_where_the_run_does():
    run = factorize([[1.0]], start=([[0.5]], [[1.5]]), eta=0.1, steps=5, keep_path=True)
    path = torch.stack((run.path.W[:, 0, 0], run.path.H[:, 0, 0]), -1)
    ax = plots.plot_path(path, plots.canvas().subplots())
    assert ax.lines[0].get_xydata()[0].tolist() == [0.5, 1.5]
    assert ax.lines[0].get_xydata()[-1].tolist() == [float(run.W), float(run.H)]


def test_steps_to_settle_are_those_of_the_runs():
    fractions = torch.tensor([0.3, 0.7], dtype=torch.float64)
    counts = plots.plot_steps_to_settle(A, fractions, plots.canvas().subplots(), ks=(1,))
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
    hatched = figure.axes[0].collections[1]
    assert hatched.get_hatch() == "///"
    assert len(hatched.get_paths()) == int(run.diverged.sum()) == 2


def test_show_gives_the_caption_as_text_and_the_same_bytes_every_time(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **more: shown.append((bundle, more)))
    for _ in range(2):
        plots.show(plots.plot_equation({"A": A}, []), "A caption that says what is shown.")
    assert capsys.readouterr().out.splitlines()[0] == "A caption that says what is shown."
    (first, more), (second, _) = shown
    assert first == second
    assert first["text/plain"].startswith("Figure: A caption")
    assert more["metadata"]["image/png"]["alt"].startswith("A caption")


def test_no_figure_becomes_a_window():
    assert plt.get_fignums() == []
