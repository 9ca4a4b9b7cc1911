"""zvec, Alibaba's: HNSW over f32, and over int8 codes rescored with the exact rows.

Asked through what lies beneath its `query_internal_ids`, with the request made beforehand: `query` looks up the document
of every id as well, which takes some 50 microseconds. Rotating the rows before int8 (`enable_rotate`) leaves no recall.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import zvec
from zvec.executor import QueryContext

from . import Rival

BATCH = 1000
RESCORED = 2  # Candidates rescored, in multiples of k, where ef finds as many: recall stays the same with all of them.


class Library(Rival):
    def build(self, rows, m, ef_construction, threads):
        # It builds on disk, in the folder that it is searched in.
        rescored = self.spec.mode == "int8-rescored"
        product = self.spec.metric == "cosine" and not rescored  # Of int8 squared distance is some 15% faster.
        param = zvec.HnswIndexParam(
            metric_type=zvec.MetricType.IP if product else zvec.MetricType.L2,
            m=m,
            ef_construction=ef_construction,
            quantize_type=zvec.QuantizeType.INT8 if rescored else zvec.QuantizeType.UNDEFINED,
            use_contiguous_memory=True,
            use_flat_contiguous_memory=rescored,
        )
        vector = zvec.VectorSchema("row", zvec.DataType.VECTOR_FP32, self.spec.dim, index_param=param)
        schema = zvec.CollectionSchema(name="rows", vectors=[vector])
        self.collection = zvec.create_and_open(str(self.spec.folder / "collection"), schema)
        for start in range(0, len(rows), BATCH):
            listing = time.perf_counter()
            part = enumerate(rows[start : start + BATCH], start)
            documents = [zvec.Doc(id=str(i), vectors={"row": row}) for i, row in part]
            self.untimed += time.perf_counter() - listing
            refused = [status for status in self.collection.insert(documents) if not status.ok()]
            if refused:
                raise RuntimeError(refused[0].message())
        self.collection.optimize(zvec.OptimizeOption(concurrency=threads))

    def save(self, folder):
        self.collection.flush()
        self.collection.close()

    def load(self, folder):
        self.collection = zvec.open(str(folder / "collection"), zvec.CollectionOption(read_only=True))
        if self.collection.stats.index_completeness["row"] < 1:
            raise RuntimeError("not all rows are in the graph")

    def prepare(self, queries, k, ef, threads):
        param = zvec.HnswQueryParam(ef=ef)
        if self.spec.mode == "int8-rescored":
            factor = min(RESCORED, ef / k)  # More would raise ef.
            param = zvec.HnswQueryParam(ef=ef, is_using_refiner=True, scale_factor=factor)
        self.pool = ThreadPoolExecutor(threads)
        self.threads = threads
        executor, core = self.collection._querier, self.collection._obj
        self.ask = core.QueryInternalIds
        context = QueryContext(topk=k)
        requests = [zvec.Query("row", vector=row, param=param) for row in queries]
        return [executor._build_search_query(context, request, core) for request in requests]

    def search_one(self, query):
        return self.ask(query, False)

    def search_batch(self, queries):
        """A thread each: it has no batches, but does not hold Python's lock."""
        if self.threads == 1:
            return self.search_all(queries)
        return list(self.pool.map(self.search_all, [queries[i :: self.threads] for i in range(self.threads)]))

    def search_all(self, queries):
        return [self.ask(query, False) for query in queries]

    def ids(self, result):
        return [int(key) for key in self.collection.resolve_internal_ids(result) if key is not None]
