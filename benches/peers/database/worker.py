"""One phase of one library: `python -m database.worker LIBRARY PHASE SPEC.json RESULT.json`.

README.md has the phases and the keys of the result.
"""

import json
import os
import pathlib
import sys
import time
from types import SimpleNamespace

import numpy as np

from . import rivals
from .data import FILTERS, K, Texts

SINGLE, BATCH, ROUNDS, WARM, ENOUGH = 300, 1000, 10, 100, 0.95


def puts(database, spec, result):
    start(database.create, spec, result)
    write_singly(database, spec, result)


def fill(database, spec, result):
    start(database.create, spec, result)
    write_singly(database, spec, result)
    batches = batched(np.arange(min(SINGLE, len(spec.rows)), len(spec.rows)))
    result["batched"] = write(database, database.insert, spec, batches)
    before = time.perf_counter()
    database.index()
    seconds = time.perf_counter() - before
    result["index"] = {"what": database.index_what, "seconds": seconds, "count": database.count()}


def open_(database, spec, result):
    before = time.perf_counter()
    start(database.open, spec, result)
    (query,) = database.prepare(spec.queries[:1], "all", spec.first_effort)
    answer = database.search(query)
    result["first_seconds"] = time.perf_counter() - before
    result["answer"] = database.numbers(answer)


def search(database, spec, result):
    start(database.open, spec, result)
    result["effort"], result["sweeps"] = database.effort, {}
    for which in FILTERS:
        truth = np.load(spec.truth[which])
        result["sweeps"][which] = sweep = []
        for effort in database.efforts:
            sweep.append(ask(database, database.prepare(spec.queries, which, effort)) | {"effort": effort})
            found = sum(len(set(true) & set(own)) for true, own in zip(truth.tolist(), sweep[-1]["answers"]))
            if found >= ENOUGH * truth.size:
                break


def ask(database, prepared):
    for query in prepared[:WARM]:
        database.search(query)
    nanoseconds, answers = [], []
    for query in prepared:
        before = time.perf_counter_ns()
        answer = database.search(query)
        nanoseconds.append(time.perf_counter_ns() - before)
        answers.append(database.numbers(answer))
    return percentiles(nanoseconds) | {"mean_us": float(np.mean(nanoseconds)) / 1e3, "answers": answers}


def replace(database, spec, result):
    start(database.open, spec, result)
    batches, ends = [], []
    for round in range(ROUNDS):
        batches += [(numbers, round) for (numbers, _) in batched(np.arange(round, len(spec.rows), ROUNDS))]
        ends.append(len(batches))
    result["replaced"] = write(database, database.replace, spec, batches, times := [])
    result["rounds"] = [sum(times[first:end]) for first, end in zip([0, *ends], ends)]


def tidy(database, spec, result):
    start(database.open, spec, result)
    before = time.perf_counter()
    database.tidy()
    result["tidy"] = {"what": database.tidy_what, "seconds": time.perf_counter() - before}


def start(opener, spec, result):
    result["start_bytes"] = status("VmRSS")
    before = time.perf_counter()
    opener(spec.folder, spec.dim)
    result["open_seconds"] = time.perf_counter() - before


def write_singly(database, spec, result):
    singles = [(np.array([i]), None) for i in range(min(SINGLE, len(spec.rows)))]
    result["single"] = write(database, database.insert, spec, singles)


def batched(numbers):
    return [(numbers[first : first + BATCH], None) for first in range(0, len(numbers), BATCH)]


def write(database, operation, spec, batches, times=None):
    """Commits each of `batches`, which are row numbers and the round of replacement."""
    times = [] if times is None else times
    for numbers, round in batches:
        records = [spec.texts.records[i] for i in numbers]
        if round is not None:
            records = [(pos, length, f"{words} ({round})", text) for pos, length, words, text in records]
        batch = database.batch(numbers.tolist(), spec.rows[numbers], records)
        before = time.perf_counter()
        operation(batch)
        times.append(time.perf_counter() - before)
    rows = sum(len(numbers) for numbers, _ in batches)
    figures = percentiles(np.array(times) * 1e9) if times else {}
    return {"rows": rows, "count": database.count(), "seconds": sum(times), **figures}


def percentiles(nanoseconds):
    return {f"p{share}_us": float(np.percentile(nanoseconds, share)) / 1e3 for share in (50, 99)}


def status(key):
    """Bytes of memory of this process, as Linux counts them."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status: expected {key}, found no such line")


PHASES = {"puts": puts, "fill": fill, "open": open_, "search": search, "replace": replace, "tidy": tidy}
READS_ROWS = ("puts", "fill", "replace")


def main():
    library, phase, spec, out = sys.argv[1:]
    spec = SimpleNamespace(**json.loads(pathlib.Path(spec).read_text()))
    spec.folder = pathlib.Path(spec.folder)
    spec.queries = np.load(spec.queries)
    spec.dim = spec.queries.shape[1]
    if phase in READS_ROWS:
        spec.rows, spec.texts = np.load(spec.rows), Texts(spec.texts)
    result = {}
    try:
        database = rivals.create(library)
        result |= {"version": database.version(), "durability": database.durability}
        PHASES[phase](database, spec, result)
        result["count"], result["notes"] = database.count(), database.notes()
        before = time.perf_counter()
        database.close()
        result |= {"close_seconds": time.perf_counter() - before, "peak_bytes": status("VmHWM")}
    except Exception as error:
        result["error"] = f"{type(error).__name__}: {error}"
    pathlib.Path(out).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
    # Some libraries crash when their threads are torn down, after all is done.
    sys.stdout.flush()
    os._exit(0)
