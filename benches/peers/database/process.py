"""A library's program, called for a phase at a time in a process of its own."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FIRST_EFFORT = 64
SYNCS = ("fsync", "fdatasync", "msync", "sync_file_range")


class Failed(Exception):
    """A library did not do what it was asked to; says why."""


class Program:
    def __init__(self, name, vex, files, work, limit):
        self.name, self.vex, self.files, self.folder, self.limit = name, vex, files, work / name, limit

    def empty(self):
        """A new empty folder for the database."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def call(self, phase):
        return self.run(phase, self.files, [])

    def traced(self, phase, files):
        """How often each of `SYNCS` was called."""
        if not shutil.which("strace"):
            raise Failed("strace is not installed")
        with tempfile.NamedTemporaryFile(mode="r", suffix=".strace") as trace:
            strace = ["strace", "-f", "-qq", "-o", trace.name, "-e", f"trace={','.join(SYNCS)}"]
            self.run(phase, files, strace)
            lines = trace.read().splitlines()
        started = [match[1] for line in lines if (match := re.match(r"\d+\s+(\w+)\(", line))]
        return {call: started.count(call) for call in SYNCS}

    def run(self, phase, files, before):
        with tempfile.TemporaryDirectory() as folder:
            spec, out = (pathlib.Path(folder) / name for name in ("spec.json", "result.json"))
            if self.name == "vex":
                paths = [self.folder, files["rows"], files["texts"], files["queries"]]
                command = [*before, self.vex, *paths, "--only", phase]
            else:
                spec.write_text(json.dumps({
                    "folder": str(self.folder),
                    "truth": {which: str(files[which]) for which in ("all", "verb", "short_noun")},
                    "first_effort": FIRST_EFFORT,
                    **{part: str(files[part]) for part in ("rows", "texts", "queries")},
                }))
                command = [*before, sys.executable, "-m", "database.worker", self.name, phase, spec, out]
            environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
            command = [str(part) for part in command]
            try:
                ended = subprocess.run(
                    command, capture_output=True, text=True, env=environment, timeout=self.limit
                )
            except subprocess.TimeoutExpired:
                raise Failed(f"expected {phase} to end within {self.limit} s, and it did not") from None
            said = ended.stdout if self.name == "vex" else out.read_text() if out.exists() else ""
        try:
            answer = json.loads(said)
        except ValueError:
            last = (ended.stderr.strip().splitlines() or ["and said nothing"])[-1]
            raise Failed(f"{phase} ended with status {ended.returncode}: {last}") from None
        if "error" in answer:
            raise Failed(answer["error"])
        return answer


def disk_bytes(folder):
    """Without the holes that a write-ahead log reserves."""
    found = 0
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            status = path.stat()
            found += min(status.st_size, status.st_blocks * 512)
    return found
