//! Who may ask: pages of other sites may not, whatever name they give this machine, nor who has no token where there is one.
//!
//! A companion on loopback is reachable by every page its user opens. A browser keeps such a page from reading answers,
//! unless the page's own name was pointed here (DNS rebinding), and lets it send simple requests in any case. So the
//! `Host` asked for must be one of ours, and an `Origin` must be the host's.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, Uri, header};
use v1::{Error, error};

/// The shortest token, in bytes.
const MIN_TOKEN_LEN: usize = 16;

/// The names this companion answers to, and what whoever asks must know.
#[derive(Clone, Debug)]
pub struct Hosts {
    is_loopback: bool,
    /// Besides addresses and `localhost`.
    names: Vec<String>,
    token: Option<Token>,
}

/// What whoever asks must know.
#[derive(Clone)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// A token as a file holds it: one line.
    ///
    /// # Errors
    /// Where it is short, or no such line.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.len() < MIN_TOKEN_LEN || !text.bytes().all(|it| it.is_ascii_graphic()) {
            return Err(format!(
                "a token is one line of at least {MIN_TOKEN_LEN} letters, digits and signs without spaces"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether it is this; how long that takes says nothing of the token.
    fn is(&self, said: &[u8]) -> bool {
        let token = self.0.as_bytes();
        let differ = token.iter().zip(said).fold(0, |differ, (a, b)| differ | (a ^ b));
        token.len() == said.len() && differ == 0
    }
}

impl Hosts {
    /// Those of a companion listening there: addresses, `localhost` and the given names.
    pub fn of(listen: SocketAddr, names: &[String]) -> Self {
        Self {
            is_loopback: listen.ip().is_loopback(),
            names: names.iter().map(|it| it.to_ascii_lowercase()).collect(),
            token: None,
        }
    }

    /// The same for who knows the token. In a network it may then be called by any name, where none is given: a page of
    /// another site does not know the token.
    #[must_use]
    pub fn with_token(self, token: Token) -> Self {
        Self { token: Some(token), ..self }
    }

    /// Why the request may not ask.
    pub(crate) fn refuse(&self, headers: &HeaderMap, uri: &Uri) -> Option<Error> {
        if let Some(foreign) = self.refuse_foreign(headers, uri) {
            return Some(foreign);
        }
        let message = "the token is missing or wrong: send `Authorization: Bearer TOKEN`";
        (!self.is_known(headers)).then(|| error::UNAUTHORIZED.error(message))
    }

    /// Why a request may not ask whatever it knows: it is meant for somebody else, or comes from another site's page.
    pub(crate) fn refuse_foreign(&self, headers: &HeaderMap, uri: &Uri) -> Option<Error> {
        let text = |name: HeaderName| headers.get(name).and_then(|it| it.to_str().ok());
        if headers.get_all(header::HOST).iter().count() > 1 {
            return Some(error::BAD_HOST.error("the request has more than one `Host`"));
        }
        let host = text(header::HOST).or_else(|| uri.authority().map(|it| it.as_str()));
        let Some(host) = host.filter(|it| !it.is_empty()) else {
            return Some(error::BAD_HOST.error("the request has no `Host`"));
        };
        if !self.has(host) {
            let message = format!(
                "this companion does not answer to the name `{host}`; `tractor serve --host` makes it"
            );
            return Some(error::FOREIGN_HOST.error(message));
        }
        if let Some(origin) = headers.get(header::ORIGIN) {
            let origin = origin.to_str().ok().and_then(|it| it.split_once("://"));
            if origin.is_none_or(|it| it.1 != host) {
                let message = "pages of other sites may not ask this companion";
                return Some(error::FOREIGN_ORIGIN.error(message));
            }
        }
        None
    }

    fn has(&self, host: &str) -> bool {
        let name = name_of(host).to_ascii_lowercase();
        let is_any = !self.is_loopback && self.token.is_some() && self.names.is_empty();
        is_any
            || name == "localhost"
            || name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok()
            || self.names.contains(&name)
    }

    /// Whether the request says the token: as a bearer, or as the password of a browser's own question (RFC 7617).
    fn is_known(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let said = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
        let Some((scheme, said)) = said.and_then(|it| it.split_once(' ')) else { return false };
        let said = said.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return token.is(said.as_bytes());
        }
        let plain = if scheme.eq_ignore_ascii_case("basic") { unbase64(said) } else { None };
        let password = plain.as_deref().and_then(|it| {
            let colon = it.iter().position(|it| *it == b':')?;
            it.get(colon + 1..)
        });
        password.is_some_and(|it| token.is(it))
    }
}

