//! The server of the page: on this machine alone, and for reading alone.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};

use serde_json::json;
use tiny_http::{Header, Method, Request as HttpRequest, Response};
use vex::graph::NodeId;
use vex::{MappedIndex, format};

use super::texts::Texts;
use super::trace::{Request, Row, trace};
use crate::error::Failure;

const PAGE: &str = include_str!("page.html");

/// Rows that one answer lists at most.
const LISTED: usize = 50;

/// The page may run its own script and talk to its own server, and nothing else.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves one index.
pub(super) struct Server<'i> {
    http: tiny_http::Server,
    port: u16,
    path: PathBuf,
    index: &'i MappedIndex,
    texts: Option<&'i Texts>,
}

/// An answer: its status, its type and its bytes.
type Answer = (u16, &'static str, Vec<u8>);

impl<'i> Server<'i> {
    pub(super) fn bind(
        path: &Path,
        index: &'i MappedIndex,
        texts: Option<&'i Texts>,
        port: u16,
    ) -> Result<Self, Failure> {
        // Loopback alone: nobody else in the network can ask.
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| Failure::Port {
            port,
            error: error.downcast::<io::Error>().map_or_else(io::Error::other, |error| *error),
        };
        let http = tiny_http::Server::http(address).map_err(failed)?;
        let port = http.server_addr().to_ip().map_or(port, |address| address.port());
        Ok(Self { http, port, path: path.to_path_buf(), index, texts })
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Answers requests until the process ends.
    pub(super) fn run(&self) -> Result<(), Failure> {
        loop {
            let request = self.http.recv().map_err(|error| Failure::Port { port: self.port, error })?;
            let (status, kind, body) = self.answer(&request);
            let header = |name: &str, value: &str| {
                Header::from_bytes(name.as_bytes(), value.as_bytes()).expect("headers are ASCII")
            };
            let response = Response::from_data(body)
                .with_status_code(status)
                .with_header(header("Content-Type", kind))
                .with_header(header("Content-Security-Policy", POLICY))
                .with_header(header("Cache-Control", "no-store"))
                .with_header(header("X-Content-Type-Options", "nosniff"));
            // A browser that went away needs no answer.
            let _ = request.respond(response);
        }
    }

    fn answer(&self, request: &HttpRequest) -> Answer {
        // A name of a stranger's that leads to this machine must not read the index.
        let host = request.headers().iter().find(|header| header.field.equiv("Host"));
        let hosts = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        if !host.is_some_and(|host| hosts.iter().any(|known| host.value.as_str() == known)) {
            return problem(403, "this page is for this machine alone");
        }
        if *request.method() != Method::Get {
            return problem(405, "expected GET");
        }
        let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
        match path {
            "/" => (200, "text/html; charset=utf-8", PAGE.into()),
            "/info" => self.info(),
            "/rows" => self.rows(query),
            "/search" => self.search(query),
            _ => problem(404, "expected /, /info, /rows or /search"),
        }
    }

    fn info(&self) -> Answer {
        let (view, header) = (self.index.graph(), self.index.header());
        let levels: Vec<_> = view.levels().iter().map(|level| level.count()).collect();
        found(&json!({
            "name": self.path.file_name().map(|name| name.to_string_lossy()),
            "count": view.count(),
            "dim": view.dim(),
            "metric": view.metric().name(),
            "element": view.element().name(),
            "codes": view.codes().map(|codes| codes.quantization().name()),
            "m": header.m,
            "levels": levels,
            "entry": view.entry(),
            "texts": self.texts.is_some(),
        }))
    }

    /// Rows whose text contains some words, or whose key begins with a number.
    fn rows(&self, query: &str) -> Answer {
        let words = parameter(query, "find").unwrap_or_default().to_lowercase();
        let mut rows = Vec::new();
        for (id, key) in self.index.node_keys().iter().enumerate() {
            let matches = match self.texts.and_then(|texts| texts.line(*key)) {
                Some(line) => line.to_lowercase().contains(&words),
                None => key.to_string().starts_with(&words),
            };
            if matches && !self.index.graph().tombstones().contains(id as NodeId) {
                rows.push(Row::of(self.index, self.texts, id as NodeId, None));
                if rows.len() == LISTED {
                    break;
                }
            }
        }
        found(&json!({ "rows": rows }))
    }

    fn search(&self, query: &str) -> Answer {
        let count = self.index.graph().count();
        let number = |name: &str, least: usize, most: usize, default: usize| {
            let Some(text) = parameter(query, name) else { return Ok(default) };
            let number = text.parse().ok().filter(|number| (least..=most).contains(number));
            number.ok_or_else(|| format!("{name}: expected {least} to {most}, found {text}"))
        };
        let request = || -> Result<Request, String> {
            Ok(Request {
                id: number("id", 0, count.checked_sub(1).ok_or("the index is empty")?, 0)? as NodeId,
                k: number("k", 1, 100, 10)?,
                ef: number("ef", 1, 1_000, 64)?,
                codes: number("codes", 0, 1, 1)? == 1,
                every: number("every", 1, 1_000, 1)? as u64,
            })
        };
        match request() {
            Err(text) => problem(400, &text),
            Ok(request) => match trace(self.index, self.texts, &request) {
                Err(error) => problem(500, &error.to_string()),
                Ok(trace) => found(&json!({ "trace": trace, "replaced": self.was_replaced() })),
            },
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

fn found(value: &serde_json::Value) -> Answer {
    (200, "application/json", value.to_string().into_bytes())
}

fn problem(status: u16, text: &str) -> Answer {
    (status, "application/json", json!({ "error": text }).to_string().into_bytes())
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
