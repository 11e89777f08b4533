//! What can be typed at a place of a filter: keys with what they are, operators, values that occur with how many flows.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, sync::Arc};

use v1::page::{SuggestionKind, SuggestionRow, Suggestions, Words};

use super::{
    Filter,
    keys::{self, Key, Known},
    lexer::{Condition, Text, Token, Values, What, filter_value, tokens},
    values::{Needle, Operator, Scale},
};
use crate::Analysis;

/// How many different values of a key are counted; of more, those that occur first.
const MAX_VALUES: usize = 50_000;
/// How many suggestions there are at most, whatever is asked for.
const MAX_ROWS: usize = 200;
/// The longest value that is suggested, in bytes.
const MAX_VALUE_LEN: usize = 512;

/// Numbers of which few differ: their values are suggested.
const COUNTED_NUMBERS: &[&str] = &[
    "port",
    "server_port",
    "client_port",
    "tcp.port",
    "tcp.srcport",
    "tcp.dstport",
    "udp.port",
    "udp.srcport",
    "udp.dstport",
    "confidence",
];

/// The values of a key and how many flows have each, most first: kept from one question to the next.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    key: &'static str,
    values: Arc<[(String, u64)]>,
}

/// What stands at the cursor.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A key, as far as it is typed; an operator follows already.
    Key { range: Range<usize>, typed: String, has_operator: bool },
    /// An operator for this key.
    Operator { range: Range<usize>, typed: String, name: String },
    /// A value of this key.
    Value { range: Range<usize>, typed: String, name: String },
    /// Nothing that is known here.
    Nothing,
}

/// Answers [`v1::page::Query::Suggest`].
pub(crate) fn suggest(analysis: &Analysis, filter: &str, at: u32, limit: u32) -> Suggestions {
    let at = floor(filter, at as usize);
    let limit = (limit as usize).min(MAX_ROWS);
    let are_known = analysis.countries.is_some();
    let error = Filter::parse(filter).and_then(|it| it.where_countries(are_known)).err();
    // What is too long to be understood is not looked at further.
    let is_long = error.as_ref().is_some_and(|it| it.wrong == v1::page::Wrong::TooLong);
    let place = if is_long { Place::Nothing } else { place(filter, at) };
    let (range, of, rows) = match place {
        Place::Key { range, typed, has_operator } => {
            (range, SuggestionKind::Key, key_rows(&typed, has_operator, limit))
        }
        Place::Operator { range, typed, name } => {
            (range, SuggestionKind::Operator, operator_rows(&typed, &name, limit))
        }
        Place::Value { range, typed, name } => {
            (range, SuggestionKind::Value, value_rows(analysis, &typed, &name, limit))
        }
        Place::Nothing => (at..at, SuggestionKind::Key, Vec::new()),
    };
    let bytes = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
    Suggestions { start: bytes(range.start), end: bytes(range.end), of, rows, error }
}

/// The place, or the one before it that is between letters.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|it| text.is_char_boundary(*it)).unwrap_or(0)
}

fn place(filter: &str, at: usize) -> Place {
    let tokens = tokens(filter);
    // Those that begin before the cursor.
    let n = tokens.partition_point(|it| it.range.start < at);
    let before = tokens.get(..n).unwrap_or_default();
    let here = tokens.get(n).filter(|it| it.range.start == at);
    let touched = |it: &&Token| it.range.end >= at;
    match before.last() {
        Some(token) if touched(&token) => match &token.what {
            What::Condition(condition) => {
                let earlier = before.len().checked_sub(2).and_then(|it| before.get(it));
                within(filter, at, condition, earlier)
            }
            // A word that joins may be the beginning of another.
            What::And | What::Or | What::Not if is_word(filter, token) => Place::Key {
                range: token.range.clone(),
                typed: filter.get(token.range.start..at).unwrap_or_default().to_owned(),
                has_operator: false,
            },
            What::Close => Place::Nothing,
            _ => key_at(here, at),
        },
        Some(Token { what: What::Condition(condition), .. }) => after(at, condition, here),
        _ => key_at(here, at),
    }
}

fn is_word(filter: &str, token: &Token) -> bool {
    filter.get(token.range.clone()).is_some_and(|it| it.starts_with(char::is_alphabetic))
}

/// A key that begins at the cursor.
fn key_at(here: Option<&Token>, at: usize) -> Place {
    match here.map(|it| &it.what) {
        Some(What::Condition(it)) if !it.head.is_quoted => Place::Key {
            range: it.head.range.clone(),
            typed: String::new(),
            has_operator: it.operator.is_some(),
        },
        _ => Place::Key { range: at..at, typed: String::new(), has_operator: false },
    }
}

