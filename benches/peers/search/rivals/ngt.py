"""NGT: ANNG, a graph without levels whose edges go both ways, entered through a tree; f32.

It has epsilon in place of ef. Its quantized indexes can be searched from Python, but not built.
"""

import math

import ngtpy

from . import Rival

DOUBLING = 0.03  # What epsilon gains where ef doubles.


class Library(Rival):
    answers_batches = False  # Built without OpenMP there, `batch_search` answers them one after the other.

    def build(self, rows, m, ef_construction, threads):
        # It builds in memory, but is told a folder first.
        self.folder = str(self.spec.folder / "index")
        distance = "Normalized Cosine" if self.spec.metric == "cosine" else "L2"
        # `edge_size_for_search` 0: follow all edges.
        ngtpy.create(self.folder, self.spec.dim, 2 * m, 0, distance)
        self.index = ngtpy.Index(self.folder, log_disabled=True)
        self.index.batch_insert(rows, num_threads=threads)

    def save(self, folder):
        self.index.save()
        self.index.close()

    def load(self, folder):
        self.index = ngtpy.Index(str(folder / "index"), read_only=True, log_disabled=True)

    def prepare(self, queries, k, ef, threads):
        self.matrix, self.k, self.epsilon = queries, k, DOUBLING * math.log2(ef / k)
        self.index.set(num_of_search_objects=k, epsilon=self.epsilon)
        return list(queries)

    def search_one(self, query):
        return self.index.search(query, self.k, self.epsilon, with_distance=False)

    def search_batch(self, queries):
        results = ngtpy.BatchResults()
        self.index.batch_search(self.matrix, results, self.k, with_distance=False)
        return results
