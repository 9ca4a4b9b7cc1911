"""hnswlib, f32. Inner products of unit rows order them as cosine does, at its best speed.

`f32-l2` compares the same rows by squared distance, as many benchmarks do; that takes some 8% longer.
"""

import hnswlib

from . import Rival


class Library(Rival):
    def create(self):
        product = self.spec.metric == "cosine" and self.spec.mode == "f32"
        return hnswlib.Index(space="ip" if product else "l2", dim=self.spec.dim)

    def build(self, rows, m, ef_construction, threads):
        self.index = self.create()
        self.index.init_index(max_elements=len(rows), M=m, ef_construction=ef_construction, random_seed=100)
        self.index.add_items(rows, num_threads=threads)

    def save(self, folder):
        self.index.save_index(str(folder / "index"))

    def load(self, folder):
        self.index = self.create()
        self.index.load_index(str(folder / "index"))

    def prepare(self, queries, k, ef, threads):
        self.index.set_ef(ef)
        self.index.set_num_threads(threads)
        self.matrix, self.k, self.threads = queries, k, threads
        return list(queries)

    def search_one(self, query):
        return self.index.knn_query(query, k=self.k, num_threads=1)

    def search_batch(self, queries):
        return self.index.knn_query(self.matrix, k=self.k, num_threads=self.threads)

    def ids(self, result):
        return result[0][0]