/// What stands within a condition.
fn within(filter: &str, at: usize, condition: &Condition, earlier: Option<&Token>) -> Place {
    let Condition { head, operator, values } = condition;
    if at <= head.range.end {
        if head.is_quoted {
            return Place::Nothing;
        }
        let typed = filter.get(head.range.start..at).unwrap_or_default().to_owned();
        // A key alone before this word: what is typed may become the operator between them.
        if let Some(Token { what: What::Condition(it), .. }) = earlier
            && operator.is_none()
            && is_lone_key(it)
            && super::values::WORDS.iter().any(|it| it.0.starts_with(&typed))
        {
            return Place::Operator {
                range: head.range.clone(),
                typed,
                name: it.head.text.clone(),
            };
        }
        return Place::Key { range: head.range.clone(), typed, has_operator: operator.is_some() };
    }
    let name = head.text.clone();
    let texts: &[Text] = match values {
        Values::None => &[],
        Values::One(text) => std::slice::from_ref(text),
        Values::List { range, is_closed: true, .. } if range.end <= at => return Place::Nothing,
        Values::List { texts, .. } => texts,
    };
    match texts.iter().find(|it| it.range.start <= at && at <= it.range.end) {
        Some(text) => {
            let typed = match text.range.end == at {
                true => text.text.clone(),
                false => filter.get(text.range.start..at).unwrap_or_default().replace('"', ""),
            };
            Place::Value { range: text.range.clone(), typed, name }
        }
        None => Place::Value { range: at..at, typed: String::new(), name },
    }
}

/// What can stand after a condition and a space.
fn after(at: usize, condition: &Condition, here: Option<&Token>) -> Place {
    let (typed, name) = (String::new(), condition.head.text.clone());
    let is_open = match &condition.values {
        Values::None => condition
            .operator
            .as_ref()
            .is_some_and(|it| it.0 != Operator::Has && it.0 != Operator::In),
        Values::List { is_closed, .. } => !is_closed,
        Values::One(_) => false,
    };
    if is_open {
        Place::Value { range: at..at, typed, name }
    } else if is_lone_key(condition) && here.is_none() {
        Place::Operator { range: at..at, typed, name }
    } else {
        key_at(here, at)
    }
}

fn is_lone_key(condition: &Condition) -> bool {
    let Condition { head, operator, .. } = condition;
    operator.is_none() && !head.is_quoted && keys::find(&head.text).is_some()
}

/// Keys whose names begin so, then those that hold it, then those whose words do.
fn key_rows(typed: &str, has_operator: bool, limit: usize) -> Vec<SuggestionRow> {
    let typed = typed.to_lowercase();
    let mut rows: Vec<(usize, SuggestionRow)> = Vec::new();
    for known in keys::all() {
        let named =
            |is_such: &dyn Fn(&str) -> bool| known.names.iter().copied().find(|it| is_such(it));
        // Of what is typed in full nothing is to be told.
        let (rank, name) = if let Some(name) = named(&|it| it.starts_with(&typed)) {
            (0, name)
        } else if let Some(name) = named(&|it| typed.len() > 1 && it.contains(&typed)) {
            (1, name)
        } else if typed.len() > 1
            && [known.en, known.ru].iter().any(|it| it.to_lowercase().contains(&typed))
        {
            (2, known.name())
        } else {
            continue;
        };
        let text =
            if has_operator { name.to_owned() } else { format!("{name}{}", joint(known.key)) };
        let what = Words { en: known.en.to_owned(), ru: known.ru.to_owned() };
        rows.push((rank, SuggestionRow { text, what: Some(what), count: None }));
    }
    rows.sort_by_key(|it| it.0);
    rows.into_iter().map(|it| it.1).take(limit).collect()
}

/// What is typed after a key most often.
fn joint(key: Key) -> &'static str {
    match key {
        Key::Number(_, Scale::Bytes | Scale::Time) => ">",
        Key::Flag(_) => "",
        _ => ":",
    }
}

/// What operators mean: of all, and of texts of which a part is enough.
const OPERATORS: &[(Operator, &str, &str)] = &[
    (Operator::Is, "is", "равно"),
    (Operator::IsNot, "is not", "не равно"),
    (Operator::Greater, "is more than", "больше"),
    (Operator::GreaterOrEqual, "is at least", "не меньше"),
    (Operator::Less, "is less than", "меньше"),
    (Operator::LessOrEqual, "is at most", "не больше"),
    (Operator::In, "is one of {a, b}", "одно из {a, b}"),
    (Operator::Contains, "has this in it", "содержит"),
    (Operator::Matches, "fits a regular expression", "подходит под регулярное выражение"),
];

