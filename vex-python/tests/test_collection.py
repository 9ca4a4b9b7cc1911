"""Collections: rows that survive, filters, snapshots, maintenance."""

import errno
import subprocess
import sys
from pathlib import Path
from typing import Any

import exact
import numpy as np
import pytest
from vex_index import Collection, Reader, Schema, Snapshot, VexError

DIM = 8
SCHEMA = Schema(DIM, model="a-model", fields={"lang": str, "year": "int", "size": float, "new": bool, "doc": "stored"})
VECTORS = exact.random(600, DIM, 1)


def fields(row: int) -> dict[str, Any]:
    return {
        "lang": ["de", "en", "fr"][row % 3],
        "year": 2000 + row % 25,
        "size": row / 4,
        "new": row % 2 == 0,
        "doc": f"document {row}",
    }


@pytest.fixture
def notes(tmp_path: Path) -> Any:
    with Collection.create(tmp_path / "notes.vexdb", SCHEMA, seal_at=200) as notes:
        done = notes.upsert_many([f"n{row:03}" for row in range(600)], VECTORS, [fields(row) for row in range(600)])
        assert (done.inserted, done.replaced, done.deleted) == (600, 0, 0)
        yield notes


def nearest(query: Any, rows: Any, k: int) -> list[str]:
    order = exact.nearest("cosine", VECTORS[rows], query[None], k)[0]
    return [f"n{np.asarray(rows)[at]:03}" for at in order]


def test_rows_are_found(notes: Collection) -> None:
    query = exact.random(1, DIM, 2)[0]
    hits = notes.search(query, k=5, ef_search=200, fetch=["doc", "year"])
    assert [hit.id for hit in hits] == nearest(query, np.arange(600), 5)
    assert all(hit.row == {"doc": f"document {int(hit.id[1:])}", "year": fields(int(hit.id[1:]))["year"]} for hit in hits)
    assert [hit.distance for hit in hits] == sorted(hit.distance for hit in hits)
    assert notes.search(query, k=1, fetch=True)[0].row == fields(int(hits[0].id[1:]))
    assert notes.search(query, k=1)[0].row == {} == notes.search(query, k=1, fetch=False)[0].row
    assert notes.search(query, k=1, fetch="doc")[0].row.keys() == {"doc"}
    assert len(notes.search(query, k=1000)) == 600
    assert repr(hits[0]).startswith("Hit(id='n")


@pytest.mark.parametrize(
    ("where", "params", "matches"),
    [
        ("lang = ?", ["de"], lambda row: row % 3 == 0),
        ("lang = ? and year >= ?", ["en", 2010], lambda row: row % 3 == 1 and row % 25 >= 10),
        ("lang in (?, ?) or size < ?", ("fr", "en", np.float32(10.5)), lambda row: row % 3 or row < 42),
        ("not new = ? and year between ? and ?", [True, np.int64(2003), np.uint16(2005)], lambda row: row % 2 and 3 <= row % 25 <= 5),
        ("new = ?", [np.bool_(True)], lambda row: row % 2 == 0),
        ("lang prefix 'd' and year is not null", None, lambda row: row % 3 == 0),
        ("lang is null", (), lambda row: False),
    ],
)
def test_filters_are_texts_with_parameters(notes: Collection, where: str, params: Any, matches: Any) -> None:
    query, rows = exact.random(1, DIM, 3)[0], [row for row in range(600) if matches(row)]
    hits = notes.search(query, k=10, ef_search=300, where=where, params=params)
    assert [hit.id for hit in hits] == (nearest(query, rows, 10) if rows else [])
    scrolled = [record.id for record in notes.scroll(where=where, params=params)]
    assert scrolled == [f"n{row:03}" for row in rows]


