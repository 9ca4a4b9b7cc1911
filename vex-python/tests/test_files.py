"""Files: saved, opened in all ways, damaged, pickled."""

import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import exact
import numpy as np
import pytest
from vex_index import Index, MappedIndex, VexError

BASE = exact.random(2000, 16, 1)
QUERIES = exact.random(30, 16, 2)


@pytest.fixture(scope="module")
def built() -> Index:
    return Index.build(BASE, np.arange(2000) * 3, metric="l2", seed=5)


@pytest.fixture
def path(built: Index, tmp_path: Path) -> Path:
    path = tmp_path / "index.vex"
    built.save(path)
    return path


@pytest.mark.parametrize("mode", ["load", "map", "near", "read"])
def test_a_saved_index_gives_the_same(built: Index, path: Path, mode: Any) -> None:
    expected = built.search(QUERIES, k=7)
    with Index.load(path) if mode == "load" else MappedIndex.open(path, mode) as opened:
        many, one = opened.search(QUERIES, k=7), opened.search(QUERIES[0], k=7)
        for part in (0, 1):
            np.testing.assert_array_equal(many[part], expected[part])
            np.testing.assert_array_equal(one[part], expected[part][0])
        np.testing.assert_array_equal(
            opened.search(QUERIES, filter=[3, 6])[0], built.search(QUERIES, filter=[3, 6])[0]
        )
        np.testing.assert_array_equal(
            opened.search_radius(QUERIES, 20.0)[0], built.search_radius(QUERIES, 20.0)[0]
        )
        assert len(opened) == 2000 and 3 in opened and 1 not in opened
        assert (opened[3] == BASE[1]).all() and (opened.get([3, 0, 3]) == BASE[[1, 0, 1]]).all()
        assert sorted(opened) == sorted(opened.keys().tolist()) == [3 * row for row in range(2000)]
        assert (opened.dim, opened.metric, opened.dtype, opened.m) == (16, "squared-euclidean", "f32", 16)
        assert opened.ef_construction == 200 and opened.quantization == built.quantization
        assert opened.path == path
    with pytest.raises(ValueError, match="the index is closed"):
        opened.search(QUERIES)


def test_the_same_vectors_give_the_same_bytes(path: Path, tmp_path: Path) -> None:
    for threads in (1, 3):
        again = Index.build(BASE, np.arange(2000) * 3, metric="l2", seed=5, threads=threads)
        again.save(str(tmp_path / "again.vex"))
        assert (tmp_path / "again.vex").read_bytes() == path.read_bytes()


def test_vectors_are_stored_as_asked(built: Index, tmp_path: Path) -> None:
    half, none = tmp_path / "half.vex", tmp_path / "none.vex"
    built.save(half, store="f16")
    assert MappedIndex.open(half).dtype == "f16"
    built.save(none, store="none")
    codes = MappedIndex.open(none)
    assert exact.recall(codes.search(QUERIES)[0], built.search(QUERIES)[0]) > 0.7
    with pytest.raises(VexError, match="the index has codes and no vectors to compare"):
        codes[3]
    with pytest.raises(ValueError, match="store: expected all, f16 or none, found some"):
        built.save(none, store="some")  # type: ignore[arg-type]


def test_damage_is_found(path: Path) -> None:
    bytes_ = bytearray(path.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    path.write_bytes(bytes_)
    with pytest.raises(VexError, match="could not open .*index.vex"):
        Index.load(path)
    mapped = MappedIndex.open(path)
    for threads in (None, 1, 2):
        with pytest.raises(VexError):
            mapped.verify(threads=threads)
    # Damage gives wrong neighbors at worst.
    assert mapped.search(QUERIES)[0].shape == (30, 10)


@pytest.mark.parametrize("kept", [0, 1, 63, 64, 500, -1])
def test_files_that_were_cut_short(path: Path, kept: int) -> None:
    path.write_bytes(path.read_bytes()[:kept])
    for call in (Index.load, MappedIndex.open, lambda path: MappedIndex.open(path, "near")):
        with pytest.raises(VexError, match="could not open .*index.vex: "):
            call(path)


def test_files_that_are_no_index(tmp_path: Path) -> None:
    missing, text = tmp_path / "missing.vex", tmp_path / "text.vex"
    with pytest.raises(FileNotFoundError, match="could not open .*missing.vex: ") as caught:
        Index.load(missing)
    assert caught.value.errno in (errno.ENOENT, None)
    text.write_text("not an index" * 100)
    for call in (Index.load, MappedIndex.open):
        with pytest.raises(VexError, match="could not open .*text.vex"):
            call(text)
        with pytest.raises((OSError, VexError), match="could not open"):
            call(tmp_path)
    with pytest.raises(ValueError, match="mode: expected map, near or read, found copy"):
        MappedIndex.open(text, "copy")  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_refused_at_once(built: Index, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.vex"
    os.mkfifo(pipe)
    for call in (Index.load, MappedIndex.open, built.save):
        with pytest.raises(VexError, match="regular file"):
            call(pipe)


def test_saves_into_missing_folders_are_refused(built: Index, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="could not save .*index.vex"):
        built.save(tmp_path / "missing" / "index.vex")
    assert not (tmp_path / "missing").exists()


def test_a_file_that_another_program_changed_is_kept(path: Path) -> None:
    one, other = Index.load(path), Index.load(path)
    one.add(QUERIES[0])
    one.save(path)
    other.add(QUERIES[1])
    with pytest.raises(VexError, match="expected what this index was opened from or saved as"):
        other.save(path)
    other.save(path, overwrite=True)
    assert len(Index.load(path)) == 2001


def test_a_save_replaces_a_mapped_file(built: Index, path: Path) -> None:
    mapped, grown = MappedIndex.open(path), Index.load(path)
    grown.add(QUERIES)
    grown.save(path)
    assert len(mapped) == 2000 and len(MappedIndex.open(path)) == 2030
    np.testing.assert_array_equal(mapped.search(QUERIES)[0], built.search(QUERIES)[0])


def test_a_pickle_is_a_path(path: Path) -> None:
    loaded = Index.load(path)
    for opened in (loaded, MappedIndex.open(path), MappedIndex.open(path, "read")):
        pickled = pickle.dumps(opened)
        assert len(pickled) < 1000
        again = pickle.loads(pickled)
        assert type(again) is type(opened) and again.path == path
        np.testing.assert_array_equal(again.search(QUERIES)[0], opened.search(QUERIES)[0])
    for change in (lambda: loaded.add(QUERIES[0]), lambda: loaded.remove(3), lambda: loaded.requantize("sq8")):
        loaded.save(path)
        assert pickle.loads(pickle.dumps(loaded)).path == path
        change()
        assert loaded.path is None
        with pytest.raises(ValueError, match="pickle: expected an index that is saved, found one with changes"):
            pickle.dumps(loaded)


def test_a_relative_path_is_pickled_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    pickled = [pickle.dumps(opened) for opened in (Index.load("index.vex"), MappedIndex.open("index.vex"))]
    monkeypatch.chdir("/")
    assert all(len(pickle.loads(each)) == 2000 for each in pickled)


def test_another_process_gets_the_index(path: Path, tmp_path: Path) -> None:
    (tmp_path / "pickle").write_bytes(pickle.dumps(MappedIndex.open(path)))
    code = "import pickle, sys; print(len(pickle.load(open(sys.argv[1], 'rb'))))"
    arguments: list[Any] = [sys.executable, "-c", code, tmp_path / "pickle"]
    assert subprocess.run(arguments, capture_output=True, check=True, text=True).stdout == "2000\n"
