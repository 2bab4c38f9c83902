"""Pictures as text: small, and with every label as it was drawn."""

from gogooku.report import plots
from matplotlib.figure import Figure


def test_coordinates_are_cut_and_labels_are_not():
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1 / 3, 2 / 3, 1], [0.0025, 0.0075, 0.0025, 0.0125])
    axes.set_yticks([0.0025, 0.0075, 0.0125])
    text = plots.inline(figure, "rankic")
    paths = [part.split('"')[0] for part in text.split(' d="')[1:]]
    assert ">0.0075<" in text
    assert max(len(number.partition(".")[2]) for path in paths for number in path.split()) == 2
