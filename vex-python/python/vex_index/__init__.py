"""Nearest vectors, fast: an embedded index and database.

``Index`` is an index in memory. ``MappedIndex`` searches a saved file in place. ``Collection`` is a
database: rows with ids, vectors and fields, whose commits survive a power cut.

    >>> import numpy as np
    >>> from vex_index import Index
    >>> vectors = np.random.default_rng(0).standard_normal((1000, 64), dtype=np.float32)
    >>> index = Index.build(vectors, metric="cosine")
    >>> keys, distances = index.search(vectors[7], k=3)
    >>> int(keys[0])
    7
"""

from ._native import (
    NO_KEY,
    Batch,
    Collection,
    Committed,
    Group,
    Hit,
    Index,
    KeySet,
    MappedIndex,
    Reader,
    Record,
    Report,
    Schema,
    Scroll,
    SegmentStats,
    Snapshot,
    Stats,
    VexError,
    View,
    __version__,
)

__all__ = [
    "NO_KEY",
    "Batch",
    "Collection",
    "Committed",
    "Group",
    "Hit",
    "Index",
    "KeySet",
    "MappedIndex",
    "Reader",
    "Record",
    "Report",
    "Schema",
    "Scroll",
    "SegmentStats",
    "Snapshot",
    "Stats",
    "VexError",
    "View",
    "__version__",
]
