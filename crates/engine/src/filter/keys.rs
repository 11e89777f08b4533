//! What a filter can ask for: one row a key, with its names, how it is read from a flow, and what it is.

use std::{borrow::Cow, net::IpAddr};

use classify::{FACTS, Fact};
use flow::{SideHealth, Transport};

use super::values::{Operator, Scale};
use crate::rows::Row;

/// A text of a flow, where it has one.
pub(super) type Text = for<'a> fn(&Row<'a>) -> Option<Cow<'a, str>>;
/// Addresses of a flow; of one alone, the same twice.
pub(super) type Addresses = fn(&Row<'_>) -> [IpAddr; 2];
/// Numbers of a flow that has them, given when the capture began (ns); of one alone, the same twice.
pub(super) type Numbers = fn(&Row<'_>, u64) -> Option<[u64; 2]>;
/// What a flow is or is not, where it can be either.
pub(super) type Flag = fn(&Row<'_>) -> bool;

/// What a key stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    /// A word of ours: `:` wants it whole.
    Exact(Text),
    /// A text of the wire: `:` wants a part of it.
    Containing(Text),
    /// The same, of what a payload told.
    Fact(Fact),
    Transport,
    Address(Addresses),
    /// The country of such an address, by its two letters.
    Country(Addresses),
    Number(Numbers, Scale),
    Flag(Flag),
}

/// A key and its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// The first is the one to teach.
    pub(super) names: &'static [&'static str],
    pub(super) key: Key,
    pub(super) en: &'static str,
    pub(super) ru: &'static str,
}

