//! The filter as the page handles it: text to terms and back, a term added or taken away, a range of time put in.
//!
//! What a filter means is the engine's, which says where a term begins and ends; the page has to know which are a time.

use engine::{filter_conditions, filter_value};

/// The terms of a filter that must all hold, as typed. What an `or` joins is one, and so is a parenthesis.
pub fn split(filter: &str) -> Vec<String> {
    filter_conditions(filter)
        .into_iter()
        .filter_map(|it| filter.get(it))
        .map(str::to_owned)
        .collect()
}

/// A term as typed that wants `key` to be `value`, quoted where it must be.
pub fn term(key: &str, value: &str) -> String {
    format!("{key}:{}", filter_value(value))
}

/// The filter with one more term, once.
pub fn with(filter: &str, term: &str) -> String {
    let terms = split(filter);
    if terms.iter().any(|it| it == term) {
        return filter.trim().to_owned();
    }
    let mut terms = all_of(filter);
    terms.push(term.to_owned());
    terms.join(" ")
}

/// A filter that finds what both of these find.
pub fn both(filter: &str, other: &str) -> String {
    if filter.trim().is_empty() {
        return other.trim().to_owned();
    }
    let mut terms = all_of(filter);
    for term in all_of(other) {
        if !terms.contains(&term) {
            terms.push(term);
        }
    }
    terms.join(" ")
}

/// The terms of a filter, of which all must hold beside those of any other one.
fn all_of(filter: &str) -> Vec<String> {
    let terms = split(filter);
    // Beside what an `or` joins, a term would belong to its last alternative alone.
    let is_open = filter_conditions(&format!("{filter} x")).len() == 1 && !terms.is_empty();
    if is_open { vec![format!("({})", terms.join(" "))] } else { terms }
}

/// The filter without its term at this place.
pub fn without(filter: &str, at: usize) -> String {
    let mut terms = split(filter);
    if at < terms.len() {
        terms.remove(at);
    }
    terms.join(" ")
}

/// A range of time the filter holds, in nanoseconds since the capture began: flows that overlap it.
///
/// Only the form that [`with_range`] writes, and only where no `or` makes it mean something else.
pub fn range(filter: &str) -> Option<(u64, u64)> {
    let terms = split(filter);
    let seconds = |start: &str| {
        let text = terms.iter().find_map(|it| it.strip_prefix(start)?.strip_suffix('s'))?;
        text.parse::<f64>().ok().filter(|it| *it >= 0.0).map(|it| (it * 1e9).round() as u64)
    };
    Some((seconds("end>=")?, seconds("start<=")?))
}

/// The filter with this range of time in place of the one it holds; `None` takes it out.
pub fn with_range(filter: &str, range: Option<(u64, u64)>) -> String {
    let mut terms = split(filter);
    terms.retain(|it| !is_range(it));
    let Some((start, end)) = range else { return terms.join(" ") };
    let times = format!("end>={}s start<={}s", seconds(start), seconds(end));
    with(&terms.join(" "), &times)
}

/// Whether the term is one end of a range of time.
pub fn is_range(term: &str) -> bool {
    let end = |start| term.strip_prefix(start).and_then(|it: &str| it.strip_suffix('s'));
    end("end>=").or_else(|| end("start<=")).is_some_and(|it| it.parse::<f64>().is_ok())
}

/// Nanoseconds as seconds, to the microsecond, without trailing zeros.
fn seconds(nanos: u64) -> String {
    let text = format!("{}.{:06}", nanos / 1_000_000_000, nanos / 1_000 % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A place in a text in bytes, given in the browser's units of 16 bits.
pub fn to_bytes(text: &str, units: u32) -> u32 {
    let mut left = units as usize;
    let chars = text.chars().take_while(|it| {
        let is_before = left >= it.len_utf16();
        left = left.saturating_sub(it.len_utf16());
        is_before
    });
    chars.map(char::len_utf8).sum::<usize>() as u32
}

/// The same the other way; of a place within a letter, the end of the text.
pub fn to_units(text: &str, bytes: u32) -> u32 {
    text.get(..bytes as usize).unwrap_or(text).encode_utf16().count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_added_once_and_taken_away() {
        assert_eq!(with("a b", "b"), "a b");
        assert_eq!(with("a", "b"), "a b");
        assert_eq!(with("", "b"), "b");
        assert_eq!(without("a and b c", 0), "b c");
        assert_eq!(without("a (b or c)", 1), "a");
        assert_eq!(without("a", 7), "a");
    }

    #[test]
    fn what_an_or_joins_is_one_term() {
        assert_eq!(split("a or b"), ["a or b"]);
        assert_eq!(without("a or b", 0), "");
        assert_eq!(with("a or b", "c"), "(a or b) c");
        assert_eq!(with("(a or b) c", "d"), "(a or b) c d");
        assert_eq!(with_range("a or b", Some((0, 1_000_000_000))), "(a or b) end>=0s start<=1s");
    }

    #[test]
    fn two_filters_are_one_that_wants_both() {
        assert_eq!(both("", "a or b"), "a or b");
        assert_eq!(both("a b", "b c"), "a b c");
        assert_eq!(both("a or b", "c or d"), "(a or b) (c or d)");
        assert_eq!(both("a", ""), "a");
    }

    #[test]
    fn a_value_with_spaces_is_quoted() {
        assert_eq!(term("label", "vk"), "label:vk");
        assert_eq!(term("label", "apple music"), "label:\"apple music\"");
        assert_eq!(term("agent", "a (b)"), "agent:\"a (b)\"");
    }

    #[test]
    fn a_range_goes_in_and_comes_out() {
        let filter = with_range("label:vk", Some((1_500_000_000, 20_000_000_000)));
        assert_eq!(filter, "label:vk end>=1.5s start<=20s");
        assert_eq!(range(&filter), Some((1_500_000_000, 20_000_000_000)));
        assert_eq!(with_range(&filter, None), "label:vk");
        assert_eq!(with_range("", Some((0, 1_000_000_000))), "end>=0s start<=1s");
        assert_eq!(range("end>=1s"), None);
        assert_eq!(range("end>=1s start<=2s or a"), None);
    }

    #[test]
    fn a_place_is_the_same_in_bytes_and_in_units() {
        for (text, bytes, units) in
            [("abc", 2, 2), ("ёж", 2, 1), ("🙂a", 4, 2), ("", 0, 0), ("ё", 2, 1)]
        {
            assert_eq!((to_bytes(text, units), to_units(text, bytes)), (bytes, units), "{text}");
        }
        assert_eq!((to_bytes("ab", 9), to_units("ab", 9)), (2, 2));
        assert_eq!(to_bytes("🙂a", 1), 0);
    }
}
