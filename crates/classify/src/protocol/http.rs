//! HTTP/1, by its request line or status line (RFC 9112, sections 3 and 4), and WebSocket that begins with it (RFC 6455).

use flow::{Heads, Transport};

use super::{Facts, Form, Protocol};
use crate::{
    bytes::{Headers, from_base64, header, host_of_authority, lines, starts_with_word, text},
    fact::Fact,
    inside, look,
    needs::tcp,
    ntlm, service,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "http",
    group: "web",
    title: "Hypertext Transfer Protocol, version 1",
    source: "RFC 9112",
    needs: tcp(FIRSTS),
    recognise,
};
pub(super) const WEBSOCKET: Protocol = Protocol {
    name: "websocket",
    group: "web",
    title: "WebSocket",
    source: "RFC 6455",
    needs: tcp(FIRSTS),
    recognise: recognise_websocket,
};

/// Where HTTP is spoken; a request without a version is believed there.
const PORTS: &[u16] = &[80, 3128, 8000, 8008, 8080, 8081, 8888];

/// By which bytes methods and status lines begin, perhaps behind an empty line too many.
const FIRSTS: &[u8] = b"\rABCDGHILMNOPQRSTUV";

/// Methods of HTTP, WebDAV, UPnP events and remote procedure calls over HTTP (IANA, HTTP Method Registry, and beyond).
const METHODS: &[&str] = &[
    "ACL",
    "BASELINE-CONTROL",
    "BIND",
    "BITS_POST",
    "CCM_POST",
    "CHECKIN",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "NOTIFY",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POLL",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "RPC_CONNECT",
    "RPC_IN_DATA",
    "RPC_OUT_DATA",
    "SEARCH",
    "SMS_POST",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// Whether a request is of a service, by its target and its head.
type Asks = fn(&[u8], &Headers) -> bool;

/// The services whose requests no other has.
const SERVICES: &[(&str, Asks)] = &[
    ("gnutella", |target, _| {
        target.starts_with(b"/uri-res/N2") || target.starts_with(b"/gnutella/")
    }),
    ("ookla", |target, _| {
        ["/speedtest/latency.txt", "/speedtest/upload.php", "/speedtest/random"]
            .iter()
            .any(|it| target.starts_with(it.as_bytes()))
    }),
    ("ocsp", |_, head| {
        head.get(b"content-type").is_some_and(|it| it == b"application/ocsp-request")
    }),
    // RFC 8010, section 4.
    ("ipp", |_, head| is_of_kind(head, &["application/ipp"])),
    ("softether", |target, _| matches!(target, b"/vpnsvc/connect.cgi" | b"/vpnsvc/vpn.cgi")),
];

/// A form in which things are said over HTTP, whoever says them: a service that is known goes before it.
struct Carried {
    form: Form,
    /// How such a request looks besides.
    asks: fn(&Request, &Headers) -> bool,
    /// The kinds of content that only it has, in requests and answers.
    kinds: &'static [&'static str],
}

const FORMS: &[Carried] = &[
    Carried {
        form: Form {
            label: "soap",
            group: "web",
            title: "Simple Object Access Protocol",
            source: "W3C SOAP 1.1, W3C SOAP 1.2",
        },
        asks: |_, head| head.get(b"soapaction").is_some(),
        kinds: &["application/soap+xml"],
    },
    // RFC 4918, section 9, and what RFC 3253 and RFC 4791 add.
    Carried {
        form: Form {
            label: "webdav",
            group: "files",
            title: "Web Distributed Authoring and Versioning",
            source: "RFC 4918, RFC 3253, RFC 4791",
        },
        asks: |request, _| {
            let methods = [
                "PROPFIND",
                "PROPPATCH",
                "MKCOL",
                "COPY",
                "MOVE",
                "LOCK",
                "UNLOCK",
                "REPORT",
                "MKCALENDAR",
            ];
            methods.contains(&request.method)
        },
        kinds: &[],
    },
    // RFC 8216, section 4.
    Carried {
        form: Form {
            label: "hls",
            group: "media",
            title: "HTTP Live Streaming",
            source: "RFC 8216",
        },
        asks: |request, _| request.path().ends_with(b".m3u8"),
        kinds: &["application/vnd.apple.mpegurl", "application/x-mpegurl", "audio/mpegurl"],
    },
    // ISO/IEC 23009-1, annex C.
    Carried {
        form: Form {
            label: "mpeg-dash",
            group: "media",
            title: "Dynamic Adaptive Streaming over HTTP",
            source: "ISO/IEC 23009-1",
        },
        asks: |request, _| request.path().ends_with(b".mpd"),
        kinds: &["application/dash+xml"],
    },
];

