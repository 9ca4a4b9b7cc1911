"""Embedded vector databases side by side: the same rows, the same durability, one table."""

import argparse
import json
import os
import pathlib
import shutil
import sys
import time

from search.results import machine

from . import data, judge, process, report, rivals

VEX = "vex"
OPENS = 5
NEEDS = {"open": ["fill"], "search": ["fill"], "replace": ["fill"], "tidy": ["fill", "replace"]}


def main():
    args = arguments()
    files = data.prepare(args.set, args.texts, args.rows, args.work / "data")
    texts = data.Texts(files["texts"])
    result = {
        "when": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "set": {"name": args.set.stem, "rows": len(texts.records), "queries": data.QUERIES,
                "bytes": sum(files[part].stat().st_size for part in ("rows", "texts"))},
        "passing": {which: int(texts.passing(which).sum()) for which in data.FILTERS},
        "repetitions": args.repetitions,
        "runs": {},
        "missing": {},
    }
    names = ([VEX] if args.vex else []) + args.rivals
    programs = {name: process.Program(name, args.vex, files, args.work, args.limit) for name in names}
    for name, reason in failed_installs().items():
        if name in names:
            names.remove(name)
            result["missing"][name, "install"] = reason
    for name in names:
        result["runs"][name] = {"syncs": syncs(programs[name], files, args.work, result["missing"])}
    for repetition in range(args.repetitions):
        for phase in ("fill", *["open"] * OPENS, "search", "replace", "tidy"):
            for name in in_turn(names, repetition):
                if any((name, needed) in result["missing"] for needed in NEEDS.get(phase, [])):
                    continue
                progress(f"{repetition + 1} of {args.repetitions}: {phase}: {name}")
                measured(programs[name], phase, result, files, texts)
                save(args.out, result)
    for name in names if not args.keep else []:
        shutil.rmtree(programs[name].folder, ignore_errors=True)
    save(args.out, result)
    print((args.out / "results.md").read_text())


def measured(program, phase, result, files, texts):
    """Runs a phase and keeps what was measured, or why it failed."""
    try:
        if phase == "fill":
            program.empty()
        answer = program.call(phase)
        judge.check(phase, answer, files, texts)
        answer["disk_bytes"] = process.disk_bytes(program.folder)
        result["runs"][program.name].setdefault(phase, []).append(answer)
    except process.Failed as failure:
        progress(f"{program.name}: {phase}: {failure}")
        result["missing"][program.name, phase] = str(failure)


def syncs(program, files, work, missing):
    """How often a put asks the system to write to the medium: the calls of 101 puts less those of one."""
    try:
        counts = []
        for rows in (1, 101):
            program.empty()
            part = data.few(files, rows, work / "data")
            counts.append(program.traced("puts", part))
    except process.Failed as failure:
        missing[program.name, "syncs"] = str(failure)
        return None
    return {call: (counts[1][call] - counts[0][call]) / 100 for call in process.SYNCS}


def failed_installs():
    """Left by `run`: the libraries that pip could not install, and why."""
    failed = json.loads((pathlib.Path(sys.prefix) / "installed.json").read_text())["failed"]
    needed = [(name, package) for name, packages in rivals.LIBRARIES.items() for package in packages]
    return {name: failed[package] for name, package in needed if package in failed}


def in_turn(names, repetition):
    """Another one first each time, so that what comes early or late is not always the same."""
    first = repetition % len(names)
    return names[first:] + names[:first]


def save(out, result):
    out.mkdir(parents=True, exist_ok=True)
    missing = {f"{name}: {phase}": why for (name, phase), why in result["missing"].items()}
    (out / "results.json").write_text(json.dumps(result | {"missing": missing}, indent=1) + "\n")
    (out / "results.md").write_text(report.markdown(result) + "\n")


def progress(message):
    print(time.strftime("%H:%M:%S"), message, file=sys.stderr, flush=True)


def chosen(text):
    names = [] if text == "none" else text.split(",")
    for name in names:
        if name not in rivals.LIBRARIES:
            raise argparse.ArgumentTypeError(f"no {name}; there are {', '.join(rivals.LIBRARIES)}, and none")
    return names


def arguments():
    parser = argparse.ArgumentParser(prog="run", description=__doc__)
    add = parser.add_argument
    here = pathlib.Path(__file__).resolve().parent
    path = lambda text: pathlib.Path(text).resolve()
    add("--set", type=path, required=True, metavar="ROWS.npy",
        help="a matrix of rows; 1,000 are held out as queries")
    add("--texts", type=path, required=True, metavar="ROWS.tsv",
        help="a line for each row: part of speech, words, definition")
    add("--vex", type=path, help="the binary `db-rows`")
    add("--rivals", type=chosen, default=list(rivals.LIBRARIES), metavar="NAME,...",
        help=f"{', '.join(rivals.LIBRARIES)}, or none (default: all)")
    add("--rows", type=int, help="store so many rows, the first (default: all)")
    add("--repetitions", type=int, default=3, help="of everything (default 3)")
    add("--limit", type=int, default=3600, help="seconds that a phase of a library may take (default 3600)")
    add("--work", type=path, default=here / "work", help="where the databases lie (default %(default)s)")
    add("--keep", action="store_true", help="leave the databases there")
    add("--out", type=path, default=here / "results", help="results.json, results.md (default %(default)s)")
    args = parser.parse_args()
    if not args.vex and not args.rivals:
        parser.error("nothing to measure: give --vex, --rivals or both")
    return args


if __name__ == "__main__":
    main()
