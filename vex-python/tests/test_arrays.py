"""Arrays of every layout and type: read, converted, or refused with a message that helps."""

from typing import Any

import exact
import numpy as np
import pytest
from vex_index import Index

BASE = exact.random(300, 8, 1)


@pytest.fixture(scope="module")
def index() -> Index:
    return Index.build(BASE, metric="l2")


@pytest.mark.parametrize(
    "queries",
    [
        BASE[:10].astype(np.float64),
        BASE[:10].astype(">f4"),
        BASE[:10].astype(np.longdouble),
        np.asfortranarray(BASE[:10]),
        np.repeat(BASE[:10], 2, axis=0)[::2],
        np.repeat(BASE[:10], 2, axis=1)[:, ::2],
        BASE[:10].copy()[::-1][::-1],
        BASE[:10].tolist(),
        tuple(map(tuple, BASE[:10].tolist())),
        BASE[:10].view(np.ndarray),
        np.frombuffer(b"x" + BASE[:10].tobytes(), dtype=np.uint8)[1:].view(np.float32).reshape(10, 8),
    ],
    ids=["f64", "big-endian", "longdouble", "fortran", "rows", "columns", "reversed", "list", "tuple", "view", "misaligned"],
)
def test_layouts_and_types_give_the_same(index: Index, queries: Any) -> None:
    expected = index.search(BASE[:10], k=5)
    found = index.search(queries, k=5)
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-6, atol=1e-6)
    built = Index.build(np.asarray(queries), metric="l2")
    assert built.dtype == "f32"
    np.testing.assert_array_equal(built[9], BASE[9])


def test_half_floats(index: Index) -> None:
    half = BASE.astype(np.float16)
    assert exact.recall(index.search(half[:50], k=1)[0], np.arange(50)[:, None]) > 0.9
    built = Index.build(half, metric="l2")
    assert built.dtype == "f16" and (built[5] == half[5]).all()
    # Queries of f32 are not rounded.
    _, distances = built.search(BASE[5], k=1)
    assert distances[0] == pytest.approx(((BASE[5] - half[5].astype(np.float32)) ** 2).sum(), rel=1e-3)
    from_single = Index.build(BASE, dtype="f16", metric="l2")
    assert (from_single[5] == half[5]).all()
    with pytest.raises(ValueError, match="vector 0: expected elements of at most 65504 for f16"):
        Index.build(np.full((1, 2), 1e5, dtype=np.float32), dtype="f16", metric="l2")


@pytest.mark.parametrize(
    ("queries", "error", "message"),
    [
        (np.zeros(7, dtype=np.float32), ValueError, "queries: expected 8 dimensions, found 7 columns"),
        (np.zeros((2, 9), dtype=np.float32), ValueError, "queries: expected 8 dimensions, found 9 columns"),
        (np.zeros((2, 9)), ValueError, "queries: expected 8 dimensions, found 9 columns"),
        (np.zeros((1, 2, 8), dtype=np.float32), ValueError, r"one or two dimensions, found the shape \[1, 2, 8\]"),
        (np.float32(3), ValueError, r"one or two dimensions, found the shape \[\]"),
        (np.zeros(8, dtype=np.int64), TypeError, "queries: expected float32, float64 or float16 for an index of f32, found int64"),
        (np.zeros(8, dtype=np.complex64), TypeError, "found complex64"),
        (np.array(["a"] * 8), TypeError, "found <U1"),
        (np.array([None] * 8), TypeError, "found object"),
        ("words", TypeError, "queries: expected float32"),
        (None, TypeError, "found object"),
        ([[1.0] * 8, [1.0] * 7], ValueError, "inhomogeneous"),
        ([], ValueError, "queries: expected 8 dimensions, found 0 columns"),
    ],
)
def test_arrays_that_do_not_fit(index: Index, queries: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        index.search(queries)


def test_the_row_is_named(index: Index) -> None:
    queries = BASE[:200].copy()
    queries[150, 3] = np.inf
    queries[170, 3] = np.nan
    for threads in (1, 2, 4):
        with pytest.raises(ValueError, match="query 150: query: expected finite elements, found NaN or infinity at position 3"):
            index.search(queries, threads=threads)
    with pytest.raises(ValueError, match="query: expected finite elements"):
        index.search(queries[150])


def test_floats_beyond_f32_are_named() -> None:
    huge = np.ones((3, 2))
    huge[1, 1] = 1e300
    with pytest.warns(RuntimeWarning, match="overflow"), pytest.raises(ValueError, match="vector 1: expected finite"):
        Index.build(huge)


def test_integers_need_their_type() -> None:
    index = Index(4, dtype="i8", metric="l2")
    index.add([[1, 2, 3, -4]])
    assert index[0].tolist() == [1, 2, 3, -4]
    with pytest.raises(TypeError, match="queries: expected int8 for an index of i8, found int64: `astype` converts"):
        index.search(np.array([1, 2, 3, 4]))
    with pytest.raises(TypeError, match="vectors: expected float32, float64, float16, int8, uint8 or bool, found int32"):
        Index.build(np.ones((2, 2), dtype=np.int32))
    with pytest.raises(OverflowError):
        index.search([1, 2, 3, 400])


def test_builds_need_two_dimensions() -> None:
    for shape in [(8,), (1, 2, 8), ()]:
        with pytest.raises(ValueError, match=r"vectors: expected rows and columns, found the shape \["):
            Index.build(np.ones(shape, dtype=np.float32))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, ">i4"])