fn operator_rows(typed: &str, name: &str, limit: usize) -> Vec<SuggestionRow> {
    let Some(known) = keys::find(name) else { return Vec::new() };
    let rows =
        OPERATORS.iter().filter(|it| known.key.operators().contains(&it.0)).filter_map(|it| {
            let written = it.0.written();
            let text =
                if it.0 == Operator::In { format!("{written} {{") } else { format!("{written} ") };
            let what = Some(Words { en: it.1.to_owned(), ru: it.2.to_owned() });
            written.starts_with(typed).then_some(SuggestionRow { text, what, count: None })
        });
    rows.take(limit).collect()
}

/// Values that begin so, then those that hold it, each with most flows first.
fn value_rows(analysis: &Analysis, typed: &str, name: &str, limit: usize) -> Vec<SuggestionRow> {
    let Some(known) = keys::find(name).filter(is_counted) else { return Vec::new() };
    let values = counted(analysis, &known);
    let (lower, needle) = (typed.to_lowercase(), Needle::new(typed));
    let begins = |it: &str| it.get(..lower.len()).is_some_and(|it| it.to_lowercase() == lower);
    let first = values.iter().filter(|it| begins(&it.0));
    let then = values.iter().filter(|it| !begins(&it.0) && needle.is_in(&it.0));
    let rows = first.chain(then).take(limit);
    rows.map(|(value, n)| SuggestionRow { text: filter_value(value), what: None, count: Some(*n) })
        .collect()
}

/// Whether the values of a key can be suggested: texts of the flow, addresses, and numbers of which few differ.
fn is_counted(known: &Known) -> bool {
    match known.key {
        Key::Number(..) => COUNTED_NUMBERS.contains(&known.name()),
        // Sentences are as many as flows.
        Key::Containing(_) => known.name() != "reason",
        _ => true,
    }
}

/// The values of a key, counted unless the last question was about the same.
fn counted(analysis: &Analysis, known: &Known) -> Arc<[(String, u64)]> {
    let mut last = analysis.counted.lock().unwrap_or_else(|it| it.into_inner());
    if let Some(counted) = last.as_ref().filter(|it| it.key == known.name()) {
        return Arc::clone(&counted.values);
    }
    let mut values = count(analysis, known);
    // Equal ones stay in order of the values.
    values.sort_by_key(|it| std::cmp::Reverse(it.1));
    let values: Arc<[(String, u64)]> = values.into();
    *last = Some(Counted { key: known.name(), values: Arc::clone(&values) });
    values
}

fn count(analysis: &Analysis, known: &Known) -> Vec<(String, u64)> {
    let rows = analysis.each();
    match known.key {
        Key::Exact(of) | Key::Containing(of) => tally(rows.map(|it| [of(&it), None])),
        Key::Fact(fact) => tally(rows.map(|it| [it.fact(fact).map(Cow::Borrowed), None])),
        Key::Transport => tally(rows.map(|it| [Some(it.transport), None])),
        Key::Country(of) => {
            let country = |ip| analysis.country(ip).map(Cow::Borrowed);
            tally(rows.map(|it| of(&it).map(country)))
        }
        Key::Address(of) => tally(rows.map(|it| of(&it).map(Some))),
        Key::Number(of, _) => tally(rows.map(|it| of(&it, 0).map_or([None; 2], |it| it.map(Some)))),
        Key::Flag(of) => tally(rows.map(|it| {
            let is_such = (it.transport == flow::Transport::TCP).then(|| u8::from(of(&it)));
            [is_such, None]
        })),
    }
}

/// How many flows have each value; a flow with the same twice counts once.
fn tally<T: Ord + Clone + ToString>(
    flows: impl Iterator<Item = [Option<T>; 2]>,
) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<T, u64> = BTreeMap::new();
    for [first, second] in flows {
        let second = second.filter(|it| first.as_ref() != Some(it));
        for value in [first, second].into_iter().flatten() {
            if let Some(n) = counts.get_mut(&value) {
                *n += 1;
            } else if counts.len() < MAX_VALUES {
                counts.insert(value, 1);
            }
        }
    }
    let texts = counts.into_iter().map(|(value, n)| (value.to_string(), n));
    texts.filter(|it| !it.0.is_empty() && it.0.len() <= MAX_VALUE_LEN).collect()
}

/// A key for those who write about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterKey {
    /// Its names; the first is the one to teach.
    pub names: Vec<&'static str>,
    /// What is compared: `word`, `text`, `address`, `number`, `bytes`, `time` or `yes or no`.
    pub kind: &'static str,
    /// What compares it.
    pub operators: Vec<&'static str>,
    /// What it is, in English and in Russian.
    pub what: [&'static str; 2],
}