def test_many_queries_at_once(notes: Collection) -> None:
    queries = exact.random(20, DIM, 4)
    for threads in (None, 1, 3):
        found = notes.search_many(queries, k=3, where="year > 2005", threads=threads)
        for query, hits in zip(queries, found, strict=True):
            assert [hit.id for hit in hits] == [hit.id for hit in notes.search(query, k=3, where="year > 2005")]
    assert notes.search_many(queries[:0]) == []
    queries[7, 0] = np.nan
    with pytest.raises(ValueError, match="query 7: query: expected finite elements"):
        notes.search_many(queries)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda notes: notes.search(VECTORS[0], where="lang ="), ValueError, "filter, byte 6: expected a value"),
        (lambda notes: notes.search(VECTORS[0], where="lang = ?"), ValueError, r"expected 1 parameters, one for each `\?`, found 0"),
        (lambda notes: notes.search(VECTORS[0], params=["de"]), ValueError, "params: expected none without `where`"),
        (lambda notes: notes.search(VECTORS[0], where="lang = ?", params="d"), TypeError, "params: expected a list of values"),
        (lambda notes: notes.search(VECTORS[0], where="lang = ?", params=[object()]), TypeError, "params: expected str, int, float or bool, found object"),
        (lambda notes: notes.search(VECTORS[0], where="color = 1"), ValueError, "color"),
        (lambda notes: notes.search(VECTORS[0], where="doc = 'x'"), ValueError, "doc"),
        (lambda notes: notes.search(VECTORS[0], where="year = 'x'"), ValueError, "year"),
        (lambda notes: notes.search(VECTORS[0], fetch=["color"]), ValueError, 'no field "color" in the collection'),
        (lambda notes: notes.search(VECTORS[0, :5]), ValueError, "query: expected 8 dimensions, found 5 columns"),
        (lambda notes: notes.search(VECTORS[:2]), ValueError, "query: expected one vector, found an array of two"),
        (lambda notes: notes.near("n999"), KeyError, "no row .*n999"),
        (lambda notes: notes.recommend([]), ValueError, "recommend: expected one or more ids"),
        (lambda notes: notes.groups(VECTORS[:2], "lang"), ValueError, "query: expected one vector"),
        (lambda notes: notes.upsert("", VECTORS[0]), ValueError, 'row "": the id is empty'),
        (lambda notes: notes.upsert("a", VECTORS[0] * np.nan), ValueError, 'row "a": expected finite elements'),
        (lambda notes: notes.upsert("a", VECTORS[0] * 0), ValueError, 'row "a": expected a vector with a direction'),
        (lambda notes: notes.upsert("a", VECTORS[:1]), ValueError, "vector: expected one vector"),
        (lambda notes: notes.upsert("a", VECTORS[0], color="red"), ValueError, 'no field "color"'),
        (lambda notes: notes.upsert("a", VECTORS[0], year="red"), ValueError, 'field year: expected int, found "red"'),
        (lambda notes: notes.upsert("a", VECTORS[0], year=2**63), ValueError, "field year: expected -9223372036854775808 to"),
        (lambda notes: notes.upsert("a", VECTORS[0], year=[1]), TypeError, "field year: expected str, int, float or bool, found list"),
        (lambda notes: notes.upsert("a", VECTORS[0], size=float("nan")), ValueError, "field size: expected a number, found NaN"),
        (lambda notes: notes.upsert("a", VECTORS[0], 5), TypeError, "int"),
        (lambda notes: notes.upsert_many(["a"], VECTORS[:2]), ValueError, "vectors: expected one for each of 1 ids, found 2"),
        (lambda notes: notes.upsert_many(["a"], VECTORS[:1], []), ValueError, "rows: expected one for each of 1 ids, found 0"),
        (lambda notes: notes["n999"], KeyError, "no row .*n999"),
    ],
)
def test_what_does_not_fit_changes_nothing(notes: Collection, call: Any, error: type[Exception], message: str) -> None:
    commits = notes.commits
    with pytest.raises(error, match=message):
        call(notes)
    assert (len(notes), notes.commits) == (600, commits)


