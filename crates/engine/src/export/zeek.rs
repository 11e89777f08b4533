//! Zeek's `conn.log`, as tab-separated values and as JSON lines: the fields, their order and types of Zeek 8.
//!
//! Fields without a value are `-` in the one form and left out in the other. Bytes of payload count once, with those the
//! capture lost, and only of connections that last, as Zeek has them. The unique identifiers are of our own making: the
//! same capture gives the same ones.

use std::{
    io::{self, Write},
    net::IpAddr,
};

use classify::Fact;
use features::Piece;
use flow::{Direction, Transport, marks};

use crate::{hosts, rows::Row};

/// How the log is written.
pub(super) struct Zeek {
    pub(super) is_json: bool,
    /// When the capture began.
    pub(super) start_ns: u64,
}

/// A field of the log.
struct Field {
    name: &'static str,
    kind: &'static str,
    of: fn(&Connection<'_>) -> Option<Value>,
}

/// A row, and what is computed of it once.
struct Connection<'a> {
    uid: String,
    parent: Option<String>,
    row: &'a Row<'a>,
    /// Payload bytes of both sides, as Zeek counts them.
    payload: (u64, u64),
    lost_bytes: u64,
}

enum Value {
    Text(String),
    Number(u64),
    /// In nanoseconds; written in seconds with six decimals.
    Nanos(u64),
    Bool(bool),
    /// A set of one.
    Set(String),
}

const fn field(
    name: &'static str,
    kind: &'static str,
    of: fn(&Connection<'_>) -> Option<Value>,
) -> Field {
    Field { name, kind, of }
}

const FIELDS: &[Field] = &[
    field("ts", "time", |it| Some(Value::Nanos(it.row.time_start_ns))),
    field("uid", "string", |it| Some(Value::Text(it.uid.clone()))),
    field("id.orig_h", "addr", |it| Some(Value::Text(it.row.client.ip.to_string()))),
    field("id.orig_p", "port", |it| Some(Value::Number(it.row.client.port.into()))),
    field("id.resp_h", "addr", |it| Some(Value::Text(it.row.server.ip.to_string()))),
    field("id.resp_p", "port", |it| Some(Value::Number(it.row.server.port.into()))),
    field("proto", "enum", |it| Some(Value::Text(proto(it.row.transport).to_owned()))),
    field("service", "string", |it| services(it.row).map(Value::Text)),
    field("duration", "interval", |it| it.lasting(Value::Nanos(it.duration()))),
    field("orig_bytes", "count", |it| it.lasting(Value::Number(it.payload.0))),
    field("resp_bytes", "count", |it| it.lasting(Value::Number(it.payload.1))),
    field("conn_state", "string", |it| it.row.conn_state().map(|it| Value::Text(it.to_owned()))),
    field("local_orig", "bool", |it| Some(Value::Bool(is_local(it.row.client.ip)))),
    field("local_resp", "bool", |it| Some(Value::Bool(is_local(it.row.server.ip)))),
    field("missed_bytes", "count", |it| Some(Value::Number(it.lost_bytes))),
    field("history", "string", |it| it.row.history().map(Value::Text)),
    field("orig_pkts", "count", |it| Some(Value::Number(it.row.from_client.packets))),
    field("orig_ip_bytes", "count", |it| Some(Value::Number(it.row.from_client.ip_bytes))),
    field("resp_pkts", "count", |it| Some(Value::Number(it.row.from_server.packets))),
    field("resp_ip_bytes", "count", |it| Some(Value::Number(it.row.from_server.ip_bytes))),
    field("tunnel_parents", "set[string]", |it| it.parent.clone().map(Value::Set)),
    field("ip_proto", "count", |it| Some(Value::Number(it.row.transport.0.into()))),
];

/// The protocols that Zeek calls otherwise.
const SERVICES: &[(&str, &str)] = &[
    ("dcerpc", "dce_rpc"),
    ("dnp3", "dnp3_tcp"),
    ("kerberos", "krb"),
    ("mssql-tds", "tds"),
    ("postgres", "postgresql"),
    ("socks4", "socks"),
    ("socks5", "socks"),
    ("tls", "ssl"),
];

impl Zeek {
    pub(super) fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        if self.is_json {
            return Ok(());
        }
        out.write_all(b"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n")?;
        let line = |name: &str, of: fn(&Field) -> &'static str| {
            FIELDS.iter().fold(name.to_owned(), |line, it| line + "\t" + of(it))
        };
        writeln!(out, "{}\n{}", line("#fields", |it| it.name), line("#types", |it| it.kind))
    }

    pub(super) fn row(
        &self,
        piece: &Piece<'_>,
        row: &Row<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let uid = |flow, piece| uid(self.start_ns, flow, piece);
        let (payload, lost_bytes) = bytes(piece);
        let connection = Connection {
            uid: uid(row.flow_id, piece.number.unwrap_or(0)),
            parent: row.parent_id.map(|it| uid(it, 0)),
            row,
            payload,
            lost_bytes,
        };
        if self.is_json {
            let values = FIELDS.iter().filter_map(|it| Some((it.name, (it.of)(&connection)?)));
            for (at, (name, value)) in values.enumerate() {
                write!(out, "{}\"{name}\":", if at == 0 { "{" } else { "," })?;
                value.json(out)?;
            }
            return out.write_all(b"}\n");
        }
        for (at, field) in FIELDS.iter().enumerate() {
            out.write_all(if at == 0 { b"" } else { b"\t" })?;
            match (field.of)(&connection) {
                Some(value) => value.tsv(out)?,
                None => out.write_all(b"-")?,
            }
        }
        out.write_all(b"\n")
    }
}

