//! Tokens in, a tree of tests out; or what is wrong, and where.

use std::ops::Range;

use v1::page::{FilterError, Wrong};

use super::{
    Node,
    keys::{self, Key, Known},
    lexer::{Condition, Text, Token, Values, What, tokens},
    test::{Test, TextTest},
    values::{self, Networks, Operator, Ranges, Texts},
};

/// The longest filter, in bytes: room for a list of some thousand addresses.
const MAX_LEN: usize = 64 << 10;
/// How deep parentheses and negations may nest.
const MAX_DEPTH: usize = 64;
/// How many tests a filter may have: each costs time with each flow. A list is one.
const MAX_TESTS: usize = 200;

type Parsed<T> = Result<T, FilterError>;

fn wrong<T>(range: &Range<usize>, wrong: Wrong, parts: &[&str]) -> Parsed<T> {
    Err(FilterError::new(range.clone(), wrong, parts))
}

/// The tree of a filter as typed, and where it first asks for a country. Nothing typed is no test, which every flow passes.
pub(super) fn parse(text: &str) -> Parsed<(Node, Option<Range<usize>>)> {
    if text.len() > MAX_LEN {
        return wrong(&(0..text.len()), Wrong::TooLong, &[&MAX_LEN.to_string()]);
    }
    let tokens = tokens(text);
    let mut parser = Parser { text, tokens: &tokens, at: 0, n_tests: 0, country: None };
    let node = parser.alternatives(0)?;
    match parser.peek() {
        // Only what closes a parenthesis ends alternatives before the text does.
        Some(token) => wrong(&token.range, Wrong::CloseParenthesis, &[]),
        None => Ok((node.unwrap_or(Node::All(Vec::new())), parser.country)),
    }
}

struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    at: usize,
    n_tests: usize,
    /// The first key that asks for a country.
    country: Option<Range<usize>>,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    /// What `or` separates. Nothing beside an `or` is no condition, not one that always holds.
    fn alternatives(&mut self, depth: usize) -> Parsed<Option<Node>> {
        let mut nodes = Vec::new();
        loop {
            nodes.extend(self.all(depth)?);
            match self.peek() {
                Some(Token { what: What::Or, .. }) => self.at += 1,
                _ => break,
            }
        }
        Ok(if nodes.len() > 1 { Some(Node::Any(nodes)) } else { nodes.pop() })
    }

    /// What stands side by side and must all hold.
    fn all(&mut self, depth: usize) -> Parsed<Option<Node>> {
        let mut nodes = Vec::new();
        while let Some(token) = self.peek() {
            match token.what {
                What::Or | What::Close => break,
                What::And => self.at += 1,
                _ => nodes.push(self.one(token, depth)?),
            }
        }
        Ok(if nodes.len() > 1 { Some(Node::All(nodes)) } else { nodes.pop() })
    }

    fn one(&mut self, token: &'a Token, depth: usize) -> Parsed<Node> {
        if depth > MAX_DEPTH {
            return wrong(&token.range, Wrong::TooDeep, &[&MAX_DEPTH.to_string()]);
        }
        self.at += 1;
        match &token.what {
            What::Not => {
                let next = self
                    .peek()
                    .filter(|it| matches!(it.what, What::Not | What::Open | What::Condition(_)));
                let Some(next) = next else { return wrong(&token.range, Wrong::NoCondition, &[]) };
                Ok(Node::Not(Box::new(self.one(next, depth + 1)?)))
            }
            What::Open => {
                let inner = self.alternatives(depth + 1)?;
                let Some(close) = self.peek() else {
                    return wrong(&token.range, Wrong::OpenParenthesis, &[]);
                };
                self.at += 1;
                let whole = token.range.start..close.range.end;
                inner.map_or_else(|| wrong(&whole, Wrong::NoCondition, &[]), Ok)
            }
            What::Condition(condition) => {
                self.n_tests += 1;
                if self.n_tests > MAX_TESTS {
                    return wrong(&token.range, Wrong::TooMany, &[&MAX_TESTS.to_string()]);
                }
                self.condition(condition, &token.range)
            }
            // Neither joins nor ends are asked for here.
            What::And | What::Or | What::Close => wrong(&token.range, Wrong::NoCondition, &[]),
        }
    }

    fn condition(&mut self, condition: &Condition, range: &Range<usize>) -> Parsed<Node> {
        let Condition { head, operator, values } = condition;
        closed(head)?;
        let Some((operator, operator_range)) = operator else { return Ok(word(head)) };
        let written = self.text.get(operator_range.clone()).unwrap_or_default();
        if head.text.is_empty() {
            return wrong(operator_range, Wrong::NoKey, &[written]);
        }
        let known = match keys::find(&head.text).filter(|_| !head.is_quoted) {
            Some(known) => known,
            None => return unknown(head, written),
        };
        if !known.key.operators().contains(operator) {
            let all: Vec<&str> = known.key.operators().iter().map(|it| it.written()).collect();
            return wrong(operator_range, Wrong::Operator, &[&head.text, &all.join(" ")]);
        }
        let values: &[Text] = match values {
            Values::List { range, is_closed: false, .. } => {
                return wrong(range, Wrong::OpenList, &[]);
            }
            Values::List { texts, range, .. } if texts.is_empty() => {
                return wrong(range, Wrong::EmptyList, &[]);
            }
            Values::List { texts, .. } => texts,
            Values::One(text) => std::slice::from_ref(text),
            Values::None if *operator == Operator::In => {
                return wrong(operator_range, Wrong::NoList, &[&head.text]);
            }
            Values::None if may_lack_value(known.key, *operator) => &[],
            Values::None => return wrong(range, Wrong::NoValue, &[written]),
        };
        values.iter().try_for_each(closed)?;
        if matches!(known.key, Key::Country(_)) {
            self.country.get_or_insert_with(|| head.range.clone());
        }
        let test = test(known.key, *operator, values)?;
        // A number differs by itself: of what has none it is told apart there.
        let is_number = matches!(known.key, Key::Number(..));
        let is_negated = *operator == Operator::IsNot && !is_number;
        let node = Node::Test(test);
        Ok(if is_negated { Node::Not(Box::new(node)) } else { node })
    }
}

