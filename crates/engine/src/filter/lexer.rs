//! A filter as typed in, its tokens out: parentheses, words that join, and conditions with their key, operator and values.
//!
//! Nothing is wrong here: what lacks its end is marked so, and the parser says it. The same tokens tell the page where a
//! condition begins and ends, and what can be typed where the cursor is.

use std::ops::Range;

use super::{keys, values::Operator};

/// A token, and where in the text it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) what: What,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Open,
    Close,
    Not,
    And,
    Or,
    Condition(Condition),
}

/// A condition; a word alone is a head without an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// The key, or the word.
    pub(super) head: Text,
    pub(super) operator: Option<(Operator, Range<usize>)>,
    pub(super) values: Values,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Values {
    None,
    One(Text),
    List { texts: Vec<Text>, range: Range<usize>, is_closed: bool },
}

/// A piece of the text without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) range: Range<usize>,
    pub(super) is_quoted: bool,
    /// Where a quote begins that does not end.
    pub(super) open_quote: Option<usize>,
}

/// Where a piece of text ends, besides at what ends every piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// At an operator.
    Operator,
    /// At nothing else.
    Space,
    /// At a comma or a closing brace.
    Comma,
}

/// The words that join conditions.
const JOINTS: &[(&str, What)] = &[
    ("or", What::Or),
    ("OR", What::Or),
    ("and", What::And),
    ("AND", What::And),
    ("not", What::Not),
    ("NOT", What::Not),
];

