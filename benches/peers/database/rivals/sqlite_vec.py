"""sqlite-vec: a virtual table `vec0` in SQLite, which compares all vectors. SQLite is that of `apsw`.

Many builds of Python leave out the loading of extensions, so `sqlite3` would not do everywhere.
"""

import apsw
import sqlite_vec

from . import K, Database, number

WHERE = {"all": "", "verb": " and pos = 'verb'", "short_noun": " and length < 40 and pos = 'noun'"}
COLUMNS = "(embedding, pos, length, words, definition, id) values (?, ?, ?, ?, ?, ?)"
SET = "embedding = ?, pos = ?, length = ?, words = ?, definition = ?"


class Library(Database):
    durability = (
        "WAL with `synchronous=FULL`: durable when a commit returns "
        "(https://sqlite.org/pragma.html#pragma_synchronous)"
    )
    effort = None
    efforts = [None]
    index_what = "nothing: it has no index"
    tidy_what = "`VACUUM`, then `PRAGMA wal_checkpoint(TRUNCATE)`"

    def version(self):
        return f"{super().version()} (SQLite {apsw.sqlite_lib_version()})"

    def open(self, folder, dim):
        self.db = apsw.Connection(str(folder / "rows.sqlite"))
        self.db.enable_load_extension(True)
        self.db.load_extension(sqlite_vec.loadable_path())
        self.db.execute("pragma journal_mode = wal; pragma synchronous = full")

    def create(self, folder, dim):
        self.open(folder, dim)
        self.db.execute(
            f"create virtual table notes using vec0(id text primary key, embedding float[{dim}] "
            "distance_metric=cosine, pos text, length integer, +words text, +definition text)"
        )

    def close(self):
        self.db.close()

    def batch(self, numbers, vectors, records):
        return [
            (vector.tobytes(), pos, length, words, definition, f"row/{i}")
            for i, vector, (pos, length, words, definition) in zip(numbers, vectors, records)
        ]

    def insert(self, batch):
        with self.db:
            self.db.executemany(f"insert into notes {COLUMNS}", batch)

    def replace(self, batch):
        # `vec0` has neither `insert or replace` nor `on conflict`; an update is in place.
        with self.db:
            self.db.executemany(f"update notes set {SET} where id = ?", batch)

    def count(self):
        return self.db.execute("select count(*) from notes").fetchone()[0]

    def prepare(self, queries, which, effort):
        sql = f"select id, distance from notes where embedding match ? and k = {K}{WHERE[which]}"
        return [(sql, (query.tobytes(),)) for query in queries]

    def search(self, query):
        return self.db.execute(*query).fetchall()

    def numbers(self, answer):
        return [number(id) for id, _ in answer]

    def tidy(self):
        self.db.execute("vacuum")
        self.db.execute("pragma wal_checkpoint(truncate)")