def test_it_is_a_mapping(notes: Collection) -> None:
    assert len(notes) == 600 and "n001" in notes and "x" not in notes and 5 not in notes
    assert list(notes) == [f"n{row:03}" for row in range(600)]
    record = notes["n017"]
    assert record.id == "n017" and record.row == fields(17)
    assert record.vector is not None
    np.testing.assert_allclose(record.vector, VECTORS[17] / np.linalg.norm(VECTORS[17]), rtol=1e-5)
    assert notes.get("x") is None
    del notes["n017"]
    assert "n017" not in notes and len(notes) == 599
    with pytest.raises(KeyError, match="no row .*n017"):
        del notes["n017"]
    assert notes.delete("n018") and not notes.delete("n018")
    notes.upsert("n019", VECTORS[0], {"lang": "it", "year": None}, size=3)
    assert notes["n019"].row == {"lang": "it", "size": 3.0} and isinstance(notes["n019"].row["size"], float)


def test_near_recommend_and_groups(notes: Collection) -> None:
    others = [row for row in range(600) if row != 7]
    assert [hit.id for hit in notes.near("n007", k=4, ef_search=300)] == nearest(VECTORS[7], others, 4)
    hits = notes.recommend(["n007", "n008"], ["n100"], k=5, where="lang = 'de'")
    assert len(hits) == 5 and all(int(hit.id[1:]) % 3 == 0 for hit in hits)
    groups = notes.groups(VECTORS[7], "lang", k=3, per_group=2, fetch=["year"])
    assert {group.value for group in groups} == {"de", "en", "fr"}
    assert all(len(group.hits) == 2 and group.hits[0].row.keys() == {"year"} for group in groups)
    assert len(notes.search(VECTORS[7], k=5, diverse=0.5)) == 5


def test_scrolls_are_pages(notes: Collection) -> None:
    assert [record.id for record in notes.scroll(after="n596")] == ["n597", "n598", "n599"]
    assert [record.id for record in notes.scroll(limit=2)] == ["n000", "n001"]
    assert len(list(notes.scroll(limit=300, where="year >= 2000"))) == 300
    record = next(notes.scroll(fetch=["lang"], vectors=True))
    assert record.row == {"lang": "de"} and record.vector is not None and record.vector.shape == (DIM,)
    assert next(notes.scroll(limit=1)).vector is None
    assert list(notes.scroll(limit=0)) == []
    walk = notes.scroll()
    next(walk)
    notes.delete("n300")
    # A walk is of one moment.
    assert len(list(walk)) == 599


def test_batches_are_one_step(notes: Collection) -> None:
    with notes.batch() as batch:
        batch.upsert("a", VECTORS[0], lang="de")
        batch.upsert("a", VECTORS[1], {"lang": "en"})
        batch.upsert("n000", VECTORS[2])
        batch.upsert_many(["b", "c"], VECTORS[:2])
        batch.delete("n001")
        batch.delete("nothing")
        assert len(batch) == 6 and "a" not in notes and batch.committed is None
    done = batch.committed
    assert done is not None and (done.inserted, done.replaced, done.deleted) == (3, 1, 1)
    assert notes["a"].row == {"lang": "en"} and "n001" not in notes
    with pytest.raises(ValueError, match="the batch is committed"):
        batch.delete("a")
    with pytest.raises(RuntimeError), notes.batch() as dropped:
        dropped.delete("a")
        raise RuntimeError
    assert "a" in notes and dropped.committed is None
    with pytest.raises(ValueError, match="the batch was dropped"):
        dropped.commit()
    with notes.batch() as early:
        early.delete("a")
        assert early.commit().deleted == 1
    assert "a" not in notes


def test_snapshots_stay(notes: Collection) -> None:
    before = notes.snapshot()
    assert isinstance(before, Snapshot)
    notes.delete("n000")
    assert len(before) == 600 and "n000" in before and len(notes) == 599
    assert before.commits < notes.commits
    assert before.search(VECTORS[0], k=1)[0].id == "n000" != notes.search(VECTORS[0], k=1)[0].id
    assert before.snapshot().commits == before.commits


