"""The exact answers, by numpy."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Array = npt.NDArray[Any]


def distances(metric: str, base: Array, queries: Array) -> Floats:
    """Distances of shape (queries, rows), as Vex defines them."""
    a, b = queries.astype(np.float64), base.astype(np.float64)
    products: Floats = a @ b.T
    if metric == "inner-product":
        return np.negative(products)
    squares_a, squares_b = (a * a).sum(axis=1)[:, None], (b * b).sum(axis=1)[None, :]
    if metric == "squared-euclidean":
        return np.asarray(np.maximum(squares_a + squares_b - 2 * products, 0))
    if metric == "cosine":
        return np.asarray(1 - products / np.sqrt(squares_a * squares_b))
    # Of bits the product is their intersection.
    if metric == "hamming":
        return np.asarray(squares_a + squares_b - 2 * products)
    union = squares_a + squares_b - products
    return np.where(union > 0, 1 - products / np.maximum(union, 1), 0)


def nearest(metric: str, base: Array, queries: Array, k: int) -> npt.NDArray[np.int64]:
    """Numbers of the nearest rows, of shape (queries, k)."""
    return np.argsort(distances(metric, base, queries), axis=1, kind="stable")[:, :k]


def recall(found: Array, expected: Array) -> float:
    """The share of the expected keys that were found."""
    hits = [len(set(row.tolist()) & set(truth.tolist())) for row, truth in zip(found, expected, strict=True)]
    return sum(hits) / expected.size


def clustered(rows: int, dim: int, seed: int) -> npt.NDArray[np.float32]:
    """Rows around a few centers, which are far from each other."""
    rng = np.random.default_rng(seed)
    centers = 4 * rng.standard_normal((20, dim), dtype=np.float32)
    noise = rng.standard_normal((rows, dim), dtype=np.float32)
    return np.asarray(centers[rng.integers(0, 20, rows)] + noise, dtype=np.float32)


def random(rows: int, dim: int, seed: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((rows, dim), dtype=np.float32)
