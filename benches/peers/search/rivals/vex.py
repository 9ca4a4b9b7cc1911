"""Vex, through its command: it times itself, from within, and so pays nothing for a call."""

import hashlib
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as np

from . import Rival, Unavailable

METRICS = {"cosine": "cosine", "l2": "squared-euclidean"}


class Library(Rival):
    reads_files = True
    resident = 0

    def __init__(self, spec):
        super().__init__(spec)
        if not spec.vex:
            raise Unavailable("no --vex")
        self.quantizes = "--quantize" in self.run("build", "--help")
        if spec.mode != "f32" and not self.quantizes:
            raise Unavailable("`vex build --help` does not mention --quantize")

    def version(self):
        digest = hashlib.sha256(pathlib.Path(self.spec.vex).read_bytes()).hexdigest()
        return f"{self.run('--version').strip()} (binary {digest[:12]})"

    def build(self, rows, m, ef_construction, threads):
        command = ["build", self.spec.base, "--output", self.spec.folder / "index.vex", "--json"]
        command += ["--metric", METRICS[self.spec.metric], "--m", m]
        command += ["--ef-construction", ef_construction, "--threads", threads]
        if self.quantizes:
            command += ["--quantize", "none" if self.spec.mode == "f32" else self.spec.mode]
        self.untimed = json.loads(self.run(*command))["save_seconds"]

    def save(self, folder):
        pass  # `build` has; that part is not counted.

    def load(self, folder):
        self.index = folder / "index.vex"

    def map(self, folder):
        self.load(folder)

    def first_answer(self, query, k, ef):
        """A whole process of `vex search`, its start included: it maps the file."""
        if not self.spec.mapped:
            raise Unavailable("`vex search` maps")
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/query.npy", query)
            command = [self.spec.vex, "search", self.index, "--queries", f"{folder}/query.npy"]
            command += ["-k", str(k), "--ef-search", str(ef)]
            start = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            return time.perf_counter() - start

    def measure(self, ef, threads):
        """The figures of one ef, as `measure.measure` takes those of the others."""
        command = ["bench", self.index, "--queries", self.spec.queries, "--ground-truth", self.spec.truth]
        command += ["-k", self.spec.k, "--ef-search", ef, "--threads", threads, "--json"]
        if self.spec.rescore and self.spec.mode != "f32":
            command += ["--rerank", self.spec.rescore]
        if self.spec.vex_max_distances:
            command += ["--max-distances", self.spec.vex_max_distances]
        if self.spec.vex_slack is not None:
            command += ["--slack", self.spec.vex_slack]
        if self.spec.vex_load:
            command.append(f"--load={self.spec.vex_load}")
        return json.loads(self.run(*command))[0]

    def run(self, *arguments):
        """Standard output. The most memory that any of the processes had resident is kept, as far as it is seen."""
        command = [str(part) for part in (self.spec.vex, *arguments)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            while process.poll() is None:
                self.resident = max(self.resident, resident_peak(process.pid))
                time.sleep(0.02)
            if process.returncode:
                raise RuntimeError(f"{' '.join(command)}: {process.stderr.read().strip()}")
            return process.stdout.read()


def resident_peak(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0
