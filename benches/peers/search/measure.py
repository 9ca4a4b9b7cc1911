"""How fast a rival answers, and how well."""

import gc
import statistics
import time

import numpy as np

PASSES = 3  # At least, and at least for `seconds`: as `vex bench` does.


def measure(rival, queries, truth, ef, threads, seconds):
    """One thread: every query timed alone, then the whole batch. More threads: the batch alone."""
    if rival.reads_files:
        row = rival.measure(ef, threads)
        figures = {figure: row[figure] for figure in ("recall", "qps", "p50_us", "p99_us", "steady_p99_us", "mean_us")}
        if threads == 1:
            figures["qps"] = 1e6 / row["mean_us"]
            figures["p50_less_call_us"] = row["p50_us"]
        return figures

    prepared = rival.prepare(queries, truth.shape[1], ef, threads)
    found = [rival.ids(rival.search_one(query)) for query in prepared]
    hits = sum(len(np.intersect1d(ids, true)) for ids, true in zip(found, truth))
    figures = {"recall": hits / truth.size}

    def in_a_batch():
        rival.search_batch(prepared)

    in_a_batch()
    if threads > 1:
        (batch,) = passes([in_a_batch], len(prepared), seconds)
        return {**figures, "qps": 1e6 / statistics.mean(batch)}

    nanoseconds = []

    def one_by_one():
        for query in prepared:
            start = time.perf_counter_ns()
            rival.search_one(query)
            nanoseconds.append(time.perf_counter_ns() - start)

    _, batch = passes([one_by_one, in_a_batch], len(prepared), seconds)
    p50, p99 = (float(np.percentile(nanoseconds, share)) / 1e3 for share in (50, 99))
    mean_call, mean_batch = float(np.mean(nanoseconds)) / 1e3, statistics.mean(batch)
    mean = min(mean_call, mean_batch)
    of_a_query = np.median(np.reshape(nanoseconds, (-1, len(prepared))), axis=0) / 1e3
    # What a call from Python costs more than a query in a batch is not the library's. Medians over the passes, since
    # the machine's disturbances are far larger than it.
    call_cost = max(0.0, float(of_a_query.mean()) - statistics.median(batch))
    return {
        **figures,
        "qps": 1e6 / mean,
        "p50_us": p50,
        "p99_us": p99,
        "steady_p99_us": float(np.percentile(of_a_query, 99)),
        "mean_us": mean,
        "mean_call_us": mean_call,
        "mean_batch_us": mean_batch,
        "p50_less_call_us": p50 - call_cost,
    }


def passes(kinds, queries, seconds):
    """For each of `kinds` the microseconds per query of every pass. They take turns."""
    times = [[] for _ in kinds]
    gc.collect()
    gc.disable()
    end = time.perf_counter() + seconds * len(kinds)
    while len(times[0]) < PASSES or time.perf_counter() < end:
        for kind, taken in zip(kinds, times):
            start = time.perf_counter_ns()
            kind()
            taken.append((time.perf_counter_ns() - start) / queries / 1e3)
    gc.enable()
    return times