/// Every key a filter knows.
pub fn filter_keys() -> Vec<FilterKey> {
    let keys = keys::all().map(|known| FilterKey {
        names: known.names.to_vec(),
        kind: match known.key {
            Key::Exact(_) | Key::Transport | Key::Country(_) => "word",
            Key::Containing(_) | Key::Fact(_) => "text",
            Key::Address(_) => "address",
            Key::Number(_, Scale::Plain) => "number",
            Key::Number(_, Scale::Bytes) => "bytes",
            Key::Number(_, Scale::Time) => "time",
            Key::Flag(_) => "yes or no",
        },
        operators: known.key.operators().iter().map(|it| it.written()).collect(),
        what: [known.en, known.ru],
    });
    keys.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The filter has `|` where the cursor is.
    fn at(filter: &str) -> (Place, String) {
        let cursor = filter.find('|').unwrap();
        let text = filter.replacen('|', "", 1);
        (place(&text, cursor), text)
    }

    #[track_caller]
    fn check(filter: &str, kind: &str, replaced: &str, typed: &str) {
        let (place, text) = at(filter);
        let (of, range, found) = match &place {
            Place::Key { range, typed, .. } => ("key".to_owned(), range, typed),
            Place::Operator { range, typed, name } => (format!("operator of {name}"), range, typed),
            Place::Value { range, typed, name } => (format!("value of {name}"), range, typed),
            Place::Nothing => panic!("nothing"),
        };
        assert_eq!((&*of, &text[range.clone()], &**found), (kind, replaced, typed));
    }

    #[test]
    fn a_key_is_what_begins_a_condition() {
        check("|", "key", "", "");
        check("lab|", "key", "lab", "lab");
        check("a -la|b:x", "key", "lab", "la");
        check("(|", "key", "", "");
        check("a and |", "key", "", "");
        check("a &&|", "key", "", "");
        check("label:vk |", "key", "", "");
        check("no|", "key", "no", "no");
        check("or|", "key", "or", "or");
        check("|label:vk", "key", "label", "");
    }

    #[test]
    fn a_value_is_what_follows_an_operator() {
        check("label:|", "value of label", "", "");
        check("label:v|k", "value of label", "vk", "v");
        check("label == |", "value of label", "", "");
        check("label==v| a", "value of label", "v", "v");
        check("label:\"apple m|", "value of label", "\"apple m", "apple m");
        check("port in {80, 4|", "value of port", "4", "4");
        check("port in {80, |", "value of port", "", "");
        check("port in {|}", "value of port", "", "");
        check("(label:vk|)", "value of label", "vk", "vk");
    }

    #[test]
    fn an_operator_follows_a_key_and_a_space() {
        check("bytes |", "operator of bytes", "", "");
        check("label con|", "operator of label", "con", "con");
        check("word |", "key", "", "");
        check("a la|", "key", "la", "la");
    }

    #[test]
    fn within_quotes_and_after_the_end_nothing_is_known() {
        for filter in ["\"lab|", "(a)|", "port in {80}|"] {
            assert_eq!(at(filter).0, Place::Nothing, "{filter}");
        }
    }

    #[test]
    fn keys_come_by_their_beginning_first() {
        let texts =
            |typed| key_rows(typed, false, 4).into_iter().map(|it| it.text).collect::<Vec<_>>();
        assert_eq!(texts("lab")[0], "label:");
        assert_eq!(texts("tcp.")[0], "tcp.port:");
        assert_eq!(texts("byt")[0], "bytes>");
        assert_eq!(texts("tcp.fl"), ["tcp.flags.reset"]);
        assert!(
            texts("метка").contains(&"label:".to_owned())
                || texts("метка").contains(&"evidence:".to_owned())
        );
        assert_eq!(key_rows("lab", true, 1)[0].text, "label");
        assert!(key_rows("nothing like it", false, 9).is_empty());
    }

    #[test]
    fn operators_are_those_of_the_key() {
        let texts = |typed, name| {
            operator_rows(typed, name, 9).into_iter().map(|it| it.text).collect::<Vec<_>>()
        };
        assert_eq!(texts("", "ip"), ["== ", "!= ", "in {"]);
        assert_eq!(texts("m", "sni"), ["matches "]);
        assert!(texts("", "bytes").contains(&">= ".to_owned()));
    }

    #[test]
    fn a_place_within_a_letter_is_before_it() {
        assert_eq!((floor("ё", 1), floor("ё", 9), floor("", 3)), (0, 2, 0));
    }
}