/// The tokens of a text.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0 };
    std::iter::from_fn(|| lexer.next()).collect()
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Whether the rest begins so; it is then passed over.
    fn takes(&mut self, literal: &str) -> bool {
        let is_next = self.rest().starts_with(literal);
        self.at += if is_next { literal.len() } else { 0 };
        is_next
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn next(&mut self) -> Option<Token> {
        self.skip_space();
        let start = self.at;
        let rest = self.rest();
        let after = |n: usize| rest.get(n..).and_then(|it| it.chars().next());
        let what = match rest.chars().next()? {
            '(' => self.plain("(", What::Open),
            ')' => self.plain(")", What::Close),
            '!' if after(1) != Some('=') => self.plain("!", What::Not),
            '-' => self.plain("-", What::Not),
            _ if rest.starts_with("&&") => self.plain("&&", What::And),
            _ if rest.starts_with("||") => self.plain("||", What::Or),
            _ => self.word_or_condition(),
        };
        Some(Token { what, range: start..self.at })
    }

    fn plain(&mut self, literal: &str, what: What) -> What {
        self.takes(literal);
        what
    }

    fn word_or_condition(&mut self) -> What {
        let start = self.at;
        for (literal, what) in JOINTS {
            // Before a parenthesis no space is needed.
            if self.rest().strip_prefix(literal).is_some_and(|it| it.starts_with('(')) {
                return self.plain(literal, what.clone());
            }
        }
        // What begins with a colon is a word, as the address `::1`.
        if self.rest().starts_with(':') {
            return self.word(Until::Space);
        }
        let head = self.text_until(Until::Operator);
        if !head.is_quoted {
            let joint = JOINTS.iter().find(|it| it.0 == head.text);
            if let Some((_, what)) = joint {
                return what.clone();
            }
        }
        let end = self.at;
        let is_key = !head.is_quoted && keys::find(&head.text).is_some();
        if let Some(operator) = self.operator(&head, is_key) {
            let range = self.operator_range(end, operator);
            let values = self.values(operator, is_key);
            let condition = Condition { head, operator: Some((operator, range)), values };
            // An address of IPv6 and an address of the web hold colons, and are words like any other.
            let whole = self.text.get(start..self.at).unwrap_or_default();
            if !is_key && operator == Operator::Has && is_word(whole) {
                self.at = start;
                return self.word(Until::Space);
            }
            return What::Condition(condition);
        }
        self.at = end;
        What::Condition(Condition { head, operator: None, values: Values::None })
    }

    fn word(&mut self, until: Until) -> What {
        let head = self.text_until(until);
        What::Condition(Condition { head, operator: None, values: Values::None })
    }

    /// Where an operator stands that was just read; spaces before it are none of it.
    fn operator_range(&self, from: usize, operator: Operator) -> Range<usize> {
        let passed = self.text.get(from..self.at).unwrap_or_default();
        let start = from + (passed.len() - passed.trim_start().len());
        start..if operator.is_word() { self.at } else { start + passed.trim().len() }
    }

    /// Reads the operator after a head, if there is one.
    fn operator(&mut self, head: &Text, is_key: bool) -> Option<Operator> {
        let from = self.at;
        let has_space = self.rest().starts_with(char::is_whitespace);
        self.skip_space();
        for (literal, operator) in super::values::SYMBOLS {
            // A colon belongs to the word before it.
            let is_near = *operator != Operator::Has || !has_space;
            if is_near && !head.is_quoted && self.takes(literal) {
                return Some(*operator);
            }
        }
        for (literal, operator) in super::values::WORDS {
            let rest = self.rest();
            let Some(after) = rest.strip_prefix(literal).filter(|_| has_space && !head.is_quoted)
            else {
                continue;
            };
            let follows = after.trim_start();
            let is_word = after.is_empty() || follows.len() < after.len();
            let is_list = *operator == Operator::In && follows.starts_with('{');
            let is_text = *operator != Operator::In && follows.starts_with('"');
            // Words that stand beside each other can be such words too.
            if is_list || is_text || (is_key && is_word) {
                self.at += literal.len();
                return Some(*operator);
            }
        }
        self.at = from;
        None
    }

    fn values(&mut self, operator: Operator, is_key: bool) -> Values {
        let from = self.at;
        // What stands after a colon stands right after it.
        let is_colon = self.text.get(..from).is_some_and(|it| it.ends_with(':'));
        if !is_colon {
            self.skip_space();
        }
        if operator == Operator::In {
            return self.list(from);
        }
        let has_space = self.at > from;
        if self.is_at_end(has_space) {
            self.at = from;
            return Values::None;
        }
        let value = self.text_until(Until::Space);
        // `a== and b`
        let is_joint = !value.is_quoted && JOINTS.iter().any(|it| it.0 == value.text);
        if (value.range.is_empty() && is_key) || (is_joint && has_space) {
            self.at = from;
            return Values::None;
        }
        Values::One(value)
    }

    /// Whether no value can begin here.
    fn is_at_end(&self, has_space: bool) -> bool {
        let rest = self.rest();
        let is_close = rest.starts_with(')') || rest.starts_with("&&") || rest.starts_with("||");
        rest.is_empty() || is_close || (!has_space && rest.starts_with(char::is_whitespace))
    }

    fn list(&mut self, from: usize) -> Values {
        let start = self.at;
        if !self.takes("{") {
            self.at = from;
            return Values::None;
        }
        let mut texts = Vec::new();
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches(is_between).len();
            if self.takes("}") {
                return Values::List { texts, range: start..self.at, is_closed: true };
            }
            let text = self.text_until(Until::Comma);
            if text.range.is_empty() {
                return Values::List { texts, range: start..self.at, is_closed: false };
            }
            texts.push(text);
        }
    }

    /// A piece of text up to what ends it. Parentheses that are closed in it belong to it.
    fn text_until(&mut self, until: Until) -> Text {
        let start = self.at;
        let mut piece = Text::default();
        let mut depth = 0_u32;
        while let Some(char) = self.rest().chars().next() {
            let is_joint = self.rest().starts_with("&&") || self.rest().starts_with("||");
            let is_end = match char {
                '"' => {
                    piece.is_quoted = true;
                    if !self.quoted(&mut piece.text) {
                        piece.open_quote = Some(self.at);
                        self.at = self.text.len();
                    }
                    continue;
                }
                ')' => depth == 0,
                ',' | '}' => until == Until::Comma,
                '=' | '<' | '>' | ':' => until == Until::Operator,
                '!' => until == Until::Operator && self.rest().starts_with("!="),
                it => it.is_whitespace() || is_joint,
            };
            if is_end {
                break;
            }
            match char {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            piece.text.push(char);
            self.at += char.len_utf8();
        }
        piece.range = start..self.at;
        piece
    }

    /// Passes over a quoted piece; a double quote in it is written twice. Says whether it ends; if not, nothing is passed.
    fn quoted(&mut self, text: &mut String) -> bool {
        let mut rest = self.rest().strip_prefix('"').unwrap_or_default();
        loop {
            let Some((before, after)) = rest.split_once('"') else {
                text.push_str(rest);
                return false;
            };
            text.push_str(before);
            match after.strip_prefix('"') {
                Some(further) => {
                    text.push('"');
                    rest = further;
                }
                None => {
                    self.at = self.text.len() - after.len();
                    return true;
                }
            }
        }
    }
}

