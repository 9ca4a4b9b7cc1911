"""Are the answers right? No library judges its own."""

import numpy as np

from .data import FILTERS, K
from .process import Failed

SINGLE = 300
BAR = 0.95


def check(phase, answer, files, texts):
    """Fails where rows are missing or an answer breaks its filter; adds `recall` and `short` to sweeps."""
    rows = len(texts.records)
    expect(f"{phase}: rows", answer["count"], rows)
    if phase == "fill":
        expect("rows after single puts", answer["single"]["count"], min(SINGLE, rows))
        expect("rows after batches", answer["batched"]["count"], rows)
        expect("rows after the index was made", answer["index"]["count"], rows)
    if phase == "replace":
        expect("rows replaced", answer["replaced"]["rows"], rows)
        expect("rows after replacing", answer["replaced"]["count"], rows)
    if phase == "open":
        truth = np.load(files["all"])[0].tolist()
        answer["recall"] = len(set(truth) & set(answer["answer"])) / K
    if phase == "search":
        for which in FILTERS:
            passing, truth = texts.passing(which), np.load(files[which])
            for point in answer["sweeps"][which]:
                point |= judged(which, point.pop("answers"), truth, passing)


def judged(which, answers, truth, passing):
    expect(f"{which}: answers", len(answers), len(truth))
    found = short = 0
    for own, true in zip(answers, truth.tolist()):
        if len(set(own)) != len(own) or len(own) > K:
            raise Failed(f"{which}: expected at most {K} rows, each once, found {own}")
        wrong = [row for row in own if not passing[row]]
        if wrong:
            raise Failed(f"{which}: expected rows that pass the filter, found row {wrong[0]}")
        found += len(set(own) & set(true))
        short += len(own) < truth.shape[1]
    return {"recall": found / truth.size, "short": short}


def expect(what, found, expected):
    if found != expected:
        raise Failed(f"{what}: expected {expected}, found {found}")


def cheapest(sweep):
    """The smallest effort that reaches the bar, or the best recall of all if none does."""
    reached = [point for point in sweep if point["recall"] >= BAR]
    return reached[0] if reached else max(sweep, key=lambda point: point["recall"])
