//! The text of a table in, its records out: cells between separators, quoted or not.

use std::borrow::Cow;

/// The longest cell in quotes, in bytes; a longer one is one whose quote is never closed.
const MAX_QUOTED: usize = 65_536;

/// How cells are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// CSV (RFC 4180): double quotes, doubled inside; a cell in quotes may hold ends of lines.
    Csv,
    /// ARFF: single or double quotes, escaped inside by a backslash; `%` begins a comment.
    Arff,
}

/// The records of a text, one after the other.
#[derive(Clone)]
pub(super) struct Records<'a> {
    rest: &'a str,
    line: u64,
    separator: char,
    style: Style,
}

impl<'a> Records<'a> {
    /// The records of a text that begins at this line of its file.
    pub(super) fn new(text: &'a str, line: u64, separator: char, style: Style) -> Self {
        Self { rest: text, line, separator, style }
    }

    /// Puts the next record's cells in place of those before; gives the line it begins at, nothing at the end.
    pub(super) fn next(&mut self, cells: &mut Vec<Cow<'a, str>>) -> Option<u64> {
        cells.clear();
        while !self.rest.is_empty() {
            let at = self.line;
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            let is_comment = self.style == Style::Arff && line.trim_start().starts_with('%');
            if is_comment || line.trim().is_empty() {
                (self.rest, self.line) = (rest, at + 1);
                continue;
            }
            if line.bytes().any(|it| it == b'"' || it == b'\'' && self.style == Style::Arff) {
                self.quoted_record(cells);
            } else {
                let parts = line.split(self.separator);
                cells.extend(parts.map(|it| Cow::Borrowed(it.trim())));
                (self.rest, self.line) = (rest, at + 1);
            }
            return Some(at);
        }
        None
    }

    fn quoted_record(&mut self, cells: &mut Vec<Cow<'a, str>>) {
        loop {
            let separator = self.separator;
            let is_space = |it: char| it != separator && it != '\n' && it.is_whitespace();
            let start = self.rest.trim_start_matches(is_space);
            let (cell, after) = match quoted(start, self.style) {
                Some((cell, after)) => {
                    self.line += start
                        .get(..start.len() - after.len())
                        .map_or(0, |it| it.bytes().filter(|it| *it == b'\n').count() as u64);
                    (Some(cell), after)
                }
                None => (None, start),
            };
            // What follows a closing quote is no part of the cell.
            let end = after.find(['\n', separator]).unwrap_or(after.len());
            let (plain, rest) = after.split_at_checked(end).unwrap_or((after, ""));
            cells.push(cell.unwrap_or(Cow::Borrowed(plain.trim())));
            let is_last = !rest.starts_with(separator);
            let mut chars = rest.chars();
            chars.next();
            self.rest = chars.as_str();
            if is_last {
                self.line += 1;
                return;
            }
        }
    }
}

/// What a quoted cell holds, and what comes after its closing quote; `None` where none begins or it is never closed.
pub(super) fn quoted(text: &str, style: Style) -> Option<(Cow<'_, str>, &str)> {
    let quote = text.chars().next().filter(|it| match style {
        Style::Csv => *it == '"',
        Style::Arff => matches!(it, '"' | '\''),
    })?;
    let inside = text.strip_prefix(quote)?;
    let (mut cell, mut start) = (Cow::Borrowed(""), 0);
    let mut chars = inside.char_indices().peekable();
    while let Some((at, it)) = chars.next() {
        if at > MAX_QUOTED || it == '\n' && style == Style::Arff {
            return None;
        }
        let escaped = chars.peek().map(|it| it.1);
        let is_escape = match style {
            Style::Csv => it == quote && escaped == Some(quote),
            Style::Arff => it == '\\' && matches!(escaped, Some('\\' | '\'' | '"' | '%')),
        };
        if is_escape {
            // The escape is left out, what it escapes is a part like any other.
            cell.to_mut().push_str(inside.get(start..at)?);
            start = chars.next()?.0;
        } else if it == quote {
            let last = inside.get(start..at)?;
            let cell = if cell.is_empty() { Cow::Borrowed(last) } else { cell + last };
            return Some((cell, inside.get(at + 1..)?));
        }
    }
    None
}

/// Which of the usual separators a line has most of, outside of quotes; the comma where none.
pub(super) fn separator_of(line: &str) -> char {
    let count = |separator: char| {
        let parts = line.split('"').step_by(2);
        parts.map(|it| it.matches(separator).count()).sum::<usize>()
    };
    // Of equals the last.
    ['|', '\t', ';', ','].into_iter().max_by_key(|it| count(*it)).unwrap_or(',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, style: Style, expected: &[(u64, &[&str])]) {
        let mut records = Records::new(text, 1, ',', style);
        let mut cells = Vec::new();
        for (line, wanted) in expected {
            assert_eq!(records.next(&mut cells), Some(*line));
            assert_eq!(cells, *wanted);
        }
        assert_eq!(records.next(&mut cells), None, "{cells:?}");
    }

    #[test]
    fn cells_are_trimmed_and_unquoted() {
        let lines: &[(u64, &[&str])] = &[(1, &["a", "b", "", "c d"]), (3, &["1", "x,y", "z", ""])];
        check("a, b ,, c d\r\n\r\n1, \"x,y\" ,z,\r\n", Style::Csv, lines);
    }

    #[test]
    fn a_quoted_cell_may_hold_quotes_and_ends_of_lines() {
        let lines: &[(u64, &[&str])] = &[(1, &["say \"hi\"\nto all", "2"]), (3, &["3", "it's"])];
        check("\"say \"\"hi\"\"\nto all\",2\n3,it's", Style::Csv, lines);
    }

    #[test]
    fn a_quote_that_is_never_closed_takes_no_other_line() {
        check("a,\"b\n1,2\n", Style::Csv, &[(1, &["a", "\"b"]), (2, &["1", "2"])]);
        check("a,'b\n1,2'\n", Style::Arff, &[(1, &["a", "'b"]), (2, &["1", "2'"])]);
    }

    #[test]
    fn arff_has_comments_and_backslashes() {
        check("% no\n'it\\'s',\"a\\b\" % x\n", Style::Arff, &[(2, &["it's", "a\\b"])]);
    }

    #[test]
    fn a_separator_is_what_a_header_has_most_of() {
        assert_eq!(separator_of("a;b;\"c,d,e,f\""), ';');
        assert_eq!(separator_of("a\tb c\td"), '\t');
        assert_eq!(separator_of("a,b;c,d"), ',');
        assert_eq!(separator_of("a"), ',');
    }
}
