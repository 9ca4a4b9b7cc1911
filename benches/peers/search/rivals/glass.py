"""pyglass (the package pyglass-portable): HNSW over codes of 8 or 4 bits, rescored by f16 rows.

The codes are its SQ8U and SQ4U, with one scale for all dimensions. It rescores 1.5k candidates,
and f16 is what its authors' example rescores with. The graph is built over f32.
"""

import os

import glass

from . import Rival, Unavailable

CODES = {"sq8u": "SQ8U", "sq4u": "SQ4U"}
RESCORED = 1.5  # Candidates rescored, in multiples of k: compiled into it.


class Library(Rival):
    tuned = False

    def __init__(self, spec):
        super().__init__(spec)
        limited = hasattr(os, "sched_getaffinity")
        cores = len(os.sched_getaffinity(0)) if limited else os.cpu_count()
        if spec.search_threads > cores:
            raise Unavailable(f"pyglass has scratch memory for one thread a core, here {cores}")

    def shared_build(self):
        return "f32"

    def build(self, rows, m, ef_construction, threads):
        glass.set_num_threads(threads)
        self.graph = glass.Index("HNSW", "L2", "FP32", 2 * m, ef_construction).build(rows)

    def save(self, folder):
        self.graph.save(str(folder / "graph"))

    def load(self, folder):
        graph = glass.Graph(str(folder / "graph"))
        codes = CODES[self.spec.mode]
        self.index = glass.Searcher(graph, self.spec.rows(), "L2", codes, "FP16")

    def first_answer(self, query, k, ef):
        self.tuned = True  # That takes seconds, and pays off after many queries.
        return super().first_answer(query, k, ef)

    def prepare(self, queries, k, ef, threads):
        # A smaller ef is raised to this by its search of one query, but not by that of a batch.
        self.index.set_ef(max(ef, int(RESCORED * k)))
        self.matrix, self.k, self.threads = queries, k, threads
        if not self.tuned:
            glass.set_num_threads(1)
            self.index.optimize()  # Tries how far ahead to prefetch. A second time it would crash.
            self.tuned = True
        return list(queries)

    def search_one(self, query):
        return self.index.search(query, self.k)

    def search_batch(self, queries):
        return self.index.batch_search(self.matrix, self.k, self.threads)

    def ids(self, result):
        return result[0]
