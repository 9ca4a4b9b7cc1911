"""The result as Markdown: one table, a column for each library."""

import statistics

from . import judge
from .data import FILTERS

MEGA = 1e6


def markdown(result):
    data = {"data_bytes": result["set"]["bytes"]}
    runs = {name: run | data for name, run in result["runs"].items() if "fill" in run}
    lines = head(result, runs)
    if runs:
        lines += [
            "",
            line(["", *runs]),
            "|---|" + "---:|" * len(runs),
            *[line([title, *[cell(figure, run) for run in runs.values()]]) for title, figure in ROWS],
        ]
    return "\n".join([*lines, *sweeps(runs), *remarks(result, runs), *missing(result)])


def line(cells):
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def head(result, runs):
    host, data, passing = result["machine"], result["set"], result["passing"]
    memory = f", {host['memory_bytes'] / 2**30:.0f} GiB" if host["memory_bytes"] else ""
    load = "" if host["load_before"] is None else f", load {host['load_before']:.2f} before the start"
    versions = [run["fill"][0]["version"] for run in runs.values()]
    return [
        f"# {data['name']}: {data['rows']:,} rows, {data['bytes'] / MEGA:.0f} MB",
        "",
        f"{result['when']}. Machine: {host['cpu']}, {host['cores']} cores{memory}{load}. {host['system']}.",
        f"Versions: {'; '.join(versions)}; Python {host['python']}.",
        f"{data['queries']:,} queries, k 10, {result['repetitions']} repetitions, interleaved, medians.",
        f"{passing['verb']:,} rows pass `verb`, {passing['short_noun']:,} pass `short_noun`.",
        "The data are the vectors in f32 and the texts; disk space is compared with their size.",
        f"p50 and p99 are at the smallest effort whose recall is {judge.BAR} or more.",
    ]


def cell(figure, run):
    try:
        found = figure(run)
    except (KeyError, IndexError, TypeError):
        found = None
    return "-" if found is None else found


def median(run, phase, *keys):
    values = []
    for answer in run[phase]:
        for key in keys:
            answer = answer[key]
        values.append(answer)
    return statistics.median(values)


def syncs(run):
    counts = {call: count for call, count in run["syncs"].items() if count}
    return ", ".join(f"{count:g} {call}" for call, count in counts.items()) or "none"


def point(run, which):
    """The cheapest effort of each repetition: their median figures."""
    points = [judge.cheapest(answer["sweeps"][which]) for answer in run["search"]]
    keys = ("recall", "p50_us", "p99_us", "short")
    figures = {key: statistics.median(each[key] for each in points) for key in keys}
    return {"effort": points[0]["effort"], **figures}


def asked(which):
    def effort(run):
        found = point(run, which)["effort"]
        return "exact" if found is None else f"{run['search'][0]['effort']} {found}"

    def recall(run):
        found = point(run, which)["recall"]
        return f"{found:.4f}" + ("" if found >= judge.BAR else " (too low)")

    rows = [
        ("effort", effort),
        ("recall@10", recall),
        ("p50 ms", lambda run: f"{point(run, which)['p50_us'] / 1e3:.3f}"),
        ("p99 ms", lambda run: f"{point(run, which)['p99_us'] / 1e3:.3f}"),
        ("answers with fewer than 10 rows", lambda run: f"{point(run, which)['short']:.0f}"),
    ]
    return [(f"`{which}`: {title}", figure) for title, figure in rows]


def seconds(*keys):
    return lambda run: f"{median(run, *keys):.2f}"


def milliseconds(*keys):
    return lambda run: f"{median(run, *keys) / 1e3:.2f}"


def megabytes(*keys):
    return lambda run: f"{median(run, *keys) / MEGA:.0f}"


def rows_a_second(phase, key):
    return lambda run: f"{statistics.median(a[phase]['rows'] / a[phase]['seconds'] for a in run[key]):,.0f}"


def times_the_data(phase):
    return lambda run: f"{median(run, phase, 'disk_bytes') / run['data_bytes']:.2f}"


ROWS = [
    ("writes to the medium, a put (strace)", syncs),
    ("put of one row: p50 ms", milliseconds("fill", "single", "p50_us")),
    ("put of one row: p99 ms", milliseconds("fill", "single", "p99_us")),
    ("batches of 1,000: rows a second", rows_a_second("batched", "fill")),
    ("batches of 1,000: p50 ms", milliseconds("fill", "batched", "p50_us")),
    ("batches of 1,000: p99 ms", milliseconds("fill", "batched", "p99_us")),
    ("all batches: s", seconds("fill", "batched", "seconds")),
    ("index: s", seconds("fill", "index", "seconds")),
    ("fill: peak MB, input included", megabytes("fill", "peak_bytes")),
    *[row for which in FILTERS for row in asked(which)],
    ("search: peak MB of the process", megabytes("search", "peak_bytes")),
    ("search: MB before opening", megabytes("search", "start_bytes")),
    ("open: ms", lambda run: f"{median(run, 'open', 'open_seconds') * 1e3:.1f}"),
    ("open and first answer: ms", lambda run: f"{median(run, 'open', 'first_seconds') * 1e3:.1f}"),
    ("open: peak MB of the process", megabytes("open", "peak_bytes")),
    ("MB on disk, filled", megabytes("fill", "disk_bytes")),
    ("times the data, filled", times_the_data("fill")),
    ("replacing: rows a second", rows_a_second("replaced", "replace")),
    ("replacing 1,000: p50 ms", milliseconds("replace", "replaced", "p50_us")),
    ("replacing 1,000: p99 ms", milliseconds("replace", "replaced", "p99_us")),
    ("MB on disk, replaced", megabytes("replace", "disk_bytes")),
    ("times the data, replaced", times_the_data("replace")),
    ("tidying: s", seconds("tidy", "tidy", "seconds")),
    ("MB on disk, tidied", megabytes("tidy", "disk_bytes")),
    ("times the data, tidied", times_the_data("tidy")),
]


def sweeps(runs):
    """Recall and p50 of every effort, so that a reader can choose another bar."""
    lines = []
    for which in FILTERS:
        rows = []
        for name, run in runs.items():
            for points in zip(*[answer["sweeps"][which] for answer in run.get("search", [])]):
                recall = statistics.median(each["recall"] for each in points)
                p50 = statistics.median(each["p50_us"] for each in points) / 1e3
                effort = "-" if points[0]["effort"] is None else points[0]["effort"]
                rows.append(line([name, effort, f"{recall:.4f}", f"{p50:.3f}", points[0]["short"]]))
        columns = ["| | effort | recall@10 | p50 ms | short |", "|---|---:|---:|---:|---:|"]
        lines += ["", f"## Sweep of `{which}`", "", *columns, *rows] if rows else []
    return lines


def remarks(result, runs):
    lines = ["", "## What was called, and what is promised", ""]
    for name, run in runs.items():
        first = run["fill"][0]
        tidied = f"; tidying: {run['tidy'][0]['tidy']['what']}" if "tidy" in run else ""
        lines.append(f"- **{name}**: index: {first['index']['what']}{tidied}.")
        if first.get("durability"):
            lines.append(f"  - durability: {first['durability']}.")
        for phase in ("fill", "search", "replace", "tidy"):
            lines += [f"  - {phase}: {note}." for note in run.get(phase, [{}])[0].get("notes", [])]
    return lines


def missing(result):
    if not result["missing"]:
        return []
    reasons = [f"- {name}, {phase}: {why}" for (name, phase), why in result["missing"].items()]
    return ["", "## Not measured", "", *reasons]
