"""The files of pandas, pyarrow and h5py. Importing this adds them to the cases."""

import numpy as np

from cases import arrays, case, truth
from data import BASE, BITS, IDS, NEAR

PANDAS, ARROW, H5PY = ("pandas", "pyarrow"), ("pyarrow",), ("h5py",)


def list_of_f32():
    import pyarrow

    return pyarrow.list_(pyarrow.float32())


def frame():
    import pandas

    return pandas.DataFrame({"id": IDS, "vector": list(BASE)})


def lists(kind, size=None):
    import pyarrow

    numbers = pyarrow.array(BASE.ravel().astype(kind.to_pandas_dtype()), kind)
    if size is not None:
        return pyarrow.FixedSizeListArray.from_arrays(numbers, size)
    offsets = np.arange(0, BASE.size + 1, BASE.shape[1]).astype("i4")
    return pyarrow.ListArray.from_arrays(offsets, numbers)


def table(column):
    import pyarrow

    return pyarrow.table({"id": IDS, "vector": column})


def parquet(path, column, **options):
    import pyarrow.parquet

    pyarrow.parquet.write_table(table(column), path, **options)


def parquet_case(name, what, kind, size=None, options={}, **rest):
    def make(path):
        import pyarrow

        parquet(path, lists(getattr(pyarrow, kind)(), size), **options)

    case(name, "pyarrow", what, needs=ARROW, **rest)(make)


case("columns.csv", "pandas", "to_csv, a column for each element", needs=PANDAS)(
    lambda path: __import__("pandas").DataFrame(BASE, columns=[f"c{i}" for i in range(16)]).to_csv(path))
case("unnamed.csv", "pandas", "to_csv of columns without names", needs=PANDAS,
     note="the first line, 0,1,…, is taken for a header")(
    lambda path: __import__("pandas").DataFrame(BASE).to_csv(path, index=False))
case("cells.csv", "pandas", "to_csv, arrays in one column", needs=PANDAS)(lambda path: frame().to_csv(path))
case("frame.jsonl", "pandas", "to_json, lines", needs=PANDAS)(
    lambda path: frame().assign(vector=BASE.tolist()).to_json(path, orient="records", lines=True))
case("frame.parquet", "pandas", "to_parquet", needs=PANDAS)(lambda path: frame().to_parquet(path))
case("frame.feather", "pandas", "to_feather (LZ4)", needs=PANDAS)(lambda path: frame().to_feather(path))
case("names.parquet", "pandas", "text ids in a column", needs=PANDAS, command="names", arguments="--id-column id")(
    lambda path: frame().to_parquet(path))

parquet_case("list-f32.parquet", "list of float", "float32")
parquet_case("list-f64.parquet", "list of double", "float64", note="numbers of f64 are read as f32")
parquet_case("fixed-f16.parquet", "fixed-size list of float16", "float16", 16)
parquet_case("fixed-u8.parquet", "fixed-size list of uint8", "uint8", 16)
parquet_case("zstd.parquet", "Zstandard, small groups", "float32", 16, {"compression": "zstd", "row_group_size": 64})
parquet_case("gzip.parquet", "gzip, pages of version 2", "float32", None, {"compression": "gzip", "data_page_version": "2.0"})
parquet_case("brotli.parquet", "Brotli", "float32", None, {"compression": "brotli"}, refused="brotli")
parquet_case("rows.parquet", "rows of a collection", "float32", command="put")
case("rows.csv", "pandas", "rows of a collection", needs=PANDAS, command="put")(
    lambda path: frame().assign(vector=[str(row.tolist()) for row in BASE]).to_csv(path))


@case("rows.arrow", "pyarrow", "rows of a collection", needs=ARROW, command="put")
def _(path):
    import pyarrow.feather

    pyarrow.feather.write_feather(table(lists(pyarrow.float64(), 16)), str(path))


@case("file.arrow", "pyarrow", "IPC file", needs=ARROW)
def _(path):
    import pyarrow

    rows = table(lists(pyarrow.float32()))
    with pyarrow.ipc.new_file(path, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=70)


@case("stream.arrow", "pyarrow, datasets", "IPC stream", needs=ARROW)
def _(path):
    import pyarrow

    rows = table(lists(pyarrow.float32(), 16))
    with pyarrow.ipc.new_stream(path, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=70)


@case("cut.parquet", "pyarrow", "Parquet, truncated", needs=ARROW, refused="cut.parquet: ")
def _(path):
    import pyarrow

    parquet(path, lists(pyarrow.float32()))
    path.write_bytes(path.read_bytes()[:-100])


@case("cut.arrow", "pyarrow", "IPC file, truncated", needs=ARROW, refused="cut.arrow: ")
def _(path):
    import pyarrow.feather

    pyarrow.feather.write_feather(table(lists(pyarrow.float32())), str(path))
    path.write_bytes(path.read_bytes()[:-100])


@case("null.parquet", "pyarrow", "a null among the vectors", needs=ARROW,
      refused="row 1: expected a list, found null")
def _(path):
    import pyarrow

    parquet(path, pyarrow.array([None if row == 1 else BASE[row].tolist() for row in range(300)], list_of_f32()))


@case("ragged.parquet", "pyarrow", "a vector of another length", needs=ARROW,
      refused="row 2: expected 16 numbers as in row 0, found 3")
def _(path):
    import pyarrow

    parquet(path, pyarrow.array([BASE[row][:3 if row == 2 else 16].tolist() for row in range(300)], list_of_f32()))


@case("texts.parquet", "pyarrow", "no column of lists", needs=ARROW,
      refused="expected a column of lists, found id")
def _(path):
    import pyarrow.parquet

    pyarrow.parquet.write_table(pyarrow.table({"id": IDS}), path)


def hdf5(name, what, write, **options):
    def make(path):
        import h5py

        with h5py.File(path, "w") as file:
            write(file)

    case(name, "h5py", what, needs=H5PY, **options)(make)


def benchmark(file, **options):
    file.create_dataset("train", data=BASE, **options)
    file.create_dataset("test", data=NEAR, **options)
    file.create_dataset("neighbors", data=truth("i4"), **options)
    file.create_dataset("distances", data=np.zeros((8, 10), "f4"), **options)


hdf5("sift.hdf5", "ann-benchmarks: train", benchmark)
hdf5("queries.hdf5", "ann-benchmarks: test", benchmark, command="search")
hdf5("truth.hdf5", "ann-benchmarks: neighbors", benchmark, command="bench")
hdf5("gzip.h5", "chunks, shuffled, gzip", lambda file: benchmark(file, chunks=(7, 5), compression="gzip", shuffle=True))
hdf5("f64.h5", "float64, --column", lambda file: file.create_dataset("group/x", data=BASE.astype("f8")),
     arguments="--column group/x", note="numbers of f64 are read as f32")
hdf5("f16.h5", "float16, big-endian", lambda file: file.create_dataset("train", data=BASE.astype(">f2")))
hdf5("bool.h5", "bool, a bit each", lambda file: file.create_dataset("train", data=BITS), bits=True,
     arguments="--metric hamming")
hdf5("other.h5", "no dataset of a usual name", lambda file: file.create_dataset("x", data=BASE),
     refused="expected a dataset vector, or --column, found x")
hdf5("text.h5", "a dataset of text", lambda file: file.create_dataset("train", data=IDS),
     refused="expected numbers in the dataset train, found ")


@case("cut.h5", "h5py", "HDF5, truncated", needs=H5PY, refused="cut.h5: ")
def _(path):
    import h5py

    with h5py.File(path, "w") as file:
        benchmark(file)
    path.write_bytes(path.read_bytes()[:5000])
