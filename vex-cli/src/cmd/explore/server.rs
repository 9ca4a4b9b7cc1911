//! The server of the page: on this machine alone, and for reading alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use vex::graph::NodeId;
use vex::{MappedIndex, format};

use super::http::{self, Answer};
use super::texts::Texts;
use super::trace::{Request, Row, trace};
use crate::error::Failure;

/// The files of the page, by path.
const FILES: [(&str, &str, &str); 3] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("page/style.css")),
    ("/script.js", "text/javascript; charset=utf-8", include_str!("page/script.js")),
];

/// Rows that one answer lists at most.
const LISTED: usize = 50;

/// Headers of each answer. The page may run its own script and talk to its own server, and nothing else.
const HEADERS: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; \
                       style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                       frame-ancestors 'none'\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";

/// Serves one index.
pub(super) struct Server<'i> {
    listener: TcpListener,
    port: u16,
    path: PathBuf,
    index: &'i MappedIndex,
    texts: Option<&'i Texts>,
    /// One search at a time: each may take much memory, and any page can ask for many.
    searching: Mutex<()>,
}

impl<'i> Server<'i> {
    pub(super) fn bind(
        path: &Path,
        index: &'i MappedIndex,
        texts: Option<&'i Texts>,
        port: u16,
    ) -> Result<Self, Failure> {
        // Loopback alone: nobody else in the network can ask.
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let failed = |error| Failure::Port { port, error };
        let listener = TcpListener::bind(address).map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        Ok(Self { listener, port, path: path.to_path_buf(), index, texts, searching: Mutex::new(()) })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Answers requests until the process is interrupted.
    pub(super) fn run(&self) -> Result<(), Failure> {
        let served = http::serve(&self.listener, HEADERS, |request| self.answer(request));
        served.map_err(|error| Failure::Port { port: self.port, error })
    }

    fn answer(&self, request: &http::Request) -> Answer {
        // A name of a stranger's that leads to this machine must not read the index.
        let hosts = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        if !request.host.as_ref().is_some_and(|host| hosts.contains(host)) {
            return problem(403, "this page is for this machine alone");
        }
        if request.method != "GET" {
            return problem(405, "expected GET");
        }
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        match path {
            "/info" => self.info(),
            "/rows" => self.rows(query),
            "/search" => self.search(query),
            _ => match FILES.iter().find(|(name, ..)| *name == path) {
                Some((_, kind, text)) => (200, kind, text.as_bytes().to_vec()),
                None => problem(404, "expected /, /info, /rows or /search"),
            },
        }
    }

    fn info(&self) -> Answer {
        let (view, header) = (self.index.graph(), self.index.header());
        let levels: Vec<_> = view.levels().iter().map(|level| level.count()).collect();
        found(json!({
            "name": self.path.file_name().map(|name| name.to_string_lossy()),
            "count": view.count(),
            "dim": view.dim(),
            "metric": view.metric().name(),
            "element": view.element().name(),
            "codes": view.codes().map(|codes| codes.quantization().name()),
            "m": header.m,
            "levels": levels,
            "entry": view.entry(),
        }))
    }

    /// The row with a key, then rows whose text contains some words. Rows without a text are found by
    /// how their key begins.
    fn rows(&self, query: &str) -> Answer {
        let words = parameter(query, "find").unwrap_or_default().to_lowercase();
        let keys = self.index.node_keys();
        let named = self.node(&words);
        let matches = |id: &usize| match self.texts.and_then(|texts| texts.line(keys[*id])) {
            Some(line) => line.to_lowercase().contains(&words),
            None => keys[*id].to_string().starts_with(&words),
        };
        let others = (0..keys.len()).filter(|id| Some(*id) != named && self.is_live(id) && matches(id));
        let ids = named.into_iter().chain(others).take(LISTED);
        let rows: Vec<_> = ids.map(|id| Row::of(self.index, self.texts, id as NodeId, None)).collect();
        found(json!({ "rows": rows }))
    }

    /// The node with a key.
    fn node(&self, key: &str) -> Option<usize> {
        let key = key.parse::<u64>().ok()?;
        let keys = self.index.node_keys();
        (0..keys.len()).find(|id| keys[*id] == key && self.is_live(id))
    }

    fn is_live(&self, id: &usize) -> bool {
        !self.index.graph().tombstones().contains(*id as NodeId)
    }

    fn search(&self, query: &str) -> Answer {
        let number = |name: &str, least: usize, most: usize, default: usize| {
            let Some(text) = parameter(query, name) else { return Ok(default) };
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| format!("{name}: expected {least} to {most}, found {text}"))
        };
        let id = || match parameter(query, "key") {
            Some(key) => self.node(&key).ok_or_else(|| format!("expected a key of the index, found {key}")),
            None => {
                let mut ids = 0..self.index.graph().count();
                ids.find(|id| self.is_live(id)).ok_or_else(|| "the index is empty".to_string())
            }
        };
        let request = || -> Result<Request, String> {
            Ok(Request {
                id: id()? as NodeId,
                k: number("k", 1, 100, 10)?,
                ef: number("ef", 1, 1_000, 64)?,
                codes: number("codes", 0, 1, 1)? == 1,
                every: number("every", 1, 1_000, 1)? as u64,
            })
        };
        match request() {
            Err(text) => problem(400, &text),
            Ok(request) => {
                let _searching = self.searching.lock().unwrap_or_else(PoisonError::into_inner);
                match trace(self.index, self.texts, &request) {
                    Err(error) => problem(500, &error.to_string()),
                    Ok(trace) => found(json!({ "trace": trace, "replaced": self.was_replaced() })),
                }
            }
        }
    }

    /// Whether the path leads to another file by now.
    fn was_replaced(&self) -> bool {
        let mut bytes = [0; 128];
        let read =
            std::fs::File::open(&self.path).and_then(|mut file| io::Read::read_exact(&mut file, &mut bytes));
        let header = read.ok().and_then(|()| format::Header::read(&bytes).ok());
        header.is_none_or(|header| header != *self.index.header())
    }
}

/// The value of a parameter of an address.
fn parameter(query: &str, name: &str) -> Option<String> {
    let (_, value) =
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
    Some(decoded(value))
}

/// A value without its escapes. An escape that is none stays as it is.
fn decoded(value: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), value.as_bytes());
    while let [first, after @ ..] = rest {
        let escaped = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        rest = after;
        bytes.push(match (first, escaped()) {
            (b'%', Some(byte)) => {
                rest = &after[2..];
                byte
            }
            (b'+', _) => b' ',
            _ => *first,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn found(value: serde_json::Value) -> Answer {
    said(200, value)
}

fn problem(status: u16, text: &str) -> Answer {
    said(status, json!({ "error": text }))
}

/// The process makes known to an open page that the command was run again.
fn said(status: u16, mut value: serde_json::Value) -> Answer {
    value["process"] = std::process::id().into();
    (status, "application/json", value.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{decoded, parameter};

    #[test]
    fn parameters_are_decoded() {
        assert_eq!(parameter("a=1&find=x+y%20%C3%A4&b=", "find").as_deref(), Some("x y ä"));
        assert_eq!(parameter("a=1&b=", "b").as_deref(), Some(""));
        assert_eq!(parameter("a=1", "c"), None);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
