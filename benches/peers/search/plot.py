"""Recall against queries per second and against p99, one thread, as SVG."""

import json
from collections import Counter

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

from .rivals import LIBRARIES

COLOURS = {library: f"C{i}" for i, library in enumerate(LIBRARIES)}
STYLES = ("-", "--", ":")
PANELS = (("qps", "queries per second, one thread"), ("p99_us", "p99 of one query, microseconds"))


def draw(source, out, from_recall):
    result = json.loads(source.read_text())
    plt.rcParams.update({"svg.hashsalt": "vex", "svg.fonttype": "none", "font.size": 9})
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
    drawn = Counter()
    for curve in sorted(result["curves"], key=lambda curve: curve["rival"]):
        if curve["threads"] != 1:
            continue
        library = curve["rival"].split("-")[0]
        style = STYLES[drawn[library] % len(STYLES)]
        drawn[library] += 1
        rows = [row for row in curve["rows"] if row["recall"] >= from_recall]
        for panel, (name, _) in zip(axes, PANELS):
            panel.plot(
                [row["recall"] for row in rows],
                [row[name] for row in rows],
                style,
                marker=".",
                color=COLOURS[library],
                linewidth=2.2 if library == "vex" else 1.1,
                label=curve["rival"],
            )
    data, settings = result["set"], result["settings"]
    for panel, (_, title) in zip(axes, PANELS):
        panel.set(yscale="log", xlabel=f"recall@{settings['k']}", title=title)
        panel.grid(True, which="both", linewidth=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.suptitle(
        f"{data['name']}, {data['rows']:,} x {data['dim']}, {data['metric']}; "
        f"m {settings['m']}, ef_construction {settings['ef_construction']}; {result['machine']['cpu']}"
    )
    figure.savefig(out, metadata={"Date": None})