/// Every form in which things are said over HTTP.
pub(super) fn forms() -> impl Iterator<Item = Form> {
    FORMS.iter().map(|it| it.form)
}

/// Whether a message's content is of one of these kinds, whatever is said of it besides.
fn is_of_kind(head: &Headers, kinds: &[&str]) -> bool {
    let Some(kind) = head.get(b"content-type") else { return false };
    let kind = kind.split(|it| *it == b';').next().unwrap_or_default().trim_ascii();
    kinds.iter().any(|it| kind.eq_ignore_ascii_case(it.as_bytes()))
}

fn recognise(heads: &Heads) -> Option<Facts> {
    let mut facts = read(heads)?;
    let (client, server) = (heads.client.bytes(), heads.server.bytes());
    let carried = carried(client, server).or_else(|| carried(server, client));
    if let Some((client, server)) = carried {
        inside::tell(client, server, &mut facts);
    }
    Some(facts)
}

/// What both sides say behind a proxy's consent to connect (RFC 9110, section 9.3.6), where one was asked for.
fn carried<'a>(client: &'a [u8], server: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    const CONNECT: &[u8] = b"CONNECT ";
    let behind = |message: &'a [u8]| message.get(look::find(message, b"\r\n\r\n")? + 4..);
    if !client.starts_with(CONNECT) {
        return None;
    }
    // Who had to say who asks asks again.
    let mut asked = client;
    while asked.starts_with(CONNECT) {
        asked = behind(asked)?;
    }
    if server.is_empty() {
        return Some((asked, server));
    }
    let is_consent = |at: &usize| {
        let code = server.get(*at + 8..*at + 10);
        (*at == 0 || server.get(*at - 1) == Some(&b'\n')) && code == Some(b" 2")
    };
    let mut answers = server.windows(7).enumerate().filter(|it| it.1 == b"HTTP/1.").map(|it| it.0);
    let consent = answers.find(is_consent)?;
    Some((asked, behind(server.get(consent..)?)?))
}

/// What requests and answers tell, whatever they lead to.
pub(super) fn read(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let sides = [heads.client.bytes(), heads.server.bytes()];
    let is_usual = PORTS.iter().any(|it| heads.has_port(*it));
    let alone = if is_usual { Trust::Usual } else { Trust::None };
    // What is answered like a request of HTTP is one, though it has no version.
    let is_answered = |it: &[u8]| it.starts_with(b"<") || it.starts_with(b"HTTP/");
    let trust = |other: &[u8]| if is_answered(other) { Trust::Answered } else { alone };
    let [client, server] = sides;
    let requests = [Request::read(client, trust(server)), Request::read(server, trust(client))];
    let answers = sides.map(status);
    if requests.iter().all(Option::is_none) && answers.iter().all(Option::is_none) {
        return None;
    }
    let headers = sides.map(Headers::of);
    let request = requests
        .iter()
        .zip(&headers)
        .zip(sides)
        .find_map(|((it, head), bytes)| Some((it.as_ref()?, head, bytes)));
    let answer = answers.iter().zip(&headers).find_map(|(it, head)| Some((it.as_ref()?, head)));
    let mut facts = match &request {
        Some((request, head, bytes)) => request.facts(bytes, head),
        None => Facts::seen(format!("the HTTP status line {}", text(answer?.0.line, 100))),
    };
    if facts.service.is_none() && !is_of_known(&facts) {
        let asks = |it: &Carried| request.is_some_and(|(said, head, _)| (it.asks)(said, head));
        let is_in =
            |it: &&Carried| asks(it) || headers.iter().any(|head| is_of_kind(head, it.kinds));
        facts.service = FORMS.iter().find(is_in).map(|it| it.form.label);
    }
    let [of_client, of_server] = answers.each_ref().map(Option::is_some);
    let asks = |it: &[u8]| Request::read(it, alone).is_some();
    facts.shown = Some([of_client || asks(client), of_server || asks(server)]);
    if let Some((status, head)) = answer {
        let server = head.get(b"server").map(|it| text(it, 200));
        facts = facts
            .telling(Fact::HttpStatus, std::str::from_utf8(status.code).ok())
            .telling(Fact::ContentType, content_type(head))
            .telling(Fact::ServerSoftware, server);
    }
    let mut facts = facts.telling(Fact::ContentType, request.and_then(|it| content_type(it.1)));
    sides.iter().for_each(|it| tell_logins(it, &mut facts));
    Some(facts)
}

