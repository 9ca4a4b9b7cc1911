"""The files: who writes them, and whether they are read."""

import struct

import numpy as np

from data import BASE, BITS, IDS, NEAR, NEAR_BITS, nearest

CASES = []


class Case:
    """A file, how it is read, and what comes of it.

    `command` is build (the file has the vectors), search (it has the queries), bench (it has queries
    and ground truth), keys, names or put (it has the rows of a collection). `refused` is the message.
    """

    def __init__(self, make, name, writer, what, **options):
        self.make, self.name, self.writer, self.what = make, name, writer, what
        self.command = options.pop("command", "build")
        self.arguments = options.pop("arguments", "")
        self.refused = options.pop("refused", None)
        self.note = options.pop("note", None)
        self.is_bits = options.pop("bits", False)
        self.is_stdin = options.pop("stdin", False)
        # Modules besides numpy.
        self.needs = options.pop("needs", ())
        assert not options, options


def case(name, writer, what, **options):
    def add(make):
        CASES.append(Case(make, name, writer, what, **options))
        return make

    return add


def arrays(name, what, array, **options):
    """A file of numpy.save."""
    case(name, "numpy", what, **options)(lambda path: np.save(path, array, allow_pickle=True))


def npy(path, descr, array, shape=None):
    """A header as programs without Python write it."""
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape or array.shape}, }}"
    text += " " * (-(len(text) + 11) % 16) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + array.tobytes())


def vecs(path, array, prefix=None):
    rows = [struct.pack("<i", len(row) if prefix is None else prefix) + row.tobytes() for row in array]
    path.write_bytes(b"".join(rows))


def bin_(path, array):
    path.write_bytes(struct.pack("<II", *array.shape) + array.tobytes())


NUMBERS = "f32, f16, f64, i8, u8, i16 or u16"

arrays("f32.npy", "2-D float32", BASE)
arrays("f64.npy", "2-D float64", BASE.astype("f8"), note="numbers of f64 are read as f32")
arrays("f16.npy", "2-D float16", BASE.astype("f2"))
arrays("big.npy", "2-D float32, big-endian", BASE.astype(">f4"))
arrays("fortran.npy", "2-D float32, Fortran order", np.asfortranarray(BASE))
arrays("i8.npy", "2-D int8", BASE.astype("i1"))
arrays("u8.npy", "2-D uint8", BASE.astype("u1"))
arrays("i16.npy", "2-D int16", BASE.astype("i2"))
arrays("bool.npy", "2-D bool, a bit each", BITS, bits=True, arguments="--metric hamming")
arrays("packed.npy", "numpy.packbits", np.packbits(BITS, axis=1), bits=True, arguments="--metric hamming")
arrays("one.npy", "1-D float32, one query", NEAR[0], command="search")
arrays("row.npy", "1-D float32 as vectors", BASE[0], refused="expected a 2-D array, found a 1-D array")
arrays("int64.npy", "2-D int64 as vectors", BASE.astype("i8"),
       refused=f"expected elements of {NUMBERS}, found i64")
arrays("complex.npy", "2-D complex64", BASE.astype("c8"),
       refused="expected a dtype of numbers (f2, f4, f8, b1, i1 to i8, u1 to u8), found <c8")
arrays("object.npy", "a pickled object", np.array([{}, []], dtype=object),
       refused="expected a dtype of numbers (f2, f4, f8, b1, i1 to i8, u1 to u8), found |O")
arrays("empty.npy", "no rows", BASE[:0], refused="expected at least one row and one column, found 0 x 16")
arrays("nan.npy", "a row of NaN", np.where(np.arange(300)[:, None] == 7, np.nan, BASE).astype("f4"),
       refused="row 7: expected finite elements, found NaN or infinity at position 0")
for width in ["i8", "u8", "i4", "u4"]:
    arrays(f"keys-{width}.npy", f"1-D {np.dtype(width).name} keys", np.arange(300).astype(width), command="keys")
arrays("negative.npy", "1-D int64 keys, one negative", np.arange(300) - 1, command="keys",
       refused="expected keys of at least 0, found -1 in row 0")


@case("cut.npy", "numpy", "2-D float32, truncated", refused="bytes for 300 x 16 f32 rows, found 1000 (truncated?)")
def _(path):
    np.save(path, BASE)
    path.write_bytes(path.read_bytes()[:1000])


@case("base.npz", "numpy", "an archive", refused="unknown extension: expected --format")
def _(path):
    np.savez(path, BASE)