/// Every key but those of facts, which are in [`FACTS`].
pub(super) const KEYS: &[Known] = &[
    row(
        &["label"],
        Key::Exact(|it| Some(it.label.into())),
        "service, else protocol",
        "сервис, иначе протокол",
    ),
    row(
        &["rules", "rule_label"],
        Key::Exact(|it| Some(it.rule_label().into())),
        "label by rules and payload, whatever a model says",
        "метка по правилам и содержимому, что бы ни сказала модель",
    ),
    row(
        &["guess", "model_label"],
        Key::Exact(|it| it.model_label().map(Cow::Borrowed)),
        "what a model takes it for",
        "за что поток принимает модель",
    ),
    row(&["group"], Key::Exact(|it| Some(it.group.into())), "kind of traffic", "вид трафика"),
    row(
        &["proto", "protocol", "app"],
        Key::Exact(|it| Some(it.protocol.into())),
        "what the payload speaks",
        "протокол содержимого",
    ),
    row(&["transport"], Key::Transport, "tcp, udp, icmp …", "tcp, udp, icmp …"),
    row(
        &["name", "sni", "host", "domain_name"],
        Key::Containing(|it| it.domain_name().map(Cow::Borrowed)),
        "name the client asked for",
        "имя, к которому обращались",
    ),
    row(
        &["ip", "ip.addr", "ipv6.addr"],
        Key::Address(|it| [it.client.ip, it.server.ip]),
        "address of either side, or its network",
        "адрес любой стороны или её сеть",
    ),
    row(
        &["client", "client_ip", "ip.src", "ipv6.src"],
        Key::Address(|it| [it.client.ip; 2]),
        "address of who opened the flow",
        "адрес открывшего поток",
    ),
    row(
        &["server", "server_ip", "ip.dst", "ipv6.dst"],
        Key::Address(|it| [it.server.ip; 2]),
        "address of who answered",
        "адрес ответившего",
    ),
    row(
        &["country"],
        Key::Country(|it| [it.client.ip, it.server.ip]),
        "country of either side, by your own database",
        "страна любой стороны, по вашей базе",
    ),
    row(
        &["client_country"],
        Key::Country(|it| [it.client.ip; 2]),
        "country of who opened the flow",
        "страна открывшего поток",
    ),
    row(
        &["server_country"],
        Key::Country(|it| [it.server.ip; 2]),
        "country of who answered",
        "страна ответившего",
    ),
    row(&["port"], number(|it, _| ports(it, None)), "port of either side", "порт любой стороны"),
    row(
        &["server_port"],
        number(|it, _| one(it.server.port)),
        "port of who answered",
        "порт ответившего",
    ),
    row(
        &["client_port"],
        number(|it, _| one(it.client.port)),
        "port of who opened the flow",
        "порт открывшего поток",
    ),
    row(&["bytes"], size(|it, _| one(it.bytes())), "bytes of both sides", "байты обеих сторон"),
    row(
        &["packets"],
        number(|it, _| one(it.from_client.packets + it.from_server.packets)),
        "packets of both sides",
        "пакеты обеих сторон",
    ),
    row(
        &["client_packets"],
        number(|it, _| one(it.from_client.packets)),
        "packets of who opened the flow",
        "пакеты открывшего поток",
    ),
    row(
        &["server_packets"],
        number(|it, _| one(it.from_server.packets)),
        "packets of who answered",
        "пакеты ответившего",
    ),
    row(
        &["duration"],
        time(|it, _| one(it.time_end_ns.saturating_sub(it.time_start_ns))),
        "from the first packet to the last",
        "от первого пакета до последнего",
    ),
    row(
        &["start", "frame.time_relative"],
        time(|it, zero| one(it.time_start_ns.saturating_sub(zero))),
        "first packet, since the capture began",
        "первый пакет, от начала снимка",
    ),
    row(
        &["end"],
        time(|it, zero| one(it.time_end_ns.saturating_sub(zero))),
        "last packet, since the capture began",
        "последний пакет, от начала снимка",
    ),
    row(
        &["state", "conn_state"],
        Key::Exact(|it| it.conn_state().map(Cow::Borrowed)),
        "how the connection ended, in Zeek's words",
        "чем кончилось соединение, словами Zeek",
    ),
    row(
        &["evidence"],
        Key::Exact(|it| Some(it.evidence.into())),
        "how the label was reached",
        "откуда метка",
    ),
    row(
        &["confidence", "label.conf"],
        number(|it, _| one(it.confidence?)),
        "how sure a model is, in percent",
        "уверенность модели, в процентах",
    ),
    row(
        &["shown_by"],
        Key::Exact(|it| it.shown_by.map(Cow::Borrowed)),
        "whose bytes show the protocol",
        "чьи байты выдают протокол",
    ),
    row(
        &["reason"],
        Key::Containing(|it| Some(it.reason())),
        "why the flow has its label",
        "почему у потока эта метка",
    ),
    row(
        &["tunnel"],
        Key::Containing(|it| it.tunnel.map(|it| it.to_string().into())),
        "tunnel the flow is in",
        "туннель, в котором поток",
    ),
    row(
        &["flow", "flow_id"],
        number(|it, _| one(it.flow_id)),
        "number of the flow",
        "номер потока",
    ),
    row(
        &["session", "session_id"],
        number(|it, _| one(it.session_id)),
        "number of its session",
        "номер сеанса",
    ),
    row(
        &["parent", "parent_id"],
        number(|it, _| one(it.parent_id?)),
        "flow that carries it",
        "поток, в котором он идёт",
    ),
    row(
        &["tcp.port"],
        number(|it, _| ports(it, Some(Transport::TCP))),
        "TCP port of either side",
        "порт TCP любой стороны",
    ),
    row(
        &["tcp.srcport"],
        number(|it, _| port(it, Transport::TCP, it.client.port)),
        "TCP port of who opened the flow",
        "порт TCP открывшего поток",
    ),
    row(
        &["tcp.dstport"],
        number(|it, _| port(it, Transport::TCP, it.server.port)),
        "TCP port of who answered",
        "порт TCP ответившего",
    ),
    row(
        &["udp.port"],
        number(|it, _| ports(it, Some(Transport::UDP))),
        "UDP port of either side",
        "порт UDP любой стороны",
    ),
    row(
        &["udp.srcport"],
        number(|it, _| port(it, Transport::UDP, it.client.port)),
        "UDP port of who opened the flow",
        "порт UDP открывшего поток",
    ),
    row(
        &["udp.dstport"],
        number(|it, _| port(it, Transport::UDP, it.server.port)),
        "UDP port of who answered",
        "порт UDP ответившего",
    ),
    row(
        &["tcp.flags.reset"],
        Key::Flag(|it| it.has_reset()),
        "a side reset the connection",
        "соединение сброшено",
    ),
    row(
        &["dns.qry.name"],
        Key::Containing(|it| name_of(it, &["dns", "mdns", "llmnr"])),
        "name asked of DNS",
        "имя в запросе DNS",
    ),
    row(
        &["http.host"],
        Key::Containing(|it| name_of(it, &["http", "http2"])),
        "host of an HTTP request",
        "узел запроса HTTP",
    ),
    row(
        &["tls.handshake.extensions_server_name"],
        Key::Containing(|it| name_of(it, &["tls", "quic"])),
        "name in a TLS greeting",
        "имя в приветствии TLS",
    ),
    // How an established TCP connection fared: of either side.
    row(
        &["retransmissions"],
        number(|it, _| sides(it, |it| Some(it.retransmissions.into()))),
        "segments sent again",
        "повторно посланные сегменты",
    ),
    row(
        &["out_of_order"],
        number(|it, _| sides(it, |it| Some(it.out_of_order.into()))),
        "segments out of order",
        "сегменты не по порядку",
    ),
    row(
        &["duplicate_acks"],
        number(|it, _| sides(it, |it| Some(it.duplicate_acks.into()))),
        "repeated acknowledgements",
        "повторные подтверждения",
    ),
    row(
        &["zero_windows"],
        number(|it, _| sides(it, |it| Some(it.zero_windows.into()))),
        "times a side could take no more",
        "сколько раз сторона не принимала",
    ),
    row(
        &["lost_bytes"],
        size(|it, _| sides(it, |it| Some(it.lost_bytes))),
        "bytes the capture does not have",
        "байты, которых нет в снимке",
    ),
    row(
        &["handshake"],
        time(|it, _| sides(it, |it| it.handshake_ns)),
        "time of a side's handshake",
        "время рукопожатия стороны",
    ),
    row(
        &["round_trip"],
        time(|it, _| sides(it, |it| it.round_trip_ns)),
        "round trip of a side",
        "время в оба конца",
    ),
];

