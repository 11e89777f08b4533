//! The head of a file in Weka's format (ARFF): its attributes.

use super::{
    TableError,
    cells::{Records, Style, quoted},
};

/// What an attribute is declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// Numbers.
    Numeric,
    /// One of a list of texts.
    Nominal,
    /// A text or a date.
    Text,
}

/// Whether a text begins as such a file does.
pub(super) fn is_arff(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|it| !it.is_empty() && !it.starts_with('%'));
    first.is_some_and(|it| it.starts_with('@'))
}

/// The attributes, and the records behind `@DATA`.
pub(super) fn head(text: &str) -> Result<(Vec<(String, Declared)>, Records<'_>), TableError> {
    let (mut rest, mut attributes) = (text, Vec::new());
    for number in 1.. {
        if rest.is_empty() {
            break;
        }
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        rest = after;
        let line = line.trim();
        let (word, of) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if word.eq_ignore_ascii_case("@data") {
            let first =
                rest.lines().map(str::trim).find(|it| !it.is_empty() && !it.starts_with('%'));
            if first.is_some_and(|it| it.starts_with('{')) {
                return Err(TableError::Sparse);
            }
            let has_tabs = first.is_some_and(|it| !it.contains(',') && it.contains('\t'));
            let separator = if has_tabs { '\t' } else { ',' };
            return Ok((attributes, Records::new(rest, number + 1, separator, Style::Arff)));
        }
        if word.eq_ignore_ascii_case("@attribute") {
            attributes
                .push(attribute(of.trim_start()).ok_or(TableError::Attribute { line: number })?);
        }
    }
    Err(TableError::NoData)
}

/// A name, bare or in quotes, and a type.
fn attribute(text: &str) -> Option<(String, Declared)> {
    let (name, kind) = match quoted(text, Style::Arff) {
        Some((name, rest)) => (name.into_owned(), rest),
        None => {
            let end = text.find(|it: char| it.is_whitespace() || it == '{')?;
            let (name, rest) = text.split_at_checked(end)?;
            (name.to_owned(), rest)
        }
    };
    let kind = kind.trim_start();
    if kind.starts_with('{') {
        return Some((name, Declared::Nominal));
    }
    let word = kind.split(|it: char| !it.is_alphabetic()).next()?.to_ascii_lowercase();
    let declared = match &*word {
        "numeric" | "real" | "integer" => Declared::Numeric,
        "string" | "date" => Declared::Text,
        _ => return None,
    };
    Some((name, declared))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, Declared)>) {
        assert_eq!(attribute(text), expected.map(|it| (it.0.to_owned(), it.1)));
    }

    #[test]
    fn an_attribute_is_a_name_and_a_type() {
        check("a NUMERIC", Some(("a", Declared::Numeric)));
        check("'a b' real [0,1]", Some(("a b", Declared::Numeric)));
        check("class1{x,y}", Some(("class1", Declared::Nominal)));
        check("\"when\"\tdate \"yyyy-MM-dd\"", Some(("when", Declared::Text)));
        check("bag relational", None);
        check("a", None);
    }
}
