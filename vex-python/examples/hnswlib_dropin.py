"""From hnswlib to Vex: each step with both, one below the other.

    pip install hnswlib
    python examples/hnswlib_dropin.py
"""

import tempfile
import time
from pathlib import Path

import hnswlib
import numpy as np
from vex_index import Index, KeySet, MappedIndex

DIM, K = 128, 10
rng = np.random.default_rng(0)
# Around centers, as most real vectors are.
centers = rng.standard_normal((200, DIM), dtype=np.float32)
data = centers[rng.integers(0, 200, 20_000)] + 0.7 * rng.standard_normal((20_000, DIM), dtype=np.float32)
queries = centers[rng.integers(0, 200, 500)] + 0.7 * rng.standard_normal((500, DIM), dtype=np.float32)
ids = np.arange(20_000)
scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)

# 1. Build. Vex needs no number of vectors beforehand, and takes all cores.
start = time.perf_counter()
theirs = hnswlib.Index(space="cosine", dim=DIM)
theirs.init_index(max_elements=20_100, M=16, ef_construction=200)
theirs.add_items(data, ids)
built = time.perf_counter()
ours = Index.build(data, ids, metric="cosine", m=16, ef_construction=200)
print(f"build     hnswlib {built - start:6.2f} s    vex {time.perf_counter() - built:6.2f} s")

# 2. Search. `ef_search` is an argument of the search, and not a state of the index.
theirs.set_ef(100)
start = time.perf_counter()
their_labels, their_distances = theirs.knn_query(queries, k=K, num_threads=1)
middle = time.perf_counter()
our_labels, our_distances = ours.search(queries, k=K, ef_search=100, threads=1)
end = time.perf_counter()
truth, _ = ours.search(queries, k=K, exact=True)
recalls = [np.mean([np.isin(a, b).mean() for a, b in zip(found, truth)]) for found in (their_labels, our_labels)]
print(f"search    hnswlib {(middle - start) / 500e-6:6.1f} us   vex {(end - middle) / 500e-6:6.1f} us a query")
print(f"recall@10 hnswlib {recalls[0]:6.3f}      vex {recalls[1]:6.3f}")
assert (our_labels.dtype, our_distances.dtype) == (their_labels.dtype, their_distances.dtype)

# 3. Search among some. hnswlib asks a function of Python for each vector, Vex takes a set.
allowed = KeySet(range(0, 20_000, 2))
start = time.perf_counter()
theirs.knn_query(queries[:50], k=K, num_threads=1, filter=lambda label: label % 2 == 0)
middle = time.perf_counter()
ours.search(queries[:50], k=K, ef_search=100, filter=allowed, threads=1)
end = time.perf_counter()
print(f"filter    hnswlib {(middle - start) / 50e-6:6.1f} us   vex {(end - middle) / 50e-6:6.1f} us a query")

# 4. Fewer than k. hnswlib raises RuntimeError, Vex returns what there is.
print(f"few       vex {len(ours.search(queries[0], k=K, filter=[1, 2, 3])[0])} of {K}")

# 5. Change.
theirs.add_items(queries[:5], np.arange(20_000, 20_005))
ours.add(queries[:5], np.arange(20_000, 20_005))
theirs.mark_deleted(7)
del ours[7]
print(f"vectors   hnswlib {np.array(theirs.get_items([8]))[0, :2]}    vex {ours[8][:2]}")

# 6. Save and open. Vex replaces a file in one step, keeps checksums, and opens it without reading it.
theirs.save_index(str(folder / "theirs.bin"))
ours.save(folder / "ours.vex")
start = time.perf_counter()
again = hnswlib.Index(space="cosine", dim=DIM)
again.load_index(str(folder / "theirs.bin"))
middle = time.perf_counter()
mapped = MappedIndex.open(folder / "ours.vex")
end = time.perf_counter()
print(f"open      hnswlib {1e3 * (middle - start):6.2f} ms   vex {1e3 * (end - middle):6.2f} ms")
assert (mapped.search(queries, k=K, ef_search=100)[0] == ours.search(queries, k=K, ef_search=100)[0]).all()