def test_rows_are_there_after_opening_again(notes: Collection, tmp_path: Path) -> None:
    path = tmp_path / "notes.vexdb"
    notes.upsert("last", VECTORS[3], lang="de", doc="the last")
    query = exact.random(1, DIM, 5)[0]
    expected = [hit.id for hit in notes.search(query, k=20)]
    with pytest.raises(VexError, match="another process or handle has it open for writing"):
        Collection.open(path)
    notes.close()
    with Collection.open(path) as again:
        assert again.schema == SCHEMA and len(again) == 601
        assert again["last"].row == {"lang": "de", "doc": "the last"}
        assert [hit.id for hit in again.search(query, k=20)] == expected
        again.verify()
    with Collection.open_or_create(path, SCHEMA) as again:
        assert len(again) == 601
    with pytest.raises(ValueError, match="dimension: expected 9, found 8 in the collection"):
        Collection.open_or_create(path, Schema(9))
    with pytest.raises(FileExistsError, match="there is a collection already"):
        Collection.create(path, SCHEMA)


def test_commits_survive_a_kill(tmp_path: Path) -> None:
    code = """
import os, sys, numpy as np
from vex_index import Collection, Schema
notes = Collection.create(sys.argv[1], Schema(2, fields={"n": int}))
for n in range(20):
    notes.upsert(f"r{n}", [1.0, float(n)], n=n)
with notes.batch() as batch:
    batch.upsert("lost", [1.0, 2.0])
    os._exit(9)
"""
    path = tmp_path / "killed.vexdb"
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == 9
    with Collection.open(path) as notes:
        assert len(notes) == 20 and "lost" not in notes and notes["r7"].row == {"n": 7}


def test_readers_see_each_commit(notes: Collection, tmp_path: Path) -> None:
    with Reader.open(tmp_path / "notes.vexdb") as reader:
        assert len(reader) == 600
        notes.upsert("more", VECTORS[0])
        assert len(reader) == 601 and "more" in reader and reader.search(VECTORS[0], k=2)
        assert not hasattr(reader, "upsert")


def test_maintenance_and_copies(notes: Collection, tmp_path: Path) -> None:
    calls: list[tuple[int, int, int]] = []
    for row in range(300):
        notes.upsert(f"m{row}", VECTORS[row])
    report = notes.maintain(progress=lambda steps, linked, rows: calls.append((steps, linked, rows)))
    assert report.sealed + report.merged >= 1 and report.skipped == 0
    assert calls and calls[-1][1] == calls[-1][2]
    stats = notes.stats()
    assert stats.rows == 900 == stats.pending + sum(segment.rows for segment in stats.segments)
    assert stats.bytes >= stats.store_bytes > 0 and "segment" in str(stats) and stats.maintenance_error is None
    notes.backup(tmp_path / "copy.vexdb")
    notes.delete("n000")
    with Collection.open(tmp_path / "copy.vexdb") as copy:
        assert len(copy) == 900
        copy.verify()
    with pytest.raises(FileExistsError):
        notes.backup(tmp_path / "copy.vexdb")
    notes.flush()


