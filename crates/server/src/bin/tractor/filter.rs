//! `--filter`: a filter understood, or the part of it that is wrong shown.

use clap::Args;
use engine::{Filter, plain};
use v1::page::FilterError;

use crate::Error;

/// How much of a filter is shown before and after what is wrong with it, in letters.
const MAX_AROUND: usize = 60;

/// What a command may be asked to look at alone.
#[derive(Args)]
pub(crate) struct Filtered {
    /// Only flows that pass this filter, and what has one, as in the page's filter box: label:vk, bytes > 10MB,
    /// not (port in {80, 443}), ip:10.0.0.0/8, sni contains vk; docs/filter.md has every key.
    #[arg(
        long,
        value_name = "EXPR",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    filter: String,
}

impl Filtered {
    /// As it was written; empty for no filter.
    pub(crate) fn text(&self) -> &str {
        &self.filter
    }

    /// Understands it, where nothing tells countries.
    pub(crate) fn parse(&self) -> Result<Filter, Error> {
        self.parse_where_countries(false)
    }

    /// Understands it; countries may be known.
    pub(crate) fn parse_where_countries(&self, are_known: bool) -> Result<Filter, Error> {
        Filter::parse(&self.filter)
            .and_then(|it| it.where_countries(are_known))
            .map_err(|error| Error::Filter { text: self.filter.clone(), error })
    }
}

/// The filter, and below it what marks the wrong part.
pub(crate) fn pointed(text: &str, error: &FilterError) -> String {
    let [before, part, after] = error.split(text).map(plain);
    let n_before = before.chars().count();
    let is_cut = n_before > MAX_AROUND;
    let before: String = before.chars().skip(n_before.saturating_sub(MAX_AROUND)).collect();
    let before = if is_cut { format!("…{before}") } else { before };
    let [part, after]: [String; 2] = [part, after].map(|it| it.chars().take(MAX_AROUND).collect());
    let marks = "^".repeat(part.chars().count().max(1));
    format!("  {before}{part}{after}\n  {}{marks}", " ".repeat(before.chars().count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filter: &str, expected: &str) {
        let error = Filter::parse(filter).unwrap_err();
        assert_eq!(pointed(filter, &error), expected);
    }

    #[test]
    fn the_wrong_part_is_marked() {
        check("port:443 labl:vk a", "  port:443 labl:vk a\n           ^^^^");
        check("имя ip:x", "  имя ip:x\n         ^");
        check("a (b", "  a (b\n    ^");
    }

    #[test]
    fn of_a_long_filter_what_is_around_is_shown() {
        let filter = format!("{} labl:vk {}", "a ".repeat(100), "b ".repeat(90));
        let error = Filter::parse(&filter).unwrap_err();
        let shown = pointed(&filter, &error);
        let (line, marks) = shown.split_once('\n').unwrap();
        assert!(line.chars().count() < 140 && line.contains("labl:vk"), "{line}");
        let at = line.chars().position(|it| it == 'l');
        assert_eq!(marks.chars().position(|it| it == '^'), at);
    }

    #[test]
    fn what_would_move_the_cursor_is_not_shown() {
        check("\u{1b}[2J:x\n", "  \u{fffd}[2J:x\u{fffd}\n  ^^^^");
    }
}
