//! Text ids: `--ids`.

use serde_json::json;

use crate::support::{Folder, bytes, floats, pipe, vectors};

fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(13, 30, 4))));
    folder.write("query.npy", vectors(&floats(&bytes(13, 2, 4))));
    folder.write("ids.txt", (0..30).map(|row| format!("note/{row}\n")).collect::<String>());
    folder
}

#[test]
fn searches_print_the_ids() {
    let folder = prepared();
    folder.succeed("build base.npy --ids ids.txt --output base.vex");
    let found = folder.succeed("search base.vex --queries query.npy -k 1");
    assert_eq!(found, "0\tnote/0:0\n1\tnote/1:0\n");
    let found = folder.json("search base.vex --queries query.npy -k 1 --json");
    let expected = json!([
        { "query": 0, "keys": [0], "ids": ["note/0"], "distances": [0.0] },
        { "query": 1, "keys": [1], "ids": ["note/1"], "distances": [0.0] },
    ]);
    assert_eq!(found, expected);
    assert!(folder.read("base.vex.ids").ends_with(b"\nnote/28\nnote/29\n"));
    // The same index as without ids.
    folder.succeed("build base.npy --output plain.vex");
    assert!(folder.read("base.vex") == folder.read("plain.vex"));
    let found = folder.json("search plain.vex --queries query.npy -k 1 --json");
    assert_eq!(found[0].get("ids"), None);
}

#[test]
fn ids_come_from_a_column_of_the_vectors() {
    let folder = prepared();
    folder.write("rows.csv", "name,vector\na/1,\"[1, 2]\"\nb 2,\"[0, 0]\"\n\"c,3\",\"[5, 5]\"\n");
    folder.write("rows.jsonl", "{\"name\": \"a/1\", \"vector\": [1, 2]}\n{\"name\": \"b 2\", \"vector\": [0, 0]}\n{\"name\": \"c,3\", \"vector\": [5, 5]}\n");
    folder.write("near.csv", "0.1,0\n");
    for rows in ["rows.csv", "rows.jsonl"] {
        folder.succeed(&format!("build {rows} --id-column name --output rows.vex"));
        let found = folder.json("search rows.vex --queries near.csv -k 3 --json");
        assert_eq!(found[0]["ids"], json!(["b 2", "a/1", "c,3"]), "{rows}");
    }
    let message = folder.run("build rows.csv --id-column title --output other.vex").stderr;
    assert_eq!(message, "error: rows.csv: expected a column title, found name, vector\n");
}

#[test]
fn skipped_rows_take_their_ids_with_them() {
    let folder = prepared();
    folder.write("rows.csv", "id,x,y\na,1,2\nb,0,0\nc,5,5\n");
    folder.write("near.csv", "1,1\n");
    folder.succeed("build rows.csv --id-column id --metric cosine --on-invalid skip --output rows.vex");
    let found = folder.json("search rows.vex --queries near.csv -k 3 --json");
    assert_eq!((&found[0]["ids"], &found[0]["keys"]), (&json!(["c", "a"]), &json!([1, 0])));
}

#[test]
fn ids_of_another_index_are_not_taken() {
    let folder = prepared();
    folder.succeed("build base.npy --ids ids.txt --output base.vex");
    let expected = "base.vex.ids: has the ids of the index that would be replaced: give --ids for the new one, or remove it";
    folder.refuse("build query.npy --output base.vex", expected);
    // As if another program had replaced the index.
    folder.succeed("build query.npy --output other.vex");
    std::fs::rename(folder.path("other.vex"), folder.path("base.vex")).unwrap();
    let message = folder.run("search base.vex --queries query.npy").stderr;
    assert!(
        message.starts_with("error: base.vex.ids: expected the ids of this index (vex ids 1 of "),
        "{message}"
    );
    assert!(message.ends_with(": build the index again with --ids, or remove the file\n"), "{message}");
    folder.write("short.txt", "a\n");
    let expected = "short.txt: expected 2 ids, one for each vector, found 1";
    folder.refuse("build query.npy --ids short.txt --output base.vex", expected);
    folder.write("twice.txt", "a\na\n");
    folder.refuse(
        "build query.npy --ids twice.txt --output base.vex",
        "twice.txt: row 1: expected every id once, found a again",
    );
}

#[test]
fn ids_may_begin_with_anything_and_end_with_a_space() {
    let folder = prepared();
    folder.write("rows.csv", "id,vector\n#rust,\"[1, 2]\"\n\"a \",\"[3, 4]\"\na,\"[5, 6]\"\n");
    folder.succeed("build rows.csv --id-column id --output rows.vex");
    assert!(folder.read("rows.vex.ids").ends_with(b"\n#rust\na \na\n"));
    folder.succeed("db create notes.vexdb --dim 2 --metric cosine");
    assert!(
        folder.succeed("db put notes.vexdb rows.csv").starts_with("notes.vexdb: 3 rows inserted, 0 replaced")
    );
    // Other names of columns, as vex build has them. The usual ones of vectors need no option.
    folder.write("titles.csv", "title,embedding\nb,\"[1, 2]\"\n");
    folder.refuse(
        "db put notes.vexdb titles.csv",
        "titles.csv: line 2: no field \"title\" in the collection, which has none",
    );
    folder.write("titles.jsonl", "{\"title\": \"c\", \"emb\": [1, 2]}\n");
    for file in ["titles.csv", "titles.csv --column embedding", "titles.jsonl"] {
        let put = folder.succeed(&format!("db put notes.vexdb {file} --id-column title"));
        assert!(put.starts_with("notes.vexdb: 1 row") || put.starts_with("notes.vexdb: 0 rows"), "{put}");
    }
    let missing = "titles.csv: expected a column text, found title, embedding";
    folder.refuse("db put notes.vexdb titles.csv --id-column text", missing);
    folder.refuse("db put notes.vexdb titles.csv --id-column title --column text", missing);
    // An id that is a field as well is both.
    folder.succeed("db create titles.vexdb --dim 2 --metric cosine --text title");
    for file in ["titles.csv", "titles.jsonl"] {
        folder.succeed(&format!("db put titles.vexdb {file} --id-column title"));
    }
    let rows = folder.succeed("db scroll titles.vexdb");
    assert_eq!(rows, "{\"id\":\"b\",\"title\":\"b\"}\n{\"id\":\"c\",\"title\":\"c\"}\n");
    for id in ["b", "c"] {
        let row = folder.succeed(&format!("db get notes.vexdb {id} --vector"));
        assert!(row.contains("[0.4472"), "of unit length: {row}");
    }
    // An index of other vectors would have these ids.
    for command in ["merge plain.vex plain.vex -o rows.vex", "compact plain.vex -o rows.vex", "rm rows.vex 0"]
    {
        folder.succeed("build base.npy --output plain.vex");
        let run = folder.run(command);
        assert!(
            run.stderr
                .starts_with("error: rows.vex.ids: has the text ids of the index, which would no longer fit"),
            "{run:?}"
        );
    }
    let bytes = folder.read("base.npy");
    let run = pipe(&folder, "build - --format npy --ids ids.txt --output piped.vex", &bytes);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
}
