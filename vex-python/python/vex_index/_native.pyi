from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, NoReturn, TypeAlias, TypedDict, final, type_check_only

import numpy as np
import numpy.typing as npt
from typing_extensions import Self, Unpack, disjoint_base

__all__ = [
    "Batch",
    "Collection",
    "Committed",
    "Group",
    "Hit",
    "Index",
    "KeySet",
    "MappedIndex",
    "NO_KEY",
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

__version__: Final[str]
NO_KEY: Final[int]

_Path: TypeAlias = str | PathLike[str]
_Keys: TypeAlias = npt.NDArray[np.integer[Any]] | Sequence[int] | int | np.integer[Any]
_Filter: TypeAlias = KeySet | npt.NDArray[np.integer[Any]] | Sequence[int]
_Vectors: TypeAlias = npt.NDArray[Any] | Sequence[float] | Sequence[Sequence[float]]
_Found: TypeAlias = tuple[npt.NDArray[np.uint64], npt.NDArray[np.float32]]
_Quantization: TypeAlias = Literal["auto", "auto-coded", "none", "sq8", "sq4", "sq2x2"]
_Value: TypeAlias = str | int | float | bool | np.generic
_Row: TypeAlias = Mapping[str, Any]
_Fetch: TypeAlias = bool | str | Sequence[str]

class VexError(Exception): ...

@final
class KeySet:
    def __new__(cls, keys: _Keys | range | None = None) -> Self: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> bool: ...
    def __and__(self, other: KeySet, /) -> KeySet: ...
    def __or__(self, other: KeySet, /) -> KeySet: ...
    def __sub__(self, other: KeySet, /) -> KeySet: ...
    def __rand__(self, value: KeySet, /) -> KeySet: ...
    def __ror__(self, value: KeySet, /) -> KeySet: ...
    def __rsub__(self, value: KeySet, /) -> KeySet: ...
    def __invert__(self) -> KeySet: ...
    def __eq__(self, other: object, /) -> bool: ...

@type_check_only
class _Searches:
    def search(
        self,
        queries: _Vectors,
        k: int = 10,
        *,
        ef_search: int | None = None,
        filter: _Filter | Sequence[_Filter | None] | None = None,
        exact: bool = False,
        threads: int | None = None,
        slack: float | None = None,
        rerank: float | None = None,
        max_distances: int | None = None,
    ) -> _Found: ...
    def search_radius(
        self,
        queries: _Vectors,
        radius: float,
        k: int = 1000,
        *,
        ef_search: int | None = None,
        threads: int | None = None,
    ) -> _Found: ...
    def get(self, keys: _Keys | range) -> npt.NDArray[Any]: ...
    def keys(self) -> npt.NDArray[np.uint64]: ...
    def close(self) -> None: ...
    @property
    def dim(self) -> int: ...
    @property
    def metric(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def quantization(self) -> str | None: ...
    @property
    def m(self) -> int: ...
    @property
    def ef_construction(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def __len__(self) -> int: ...
    def __contains__(self, key: object, /) -> bool: ...
    def __getitem__(self, key: int | np.integer[Any], /) -> npt.NDArray[Any]: ...
    def __iter__(self) -> Iterator[int]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

@final
class Index(_Searches):
    def __new__(
        cls,
        dim: int,
        *,
        metric: str = "cosine",
        dtype: npt.DTypeLike | None = None,
        m: int = 16,
        ef_construction: int = 200,
        quantization: _Quantization | None = "auto",
        seed: int = 0,
        keep_pruned: bool = False,
        memory_limit: int | None = None,
    ) -> Self: ...
    @classmethod
    def build(
        cls,
        vectors: _Vectors,
        keys: _Keys | range | None = None,
        *,
        metric: str = "cosine",
        dtype: npt.DTypeLike | None = None,
        m: int = 16,
        ef_construction: int = 200,
        quantization: _Quantization | None = "auto",
        seed: int = 0,
        keep_pruned: bool = False,
        memory_limit: int | None = None,
        threads: int | None = None,
        progress: Callable[[int, int], object] | None = None,
    ) -> Self: ...
    @classmethod
    def load(cls, path: _Path) -> Self: ...
    def save(
        self, path: _Path, *, store: Literal["all", "f16", "none"] = "all", overwrite: bool = False
    ) -> None: ...
    def add(
        self, vectors: _Vectors, keys: _Keys | range | None = None, *, threads: int | None = None
    ) -> npt.NDArray[np.uint64]: ...
    def upsert(self, vectors: _Vectors, keys: _Keys | range) -> int: ...
    def remove(self, keys: _Keys | range) -> int: ...
    def compact(self, *, threads: int | None = None) -> None: ...
    def requantize(
        self, quantization: Literal["sq8", "sq4", "sq2x2"] | None, *, threads: int | None = None
    ) -> None: ...
    def check_codes(self, samples: int = 200) -> dict[str, Any]: ...
    @property
    def path(self) -> Path | None: ...
    def __setitem__(self, key: int | np.integer[Any], vector: _Vectors, /) -> None: ...
    def __delitem__(self, key: int | np.integer[Any], /) -> None: ...

@final
class MappedIndex(_Searches):
    @classmethod
    def open(cls, path: _Path, mode: Literal["map", "near", "read"] = "map") -> Self: ...
    def verify(self, *, threads: int | None = None) -> None: ...
    @property
    def path(self) -> Path: ...

@final
class Schema:
    def __new__(
        cls,
        dim: int,
        *,
        metric: str = "cosine",
        model: str | None = None,
        fields: Mapping[str, type[str | int | float | bool] | str] | None = None,
        vectors: Mapping[str, int | tuple[int, str]] | None = None,
    ) -> Self: ...
    @property
    def dim(self) -> int: ...
    @property
    def metric(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def fields(self) -> dict[str, str]: ...
    @property
    def vectors(self) -> dict[str, tuple[int, str]]: ...
    def __eq__(self, other: object, /) -> bool: ...

@final
class Hit:
    @property
    def id(self) -> str: ...
    @property
    def distance(self) -> float: ...
    @property
    def row(self) -> dict[str, Any]: ...

@final
class Record:
    @property
    def id(self) -> str: ...
    @property
    def vector(self) -> npt.NDArray[np.float32] | None: ...
    @property
    def named(self) -> dict[str, npt.NDArray[np.float32]]: ...
    @property
    def row(self) -> dict[str, Any]: ...

@final
class Group:
    @property
    def value(self) -> Any: ...
    @property
    def hits(self) -> list[Hit]: ...

@final
class Scroll:
    def __iter__(self) -> Self: ...
    def __next__(self) -> Record: ...

@final
class SegmentStats:
    @property
    def number(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def vector(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def dead(self) -> int: ...
    @property
    def bytes(self) -> int: ...

@final
class Stats:
    @property
    def rows(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def segments(self) -> list[SegmentStats]: ...
    @property
    def store_bytes(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def memory(self) -> int: ...
    @property
    def commits(self) -> int: ...
    @property
    def maintenance_error(self) -> str | None: ...

@final
class Report:
    @property
    def sealed(self) -> int: ...
    @property
    def merged(self) -> int: ...
    @property
    def rewritten(self) -> int: ...
    @property
    def skipped(self) -> int: ...
    @property
    def compacted(self) -> bool: ...

@final
class Committed:
    @property
    def inserted(self) -> int: ...
    @property
    def replaced(self) -> int: ...
    @property
    def deleted(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...

@disjoint_base
class View:
    def search(
        self,
        query: npt.NDArray[Any] | Sequence[float],
        k: int = 10,
        *,
        where: str | None = None,
        params: Sequence[_Value] | None = None,
        fetch: _Fetch | None = None,
        ef_search: int | None = None,
        slack: float | None = None,
        diverse: float | None = None,
        by: str | None = None,
    ) -> list[Hit]: ...
    def search_many(
        self,
        queries: npt.NDArray[Any] | Sequence[Sequence[float]],
        k: int = 10,
        *,
        where: str | None = None,
        params: Sequence[_Value] | None = None,
        fetch: _Fetch | None = None,
        ef_search: int | None = None,
        slack: float | None = None,
        diverse: float | None = None,
        by: str | None = None,
        threads: int | None = None,
    ) -> list[list[Hit]]: ...
    def near(
        self,
        id: str,
        k: int = 10,
        *,
        where: str | None = None,
        params: Sequence[_Value] | None = None,
        fetch: _Fetch | None = None,
        ef_search: int | None = None,
        slack: float | None = None,
        diverse: float | None = None,
        by: str | None = None,
    ) -> list[Hit]: ...
    def recommend(
        self,
        like: Sequence[str],
        unlike: Sequence[str] = ...,
        k: int = 10,
        *,
        where: str | None = None,
        params: Sequence[_Value] | None = None,
        fetch: _Fetch | None = None,
        ef_search: int | None = None,
        slack: float | None = None,
        diverse: float | None = None,
        by: str | None = None,
    ) -> list[Hit]: ...
    def groups(
        self,
        query: npt.NDArray[Any] | Sequence[float],
        field: str,
        k: int = 10,
        per_group: int = 1,
        *,
        where: str | None = None,
        params: Sequence[_Value] | None = None,
        fetch: _Fetch | None = None,
        ef_search: int | None = None,
        slack: float | None = None,
        by: str | None = None,
    ) -> list[Group]: ...
    def scroll(
        self,
        *,
        where: str | None = None,
        params: Sequence[_Value] | None = None,
        after: str | None = None,
        limit: int | None = None,
        fetch: _Fetch | None = None,
        vectors: bool = False,
    ) -> Scroll: ...
    def get(self, id: str) -> Record | None: ...
    def snapshot(self) -> Snapshot: ...
    def backup(self, path: _Path) -> None: ...
    def verify(self) -> None: ...
    def stats(self) -> Stats: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def commits(self) -> int: ...
    def close(self) -> None: ...
    def __len__(self) -> int: ...
    def __contains__(self, id: object, /) -> bool: ...
    def __getitem__(self, id: str, /) -> Record: ...
    def __iter__(self) -> Iterator[str]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...

@final
class Snapshot(View): ...

@final
class Reader(View):
    @classmethod
    def open(cls, path: _Path, *, cache: int | None = None) -> Self: ...

@type_check_only
class _Options(TypedDict, total=False):
    durability: Literal["commit", "none"] | float
    maintenance: Literal["on-commit", "background", "manual"]
    wait: bool
    cache: int | None
    verify: bool
    seal_at: int | None
    threads: int | None
    memory_limit: int | None
    m: int | None
    ef_construction: int | None
    quantization: _Quantization | None

@final
class Collection(View):
    @classmethod
    def open(cls, path: _Path, **options: Unpack[_Options]) -> Self: ...
    @classmethod
    def create(cls, path: _Path, schema: Schema, **options: Unpack[_Options]) -> Self: ...
    @classmethod
    def open_or_create(cls, path: _Path, schema: Schema, **options: Unpack[_Options]) -> Self: ...
    def upsert(
        self,
        id: str,
        vector: npt.NDArray[Any] | Sequence[float],
        row: _Row | None = None,
        /,
        **fields: _Value | npt.NDArray[Any] | Sequence[float] | None,
    ) -> None: ...
    def upsert_many(
        self,
        ids: Sequence[str],
        vectors: _Vectors,
        rows: Sequence[_Row] | None = None,
        *,
        named: Mapping[str, _Vectors | None] | None = None,
    ) -> Committed: ...
    def delete(self, id: str) -> bool: ...
    def batch(self) -> Batch: ...
    def maintain(
        self, *, progress: Callable[[int, int, int], object] | None = None, memory_limit: int | None = None
    ) -> Report: ...
    def flush(self) -> None: ...
    def reembed(
        self, to: Collection, embed: Callable[[list[Record]], _Vectors]
    ) -> tuple[int, int, int]: ...
    def __setitem__(self, id: str, row: object, /) -> NoReturn: ...
    def __delitem__(self, id: str, /) -> None: ...

@final
class Batch:
    def upsert(
        self,
        id: str,
        vector: npt.NDArray[Any] | Sequence[float],
        row: _Row | None = None,
        /,
        **fields: _Value | npt.NDArray[Any] | Sequence[float] | None,
    ) -> None: ...
    def upsert_many(
        self,
        ids: Sequence[str],
        vectors: _Vectors,
        rows: Sequence[_Row] | None = None,
        *,
        named: Mapping[str, _Vectors | None] | None = None,
    ) -> None: ...
    def delete(self, id: str) -> None: ...
    def commit(self) -> Committed: ...
    @property
    def committed(self) -> Committed | None: ...
    def __len__(self) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
