"""The rows, the queries and the exact answers, as the files that every library reads."""

import pathlib

import numpy as np

from search import sets
from split import draw

QUERIES = 1000
SEED = 0
K = 10
FILTERS = {
    "all": lambda pos, length: True,
    "verb": lambda pos, length: pos == "verb",
    "short_noun": lambda pos, length: length < 40 and pos == "noun",
}


class Texts:
    """`records[i]` is part of speech, characters of the definition, words, definition."""

    def __init__(self, path):
        with open(path, encoding="utf-8", newline="\n") as file:
            lines = [line.rstrip("\n").split("\t") for line in file]
        wrong = next((i for i, line in enumerate(lines) if len(line) != 3), None)
        if wrong is not None:
            raise SystemExit(f"{path}, line {wrong + 1}: expected 3 columns, found {len(lines[wrong])}")
        self.records = [(pos, len(definition), words, definition) for pos, words, definition in lines]

    def passing(self, which):
        return np.array([FILTERS[which](pos, length) for pos, length, _, _ in self.records])


def prepare(rows, texts, limit, folder):
    """Writes `rows.f32.npy`, `rows.tsv`, `queries.f32.npy` and the exact answers into `folder`."""
    matrix = np.load(rows, mmap_mode="r")
    lines = pathlib.Path(texts).read_text(encoding="utf-8").splitlines()
    if len(lines) != len(matrix):
        raise SystemExit(f"{texts}: expected a line for each of {len(matrix)} rows, found {len(lines)}")
    held, kept = draw(len(matrix), QUERIES, SEED)
    # The file is sorted by part of speech, which would give each filter a stretch of its own.
    stored = np.random.default_rng(SEED).permutation(np.flatnonzero(kept))[:limit]
    folder.mkdir(parents=True, exist_ok=True)
    data = {name: folder / f"{name}.f32.npy" for name in ("rows", "queries")}
    data["texts"] = folder / "rows.tsv"
    sets.write(data["rows"], matrix[stored], "cosine")
    sets.write(data["queries"], matrix[held], "cosine")
    data["texts"].write_text("".join(f"{lines[i]}\n" for i in stored), encoding="utf-8")
    vectors, queries, records = np.load(data["rows"]), np.load(data["queries"]), Texts(data["texts"])
    for which in FILTERS:
        numbers = np.flatnonzero(records.passing(which))
        if len(numbers) < K:
            raise SystemExit(f"{which}: expected {K} rows or more that pass, found {len(numbers)}")
        data[which] = folder / f"{which}.npy"
        np.save(data[which], numbers[sets.exact(vectors[numbers], queries, "cosine", K)])
    return data


def few(data, count, folder):
    """The same with the first `count` rows alone, for a look at what a write does."""
    folder.mkdir(parents=True, exist_ok=True)
    part = dict(data, rows=folder / f"first-{count}.f32.npy", texts=folder / f"first-{count}.tsv")
    np.save(part["rows"], np.load(data["rows"], mmap_mode="r")[:count])
    with open(data["texts"], encoding="utf-8", newline="\n") as file:
        part["texts"].write_text("".join(next(file) for _ in range(count)), encoding="utf-8")
    return part
