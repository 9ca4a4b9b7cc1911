"""What a search costs from Python, and next to other libraries.

    pip install . hnswlib usearch faiss-cpu
    python benches/overhead.py [--rows 50000] [--rivals hnswlib,usearch,faiss] [--out results.json]

Three measurements, on vectors of 768 dimensions that are about as hard to search as text embeddings:

- Overhead. The same queries one by one, and as one batch on one thread, in which the library does not
  return to Python. The difference of a query is the call. Passes of both are interleaved.
- Threads. As many searches on one thread of Python, and on two.
- Rivals. Each has the same m, ef_construction and metric. ef ascends until recall has passed 0.99. Figures at
  equal recall are interpolated between two ef: the logarithm of the time, linearly over recall.

Queries are timed 5 at a time. All libraries and both ways to call them are interleaved, part by part. Each part
counts by its fastest round, so other work on the machine disturbs little.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from vex_index import Index

DIM, K, M, EF_CONSTRUCTION = 768, 10, 16, 200
EFS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
RECALLS = [0.9, 0.95, 0.99]
Floats = npt.NDArray[np.float32]
Batch = Callable[[Floats, int], npt.NDArray[Any]]
Work = Callable[[Floats], object]
# Queries that are timed together: few, so that most parts are not interrupted by other work of the machine.
PART = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rivals", default="hnswlib,usearch,faiss", help="some of these three, or an empty text")
    parser.add_argument("--out", type=Path, help="all figures, as JSON")
    args = parser.parse_args()
    if min(args.rows, args.queries, args.rounds) < 1:
        sys.exit("--rows, --queries and --rounds must be at least 1")

    print(f"machine   {machine()}, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}")
    print(f"set       {args.rows:,} vectors of {DIM} dimensions, cosine, {args.queries:,} queries, k = {K}")
    print(f"graphs    m = {M}, ef_construction = {EF_CONSTRUCTION}; the fastest of {args.rounds} rounds\n")
    base, queries = vectors(args.rows, args.queries)
    index = Index.build(base, metric="cosine", m=M, ef_construction=EF_CONSTRUCTION)
    print(index)
    truth = index.search(queries, k=K, exact=True)[0]
    results: dict[str, Any] = {
        "machine": machine(),
        "rows": args.rows,
        "queries": args.queries,
        "overhead": overhead(index, queries, truth, args.rounds),
        "threads": two_threads(index, queries, args.rounds),
    }
    names = [name for name in args.rivals.split(",") if name]
    if names:
        results["rivals"] = rivals(names, index, base, queries, truth, args.rounds)
    if args.out:
        args.out.write_text(json.dumps(results, indent=1))


def overhead(index: Index, queries: Floats, truth: npt.NDArray[Any], rounds: int) -> list[dict[str, float]]:
    """Microseconds of a query alone and in a batch."""
    print(f"\n{'overhead':<12}{'recall':>8}{'one by one':>12}{'in a batch':>12}{'difference':>12}   (us a query)")
    rows = []
    for ef in (32, 64, 128, 256):
        found = index.search(queries, k=K, ef_search=ef)[0]
        alone, batch = steady(
            [
                lambda part: [index.search(query, k=K, ef_search=ef) for query in part],
                lambda part: index.search(part, k=K, ef_search=ef, threads=1),
            ],
            queries,
            2 * rounds,
        )
        rows.append({"ef": ef, "recall": recall(found, truth), "alone": alone, "batch": batch})
        print(f"ef {ef:<9}{rows[-1]['recall']:>8.4f}{alone:>12.1f}{batch:>12.1f}{alone - batch:>12.2f}")
    return rows


def two_threads(index: Index, queries: Floats, rounds: int) -> dict[str, float]:
    """How many times the searches of one thread two threads do, each searching one by one."""

    def search() -> None:
        for query in queries:
            index.search(query, k=K, ef_search=128)

    def on(count: int) -> None:
        threads = [threading.Thread(target=search) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    ratios, ones = [], []
    for _ in range(max(rounds, 5)):
        one, two = clock(lambda: on(1), len(queries)), clock(lambda: on(2), 2 * len(queries))
        ones.append(1e6 / one)
        ratios.append(one / two)
    result = {"one": statistics.median(ones), "ratio": statistics.median(ratios)}
    print(f"\nthreads     one {result['one']:,.0f} searches a second, two {result['ratio']:.2f} times as many")
    return result


def rivals(
    names: list[str], index: Index, base: Floats, queries: Floats, truth: npt.NDArray[Any], rounds: int
) -> dict[str, Any]:
    """Microseconds of a query at equal recall, one by one and in a batch, on one thread."""
    libraries: dict[str, Batch] = {"vex": lambda rows, ef: index.search(rows, k=K, ef_search=ef, threads=1)[0]}
    for name in names:
        start = time.perf_counter()
        try:
            libraries[name] = RIVALS[name](base)
        except ImportError as error:
            print(f"{name}: not measured, {error}")
            continue
        print(f"{name}: built in {time.perf_counter() - start:.0f} s")
    curves: dict[str, list[tuple[float, float, float]]] = {name: [] for name in libraries}
    for ef in EFS:
        left = [name for name in libraries if not curves[name] or curves[name][-1][0] < RECALLS[-1]]
        works = [way(libraries[name], ef) for name in left for way in (one_by_one, as_batch)]
        times = steady(works, queries, rounds)
        for at, name in enumerate(left):
            found = libraries[name](queries, ef)
            curves[name].append((recall(found, truth), times[2 * at], times[2 * at + 1]))
    print("\nus a query, one thread" + "".join(f"{f'recall {level}':>22}" for level in RECALLS))
    print(" " * 22 + f"{'one by one':>12}{'batch':>10}" * len(RECALLS))
    results: dict[str, Any] = {}
    for name, points in curves.items():
        both = [[at_recall(points, level, part) for part in (1, 2)] for level in RECALLS]
        results[name] = {"points": points, "at_recall": dict(zip(map(str, RECALLS), both, strict=True))}
        cells = "".join(f"{'-' if value is None else f'{value:.1f}':>{width}}" for pair in both for value, width in zip(pair, (12, 10), strict=True))
        print(f"{name + ' ' + version(name):<22}{cells}")
    return results


def one_by_one(search: Batch, ef: int) -> Work:
    return lambda part: [search(part[row : row + 1], ef) for row in range(len(part))]


def as_batch(search: Batch, ef: int) -> Work:
    return lambda part: search(part, ef)


def at_recall(points: list[tuple[float, float, float]], level: float, part: int) -> float | None:
    """The time at a recall, between the last ef below and the first that reaches the recall."""
    before = None
    for point in points:
        now = (point[0], float(np.log(point[part])))
        if now[0] >= level:
            if before is None or now[0] == before[0]:
                return float(np.exp(now[1]))
            share = (level - before[0]) / (now[0] - before[0])
            return float(np.exp(before[1] + share * (now[1] - before[1])))
        before = now
    return None


def hnswlib(base: Floats) -> Batch:
    library = importlib.import_module("hnswlib")
    index = library.Index(space="cosine", dim=DIM)
    index.init_index(max_elements=len(base), M=M, ef_construction=EF_CONSTRUCTION)
    index.add_items(base)

    def search(rows: Floats, ef: int) -> npt.NDArray[Any]:
        index.set_ef(ef)
        found: npt.NDArray[Any] = index.knn_query(rows, k=K, num_threads=1)[0]
        return found

    return search


def usearch(base: Floats) -> Batch:
    library = importlib.import_module("usearch.index")
    # Its degree is that of the upper levels as well.
    index = library.Index(ndim=DIM, metric="cos", dtype="f32", connectivity=M, expansion_add=EF_CONSTRUCTION)
    index.add(np.arange(len(base)), base)

    def search(rows: Floats, ef: int) -> npt.NDArray[Any]:
        index.expansion_search = ef
        found: npt.NDArray[Any] = index.search(rows, K, threads=1).keys
        return np.atleast_2d(found)

    return search


def faiss(base: Floats) -> Batch:
    library = importlib.import_module("faiss")
    index = library.IndexHNSWFlat(DIM, M, library.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = EF_CONSTRUCTION
    index.add(base)
    library.omp_set_num_threads(1)

    def search(rows: Floats, ef: int) -> npt.NDArray[Any]:
        index.hnsw.efSearch = ef
        found: npt.NDArray[Any] = index.search(rows, K)[1]
        return found

    return search


RIVALS: dict[str, Callable[[Floats], Batch]] = {"hnswlib": hnswlib, "usearch": usearch, "faiss": faiss}


def version(name: str) -> str:
    return importlib.metadata.version({"vex": "vex-index", "faiss": "faiss-cpu"}.get(name, name))


def steady(works: list[Work], queries: Floats, rounds: int) -> list[float]:
    """Microseconds of a query for each work: the sum over parts of the queries of the fastest round."""
    parts = np.array_split(queries, -(-len(queries) // PART))
    best = np.full((len(works), len(parts)), np.inf)
    for turn in range(rounds):
        for at, part in enumerate(parts):
            for work in np.roll(np.arange(len(works)), turn):
                best[work, at] = min(best[work, at], clock(lambda: works[work](part), 1))
    return [float(total) / len(queries) for total in best.sum(axis=1)]


def clock(work: Callable[[], object], queries: int) -> float:
    """Microseconds of a query."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / queries * 1e6


def recall(found: npt.NDArray[Any], truth: npt.NDArray[Any]) -> float:
    return float(np.mean([np.isin(row, of).mean() for row, of in zip(found, truth, strict=True)]))


def vectors(rows: int, queries: int) -> tuple[Floats, Floats]:
    """The synthetic set of the other benchmarks, of unit length."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benches" / "peers"))
    synthetic = importlib.import_module("make_synthetic")
    model_seed, base_seed, query_seed = np.random.SeedSequence(0).spawn(3)
    model = synthetic.Model(model_seed)

    def draw(count: int, seed: np.random.SeedSequence) -> Floats:
        rng = np.random.default_rng(seed)
        blocks = [model.block(rng) for _ in range(-(-count // synthetic.BLOCK))]
        return np.ascontiguousarray(np.concatenate(blocks)[:count])

    return draw(rows, base_seed), draw(queries, query_seed)


def machine() -> str:
    """The processor, as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    except OSError:
        pass
    return f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores"


if __name__ == "__main__":
    main()