/// Other names of facts: those of ours, and Wireshark's.
const FACT_NAMES: &[(&[&str], Fact)] = &[
    (&["agent", "user_agent", "ua", "http.user_agent"], Fact::UserAgent),
    (&["server_software", "http.server"], Fact::ServerSoftware),
    (&["http_method", "http.request.method"], Fact::HttpMethod),
    (&["http_path", "http.request.uri.path"], Fact::HttpPath),
    (&["http_status", "http.response.code"], Fact::HttpStatus),
    (&["content_type", "http.content_type"], Fact::ContentType),
    (&["ja4", "tls.handshake.ja4"], Fact::Ja4),
    (&["ja3", "tls.handshake.ja3"], Fact::Ja3),
    (&["ja3s", "tls.handshake.ja3s"], Fact::Ja3s),
];

const fn row(
    names: &'static [&'static str],
    key: Key,
    en: &'static str,
    ru: &'static str,
) -> Known {
    Known { names, key, en, ru }
}

const fn number(of: Numbers) -> Key {
    Key::Number(of, Scale::Plain)
}

const fn size(of: Numbers) -> Key {
    Key::Number(of, Scale::Bytes)
}

const fn time(of: Numbers) -> Key {
    Key::Number(of, Scale::Time)
}

fn one(number: impl Into<u64>) -> Option<[u64; 2]> {
    Some([number.into(); 2])
}

/// The ports of a flow, of this transport alone.
fn ports(row: &Row<'_>, transport: Option<Transport>) -> Option<[u64; 2]> {
    let is_such = transport.is_none_or(|it| it == row.transport);
    is_such.then(|| [row.client.port.into(), row.server.port.into()])
}

fn port(row: &Row<'_>, transport: Transport, port: u16) -> Option<[u64; 2]> {
    (row.transport == transport).then_some([port.into(); 2])
}

/// A number of either side of an established connection; of one alone where the other has none.
fn sides(row: &Row<'_>, of: fn(&SideHealth) -> Option<u64>) -> Option<[u64; 2]> {
    let (client, server) = (of(&row.health?.client), of(&row.health?.server));
    Some([client.or(server)?, server.or(client)?])
}

