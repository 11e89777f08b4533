//! How a filter compares: operators, and the values they compare with, understood once so that a flow is compared quickly.

use std::{
    hash::{DefaultHasher, Hasher as _},
    net::IpAddr,
    sync::Mutex,
};

use regex_lite::{Regex, RegexBuilder};
use v1::page::Wrong;

/// How something is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:`
    Has,
    Is,
    IsNot,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
    Matches,
    In,
}

/// The operators that are signs; of two that begin alike the longer one first.
pub(super) const SYMBOLS: &[(&str, Operator)] = &[
    ("==", Operator::Is),
    ("!=", Operator::IsNot),
    (">=", Operator::GreaterOrEqual),
    ("<=", Operator::LessOrEqual),
    (":", Operator::Has),
    ("=", Operator::Is),
    (">", Operator::Greater),
    ("<", Operator::Less),
];

/// The operators that are words.
pub(super) const WORDS: &[(&str, Operator)] =
    &[("contains", Operator::Contains), ("matches", Operator::Matches), ("in", Operator::In)];

impl Operator {
    pub(super) fn is_word(self) -> bool {
        WORDS.iter().any(|it| it.1 == self)
    }

    /// As it is written.
    pub(super) fn written(self) -> &'static str {
        SYMBOLS.iter().chain(WORDS).find(|it| it.1 == self).map_or("", |it| it.0)
    }

    /// Whether it says that something is equal.
    pub(super) fn is_equality(self) -> bool {
        matches!(self, Self::Has | Self::Is | Self::IsNot | Self::In)
    }
}

/// The units a number may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Plain,
    Bytes,
    /// Kept in nanoseconds; without a unit, seconds.
    Time,
}

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

/// A number in its least unit.
pub(super) fn number(text: &str, scale: Scale) -> Option<u64> {
    let lower = text.to_lowercase();
    let unit = UNITS.iter().filter(|it| it.0 == scale).find_map(|(_, suffix, factor)| {
        Some((lower.strip_suffix(suffix)?.trim_end().to_owned(), *factor))
    });
    let default = if scale == Scale::Time { 1e9 } else { 1.0 };
    let (digits, factor) = unit.unwrap_or((lower, default));
    let value = digits.parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0)?;
    Some((value * factor).round() as u64)
}

/// A number, or those from one to another as `8000..8080`.
pub(super) fn numbers(text: &str, scale: Scale) -> Option<(u64, u64)> {
    match text.split_once("..") {
        Some((from, to)) => Some((number(from, scale)?, number(to, scale)?)),
        None => number(text, scale).map(|it| (it, it)),
    }
}

/// An address, or a network as `10.0.0.0/8`: its first and its last address, and whether they are of IPv6.
pub(crate) fn network(text: &str) -> Option<Network> {
    let (address, len) = text.split_once('/').map_or((text, None), |it| (it.0, Some(it.1)));
    let ip = address.trim_matches(['[', ']']).parse::<IpAddr>().ok()?;
    let longest: u32 = if ip.is_ipv4() { 32 } else { 128 };
    let len = match len {
        None => longest,
        Some(digits) => digits.parse().ok().filter(|it| *it <= longest)?,
    };
    let (bits, is_v6) = bits(ip);
    // What of an address may be anything.
    let host = 1_u128.checked_shl(longest - len).map_or(u128::MAX, |it| it - 1);
    Some(Network { is_v6, range: (bits & !host, bits | host) })
}

/// Addresses that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    is_v6: bool,
    range: (u128, u128),
}

impl Network {
    pub(crate) fn contains(self, ip: IpAddr) -> bool {
        let (bits, is_v6) = bits(ip);
        is_v6 == self.is_v6 && (self.range.0..=self.range.1).contains(&bits)
    }
}

fn bits(ip: IpAddr) -> (u128, bool) {
    match ip {
        IpAddr::V4(it) => (it.to_bits().into(), false),
        IpAddr::V6(it) => (it.to_bits(), true),
    }
}

/// Numbers that are looked for, as ranges in order of which none touches another.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranges(Vec<(u128, u128)>);