/// Whether a side begins with a request of HTTP.
pub(super) fn is_request(bytes: &[u8]) -> bool {
    Request::read(bytes, Trust::None).is_some()
}

/// Adds what logins by NTLM tell, alone or within a negotiation (RFC 4559, MS-NTHT).
fn tell_logins(messages: &[u8], facts: &mut Facts) {
    const OF_SERVERS: &[&[u8]] = &[b"authorization", b"www-authenticate"];
    const OF_PROXIES: &[&[u8]] = &[b"proxy-authorization", b"proxy-authenticate"];

    let may_be = |it: &&[u8]| matches!(it.first(), Some(b'A' | b'a' | b'P' | b'p' | b'W' | b'w'));
    for line in lines(messages).filter(may_be) {
        let name = line.split(|it| *it == b':').next().unwrap_or_default();
        let is_in = |names: &[&[u8]]| names.iter().any(|it| name.eq_ignore_ascii_case(it));
        let is_of_proxy = is_in(OF_PROXIES);
        if !is_of_proxy && !is_in(OF_SERVERS) {
            continue;
        }
        let value = line.get(name.len() + 1..).unwrap_or_default().trim_ascii_start();
        let schemes: [&[u8]; 2] = [b"NTLM ", b"Negotiate "];
        let Some(scheme) = schemes.iter().find(|it| starts_with_word(value, it)) else { continue };
        let message = from_base64(value.get(scheme.len()..).unwrap_or_default());
        // A proxy says its own name, not the server's.
        let server_name = facts.server_name.clone();
        ntlm::tell(&message, facts);
        if is_of_proxy {
            facts.server_name = server_name;
        }
    }
}

fn content_type(head: &Headers) -> Option<String> {
    head.get(b"content-type").map(|it| text(it, 200))
}

/// Whether the name or the program tells a service.
fn is_of_known(facts: &Facts) -> bool {
    facts.server_name.as_deref().and_then(service::by_name).is_some()
        || facts.told.get(Fact::UserAgent).and_then(service::by_agent).is_some()
}

fn recognise_websocket(heads: &Heads) -> Option<Facts> {
    let is_upgraded = |head: &[u8]| {
        let upgrade = header(head, b"upgrade");
        upgrade.is_some_and(|it| it.eq_ignore_ascii_case(b"websocket"))
    };
    let client = heads.client.bytes();
    // Most flows are none: HTTP begins with a capital letter, or an empty line too many.
    let may_be = |it: &[u8]| matches!(it.first(), Some(b'A'..=b'Z' | b'\r'));
    let is_web = may_be(client) || may_be(heads.server.bytes());
    if heads.transport != Transport::TCP || !is_web {
        return None;
    }
    let is_websocket = is_upgraded(client) && header(client, b"sec-websocket-key").is_some()
        || is_upgraded(heads.server.bytes());
    if !is_websocket {
        return None;
    }
    let facts = recognise(heads)?;
    Some(Facts { seen: "an HTTP upgrade to WebSocket".into(), ..facts })
}

/// The parts of a request line; the target perhaps cut.
struct Request<'a> {
    method: &'static str,
    target: &'a [u8],
}

/// What speaks for a request without a version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The other side begins as an answer does.
    Answered,
    /// HTTP is spoken at a port of the flow.
    Usual,
    None,
}

