"""Intel's SVS: Vamana over f32 rows, and over LVQ codes: 8 bits, or 4 that steer and 8 more that rescore."""

import tempfile
import time

import svs

from . import Rival

LVQ = {"lvq8": (8, 0), "lvq4x8": (4, 8)}
PADDING = 32


class Library(Rival):
    def build(self, rows, m, ef_construction, threads):
        parameters = svs.VamanaBuildParameters(alpha=1.2, graph_max_degree=2 * m, window_size=ef_construction)
        if self.spec.mode == "f32":
            self.index = svs.Vamana.build(parameters, rows, svs.DistanceType.L2, num_threads=threads)
            return
        primary, residual = LVQ[self.spec.mode]
        with tempfile.TemporaryDirectory(dir=self.spec.folder) as folder:
            writing = time.perf_counter()
            svs.write_vecs(rows, f"{folder}/rows.fvecs")
            self.untimed = time.perf_counter() - writing
            source = svs.VectorDataLoader(f"{folder}/rows.fvecs", svs.DataType.float32, dims=self.spec.dim)
            loader = svs.LVQLoader(
                source, primary=primary, residual=residual, padding=PADDING, strategy=svs.LVQStrategy.Turbo
            )
            self.index = svs.Vamana.build(parameters, loader, svs.DistanceType.L2, num_threads=threads)

    def save(self, folder):
        self.index.save(*(str(folder / part) for part in ("config", "graph", "data")))

    def load(self, folder):
        data = str(folder / "data")
        if self.spec.mode == "f32":
            loader = svs.VectorDataLoader(data, svs.DataType.float32, dims=self.spec.dim)
        else:
            loader = svs.LVQLoader(data, padding=PADDING, strategy=svs.LVQStrategy.Turbo)
        graph = svs.GraphLoader(str(folder / "graph"))
        self.index = svs.Vamana(str(folder / "config"), graph, loader, svs.DistanceType.L2)

    def prepare(self, queries, k, ef, threads):
        self.index.search_window_size = ef
        self.index.num_threads = threads
        self.matrix, self.k = queries, k
        return [query[None] for query in queries]

    def search_one(self, query):
        return self.index.search(query, self.k)

    def search_batch(self, queries):
        return self.index.search(self.matrix, self.k)

    def ids(self, result):
        return result[0][0]