impl Ranges {
    pub(super) fn new(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.retain(|it| it.0 <= it.1);
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::new();
        for (first, last) in ranges {
            match merged.last_mut().filter(|it| first <= it.1) {
                Some(before) => before.1 = before.1.max(last),
                None => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    pub(super) fn holds(&self, number: u128) -> bool {
        let after = self.0.partition_point(|it| it.0 <= number);
        after.checked_sub(1).and_then(|it| self.0.get(it)).is_some_and(|it| number <= it.1)
    }
}

/// Networks that are looked for.
#[derive(Clone, Debug)]
pub(super) struct Networks {
    v4: Ranges,
    v6: Ranges,
}

impl Networks {
    pub(super) fn new(networks: &[Network]) -> Self {
        let of = |is_v6| {
            let ranges = networks.iter().filter(|it| it.is_v6 == is_v6).map(|it| it.range);
            Ranges::new(ranges.collect())
        };
        Self { v4: of(false), v6: of(true) }
    }

    pub(super) fn holds(&self, ip: IpAddr) -> bool {
        let (bits, is_v6) = bits(ip);
        if is_v6 { self.v6.holds(bits) } else { self.v4.holds(bits) }
    }
}

/// A text that is looked for in others, whatever its case.
#[derive(Clone, Debug)]
pub(super) struct Needle {
    lower: String,
}

/// The longest needle that is looked for at every place by itself; for longer ones there is a search that never takes
/// longer than both texts are long.
const MAX_NAIVE: usize = 16;

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        Self { lower: text.to_lowercase() }
    }

    pub(super) fn text(&self) -> &str {
        &self.lower
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        let needle = self.lower.as_bytes();
        if !text.is_ascii() || needle.len() > MAX_NAIVE {
            // Letters beyond ASCII may change their length with their case.
            return text.to_lowercase().contains(&self.lower);
        }
        let Some((first, others)) = needle.split_first() else { return true };
        let text = text.as_bytes();
        let Some(last) = text.len().checked_sub(needle.len()) else { return false };
        (0..=last).any(|at| {
            text.get(at).is_some_and(|it| it.to_ascii_lowercase() == *first)
                && text
                    .get(at + 1..at + needle.len())
                    .is_some_and(|it| it.eq_ignore_ascii_case(others))
        })
    }

    pub(super) fn is(&self, text: &str) -> bool {
        if text.is_ascii() {
            self.lower.eq_ignore_ascii_case(text)
        } else {
            self.lower == text.to_lowercase()
        }
    }
}

/// Texts of which one is looked for, whole, whatever its case.
#[derive(Clone, Debug)]
pub(super) struct Texts(Vec<String>);

impl Texts {
    pub(super) fn new(texts: impl Iterator<Item = String>) -> Self {
        let mut texts: Vec<String> = texts.map(|it| it.to_lowercase()).collect();
        texts.sort_unstable();
        texts.dedup();
        Self(texts)
    }

