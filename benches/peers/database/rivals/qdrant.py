"""qdrant-edge, the library of qdrant: one segment and its graph, with indexes for the filters."""

import os

import qdrant_edge as qdrant

from . import EF_CONSTRUCTION, K, M, Database

NAMES = ("pos", "length", "words", "definition")


def filter(which):
    if which == "all":
        return None
    pos = "verb" if which == "verb" else "noun"
    conditions = [qdrant.FieldCondition(key="pos", match=qdrant.MatchValue(pos))]
    if which == "short_noun":
        conditions.append(qdrant.FieldCondition(key="length", range=qdrant.RangeFloat(lt=40)))
    return qdrant.Filter(must=conditions)


class Library(Database):
    durability = (
        "no write-ahead log, and `flush` after each write: its documentation says that without this log "
        "updates are durable once `flush` returns. With the log and without `flush`, a put calls none of "
        "the functions counted here"
    )
    index_what = "`optimize` until there is nothing to do, `flush`"
    tidy_what = "`optimize` until there is nothing to do, `flush`"

    def config(self, dim):
        return qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(dim, qdrant.Distance.Cosine),
            # Left to itself, it builds the graph on one of two cores.
            hnsw_config=qdrant.HnswIndexConfig(
                M, EF_CONSTRUCTION, 10_000, max_indexing_threads=os.cpu_count()
            ),
            optimizers=qdrant.EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1000, max_segment_size=20_000_000
            ),
            max_search_threads=1,
            wal_enabled=False,
        )

    def create(self, folder, dim):
        self.shard = qdrant.EdgeShard.create(str(folder), self.config(dim))
        kinds = qdrant.PayloadSchemaType
        for name, kind in (("pos", kinds.Keyword), ("length", kinds.Integer)):
            self.shard.update(qdrant.UpdateOperation.create_field_index(name, kind))

    def open(self, folder, dim):
        self.shard = qdrant.EdgeShard.load(str(folder), self.config(dim))

    def close(self):
        self.shard.close()

    def batch(self, numbers, vectors, records):
        # Ids are numbers or UUIDs, so the text of the id is a field.
        return [
            qdrant.Point(int(i), vector, {"id": f"row/{i}", **dict(zip(NAMES, record))})
            for i, vector, record in zip(numbers, vectors.tolist(), records)
        ]

    def insert(self, batch):
        self.shard.update(qdrant.UpdateOperation.upsert_points(batch))
        self.shard.flush()

    replace = insert

    def index(self):
        while self.shard.optimize():
            pass
        self.shard.flush()

    tidy = index

    def count(self):
        return self.shard.count(qdrant.CountRequest(exact=True))

    def prepare(self, queries, which, effort):
        rest = {"limit": K, "params": qdrant.SearchParams(hnsw_ef=effort), "filter": filter(which)}
        return [
            qdrant.QueryRequest(query=qdrant.Query.Nearest(query.tolist()), **rest) for query in queries
        ]

    def search(self, query):
        return self.shard.query(query)

    def numbers(self, answer):
        return [point.id for point in answer]

    def notes(self):
        info = self.shard.info()
        return [f"{info.indexed_vectors_count:,} of {info.points_count:,} points are in the graph"]
