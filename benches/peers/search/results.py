"""From the rows of all repetitions to medians, equal recall, and files."""

import csv
import math
import os
import pathlib
import platform
import statistics

FIGURES = ("p50_us", "p50_less_call_us", "p99_us", "steady_p99_us", "mean_us", "qps")


def medians(rows):
    """`{(rival, threads): [row by ascending ef]}`, every figure the median over the repetitions."""
    groups = {}
    for row in rows:
        groups.setdefault((row["rival"], row["threads"], row["ef"]), []).append(row)
    curves = {}
    for (rival, threads, ef), runs in sorted(groups.items(), key=lambda item: item[0][2]):
        figures = [figure for figure in runs[0] if figure not in ("rival", "threads", "ef", "repetition")]
        row = {figure: statistics.median(run[figure] for run in runs) for figure in figures}
        curves.setdefault((rival, threads), []).append({"ef": ef, **row})
    return curves


def at_recall(curve, target):
    """The first row that reaches `target`, and the figures where recall would be just that: logarithms interpolated
    linearly over recall between that row and the one before. None if no row reaches it."""
    for i, row in enumerate(curve):
        if row["recall"] < target:
            continue
        equal = {figure: row[figure] for figure in FIGURES if figure in row}
        if i > 0:  # Otherwise the smallest ef is above the target, and its figures stand.
            before = curve[i - 1]
            share = (target - before["recall"]) / (row["recall"] - before["recall"])
            for figure in equal:
                low, high = math.log(before[figure]), math.log(row[figure])
                equal[figure] = math.exp(low + share * (high - low))
        return {"target": target, "first": row, "equal": equal, "interpolated": i > 0}
    return None


def write_csv(path, curves):
    columns = ["rival", "threads", "ef", "recall", *FIGURES, "mean_call_us", "mean_batch_us"]
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        for (rival, threads), curve in curves.items():
            writer.writerows({"rival": rival, "threads": threads, **row} for row in curve)


def machine():
    cpu, memory = platform.processor() or platform.machine(), None
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        pass
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_bytes": memory,
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": load,
    }
