"""Microsoft's DiskANN in Rust (the package diskannpy-rust): Vamana in memory over f32, and over PQ, rescored.

PQ gets a byte for eight dimensions: with one for four, it is slower than f32. Its native index is asked, without the
checks that the Python class around it makes.
"""

import time

import diskannpy
import numpy as np

from . import Rival


class Library(Rival):
    def __init__(self, spec):
        super().__init__(spec)
        self.exact = spec.mode == "f32"
        self.pq = {} if self.exact else {"use_pq": True}
        self.pq_bytes = 0 if self.exact else spec.dim // 8

    def build(self, rows, m, ef_construction, threads):
        folder = str(self.spec.folder)
        writing = time.perf_counter()
        diskannpy.vectors_to_file(f"{folder}/rows.bin", rows)
        self.untimed = time.perf_counter() - writing
        # Unit rows: PQ finds nothing by its `cosinenormalized`, which is the fastest for f32.
        normalized = self.spec.metric == "cosine" and self.exact
        diskannpy.build_async_index(
            f"{folder}/rows.bin",
            "cosinenormalized" if normalized else "l2",
            folder,
            complexity=ef_construction,
            graph_degree=2 * m,
            num_start_pts=1,
            num_threads=threads,
            num_tasks=threads,
            alpha=1.2,
            graph_slack_factor=1.3,
            max_fp_vecs_per_prune=48,
            insert_minibatch_size=1,
            pq_seed=0,
            num_pq_bytes=self.pq_bytes,
            vector_dtype=np.float32,
            **self.pq,
        )
        (self.spec.folder / "rows.bin").unlink()

    def save(self, folder):
        pass  # `build` has.

    def load(self, folder):
        rows, dim = diskannpy.vectors_metadata_from_file(str(folder / "ann.data"))
        index = diskannpy.AsyncDiskIndex(
            str(folder), max_points=rows, dimensions=dim, build_pq_bytes=self.pq_bytes, **self.pq
        )
        self.index = index._index

    def prepare(self, queries, k, ef, threads):
        self.matrix, self.threads = queries, threads
        self.options = {"k_value": k, "l_value": ef, "use_full_precision_to_search": self.exact}
        return list(queries)

    def search_one(self, query):
        return self.index.search(query=query, **self.options)

    def search_batch(self, queries):
        return self.index.batch_search(queries=self.matrix, num_threads=self.threads, **self.options)

    def ids(self, result):
        return result[0].ids