fn is_between(char: char) -> bool {
    char == ',' || char.is_whitespace()
}

fn is_word(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
        || text.contains("://")
        || text.split_once('/').is_some_and(|it| it.0.parse::<std::net::Ipv6Addr>().is_ok())
}

/// Where the conditions of a filter are that must all hold, each with what negates it: a parenthesis and what an `or` joins
/// are one.
pub fn filter_conditions(text: &str) -> Vec<Range<usize>> {
    let tokens = tokens(text);
    let whole = |first: &Token, last: &Token| first.range.start..last.range.end;
    let mut depth = 0_usize;
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut continues = false;
    for token in &tokens {
        let is_top = depth == 0;
        match token.what {
            What::Open => depth += 1,
            What::Close => depth = depth.saturating_sub(1),
            // An `or` binds less than what stands beside it, so that all is one.
            What::Or if is_top => {
                return tokens
                    .first()
                    .zip(tokens.last())
                    .map(|it| whole(it.0, it.1))
                    .into_iter()
                    .collect();
            }
            What::And if is_top => {
                continues = false;
                continue;
            }
            _ => {}
        }
        match found.last_mut().filter(|_| continues || !is_top) {
            Some(last) => last.end = token.range.end,
            None => found.push(token.range.clone()),
        }
        continues = token.what == What::Not;
    }
    found
}

/// A value as it is written in a filter: in quotes where it would not be one.
pub fn filter_value(value: &str) -> String {
    let is_plain = |it: char| !it.is_whitespace() && !"\"(){},|&".contains(it);
    if !value.is_empty() && value.chars().all(is_plain) {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = filter_conditions(text).into_iter().map(|it| &text[it]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn conditions_end_at_spaces_outside_quotes() {
        check("a  label:\"apple music\" b", &["a", "label:\"apple music\"", "b"]);
        check("  ", &[]);
        check("a && b and c", &["a", "b", "c"]);
    }

    #[test]
    fn an_operator_holds_a_condition_together() {
        check("bytes > 10MB packets<20", &["bytes > 10MB", "packets<20"]);
        check("port in {80, 443} sni contains vk", &["port in {80, 443}", "sni contains vk"]);
        check("words in a text", &["words", "in", "a", "text"]);
    }

    #[test]
    fn parentheses_and_negations_are_part_of_a_condition() {
        check("-a !b not (c or d) e", &["-a", "!b", "not (c or d)", "e"]);
        check("((a) b) -(c)", &["((a) b)", "-(c)"]);
        check("(a", &["(a"]);
    }

    #[test]
    fn alternatives_are_one_condition() {
        check("a or b", &["a or b"]);
        check(" a b || c ", &["a b || c"]);
    }

    #[test]
    fn a_value_is_quoted_where_it_must_be() {
        for value in ["vk", "apple music", "", "a\"b", "f(x)", "{1}", "a||b", "\"", "2001:db8::1"] {
            let text = format!("label:{}", filter_value(value));
            let [Token { what: What::Condition(it), .. }] = &tokens(&text)[..] else {
                panic!("{text}");
            };
            let Values::One(read) = &it.values else { panic!("{text}") };
            assert_eq!(read.text, value);
        }
        assert_eq!(filter_value("2001:db8::1"), "2001:db8::1");
    }

    #[test]
    fn what_has_no_end_ends_with_the_text() {
        for text in ["\"a", "label:\"a", "port in {80", "port in {", "((", "label:a(", "\"", "a\"b"]
        {
            assert_eq!(tokens(text).last().map(|it| it.range.end), Some(text.len()), "{text}");
        }
    }
}
