"""Vex beside other libraries, on the same vectors, in one sitting."""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from . import report, results, rivals, sets

EF = "10,12,16,24,32,48,64,96,128,192,256,384,512,768,1024"
TARGETS = [0.95, 0.99]
FIRST_ANSWERS = 5


def main():
    args = arguments()
    if args.command == "plot":
        from . import plot

        plot.draw(args.results, args.out, args.from_recall)
        return
    result, curves = compare(args)
    if args.build_only:
        return
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "results.json").write_text(json.dumps(result, indent=1) + "\n")
    results.write_csv(args.out / "results.csv", curves)
    text = report.markdown(result, curves)
    (args.out / "results.md").write_text(text + "\n")
    print(text)


def compare(args):
    progress("vectors and exact neighbors")
    data = sets.prepare(args.set, args.metric, args.k, args.cache)
    result = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": results.machine(),
        "set": {part: str(value) for part, value in data.items() if part in ("name", "metric", "key")}
        | {part: data[part] for part in ("rows", "dim", "query_count")},
        "settings": {
            "m": args.m,
            "ef_construction": args.ef_construction,
            "k": args.k,
            "build_threads": args.build_threads,
            "search_threads": args.search_threads,
            "repetitions": args.repetitions,
            "seconds": args.seconds,
            "targets": TARGETS,
            "vex_rescore": args.vex_rescore,
            "vex_max_distances": args.vex_max_distances,
            "vex_slack": args.vex_slack,
            "vex_load": args.vex_load,
        },
        "rivals": {},
        "missing": {},
        "rows": [],
    }
    specs = {}
    for name in args.rivals:
        try:
            specs[name], result["rivals"][name] = build(args, name, data)
        except Failed as failure:
            result["missing"][name] = str(failure)
            progress(f"{name} is not measured: {failure}")

    for repetition in range(0 if args.build_only else args.repetitions):
        for name in in_turn(list(specs), repetition):
            if name in result["missing"]:
                continue
            progress(f"search {repetition + 1} of {args.repetitions}: {name}")
            into_cache(pathlib.Path(specs[name]["folder"]))
            try:
                swept = worker("sweep", specs[name])
            except Failed as failure:
                result["missing"][name] = str(failure)
                continue
            rows = swept.pop("rows")
            result["rivals"][name] |= swept
            result["rows"] += [{"rival": name, "repetition": repetition, **row} for row in rows]

    if not args.build_only:
        for name in (name for name in specs if name not in result["missing"]):
            progress(f"first answer: {name}")
            result["rivals"][name]["first_answer"] = {
                how: first_answer(specs[name] | {"mapped": how == "mapped"}) for how in ("loaded", "mapped")
            }

    for name in result["missing"]:
        result["rivals"].pop(name, None)
    result["rows"] = [row for row in result["rows"] if row["rival"] in result["rivals"]]
    curves = results.medians(result["rows"])
    result["curves"] = [{"rival": name, "threads": t, "rows": rows} for (name, t), rows in curves.items()]
    return result, curves


def build(args, name, data):
    """The spec to search with, and what is known of the rival; builds unless an earlier run has."""
    library, mode = name.split("-", 1)
    reason = failed_installs().get(rivals.LIBRARIES[library][0])
    if reason:
        raise Failed(f"does not install: {reason}")
    spec = {
        "library": library,
        "mode": mode,
        "metric": data["metric"],
        "dim": data["dim"],
        **{part: str(data[part]) for part in ("base", "queries", "truth")},
        "folder": None,
        "k": args.k,
        "m": args.m,
        "ef_construction": args.ef_construction,
        "build_threads": args.build_threads,
        "search_threads": args.search_threads,
        "ef": [ef for ef in args.ef if ef >= args.k],
        "enough": TARGETS[-1],
        "seconds": args.seconds,
        "vex": str(args.vex.resolve()) if args.vex else None,
        "rust": str(args.rust.resolve()) if args.rust else None,
        "rescore": args.vex_rescore,
        "vex_max_distances": args.vex_max_distances,
        "vex_slack": args.vex_slack,
        "vex_load": args.vex_load,
    }
    described = worker("describe", spec)
    version = hashlib.sha256(described["version"].encode()).hexdigest()[:8]
    settings = f"m{args.m}-efc{args.ef_construction}-t{args.build_threads}"
    folder = args.cache / "builds" / data["key"] / f"{library}-{described['build']}-{settings}-{version}"
    record = folder / "build.json"
    if not record.exists():
        progress(f"build: {name}")
        shutil.rmtree(folder, ignore_errors=True)  # Left by a build that did not end.
        folder.mkdir(parents=True)
        record.write_text(json.dumps(worker("build", spec | {"folder": str(folder)})))
    return spec | {"folder": str(folder)}, {
        "version": described["version"],
        "build": json.loads(record.read_text()),
    }


