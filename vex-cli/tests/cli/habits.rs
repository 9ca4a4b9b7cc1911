//! What people type who come from other programs: names of metrics, short options, formats.

use serde_json::{Value, json};

use crate::support::{Folder, bytes, floats, run, vectors};

fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 300, 8))));
    folder.write("queries.npy", vectors(&floats(&bytes(2, 150, 8))));
    folder.succeed("build base.npy -o index.vex");
    folder
}

#[test]
fn metrics_have_the_names_of_other_programs() {
    let folder = prepared();
    for (alias, name) in [
        ("l2", "squared-euclidean"),
        ("euclidean", "squared-euclidean"),
        ("sqeuclidean", "squared-euclidean"),
        ("ip", "inner-product"),
        ("dot", "inner-product"),
        ("cos", "cosine"),
        ("angular", "cosine"),
    ] {
        let report = folder.json(&format!("build base.npy -o {alias}.vex --metric {alias} --json"));
        assert_eq!(report["metric"], json!(name));
        folder.succeed(&format!("build base.npy -o named.vex --metric {name}"));
        assert!(folder.read("named.vex") == folder.read(&format!("{alias}.vex")), "{alias}");
        folder.succeed(&format!("gt base.npy -q queries.npy -k 3 -t 1 -o truth.npy --metric {alias}"));
        folder.succeed(&format!("db create {alias}.vexdb --dim 8 --metric {alias}"));
    }
    // Help and errors list one name for each metric.
    let stderr = folder.run("build base.npy -o a.vex --metric l3").stderr;
    assert!(
        stderr.contains("[possible values: squared-euclidean, inner-product, cosine, hamming, jaccard]"),
        "{stderr}"
    );
    assert_eq!(folder.run("db create bits.vexdb --dim 8 --metric hamming").code, Some(2));
}

#[test]
fn short_options_are_the_long_ones() {
    let folder = prepared();
    folder.succeed("build base.npy -o short.vex -t 1");
    assert!(folder.read("short.vex") == folder.read("index.vex"));
    folder.succeed("gt base.npy -q queries.npy -k 10 -t 2 -o truth.npy");
    folder.succeed("search index.vex -q queries.npy -t 2 -o found.npy");
    folder.succeed("verify index.vex -t 2");
    let rows =
        folder.json("bench index.vex -q queries.npy -t 2 --ground-truth truth.npy --ef-search 16 --json");
    assert_eq!(rows[0]["threads"], json!(2));
}

#[test]
fn the_command_alone_prints_help_with_two_examples() {
    let folder = Folder::new();
    let run = folder.run("");
    assert_eq!((run.code, &*run.stdout), (Some(2), ""));
    for text in
        ["Usage: vex <COMMAND>", "\nExamples:\n  vex build base.npy -o base.vex", "\n  vex search base.vex "]
    {
        assert!(run.stderr.contains(text), "{text}: {}", run.stderr);
    }
}

#[test]
fn vectors_of_unit_length_get_a_hint_unless_a_metric_was_named() {
    let folder = Folder::new();
    let unit = |rows: Vec<Vec<f32>>| -> Vec<Vec<f32>> {
        let scale = |row: &Vec<f32>| {
            let norm = row.iter().map(|element| element * element).sum::<f32>().sqrt();
            row.iter().map(|element| element / norm).collect()
        };
        rows.iter().map(scale).collect()
    };
    let mut rows = unit(floats(&bytes(1, 300, 8)));
    folder.write("unit.npy", vectors(&rows));
    let hint = "did you mean --metric cosine?";
    assert!(folder.succeed("build unit.npy -o a.vex").contains(hint));
    assert!(folder.succeed("build unit.npy -o a.vex --element f16 --quantize none").contains(hint));
    for metric in ["l2", "ip", "cosine"] {
        assert!(
            !folder.succeed(&format!("build unit.npy -o a.vex --metric {metric}")).contains(hint),
            "{metric}"
        );
    }
    assert_eq!(folder.json("build unit.npy -o a.vex --json")["unit_length"], json!(true));
    // One vector of another length, wherever it is in a sample of all.
    rows.truncate(100);
    rows[57].iter_mut().for_each(|element| *element *= 1.1);
    folder.write("nearly.npy", vectors(&rows));
    assert!(!folder.succeed("build nearly.npy -o a.vex").contains(hint));
    // Numbers that are 1 or -1 have no direction to speak of.
    folder.write("numbers.npy", vectors(&[vec![1.0], vec![-1.0]]));
    assert_eq!(folder.json("build numbers.npy -o a.vex --json")["unit_length"], json!(false));
}

