//! As much of HTTP as the page needs: requests without bodies, and one for each connection. Their
//! heads are parsed by `httparse`.
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

/// A head with more fields is no browser's either.
const MOST_FIELDS: usize = 64;

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
            let place = Place(open);
            let client = move || {
                let _place = place;
                // A client that went away needs no answer.
                let _ = converse(stream, headers, answer);
            };
            // If no thread is left, the client sees that its connection is closed.
            let _ = thread::Builder::new().spawn_scoped(scope, client);
        }
    })
}

/// A place among the connections, which is free again when this is dropped, also by a panic.
struct Place<'o>(&'o AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn is_the_clients(error: ErrorKind) -> bool {
    matches!(error, ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted)
}

fn converse(mut stream: TcpStream, headers: &str, answer: impl Fn(&Request) -> Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let Some(request) = Request::read(&stream)? else { return Ok(()) };
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

impl Request {
    /// Reads a head. None if the client ended first, or sent what is no head.
    fn read(stream: impl Read) -> io::Result<Option<Self>> {
        let (mut head, mut stream) = (Vec::new(), stream.take(LONGEST_HEAD));
        let mut part = [0; 1024];
        loop {
            let count = match stream.read(&mut part) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                count => count?,
            };
            head.extend_from_slice(&part[..count]);
            let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
            let mut request = httparse::Request::new(&mut fields);
            match request.parse(&head) {
                Ok(httparse::Status::Complete(_)) => return Ok(Self::of(&request)),
                Ok(httparse::Status::Partial) if count > 0 => {}
                _ => return Ok(None),
            }
        }
    }

    fn of(request: &httparse::Request<'_, '_>) -> Option<Self> {
        let host = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case("host"));
        Some(Self {
            method: request.method?.to_string(),
            target: request.path?.to_string(),
            host: host.and_then(|field| std::str::from_utf8(field.value).ok()).map(str::to_string),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn heads_are_read() {
        let read = |head: &[u8]| Request::read(head).unwrap();
        let request =
            read(b"GET /rows?find=a HTTP/1.1\r\nAccept: */*\r\nhOST:  localhost:7878 \r\n\r\n").unwrap();
        let found = (request.method.as_str(), request.target.as_str(), request.host.as_deref());
        assert_eq!(found, ("GET", "/rows?find=a", Some("localhost:7878")));
        assert_eq!(read(b"GET / HTTP/1.0\r\n\r\n").unwrap().host, None);
        for nonsense in ["", "GET", "GET / HTTP/1.1\r\n", "GET / HTTP/2\r\n\r\n", "GET / / HTTP/1.1\r\n\r\n"]
        {
            assert_eq!(read(nonsense.as_bytes()), None, "{nonsense:?}");
        }
        let long = [b"GET / HTTP/1.1\r\nA: ".as_slice(), &[b'a'; 20 << 10], b"\r\n\r\n"].concat();
        assert_eq!(read(&long), None);
    }
}