impl<'a> Request<'a> {
    fn read(bytes: &'a [u8], trust: Trust) -> Option<Self> {
        // Some clients end a body with an empty line too many (RFC 9112, section 2.2).
        let bytes = bytes.strip_prefix(b"\r\n").unwrap_or(bytes);
        bytes.first().filter(|it| it.is_ascii_uppercase())?;
        let line = lines(bytes).next()?;
        let (method, rest) = line.split_at_checked(line.iter().position(|it| *it == b' ')?)?;
        let method = METHODS.iter().find(|it| it.as_bytes() == method)?;
        let rest = rest.strip_prefix(b" ")?;
        let end = rest.iter().rposition(|it| *it == b' ');
        let version = end.and_then(|end| rest.get(end + 1..));
        let is_http = version.is_some_and(|it| {
            it.starts_with(b"HTTP/1.") || it.starts_with(b"HTTP/0.") || it == b"HTTP/2.0"
        });
        let is_cut = line.len() == bytes.len();
        let target = if is_http { rest.get(..end?)? } else { rest };
        let is_target = match target.first()? {
            b'/' => true,
            b'*' => is_http && target.len() == 1,
            _ if *method == "CONNECT" => is_http && target.contains(&b':'),
            _ => is_http,
        };
        // A line longer than the head has its version behind the cut; HTTP/0.9 and careless clients send none.
        let is_bare = *method == "GET" && !target.contains(&b' ');
        let is_supported = || trust == Trust::Usual || header(bytes, b"host").is_some();
        let is_old = is_bare && (trust == Trust::Answered || !is_cut && is_supported());
        let is_believed = is_http || is_cut && target.len() > 256 || is_old;
        (is_target && is_believed).then_some(Self { method, target })
    }

    /// The target without what is asked of it.
    fn path(&self) -> &[u8] {
        self.target.split(|it| *it == b'?').next().unwrap_or_default()
    }

    fn facts(&self, bytes: &[u8], head: &Headers) -> Facts {
        // A proxy is told the whole address (RFC 9112, section 3.2.2).
        let authority = match self.method {
            "CONNECT" => Some(self.target),
            _ => self
                .target
                .strip_prefix(b"http://")
                .and_then(|it| it.split(|it| *it == b'/').next()),
        };
        let host = authority.or_else(|| head.get(b"host"));
        let agent = head.get(b"user-agent").map(|it| text(it, 300));
        let name = host.and_then(host_of_authority);
        let of = if name.is_some() { " for " } else { "" };
        let service = SERVICES.iter().find(|it| it.1(self.target, head)).map(|it| it.0);
        let seen =
            ["an HTTP ", self.method, " request", of, name.as_deref().unwrap_or_default()].concat();
        // A query may hold what is secret.
        let path = self.target.split(|it| *it == b'?').next().filter(|_| authority.is_none());
        let version = lines(bytes).next().and_then(|it| it.rsplit(|it| *it == b' ').next());
        let version = version.filter(|it| it.starts_with(b"HTTP/")).map(|it| text(it, 8));
        Facts { server_name: name, service, ..Facts::seen(seen) }
            .telling(Fact::HttpMethod, Some(self.method))
            .telling(Fact::HttpPath, path.map(|it| text(it, 200)))
            .telling(Fact::Version, version)
            .telling(Fact::UserAgent, agent)
            .telling(Fact::Credentials, credentials(head))
    }
}

/// How a request proves who asks, where that can be read by anyone (RFC 7617).
fn credentials(head: &Headers) -> Option<&'static str> {
    let is_basic = |name: &[u8]| head.get(name).is_some_and(|it| starts_with_word(it, b"basic "));
    (is_basic(b"authorization") || is_basic(b"proxy-authorization")).then_some("HTTP Basic")
}

/// How an answer begins.
struct Status<'a> {
    line: &'a [u8],
    /// Its three digits.
    code: &'a [u8],
}