def test_keys_of_every_integer_type(dtype: Any) -> None:
    index = Index.build(BASE[:5], np.array([5, 4, 3, 2, 1], dtype=dtype))
    assert sorted(index) == [1, 2, 3, 4, 5] and (index.get(np.array([5], dtype=dtype)) == index[5]).all()


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        (np.arange(4), ValueError, "keys: expected one for each of 5 vectors, found 4"),
        ([1.0, 2.0, 3.0, 4.0, 5.0], TypeError, "keys: expected keys as integers, found float64"),
        (["a", "b", "c", "d", "e"], TypeError, "keys: expected keys as integers, found <U1"),
        ([0, 1, 2, 3, -1], ValueError, "keys, row 4: expected a key from 0 to 18446744073709551615, found -1"),
        (np.zeros((5, 1), dtype=np.int64), ValueError, r"keys: expected one dimension, found the shape \[5, 1\]"),
        (-3, ValueError, "keys: expected a key from 0 to 18446744073709551615, found -3"),
        (2**64, ValueError, "keys: expected a key from 0 to 18446744073709551615, found 18446744073709551616"),
    ],
)
def test_keys_that_do_not_fit(keys: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Index.build(BASE[:5], keys)


def test_the_array_is_not_kept(index: Index) -> None:
    mine = BASE[:20].copy()
    built = Index.build(mine, metric="l2")
    mine[:] = 0
    assert (built[3] == BASE[3]).all()
    vector = built[3]
    vector[:] = 0
    assert (built[3] == BASE[3]).all()


def test_read_only_and_mapped_arrays(tmp_path: Any) -> None:
    frozen = BASE.copy()
    frozen.flags.writeable = False
    np.save(tmp_path / "base.npy", BASE)
    mapped = np.load(tmp_path / "base.npy", mmap_mode="r")
    for array in (frozen, mapped):
        assert Index.build(array, metric="l2").search(array[7], k=1)[0][0] == 7


def test_numbers_that_do_not_fit(index: Index) -> None:
    wrong: list[dict[str, Any]] = [{"k": -1}, {"ef_search": -1}, {"threads": -1}]
    for bad in wrong:
        with pytest.raises(OverflowError):
            index.search(BASE[0], **bad)
    with pytest.raises(ValueError, match="expected at least 1 thread, found 0"):
        index.search(BASE[:2], threads=0)
    # More than there are, and more than memory has.
    assert index.search(BASE[:2], k=10**12)[0].shape == (2, 300)
    assert index.search(BASE[0], k=2**63)[0].shape == (300,)
    assert index.search(BASE[:2], ef_search=10**12)[0].shape == (2, 10)