impl Connection<'_> {
    fn duration(&self) -> u64 {
        self.row.time_end_ns.saturating_sub(self.row.time_start_ns)
    }

    /// What Zeek says only of a connection that lasts.
    fn lasting(&self, value: Value) -> Option<Value> {
        (self.duration() > 0).then_some(value)
    }
}

impl Value {
    fn tsv(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            // No text here has a tab, a line end or anything but ASCII.
            Self::Text(text) | Self::Set(text) => write!(out, "{text}"),
            Self::Number(number) => write!(out, "{number}"),
            Self::Nanos(nanos) => seconds(*nanos, out),
            Self::Bool(is) => write!(out, "{}", if *is { "T" } else { "F" }),
        }
    }

    fn json(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Text(text) => Ok(serde_json::to_writer(out, text)?),
            Self::Set(text) => Ok(serde_json::to_writer(out, &[text])?),
            Self::Number(number) => write!(out, "{number}"),
            Self::Nanos(nanos) => seconds(*nanos, out),
            Self::Bool(is) => write!(out, "{is}"),
        }
    }
}

/// Seconds with six decimals, rounded at the half.
fn seconds(nanos: u64, out: &mut impl Write) -> io::Result<()> {
    let micros = nanos.saturating_add(500) / 1_000;
    write!(out, "{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn proto(transport: Transport) -> &'static str {
    match transport {
        Transport::TCP => "tcp",
        Transport::UDP => "udp",
        Transport::ICMP | Transport::ICMPV6 => "icmp",
        _ => "unknown_transport",
    }
}

/// The service, and those within it that are known to be there, in the order in which Zeek (7 and later) confirms them.
fn services(row: &Row<'_>) -> Option<String> {
    let service = service(row.protocol)?;
    let has = |fact| row.fact(fact).is_some();
    let is_answered = row.from_server.packets > 0;
    Some(match row.protocol {
        // The greeting of TLS, in QUIC's first packets or behind words that agreed on it.
        "quic" | "ftp" | "http" | "imap" | "pop3" | "smtp" if has(Fact::Ja4) && is_answered => {
            format!("{service},ssl")
        }
        // The server offers ways to log in before it has said all of its first answer; then the client logs in.
        "smb" if has(Fact::Domain) || has(Fact::OwnName) => format!("gssapi,{service},ntlm"),
        _ => service,
    })
}

fn service(protocol: &str) -> Option<String> {
    if protocol == classify::UNKNOWN || Transport::named(protocol).is_some() {
        return None;
    }
    let other = SERVICES.iter().find(|it| it.0 == protocol).map(|it| it.1);
    Some(other.unwrap_or(protocol).to_owned())
}

/// As Zeek has it where nobody said which networks are local: those set aside for private use.
fn is_local(ip: IpAddr) -> bool {
    !matches!(hosts::scope(ip), "public" | "multicast")
}

/// Payload bytes of client and server, each counted once, with those the capture lost; and these alone.
fn bytes(piece: &Piece<'_>) -> ((u64, u64), u64) {
    let mut payload = (0, 0);
    for step in piece.timeline.steps() {
        if step.marks & marks::RESENT == 0 && !step.is_carrier {
            let side =
                if step.direction == piece.forward { &mut payload.0 } else { &mut payload.1 };
            *side += u64::from(step.payload_len);
        }
    }
    // How the connection fared is known of the whole of it.
    let Some(health) = piece.flow.health().filter(|_| piece.number.is_none()) else {
        return (payload, 0);
    };
    let lost = (health.client.lost_bytes, health.server.lost_bytes);
    let (forward, backward) = match piece.forward {
        Direction::Forward => lost,
        Direction::Backward => (lost.1, lost.0),
    };
    ((payload.0 + forward, payload.1 + backward), lost.0 + lost.1)
}

/// `C` and 17 digits to the base 62, as Zeek's are.
fn uid(start_ns: u64, flow: u32, piece: u32) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let low = mix(start_ns ^ mix(u64::from(flow) << 32 | u64::from(piece)));
    let mut rest = u128::from(mix(low)) << 64 | u128::from(low);
    let mut uid = "C".to_owned();
    for _ in 0..17 {
        uid.extend(DIGITS.get((rest % 62) as usize).map(|it| char::from(*it)));
        rest /= 62;
    }
    uid
}

/// Spreads every bit over all others (the finaliser of SplitMix64).
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds() {
        let text = |nanos| {
            let mut out = Vec::new();
            seconds(nanos, &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(text(1_700_000_000_123_456_499), "1700000000.123456");
        assert_eq!(text(999_999_500), "1.000000");
        assert_eq!(text(1), "0.000000");
    }

    #[test]
    fn services_have_zeeks_names() {
        assert_eq!(service("tls").as_deref(), Some("ssl"));
        assert_eq!(service("dns").as_deref(), Some("dns"));
        assert_eq!(service("unknown"), None);
        assert_eq!(service("gre"), None);
    }

    #[test]
    fn every_flow_and_piece_has_its_own_identifier() {
        let mut all: Vec<String> =
            (0..100).flat_map(|flow| (0..10).map(move |it| uid(7, flow, it))).collect();
        assert!(all.iter().all(|it| it.len() == 18 && it.starts_with('C')));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 1_000);
        assert_ne!(uid(7, 0, 0), uid(8, 0, 0));
    }
}
