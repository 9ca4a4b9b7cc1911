"""Builds, searches and changes of an index, against exact answers."""

from typing import Any

import exact
import numpy as np
import numpy.typing as npt
import pytest
from vex_index import NO_KEY, Index, KeySet

DIM = 32


@pytest.mark.parametrize("make", [exact.random, exact.clustered])
@pytest.mark.parametrize("metric", ["cosine", "squared-euclidean", "inner-product"])
@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.float64])
def test_floats_are_found(make: Any, metric: str, dtype: type[np.floating[Any]]) -> None:
    base, queries = make(3000, DIM, 1).astype(dtype), make(100, DIM, 2).astype(dtype)
    index = Index.build(base, metric=metric)
    keys, distances = index.search(queries, k=10, ef_search=200)
    assert keys.dtype == np.uint64 and distances.dtype == np.float32
    assert keys.shape == distances.shape == (100, 10)
    assert exact.recall(keys, exact.nearest(metric, base, queries, 10)) > 0.97
    expected = np.take_along_axis(exact.distances(metric, base, queries), keys.astype(np.int64), axis=1)
    np.testing.assert_allclose(distances, expected, rtol=5e-3, atol=5e-3)
    assert (np.diff(distances, axis=1) >= 0).all()


@pytest.mark.parametrize(("dtype", "low"), [(np.int8, -128), (np.uint8, 0)])
@pytest.mark.parametrize("metric", ["cosine", "squared-euclidean", "inner-product"])
def test_integers_are_found(dtype: type[np.integer[Any]], low: int, metric: str) -> None:
    rng = np.random.default_rng(3)
    base = rng.integers(low, low + 256, (2000, DIM)).astype(dtype)
    queries = rng.integers(low, low + 256, (50, DIM)).astype(dtype)
    index = Index.build(base, metric=metric)
    assert index.dtype == ("i8" if low else "u8")
    keys, distances = index.search(queries, k=5, exact=True)
    expected = np.sort(exact.distances(metric, base, queries), axis=1)[:, :5]
    np.testing.assert_allclose(distances, expected, rtol=1e-5, atol=1e-5)
    assert (index[7] == base[7]).all() and index[7].dtype == dtype


@pytest.mark.parametrize("metric", ["hamming", "jaccard"])
@pytest.mark.parametrize("dim", [1, 63, 64, 65, 100])
def test_bits_are_found(metric: str, dim: int) -> None:
    rng = np.random.default_rng(4)
    base, queries = rng.random((500, dim)) < 0.5, rng.random((20, dim)) < 0.5
    index = Index.build(base, metric=metric)
    assert (index.dtype, index.dim) == ("bits", dim)
    _, distances = index.search(queries, k=5, exact=True)
    expected = np.sort(exact.distances(metric, base, queries), axis=1)[:, :5]
    np.testing.assert_allclose(distances, expected, atol=1e-6)
    assert (index[3] == base[3]).all() and index[3].dtype == np.bool_
    assert (index.get([3, 499]) == base[[3, 499]]).all()
    # The same queries, packed into bytes.
    packed = np.packbits(queries, axis=1)
    np.testing.assert_array_equal(index.search(packed, k=5, exact=True)[1], distances)


def test_packed_words_are_bits() -> None:
    bits = np.random.default_rng(23).random((300, 72)) < 0.5
    packed = Index.build(np.packbits(bits, axis=1), dtype="bits", metric="hamming")
    assert packed.dim == 72 and (packed.get(range(300)) == bits).all()
    words = np.array([[0b1011, 0], [2**64 - 1, 0]], dtype=np.uint64)
    index = Index(100, metric="hamming", dtype="bits")
    index.add(words, [7, 8])
    keys, distances = index.search(np.array([0b0011, 0], dtype=np.uint64), k=1)
    assert (keys.tolist(), distances.tolist()) == ([7], [1.0])
    with pytest.raises(ValueError, match="expected zeros beyond 100 bits, found bit 128 set"):
        index.search(np.array([0, 2**63], dtype=np.uint64))


def test_one_query_gives_one_dimension() -> None:
    base = exact.random(500, DIM, 5)
    index = Index.build(base)
    keys, distances = index.search(base[42], k=3)
    assert keys.shape == distances.shape == (3,)
    assert keys[0] == 42 and distances[0] == pytest.approx(0, abs=1e-6)
    many = index.search(base[40:45], k=3)
    np.testing.assert_array_equal(many[0][2], keys)
    np.testing.assert_array_equal(many[1][2], distances)


