"""qdrant-edge, the library of qdrant: f32, and scalar int8 rescored with the exact rows."""

import time

import qdrant_edge as qdrant

from . import Rival

BATCH = 4096
OVERSAMPLING = 1.5  # Without it only the k nearest by code are rescored, and recall stays below 0.99.


class Library(Rival):
    answers_batches = False  # `query_batch` answers them one after the other.

    def config(self, m, ef_construction, threads):
        quantization = None
        if self.spec.mode == "int8-rescored":
            quantization = qdrant.ScalarQuantizationConfig(qdrant.ScalarType.Int8, quantile=0.99, always_ram=True)
        distance = qdrant.Distance.Cosine if self.spec.metric == "cosine" else qdrant.Distance.Euclid
        # One segment, and a graph whatever the size: thresholds are in KB.
        return qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(self.spec.dim, distance, quantization_config=quantization),
            hnsw_config=qdrant.HnswIndexConfig(m, ef_construction, 10, max_indexing_threads=threads),
            optimizers=qdrant.EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1000, max_segment_size=20_000_000
            ),
            max_search_threads=1,
        )

    def build(self, rows, m, ef_construction, threads):
        # It builds on disk, in the folder that it is searched in.
        folder = self.spec.folder / "shard"
        folder.mkdir()
        self.shard = qdrant.EdgeShard.create(str(folder), self.config(m, ef_construction, threads))
        for start in range(0, len(rows), BATCH):
            listing = time.perf_counter()
            part = rows[start : start + BATCH].tolist()
            points = [qdrant.Point(start + i, row) for i, row in enumerate(part)]
            self.untimed += time.perf_counter() - listing
            self.shard.update(qdrant.UpdateOperation.upsert_points(points))
        while self.shard.optimize():
            pass

    def save(self, folder):
        self.shard.flush()
        self.shard.close()

    def load(self, folder):
        config = self.config(self.spec.m, self.spec.ef_construction, self.spec.build_threads)
        self.shard = qdrant.EdgeShard.load(str(folder / "shard"), config)
        info = self.shard.info()
        if info.indexed_vectors_count != info.points_count:
            raise RuntimeError(f"only {info.indexed_vectors_count} of {info.points_count} are indexed")

    def prepare(self, queries, k, ef, threads):
        quantization = None
        if self.spec.mode == "int8-rescored":
            quantization = qdrant.QuantizationSearchParams(rescore=True, oversampling=OVERSAMPLING)
        params = qdrant.SearchParams(hnsw_ef=ef, quantization=quantization)
        return [
            qdrant.QueryRequest(limit=k, query=qdrant.Query.Nearest(query.tolist()), params=params)
            for query in queries
        ]

    def search_one(self, query):
        return self.shard.query(query)

    def search_batch(self, queries):
        return self.shard.query_batch(qdrant.QueryBatchRequest(queries))

    def ids(self, result):
        return [point.id for point in result]
