"""The vectors of all cases, and the answers to expect."""

import numpy as np

ROWS, DIM, QUERIES, K = 300, 16, 8, 5

generator = np.random.default_rng(23)
# Whole numbers up to 127, which every type holds.
BASE = generator.integers(0, 128, (ROWS, DIM)).astype(np.float32)
NEAR = generator.integers(0, 128, (QUERIES, DIM)).astype(np.float32)
BITS = generator.integers(0, 2, (ROWS, 64)).astype(bool)
NEAR_BITS = generator.integers(0, 2, (QUERIES, 64)).astype(bool)
IDS = [f"note/{row}" for row in range(ROWS)]


def nearest(base, queries, k=K):
    """The distances of the nearest rows to each query: squared Euclidean, which is Hamming of bits."""
    difference = queries[:, None, :].astype(np.float64) - base[None, :, :].astype(np.float64)
    distances = (difference**2).sum(axis=2)
    return np.sort(distances, axis=1)[:, :k], distances
