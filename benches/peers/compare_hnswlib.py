#!/usr/bin/env python3
"""Vex beside hnswlib, on the same vectors, in one sitting.

    pip install -r benches/peers/requirements.txt
    python benches/peers/split.py vectors.npy --base base.npy --queries queries.npy
    python benches/peers/compare_hnswlib.py --base base.npy --queries queries.npy --vex target/release/vex \\
        --m 16 --ef-construction 200 -k 10

Both get the same m, ef_construction and number of build threads, search with one thread, and are held
against the same exact neighbors by cosine. Sweeps over ef_search alternate, and the one that goes
first alternates too, so that a noisy or throttling machine hurts both alike; the table has medians.

hnswlib searches unit-length f32 rows with its `l2` space: the same order as cosine, at its best speed.
Its times are measured from Python. A call from Python costs a few microseconds that a C++ program would
not pay, so its mean is the kinder of two figures: query by query, or the whole batch in one call. Its
percentiles have no such way out, and are those of single calls.

Build times cover the same work on both sides, from the .npy file to an index file on disk. hnswlib's
graph, and so its recall, differs a little from build to build when it builds with several threads.
"""

import argparse
import gc
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import hnswlib
import numpy as np

TARGETS = (0.95, 0.99)
FIGURES = ("recall", "p50_us", "p99_us", "mean_us", "qps")


def unit_rows(path):
    """Rows as unit-length f32, block by block, so that the only large array is the result."""
    source = np.load(path, mmap_mode="r")
    rows = np.empty(source.shape, dtype=np.float32)
    for start in range(0, len(rows), 8192):
        block = source[start : start + 8192].astype(np.float32)
        norms = np.linalg.norm(block, axis=1, keepdims=True)
        if not np.all(norms > 0):
            sys.exit(f"{path}: a zero or NaN row has no direction, so no cosine")
        rows[start : start + 8192] = block / norms
    return rows


def run(command):
    result = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"failed with status {result.returncode}: {' '.join(map(str, command))}")
    return result.stdout


class Vex:
    def __init__(self, args, workdir):
        self.args = args
        self.index = workdir / "base.vex"
        self.truth = workdir / "gt.npy"

    def version(self):
        return run([self.args.vex, "--version"]).strip()

    def build(self):
        self.index.unlink(missing_ok=True)
        command = [self.args.vex, "build", self.args.base, "--output", self.index, "--metric", "cosine"]
        command += ["--m", self.args.m, "--ef-construction", self.args.ef_construction]
        command += ["--threads", self.args.threads_build, "--json"]
        start = time.perf_counter()
        report = run(command)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "bytes": self.index.stat().st_size, "reported": json.loads(report)}

    def ground_truth(self):
        self.truth.unlink(missing_ok=True)
        command = [self.args.vex, "gt", self.args.base, "--queries", self.args.queries, "-k", self.args.k]
        run(command + ["--metric", "cosine", "--output", self.truth])
        return np.load(self.truth)[:, : self.args.k]

    def sweep(self):
        command = [self.args.vex, "bench", self.index, "--queries", self.args.queries]
        command += ["--ground-truth", self.truth, "-k", self.args.k, "--threads", 1, "--json"]
        command += ["--ef-search", ",".join(map(str, self.args.ef_search))]
        rows = {row["ef_search"]: row for row in json.loads(run(command))}
        missing = set(self.args.ef_search) - set(rows)
        if missing:
            sys.exit(f"vex bench did not report ef_search {sorted(missing)}")
        # One thread: queries per second is the mean time told the other way round, for both.
        return {ef: {**rows[ef], "qps": 1e6 / rows[ef]["mean_us"]} for ef in self.args.ef_search}


class Hnswlib:
    def __init__(self, args, workdir):
        self.args = args
        self.file = workdir / "base.hnswlib"
        self.queries = unit_rows(args.queries)

    def version(self):
        return f"hnswlib {importlib.metadata.version('hnswlib')}"

    def build(self):
        self.index = None
        start = time.perf_counter()
        rows = unit_rows(self.args.base)
        index = hnswlib.Index(space="l2", dim=rows.shape[1])
        index.init_index(
            max_elements=len(rows), M=self.args.m, ef_construction=self.args.ef_construction, random_seed=100
        )
        inserting = time.perf_counter()
        index.add_items(rows, num_threads=self.args.threads_build)
        inserted = time.perf_counter()
        index.save_index(str(self.file))
        end = time.perf_counter()
        index.set_num_threads(1)
        self.index = index
        return {
            "seconds": end - start,
            "bytes": self.file.stat().st_size,
            "reported": {"add_items_seconds": inserted - inserting},
        }

    def sweep(self, truth):
        return {ef: self.measure(ef, truth) for ef in self.args.ef_search}

    def measure(self, ef, truth):
        k, search, queries = self.args.k, self.index.knn_query, list(self.queries)
        self.index.set_ef(ef)
        for query in queries:
            search(query, k=k, num_threads=1)

        nanoseconds = np.empty(len(queries), dtype=np.int64)
        gc.disable()
        for i, query in enumerate(queries):
            start = time.perf_counter_ns()
            search(query, k=k, num_threads=1)
            nanoseconds[i] = time.perf_counter_ns() - start
        gc.enable()
        start = time.perf_counter_ns()
        ids, _ = search(self.queries, k=k, num_threads=1)
        batch_us = (time.perf_counter_ns() - start) / len(queries) / 1e3

        hits = sum(len(np.intersect1d(found, true)) for found, true in zip(ids, truth))
        call_us = nanoseconds.mean() / 1e3
        mean_us = min(call_us, batch_us)
        return {
            "recall": hits / truth.size,
            "p50_us": float(np.percentile(nanoseconds, 50) / 1e3),
            "p99_us": float(np.percentile(nanoseconds, 99) / 1e3),
            "mean_us": float(mean_us),
            "qps": 1e6 / mean_us,
            "mean_call_us": float(call_us),
            "mean_batch_us": float(batch_us),
        }