fn closed(text: &Text) -> Parsed<()> {
    match text.open_quote {
        Some(at) => wrong(&(at..text.range.end), Wrong::OpenQuote, &[]),
        None => Ok(()),
    }
}

/// Whether a comparison with nothing asks whether there is anything at all.
fn may_lack_value(key: Key, operator: Operator) -> bool {
    let is_text = matches!(
        key,
        Key::Exact(_) | Key::Containing(_) | Key::Fact(_) | Key::Transport | Key::Country(_)
    );
    is_text && operator.is_equality() && operator != Operator::In
}

fn unknown(head: &Text, written: &str) -> Parsed<Node> {
    match keys::nearest(&head.text) {
        Some(name) => wrong(&head.range, Wrong::UnknownKeyLike, &[&head.text, name]),
        None => wrong(&head.range, Wrong::UnknownKey, &[&head.text, written]),
    }
}

/// A word alone: searched for in every text, unless it says itself what it is.
fn word(head: &Text) -> Node {
    if !head.is_quoted {
        if let Some(Known { key: Key::Flag(of), .. }) = keys::find(&head.text) {
            return Node::Test(Test::Flag(of, true));
        }
        let network = head.text.contains('/').then(|| values::network(&head.text)).flatten();
        if let Some(network) = network {
            let of = |it: &crate::rows::Row<'_>| [it.client.ip, it.server.ip];
            return Node::Test(Test::Network(of, Networks::new(&[network])));
        }
    }
    Node::Test(Test::word(&head.text))
}

fn test(key: Key, operator: Operator, values: &[Text]) -> Parsed<Test> {
    // Read from here where there are no values: whether there is anything.
    let first = values.first();
    let text = first.map_or("", |it| it.text.as_str());
    Ok(match key {
        Key::Number(of, scale) => {
            let mut ranges = Vec::new();
            for value in values {
                let read = match operator {
                    Operator::In => values::numbers(&value.text, scale),
                    _ => values::number(&value.text, scale).map(|it| (it, it)),
                };
                let Some(read) = read else {
                    return wrong(&value.range, Wrong::Number, &[&value.text]);
                };
                ranges.push(read);
            }
            match (operator, ranges.first()) {
                (Operator::In, _) => {
                    let ranges = ranges.iter().map(|it| (it.0.into(), it.1.into())).collect();
                    Test::Numbers(of, Ranges::new(ranges))
                }
                (_, Some((number, _))) => Test::Number(of, operator, *number),
                (_, None) => return wrong(&(0..0), Wrong::NoValue, &[]),
            }
        }
        Key::Address(of) => {
            let mut networks = Vec::new();
            for value in values {
                match values::network(&value.text) {
                    Some(network) => networks.push(network),
                    None => return wrong(&value.range, Wrong::Network, &[&value.text]),
                }
            }
            Test::Network(of, Networks::new(&networks))
        }
        Key::Flag(of) => match (first, values::flag(text)) {
            (_, Some(is_on)) => Test::Flag(of, is_on),
            (first, None) => {
                let range = first.map_or(0..0, |it| it.range.clone());
                return wrong(&range, Wrong::Flag, &[text]);
            }
        },
        Key::Country(of) => Test::Country(of, text_test(operator, true, values)?),
        Key::Transport => Test::transport(&text_test(operator, true, values)?),
        Key::Exact(of) => Test::Text(of, text_test(operator, true, values)?),
        Key::Containing(of) => Test::Text(of, text_test(operator, false, values)?),
        Key::Fact(fact) => Test::Fact(fact, text_test(operator, false, values)?),
    })
}

/// How a text is compared; `is_whole` where equality wants all of it.
fn text_test(operator: Operator, is_whole: bool, values: &[Text]) -> Parsed<TextTest> {
    let Some(first) = values.first() else { return Ok(TextTest::Any) };
    Ok(match operator {
        Operator::In => TextTest::OneOf(Texts::new(values.iter().map(|it| it.text.clone()))),
        Operator::Matches => match values::Expression::new(&first.text) {
            Ok(expression) => TextTest::Matches(expression),
            Err(what) => return wrong(&first.range, what, &[&first.text]),
        },
        Operator::Contains => TextTest::Contains(values::Needle::new(&first.text)),
        _ if first.text.is_empty() => TextTest::Any,
        _ if is_whole => TextTest::Is(values::Needle::new(&first.text)),
        _ => TextTest::Contains(values::Needle::new(&first.text)),
    })
}