/// The name of a flow that speaks one of these protocols.
fn name_of<'a>(row: &Row<'a>, protocols: &[&str]) -> Option<Cow<'a, str>> {
    if protocols.contains(&row.protocol) { row.domain_name().map(Cow::Borrowed) } else { None }
}

impl Known {
    /// The name to teach.
    pub(super) fn name(&self) -> &'static str {
        self.names.first().copied().unwrap_or_default()
    }
}

impl Key {
    /// What can compare it, in the order it is offered.
    pub(super) fn operators(self) -> &'static [Operator] {
        match self {
            Self::Exact(_) | Self::Containing(_) | Self::Fact(_) | Self::Transport => &[
                Operator::Has,
                Operator::Is,
                Operator::IsNot,
                Operator::In,
                Operator::Contains,
                Operator::Matches,
            ],
            Self::Address(_) | Self::Country(_) => {
                &[Operator::Has, Operator::Is, Operator::IsNot, Operator::In]
            }
            Self::Number(..) => &[
                Operator::Has,
                Operator::Is,
                Operator::IsNot,
                Operator::Greater,
                Operator::GreaterOrEqual,
                Operator::Less,
                Operator::LessOrEqual,
                Operator::In,
            ],
            Self::Flag(_) => &[Operator::Is, Operator::Has, Operator::IsNot],
        }
    }
}

/// Every key; those of facts last.
pub(super) fn all() -> impl Iterator<Item = Known> {
    let facts = FACTS.iter().map(|fact| {
        let names = FACT_NAMES.iter().find(|it| it.1 == fact.fact).map(|it| it.0);
        let names = names.unwrap_or(std::slice::from_ref(&fact.key));
        Known { names, key: Key::Fact(fact.fact), en: fact.en, ru: fact.ru }
    });
    KEYS.iter().copied().chain(facts)
}

/// The key of that name, whatever its case.
pub(super) fn find(name: &str) -> Option<Known> {
    all().find(|it| it.names.iter().any(|it| it.eq_ignore_ascii_case(name)))
}

/// The known name that is most like this one, where one is like it.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    if lower.len() > MAX_NAME {
        return None;
    }
    let names = all().flat_map(|it| it.names.iter().copied());
    // Half a name is like it, too.
    let cost = |it: &str| match it.starts_with(&lower) && lower.len() >= 3 {
        true => 1,
        false => distance(&lower, it),
    };
    let (cost, nearest) = names.map(|it| (cost(it), it)).min_by_key(|it| it.0)?;
    (cost <= 1.max(lower.chars().count() / 3)).then_some(nearest)
}

/// The longest name that is compared with those known, in bytes.
const MAX_NAME: usize = 64;

/// How many letters must be put in, left out, changed or swapped to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, of_a) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, of_b) in b.iter().enumerate() {
            let is_swapped = i > 0 && j > 0 && a[i - 1] == *of_b && b[j - 1] == *of_a;
            let swap = if is_swapped { before[j - 1] + 1 } else { usize::MAX };
            let change = last[j] + usize::from(of_a != of_b);
            row.push(change.min(last[j + 1] + 1).min(row[j] + 1).min(swap));
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_one_key_and_a_word() {
        let mut names = BTreeSet::new();
        for known in all() {
            assert!(!known.en.is_empty() && !known.ru.is_empty(), "{}", known.name());
            for name in known.names {
                assert!(names.insert(*name), "{name}");
                let is_plain =
                    |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "_.".contains(it);
                assert!(name.chars().all(is_plain), "{name}");
            }
        }
    }

    #[test]
    fn every_fact_is_asked_for_by_its_key() {
        for fact in FACTS {
            assert!(
                matches!(find(fact.key).map(|it| it.key), Some(Key::Fact(it)) if it == fact.fact),
                "{}",
                fact.key
            );
        }
    }

    #[test]
    fn what_is_meant_is_near() {
        assert_eq!(nearest("labl"), Some("label"));
        assert_eq!(nearest("lable"), Some("label"));
        assert_eq!(nearest("prot"), Some("proto"));
        assert_eq!(nearest("tcp.prot"), Some("tcp.port"));
        assert_eq!(nearest("colour"), None);
        assert_eq!(nearest(&"x".repeat(100_000)), None);
    }
}