def test_an_exception_ends_maintenance(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c.vexdb", Schema(DIM), maintenance="manual", seal_at=100) as rows:
        rows.upsert_many([str(row) for row in range(600)], VECTORS)
        with pytest.raises(ZeroDivisionError):
            rows.maintain(progress=lambda *_: 1 // 0)
        assert len(rows) == 600 and rows.stats().pending == 600
        assert rows.maintain().sealed >= 1 and rows.stats().pending == 0


def test_maintenance_does_not_wait_for_itself(tmp_path: Path) -> None:
    with Collection.create(tmp_path / "c.vexdb", Schema(DIM), maintenance="manual", seal_at=100) as rows:
        rows.upsert_many([str(row) for row in range(600)], VECTORS)
        with pytest.raises(ValueError, match="maintenance is in use by the call that this one interrupts"):
            rows.maintain(progress=lambda *_: rows.maintain())
        assert rows.maintain().sealed >= 1


def test_another_model(notes: Collection, tmp_path: Path) -> None:
    schema = Schema(3, model="larger", fields=notes.schema.fields)
    with Collection.create(tmp_path / "new.vexdb", schema) as new:
        def embed(records: list[Any]) -> Any:
            return [[float(len(record.row["doc"])), record.row["size"], 1.0] for record in records]

        assert notes.reembed(new, embed) == (600, 0, 0)
        assert notes.reembed(new, embed) == (0, 600, 0)
        assert new["n005"].row == fields(5)
        with pytest.raises(ZeroDivisionError):
            notes.upsert("x", VECTORS[0])
            notes.reembed(new, lambda records: [1.0 / 0])
        with pytest.raises(ValueError, match="embed: expected 1 vectors, found 2"):
            notes.reembed(new, lambda records: np.ones((2, 3)))


@pytest.mark.parametrize("maintenance", ["background", "manual", "on-commit"])
@pytest.mark.parametrize("durability", ["commit", "none", 0.5])
def test_options(tmp_path: Path, maintenance: str, durability: Any) -> None:
    path = tmp_path / "c.vexdb"
    options: Any = {"maintenance": maintenance, "durability": durability, "seal_at": 50, "threads": 1, "quantization": None}
    with Collection.create(path, Schema(DIM), **options) as rows:
        for start in range(0, 600, 40):
            rows.upsert_many([str(row) for row in range(start, start + 40)], VECTORS[start : start + 40])
        rows.flush()
    with Collection.open(path, verify=True, wait=True, cache=1 << 20, memory_limit=None) as rows:
        assert len(rows) == 600


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threads": 0}, ValueError, "threads: expected 1 or more, found 0"),
        ({"m": 1}, ValueError, "m: expected 4 to 512, found 1"),
        ({"durability": "maybe"}, ValueError, "durability: expected commit, none, or a number of seconds, found maybe"),
        ({"durability": -1}, ValueError, "durability: expected seconds of 0 or more, found -1"),
        ({"maintenance": "never"}, ValueError, "maintenance: expected on-commit, background or manual, found never"),
        ({"speed": 1}, TypeError, "found the keyword speed"),
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Collection.create(tmp_path / "c.vexdb", Schema(DIM), **options)


def test_paths_that_are_no_collection(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no collection there"):
        Collection.open(tmp_path / "missing.vexdb")
    with pytest.raises(FileNotFoundError, match="no collection there"):
        Reader.open(tmp_path / "missing.vexdb")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("a file")
    for name in ("file", "folder"):
        with pytest.raises(VexError, match="expected a collection or an empty folder"):
            Collection.open_or_create(tmp_path / name, SCHEMA)
    with pytest.raises(OSError) as caught:
        Collection.create(tmp_path / "no" / "parent.vexdb", SCHEMA)
    assert caught.value.errno in (errno.ENOENT, None)


def test_damage_is_found(notes: Collection, tmp_path: Path) -> None:
    path = tmp_path / "notes.vexdb"
    notes.maintain()
    notes.close()
    segment = next(file for file in sorted(path.iterdir()) if file.suffix == ".vex")
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    segment.write_bytes(damaged)
    with pytest.raises(VexError), Collection.open(path) as again:
        again.verify()


def test_named_vectors(tmp_path: Path) -> None:
    schema = Schema(2, metric="l2", fields={"row": int}, vectors={"title": 3, "cover": (4, "ip")})
    assert schema.vectors == {"title": (3, "squared-euclidean"), "cover": (4, "inner-product")}
    assert "vectors={" in repr(schema) and schema != Schema(2, metric="l2", fields={"row": int})
    texts, titles = exact.random(50, 2, 1), exact.random(50, 3, 2)
    ids = [f"b{row:02}" for row in range(50)]
    with Collection.create(tmp_path / "books.vexdb", schema, seal_at=20) as books:
        books.upsert_many(ids[:30], texts[:30], [{"row": row} for row in range(30)], named={"title": titles[:30]})
        books.upsert_many(ids[30:40], texts[30:40], [{"row": row, "title": titles[row]} for row in range(30, 40)])
        with books.batch() as batch:
            for row in range(40, 45):
                batch.upsert(ids[row], texts[row], row=row, title=titles[row], cover=None)
            batch.upsert_many(ids[45:], texts[45:])
        books.upsert("b49", texts[49], {"cover": [1, 2, 3, 4]})
        for query in exact.random(10, 3, 3):
            expected = exact.nearest("squared-euclidean", titles[:45], query[None], 5)[0]
            hits = books.search(query, k=5, ef_search=200, by="title")
            assert [hit.id for hit in hits] == [ids[row] for row in expected]
            assert [hit.id for hit in books.search_many(query[None], k=5, ef_search=200, by="title")[0]] == [
                hit.id for hit in hits
            ]
        assert len(books.search(titles[0], k=100, by="title")) == 45
        assert {hit.id for hit in books.near("b00", k=100, by="title")} == {*ids[1:45]}
        assert books.groups(titles[3], "row", k=1, by="title", ef_search=200)[0].value == 3
        record = books["b03"]
        assert record.named.keys() == {"title"} and record.row == {"row": 3}
        np.testing.assert_array_equal(record.named["title"], titles[3])
        assert books["b49"].named["cover"].tolist() == [1, 2, 3, 4]
        walked = list(books.scroll(vectors=True))
        assert sum(len(record.named) for record in walked) == 46
        assert all(record.named == {} for record in books.scroll())
        assert {segment.vector for segment in books.stats().segments} == {"", "title"}
        calls: list[tuple[Any, str]] = [
            (lambda: books.upsert("x", texts[0], title=[1.0, 2.0]), "title: expected 3 dimensions, found 2"),
            (lambda: books.search(titles[0], by="lang"), 'no vector "lang" in the collection, which has title, cover'),
            (lambda: books.near("b49", by="title"), 'row "b49": no vector "title"'),
            (lambda: books.search(texts[0], by="title"), "query: expected 3 dimensions, found 2"),
            (lambda: books.upsert_many(["x"], texts[:1], named={"title": titles[:2]}), "title: expected one for each"),
        ]
        for call, message in calls:
            with pytest.raises((ValueError, KeyError), match=message):
                call()
        both = [{"title": titles[0]}]
        with pytest.raises(ValueError, match="title: given in rows and in named"):
            books.upsert_many(["x"], texts[:1], both, named={"title": titles[:1]})
        books.upsert_many(["b00"], texts[:1], [{"row": 0, "title": titles[0]}], named={"title": None, "cover": None})
        with pytest.raises(TypeError, match=r"vector a: expected a dimension, or \(dimension, metric\), found \[2\]"):
            Schema(2, vectors={"a": [2]})  # type: ignore[dict-item]
        with pytest.raises(TypeError, match="expected upsert"):
            books["x"] = texts[0]
        assert len(books) == 50 and "x" not in books
        books.verify()


def test_schemas() -> None:
    assert (SCHEMA.dim, SCHEMA.metric, SCHEMA.model) == (DIM, "cosine", "a-model")
    assert SCHEMA.fields == {"lang": "text", "year": "int", "size": "float", "new": "bool", "doc": "stored"}
    assert eval(repr(SCHEMA)) == SCHEMA != Schema(DIM)
    with pytest.raises(ValueError, match="field x: expected text, int, float, bool or stored, found bytes"):
        Schema(3, fields={"x": bytes})  # type: ignore[dict-item]


def test_schemas_are_checked_at_creation(tmp_path: Path) -> None:
    for schema, message in [
        (Schema(0), "dimension: expected 1 to 65536, found 0"),
        (Schema(2, metric="hamming"), "vectors of f32 have no hamming distance"),
        (Schema(2, fields={"a b": str}), "name: expected a letter or _"),
        (Schema(2, model=""), "the name of the model is empty"),
    ]:
        with pytest.raises(ValueError, match=message):
            Collection.create(tmp_path / "c.vexdb", schema)


def test_closed_collections_say_so(notes: Collection) -> None:
    snapshot = notes.snapshot()
    notes.close()
    notes.close()
    for call in (lambda: len(notes), lambda: notes.search(VECTORS[0]), lambda: notes.upsert("a", VECTORS[0]), notes.batch):
        with pytest.raises(ValueError, match="the collection is closed"):
            call()
    assert repr(notes) == "Collection(closed)" and len(snapshot) == 600