/// `localhost` of `localhost:8080`.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    }
}

/// The bytes of base64 (RFC 4648, section 4).
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut n_bits) = (Vec::new(), 0_u32, 0);
    for sign in text.trim_end_matches('=').bytes() {
        let value = match sign {
            b'A'..=b'Z' => sign - b'A',
            b'a'..=b'z' => sign - b'a' + 26,
            b'0'..=b'9' => sign - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 & 0xffff | u32::from(value);
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn ask(hosts: &Hosts, said: &[(HeaderName, &str)]) -> Option<u16> {
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(name, value.parse().unwrap());
        }
        hosts.refuse(&headers, &Uri::from_static("/files/list")).map(|it| it.code)
    }

    #[track_caller]
    fn check(host: &str, origin: Option<&str>, is_refused: bool) {
        let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap(), &["Captures.example".into()]);
        let mut said = vec![(header::HOST, host)];
        said.extend(origin.map(|it| (header::ORIGIN, it)));
        assert_eq!(ask(&hosts, &said).is_some(), is_refused, "{host} {origin:?}");
    }

    #[test]
    fn only_own_names_are_answered() {
        check("127.0.0.1:8080", None, false);
        check("[::1]:8080", None, false);
        check("localhost", None, false);
        check("captures.example:8080", None, false);
        check("rebound.example:8080", None, true);
        check("localhost.rebound.example", None, true);
        check("", None, true);
    }

    #[test]
    fn only_own_pages_may_ask() {
        check("127.0.0.1:8080", Some("http://127.0.0.1:8080"), false);
        check("127.0.0.1:8080", Some("http://127.0.0.1:3000"), true);
        check("127.0.0.1:8080", Some("https://site.example"), true);
        check("127.0.0.1:8080", Some("null"), true);
    }

    #[test]
    fn one_host_is_named_and_no_other() {
        let hosts = Hosts::of("127.0.0.1:8080".parse().unwrap(), &[]);
        assert_eq!(ask(&hosts, &[]), Some(error::BAD_HOST.code));
        let twice = [(header::HOST, "localhost"), (header::HOST, "localhost")];
        assert_eq!(ask(&hosts, &twice), Some(error::BAD_HOST.code));
    }

    #[test]
    fn who_has_no_token_gets_nothing() {
        let hosts = Hosts::of("192.0.2.1:8080".parse().unwrap(), &[]);
        let named = (header::HOST, "captures.example");
        // Without a token a name could be anybody's.
        assert_eq!(ask(&hosts, std::slice::from_ref(&named)), Some(error::FOREIGN_HOST.code));
        let hosts = hosts.with_token(Token::new(TOKEN).unwrap());
        for (said, is_right) in [
            (None, false),
            (Some("Bearer 0123456789abcdef"), true),
            (Some("bearer 0123456789abcdef"), true),
            (Some("Bearer 0123456789abcdeg"), false),
            (Some("Bearer 0123456789abcde"), false),
            (Some("Bearer 0123456789abcdef0"), false),
            (Some("Bearer"), false),
            // `any:0123456789abcdef`, `:` and the token, and the token alone.
            (Some("Basic YW55OjAxMjM0NTY3ODlhYmNkZWY="), true),
            (Some("Basic OjAxMjM0NTY3ODlhYmNkZWY="), true),
            (Some("Basic MDEyMzQ1Njc4OWFiY2RlZg=="), false),
            (Some("Basic ?"), false),
            (Some("Digest 0123456789abcdef"), false),
        ] {
            let mut headers = vec![named.clone()];
            headers.extend(said.map(|it| (header::AUTHORIZATION, it)));
            let expected = (!is_right).then_some(error::UNAUTHORIZED.code);
            assert_eq!(ask(&hosts, &headers), expected, "{said:?}");
        }
        assert!(Token::new("short").is_err());
        assert!(Token::new("0123456789 abcdef").is_err());
    }
}
