//! The filter as the page handles it: text to terms and back, a term added or taken away, a range of time put in.
//!
//! What a filter means is the engine's; the page only has to know where a term begins and ends, and which terms are a time.

/// The terms of a filter as typed, quotes kept.
pub fn split(filter: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut term = String::new();
    let mut is_quoted = false;
    for char in filter.chars() {
        if char == '"' {
            is_quoted = !is_quoted;
        }
        if char.is_whitespace() && !is_quoted {
            if !term.is_empty() {
                terms.push(std::mem::take(&mut term));
            }
        } else {
            term.push(char);
        }
    }
    if !term.is_empty() {
        terms.push(term);
    }
    terms
}

/// A term as typed that wants `key` to be `value`, quoted where it must be.
pub fn term(key: &str, value: &str) -> String {
    let value = value.replace('"', "");
    if value.contains(char::is_whitespace) || value.is_empty() {
        format!("{key}:\"{value}\"")
    } else {
        format!("{key}:{value}")
    }
}

/// The filter with one more term, once.
pub fn with(filter: &str, term: &str) -> String {
    let mut terms = split(filter);
    if !terms.iter().any(|it| it == term) {
        terms.push(term.to_owned());
    }
    terms.join(" ")
}

/// The filter without its term at this place. An `or` left without a neighbour goes too.
pub fn without(filter: &str, at: usize) -> String {
    let mut terms = split(filter);
    if at < terms.len() {
        terms.remove(at);
    }
    let is_or = |it: &String| it == "or" || it == "||";
    while terms.first().is_some_and(is_or) {
        terms.remove(0);
    }
    while terms.last().is_some_and(is_or) {
        terms.pop();
    }
    terms.dedup_by(|a, b| is_or(a) && is_or(b));
    terms.join(" ")
}

/// A range of time the filter holds, in nanoseconds since the capture began: flows that overlap it.
///
/// Only the form that [`with_range`] writes, and only where no `or` makes it mean something else.
pub fn range(filter: &str) -> Option<(u64, u64)> {
    let terms = split(filter);
    if terms.iter().any(|it| it == "or" || it == "||") {
        return None;
    }
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
    if let Some((start, end)) = range {
        terms.push(format!("end>={}s", seconds(start)));
        terms.push(format!("start<={}s", seconds(end)));
    }
    terms.join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_end_at_spaces_outside_quotes() {
        assert_eq!(split("a  label:\"apple music\" b"), ["a", "label:\"apple music\"", "b"]);
        assert_eq!(split("  "), Vec::<String>::new());
    }

    #[test]
    fn a_value_with_spaces_is_quoted() {
        assert_eq!(term("label", "vk"), "label:vk");
        assert_eq!(term("label", "apple music"), "label:\"apple music\"");
    }

    #[test]
    fn a_term_is_added_once_and_taken_away() {
        assert_eq!(with("a b", "b"), "a b");
        assert_eq!(with("a", "b"), "a b");
        assert_eq!(without("a or b", 0), "b");
        assert_eq!(without("a or b or c", 2), "a or c");
        assert_eq!(without("a", 7), "a");
    }

    #[test]
    fn a_range_goes_in_and_comes_out() {
        let filter = with_range("label:vk", Some((1_500_000_000, 20_000_000_000)));
        assert_eq!(filter, "label:vk end>=1.5s start<=20s");
        assert_eq!(range(&filter), Some((1_500_000_000, 20_000_000_000)));
        assert_eq!(with_range(&filter, None), "label:vk");
        assert_eq!(range("end>=1s"), None);
        assert_eq!(range("end>=1s start<=2s or a"), None);
    }
}
