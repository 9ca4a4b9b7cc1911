"""usearch: f32, and i8 alone or rescored by hand.

It compares unit rows by inner product: its cosine computes both lengths again, which takes up to twice as long.
"""

import numpy as np
from usearch.index import Index

from . import Rival, Unavailable

RESCORED = 3  # Candidates rescored, in multiples of k, where ef finds as many.


class Library(Rival):
    def __init__(self, spec):
        super().__init__(spec)
        if spec.metric != "cosine" and spec.mode != "f32":
            raise Unavailable("usearch scales i8 for values in [-1, 1], which only rows of unit length keep")
        self.rescored = spec.mode == "i8-rescored"

    def shared_build(self):
        return self.spec.mode.removesuffix("-rescored")

    def build(self, rows, m, ef_construction, threads):
        self.index = Index(
            ndim=self.spec.dim,
            metric="ip" if self.spec.metric == "cosine" else "l2sq",
            dtype=self.shared_build(),
            connectivity=m,
            expansion_add=ef_construction,
        )
        self.index.add(np.arange(len(rows)), rows, threads=threads)

    def save(self, folder):
        self.index.save(str(folder / "index"))

    def load(self, folder, view=False):
        self.index = Index.restore(str(folder / "index"), view=view)
        if self.rescored:
            self.rows = self.spec.rows()

    def map(self, folder):
        if self.rescored:
            raise Unavailable("its rows beside the index are not mapped")
        self.load(folder, view=True)

    def prepare(self, queries, k, ef, threads):
        self.index.expansion_search = ef
        self.matrix, self.k, self.threads = queries, k, threads
        self.candidates = min(RESCORED * k, ef)  # More would raise ef.
        return list(queries)

    def search_one(self, query):
        if not self.rescored:
            return self.index.search(query, self.k, threads=1)
        return self.rescore(query, self.index.search(query, self.candidates, threads=1).keys)

    def search_batch(self, queries):
        if not self.rescored:
            return self.index.search(self.matrix, self.k, threads=self.threads)
        found = self.index.search(self.matrix, self.candidates, threads=self.threads).keys
        return [self.rescore(query, keys) for query, keys in zip(queries, found)]

    def rescore(self, query, keys):
        best = np.argpartition(self.rows[keys] @ query, -self.k)[-self.k :]
        return keys[best]

    def ids(self, result):
        return result if self.rescored else result.keys

    def memory_bytes(self):
        return self.index.memory_usage
