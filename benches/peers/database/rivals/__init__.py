"""The databases: a file for each library, and what they have in common.

Nothing here imports a library: a module of this folder is imported only in the process that runs it.
"""

import importlib
import importlib.metadata

# Module of this folder: the packages on PyPI.
LIBRARIES = {
    "lancedb": ["lancedb"],
    "qdrant": ["qdrant-edge-py"],
    "sqlite_vec": ["sqlite-vec", "apsw"],
    "chroma": ["chromadb"],
}
M, EF_CONSTRUCTION, K = 16, 200, 10
EFFORTS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]


class Database:
    """A library. Rows are numbers, vectors of unit length, and records as `data.Texts` returns them."""

    name = ""
    durability = ""  # What the library promises of a write that has returned, and where it says so.
    effort = "ef"
    efforts = EFFORTS
    index_what = ""
    tidy_what = ""

    def version(self):
        packages = LIBRARIES[self.name]
        return ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)

    def create(self, folder, dim):
        raise NotImplementedError

    def open(self, folder, dim):
        raise NotImplementedError

    def close(self):
        """Nothing, if the library has nothing to close."""

    def batch(self, numbers, vectors, records):
        """What `insert` and `replace` take: rows in the form of the library. Not timed."""
        raise NotImplementedError

    def insert(self, batch):
        """Rows that are new; on the medium when this returns, if the library can."""
        raise NotImplementedError

    def replace(self, batch):
        """Rows that are there already; on the medium when this returns, if the library can."""
        raise NotImplementedError

    def index(self):
        """What the library needs for its index."""

    def count(self):
        raise NotImplementedError

    def prepare(self, queries, which, effort):
        """For each query what `search` takes, for one of the filters of `data.FILTERS`. Not timed."""
        raise NotImplementedError

    def search(self, query):
        raise NotImplementedError

    def numbers(self, answer):
        """The rows in what `search` returned, nearest first. Not timed."""
        raise NotImplementedError

    def tidy(self):
        """All that the library offers to give back space and time."""

    def notes(self):
        """Sentences for the report, after a phase."""
        return []


def number(id):
    return int(id.split("/", 1)[1])


def create(name):
    database = importlib.import_module(f".{name}", __package__).Library()
    database.name = name
    return database
