"""A set of vectors: rows, queries and their exact neighbors, as the files that every rival reads."""

import hashlib
import pathlib
import sys

import numpy as np

from split import draw

BLOCK = 8192


def prepare(paths, metric, k, cache):
    """`[base]`, `[base, queries]` or `[base, queries, truth]`; an .hdf5 of ann-benchmarks holds the first two.

    Returns a dict with the paths of `base`, `queries` and `truth` as .npy, rows and queries in f32 and of unit length
    where the metric is cosine; and with what a report says of them.
    """
    paths = [pathlib.Path(path) for path in paths]
    key = digest(paths, f"{metric} {k}")
    folder = cache / "sets" / key
    files = {part: folder / f"{part}.npy" for part in ("base", "queries", "truth")}
    if not files["truth"].exists():
        folder.mkdir(parents=True, exist_ok=True)
        base, queries = matrices(paths)
        write(files["base"], base, metric)
        write(files["queries"], queries, metric)
        rows, queries = (np.load(files[part], mmap_mode="r") for part in ("base", "queries"))
        truth = np.load(paths[2])[:, :k] if len(paths) == 3 else exact(rows, queries, metric, k)
        if truth.shape != (len(queries), k):
            sys.exit(f"expected {len(queries)} x {k} true neighbors, found {truth.shape}")
        np.save(files["truth"], truth.astype(np.int32))
    rows, queries = (np.load(files[part], mmap_mode="r") for part in ("base", "queries"))
    about = {"name": paths[0].stem, "rows": len(rows), "dim": rows.shape[1], "query_count": len(queries)}
    return {**files, **about, "metric": metric, "key": key}


def matrices(paths):
    if paths[0].suffix in (".hdf5", ".h5"):
        import h5py

        file = h5py.File(paths[0])
        return file["train"], file["test"]
    base = matrix(paths[0])
    if len(paths) > 1:
        return base, matrix(paths[1])
    held, kept = draw(len(base), 1000, seed=0)
    return base[kept], base[held]


def matrix(path):
    if path.suffix == ".fvecs":
        dim = int(np.fromfile(path, dtype=np.int32, count=1)[0])
        return np.memmap(path, dtype=np.float32, mode="r").reshape(-1, dim + 1)[:, 1:]
    return np.load(path, mmap_mode="r")


def write(path, source, metric):
    """Block by block, so that a large set need not fit in memory."""
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=source.shape)
    for start in range(0, len(source), BLOCK):
        block = source[start : start + BLOCK].astype(np.float32)
        if metric == "cosine":
            lengths = np.linalg.norm(block, axis=1, keepdims=True)
            if not np.all(lengths > 0):
                sys.exit(f"{path.stem}: a zero or NaN row has no direction, so no cosine")
            block /= lengths
        out[start : start + BLOCK] = block
    out.flush()


def exact(rows, queries, metric, k):
    """The k nearest of every query, nearest first."""
    ids = np.empty((len(queries), 0), dtype=np.int64)
    nearness = np.empty((len(queries), 0), dtype=np.float32)
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        near = queries @ block.T
        if metric == "l2":
            near = 2 * near - np.sum(block * block, axis=1)
        ids = np.hstack([ids, np.broadcast_to(np.arange(start, start + len(block)), near.shape)])
        nearness = np.hstack([nearness, near])
        best = np.argsort(-nearness, axis=1, kind="stable")[:, :k]
        ids, nearness = (np.take_along_axis(array, best, axis=1) for array in (ids, nearness))
    return ids


def digest(paths, salt):
    sha = hashlib.sha256(salt.encode())
    for path in paths:
        with open(path, "rb") as file:
            while block := file.read(1 << 24):
                sha.update(block)
    return sha.hexdigest()[:16]
