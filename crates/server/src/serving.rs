//! Connections: taken, bounded in number and in time, and let go when the companion stops.
//!
//! axum's own loop holds a stalled connection for ever. This one gives a client some seconds for the head of a request; bodies
//! have a time of their own (`http/asked.rs`), and who takes nothing of an answer is let go (`wire.rs`).

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{Semaphore, watch},
    time::{sleep, timeout},
};
use v1::error;

use crate::{
    Companion,
    wire::{Wire, refusal},
};

/// How long the head of a request may take, and how long a connection may wait for the next one.
const MAX_HEAD_TIME: Duration = Duration::from_secs(5);
/// The most headers a request has.
const MAX_HEADERS: usize = 100;
/// The longest head of a request, in bytes.
const MAX_HEAD_LEN: usize = 64 * 1024;
/// How many connections the system holds that were not taken yet.
const MAX_UNTAKEN: u32 = 4_096;
/// How long answers that are being given may take once the companion stops.
const MAX_STOP_TIME: Duration = Duration::from_secs(2);
/// After a failure that another attempt at once would meet again.
const PAUSE: Duration = Duration::from_millis(50);

/// Listens on an address; many may come at once.
///
/// # Errors
/// Where the system does not let it.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    // As the standard library does it: elsewhere it would let two programs listen.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(MAX_UNTAKEN)
}

/// Serves until `stop` ends; then what is being answered still is, for a short time.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    companion: Arc<Companion>,
    max_connections: usize,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(max_connections));
    let (say_stop, hear_stop) = watch::channel(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // The client went already.
            Err(error) if is_of_client(&error) => continue,
            Err(error) => {
                tracing::warn!("a connection cannot be taken: {error}");
                sleep(PAUSE).await;
                continue;
            }
        };
        let metrics = companion.metrics();
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            metrics.refused_connections.fetch_add(1, Ordering::Relaxed);
            refuse(&stream);
            continue;
        };
        metrics.connections.fetch_add(1, Ordering::Relaxed);
        let (app, hear_stop, companion) = (app.clone(), hear_stop.clone(), Arc::clone(&companion));
        tokio::spawn(async move {
            answer(stream, app, hear_stop).await;
            companion.metrics().connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    drop(listener);
    companion.close();
    // Nobody listens where nobody is connected.
    let _ = say_stop.send(true);
    let all = u32::try_from(max_connections).unwrap_or(u32::MAX);
    if timeout(MAX_STOP_TIME, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some clients were still waiting for an answer");
    }
}

/// Answers a connection's requests.
async fn answer(stream: TcpStream, app: Router, mut hear_stop: watch::Receiver<bool>) {
    // Only a delay is lost where that is refused.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(app);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(MAX_HEAD_TIME)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_LEN)
        .serve_connection(TokioIo::new(Wire::new(stream)), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        _ = hear_stop.changed() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!("a connection ended: {error}");
    }
}

/// Says that there is no place, as far as that takes no time.
fn refuse(stream: &TcpStream) {
    let message = "there are too many connections; ask again later";
    // A client that cannot be told sees it closed.
    let _ = stream.try_write(&refusal(error::BUSY, message));
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