def test_fewer_results_are_no_error() -> None:
    base = exact.random(20, DIM, 6)
    index = Index.build(base)
    keys, distances = index.search(base[0], k=50)
    assert keys.shape == distances.shape == (20,)
    assert index.search(base, k=50)[0].shape == (20, 20)
    keys, distances = index.search(base, k=10, filter=[3, 5])
    assert keys.shape == (20, 10)
    assert {*keys[0, :2].tolist()} == {3, 5}
    assert (keys[:, 2:] == NO_KEY).all() and np.isinf(distances[:, 2:]).all()
    assert (np.isfinite(distances).sum(axis=1) == 2).all()
    assert index.search(base[0], k=10, filter=[])[0].shape == (0,)
    assert index.search(base, k=0)[0].shape == (20, 0)
    assert index.search(base[:0], k=5)[0].shape == (0, 5)
    empty = Index(DIM)
    assert empty.search(base[0])[0].shape == (0,) and empty.search(base)[0].shape == (20, 0)


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 1.0])
def test_filters(share: float) -> None:
    rng = np.random.default_rng(7)
    base, queries = exact.clustered(4000, DIM, 8), exact.clustered(50, DIM, 9)
    keys = rng.permutation(10**6)[:4000]
    index = Index.build(base, keys, metric="squared-euclidean")
    wanted = rng.permutation(4000)[: max(4, int(4000 * share))]
    allowed = keys[wanted]
    found, _ = index.search(queries, k=4, ef_search=200, filter=allowed)
    truth = allowed[exact.nearest("squared-euclidean", base[wanted], queries, 4)]
    assert np.isin(found, allowed).all()
    assert exact.recall(found, truth) > 0.95
    for same in (allowed.tolist(), allowed.astype(np.uint64), KeySet(allowed), [allowed] * 50):
        np.testing.assert_array_equal(index.search(queries, k=4, ef_search=200, filter=same)[0], found)


def test_each_query_has_its_filter() -> None:
    base = exact.random(300, DIM, 10)
    index = Index.build(base)
    filters = [np.array([1, 2]), None, KeySet([5]), [7, 8, 9], ~KeySet([0])]
    keys, distances = index.search(base[[0] * 5], k=3, filter=filters)
    assert {*keys[0, :2].tolist()} == {1, 2} and keys[0, 2] == NO_KEY
    assert keys[1, 0] == 0 and keys[2].tolist() == [5, NO_KEY, NO_KEY]
    assert {*keys[3].tolist()} == {7, 8, 9} and keys[4, 0] != 0
    with pytest.raises(ValueError, match="filter: expected one for each of 2 queries, found 5"):
        index.search(base[:2], filter=filters)
    with pytest.raises(TypeError, match=r"filter: expected keys as integers, found bool: .*flatnonzero"):
        index.search(base[0], filter=np.ones(300, dtype=bool))
    with pytest.raises(ValueError, match="filter, row 1: expected a key from 0 to 18446744073709551615, found -5"):
        index.search(base[0], filter=[1, -5])
    exactly, _ = index.search(base[0], k=4, filter=range(7, 99), exact=True)
    truth = 7 + exact.nearest("cosine", base[7:99], base[:1], 4)[0]
    assert exactly.tolist() == truth.tolist()
    each, _ = index.search(base[:5], k=3, filter=filters, exact=True)
    assert each[2].tolist() == [5, NO_KEY, NO_KEY] and {*each[3].tolist()} == {7, 8, 9}


def test_key_sets_combine() -> None:
    even, three = KeySet(range(0, 30, 2)), KeySet(np.arange(0, 30, 3))
    assert [key for key in range(31) if key in (even & three)] == [0, 6, 12, 18, 24]
    assert 3 in (even | three) and 1 not in (even | three)
    assert 2 in (even - three) and 6 not in (even - three)
    assert 1 in ~even and 2 not in ~even and 2**64 - 1 in ~even
    assert KeySet() == even - even and "a" not in even and -1 not in even
    assert len(even) == 15 and len(KeySet()) == 0 and not KeySet() and ~KeySet()
    assert repr(even) == "<vex_index.KeySet of 15 keys>"
    with pytest.raises(OverflowError, match="18446744073709551601 keys"):
        len(~even)


def test_radius() -> None:
    index = Index.build(np.arange(100, dtype=np.float32)[:, None], metric="l2")
    keys, distances = index.search_radius([20.0], 4.0)
    assert sorted(keys.tolist()) == [18, 19, 20, 21, 22] and distances.max() == 4.0
    keys, distances = index.search_radius(np.array([[20.0], [0.0]], dtype=np.float32), 4.0, k=10)
    assert np.isfinite(distances).sum(axis=1).tolist() == [5, 3]
    assert index.search_radius([500.0], 4.0)[0].shape == (0,)


