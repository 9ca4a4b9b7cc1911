#!/usr/bin/env python3
"""Reads files that other programs write, and compares the answers with brute force.

    run.py target/debug/vex [--table docs/files-table.md] [--numpy]

With --numpy, only the files that need no other package. The others need pandas, pyarrow and h5py, and
a command that was compiled with the feature `formats`.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from cases import CASES
from data import BASE, BITS, IDS, K, NEAR, NEAR_BITS, nearest


class Runner:
    def __init__(self, vex, folder):
        self.vex, self.folder = vex, folder

    def vex_(self, arguments, stdin=None):
        """Runs the command. Returns its exit code and its output."""
        run = subprocess.run([self.vex, *arguments.split()], cwd=self.folder, stdin=stdin, capture_output=True)
        return run.returncode, run.stdout.decode(), run.stderr.decode()

    def answers(self, index, queries, arguments=""):
        code, out, error = self.vex_(f"search {index} --queries {queries} -k {K} --ef-search 300 --json {arguments}")
        assert code == 0, error
        return json.loads(out)

    def compare(self, answers, base, queries):
        """Every answer must be as near as the true neighbors, and its distance right."""
        expected, all_ = nearest(base, queries)
        assert len(answers) == len(queries), len(answers)
        for query, answer in enumerate(answers):
            np.testing.assert_allclose(answer["distances"], expected[query])
            np.testing.assert_allclose(all_[query][answer["keys"]], expected[query])

    def run(self, case):
        """Runs a case. Returns the message of a refusal."""
        path = self.folder / case.name
        case.make(path)
        name = case.name
        if case.command == "build":
            source = "-" if case.is_stdin else name
            command = f"build {source} --output out.vex {case.arguments}"
        elif case.command == "search":
            command = f"search base.vex --queries {name} -k {K} --ef-search 300 --json"
        elif case.command == "bench":
            queries = name if name.endswith(".hdf5") else "near.npy"
            command = f"bench base.vex --queries {queries} --ground-truth {name} --ef-search 300 --json"
        elif case.command == "keys":
            command = f"build base.npy --keys {name} --output out.vex"
        elif case.command == "names":
            command = f"build base.npy --ids {name} --output named.vex {case.arguments}"
        else:
            self.vex_("db create notes.vexdb --dim 16 --metric squared-euclidean")
            command = f"db put notes.vexdb {name} --json"
        stdin = path.open("rb") if case.is_stdin else None
        code, out, error = self.vex_(command, stdin)
        if case.refused is not None:
            assert code == 1 and case.refused in error and error.count("\n") == 1, (code, error)
            assert "panicked" not in error, error
            return error.removeprefix("error: ").strip()
        assert code == 0, (command, error)
        assert error == (f"note: {name}: {case.note}\n" if case.note else ""), error
        self.check(case, out)
        return None

    def check(self, case, out):
        if case.command in ("build", "keys"):
            element = json.loads(self.vex_("info out.vex --json")[1])["element"]
            queries = {"i8": "near-i8.npy", "u8": "near-u8.npy", "bits": "near-bits.npy"}.get(element, "near.npy")
            base = (BITS, NEAR_BITS) if case.is_bits else (BASE, NEAR)
            self.compare(self.answers("out.vex", queries), *base)
        elif case.command == "search":
            answers = json.loads(out)
            self.compare(answers, BASE, NEAR[: len(answers)])
        elif case.command == "bench":
            report = json.loads(out)[0]
            assert report["recall"] == 1.0 and report["truth_disagreements"] == 0, report
        elif case.command == "names":
            answers = self.answers("named.vex", "near.npy")
            self.compare(answers, BASE, NEAR)
            for answer in answers:
                assert answer["ids"] == [IDS[key] for key in answer["keys"]], answer
        else:
            report = json.loads(out)
            assert report["rows"] == len(BASE), report
            code, out, error = self.vex_("db get notes.vexdb note/7 --vector")
            assert code == 0 and json.loads(out)["vector"] == BASE[7].tolist(), (out, error)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vex", type=Path)
    parser.add_argument("--numpy", action="store_true")
    parser.add_argument("--table", type=Path)
    parser.add_argument("--only")
    arguments = parser.parse_args()
    if not arguments.numpy:
        import libraries  # noqa: F401 (adds its cases)
    lines, failed = [], 0
    for case in CASES:
        if arguments.only not in (None, case.name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            runner = Runner(arguments.vex.resolve(), Path(folder))
            for name, array in [("base", BASE), ("near", NEAR), ("near-bits", np.packbits(NEAR_BITS, axis=1)),
                                ("near-i8", NEAR.astype("i1")), ("near-u8", NEAR.astype("u1"))]:
                np.save(runner.folder / f"{name}.npy", array)
            assert runner.vex_("build base.npy --output base.vex")[0] == 0
            try:
                message = runner.run(case)
            except Exception as error:
                failed += 1
                print(f"FAILED {case.name}: {error}", file=sys.stderr)
                continue
            result = "read" if message is None else f"refused: {message}"
            if case.note:
                result += f"; says: {case.note}"
            # A dash, a bar or an angle would mean something in a table.
            shown = result.replace("|", "\\|").replace("<", "\\<")
            lines.append(f"| {case.writer} | `{case.name}` | {case.what.replace('|', chr(92) + '|')} | {shown} |")
            print(f"{case.name}: {result}")
    if arguments.table:
        head = "| written by | file | contents | what Vex does |\n|---|---|---|---|\n"
        arguments.table.write_text(head + "\n".join(lines) + "\n")
    print(f"{len(lines)} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
