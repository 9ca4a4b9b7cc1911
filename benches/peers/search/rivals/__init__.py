"""The rivals: a file for each library, and what they have in common.

Nothing here imports a library: a module of this folder is imported only in the process that runs it.
"""

import importlib
import importlib.metadata
from types import SimpleNamespace

# Module of this folder: the package on PyPI, and the modes. A rival is called `module-mode`.
LIBRARIES = {
    "vex": (None, ["f32", "sq8", "sq4", "sq2x2"]),
    "hnswlib": ("hnswlib", ["f32", "f32-l2"]),
    "faiss": ("faiss-cpu", ["f32", "sq8", "sq8-rescored"]),
    "usearch": ("usearch", ["f32", "i8", "i8-rescored"]),
    "qdrant": ("qdrant-edge-py", ["f32", "int8-rescored"]),
    "vsag": ("pyvsag", ["f32", "sq8-rescored"]),
    "svs": ("scalable-vs", ["f32", "lvq8", "lvq4x8"]),
    "voyager": ("voyager", ["f32"]),
    "zvec": ("zvec", ["f32", "int8-rescored"]),
    "diskannpy": ("diskannpy-rust", ["f32", "pq-rescored"]),
    "ngt": ("ngt", ["f32"]),
    "symqg": ("rabitqlib", ["f32", "8", "4"]),
    "glass": ("pyglass-portable", ["sq8u", "sq4u"]),
    "scann": ("scann", ["ah-rescored"]),
    "rust": (None, ["hannoy", "hnsw_rs", "instant-distance", "usearch"]),
}


def names():
    return [f"{library}-{mode}" for library, (_, modes) in LIBRARIES.items() for mode in modes]


class Unavailable(Exception):
    """This rival cannot run here, or not with these settings; says why."""


class Rival:
    """A library in one mode. `spec` holds what `__main__` decided: mode, metric, dim, files, m, ...

    Rows have unit length where the metric is `cosine`, so that rivals may compare by squared distance or inner
    product, whichever is faster. The ids that they return are row numbers.
    """

    reads_files = False  # Gets the paths in `spec` instead of arrays.
    answers_batches = True  # If not, it gets one query a call and holds Python's lock: more threads gain nothing.
    untimed = 0.0  # Seconds of a build that were spent on changing the form of the rows, not on the index.

    def __init__(self, spec: SimpleNamespace):
        self.spec = spec

    def version(self):
        package = LIBRARIES[self.spec.library][0]
        return f"{package} {importlib.metadata.version(package)}"

    def shared_build(self):
        """Modes that search the same index in different ways name it alike, and it is built once."""
        return self.spec.mode

    def build(self, rows, m, ef_construction, threads):
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError

    def load(self, folder):
        raise NotImplementedError

    def map(self, folder):
        """Open it where it is, without reading it first, if the library can."""
        raise Unavailable("cannot map an index")

    def first_answer(self, query, k, ef):
        """Answer one query, right after `load` or `map`. The seconds since these began, if the rival has its own clock."""
        (prepared,) = self.prepare(query, k, ef, 1)
        self.search_one(prepared)

    def prepare(self, queries, k, ef, threads):
        """Set the library up, and return for each query what `search_one` takes: none of this is timed."""
        raise NotImplementedError

    def search_one(self, query):
        raise NotImplementedError

    def search_batch(self, queries):
        """All that `prepare` returned, on the threads that it was told."""
        raise NotImplementedError

    def ids(self, result):
        """The ids in what `search_one` returned."""
        return result

    def memory_bytes(self):
        """What the library says it takes, if it says."""
        return None


def create(spec):
    return importlib.import_module(f".{spec.library}", __package__).Library(spec)