#[test]
fn results_are_the_same_in_every_format_and_on_any_number_of_threads() {
    let folder = prepared();
    let json = folder.json("search index.vex -q queries.npy -k 4 --json");
    let answers = json.as_array().unwrap();
    assert_eq!(answers.len(), 150);
    for threads in [1, 2, 7, 200] {
        let with = format!("search index.vex -q queries.npy -k 4 -t {threads}");
        assert_eq!(folder.json(&format!("{with} --to json")), json);
        let lines: Vec<Value> = folder
            .succeed(&format!("{with} --to jsonl"))
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(&lines, answers);
        let table = folder.succeed(&format!("{with} --to tsv"));
        let mut rows = table.lines();
        assert_eq!(rows.next(), Some("query\trank\tkey\tdistance"));
        let text = folder.succeed(&with);
        assert_eq!(folder.succeed(&format!("{with} --to text")), text);
        for (line, answer) in text.lines().zip(answers) {
            let (query, hits) = line.split_once('\t').unwrap();
            assert_eq!(query, answer["query"].to_string());
            for (rank, hit) in hits.split(' ').enumerate() {
                let (key, distance) = hit.split_once(':').unwrap();
                assert_eq!(key, answer["keys"][rank].to_string());
                assert_eq!(rows.next().unwrap(), format!("{query}\t{rank}\t{key}\t{distance}"));
            }
        }
        assert_eq!(rows.next(), None);
    }
}

#[test]
fn an_output_and_a_format_can_be_asked_for_together() {
    let folder = prepared();
    assert_eq!(folder.succeed("search index.vex -q queries.npy -o a.npy"), "");
    let lines = folder.succeed("search index.vex -q queries.npy -o b.npy --to jsonl");
    assert_eq!(lines.lines().count(), 150);
    assert!(folder.read("a.npy") == folder.read("b.npy"));
    assert_eq!(folder.run("search index.vex -q queries.npy --to tsv --json").code, Some(2));
}

#[test]
fn nothing_is_printed_before_a_query_that_cannot_be_searched_for() {
    let folder = prepared();
    let mut queries = floats(&bytes(2, 3000, 8));
    queries[2999][7] = f32::NAN;
    folder.write("nan.npy", vectors(&queries));
    let expected = "nan.npy: row 2999: expected finite elements, found NaN or infinity at position 7";
    for format in ["", "--json", "--to tsv", "--to jsonl"] {
        folder.refuse(&format!("search index.vex -q nan.npy {format}"), expected);
    }
    folder.succeed("gt base.npy -q queries.npy -k 10 -o truth.npy");
    folder.refuse("bench index.vex -q nan.npy --ground-truth truth.npy", expected);
    folder.refuse("gt index.vex -q nan.npy -o truth.npy", expected);
}

#[test]
fn no_output_is_a_file_named_minus() {
    let folder = prepared();
    let expected = "-: cannot be written: expected the name of a file, found standard output; a file of this name is ./-";
    for command in [
        "build base.npy -o -",
        "gt base.npy -q queries.npy -o -",
        "search index.vex -q queries.npy -o -",
        "add index.vex base.npy -o -",
        "rm index.vex 1 -o -",
        "compact index.vex -o -",
        "merge index.vex index.vex --renumber -o -",
    ] {
        folder.refuse(command, expected);
    }
    folder.succeed("build base.npy -o ./-");
    assert!(folder.read("-") == folder.read("index.vex"));
}

#[test]
fn completions_know_every_command_of_every_shell() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.succeed(&format!("completions {shell}"));
        for word in ["merge", "compact", "ef-search", "squared-euclidean"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    assert_eq!(folder.run("completions csh").code, Some(2));
    // The shell itself reads the script, where there is one.
    folder.write("vex.bash", folder.succeed("completions bash"));
    let mut bash = std::process::Command::new("bash");
    bash.current_dir(folder.path("")).args(["-c", "source ./vex.bash && complete -p vex"]);
    if let Ok(output) = bash.output() {
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && found.contains("_vex"), "{output:?}");
    }
}

#[test]
fn manual_pages_are_those_of_the_help() {
    let folder = Folder::new();
    let page = folder.succeed("man");
    assert!(page.contains(".TH vex 1") && page.contains("vex\\-build(1)"), "{page}");
    std::fs::create_dir(folder.path("man1")).unwrap();
    let text = folder.succeed("man man1");
    let names: Vec<String> = std::fs::read_dir(folder.path("man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(text, format!("man1: {} pages\n", names.len()));
    for name in ["vex.1", "vex-build.1", "vex-merge.1", "vex-db.1", "vex-db-put.1"] {
        assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
    }
    assert!(names.iter().all(|name| !name.contains("help") && !name.starts_with('.')), "{names:?}");
    let build = String::from_utf8(folder.read("man1/vex-build.1")).unwrap();
    assert!(build.contains("ef\\-construction") && build.contains("vex build base.npy"), "{build}");
    folder.refuse(
        "man missing",
        "missing/vex.1: cannot be written: folder missing: No such file or directory (os error 2)",
    );
}

#[test]
fn a_reader_that_left_is_no_failure() {
    let folder = prepared();
    for arguments in
        ["search index.vex -q queries.npy --to jsonl", "completions bash", "man", "get index.vex 1"]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = folder.command(arguments);
        command.stdout(writer);
        let found = run(command);
        assert_eq!((found.code, &*found.stderr), (Some(0), ""), "vex {arguments}");
    }
}
