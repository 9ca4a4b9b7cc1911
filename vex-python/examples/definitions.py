"""Search dictionary definitions by meaning, with conditions: a collection of texts.

    python examples/definitions.py
    python examples/definitions.py coffee      # the words nearest to one that you know

The vectors were made by all-MiniLM-L6-v2 beforehand, so no model is needed here. With a model of your own,
`vector = model.encode(text)` takes the place of the rows that are read.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from vex_index import Collection, Hit, Schema

DEMO = Path(__file__).resolve().parents[2] / "vex-cli" / "demo"
SCHEMA = Schema(384, model="all-MiniLM-L6-v2", fields={"kind": str, "length": int, "words": "stored", "text": "stored"})


def read(name: str) -> tuple[list[list[str]], np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """The kind, the words and the definition of each line, and its vector."""
    lines = (DEMO / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines], np.load(DEMO / f"{name}.f16.npy").astype(np.float32)


def show(hits: list[Hit]) -> None:
    for hit in hits:
        words, text = hit.row["words"], hit.row["text"]
        print(f"  {1 - hit.distance:.2f}  {words[:24]:<24}  {text.split('; ')[0][:64]}")


def main() -> None:
    entries, vectors = read("definitions")
    with (
        tempfile.TemporaryDirectory() as folder,
        Collection.create(Path(folder) / "definitions.vexdb", SCHEMA) as definitions,
    ):
        rows = [{"kind": kind, "length": len(text), "words": words, "text": text} for kind, words, text in entries]
        done = definitions.upsert_many([f"wordnet/{row:05}" for row in range(len(rows))], vectors, rows)
        definitions.maintain()
        print(f"{done.inserted} definitions, on the medium\n")

        if len(sys.argv) > 1:
            word = sys.argv[1]
            ids = [row for row, (_, words, _) in enumerate(entries) if word in words.split(", ")]
            if not ids:
                sys.exit(f"expected one of the words in {DEMO / 'definitions.tsv'}, found {word}")
            print(f"near {word}, {entries[ids[0]][2]}")
            show(definitions.near(f"wordnet/{ids[0]:05}", k=8, fetch=["words", "text"]))
            return

        questions, queries = read("queries")
        for (_, words, text), query in list(zip(questions, queries, strict=True))[:3]:
            print(f"{words}: {text[:80]}")
            show(definitions.search(query, k=3, fetch=["words", "text"]))
            print(" only verbs of up to 60 letters:")
            hits = definitions.search(
                query, k=2, where="kind = ? and length <= ?", params=["verb", 60], fetch=["words", "text"]
            )
            show(hits)
            print(" one of each kind:")
            show([group.hits[0] for group in definitions.groups(query, "kind", fetch=["words", "text"])])
            print()


if __name__ == "__main__":
    main()
