"""Threads: Python's lock is released, calls may overlap, and Ctrl-C ends what is long."""

import _thread
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import exact
import numpy as np
import pytest
from vex_index import Index, KeySet

BASE = exact.random(20000, 32, 1)
QUERIES = exact.random(2000, 32, 2)


@pytest.fixture(scope="module")
def built() -> Index:
    return Index.build(BASE, metric="l2")


def progress_meanwhile(call: Callable[[], object]) -> float:
    """The share of a call's time in which another thread runs Python."""
    longest, is_over = 0.0, threading.Event()

    def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not is_over.is_set():
            now = time.perf_counter()
            longest, last = max(longest, now - last), now
            time.sleep(0.0005)

    thread = threading.Thread(target=watch)
    thread.start()
    time.sleep(0.02)
    start = time.perf_counter()
    call()
    took = time.perf_counter() - start
    is_over.set()
    thread.join()
    assert took > 0.1, "too short to judge"
    return 1 - longest / took


def test_the_lock_is_released(built: Index) -> None:
    queries = np.tile(QUERIES, (5, 1))
    assert progress_meanwhile(lambda: built.search(queries, ef_search=300, threads=1)) > 0.5
    assert progress_meanwhile(lambda: built.search(queries, exact=True, threads=1)) > 0.5
    assert progress_meanwhile(lambda: Index.build(BASE, threads=1)) > 0.5
    assert progress_meanwhile(lambda: Index.build(BASE[:300]).add(BASE[300:3000])) > 0.5


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 65, 1000])
def test_threads_give_the_same(built: Index, count: int) -> None:
    queries = QUERIES[:count]
    expected = [built.search(query, k=5) for query in queries]
    for threads in (None, 1, 2, 3, 50):
        keys, distances = built.search(queries, k=5, threads=threads)
        np.testing.assert_array_equal(keys, [keys for keys, _ in expected])
        np.testing.assert_array_equal(distances, [distances for _, distances in expected])


def test_threads_search_at_once(built: Index) -> None:
    expected = built.search(QUERIES, k=5)[0]
    even = KeySet(range(0, 20000, 2))
    filtered = built.search(QUERIES, k=5, filter=even)[0]

    def search(part: int) -> bool:
        rows = range(part, 2000, 8)
        one = all((built.search(QUERIES[row], k=5)[0] == expected[row]).all() for row in rows)
        return one and bool((built.search(QUERIES, k=5, filter=even)[0] == filtered).all())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(search, range(8)))


def test_searches_and_changes_at_once() -> None:
    index = Index.build(BASE[:5000], metric="l2")
    is_over = threading.Event()

    def search() -> int:
        searched = 0
        while not is_over.is_set():
            keys, distances = index.search(QUERIES[:20], k=5)
            assert keys.max() < 6000 and np.isfinite(distances).all()
            assert len(index) >= 4999 and repr(index) and 7 in index
            searched += len(keys)
        return searched

    with ThreadPoolExecutor(3) as pool:
        searches = [pool.submit(search) for _ in range(3)]
        try:
            for row in range(5000, 5300):
                index.add(BASE[row], row)
                index.remove(row - 1 if row > 5000 else 0)
        finally:
            is_over.set()
        assert all(search.result() > 0 for search in searches)
    assert len(index) == 5000


def test_closing_waits_for_searches() -> None:
    index = Index.build(BASE[:5000], metric="l2")
    with ThreadPoolExecutor(2) as pool:
        found = pool.submit(index.search, np.tile(QUERIES, (3, 1)), threads=1)
        time.sleep(0.02)
        index.close()
        assert found.result()[0].shape == (6000, 10)


@pytest.mark.parametrize("work", ["build", "add", "search"])
def test_ctrl_c_ends_long_work(built: Index, work: str) -> None:
    base = exact.random(300_000, 32, 3)
    half = Index.build(BASE[:2000], metric="l2")
    calls: dict[str, Callable[[], object]] = {
        "build": lambda: Index.build(base),
        "add": lambda: half.add(base),
        "search": lambda: built.search(base, ef_search=1000),
    }
    timer = threading.Timer(0.5, _thread.interrupt_main)
    timer.start()
    start = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        calls[work]()
    assert time.perf_counter() - start < 10
    timer.join()
    # What was there can be used as before.
    assert built.search(QUERIES[0])[0].shape == (10,)
    assert len(half) >= 2000 and half.search(QUERIES[0])[0].shape == (10,)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timers")
def test_a_handler_of_a_signal_does_not_wait_for_the_call_that_it_interrupts() -> None:
    index = Index.build(BASE[:2000], metric="l2")
    errors: list[str] = []

    def handler(_signal: int, _frame: object) -> None:
        for call in (lambda: index.upsert(BASE[0], 7), lambda: len(index), index.close):
            with pytest.raises(ValueError) as error:
                call()
            errors.append(str(error.value))

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        index.add(exact.random(40_000, 32, 3))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert errors == ["the index is in use by the call that this one interrupts"] * 3
    assert len(index) == 42_000


def test_progress_is_reported() -> None:
    calls: list[tuple[int, int]] = []
    Index.build(BASE, progress=lambda linked, total: calls.append((linked, total)))
    assert calls[-1] == (20000, 20000) and calls == sorted(calls) and len(calls) < 1000


def test_an_exception_of_the_callback_ends_the_build() -> None:
    class Enough(Exception):
        pass

    def stop(linked: int, total: int) -> None:
        assert linked < total
        raise Enough

    with pytest.raises(Enough):
        Index.build(BASE, progress=stop)
    with pytest.raises(TypeError):
        Index.build(BASE, progress=lambda: None)  # type: ignore[misc,arg-type]


def search_in_child(index: Index, found: "multiprocessing.SimpleQueue[int]") -> None:
    found.put(int(index.search(QUERIES[:100], k=1, threads=4)[0].shape[0]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_searches(built: Index) -> None:
    built.search(QUERIES, threads=4)
    context = multiprocessing.get_context("fork")
    found: multiprocessing.SimpleQueue[int] = context.SimpleQueue()
    child = context.Process(target=search_in_child, args=(built, found))
    child.start()
    child.join(30)
    assert child.exitcode == 0 and found.get() == 100
