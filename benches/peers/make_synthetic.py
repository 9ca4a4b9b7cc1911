#!/usr/bin/env python3
"""Make synthetic vectors that are about as hard to search as text embeddings.

    python make_synthetic.py --rows 100000 --queries 1000 --seed 0 \\
        --base-out base.npy --queries-out queries.npy

A mixture of 5,000 unevenly weighted Gaussian clusters in 128 dimensions goes through a random
one-layer network (128 -> 256, tanh, -> 768), gets a little noise and unit length. Uniform Gaussian
vectors of this dimension are pathologically hard and plain clusters too easy: neither tells how an
index does on real embeddings.

Queries are fresh draws from the same mixture. They depend on the seed alone, and a smaller base is
a prefix of a larger one with the same seed. Rows are made in blocks, so memory does not grow with
their number. The last bits may differ between machines, since matrix products round differently.
"""

import argparse
import sys

import numpy as np

CENTRES, LATENT, HIDDEN, DIM = 5_000, 128, 256, 768
BLOCK = 8_192


def normal(rng, shape, deviation=1.0):
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(deviation)


class Model:
    """The distribution that the base and the queries share."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.centres = normal(rng, (CENTRES, LATENT))
        self.weights = rng.dirichlet(np.full(CENTRES, 0.5))
        self.inner = normal(rng, (LATENT, HIDDEN), LATENT**-0.5)
        self.outer = normal(rng, (HIDDEN, DIM), HIDDEN**-0.5)

    def block(self, rng):
        latent = self.centres[rng.choice(CENTRES, BLOCK, p=self.weights)]
        latent += normal(rng, latent.shape)
        rows = np.tanh(1.5 * latent @ self.inner) @ self.outer
        rows += normal(rng, rows.shape, 0.2)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


def write(path, rows, draw):
    """Fill a .npy file block by block. Always draws whole blocks: so a prefix stays a prefix."""
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, DIM))
    for start in range(0, rows, BLOCK):
        part = out[start : start + BLOCK]
        part[:] = draw()[: len(part)]
    out.flush()
    print(f"{path}: {rows} x {DIM} float32")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--base-out", required=True, help=".npy")
    parser.add_argument("--queries-out", required=True, help=".npy")
    args = parser.parse_args()
    if args.rows < 1 or args.queries < 1 or args.seed < 0:
        sys.exit("--rows and --queries must be at least 1, --seed at least 0")

    # Three independent streams: none depends on how much the others draw.
    model_seed, base_seed, query_seed = np.random.SeedSequence(args.seed).spawn(3)
    model = Model(model_seed)
    for path, rows, seed in ((args.queries_out, args.queries, query_seed), (args.base_out, args.rows, base_seed)):
        rng = np.random.default_rng(seed)
        write(path, rows, lambda: model.block(rng))


if __name__ == "__main__":
    main()
