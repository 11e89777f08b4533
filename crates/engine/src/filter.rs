//! The filter language over flow rows, the same in the page's filter box and after `--filter`.
//!
//! Conditions stand side by side and must all hold; `and`/`&&`, `or`/`||`, `not`/`!`/`-` and parentheses join them. A
//! condition is a key, an operator and a value (`label:vk`, `bytes > 10MB`, `port in {80, 443}`), or a word searched for in
//! every text. Values with spaces stand in double quotes. The keys are in [`keys`], the language in `docs/filter.md`.

mod keys;
mod lexer;
mod parser;
mod suggest;
mod test;
mod values;

use std::ops::Range;

use v1::page::{FilterError, Wrong};

use self::test::Test;
use crate::rows::Row;

pub use self::{
    lexer::{filter_conditions, filter_value},
    suggest::{FilterKey, filter_keys},
};
pub(crate) use self::{
    suggest::{Counted, suggest},
    values::network,
};

/// A filter, understood.
#[derive(Clone, Debug)]
pub struct Filter {
    root: Node,
    /// Where it first asks for a country.
    country: Option<Range<usize>>,
}

#[derive(Clone, Debug)]
enum Node {
    /// All must hold; of none, every flow passes.
    All(Vec<Node>),
    /// Any must hold.
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(Test),
}

impl Default for Filter {
    /// Lets every flow through.
    fn default() -> Self {
        Self { root: Node::All(Vec::new()), country: None }
    }
}

impl Filter {
    /// Understands a filter as typed.
    ///
    /// # Errors
    /// What is wrong and where, where it cannot be understood.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let (root, country) = parser::parse(text)?;
        Ok(Self { root, country })
    }

    /// Itself, where it asks for nothing that only a database of countries tells, or there is one.
    ///
    /// # Errors
    /// Where it asks for a country that nobody can tell.
    pub fn where_countries(self, are_known: bool) -> Result<Self, FilterError> {
        match self.country.clone().filter(|_| !are_known) {
            Some(range) => Err(FilterError::new(range, Wrong::NoCountries, &[])),
            None => Ok(self),
        }
    }

    /// Whether the row passes; times are counted from when the capture began (ns).
    pub(crate) fn matches(&self, row: &Row<'_>, capture_start_ns: u64) -> bool {
        self.root.holds(row, capture_start_ns)
    }
}

impl Node {
    // As deep as parentheses nest, which is bounded.
    fn holds(&self, row: &Row<'_>, zero: u64) -> bool {
        match self {
            Self::All(nodes) => nodes.iter().all(|it| it.holds(row, zero)),
            Self::Any(nodes) => nodes.iter().any(|it| it.holds(row, zero)),
            Self::Not(node) => !node.holds(row, zero),
            Self::Test(test) => test.holds(row, zero),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Stored;
    use flow::{Endpoint, Total, Transport};

    fn row() -> Row<'static> {
        let end = |ip: &str, port| Endpoint { ip: ip.parse().unwrap(), port };
        let bytes = |frame_bytes| Total { frame_bytes, ..Total::default() };
        let stored = Stored {
            transport: Transport::TCP,
            ends: [end("10.0.4.21", 40_000), end("2001:db8::7", 443)],
            times_ns: [5_000_000_000, 7_500_000_000],
            protocol: "tls",
            label: "apple music",
            group: "media",
            domain_name: Some("play.itunes.example"),
            ..nothing()
        };
        let mut row = Row::stored(3, stored);
        (row.from_client, row.from_server) = (bytes(4_000_000), bytes(8_000_000));
        row
    }

    fn nothing() -> Stored<'static> {
        let end = Endpoint { ip: [0, 0, 0, 0].into(), port: 0 };
        Stored {
            transport: Transport::default(),
            ends: [end; 2],
            times_ns: [0; 2],
            protocol: "",
            label: "",
            group: "",
            domain_name: None,
            user_agent: None,
            reason: "",
        }
    }

    #[track_caller]
    fn check(filter: &str, expected: bool) {
        let passes = Filter::parse(filter).unwrap().matches(&row(), 1_000_000_000);
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
        check_wrong("a colour:red", "colour", Wrong::UnknownKey);
        check_wrong("labl:vk", "labl", Wrong::UnknownKeyLike);
        check_wrong("a bytes>many b", "many", Wrong::Number);
        check_wrong("port in {80, x}", "x", Wrong::Number);
        check_wrong("ip:10.0.0.0/33", "10.0.0.0/33", Wrong::Network);
        check_wrong("label > 3", ">", Wrong::Operator);
        check_wrong("ip contains 10", "contains", Wrong::Operator);
        check_wrong("ё \"open", "\"open", Wrong::OpenQuote);
        check_wrong("label:\"open a", "\"open a", Wrong::OpenQuote);
        check_wrong("a (b or c", "(", Wrong::OpenParenthesis);
        check_wrong("a) b", ")", Wrong::CloseParenthesis);
        check_wrong("a ()", "()", Wrong::NoCondition);
        check_wrong("a and !", "!", Wrong::NoCondition);
        check_wrong("port in {80", "{80", Wrong::OpenList);
        check_wrong("port in {}", "{}", Wrong::EmptyList);
        check_wrong("port in 80", "in", Wrong::NoList);
        check_wrong("bytes >", "bytes >", Wrong::NoValue);
        check_wrong("== 3", "==", Wrong::NoKey);
        check_wrong("tcp.flags.reset == 2", "2", Wrong::Flag);
        check_wrong("sni matches \"(\"", "\"(\"", Wrong::Expression);
    }

    #[track_caller]
    fn check_wrong(filter: &str, part: &str, wrong: Wrong) {
        let error = Filter::parse(filter).unwrap_err();
        assert_eq!((error.split(filter)[1], error.wrong), (part, wrong), "{error}");
    }

