"""LanceDB: a table of files that never change, with an HNSW graph over 8-bit codes."""

import datetime

import lancedb
import pyarrow as pa
from lancedb.index import Bitmap, BTree, HnswSq

from . import EF_CONSTRUCTION, EFFORTS, K, M, Database, number

WHERE = {"all": None, "verb": "pos = 'verb'", "short_noun": "length < 40 and pos = 'noun'"}
REFINE = 2  # Times k: candidates by code that are compared exactly.


class Library(Database):
    efforts = [effort for effort in EFFORTS if effort >= REFINE * K]  # It refuses fewer.
    durability = "no promise for a local disk was found in its documentation, and no setting"
    index_what = (
        "`create_index`: HnswSq (one partition, m 16, ef_construction 200) on the vectors, Bitmap on `pos`, "
        "BTree on `length` and `id`; `optimize`"
    )
    tidy_what = "`optimize(cleanup_older_than=0)`"

    def schema(self, dim):
        texts = [(name, pa.string()) for name in ("id", "pos", "words", "definition")]
        vector, length = ("vector", pa.list_(pa.float32(), dim)), ("length", pa.int64())
        return pa.schema([*texts, vector, length])

    def create(self, folder, dim):
        self.dim = dim
        self.rows = lancedb.connect(str(folder)).create_table("notes", schema=self.schema(dim))

    def open(self, folder, dim):
        self.dim = dim
        self.rows = lancedb.connect(str(folder)).open_table("notes")

    def batch(self, numbers, vectors, records):
        pos, length, words, definition = (list(column) for column in zip(*records))
        vector = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), self.dim)
        columns = [[f"row/{i}" for i in numbers], pos, words, definition, vector, length]
        return pa.table(columns, schema=self.schema(self.dim))

    def insert(self, batch):
        self.rows.add(batch)

    def replace(self, batch):
        self.rows.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(batch)

    def index(self):
        graph = HnswSq(distance_type="cosine", num_partitions=1, m=M, ef_construction=EF_CONSTRUCTION)
        self.rows.create_index("vector", config=graph)
        self.rows.create_index("pos", config=Bitmap())
        self.rows.create_index("length", config=BTree())
        self.rows.create_index("id", config=BTree())
        self.rows.optimize()

    def tidy(self):
        self.rows.optimize(cleanup_older_than=datetime.timedelta(0))

    def count(self):
        return self.rows.count_rows()

    def prepare(self, queries, which, effort):
        return [(query, WHERE[which], effort) for query in queries]

    def search(self, query):
        vector, where, effort = query
        search = self.rows.search(vector).distance_type("cosine").ef(effort).refine_factor(REFINE).limit(K)
        if where:
            search = search.where(where, prefilter=True)
        return search.select(["id"]).to_arrow()

    def numbers(self, answer):
        return [number(id) for id in answer["id"].to_pylist()]

    def notes(self):
        return [
            f"{index.name}: {stats.num_unindexed_rows:,} rows are not in the index"
            for index in self.rows.list_indices()
            if (stats := self.rows.index_stats(index.name)) and stats.num_unindexed_rows
        ]
