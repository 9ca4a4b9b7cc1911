"""The result as Markdown."""

from . import results

BASELINES = ("hnswlib-f32", "hnswlib-f32-l2")  # The first that was measured.


def markdown(result, curves):
    return "\n".join(
        [
            *head(result),
            *[line for target in result["settings"]["targets"] for line in one_thread(result, curves, target)],
            *all_threads(result, curves),
            *builds(result),
            *first_answers(result),
            *missing(result),
        ]
    )


def baseline(result):
    return next((name for name in BASELINES if name in result["rivals"]), None)


def head(result):
    host, data, settings = result["machine"], result["set"], result["settings"]
    memory = f", {host['memory_bytes'] / 2**30:.0f} GiB" if host["memory_bytes"] else ""
    load = "" if host["load_before"] is None else f", load {host['load_before']:.2f} before the start"
    versions = sorted({described["version"] for described in result["rivals"].values()})
    return [
        f"# {data['name']}: {data['rows']:,} x {data['dim']}, {data['metric']}",
        "",
        f"{result['when']}. Machine: {host['cpu']}, {host['cores']} cores{memory}{load}. {host['system']}.",
        f"Versions: {', '.join(versions)}; Python {host['python']}.",
        f"m {settings['m']}, ef_construction {settings['ef_construction']}, k {settings['k']}, "
        f"{data['query_count']:,} queries, median of {settings['repetitions']} repetitions in turns.",
    ]


def one_thread(result, curves, target):
    points = {name: results.at_recall(curve, target) for (name, threads), curve in curves.items() if threads == 1}
    base = points.get(baseline(result))
    lines = [
        "",
        f"## Recall@{result['settings']['k']} {target}, one thread",
        "",
        "p50, p99 and mean in microseconds, interpolated to this recall; `less call` is p50 without what a call from",
        "Python costs; `steady` is p99 over the queries of each one's median; `x` is how many times faster than hnswlib,",
        "by p50 less call, p99, steady p99 and mean.",
        "",
        "| rival | first ef | its recall | p50 | less call | p99 | steady | mean | p99 / p50 | steady / p50 | x p50 | x p99 | x steady | x mean |",
        "|---" + "|---:" * 14 + "|",
    ]
    reached = [(name, point) for name, point in points.items() if point]
    for name, point in sorted(reached, key=lambda item: item[1]["equal"]["p50_less_call_us"]):
        equal = point["equal"]
        ratios = [
            f"{base['equal'][figure] / equal[figure]:.2f}" if base else "-"
            for figure in ("p50_less_call_us", "p99_us", "steady_p99_us", "mean_us")
        ]
        times = [f"{equal[figure]:.1f}" for figure in ("p50_us", "p50_less_call_us", "p99_us", "steady_p99_us", "mean_us")]
        ef = f"{point['first']['ef']}" if point["interpolated"] else f"{point['first']['ef']} (the smallest)"
        tails = [f"{equal[figure] / equal['p50_us']:.2f}" for figure in ("p99_us", "steady_p99_us")]
        cells = [name, ef, f"{point['first']['recall']:.4f}", *times, *tails, *ratios]
        lines.append(f"| {' | '.join(cells)} |")
    for name in points:
        if not points[name]:
            last = max(curves[name, 1], key=lambda row: row["recall"])
            lines.append(f"| {name} | not reached | {last['recall']:.4f} at ef {last['ef']} |{'  |' * 12}")
    return lines


def all_threads(result, curves):
    threads, targets = result["settings"]["search_threads"], result["settings"]["targets"]
    if threads == 1:
        return []
    lines = [
        "",
        f"## Queries per second, interpolated, {threads} threads against one",
        "",
        f"`<=`: takes one query a call and holds Python's lock, so that this is {threads} times what one thread does.",
        "",
        "| rival | " + " | ".join(f"{t}: one | {threads} | gain | x hnswlib" for t in targets) + " |",
        "|---|" + "---:|" * 4 * len(targets),
    ]

    def qps(name, target, threads):
        if (name, threads) not in curves:
            return threads * (qps(name, target, 1) or 0)
        point = results.at_recall(curves[name, threads], target)
        return point and point["equal"]["qps"]

    for name in sorted({name for name, _ in curves}):
        cells = [name]
        for target in targets:
            one, all = qps(name, target, 1), qps(name, target, threads)
            base = baseline(result) and qps(baseline(result), target, threads)
            most = "" if (name, threads) in curves else "<= "
            cells += [f"{one:,.0f}", f"{most}{all:,.0f}", f"{most}{all / one:.2f}"] if one and all else ["-"] * 3
            cells.append(f"{all / base:.2f}" if all and base else "-")
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def builds(result):
    threads = result["settings"]["build_threads"]
    base = result["rivals"].get(baseline(result))
    lines = [
        "",
        f"## Build with {threads} threads, and size",
        "",
        "Vex's build time includes reading the rows. Resident: the growth of the process from",
        "before the index is loaded until after the searches; for Vex the peak of the whole process. CPU s: the build's time",
        "on processors, summed over threads, which says more where other programs ran beside it.",
        "",
        "| rival | build s | of hnswlib's | CPU s | of hnswlib's | save s | file MB | resident MB | load s | built |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for name, rival in result["rivals"].items():
        built = rival["build"]
        times = []
        for figure in ("build_seconds", "processor_seconds"):
            seconds, of = built.get(figure), base and base["build"].get(figure)
            times += [f"{seconds:.1f}" if seconds else "-", f"{seconds / of:.2f}" if seconds and of else "-"]
        sizes = [f"{size / 1e6:.1f}" for size in (built["disk_bytes"], rival["resident_bytes"])]
        cells = [name, *times, f"{built['save_seconds']:.1f}", *sizes]
        lines.append(f"| {' | '.join(cells)} | {rival['load_seconds']:.2f} | {built['when']} |")
    return lines


def first_answers(result):
    lines = [
        "",
        "## To the first answer",
        "",
        "Milliseconds in a new process, from an index on disk that is in the system's cache to the answer to one query, at ef 64.",
        "Starting Python and loading the library are not counted; for Vex it is a whole process of `vex search`.",
        "",
        "| rival | read in | mapped |",
        "|---|---:|---:|",
    ]
    reasons = []
    for name, rival in result["rivals"].items():
        cells = [name]
        for how in ("loaded", "mapped"):
            answer = rival["first_answer"][how]  # Seconds, or why there are none.
            if isinstance(answer, str):
                reasons.append(f"- `{name}`, {how}: {answer}")
            cells.append("-" if isinstance(answer, str) else f"{answer * 1e3:,.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, *([""] if reasons else []), *reasons]


def missing(result):
    if not result["missing"]:
        return []
    return ["", "## Not measured", "", *[f"- `{name}`: {reason}" for name, reason in result["missing"].items()]]