def medians(sweeps):
    """Every figure's median over the runs, per ef_search."""
    return {
        ef: {figure: statistics.median(sweep[ef][figure] for sweep in sweeps) for figure in row}
        for ef, row in sweeps[0].items()
    }


def at_recall(sweep, target):
    """The first ef that reaches the target, and the mean time between it and the one before, where a
    straight line over recall meets the target. None if no ef reaches it."""
    efs = sorted(sweep)
    for i, ef in enumerate(efs):
        here = sweep[ef]
        if here["recall"] < target:
            continue
        interpolated = None  # The smallest ef is already above: the target lies outside what was measured.
        if i > 0:
            before = sweep[efs[i - 1]]
            share = (target - before["recall"]) / (here["recall"] - before["recall"])
            interpolated = before["mean_us"] + share * (here["mean_us"] - before["mean_us"])
        return {"ef_search": ef, **{figure: here[figure] for figure in FIGURES}, "interpolated_mean_us": interpolated}
    return None


def equal_recall(vex, peer, target):
    vex, peer = at_recall(vex, target), at_recall(peer, target)
    ratios = {}
    if vex and peer:
        for figure in ("p50_us", "p99_us", "mean_us", "interpolated_mean_us"):
            if vex[figure] is not None and peer[figure] is not None:
                ratios[figure] = peer[figure] / vex[figure]
    return {"target": target, "vex": vex, "hnswlib": peer, "hnswlib_over_vex": ratios}


def machine():
    model = platform.processor() or platform.machine()
    try:
        for line in open("/proc/cpuinfo", encoding="utf-8"):
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"cpu": model, "cores": os.cpu_count(), "system": platform.platform(), "load_before": load}


def report(result):
    """The whole result as Markdown."""
    settings, data, host = result["settings"], result["data"], result["machine"]
    versions = result["versions"]
    load = "" if host["load_before"] is None else f", load {host['load_before']:.2f} before the start"
    lines = [
        f"Machine: {host['cpu']}, {host['cores']} cores{load}. {host['system']}.",
        f"Versions: {versions['vex']}, {versions['hnswlib']}, numpy {versions['numpy']}, Python {versions['python']}.",
        f"Data: {data['rows']:,} x {data['dim']} {data['element']}, {data['queries']:,} queries, cosine. "
        f"m {settings['m']}, ef_construction {settings['ef_construction']}, k {settings['k']}, one search thread, "
        f"median of {settings['runs']} alternating runs.",
        "",
        "| ef_search | | recall | p50 us | p99 us | mean us | mean of each run | qps |",
        "|---:|---|---:|---:|---:|---:|---|---:|",
    ]
    for ef in settings["ef_search"]:
        for name in ("vex", "hnswlib"):
            row = result["search"][name]["median"][ef]
            times = " | ".join(f"{row[figure]:.1f}" for figure in ("p50_us", "p99_us", "mean_us"))
            spread = ", ".join(f"{sweep[ef]['mean_us']:.1f}" for sweep in result["search"][name]["runs"])
            lines.append(f"| {ef} | {name} | {row['recall']:.4f} | {times} | {spread} | {row['qps']:,.0f} |")

    lines += [
        "",
        "How many times faster Vex is at equal recall (hnswlib's time over Vex's):",
        "",
        "| recall | ef vex, hnswlib | recall vex, hnswlib | p50 | p99 | mean | mean, interpolated |",
        "|---:|---|---|---:|---:|---:|---:|",
    ]
    for point in result["equal_recall"]:
        sides = [point["vex"], point["hnswlib"]]
        efs = ", ".join(str(side["ef_search"]) if side else "not reached" for side in sides)
        recalls = ", ".join(f"{side['recall']:.4f}" if side else "-" for side in sides)
        ratios = [
            f"{point['hnswlib_over_vex'][figure]:.2f}" if figure in point["hnswlib_over_vex"] else "-"
            for figure in ("p50_us", "p99_us", "mean_us", "interpolated_mean_us")
        ]
        lines.append(f"| {point['target']} | {efs} | {recalls} | {' | '.join(ratios)} |")

    lines += [
        "",
        f"Build, {settings['threads_build']} threads, from .npy to a file on disk:",
        "",
        "| | seconds | file MB |",
        "|---|---:|---:|",
    ]
    for name in ("vex", "hnswlib"):
        builds = result["build"][name]
        seconds = statistics.median(build["seconds"] for build in builds)
        note = ""
        if name == "hnswlib":
            inserting = statistics.median(build["reported"]["add_items_seconds"] for build in builds)
            note = f" (add_items {inserting:.1f})"
        lines.append(f"| {name} | {seconds:.1f}{note} | {builds[-1]['bytes'] / 1e6:.1f} |")
    return "\n".join(lines)


