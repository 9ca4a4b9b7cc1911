#!/usr/bin/env python3
"""Hold out rows of a .npy matrix as queries.

    python split.py VECTORS.npy --hold-out 1000 --seed 0 --base base.npy --queries queries.npy

The base keeps the order of its rows; the queries come in the order they were drawn, so that a
prefix of them is a random sample too. The element type is kept.
"""

import argparse
import sys

import numpy as np


def draw(rows, count, seed):
    """Which rows are held out, in the order drawn, and a mask of those that are kept."""
    held = np.random.default_rng(seed).choice(rows, count, replace=False)
    kept = np.ones(rows, dtype=bool)
    kept[held] = False
    return held, kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vectors", help="rows x dim matrix, .npy")
    parser.add_argument("--hold-out", type=int, default=1000, metavar="N", help="rows to hold out (default 1000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--base", required=True, help="where the remaining rows go, .npy")
    parser.add_argument("--queries", required=True, help="where the held-out rows go, .npy")
    args = parser.parse_args()

    vectors = np.load(args.vectors, mmap_mode="r")
    if vectors.ndim != 2:
        sys.exit(f"{args.vectors}: expected a matrix, found shape {vectors.shape}")
    rows = len(vectors)
    if not 0 < args.hold_out < rows:
        sys.exit(f"--hold-out must lie between 1 and {rows - 1}")

    held, kept = draw(rows, args.hold_out, args.seed)
    # Opened by us, so that numpy does not append ".npy" to a name that lacks it.
    for path, part in ((args.queries, vectors[held]), (args.base, vectors[kept])):
        with open(path, "wb") as file:
            np.save(file, part)
        print(f"{path}: {part.shape[0]} x {part.shape[1]} {part.dtype}")


if __name__ == "__main__":
    main()
