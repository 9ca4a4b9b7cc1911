"""faiss: IndexHNSWFlat, and IndexHNSWSQ with one byte a dimension, alone or rescored with the exact rows.

Of its byte codes the uniform ones (one scale for all dimensions) are the fastest; recall is the same. Unit rows are
compared by inner product, which is a little faster than squared distance.
"""

import faiss

from . import Rival, Unavailable

RESCORED = 2  # Candidates rescored, in multiples of k: recall stays the same with 3.


class Library(Rival):
    def shared_build(self):
        return "f32" if self.spec.mode == "f32" else "sq8"

    def build(self, rows, m, ef_construction, threads):
        faiss.omp_set_num_threads(threads)
        metric = faiss.METRIC_INNER_PRODUCT if self.spec.metric == "cosine" else faiss.METRIC_L2
        if self.spec.mode == "f32":
            self.index = faiss.IndexHNSWFlat(self.spec.dim, m, metric)
        else:
            self.index = faiss.IndexHNSWSQ(self.spec.dim, faiss.ScalarQuantizer.QT_8bit_uniform, m, metric)
        self.index.hnsw.efConstruction = ef_construction
        self.index.train(rows)
        self.index.add(rows)

    def save(self, folder):
        faiss.write_index(self.index, str(folder / "index"))

    def load(self, folder):
        self.graph = self.index = faiss.read_index(str(folder / "index"))
        if self.spec.mode == "sq8-rescored":
            self.exact = faiss.IndexFlat(self.spec.dim, self.graph.metric_type)
            self.exact.add(self.spec.rows())
            self.index = faiss.IndexRefine(self.graph, self.exact)
            self.index.k_factor = RESCORED

    def map(self, folder):
        if self.spec.mode != "f32":
            raise Unavailable("only its flat rows are mapped")
        self.graph = self.index = faiss.read_index(str(folder / "index"), faiss.IO_FLAG_MMAP_IFC)

    def prepare(self, queries, k, ef, threads):
        faiss.omp_set_num_threads(threads)
        self.graph.hnsw.efSearch = ef
        self.matrix, self.k = queries, k
        return [query[None] for query in queries]

    def search_one(self, query):
        return self.index.search(query, self.k)

    def search_batch(self, queries):
        return self.index.search(self.matrix, self.k)

    def ids(self, result):
        return result[1][0]
