"""qdrant-edge, the library of qdrant: one segment and its graph, with indexes for the filters."""

import qdrant_edge as qdrant

from . import EF_CONSTRUCTION, K, M, Database

NAMES = ("pos", "length", "words", "definition")


def filter(which):
    if which == "all":
        return None
    of_pos = lambda pos: qdrant.FieldCondition(key="pos", match=qdrant.MatchValue(pos))
    if which == "verb":
        return qdrant.Filter(must=[of_pos("verb")])
    short = qdrant.FieldCondition(key="length", range=qdrant.RangeFloat(lt=40))
    return qdrant.Filter(must=[short, of_pos("noun")])


class Library(Database):
    durability = (
        "no write-ahead log, and `flush` after each write: its documentation says that without this log updates are "
        "durable once `flush` returns. With the log and without `flush`, a put calls none of the functions counted here"
    )
    index_what = "`optimize` until there is nothing to do, `flush`"
    tidy_what = "`optimize` until there is nothing to do, `flush`"

    def config(self, dim):
        return qdrant.EdgeConfig(
            vectors=qdrant.EdgeVectorParams(dim, qdrant.Distance.Cosine),
            hnsw_config=qdrant.HnswIndexConfig(M, EF_CONSTRUCTION, 10_000),
            optimizers=qdrant.EdgeOptimizersConfig(
                default_segment_number=1, indexing_threshold=1000, max_segment_size=20_000_000
            ),
            max_search_threads=1,
            wal_enabled=False,
        )

    def create(self, folder, dim):
        self.shard = qdrant.EdgeShard.create(str(folder), self.config(dim))
        for name, kind in (("pos", qdrant.PayloadSchemaType.Keyword), ("length", qdrant.PayloadSchemaType.Integer)):
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
        params, where = qdrant.SearchParams(hnsw_ef=effort), filter(which)
        return [
            qdrant.QueryRequest(limit=K, query=qdrant.Query.Nearest(query.tolist()), params=params, filter=where)
            for query in queries
        ]

    def search(self, query):
        return self.shard.query(query)

    def numbers(self, answer):
        return [point.id for point in answer]

    def notes(self):
        info = self.shard.info()
        return [f"{info.indexed_vectors_count:,} of {info.points_count:,} points are in the graph"]