def into_cache(folder):
    """Reads an index, so that none is searched from a disk because of what ran before it."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                while file.read(1 << 24):
                    pass


def first_answer(spec):
    """Median seconds of new processes, after one that fills the system's cache; or why there is none."""
    try:
        return statistics.median([worker("first", spec)["seconds"] for _ in range(1 + FIRST_ANSWERS)][1:])
    except Failed as failure:
        return str(failure)


class Failed(Exception):
    """A rival did not do what it was asked to; says why."""


def worker(command, spec):
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder) / name for name in ("spec.json", "result.json")]
        paths[0].write_text(json.dumps(spec))
        process = [sys.executable, "-m", "search.worker", command, *map(str, paths)]
        ended = subprocess.run(process, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if not paths[1].exists():
            said = ended.stderr.strip().splitlines()[-1:] or ["and said nothing"]
            raise Failed(f"{command} ended with status {ended.returncode}: {said[0]}")
        answer = json.loads(paths[1].read_text())
    if "error" in answer:
        raise Failed(answer["error"])
    return answer


def failed_installs():
    """Left by `run`: what pip could not install, and why."""
    path = pathlib.Path(sys.prefix) / "installed.json"
    return json.loads(path.read_text())["failed"] if path.exists() else {}


def in_turn(names, repetition):
    """Another one first each time, so that what comes early or late is not always the same."""
    first = repetition * len(names) // 3 % len(names) if names else 0
    return names[first:] + names[:first]


def progress(message):
    print(time.strftime("%H:%M:%S"), message, file=sys.stderr, flush=True)


def chosen(text):
    """Names of rivals, or of libraries for all their modes."""
    if text == "all":
        return rivals.names()
    found = []
    for part in text.split(","):
        matching = [name for name in rivals.names() if part in (name, name.split("-", 1)[0])]
        if not matching:
            raise argparse.ArgumentTypeError(f"no {part}; there are {', '.join(rivals.names())}")
        found += matching
    return found


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    parser.set_defaults(command="compare")
    if sys.argv[1:2] == ["plot"]:
        parser = argparse.ArgumentParser(prog="run plot", description="Draw the curves of a results.json.")
        parser.set_defaults(command="plot")
        parser.add_argument("results", type=pathlib.Path)
        parser.add_argument("--out", type=pathlib.Path, required=True, help=".svg")
        parser.add_argument("--from-recall", type=float, default=0.85)
        return parser.parse_args(sys.argv[2:])
    add = parser.add_argument
    here = pathlib.Path(__file__).resolve().parent.parent
    cores = os.cpu_count()
    add("--set", type=lambda text: text.split(","), required=True, metavar="BASE[,QUERIES[,TRUTH]]",
        help="rows as .npy or .fvecs, or an ann-benchmarks .hdf5; without queries 1,000 rows are held out")
    add("--rivals", type=chosen, default=rivals.names(), metavar="NAME,...", help="libraries, or their modes: "
        + ", ".join(rivals.names()) + "; where --vex is given, all modes of vex unless some are named (default: all)")
    add("--vex", type=pathlib.Path, help="the vex binary")
    add("--rust", type=pathlib.Path, help="the binary of ../rust, which holds the rivals in Rust")
    add("--vex-rescore", type=float, help="passed to `vex bench` as --rerank for quantized modes")
    add("--vex-max-distances", type=float, help="passed to `vex bench` as --max-distances")
    add("--vex-slack", type=float, help="passed to `vex bench` as --slack")
    add("--vex-load", nargs="?", choices=("all", "codes"), const="all",
        help="`vex bench` with --load: read the file into large pages; codes is all but the vectors")
    add("--metric", choices=("cosine", "l2"), default="cosine")
    add("--m", type=int, default=16)
    add("--ef-construction", type=int, default=200)
    add("-k", type=int, default=10)
    add("--ef", type=lambda text: sorted({int(part) for part in text.split(",")}), default=EF, metavar="EF,...",
        help="ascending until recall passes 0.99 or rises no more (default %(default)s)")
    add("--build-threads", type=int, default=cores)
    add("--search-threads", type=int, default=cores, help="beside one thread (default: all cores)")
    add("--build-only", action="store_true", help="build what the cache lacks, and stop")
    add("--repetitions", type=int, default=3)
    add("--seconds", type=float, default=1.0, help="at least, for every figure (default 1)")
    add("--cache", type=pathlib.Path, default=here / "cache", help="sets and built indexes (default %(default)s)")
    add("--out", type=pathlib.Path, default=here / "results", help="results.json, .csv, .md (default %(default)s)")
    args = parser.parse_args()
    if args.vex and not any(name.startswith("vex-") for name in args.rivals):
        args.rivals = list(dict.fromkeys(chosen("vex") + args.rivals))
    args.cache = args.cache.resolve()
    return args


if __name__ == "__main__":
    main()
