"""VSAG's HGraph: fp32, and sq8_uniform reordered by the exact rows."""

import json

import numpy as np
import pyvsag

from . import Rival

CODES = {
    "f32": {"base_quantization_type": "fp32"},
    "sq8-rescored": {
        "base_quantization_type": "sq8_uniform",
        "use_reorder": True,
        "precise_quantization_type": "fp32",
    },
}


class Library(Rival):
    answers_batches = False

    def create(self, m, ef_construction, threads):
        graph = {"max_degree": 2 * m, "ef_construction": ef_construction, "build_thread_count": threads}
        return pyvsag.Index(
            "hgraph",
            json.dumps(
                {
                    "dtype": "float32",
                    "metric_type": "l2",
                    "dim": self.spec.dim,
                    "index_param": CODES[self.spec.mode] | graph,
                }
            ),
        )

    def build(self, rows, m, ef_construction, threads):
        self.index = self.create(m, ef_construction, threads)
        self.index.build(rows.ravel(), np.arange(len(rows)), len(rows), self.spec.dim)

    def save(self, folder):
        self.index.save(str(folder / "index"))

    def load(self, folder):
        self.index = self.create(self.spec.m, self.spec.ef_construction, self.spec.build_threads)
        self.index.load(str(folder / "index"))

    def prepare(self, queries, k, ef, threads):
        self.k, self.params = k, json.dumps({"hgraph": {"ef_search": ef}})
        return list(queries)

    def search_one(self, query):
        return self.index.knn_search(query, self.k, self.params)

    def search_batch(self, queries):
        return [self.search_one(query) for query in queries]

    def ids(self, result):
        return result[0]
