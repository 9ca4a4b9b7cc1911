"""SymphonyQG (the package rabitqlib): a graph without levels over f32, or codes of 8 or 4 bits.

A node holds the codes of its neighbors, of one bit a dimension, which choose the next node. Each
node that is visited is compared by its row or its larger code, so nothing is rescored later.
"""

import rabitqlib

from . import Rival, Unavailable

BITS = {"f32": 0, "8": 8, "4": 4}
BLOCK = 32  # Its kernels compare so many neighbors at once.


class Library(Rival):
    def __init__(self, spec):
        super().__init__(spec)
        self.degree = 2 * spec.m
        if self.degree % BLOCK:
            reason = f"the degree has to be a multiple of {BLOCK}, and twice m is {self.degree}"
            raise Unavailable(reason)

    def build(self, rows, m, ef_construction, threads):
        bits = BITS[self.spec.mode]
        # Rows of unit length: inner product is as fast and finds as much.
        self.index = rabitqlib.SymqgIndex(self.spec.dim, self.degree, "l2", bits)
        self.index.build(rows, ef_construction, threads)

    def save(self, folder):
        self.index.save(str(folder / "index"))

    def load(self, folder):
        self.index = rabitqlib.SymqgIndex.load(str(folder / "index"))

    def prepare(self, queries, k, ef, threads):
        self.matrix, self.k, self.ef, self.threads = queries, k, ef, threads
        return [query[None] for query in queries]

    def search_one(self, query):
        # Its `search` gives the same answer, two microseconds later.
        return self.index.search_batch(query, self.k, self.ef, 1)

    def search_batch(self, queries):
        return self.index.search_batch(self.matrix, self.k, self.ef, self.threads)

    def ids(self, result):
        return result[0][0]
