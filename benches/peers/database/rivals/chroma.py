"""Chroma: records in SQLite, an HNSW graph of hnswlib beside them."""

import subprocess
import sys

import chromadb

from . import EF_CONSTRUCTION, K, M, Database, number

WHERE = {
    "all": None,
    "verb": {"pos": "verb"},
    "short_noun": {"$and": [{"length": {"$lt": 40}}, {"pos": "noun"}]},
}
VACUUM = "from chromadb.cli.cli import app; app()"


class Library(Database):
    durability = (
        "it leaves durability to SQLite (https://docs.trychroma.com/docs/overview/architecture), and has "
        "no setting"
    )
    index_what = "nothing: rows are linked while they are added"
    tidy_what = "`chroma vacuum`, in a process of its own"

    def client(self, folder):
        self.folder = folder
        settings = chromadb.Settings(anonymized_telemetry=False)
        return chromadb.PersistentClient(path=str(folder), settings=settings)

    def create(self, folder, dim):
        hnsw = {"space": "cosine", "max_neighbors": M, "ef_construction": EF_CONSTRUCTION}
        self.connection = self.client(folder)
        self.rows = self.connection.create_collection(
            "notes", configuration={"hnsw": hnsw}, embedding_function=None
        )

    def open(self, folder, dim):
        self.connection = self.client(folder)
        self.rows = self.connection.get_collection("notes", embedding_function=None)

    def close(self):
        self.connection.close()

    def batch(self, numbers, vectors, records):
        names = ("pos", "length", "words", "definition")
        return {
            "ids": [f"row/{i}" for i in numbers],
            "embeddings": vectors,
            "metadatas": [dict(zip(names, record)) for record in records],
        }

    def insert(self, batch):
        self.rows.add(**batch)

    def replace(self, batch):
        self.rows.upsert(**batch)

    def count(self):
        return self.rows.count()

    def prepare(self, queries, which, effort):
        # A graph that is loaded keeps its `ef_search`.
        self.rows.modify(configuration={"hnsw": {"ef_search": effort}})
        self.close()
        self.open(self.folder, None)
        where = {"where": WHERE[which]} if WHERE[which] else {}
        return [{"query_embeddings": [query], "n_results": K, "include": [], **where} for query in queries]

    def search(self, query):
        return self.rows.query(**query)

    def numbers(self, answer):
        return [number(id) for id in answer["ids"][0]]

    def tidy(self):
        self.close()
        vacuum = [sys.executable, "-c", VACUUM, "vacuum", "--path", str(self.folder), "--force"]
        subprocess.run(vacuum, check=True, stdout=subprocess.DEVNULL)
        self.open(self.folder, None)
