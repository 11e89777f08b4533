//! A connection below HTTP: a client that reads nothing is let go, and what the HTTP parser refuses gets its answer in the
//! interface's shape.
//!
//! The parser answers what is no HTTP on its own, with an empty body, and closes; that answer is replaced here. It is known
//! by its emptiness: no error of ours has an empty body.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};
use v1::{Kind, error};

/// How long a client may take nothing of what is sent.
const MAX_STALL: Duration = Duration::from_secs(10);

/// What the parser answers with an empty body, and what is said instead.
const REFUSALS: &[(&str, Kind, &str)] = &[
    ("400 Bad Request", error::BAD_HTTP, "that is no request of HTTP/1.1"),
    ("414 URI Too Long", error::LONG_PATH, "the path is too long"),
    (
        "431 Request Header Fields Too Large",
        error::LONG_HEADERS,
        "the headers are too many or too long",
    ),
];

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    /// Runs while the client takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
    /// An answer of ours that is being sent instead of one of so many bytes.
    instead: Option<Instead>,
}

struct Instead {
    answer: Vec<u8>,
    sent: usize,
    replaced: usize,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, stall: None, instead: None }
    }

    /// Writes until the client takes something; not for ever.
    fn poll_sent<T>(
        &mut self,
        context: &mut Context<'_>,
        send: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(sent) = send(Pin::new(&mut self.stream), context) {
            self.stall = None;
            return Poll::Ready(sent);
        }
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(MAX_STALL)));
        ready!(stall.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }

    /// Sends what is sent instead, and says how much of the other answer is done with.
    fn poll_instead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        while let Some(mut instead) = self.instead.take() {
            let rest = instead.answer.get(instead.sent..).unwrap_or_default();
            if rest.is_empty() {
                return Poll::Ready(Ok(instead.replaced));
            }
            let sent = self.poll_sent(context, |stream, context| stream.poll_write(context, rest));
            if let Poll::Ready(Ok(n)) = &sent {
                instead.sent += n;
            }
            let is_pending = sent.is_pending();
            self.instead = Some(instead);
            if is_pending {
                return Poll::Pending;
            }
            ready!(sent)?;
        }
        Poll::Ready(Ok(0))
    }
}

/// What is to be said instead of an answer that begins so.
fn instead_of(answer: &[u8]) -> Option<Vec<u8>> {
    let rest = answer.strip_prefix(b"HTTP/1.1 ")?;
    let (_, kind, message) = REFUSALS.iter().find(|it| rest.starts_with(it.0.as_bytes()))?;
    let head = str::from_utf8(rest.get(..rest.len().min(512))?).ok()?;
    let is_empty = head.to_ascii_lowercase().contains("\r\ncontent-length: 0\r\n");
    is_empty.then(|| refusal(*kind, message))
}

/// A whole answer that refuses, after which the connection is closed.
pub(crate) fn refusal(kind: Kind, message: &str) -> Vec<u8> {
    let body = serde_json::json!(kind.error(message)).to_string();
    let status = axum::http::StatusCode::from_u16(kind.status()).unwrap_or_default();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\
         cache-control: no-store\r\nx-content-type-options: nosniff\r\n\r\n{body}",
        body.len(),
    )
    .into_bytes()
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.instead.is_none() {
            let replaced = bytes.len();
            self.instead = instead_of(bytes).map(|answer| Instead { answer, sent: 0, replaced });
        }
        if self.instead.is_some() {
            return self.poll_instead(context);
        }
        self.poll_sent(context, |stream, context| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|it| !it.is_empty());
        match first {
            Some(first) if self.instead.is_some() || instead_of(first).is_some() => {
                self.poll_write(context, first)
            }
            _ => self
                .poll_sent(context, |stream, context| stream.poll_write_vectored(context, slices)),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_refuses_is_said_in_the_shape_of_errors() {
        let empty = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        let said = String::from_utf8(instead_of(empty).unwrap()).unwrap();
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 ") && head.contains("connection: close"), "{head}");
        let error: v1::Error = serde_json::from_str(body).unwrap();
        assert_eq!(error.code, error::LONG_HEADERS.code);
    }

    #[test]
    fn answers_of_ours_are_sent_as_they_are() {
        for answer in [
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 73\r\n\r\n{",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "{\"state\": \"content-length: 0\"}",
        ] {
            assert_eq!(instead_of(answer.as_bytes()), None, "{answer}");
        }
    }
}
