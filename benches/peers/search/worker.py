"""One rival in a process of its own: `python -m search.worker describe|build|sweep|first SPEC.json RESULT.json`.

A library's threads, allocator and memory then disturb no other, and one that crashes takes nobody with it.
"""

import json
import os
import pathlib
import sys
import time
from types import SimpleNamespace

import numpy as np

from . import rivals
from .measure import measure

FIRST_EF = 64


def describe(rival):
    return {"version": rival.version(), "build": rival.shared_build()}


def build(rival):
    spec = rival.spec
    rows = None if rival.reads_files else spec.rows()
    start, before = time.perf_counter(), processor_seconds()
    rival.build(rows, spec.m, spec.ef_construction, spec.build_threads)
    built, after = time.perf_counter(), processor_seconds()
    rival.save(spec.folder)
    return {
        "build_seconds": built - start - rival.untimed,
        "processor_seconds": after - before - rival.untimed,
        "save_seconds": time.perf_counter() - built,
        "disk_bytes": sum(on_disk(path) for path in spec.folder.rglob("*") if path.is_file()),
        "when": time.strftime("%Y-%m-%d %H:%M"),
    }


def sweep(rival):
    """Both numbers of threads at every ef, until recall has passed the last target or rises no more."""
    spec = rival.spec
    queries, truth = np.load(spec.queries), np.load(spec.truth)
    before = resident()
    start = time.perf_counter()
    rival.load(spec.folder)
    load_seconds = time.perf_counter() - start
    both = {1, spec.search_threads} if rival.answers_batches else {1}
    rows, recalls = [], []
    for ef in spec.ef:
        for threads in sorted(both):
            figures = measure(rival, queries, truth, ef, threads, spec.seconds)
            rows.append({"threads": threads, "ef": ef, **figures})
        recalls.append(rows[-1]["recall"])
        level = len(recalls) > 2 and recalls[-1] - recalls[-3] < 0.001
        if recalls[-1] >= spec.enough or level:
            break
    return {
        "rows": rows,
        "load_seconds": load_seconds,
        "resident_bytes": rival.resident if rival.reads_files else resident() - before,
        "memory_bytes": rival.memory_bytes(),
    }


def first(rival):
    """Seconds from an index on disk, in the system's cache, to the first answer, in this new process."""
    spec = rival.spec
    query = np.load(spec.queries)[:1]
    start = time.perf_counter()
    (rival.map if spec.mapped else rival.load)(spec.folder)
    seconds = rival.first_answer(query, spec.k, FIRST_EF)
    return {"seconds": time.perf_counter() - start if seconds is None else seconds}


def processor_seconds():
    """What this process and its ended children have kept processors busy for: the sum over threads."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def on_disk(path):
    """Without the holes that a write-ahead log reserves."""
    status = path.stat()
    return min(status.st_size, status.st_blocks * 512)


def resident():
    try:
        return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def main():
    command, spec, result = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text()), pathlib.Path(sys.argv[3])
    spec = SimpleNamespace(**spec, rows=lambda: np.load(spec.base))
    spec.folder = pathlib.Path(spec.folder) if spec.folder else None
    try:
        answer = {"describe": describe, "build": build, "sweep": sweep, "first": first}[command](rivals.create(spec))
    except rivals.Unavailable as why:
        answer = {"error": str(why)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}" if str(error) else type(error).__name__}
    result.write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
    # Some libraries crash when their threads are torn down, after all is done.
    sys.stdout.flush()
    os._exit(0)
