"""Google's ScaNN: partitions of rows, codes of 4 bits for two dimensions, rescored by f32 rows.

It has no graph, so m and ef_construction do not concern it. In place of ef it has two numbers: the
partitions that a search reads, and the candidates that it rescores. Both are derived from ef here.
The other settings are those that its documentation advises.
"""

import math

import scann

from . import Rival

PARTITIONS = 1 / 4  # Of ef. With it, recall at an ef is roughly that of a graph.
RESCORED = 1 / 2  # Of ef.
RESCORED_OF_K = 3  # In multiples of k, at least: fewer cost recall and save little time.
SPILLING = 1.5  # SOAR's lambda: a row is also in a second partition. For inner products alone.


class Library(Rival):
    def build(self, rows, m, ef_construction, threads):
        product = self.spec.metric == "cosine"
        measure = "dot_product" if product else "squared_l2"
        builder = scann.scann_ops_pybind.builder(rows, self.spec.k, measure)
        # The numbers to read and to rescore are defaults, which every search replaces.
        builder.tree(
            num_leaves=math.isqrt(len(rows)),
            num_leaves_to_search=1,
            soar_lambda=SPILLING if product else None,
        )
        builder.score_ah(2, anisotropic_quantization_threshold=0.2)
        builder.reorder(RESCORED_OF_K * self.spec.k)
        self.index = builder.set_n_training_threads(threads).build()

    def save(self, folder):
        self.index.serialize(str(folder), relative_path=True)

    def load(self, folder):
        self.index = scann.scann_ops_pybind.load_searcher(str(folder))

    def prepare(self, queries, k, ef, threads):
        self.matrix, self.threads = queries, threads
        self.share = min(256, math.ceil(len(queries) / threads))
        partitions = max(1, round(PARTITIONS * ef))
        rescored = max(RESCORED_OF_K * k, round(RESCORED * ef))
        self.numbers = (k, rescored, partitions)
        self.index.set_num_threads(max(1, threads - 1))  # These help the thread that asks.
        return list(queries)

    def search_one(self, query):
        return self.index.search(query, *self.numbers)

    def search_batch(self, queries):
        if self.threads == 1:
            return self.index.search_batched(self.matrix, *self.numbers)
        return self.index.search_batched_parallel(self.matrix, *self.numbers, self.share)

    def ids(self, result):
        return result[0]
