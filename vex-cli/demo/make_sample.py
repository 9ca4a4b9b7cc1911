#!/usr/bin/env python3
"""Cut the demo's sample out of the embedded WordNet.

    python make_sample.py VECTORS.f16.npy TEXTS.tsv --out DIR

Row i of the matrix belongs to line i of the TSV (part of speech, words, definition). Writes
definitions.{f16.npy,tsv}, the base, and queries.{f16.npy,tsv}, which are not in the base.

The base holds the ten nearest rows of every query in the *full* set, so that the demo's answers are
as good as those of the full set, and a random draw for the rest. Same inputs, same seed and same
numpy: same bytes.
"""

import argparse
import hashlib
import pathlib
import re
import sys

import numpy as np

# Chosen by hand to cover the parts of speech and many topics; the answers were read before they were
# committed. Each names one synset: its part of speech and its first words.
QUERIES = [
    ("noun", "penguin"),
    ("noun", "accordion, piano accordion"),
    ("noun", "espresso"),
    ("noun", "eclipse, occultation"),
    ("noun", "blizzard, snowstorm"),
    ("noun", "perjury, bearing false witness"),
    ("noun", "vaccine, vaccinum"),
    ("verb", "rejoice, joy"),
    ("verb", "whisper"),
    ("verb", "code, encipher"),
    ("adj", "nostalgic"),
    ("adv", "stealthily"),
]
NEIGHBORS = 10

# WordNet labels slurs and obscenities. Labelled rows stay out of the draw, and with them every row that
# has one of their words in any sense, and a few grim or intimate subjects: the draw loses some harmless
# rows and nobody misses them. Not applied to the neighbors, which were read instead.
LABELS = re.compile(
    r"offensive|\bslurs?\b|obscen|vulgar|disparag|derogat|profan|taboo|ethnic|negro|nazi"
    r"|\bsex|genital|penis|vagina|\banus\b|copulat|coit(al|us)|porno|prostitut|excrement"
    r"|\brap(e[ds]?|ist)\b|suicid|tortur|murder",
    re.IGNORECASE,
)


def find_query(rows, part_of_speech, words):
    found = [
        i for i, row in enumerate(rows) if row[0] == part_of_speech and (row[1] + ", ").startswith(words + ", ")
    ]
    if len(found) != 1:
        sys.exit(f"{part_of_speech} {words!r}: expected one row, found {len(found)}")
    return found[0]


def nearest(vectors, query, allowed):
    """The nearest allowed rows by cosine. In f64, so that the choice does not depend on the machine."""
    vectors = vectors.astype(np.float64)
    cosine = vectors @ vectors[query].T / np.linalg.norm(vectors, axis=1)[:, None]
    cosine[~allowed] = -np.inf
    return np.argsort(-cosine, axis=0, kind="stable")[:NEIGHBORS].T


def harmless(rows):
    labelled = [bool(LABELS.search(row[1] + " " + row[2])) for row in rows]
    hurtful = {word for row, label in zip(rows, labelled) if label for word in row[1].lower().split(", ")}
    return np.array(
        [not label and hurtful.isdisjoint(row[1].lower().split(", ")) for row, label in zip(rows, labelled)]
    )


def write(out, name, vectors, lines, ids):
    matrix, texts = out / f"{name}.f16.npy", out / f"{name}.tsv"
    np.save(matrix, vectors[ids])
    texts.write_bytes("".join(lines[i] + "\n" for i in ids).encode())
    for path in (matrix, texts):
        content = path.read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {path.name}  {len(content)} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the base (default 10000)")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    vectors = np.load(args.vectors)
    lines = args.texts.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    rows = [line.split("\t") for line in lines]
    if len(vectors) != len(rows) or any(len(row) != 3 for row in rows):
        sys.exit(f"{len(vectors)} vectors do not match {len(rows)} lines of three columns")

    queries = np.array([find_query(rows, *query) for query in QUERIES])
    others = np.ones(len(rows), dtype=bool)
    others[queries] = False
    neighbors = nearest(vectors, queries, others)

    chosen = np.zeros(len(rows), dtype=bool)
    chosen[neighbors] = True
    pool = np.flatnonzero(others & ~chosen & harmless(rows))
    rest = args.rows - chosen.sum()
    if not 0 <= rest <= len(pool):
        sys.exit(f"--rows must lie between {chosen.sum()} and {chosen.sum() + len(pool)}")
    chosen[np.random.default_rng(args.seed).choice(pool, rest, replace=False)] = True

    args.out.mkdir(parents=True, exist_ok=True)
    write(args.out, "definitions", vectors, lines, np.flatnonzero(chosen))
    write(args.out, "queries", vectors, lines, queries)


if __name__ == "__main__":
    main()