def test_parameters_of_a_search() -> None:
    base, queries = exact.random(3000, DIM, 11), exact.random(100, DIM, 12)
    index = Index.build(base, metric="l2")
    truth = exact.nearest("squared-euclidean", base, queries, 10)
    few, many = (exact.recall(index.search(queries, ef_search=ef)[0], truth) for ef in (10, 500))
    assert few < many and many > 0.99
    assert exact.recall(index.search(queries, ef_search=500, slack=0.0)[0], truth) < many
    assert exact.recall(index.search(queries, ef_search=500, max_distances=50)[0], truth) < many
    assert exact.recall(index.search(queries, exact=True)[0], truth) == 1.0
    assert index.quantization is not None
    estimates = index.search(queries, ef_search=500, rerank=0.0)[1]
    assert not np.array_equal(estimates, index.search(queries, ef_search=500)[1])


def test_it_is_a_mapping() -> None:
    base = exact.random(50, DIM, 13)
    index = Index.build(base, range(100, 150), metric="l2")
    assert len(index) == 50 and 100 in index and 99 not in index and "x" not in index and -1 not in index
    assert sorted(index) == sorted(index.keys().tolist()) == list(range(100, 150))
    assert (index[107] == base[7]).all()
    assert (index.get(np.array([149, 100, 149])) == base[[49, 0, 49]]).all()
    with pytest.raises(KeyError, match="no key 7 in the index"):
        index[7]
    with pytest.raises(KeyError, match="no key 8 in the index"):
        index.get([100, 8])
    index[7] = base[0] + 1
    assert (index[7] == base[0] + 1).all() and len(index) == 51
    index[7] = base[1]
    assert (index[7] == base[1]).all() and len(index) == 51
    del index[7]
    assert 7 not in index
    with pytest.raises(KeyError, match="no key 7 in the index"):
        del index[7]
    assert repr(index).startswith('Index(dim=32, metric="squared-euclidean", dtype="f32"')


def test_vectors_are_added_and_removed() -> None:
    base = exact.random(3000, DIM, 14)
    index = Index(DIM, metric="l2")
    # The first are built at once, and get codes. The others come one by one.
    assert index.add(base[:2000]).tolist() == list(range(2000))
    assert index.quantization is not None
    assert index.add(base[2000:2500]).tolist() == list(range(2000, 2500))
    assert index.add(base[2500], 9000).tolist() == [9000]
    assert index.add(base[2501]).tolist() == [9001]
    assert index.remove(np.arange(0, 3000, 2)) == 1250 and len(index) == 1252
    assert index.remove(0) == 0
    assert index.upsert(base[[0, 1]], [0, 1]) == 1
    keys, _ = index.search(base[[0, 1, 2500]], k=1)
    assert keys[:, 0].tolist() == [0, 1, 9000]
    index.compact()
    assert len(index) == 1253 and index.search(base[1], k=1)[0][0] == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_first_add_is_a_bulk_build(threads: int) -> None:
    base = exact.random(1500, DIM, 15)
    index = Index(DIM, m=8)
    index.add(base, np.arange(1500), threads=threads)
    built = Index.build(base, m=8, threads=1)
    queries = exact.random(20, DIM, 16)
    np.testing.assert_array_equal(index.search(queries)[0], built.search(queries)[0])
    np.testing.assert_array_equal(index.keys(), built.keys())


def test_a_refused_row_adds_nothing() -> None:
    base = exact.random(10, DIM, 17)
    index = Index.build(base, metric="l2")
    bad = exact.random(5, DIM, 18)
    bad[3, 4] = np.nan
    with pytest.raises(ValueError, match="vector 3: expected finite elements, found NaN or infinity at position 4"):
        index.add(bad)
    with pytest.raises(ValueError, match="vector 3: expected finite"):
        index.upsert(bad, range(5))
    with pytest.raises(ValueError, match="vector 2: key 9 is in the index already"):
        index.add(base[:3], [20, 21, 9])
    with pytest.raises(ValueError, match="vector 1: key 20 is in the index already"):
        index.add(base[:2], [20, 20])
    assert len(index) == 10 and (index[0] == base[0]).all()
    with pytest.raises(ValueError, match="row 2: expected every key once, found key 5 of row 0 again"):
        Index.build(base[:3], [5, 6, 5])
    with pytest.raises(ValueError, match="vector 3: expected finite"):
        Index.build(bad)


def test_the_greatest_key_is_taken() -> None:
    index = Index(2, metric="l2")
    index.add([1.0, 2.0], 2**64 - 1)
    assert (2**64 - 1) in index and index.search([1.0, 2.0])[0][0] == 2**64 - 1
    with pytest.raises(ValueError, match=f"keys: expected some, since the key {2**64 - 1} is taken"):
        index.add([3.0, 4.0])
    index.add([3.0, 4.0], 0)
    index.remove(2**64 - 1)
    assert index.add([5.0, 6.0]).tolist() == [1]