    #[test]
    fn conditions_are_joined_by_words_and_signs() {
        check("label:x or (proto:tls and port:443)", true);
        check("(label:x || label:\"apple music\") && !(port in {80, 8080})", true);
        check("(label:x || label:\"apple music\") && !(port in {80, 443})", false);
        check("not proto:http and not(proto:dns)", true);
        check("NOT proto:tls", false);
        check("!!proto:tls", true);
        check("-(proto:tls port:80)", true);
        check("proto:http and proto:dns or port:443", true);
        check("proto:tls||x", true);
    }

    #[test]
    fn spaces_may_stand_around_operators() {
        check("bytes > 10MB packets < 20", true);
        check("label == \"apple music\"", true);
        check("server_port = 443", true);
        check("port != 443", false);
    }

    #[test]
    fn operators_may_be_words() {
        check("label contains MUSIC", true);
        check("sni matches \"^.*\\.itunes\\.example$\"", true);
        check("sni matches \"^itunes\"", false);
        check("sni matches ^PLAY", true);
        check("label in {vk, \"Apple Music\"}", true);
        check("label in {vk apple music}", false);
        check("port in {80, 400..500}", true);
        check("port in {80, 500..400}", false);
        check("ip in {10.9.0.0/16, 10.0.4.0/24, ::1}", true);
        // Beside each other and no operator, they are words.
        check("play in itunes", false);
        check("play music itunes", true);
    }

    #[test]
    fn wireshark_has_names_for_the_same() {
        check("ip.addr == 10.0.0.0/8 && tcp.port == 443 && tls", true);
        check("ip.src == 10.0.4.21 ipv6.dst == 2001:db8::7", true);
        check("udp.port == 443", false);
        check("udp.port != 443", true);
        check("tcp.dstport == 443 and tcp.srcport == 40000", true);
        check("tls.handshake.extensions_server_name contains itunes", true);
        check("dns.qry.name contains itunes", false);
        check("tcp.flags.reset", false);
        check("tcp.flags.reset == 0", true);
    }

    #[test]
    fn what_people_ask_for_is_found() {
        check("-proto:http", true);
        check("TCP or UDP", true);
        check("bytes > 10 packets < 20", true);
        check("10.0.4", true);
        check("10.0.0.0/8", true);
        check("2001:db8::7", true);
        check("::7", true);
        check("http://play", false);
        check("192.168", false);
        check("db8", true);
    }

    #[test]
    fn a_value_may_hold_signs() {
        let stored = Stored { user_agent: Some("App/1 (X11; a:b) \"q\""), ..nothing() };
        let row = Row::stored(0, stored);
        for filter in
            ["agent:1", "agent:(X11", "agent:\"App/1 (X11; a:b) \"\"q\"\"\"", "ua:", "ua=="]
        {
            let is_open = filter == "agent:(X11";
            let passes = Filter::parse(if is_open { "agent:\"(X11\"" } else { filter }).unwrap();
            assert!(passes.matches(&row, 0), "{filter}");
        }
        assert!(!Filter::parse("ua!=").unwrap().matches(&row, 0));
    }

    #[test]
    fn a_country_is_asked_of_a_database_or_refused() {
        let filter = Filter::parse("bytes>1 (port:443 or server_country:no)").unwrap();
        let error = filter.clone().where_countries(false).unwrap_err();
        assert_eq!((error.start, error.wrong), (21, Wrong::NoCountries));
        // Nobody tells: no flow has one.
        assert!(filter.where_countries(true).unwrap().matches(&row(), 0));
        check("country:no", false);
        check("-country:no", true);
        check("country:\"\"", false);
        assert!(Filter::parse("port:443").unwrap().where_countries(false).is_ok());
    }

    #[test]
    fn hostile_filters_are_refused_at_once() {
        let deep = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert!(Filter::parse(&deep(60)).is_ok());
        assert_eq!(Filter::parse(&deep(70)).unwrap_err().wrong, Wrong::TooDeep);
        assert_eq!(Filter::parse(&"(".repeat(60_000)).unwrap_err().wrong, Wrong::TooDeep);
        assert_eq!(Filter::parse(&"!".repeat(60_000)).unwrap_err().wrong, Wrong::TooDeep);
        assert_eq!(Filter::parse(&"a ".repeat(300)).unwrap_err().wrong, Wrong::TooMany);
        assert_eq!(Filter::parse(&"a".repeat(70_000)).unwrap_err().wrong, Wrong::TooLong);
        assert_eq!(Filter::parse(&"\"".repeat(65_001)).unwrap_err().wrong, Wrong::OpenQuote);
        assert!(Filter::parse(&"or ".repeat(20_000)).is_ok());
        // Parentheses within a value are looked at once.
        assert!(Filter::parse(&format!("a{}", "(".repeat(60_000))).is_ok());
        let expression = format!("sni matches \"{}\"", "(a*)*".repeat(2_000));
        assert_eq!(Filter::parse(&expression).unwrap_err().wrong, Wrong::Expression);
    }

    #[test]
    fn a_long_list_is_one_test() {
        let ips: Vec<String> =
            (0..4_000).map(|it| format!("10.1.{}.{}", it / 250, it % 250)).collect();
        check(&format!("ip in {{{}}}", ips.join(", ")), false);
        check(&format!("ip in {{{}, 10.0.4.21}}", ips.join(",")), true);
    }

    #[test]
    fn an_expression_takes_time_with_the_text_alone() {
        let name = "a".repeat(2_000);
        let row = Row::stored(0, Stored { domain_name: Some(&name), ..nothing() });
        let filter = Filter::parse("sni matches \"^(a+)+$b\"").unwrap();
        assert!(!filter.matches(&row, 0));
    }
}
