//! The filter language over flow rows, the same in the page's filter box and after `--filter`.
//!
//! Terms stand side by side and must all hold; `or` between them separates alternatives; `-` or `!` before a term
//! negates it. A term is `key:value`, `key==value`, `key!=value`, a comparison (`bytes>10MB`, `duration<2s`), or a word
//! searched for in every text. Values with spaces stand in double quotes. Keys: see [`KEYS`].

use std::{borrow::Cow, net::IpAddr};

use classify::{FACTS, Fact};
use flow::SideHealth;

use crate::rows::Row;

/// A filter, understood.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these must hold; of each, every term. Empty for all flows.
    alternatives: Vec<Vec<Term>>,
}

#[derive(Clone, Debug)]
struct Term {
    is_negated: bool,
    test: Test,
}

/// A text of a flow, where it has one.
type Text = for<'a> fn(&Row<'a>) -> Option<Cow<'a, str>>;
/// Addresses of a flow; of one alone, the same twice.
type Addresses = fn(&Row<'_>) -> [IpAddr; 2];
/// Numbers of a flow that has them, given when the capture began (ns); of one alone, the same twice.
type Numbers = fn(&Row<'_>, u64) -> Option<[u64; 2]>;

#[derive(Clone, Debug)]
enum Test {
    /// A word in any text.
    Word(String),
    /// A text key that contains or equals a value.
    Text(Text, String),
    /// A fact that contains a value; with an empty one, that was told at all.
    Fact(Fact, String),
    /// An address within a network.
    Network(Addresses, IpAddr, u8),
    /// A number compared.
    Number(Numbers, Comparison, u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a key stands for.
#[derive(Clone, Copy)]
enum Key {
    Exact(Text),
    Containing(Text),
    Fact(Fact),
    Address(Addresses),
    Number(Numbers, Scale),
}

/// The units a number may be written in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    Plain,
    Bytes,
    /// Kept in nanoseconds; without a unit, seconds.
    Time,
}

/// Every key but those of facts, which are in [`FACTS`]; the first name of each is the one to teach.
const KEYS: &[(&[&str], Key)] = &[
    (&["label"], Key::Exact(|it| Some(it.label.into()))),
    (&["group"], Key::Exact(|it| Some(it.group.into()))),
    (&["proto", "protocol", "app"], Key::Exact(|it| Some(it.protocol.into()))),
    (&["transport"], Key::Exact(|it| Some(it.transport.to_string().into()))),
    (&["state", "conn_state"], Key::Exact(|it| it.conn_state.map(Cow::Borrowed))),
    (&["tunnel"], Key::Containing(|it| it.tunnel.map(|it| it.to_string().into()))),
    (
        &["name", "sni", "host", "domain_name"],
        Key::Containing(|it| it.domain_name.map(Cow::Borrowed)),
    ),
    (&["agent", "user_agent", "ua"], Key::Fact(Fact::UserAgent)),
    (&["evidence"], Key::Exact(|it| Some(it.evidence.into()))),
    // Of a model's guess, in percent.
    (&["confidence"], number(|it, _| one(it.confidence?))),
    (&["shown_by"], Key::Exact(|it| it.shown_by.map(Cow::Borrowed))),
    (&["reason"], Key::Containing(|it| Some(it.reason()))),
    (&["ip", "ip.addr"], Key::Address(|it| [it.client.ip, it.server.ip])),
    (&["client", "client_ip"], Key::Address(|it| [it.client.ip; 2])),
    (&["server", "server_ip"], Key::Address(|it| [it.server.ip; 2])),
    (&["port"], number(|it, _| Some([it.client.port, it.server.port].map(u64::from)))),
    (&["server_port"], number(|it, _| one(it.server.port))),
    (&["client_port"], number(|it, _| one(it.client.port))),
    (&["flow", "flow_id"], number(|it, _| one(it.flow_id))),
    (&["parent", "parent_id"], number(|it, _| one(it.parent_id?))),
    (&["session", "session_id"], number(|it, _| one(it.session_id))),
    (&["packets"], number(|it, _| one(it.from_client.packets + it.from_server.packets))),
    (&["client_packets"], number(|it, _| one(it.from_client.packets))),
    (&["server_packets"], number(|it, _| one(it.from_server.packets))),
    (&["bytes"], size(|it, _| one(it.bytes()))),
    (&["duration"], time(|it, _| one(it.time_end_ns.saturating_sub(it.time_start_ns)))),
    // Since the capture began.
    (&["start"], time(|it, zero| one(it.time_start_ns.saturating_sub(zero)))),
    (&["end"], time(|it, zero| one(it.time_end_ns.saturating_sub(zero)))),
    // How an established TCP connection fared: of either side.
    (&["retransmissions"], number(|it, _| sides(it, |it| Some(it.retransmissions.into())))),
    (&["out_of_order"], number(|it, _| sides(it, |it| Some(it.out_of_order.into())))),
    (&["duplicate_acks"], number(|it, _| sides(it, |it| Some(it.duplicate_acks.into())))),
    (&["zero_windows"], number(|it, _| sides(it, |it| Some(it.zero_windows.into())))),
    (&["lost_bytes"], size(|it, _| sides(it, |it| Some(it.lost_bytes)))),
    (&["handshake"], time(|it, _| sides(it, |it| it.handshake_ns))),
    (&["round_trip"], time(|it, _| sides(it, |it| it.round_trip_ns))),
];

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

/// A number of either side of an established connection; of one alone where the other has none.
fn sides(row: &Row<'_>, of: fn(&SideHealth) -> Option<u64>) -> Option<[u64; 2]> {
    let (client, server) = (of(&row.health?.client), of(&row.health?.server));
    Some([client.or(server)?, server.or(client)?])
}

/// The key to teach of everything a filter can ask for; facts last.
fn keys() -> impl Iterator<Item = &'static str> {
    let own = KEYS.iter().filter_map(|it| it.0.first().copied());
    let is_own = |key: &str| KEYS.iter().any(|it| it.0.contains(&key));
    own.chain(FACTS.iter().map(|it| it.key).filter(move |it| !is_own(it)))
}

const OPERATORS: &[(&str, Comparison)] = &[
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<=", Comparison::LessOrEqual),
    (":", Comparison::Equal),
    ("=", Comparison::Equal),
    (">", Comparison::Greater),
    ("<", Comparison::Less),
];

impl Filter {
    /// Understands a filter as typed.
    ///
    /// # Errors
    /// A sentence for whoever typed it, where a key or a value is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut alternatives = vec![Vec::new()];
        for word in words(text)? {
            match word.as_str() {
                "or" | "||" => alternatives.push(Vec::new()),
                "and" | "&&" => {}
                _ => {
                    if let Some(terms) = alternatives.last_mut() {
                        terms.push(Term::parse(&word)?);
                    }
                }
            }
        }
        // Nothing beside an `or` is no condition, not a condition that always holds.
        alternatives.retain(|terms| !terms.is_empty());
        Ok(Self { alternatives })
    }

    /// Whether the row passes; times are counted from when the capture began (ns).
    pub(crate) fn matches(&self, row: &Row<'_>, capture_start_ns: u64) -> bool {
        self.alternatives.is_empty()
            || self.alternatives.iter().any(|terms| {
                terms.iter().all(|it| it.test.holds(row, capture_start_ns) != it.is_negated)
            })
    }
}

/// Splits at spaces outside double quotes; the quotes go.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut is_quoted, mut has_quotes) = (false, false);
    for char in text.chars() {
        match char {
            '"' => (is_quoted, has_quotes) = (!is_quoted, true),
            it if it.is_whitespace() && !is_quoted => {
                if !word.is_empty() || has_quotes {
                    words.push(std::mem::take(&mut word));
                }
                has_quotes = false;
            }
            it => word.push(it),
        }
    }
    if is_quoted {
        return Err("a double quote is not closed".to_owned());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

impl Term {
    fn parse(word: &str) -> Result<Self, String> {
        let rest = word.strip_prefix(['-', '!']);
        let (is_negated, word) = (rest.is_some(), rest.unwrap_or(word));
        let found = OPERATORS
            .iter()
            .filter_map(|(operator, comparison)| {
                let at = word.find(operator)?;
                Some((at, operator.len(), *comparison))
            })
            // The first operator in the word counts, the longer of two at one place.
            .min_by_key(|(at, len, _)| (*at, std::cmp::Reverse(*len)));
        let Some((at, len, comparison)) = found.filter(|(at, ..)| *at > 0) else {
            return Ok(Self { is_negated, test: Test::Word(word.to_lowercase()) });
        };
        let (name, value) = (&word[..at], &word[at + len..]);
        let lower = name.to_lowercase();
        let own = KEYS.iter().find(|it| it.0.contains(&&*lower)).map(|it| it.1);
        let Some(key) = own.or_else(|| Fact::named(&lower).map(Key::Fact)) else {
            // An IPv6 address holds colons and is a word like any other.
            if word.parse::<IpAddr>().is_ok() || word.contains("://") {
                return Ok(Self { is_negated, test: Test::Word(word.to_lowercase()) });
            }
            let known: Vec<&str> = keys().collect();
            return Err(format!("unknown key `{name}`; known are {}", known.join(", ")));
        };
        let test = match key {
            Key::Number(of, scale) => Test::Number(of, comparison, parse_number(value, scale)?),
            Key::Exact(of) => Test::Text(of, value.to_lowercase()).when(name, comparison)?,
            Key::Containing(of) => {
                Test::Text(of, format!("*{}", value.to_lowercase())).when(name, comparison)?
            }
            Key::Fact(fact) => Test::Fact(fact, value.to_lowercase()).when(name, comparison)?,
            Key::Address(of) => {
                let (ip, len) = network(value)?;
                Test::Network(of, ip, len).when(name, comparison)?
            }
        };
        let is_unequal = comparison == Comparison::NotEqual && !matches!(key, Key::Number(..));
        Ok(Self { is_negated: is_negated != is_unequal, test })
    }
}

impl Test {
    /// Texts and addresses know only equality.
    fn when(self, name: &str, comparison: Comparison) -> Result<Self, String> {
        match comparison {
            Comparison::Equal | Comparison::NotEqual => Ok(self),
            _ => Err(format!("`{name}` can be compared by `:` and `!=` alone")),
        }
    }

    fn holds(&self, row: &Row<'_>, zero: u64) -> bool {
        match self {
            Self::Word(word) => has_word(row, word),
            Self::Text(of, value) => of(row).is_some_and(|it| match value.strip_prefix('*') {
                Some(part) => contains(&it, part),
                None => it.eq_ignore_ascii_case(value),
            }),
            Self::Fact(fact, value) => row.fact(*fact).is_some_and(|it| contains(it, value)),
            Self::Network(of, ip, len) => of(row).iter().any(|it| is_within(*it, *ip, *len)),
            Self::Number(of, comparison, value) => {
                // What is not there differs from every number, and is no less and no more.
                let Some(numbers) = of(row, zero) else {
                    return *comparison == Comparison::NotEqual;
                };
                match comparison {
                    Comparison::Equal => numbers.iter().any(|it| it == value),
                    Comparison::NotEqual => numbers.iter().all(|it| it != value),
                    Comparison::Less => numbers.iter().any(|it| it < value),
                    Comparison::LessOrEqual => numbers.iter().any(|it| it <= value),
                    Comparison::Greater => numbers.iter().any(|it| it > value),
                    Comparison::GreaterOrEqual => numbers.iter().any(|it| it >= value),
                }
            }
        }
    }
}

/// Whether a word in lower case stands in a text of the row. The reason is ours and not searched.
fn has_word(row: &Row<'_>, word: &str) -> bool {
    let options = [row.domain_name, row.conn_state];
    let always = [row.protocol, row.label, row.group];
    always.into_iter().chain(options.into_iter().flatten()).any(|it| contains(it, word))
        || row.facts().any(|it| contains(it.1, word))
        || contains(&row.transport.to_string(), word)
        || [row.client.ip, row.server.ip].iter().any(|it| it.to_string().contains(word))
}

/// Whether a part in lower case stands in a text, whatever its case.
fn contains(text: &str, part: &str) -> bool {
    // Most texts are in lower case and need no copy.
    let is_lower = text.bytes().all(|it| it.is_ascii() && !it.is_ascii_uppercase());
    if is_lower { text.contains(part) } else { text.to_lowercase().contains(part) }
}

fn parse_number(text: &str, scale: Scale) -> Result<u64, String> {
    const UNITS: &[(Scale, &str, f64)] = &[
        (Scale::Bytes, "kib", 1024.0),
        (Scale::Bytes, "mib", 1_048_576.0),
        (Scale::Bytes, "gib", 1_073_741_824.0),
        (Scale::Bytes, "kb", 1e3),
        (Scale::Bytes, "mb", 1e6),
        (Scale::Bytes, "gb", 1e9),
        (Scale::Bytes, "k", 1e3),
        (Scale::Bytes, "m", 1e6),
        (Scale::Bytes, "g", 1e9),
        (Scale::Bytes, "b", 1.0),
        (Scale::Time, "ns", 1.0),
        (Scale::Time, "us", 1e3),
        (Scale::Time, "µs", 1e3),
        (Scale::Time, "ms", 1e6),
        (Scale::Time, "min", 60e9),
        (Scale::Time, "s", 1e9),
        (Scale::Time, "m", 60e9),
        (Scale::Time, "h", 3600e9),
    ];
    let lower = text.to_lowercase();
    let unit = UNITS.iter().filter(|it| it.0 == scale).find_map(|(_, suffix, factor)| {
        Some((lower.strip_suffix(suffix)?.trim_end().to_owned(), *factor))
    });
    let default = if scale == Scale::Time { 1e9 } else { 1.0 };
    let (digits, factor) = unit.unwrap_or((lower, default));
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok((value * factor).round() as u64),
        _ => Err(format!("`{text}` is not a number")),
    }
}

/// An address, or a network as `10.0.0.0/8`.
pub(crate) fn network(text: &str) -> Result<(IpAddr, u8), String> {
    let bad = || format!("`{text}` is no address and no network like 10.0.0.0/8");
    let (address, len) = text.split_once('/').map_or((text, None), |it| (it.0, Some(it.1)));
    let Ok(ip) = address.trim_matches(['[', ']']).parse::<IpAddr>() else { return Err(bad()) };
    let longest = if ip.is_ipv4() { 32 } else { 128 };
    let len = match len {
        None => longest,
        Some(digits) => digits.parse().ok().filter(|it| *it <= longest).ok_or_else(bad)?,
    };
    Ok((ip, len))
}

pub(crate) fn is_within(ip: IpAddr, network: IpAddr, len: u8) -> bool {
    let same = |a: u128, b: u128, bits: u32| {
        let shift = bits - u32::from(len);
        a.checked_shr(shift).unwrap_or(0) == b.checked_shr(shift).unwrap_or(0)
    };
    match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use v1::page::FlowRow;

    use super::*;

    fn row() -> FlowRow {
        FlowRow {
            flow_id: 3,
            transport: "tcp".into(),
            client_ip: "10.0.4.21".into(),
            client_port: 40_000,
            server_ip: "2001:db8::7".into(),
            server_port: 443,
            time_start_ns: 5_000_000_000,
            time_end_ns: 7_500_000_000,
            client_bytes: 4_000_000,
            server_bytes: 8_000_000,
            protocol: "tls".into(),
            label: "apple music".into(),
            group: "media".into(),
            domain_name: Some("play.itunes.example".into()),
            ..FlowRow::default()
        }
    }

    #[track_caller]
    fn check(filter: &str, expected: bool) {
        let row = row();
        let passes = Filter::parse(filter).unwrap().matches(&Row::stored(&row), 1_000_000_000);
        assert_eq!(passes, expected);
    }

    #[test]
    fn terms_must_all_hold() {
        check("", true);
        check("proto:tls port:443", true);
        check("proto:tls port:80", false);
    }

    #[test]
    fn either_side_of_or_may_hold() {
        check("proto:http or proto:tls", true);
        check("proto:http || proto:dns", false);
        check("proto:http or", false);
    }

    #[test]
    fn a_term_can_be_negated() {
        check("-proto:http", true);
        check("!proto:tls", false);
        check("proto!=tls", false);
        check("port!=443", false);
    }

    #[test]
    fn addresses_match_by_network() {
        check("ip:10.0.0.0/8", true);
        check("ip:10.0.0.0/16 ip:10.1.0.0/16", false);
        check("server:2001:db8::/32", true);
        check("ip:0.0.0.0/0", true);
    }

    #[test]
    fn numbers_have_units() {
        check("bytes>10MB", true);
        check("bytes>=12MB bytes<12.1MB", true);
        check("duration==2.5s", true);
        check("start>=4 end<=6500ms", true);
    }

    #[test]
    fn what_is_not_there_is_no_number() {
        check("parent<9", false);
        check("parent>9", false);
        check("parent:9", false);
        check("parent!=9", true);
        check("-parent<9", true);
        check("retransmissions:0", false);
    }

    #[test]
    fn words_and_quotes_are_searched() {
        check("itunes", true);
        check("label:\"apple music\"", true);
        check("\"apple music\" -itunes", false);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert!(Filter::parse("colour:red").is_err_and(|it| it.contains("unknown key `colour`")));
        assert!(Filter::parse("bytes>many").is_err());
        assert!(Filter::parse("ip:10.0.0.0/33").is_err());
        assert!(Filter::parse("label>3").is_err());
        assert!(Filter::parse("\"open").is_err());
    }
}