def compare(args, workdir):
    base, queries = np.load(args.base, mmap_mode="r"), np.load(args.queries, mmap_mode="r")
    if base.ndim != 2 or queries.ndim != 2 or base.shape[1] != queries.shape[1]:
        sys.exit(f"base {base.shape} and queries {queries.shape} must be matrices of the same dim")
    if not 0 < args.k <= len(base):
        sys.exit(f"-k must lie between 1 and {len(base)}")
    if min(args.ef_search) < args.k:
        sys.exit("--ef-search must not be smaller than k")

    result = {
        "machine": machine(),
        "data": {
            "rows": len(base),
            "dim": base.shape[1],
            "element": str(base.dtype),
            "queries": len(queries),
        },
        "settings": {
            "m": args.m,
            "ef_construction": args.ef_construction,
            "k": args.k,
            "ef_search": args.ef_search,
            "threads_build": args.threads_build,
            "runs": args.runs,
            "build_runs": args.build_runs,
        },
    }
    vex, peer = Vex(args, workdir), Hnswlib(args, workdir)
    result["versions"] = {
        "vex": vex.version(),
        "hnswlib": peer.version(),
        "numpy": np.__version__,
        "python": platform.python_version(),
    }

    builds = {"vex": [], "hnswlib": []}
    for i in range(args.build_runs):
        for name, side in in_turn(i, vex, peer):
            progress(f"build {i + 1} of {args.build_runs}: {name}")
            builds[name].append(side.build())

    progress("exact neighbors")
    truth = vex.ground_truth()
    if truth.shape != (len(queries), args.k):
        sys.exit(f"vex gt: expected {len(queries)} x {args.k} neighbors, found {truth.shape}")

    sweeps = {"vex": [], "hnswlib": []}
    for i in range(args.runs):
        for name, side in in_turn(i, vex, peer):
            progress(f"search {i + 1} of {args.runs}: {name}")
            sweeps[name].append(side.sweep() if side is vex else side.sweep(truth))

    result["build"] = builds
    result["search"] = {name: {"median": medians(runs), "runs": runs} for name, runs in sweeps.items()}
    result["equal_recall"] = [
        equal_recall(result["search"]["vex"]["median"], result["search"]["hnswlib"]["median"], target)
        for target in TARGETS
    ]
    return result


def in_turn(i, vex, peer):
    pair = [("vex", vex), ("hnswlib", peer)]
    return pair if i % 2 == 0 else pair[::-1]


def progress(message):
    print(message, file=sys.stderr, flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=pathlib.Path, required=True, help="rows to index, .npy")
    parser.add_argument("--queries", type=pathlib.Path, required=True, help="rows to search for, .npy")
    parser.add_argument("--vex", type=pathlib.Path, required=True, help="the vex binary")
    parser.add_argument("--m", type=int, default=16)
    parser.add_argument("--ef-construction", type=int, default=200)
    parser.add_argument("-k", type=int, default=10)
    parser.add_argument(
        "--ef-search",
        type=lambda text: sorted({int(part) for part in text.split(",")}),
        default=[16, 24, 32, 48, 64, 96, 128],
        metavar="EF,EF,...",
    )
    parser.add_argument("--threads-build", type=int, default=os.cpu_count(), help="for both (default: all cores)")
    parser.add_argument("--runs", type=int, default=3, help="search sweeps of each (default 3)")
    parser.add_argument("--build-runs", type=int, default=1, help="builds of each; the last is searched (default 1)")
    parser.add_argument("--workdir", type=pathlib.Path, help="keep the index files here (default: temporary)")
    parser.add_argument("--json", type=pathlib.Path, help="write every figure of every run here")
    args = parser.parse_args()
    if min(args.m, args.ef_construction, args.k, args.threads_build, args.runs, args.build_runs) < 1:
        parser.error("numbers must be at least 1")
    args.vex = args.vex.resolve()
    return args


def main():
    args = arguments()
    if args.workdir:
        args.workdir.mkdir(parents=True, exist_ok=True)
        result = compare(args, args.workdir)
    else:
        with tempfile.TemporaryDirectory(prefix="vex-compare-") as workdir:
            result = compare(args, pathlib.Path(workdir))
    print(report(result))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
