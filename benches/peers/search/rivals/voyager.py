"""Voyager, Spotify's hnswlib: f32. Its floats of eight bits are several times slower and do not reach 0.99."""

import voyager

from . import Rival


class Library(Rival):
    def build(self, rows, m, ef_construction, threads):
        self.index = voyager.Index(
            voyager.Space.Euclidean,
            num_dimensions=self.spec.dim,
            M=m,
            ef_construction=ef_construction,
            max_elements=len(rows),
        )
        self.index.add_items(rows, num_threads=threads)

    def save(self, folder):
        self.index.save(str(folder / "index"))

    def load(self, folder):
        self.index = voyager.Index.load(str(folder / "index"))

    def prepare(self, queries, k, ef, threads):
        self.matrix, self.k, self.ef, self.threads = queries, k, ef, threads
        return list(queries)

    def search_one(self, query):
        return self.index.query(query, k=self.k, num_threads=1, query_ef=self.ef)

    def search_batch(self, queries):
        return self.index.query(self.matrix, k=self.k, num_threads=self.threads, query_ef=self.ef)

    def ids(self, result):
        return result[0]
