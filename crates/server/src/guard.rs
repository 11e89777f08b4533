//! Who may ask: pages of other sites may not, whatever name they give this machine.
//!
//! A companion on loopback is reachable by every page its user opens. A browser keeps such a page from reading answers,
//! unless the page's own name was pointed here (DNS rebinding), and lets it send simple requests in any case. So the
//! `Host` asked for must be one of ours, and an `Origin` must be the host's.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};

/// The names this companion answers to.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// Any name will do: it listens to a network, whose names for it are not ours to know.
    is_any: bool,
    /// Besides addresses and `localhost`.
    names: Vec<String>,
}

impl Hosts {
    /// Those of a companion listening there: on loopback only addresses, `localhost` and the given names.
    pub fn of(listen: SocketAddr, names: &[String]) -> Self {
        let is_any = !listen.ip().is_loopback() && names.is_empty();
        Self { is_any, names: names.iter().map(|it| it.to_ascii_lowercase()).collect() }
    }

    /// Why the request may not ask.
    pub(crate) fn refuse(&self, headers: &HeaderMap, uri: &Uri) -> Option<v1::Error> {
        let text = |name| headers.get(name).and_then(|it| it.to_str().ok());
        let host = text(header::HOST).or_else(|| uri.authority().map(|it| it.as_str()));
        if let Some(host) = host.filter(|it| !self.has(it)) {
            let message = format!("this companion does not answer to the name {host}");
            return Some(v1::Error::new(403, message));
        }
        let origin = headers.get(header::ORIGIN)?;
        let origin = origin.to_str().ok().and_then(|it| it.split_once("://")).map(|it| it.1);
        if origin.is_some() && origin == host {
            return None;
        }
        Some(v1::Error::new(403, "pages of other sites may not ask this companion"))
    }

    fn has(&self, host: &str) -> bool {
        let name = name_of(host).to_ascii_lowercase();
        self.is_any
            || name == "localhost"
            || name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
            || self.names.contains(&name)
    }
}

/// `localhost` of `localhost:8080`.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(host: &str, origin: Option<&str>, is_refused: bool) {
        let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap(), &["Captures.example".into()]);
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        let refusal = hosts.refuse(&headers, &Uri::from_static("/files/list"));
        assert_eq!(refusal.is_some(), is_refused, "{host} {origin:?}");
    }

    #[test]
    fn only_own_names_are_answered() {
        check("127.0.0.1:8080", None, false);
        check("[::1]:8080", None, false);
        check("localhost", None, false);
        check("captures.example:8080", None, false);
        check("rebound.example:8080", None, true);
        check("localhost.rebound.example", None, true);
    }

    #[test]
    fn only_own_pages_may_ask() {
        check("127.0.0.1:8080", Some("http://127.0.0.1:8080"), false);
        check("127.0.0.1:8080", Some("http://127.0.0.1:3000"), true);
        check("127.0.0.1:8080", Some("https://site.example"), true);
        check("127.0.0.1:8080", Some("null"), true);
    }
}
