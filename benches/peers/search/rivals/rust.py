"""Libraries in Rust, through the program of ../../rust, which times them as Vex times itself. A mode is a crate."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

from . import Rival, Unavailable


class Library(Rival):
    reads_files = True
    resident = 0

    def __init__(self, spec):
        super().__init__(spec)
        if not spec.rust:
            raise Unavailable("no --rust")

    def version(self):
        return f"{self.run('version', self.spec.mode).strip()} (Rust)"

    def build(self, rows, m, ef_construction, threads):
        start = time.perf_counter()
        options = ["--metric", self.spec.metric, "--m", m, "--ef-construction", ef_construction, "--threads", threads]
        told = self.run("build", self.spec.mode, self.spec.base, self.spec.folder, *options)
        self.untimed = time.perf_counter() - start - json.loads(told)["build_seconds"]

    def save(self, folder):
        pass  # `build` has; that part is not counted.

    def load(self, folder):
        """Starts a process that answers from now on."""
        spec = self.spec
        command = [spec.rust, "measure", spec.mode, folder, "--base", spec.base, "--metric", spec.metric]
        command += ["--queries", spec.queries, "--ground-truth", spec.truth, "-k", spec.k]
        self.complaints = tempfile.TemporaryFile("w+")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.complaints}
        self.process = subprocess.Popen([str(part) for part in command], **pipes, text=True, bufsize=1)
        self.answer()

    def first_answer(self, query, k, ef):
        raise Unavailable("its program answers all queries")

    def measure(self, ef, threads):
        """The figures of one ef, as `measure.measure` takes those of the others."""
        self.process.stdin.write(f"{ef} {threads}\n")
        row = self.answer()
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        self.resident = max(self.resident, int(pages) * os.sysconf("SC_PAGE_SIZE"))
        return row

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.complaints.seek(0)
            said = self.complaints.read().strip().splitlines()[-1:]
            raise RuntimeError(f"{self.spec.mode} ended with status {self.process.wait()}: {''.join(said)}")
        return json.loads(line)

    def run(self, *arguments):
        command = [str(part) for part in (self.spec.rust, *arguments)]
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode:
            raise RuntimeError(f"{' '.join(command)}: {ended.stderr.strip()}")
        return ended.stdout
