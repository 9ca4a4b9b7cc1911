"""Vex for those who have vectors in numpy: build, search, filter, change, save, and open.

    python examples/numpy_search.py
"""

import tempfile
from pathlib import Path

import numpy as np
from vex_index import Index, KeySet, MappedIndex

# Around centers, as most real vectors are.
rng = np.random.default_rng(0)
centers = rng.standard_normal((100, 96), dtype=np.float32)
vectors = centers[rng.integers(0, 100, 20_000)] + rng.standard_normal((20_000, 96), dtype=np.float32)
queries = centers[:5] + rng.standard_normal((5, 96), dtype=np.float32)

# Many vectors at once, on all cores. Keys are the numbers of the rows, unless you give some.
index = Index.build(vectors, metric="cosine", progress=lambda linked, total: print(f"\r{linked} of {total}", end=""))
print(f"\n{index}")

# One query gives two arrays, many give rows of them. `ef_search` trades speed for recall.
keys, distances = index.search(queries[0], k=3)
print("nearest:", keys, distances)
keys, distances = index.search(queries, k=10, ef_search=200)
truth, _ = index.search(queries, k=10, exact=True)
recall = np.mean([np.isin(row, of).mean() for row, of in zip(keys, truth, strict=True)])
print(f"recall@10: {recall:.2f}")

# Only some keys: an array, or a set that is used often. Fewer matches than k are no error.
recent, even = KeySet(range(15_000, 20_000)), KeySet(range(0, 20_000, 2))
print("recent and even:", index.search(queries[0], k=3, filter=recent & even)[0])
print("not those:", index.search(queries[0], k=3, filter=~(recent | even))[0])
print("one of two:", index.search(queries[0], k=3, filter=[7, 8])[0])

# The index is a mapping from keys to vectors.
index[20_000] = queries[0]
print("found at once:", index.search(queries[0], k=1), len(index), 20_000 in index)
del index[20_000]

# A file is replaced in one step, and opened in constant time.
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "vectors.vex"
    index.save(path)
    with MappedIndex.open(path) as mapped:
        print(f"{mapped}, {mapped.nbytes:,} bytes")
        assert (mapped.search(queries)[0] == index.search(queries)[0]).all()