/// The status line of a side that answers.
fn status(bytes: &[u8]) -> Option<Status<'_>> {
    bytes.first().filter(|it| matches!(it, b'H' | b'I'))?;
    let line = lines(bytes).next()?;
    let rest = line.strip_prefix(b"HTTP/1.0 ").or_else(|| line.strip_prefix(b"HTTP/1.1 "));
    // Early servers of music streams answer in a protocol of their own that is HTTP but for its name.
    let rest = rest.or_else(|| line.strip_prefix(b"ICY "))?;
    let (code, behind) = rest.split_first_chunk::<3>()?;
    let is_code = code.iter().all(u8::is_ascii_digit);
    (is_code && behind.first().is_none_or(|it| *it == b' ')).then_some(Status { line, code })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello;

    #[test]
    fn some_requests_are_of_one_service() {
        let service = |request: &[u8]| recognise(&Heads::tcp(request, b"")).unwrap().service;
        assert_eq!(service(b"GET /uri-res/N2R?urn:sha1:ABC HTTP/1.1\r\n\r\n"), Some("gnutella"));
        assert_eq!(service(b"GET /speedtest/latency.txt?x=1 HTTP/1.1\r\n\r\n"), Some("ookla"));
        let ocsp = b"POST / HTTP/1.1\r\nContent-Type: application/ocsp-request\r\n\r\n";
        assert_eq!(service(ocsp), Some("ocsp"));
        let job = b"POST /printers/laser HTTP/1.1\r\nContent-Type: application/ipp\r\n\r\n";
        assert_eq!(service(job), Some("ipp"));
        assert_eq!(service(b"POST /vpnsvc/connect.cgi HTTP/1.1\r\n\r\n"), Some("softether"));
        assert_eq!(service(b"GET / HTTP/1.1\r\n\r\n"), None);
    }

    #[test]
    fn some_forms_show_where_no_service_is_known() {
        #[track_caller]
        fn check(request: &[u8], answer: &[u8], expected: Option<&str>) {
            let facts = recognise(&Heads::tcp(request, answer)).expect("HTTP");
            assert_eq!(facts.service, expected);
        }
        check(b"POST /control HTTP/1.1\r\nSOAPAction: \"urn:a#b\"\r\n\r\n", b"", Some("soap"));
        check(
            b"POST / HTTP/1.1\r\nContent-Type: application/soap+xml; charset=utf-8\r\n\r\n",
            b"",
            Some("soap"),
        );
        check(b"PROPFIND /files HTTP/1.1\r\nDepth: 1\r\n\r\n", b"", Some("webdav"));
        check(b"GET /live/a.m3u8?x=1 HTTP/1.1\r\n\r\n", b"", Some("hls"));
        check(
            b"GET /live/a HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegURL\r\n\r\n",
            Some("hls"),
        );
        check(b"GET /a/manifest.mpd HTTP/1.1\r\n\r\n", b"", Some("mpeg-dash"));
        // What is only mentioned, and what belongs to somebody.
        check(b"GET /?of=a.m3u8 HTTP/1.1\r\n\r\n", b"", None);
        check(b"GET /a HTTP/1.1\r\n\r\nSOAPAction: a\r\n", b"", None);
        check(b"GET /live/a.m3u8 HTTP/1.1\r\nHost: usher.ttvnw.net\r\n\r\n", b"", None);
    }

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: Option<&str>) {
        let facts = recognise(&Heads::tcp(client, server));
        assert_eq!(facts.as_ref().map(|it| &*it.seen), expected);
    }

    #[test]
    fn a_request_names_host_and_agent() {
        let request =
            b"GET /a HTTP/1.1\r\nhost: WWW.Example.org:8080\r\nUser-Agent: Wget/1.2\r\n\r\n";
        let facts = recognise(&Heads::tcp(request, b"")).expect("HTTP");
        assert_eq!(facts.seen, "an HTTP GET request for www.example.org");
        assert_eq!(facts.server_name.as_deref(), Some("www.example.org"));
        assert_eq!(facts.told.get(Fact::UserAgent), Some("Wget/1.2"));
    }

    #[test]
    fn request_and_answer_tell_what_they_are() {
        let request =
            b"POST /login?token=1 HTTP/1.1\r\nHost: a.example\r\nContent-Type: text/x\r\n\
            Authorization: Basic bWU6c2VjcmV0\r\n\r\n";
        let answer = b"HTTP/1.1 302 Found\r\nServer: httpd/2\r\nContent-Type: text/html\r\n\r\n";
        let facts = recognise(&Heads::tcp(request, answer)).expect("HTTP");
        let told: Vec<(&str, &str)> = facts.told.iter().map(|it| (it.0.row().key, it.1)).collect();
        assert_eq!(
            told,
            [
                ("http_method", "POST"),
                ("http_path", "/login"),
                ("version", "HTTP/1.1"),
                ("credentials", "HTTP Basic"),
                ("http_status", "302"),
                ("content_type", "text/html"),
                ("server_software", "httpd/2"),
            ]
        );
    }

    #[test]
    fn a_proxy_is_told_the_name() {
        check(
            b"CONNECT a.example:443 HTTP/1.1\r\n\r\n",
            b"",
            Some("an HTTP CONNECT request for a.example"),
        );
        let request = b"GET http://b.example/ HTTP/1.0\r\nHost: proxy\r\n\r\n";
        check(request, b"", Some("an HTTP GET request for b.example"));
    }

    #[test]
    fn a_response_alone_tells() {
        check(b"", b"HTTP/1.1 200 OK\r\n", Some("the HTTP status line HTTP/1.1 200 OK"));
    }

    #[test]
    fn a_line_longer_than_the_head_tells() {
        check(&[b"GET /".as_slice(), &[b'a'; 4000]].concat(), b"", Some("an HTTP GET request"));
    }

    #[test]
    fn a_request_without_a_version_tells_with_a_host_or_a_port() {
        check(b"GET /a\r\nHost: a.example\r\n\r\n", b"", Some("an HTTP GET request for a.example"));
        check(b"GET /a\r\n", b"", None);
        assert!(recognise(&Heads::tcp(b"GET /a\r\n", b"").with_ports(50_000, 80)).is_some());
    }

    #[test]
    fn a_request_without_a_version_tells_by_its_answer() {
        check(b"GET /a", b"<html>", Some("an HTTP GET request"));
        check(b"GET /a\r\n", b"HTTP/1.1 400 Bad Request\r\n", Some("an HTTP GET request"));
        check(b"GET /a", b"+OK", None);
        check(b"GET a", b"<html>", None);
    }

    #[test]
    fn what_a_proxy_carries_tells_of_itself() {
        let hello = hello::tests::body("www.example.org");
        let hello = [&[1, 0, 0, hello.len() as u8][..], &hello].concat();
        let hello = [&[22, 3, 1, 0, hello.len() as u8][..], &hello].concat();
        let asks = |consent: &str| {
            let request = b"CONNECT 192.0.2.1:443 HTTP/1.1\r\n\r\n";
            recognise(&Heads::tcp(&[request, &hello[..]].concat(), consent.as_bytes())).unwrap()
        };
        let facts = asks("HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(facts.server_name.as_deref(), Some("www.example.org"));
        assert!(facts.told.has(Fact::Ja4));
        assert_eq!(facts.told.get(Fact::HttpMethod), Some("CONNECT"));
        let twice = "HTTP/1.1 407 Who\r\nContent-Length: 1\r\n\r\n.\r\nHTTP/1.1 200 OK\r\n\r\n";
        assert!(asks(twice).told.has(Fact::Ja4));
        assert!(!asks("HTTP/1.1 403 No\r\n\r\n").told.has(Fact::Ja4));
        assert_eq!(asks("HTTP/1.1 403 No\r\n\r\n").server_name, None);
    }

    #[test]
    fn an_address_is_no_name() {
        let request = b"GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n";
        check(request, b"", Some("an HTTP GET request"));
    }

    #[test]
    fn an_upgrade_is_websocket() {
        let request = b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
        assert!(recognise_websocket(&Heads::tcp(request, b"")).is_some());
        let plain = b"GET /?Upgrade: websocket HTTP/1.1\r\n\r\n";
        assert!(recognise_websocket(&Heads::tcp(plain, b"")).is_none());
    }

    #[test]
    fn what_only_looks_like_it_is_not_http() {
        check(b"OPTIONS rtsp://a/ RTSP/1.0\r\n", b"", None);
        check(b"OPTIONS sip:a@b SIP/2.0\r\n", b"", None);
        check(b"GET something\r\n", b"", None);
        check(b"220 HTTP/1.1 200 OK\r\n", b"HTTP/1.1 2000\r\n", None);
    }
}
