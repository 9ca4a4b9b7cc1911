//! The page of `vex explore`, as a browser asks for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, npy};

/// A running server, which is killed in the end.
struct Page {
    child: Child,
    port: u16,
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Page {
    fn open(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let line = lines.find(|line| line.starts_with("http://127.0.0.1:")).expect("the address of the page");
        let port = line.trim_start_matches("http://127.0.0.1:").trim_end_matches('/').parse().unwrap();
        Self { child, port }
    }

    /// The status and the body of an answer.
    fn ask(&self, method: &str, path: &str, host: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("Content-Security-Policy: default-src 'none'"), "{head}");
        (status, body.to_string())
    }

    fn get(&self, path: &str) -> (u16, Value) {
        let (status, body) = self.ask("GET", path, &format!("127.0.0.1:{}", self.port));
        (status, serde_json::from_str(&body).unwrap())
    }
}

/// A file of points on a line: row n is at n.
fn line(count: usize) -> Vec<u8> {
    let elements: Vec<u8> = (0..count).flat_map(|n| [n as f32, 1.0]).flat_map(f32::to_le_bytes).collect();
    npy("<f4", false, &[count, 2], &elements)
}

fn ids(rows: &Value) -> Vec<u64> {
    rows.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_row_is_found_by_its_text_and_its_search_is_replayed() {
    let folder = Folder::new();
    folder.write("line.npy", line(300));
    folder.write("texts.txt", (0..300).map(|n| format!("Point {n}, {}\n", n % 7)).collect::<String>());
    folder.succeed("build line.npy --output line.vex --quantize sq8");
    let page = Page::open(folder.command("explore line.vex --texts texts.txt --port 0"));
    let (status, body) = page.ask("GET", "/", &format!("localhost:{}", page.port));
    assert_eq!(status, 200);
    assert!(body.contains("<title>Vex: explore an index</title>"));
    // Nothing comes from elsewhere.
    let host = format!("127.0.0.1:{}", page.port);
    let files = [body, page.ask("GET", "/style.css", &host).1, page.ask("GET", "/script.js", &host).1];
    for file in files {
        let file = file.replace("http://www.w3.org/2000/svg", "the name of a name space");
        for word in ["@import", "url(", "//"] {
            assert!(!file.contains(word), "{word}");
        }
    }

    let (_, info) = page.get("/info");
    assert_eq!((&info["count"], &info["dim"], &info["codes"]), (&300.into(), &2.into(), &"sq8".into()));
    let (_, found) = page.get("/rows?find=POINT+123%2C");
    assert_eq!(ids(&found["rows"]), [123]);
    // A key comes first, and with its text.
    let (_, named) = page.get("/rows?find=7");
    assert_eq!((&named["rows"][0]["key"], &named["rows"][0]["text"]), (&"7".into(), &"Point 7, 0".into()));
    assert!(ids(&named["rows"])[1..].iter().all(|key| *key != 7 && key.to_string().contains('7')), "{named}");
    let (_, answer) = page.get("/search?key=123&k=3&ef=20");
    let trace = &answer["trace"];
    assert_eq!(answer["replaced"], false);
    for rows in [&trace["hits"], &trace["exact"]] {
        let mut keys = ids(rows);
        assert_eq!((keys[0], rows[0]["text"].as_str()), (123, Some("Point 123, 4")));
        keys.sort_unstable();
        assert_eq!(keys, [122, 123, 124]);
    }
    let steps = trace["steps"].as_array().unwrap();
    let count = |kind: &str| steps.iter().filter(|step| step[0] == kind).count() as u64;
    assert_eq!(trace["hops"].as_u64(), Some(count("expand")));
    assert_eq!(trace["distances"].as_u64(), Some(count("rank")));
    assert!(count("rerank") >= 3 && count("level") >= 1);
    // Every node that is drawn has its place.
    let placed: Vec<_> = trace["points"].as_array().unwrap().iter().map(|point| &point[0]).collect();
    assert!(steps.iter().filter(|step| step[0] == "rank").all(|step| placed.contains(&&step[1])));

    let (_, answer) = page.get("/search?key=123&k=3&every=10&codes=0");
    for rows in [&answer["trace"]["hits"], &answer["trace"]["exact"]] {
        assert_eq!(ids(rows), [120, 130, 110]);
    }
}

#[test]
fn strangers_and_nonsense_are_refused() {
    let folder = Folder::new();
    folder.write("line.npy", line(20));
    folder.succeed("build line.npy --output line.vex");
    let page = Page::open(folder.command("explore line.vex --port 0"));
    let host = format!("127.0.0.1:{}", page.port);
    assert_eq!(page.ask("GET", "/info", "example.org").0, 403);
    assert_eq!(page.ask("POST", "/info", &host).0, 405);
    assert_eq!(page.get("/etc/passwd").0, 404);
    for (query, problem) in [
        ("key=20", "expected a key of the index, found 20"),
        ("key=x", "expected a key of the index, found x"),
        ("k=0", "k: expected 1 to 100, found 0"),
        ("ef=1001", "ef: expected 1 to 1000, found 1001"),
        ("every=0", "every: expected 1 to 1000, found 0"),
    ] {
        let (status, answer) = page.get(&format!("/search?{query}"));
        assert_eq!((status, &answer["error"]), (400, &problem.into()), "{query}");
    }
    // More neighbors than there are vectors, and no text: keys are found by their digits.
    let (_, answer) = page.get("/search?key=0&k=100");
    assert_eq!(ids(&answer["trace"]["hits"]).len(), 20);
    let mut keys = ids(&page.get("/rows?find=1").1["rows"]);
    keys.sort_unstable();
    assert_eq!(keys, [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
}

/// A browser opens connections beforehand, and sends several requests at once.
#[test]
fn no_request_waits_for_another_connection() {
    let folder = Folder::new();
    folder.write("line.npy", line(20));
    folder.succeed("build line.npy --output line.vex");
    let page = Page::open(folder.command("explore line.vex --port 0"));
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", page.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
    };
    for _ in 0..4 {
        let silent: Vec<_> = (0..6).map(|_| connect()).collect();
        let asked: Vec<_> = (0..12)
            .map(|_| {
                let mut stream = connect();
                write!(stream, "GET /rows?find=1 HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", page.port).unwrap();
                stream
            })
            .collect();
        for mut stream in asked {
            let mut status = [0; 15];
            stream.read_exact(&mut status).unwrap();
            assert_eq!(&status, b"HTTP/1.1 200 OK");
        }
        drop(silent);
    }
    // What is no request is no reason to end.
    let nonsense = [vec![0xff; 40_000], b"GET\r\n\r\n".to_vec(), b"GET / HTTP/1.1\r\n".to_vec()];
    for bytes in nonsense {
        let mut stream = connect();
        // The server may close before it has read all.
        let _ = stream.write_all(&bytes);
    }
    assert_eq!(page.get("/info").1["count"], 20);
}

#[test]
fn a_replaced_index_is_noticed_and_a_used_port_is_an_error() {
    let folder = Folder::new();
    folder.write("line.npy", line(20));
    folder.succeed("build line.npy --output line.vex");
    let page = Page::open(folder.command("explore line.vex --port 0"));
    let failed = folder.run(&format!("explore line.vex --port {}", page.port));
    assert_eq!(failed.code, Some(1));
    assert!(failed.stderr.starts_with(&format!("error: port {}: ", page.port)), "{}", failed.stderr);
    assert!(failed.stderr.ends_with("--port 0 takes any that is free\n"), "{}", failed.stderr);

    folder.write("line.npy", line(30));
    folder.succeed("build line.npy --output line.vex");
    let (_, answer) = page.get("/search?key=0");
    assert_eq!(answer["replaced"], true);
    assert_eq!(page.get("/info").1["count"], 20);
    folder.succeed("build line.npy --output codes.vex --quantize sq8 --store none");
    folder.refuse("explore codes.vex", "codes.vex: expected an index with vectors, found codes alone");
    std::fs::create_dir(folder.path("texts")).unwrap();
    folder.refuse("explore line.vex --texts texts", "texts: expected a regular file");
    let missing = folder.run("explore line.vex --texts missing.txt");
    assert!(missing.code == Some(1) && missing.stderr.starts_with("error: missing.txt: "), "{missing:?}");
}

#[test]
fn the_demo_serves_its_definitions() {
    let folder = Folder::new();
    let mut command = folder.command("demo --explore --port 0");
    command.env("TMPDIR", folder.path(""));
    let page = Page::open(command);
    let (_, found) = page.get("/rows?find=penguin");
    assert!(!ids(&found["rows"]).is_empty());
    let text = found["rows"][0]["text"].as_str().unwrap();
    assert!(text.contains("penguin") && text.contains(": "), "{text}");
}

/// One element, no rows, equal rows, and the longest rows of links.
#[test]
fn odd_indexes_are_explored() {
    let folder = Folder::new();
    let file = |count: usize, dim: usize, element: fn(usize) -> f32| {
        let elements: Vec<u8> = (0..count * dim).flat_map(|at| element(at).to_le_bytes()).collect();
        npy("<f4", false, &[count, dim], &elements)
    };
    vex::Index::builder(3).build().unwrap().save(folder.path("empty.vex")).unwrap();
    folder.write("one.npy", file(40, 1, |at| at as f32));
    folder.write("equal.npy", file(60, 2, |_| 1.5));
    folder.write("absurd.npy", file(300, 2, |at| if at == 7 { 1e18 } else { (at % 101) as f32 }));
    for (name, options, count) in [
        ("empty", "", 0),
        ("one", "--m 4", 40),
        ("equal", "--m 512", 60),
        ("absurd", "--m 512 --quantize sq4", 300),
    ] {
        if count > 0 {
            folder.succeed(&format!("build {name}.npy --output {name}.vex {options}"));
        }
        let page = Page::open(folder.command(&format!("explore {name}.vex --port 0")));
        assert_eq!(page.get("/info").1["count"], count, "{name}");
        if count == 0 {
            assert_eq!(page.get("/search").1["error"], "the index is empty");
            assert_eq!(ids(&page.get("/rows?find=").1["rows"]), [0u64; 0]);
            continue;
        }
        for every in [1, 10] {
            let (status, answer) = page.get(&format!("/search?key=3&k=5&every={every}"));
            assert_eq!(status, 200, "{name}: {answer}");
            let distances = |rows: &Value| -> Vec<f64> {
                rows.as_array().unwrap().iter().map(|row| row["distance"].as_f64().unwrap()).collect()
            };
            let [hits, exact] = ["hits", "exact"].map(|rows| distances(&answer["trace"][rows]));
            assert_eq!(hits.len(), 5.min(count / every), "{name}");
            assert_eq!(hits, exact, "{name}, every {every}");
        }
    }
}