@case("spaces.txt", "numpy", "numpy.savetxt")
def _(path):
    np.savetxt(path, BASE)


@case("commas.csv", "numpy", "numpy.savetxt with commas and a header")
def _(path):
    np.savetxt(path, BASE, delimiter=",", fmt="%g", header="one, two")


for descr, kind in [("f4", "f4"), ("<f4", "f4"), ("<i1", "i1"), ("<u1", "u1")]:
    case(f"cnpy-{descr.strip('<')}{'-le' if '<' in descr else ''}.npy", "cnpy's header", f"descr '{descr}'")(
        lambda path, descr=descr, kind=kind: npy(path, descr, BASE.astype(kind)))
case("cnpy-b1.npy", "cnpy's header", "descr '|b1'", bits=True, arguments="--metric hamming")(
    lambda path: npy(path, "|b1", BITS))
case("claims.npy", "by hand", "a header of 10^18 rows", refused="(truncated?)")(
    lambda path: npy(path, "<f4", BASE, "(1000000000000000000, 4)"))

case("base.fvecs", "faiss, TEXMEX", "float32 rows")(lambda path: vecs(path, BASE))
case("base.bvecs", "faiss, TEXMEX", "uint8 rows")(lambda path: vecs(path, BASE.astype("u1")))
case("ragged.fvecs", "by hand", "a row of another length", refused="expected dimension 16 as in row 0, found")(
    lambda path: path.write_bytes(b"".join(
        struct.pack("<i", 16 if row != 5 else 3) + BASE[row].tobytes() for row in range(300))))
case("base.fbin", "big-ann", "float32")(lambda path: bin_(path, BASE))
case("base.u8bin", "big-ann", "uint8")(lambda path: bin_(path, BASE.astype("u1")))
case("base.i8bin", "big-ann", "int8")(lambda path: bin_(path, BASE.astype("i1")))
case("base.bin", "big-ann", "float32, no known extension", arguments="--format fbin")(lambda path: bin_(path, BASE))
case("base-bin", "big-ann", "float32, without --format", refused="unknown extension: expected --format")(
    lambda path: bin_(path, BASE))
case("cut.u8bin", "big-ann", "uint8, truncated", refused="expected 4808 bytes for 300 x 16 u8 rows, found 4000")(
    lambda path: (bin_(path, BASE.astype("u1")), path.write_bytes(path.read_bytes()[:4000])))
case("huge.fbin", "by hand", "a header of 2^32 - 1 rows and columns", refused="more than can be addressed")(
    lambda path: path.write_bytes(b"\xff" * 8))


def truth(kind):
    return np.argsort(nearest(BASE, NEAR)[1], axis=1, kind="stable")[:, :10].astype(kind)


case("truth.ivecs", "faiss, TEXMEX", "int32 ground truth", command="bench")(lambda path: vecs(path, truth("i4")))
case("truth.ibin", "big-ann", "int32 ground truth", command="bench")(lambda path: bin_(path, truth("i4")))
arrays("truth.npy", "int64 ground truth, as faiss returns it", truth("i8"), command="bench")
arrays("truth-u8.npy", "uint64 ground truth, as hnswlib returns it", truth("u8"), command="bench")
case("groundtruth.ibin", "big-ann", "ids, then distances", command="bench", refused="(trailing bytes?)")(
    lambda path: path.write_bytes(
        struct.pack("<II", 8, 10) + truth("i4").tobytes() + np.zeros((8, 10), "f4").tobytes()))


@case("shards", "numpy", "a folder of three files")
def _(path):
    path.mkdir()
    for shard in range(3):
        np.save(path / f"part-{shard}.npy", BASE[shard * 100:][:100])


@case("mixed", "numpy", "a folder whose files differ", refused="part-1.npy: expected rows of 16 as in")
def _(path):
    path.mkdir()
    np.save(path / "part-0.npy", BASE[:, :16])
    np.save(path / "part-1.npy", BASE[:, :15])


case("stdin.npy", "numpy", "standard input", stdin=True, arguments="--format npy")(lambda path: np.save(path, BASE))
case("lines.jsonl", "json", "a line for each row")(lambda path: path.write_text("".join(
    f'{{"id": "{name}", "vector": {row.tolist()}}}\n' for name, row in zip(IDS, BASE))))
case("ids.txt", "by hand", "text ids, a line each", command="names")(
    lambda path: path.write_text("".join(f"{name}\n" for name in IDS)))
