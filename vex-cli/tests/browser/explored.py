"""Rows with their texts, what brute force says of them, and `vex explore` on their index."""

import os
import random
import re
import struct
import subprocess

COUNT, DIM = 5_000, 8
SEASONS = ["spring", "summer", "autumn", "winter"]


class Rows:
    """Clustered vectors, or every other one in a single tight cluster. The key of each is its row."""

    def __init__(self, seed, count=COUNT, tight=False):
        draw = random.Random(seed)
        centers = [[draw.uniform(-4, 4) for _ in range(DIM)] for _ in range(20)]
        wide = [[draw.choice(centers)[at] + draw.gauss(0, 1) for at in range(DIM)] for _ in range(count)]
        if tight:
            wide[1::2] = [[draw.gauss(0, 1e-3) for _ in range(DIM)] for _ in wide[1::2]]
        # As they are stored: brute force must compare the same numbers.
        self.vectors = [struct.unpack(f"<{DIM}f", struct.pack(f"<{DIM}f", *row)) for row in wide]
        self.texts = [f"day {key} in {SEASONS[key % 4]}" for key in range(count)]

    def write(self, folder, name):
        shape = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(self.vectors)}, {DIM}), }}"
        header = shape.ljust(117) + "\n"
        with open(os.path.join(folder, name + ".npy"), "wb") as file:
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
            for row in self.vectors:
                file.write(struct.pack(f"<{DIM}f", *row))
        with open(os.path.join(folder, name + ".txt"), "w", encoding="utf-8") as file:
            file.writelines(text + "\n" for text in self.texts)

    def nearest(self, key, k, every=1):
        """The k nearest keys that the filter accepts, with their squared distances."""
        query = self.vectors[key]
        distances = [
            (sum((a - b) ** 2 for a, b in zip(query, row)), other)
            for other, row in enumerate(self.vectors)
            if other % every == 0
        ]
        return [(other, distance) for distance, other in sorted(distances)[:k]]


class Server:
    """A running command that serves the page. It ends with the `with` block."""

    def __init__(self, *command, folder):
        self.log = os.path.join(folder, "server.log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | {"TMPDIR": folder}
            )
        self.url = next((line.strip() for line in self.process.stdout if line.startswith("http://")), None)
        if self.url is None:
            self.end()
            raise AssertionError(f"{' '.join(command)} printed no address: {open(self.log).read()}")
        self.port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", self.url)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def build(vex, folder, name, codes, output="rows.vex", *options):
    command = [vex, "build", name + ".npy", "--output", output, "--quantize", codes, *options]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