    pub(super) fn hold(&self, text: &str) -> bool {
        self.0.binary_search_by(|it| compare(it, text)).is_ok()
    }
}

/// Compares a text in lower case with one of any.
fn compare(lower: &str, text: &str) -> std::cmp::Ordering {
    if text.is_ascii() {
        lower.bytes().cmp(text.bytes().map(|it| it.to_ascii_lowercase()))
    } else {
        lower.cmp(&text.to_lowercase())
    }
}

/// Yes or no.
pub(super) fn flag(text: &str) -> Option<bool> {
    match &*text.to_lowercase() {
        "1" | "true" | "yes" => Some(true),
        "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// A regular expression whatever the case, as Wireshark has it. It is searched in a time that grows with the text alone.
#[derive(Debug)]
pub(super) struct Expression {
    regex: Regex,
    /// What stands in every text it is found in: to look for that alone is much quicker.
    part: Option<Needle>,
    /// Texts it was searched in: names come again and again. Each has one place to be at.
    seen: Mutex<Vec<Option<Seen>>>,
}

/// A text, and whether the expression was found in it.
type Seen = (Box<str>, bool);

/// How large a compiled expression may be, in bytes, and how deep it may nest.
const MAX_EXPRESSION: usize = 64 << 10;
const MAX_NESTED: u32 = 32;
/// How many texts are remembered, and how long they may be, in bytes.
const N_SEEN: usize = 1 << 10;
const MAX_SEEN_LEN: usize = 256;

impl Expression {
    pub(super) fn new(text: &str) -> Result<Self, Wrong> {
        let mut builder = RegexBuilder::new(text);
        builder.case_insensitive(true).size_limit(MAX_EXPRESSION).nest_limit(MAX_NESTED);
        // What the library says of it is in English alone.
        let Ok(regex) = builder.build() else { return Err(Wrong::Expression) };
        let part = required(text).map(|it| Needle::new(&it));
        Ok(Self { regex, part, seen: Mutex::default() })
    }

    pub(super) fn is_in(&self, text: &str) -> bool {
        if self.part.as_ref().is_some_and(|it| !it.is_in(text)) {
            return false;
        }
        if text.len() > MAX_SEEN_LEN {
            return self.regex.is_match(text);
        }
        let mut hasher = DefaultHasher::new();
        hasher.write(text.as_bytes());
        let mut seen = self.seen.lock().unwrap_or_else(|it| it.into_inner());
        seen.resize(N_SEEN, None);
        let Some(place) = seen.get_mut(hasher.finish() as usize % N_SEEN) else { return false };
        match place {
            Some((of, is_found)) if **of == *text => *is_found,
            _ => place.insert((text.into(), self.regex.is_match(text))).1,
        }
    }
}

impl Clone for Expression {
    fn clone(&self) -> Self {
        let (regex, part) = (self.regex.clone(), self.part.clone());
        Self { regex, part, seen: Mutex::default() }
    }
}

/// The longest text that everything an expression fits holds, as far as that is seen without understanding all of it.
fn required(expression: &str) -> Option<String> {
    // What is one of several need not be there, and flags may change what signs mean.
    if expression.contains('|') || expression.replace("(?:", "(").contains("(?") {
        return None;
    }
    let (mut runs, mut run, mut depth) = (Vec::new(), String::new(), 0_u32);
    let mut chars = expression.chars();
    while let Some(char) = chars.next() {
        let literal = match char {
            '\\' => match chars.next() {
                Some(it) if it.is_ascii_punctuation() => Some(it),
                // Some are followed by letters that stand for another.
                _ => break,
            },
            '[' => break,
            '*' | '?' | '{' => {
                // What is before it need not be there.
                run.pop();
                if char == '{' {
                    chars.find(|it| *it == '}');
                }
                None
            }
            '(' => {
                depth += 1;
                None
            }
            ')' => {
                depth = depth.saturating_sub(1);
                None
            }
            '.' | '^' | '$' | '+' => None,
            it => it.is_ascii().then_some(it),
        };
        match literal.filter(|_| depth == 0) {
            Some(it) => run.push(it),
            None => runs.push(std::mem::take(&mut run)),
        }
    }
    runs.push(run);
    // The first of the longest.
    runs.into_iter().rev().max_by_key(String::len).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: Option<&str>) {
        assert_eq!(required(expression).as_deref(), expected);
    }

    #[test]
    fn what_an_expression_wants_in_any_case_is_seen() {
        check(r"^.*\.vk\.com$", Some(".vk.com"));
        check("ab*c", Some("a"));
        check("abc?d+e", Some("ab"));
        check("x{0,3}yz", Some("yz"));
        check("(abc)?d", Some("d"));
        check("(?:abc)*d", Some("d"));
        check("google", Some("google"));
        check(r"vk[0-9]+\.com", Some("vk"));
        check("кабель a", Some(" a"));
    }

    #[test]
    fn what_need_not_be_there_is_not_wanted() {
        for it in
            ["", ".*", "a|b", "(?i)a", "(?x) a b", "a*", "(a)", r"\d", r"\x41", "[ab]c", "[b]*"]
        {
            check(it, None);
        }
    }

    #[test]
    fn expressions_are_found_as_without_what_is_quicker() {
        let texts =
            ["", "a", "ab", "ABC.vk.com", "x.VK.com", "vk.com", "кабель a", "aaaa", "d", "b{c"];
        let expressions =
            [r"^.*\.vk\.com$", "ab*c?", "(abc)?d", "x{0,3}a", "a+", "^a", "[ab]+", r"\{c", "ель"];
        for of in expressions {
            let (expression, plain) =
                (Expression::new(of).unwrap(), Regex::new(&format!("(?i){of}")).unwrap());
            for text in texts {
                // The second time it is remembered.
                for _ in 0..2 {
                    assert_eq!(expression.is_in(text), plain.is_match(text), "{of} in {text}");
                }
            }
        }
    }
}
