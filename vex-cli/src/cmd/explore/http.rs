//! As much of HTTP as the page needs: requests without bodies, and one for each connection.
//!
//! Browsers open connections beforehand that they may never use, and several at once. So each
//! connection has a thread, and none waits for another.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The head of a longer request is no browser's.
const LONGEST_HEAD: u64 = 16 << 10;

/// More connections at once are no browser's either, and are closed.
const MOST_CONNECTIONS: usize = 64;

/// So long a client may be silent.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first line of a request, and the host that it names.
#[derive(Debug, PartialEq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) host: Option<String>,
}

/// A status, a type, and the bytes of that type.
pub(super) type Answer = (u16, &'static str, Vec<u8>);

/// Answers requests until no further connection can be accepted. `headers` are sent with each answer
/// and end with an end of line.
pub(super) fn serve(
    listener: &TcpListener,
    headers: &str,
    answer: impl Fn(&Request) -> Answer + Sync,
) -> io::Result<()> {
    let (answer, open) = (&answer, &AtomicUsize::new(0));
    thread::scope(|scope| {
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                // The client went away before it was accepted.
                Err(error) if is_the_clients(error.kind()) => continue,
                Err(error) => return Err(error),
            };
            if open.fetch_add(1, Ordering::Relaxed) >= MOST_CONNECTIONS {
                open.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let client = move || {
                // A client that went away needs no answer.
                let _ = converse(stream, headers, answer);
                open.fetch_sub(1, Ordering::Relaxed);
            };
            if thread::Builder::new().spawn_scoped(scope, client).is_err() {
                // No thread is left. The client sees that its connection is closed.
                open.fetch_sub(1, Ordering::Relaxed);
            }
        }
    })
}

fn is_the_clients(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

fn converse(mut stream: TcpStream, headers: &str, answer: impl Fn(&Request) -> Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(request) = read_head(&stream)?.as_deref().and_then(Request::parse) else { return Ok(()) };
    let (status, kind, body) = answer(&request);
    let reason = match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        _ => "Internal Server Error",
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n"
    );
    stream.write_all(&[head.as_bytes(), &body].concat())?;
    stream.shutdown(Shutdown::Write)?;
    // To close with bytes unread would reset the connection, and the client might lose the answer.
    io::copy(&mut stream.take(LONGEST_HEAD), &mut io::sink())?;
    Ok(())
}

/// The bytes up to the empty line. None if the client ended first, or there are too many.
fn read_head(stream: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let (mut head, mut stream) = (Vec::new(), stream.take(LONGEST_HEAD));
    let mut part = [0; 1024];
    loop {
        let count = match stream.read(&mut part) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count?,
        };
        head.extend_from_slice(&part[..count]);
        if let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            head.truncate(end);
            return Ok(Some(head));
        }
        if count == 0 {
            return Ok(None);
        }
    }
}

impl Request {
    /// Reads a head without its empty line.
    fn parse(head: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if !version.starts_with("HTTP/1.") || words.next().is_some() {
            return None;
        }
        let mut fields = lines.filter_map(|line| line.split_once(':'));
        let host = fields.find(|(name, _)| name.eq_ignore_ascii_case("host"));
        Some(Self {
            method: method.to_string(),
            target: target.to_string(),
            host: host.map(|(_, value)| value.trim().to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn heads_are_read() {
        let head = b"GET /rows?find=a HTTP/1.1\r\nAccept: */*\r\nhOST:  localhost:7878 ";
        let request = Request::parse(head).unwrap();
        let found = (request.method.as_str(), request.target.as_str(), request.host.as_deref());
        assert_eq!(found, ("GET", "/rows?find=a", Some("localhost:7878")));
        assert_eq!(Request::parse(b"GET / HTTP/1.0").unwrap().host, None);
        for nonsense in ["", "GET", "GET /", "GET / HTTP/2", "GET / / HTTP/1.1", "\r\nGET / HTTP/1.1"] {
            assert_eq!(Request::parse(nonsense.as_bytes()), None, "{nonsense:?}");
        }
        assert_eq!(Request::parse(b"GET /\xff HTTP/1.1"), None);
    }
}
