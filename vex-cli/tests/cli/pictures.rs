//! `vex plot`.
#![cfg(feature = "plot")]

use crate::support::{Folder, bytes, floats, vectors};

fn prepared() -> Folder {
    let folder = Folder::new();
    folder.write("base.npy", vectors(&floats(&bytes(1, 500, 8))));
    folder.succeed("build base.npy -o base.vex --quantize sq8");
    folder.succeed("build base.npy -o plain.vex --quantize none");
    folder.write(
        "fast & <small>.json",
        rows(&[(0.8, 9000.0, 120.0), (0.95, 5000.0, 250.0), (0.99, 1500.0, 900.0)]),
    );
    folder.write("slow.json", rows(&[(0.9, 3000.0, 400.0), (0.999, 700.0, 2100.0)]));
    folder
}

fn rows(points: &[(f64, f64, f64)]) -> String {
    let row = |(recall, qps, p99): &(f64, f64, f64)| {
        format!(
            r#"{{"ef_search": 16, "k": 10, "threads": 1, "recall": {recall}, "qps": {qps}, "steady_p99_us": {p99}}}"#
        )
    };
    format!("[{}]", points.iter().map(row).collect::<Vec<_>>().join(","))
}

fn run(folder: &Folder, files: &[&str], output: &str) -> String {
    let mut command = folder.command("plot");
    command.args(files).args(["-o", output]);
    let run = crate::support::run(command);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    run.stdout
}

#[test]
fn curves_and_bars_are_drawn_in_both_formats() {
    let folder = prepared();
    let curves = ["fast & <small>.json", "slow.json"];
    assert_eq!(run(&folder, &curves, "a.svg"), "a.svg: 2 curves\n");
    assert_eq!(run(&folder, &curves, "a.PNG"), "a.PNG: 2 curves\n");
    assert_eq!(run(&folder, &["base.vex"], "b.svg"), "b.svg: 1 index\n");
    assert_eq!(run(&folder, &["base.vex", "plain.vex"], "b.png"), "b.png: 2 indexes\n");
    let text = String::from_utf8(folder.read("a.svg")).unwrap();
    for word in [
        "fast &amp; &lt;small&gt;",
        "slow",
        "recall@10, 1 thread",
        "queries per second",
        "p99 of a query, µs",
        "10k",
        "500",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let text = String::from_utf8(folder.read("b.svg")).unwrap();
    for word in ["vectors 32.0 kB", "codes ", "links ", "keys 4.0 kB", "base"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    for name in ["a.PNG", "b.png"] {
        let decoder = png::Decoder::new(std::io::Cursor::new(folder.read(name)));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        let drawn = pixels.chunks(3).filter(|pixel| **pixel != [255; 3]).count();
        assert!((5_000..400_000).contains(&drawn), "{name}: {drawn} pixels");
    }
}

#[test]
fn the_bytes_of_a_bar_are_those_of_the_file() {
    let folder = prepared();
    run(&folder, &["base.vex"], "b.svg");
    let text = String::from_utf8(folder.read("b.svg")).unwrap();
    let size = folder.read("base.vex").len();
    assert!(text.contains(&format!("{:.1} kB", size as f64 / 1e3)), "{size}: {text}");
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let folder = prepared();
    folder.refuse("plot slow.json -o a.pdf", "a.pdf: unknown extension, expected .svg or .png");
    folder.refuse(
        "plot slow.json -o -",
        "-: cannot be written: expected the name of a file, found standard output; a file of this name is ./-",
    );
    folder.write("other.json", "{\"a\": 1}");
    let before = folder.snapshot();
    let found = folder.run("plot slow.json other.json -o a.svg");
    let start = "error: other.json: expected the output of vex bench --json: ";
    assert!(found.stderr.starts_with(start) && found.code == Some(1), "{found:?}");
    assert!(folder.snapshot() == before);
    folder.refuse(
        "plot slow.json base.vex -o a.svg",
        "base.vex: expected the output of vex bench --json as before, found an index",
    );
    folder.refuse("plot slow.json -o slow.json.svg/a.svg", "slow.json.svg/a.svg: cannot be written: folder slow.json.svg: No such file or directory (os error 2)");
    folder.write("old.svg", "older");
    folder.refuse(
        "plot missing.json -o old.svg",
        "missing.json: cannot be opened: No such file or directory (os error 2)",
    );
}