def test_one_dimension_and_one_row() -> None:
    index = Index.build(np.array([[3.0]], dtype=np.float32), [5], metric="l2")
    keys, distances = index.search([1.0])
    assert (keys.tolist(), distances.tolist()) == ([5], [4.0])
    assert len(Index.build(np.empty((0, 4), dtype=np.float32))) == 0


def test_codes_are_changed() -> None:
    base = exact.random(2000, DIM, 19)
    index = Index.build(base, quantization=None)
    assert index.quantization is None
    index.requantize("sq8")
    assert index.quantization == "sq8"
    check = index.check_codes(100)
    assert check["sampled"] == 100 and check["agreement"] > 0.9
    index.requantize(None)
    assert index.quantization is None
    with pytest.raises(ValueError, match="expected sq8"):
        index.requantize("sq3")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"m": 3}, "m: expected 4 to 512, found 3"),
        ({"ef_construction": 0}, "ef_construction: expected 1 to 4294967295, found 0"),
        ({"metric": "hamming"}, "vectors of f32 have no hamming distance"),
        ({"metric": "manhattan"}, "expected squared-euclidean, inner-product, cosine, hamming or jaccard"),
        ({"quantization": "pq"}, "expected auto, auto-coded, none, sq8, sq4 or sq2x2"),
        ({"threads": 0}, "expected at least 1 thread, found 0"),
    ],
)
def test_parameters_that_do_not_fit(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Index.build(exact.random(10, 4, 20), **arguments)


def test_unknown_keywords_are_refused() -> None:
    with pytest.raises(TypeError, match="expected dtype, .*, seed, found the keyword threads"):
        Index(4, threads=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="expected dtype, .*, progress, threads, found the keyword M"):
        Index.build(exact.random(3, 4, 1), M=16)  # type: ignore[call-arg]


def test_dimensions_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="dimension: expected 1 to 65536, found 0"):
        Index(0)
    with pytest.raises(ValueError, match="dimension: expected 1 to 65536, found 65537"):
        Index(65537)
    with pytest.raises(ValueError, match="dimension: expected 1 to 65536, found 0"):
        Index.build(np.empty((3, 0), dtype=np.float32))


def test_memory_is_limited() -> None:
    with pytest.raises(MemoryError, match="expected to need at most 1000 bytes of memory"):
        Index.build(exact.random(1000, DIM, 21), memory_limit=1000)


def test_names_of_other_libraries() -> None:
    assert Index(4, metric="l2").metric == Index(4, metric="l2sq").metric == "squared-euclidean"
    assert Index(4, metric="ip").metric == Index(4, metric="dot").metric == "inner-product"
    assert Index(4, metric="cos").metric == "cosine"
    names: list[tuple[Any, str]] = [
        (np.float32, "f32"),
        ("float16", "f16"),
        (np.dtype("int8"), "i8"),
        ("u8", "u8"),
    ]
    for dtype, name in names:
        assert Index(4, dtype=dtype).dtype == name
    with pytest.raises(ValueError, match="expected f32, f16, i8, u8 or bits"):
        Index(4, dtype="f64")


def test_closed_indexes_say_so() -> None:
    base = exact.random(10, DIM, 22)
    with Index.build(base) as index:
        assert len(index) == 10
    for call in (lambda: len(index), lambda: index.search(base[0]), lambda: index.keys(), lambda: index[0]):
        with pytest.raises(ValueError, match="the index is closed"):
            call()
    assert repr(index) == "Index(closed)"
    index.close()


def test_zero_vectors_have_no_direction() -> None:
    base: npt.NDArray[np.float32] = np.zeros((3, 4), dtype=np.float32)
    with pytest.raises(ValueError, match="vector 0: expected a vector with a direction for the cosine metric"):
        Index.build(base)
    index = Index.build(base, metric="l2")
    assert index.search(base[0], k=3)[1].tolist() == [0, 0, 0]


def test_bits_have_a_metric_without_being_told() -> None:
    bits = np.random.default_rng(24).random((100, 16)) < 0.5
    assert Index.build(bits).metric == "hamming"
    assert Index(16, dtype="bits").metric == "hamming"
    assert Index(16).metric == "cosine"


def test_a_radius_is_a_number() -> None:
    index = Index.build(exact.random(50, DIM, 5))
    with pytest.raises(ValueError, match="radius: expected a distance, found nan"):
        index.search_radius(exact.random(1, DIM, 6)[0], float("nan"))


def test_numbers_of_a_list_are_not_cut() -> None:
    index = Index(2, dtype="i8", metric="l2")
    for row in ([1.5, 2.0], [True, False]):
        with pytest.raises(TypeError, match="expected int8 for an index of i8, found"):
            index.add([row])
    with pytest.raises(TypeError, match="found object: `stack` of numpy makes one array of many"):
        Index(2).add(np.array([np.zeros(2), None], dtype=object))
    assert len(index) == 0
