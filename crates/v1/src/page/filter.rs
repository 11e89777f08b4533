//! What is wrong with a filter, and what can be typed on: places in its text, and words in both languages.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Words;

/// Why a filter cannot be understood, and which part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilterError {
    /// Where the wrong part begins, in bytes of the text.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// What is wrong.
    pub wrong: Wrong,
    /// What stands in the sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

/// What can be wrong with a filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Wrong {
    /// A quote has no end.
    #[default]
    OpenQuote,
    /// A parenthesis has no end.
    OpenParenthesis,
    /// One ends that did not begin.
    CloseParenthesis,
    /// A list has no end.
    OpenList,
    /// A list with nothing in it.
    EmptyList,
    /// `in` without a list.
    NoList,
    /// Nothing within parentheses, or after what negates.
    NoCondition,
    /// A comparison without a key.
    NoKey,
    /// A comparison without a value.
    NoValue,
    /// There is no such key, and none like it.
    UnknownKey,
    /// There is no such key, but one like it.
    UnknownKeyLike,
    /// The key cannot be compared so.
    Operator,
    /// The value is no number.
    Number,
    /// The value is neither an address nor a network.
    Network,
    /// The value is neither yes nor no.
    Flag,
    /// The regular expression cannot be used.
    Expression,
    /// Parentheses within parentheses, too many times.
    TooDeep,
    /// Too long a text.
    TooLong,
    /// Too many conditions.
    TooMany,
    /// A country is asked for, and no database tells countries.
    NoCountries,
    /// The flows cannot be cut by this timeout; not a word of the filter.
    Timeout,
}

/// Every sentence: what is wrong, in English and in Russian. `{}` stands for a part.
pub const WRONGS: &[(Wrong, &str, &str)] = &[
    (Wrong::OpenQuote, "a double quote is not closed", "двойная кавычка не закрыта"),
    (Wrong::OpenParenthesis, "a parenthesis is not closed", "скобка не закрыта"),
    (
        Wrong::CloseParenthesis,
        "a parenthesis is closed that is not open",
        "лишняя закрывающая скобка",
    ),
    (Wrong::OpenList, "the list is not closed by `}`", "список не закрыт знаком `}`"),
    (Wrong::EmptyList, "the list is empty", "список пуст"),
    (
        Wrong::NoList,
        "`in` wants a list in braces: {} in {a, b}",
        "после `in` нужен список в фигурных скобках: {} in {a, b}",
    ),
    (Wrong::NoCondition, "a condition is missing here", "здесь не хватает условия"),
    (Wrong::NoKey, "a key is missing before `{}`", "перед `{}` не хватает ключа"),
    (Wrong::NoValue, "a value is missing after `{}`", "после `{}` не хватает значения"),
    (
        Wrong::UnknownKeyLike,
        "unknown key `{}`; did you mean `{}`?",
        "неизвестный ключ `{}`; может быть, `{}`?",
    ),
    (
        Wrong::UnknownKey,
        "unknown key `{}`; a word with a `{}` in it is searched for in quotes",
        "неизвестный ключ `{}`; чтобы искать слово со знаком `{}`, возьмите его в кавычки",
    ),
    (Wrong::Operator, "`{}` can be compared by {} alone", "`{}` сравнивают только через {}"),
    (Wrong::Number, "`{}` is not a number", "`{}` не число"),
    (
        Wrong::Network,
        "`{}` is no address and no network like 10.0.0.0/8",
        "`{}` не адрес и не сеть, как 10.0.0.0/8",
    ),
    (Wrong::Flag, "`{}` is neither 1 nor 0", "`{}` не 1 и не 0"),
    (
        Wrong::Expression,
        "`{}` is no regular expression that can be used",
        "`{}` не годится как регулярное выражение",
    ),
    (
        Wrong::TooDeep,
        "more than {} parentheses and negations within each other",
        "вложенных скобок и отрицаний больше {}",
    ),
    (
        Wrong::TooLong,
        "the filter is longer than {} bytes; lists of the same key can be divided",
        "фильтр длиннее {} байт; большой список можно разделить на части",
    ),
    (
        Wrong::TooMany,
        "more than {} conditions; values of one key take a single one: key in {a, b}",
        "условий больше {}; для многих значений одного ключа хватит одного: key in {a, b}",
    ),
    (
        Wrong::NoCountries,
        "countries are not known: load a database of your own (.mmdb) first",
        "страны неизвестны: сначала загрузите свою базу (.mmdb)",
    ),
    (
        Wrong::Timeout,
        "`{}` is no timeout: neither a number of seconds above 0, nor idle: or published: and one, nor none, nor zeek",
        "`{}` не тайм-аут: не число секунд больше 0, не idle: или published: с числом, не none и не zeek",
    ),
];

impl FilterError {
    /// Something wrong in this part of the text.
    pub fn new(range: std::ops::Range<usize>, wrong: Wrong, parts: &[&str]) -> Self {
        let place = |it: usize| u32::try_from(it).unwrap_or(u32::MAX);
        let (start, end) = (place(range.start), place(range.end));
        let parts = parts.iter().map(|it| (*it).to_owned()).collect();
        Self { start, end, wrong, parts }
    }

    /// The sentence in both languages.
    pub fn words(&self) -> Words {
        let row = WRONGS.iter().find(|it| it.0 == self.wrong);
        let (en, ru) = row.map_or(("", ""), |it| (it.1, it.2));
        Words { en: self.filled(en), ru: self.filled(ru) }
    }

    fn filled(&self, pattern: &str) -> String {
        let mut parts = self.parts.iter();
        let mut out = String::new();
        for (at, literal) in pattern.split("{}").enumerate() {
            if at > 0 {
                out += parts.next().map_or("", String::as_str);
            }
            out += literal;
        }
        out
    }

    /// The text before the wrong part, the part, and the text after it.
    pub fn split<'a>(&self, text: &'a str) -> [&'a str; 3] {
        let (start, end) = (self.start as usize, self.end as usize);
        let parts = (text.get(..start), text.get(start..end), text.get(end..));
        match parts {
            (Some(before), Some(part), Some(after)) => [before, part, after],
            // It is about another text.
            _ => [text, "", ""],
        }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words().en)
    }
}

impl std::error::Error for FilterError {}

/// What can stand where the cursor is in a filter, and whether the filter is understood as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Suggestions {
    /// Where the part begins that a suggestion replaces, in bytes of the text.
    pub start: u32,
    /// Where it ends.
    pub end: u32,
    /// What is suggested.
    pub of: SuggestionKind,
    /// The suggestions, the best first.
    pub rows: Vec<SuggestionRow>,
    /// Why the whole text cannot be understood.
    pub error: Option<FilterError>,
}

/// What a suggestion is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SuggestionKind {
    /// Something that can be asked for.
    #[default]
    Key,
    /// How it is compared.
    Operator,
    /// What occurs.
    Value,
}

/// A suggestion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuggestionRow {
    /// What takes the part's place.
    pub text: String,
    /// What it is; empty for values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub what: Option<Words>,
    /// How many flows have the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sentence_has_as_many_parts_in_both_languages() {
        for (wrong, en, ru) in WRONGS {
            assert_eq!(en.matches("{}").count(), ru.matches("{}").count(), "{wrong:?}");
            assert!(ru.chars().any(|it| ('а'..='я').contains(&it)), "{ru}");
        }
    }

    #[test]
    fn a_text_is_parted_by_what_is_wrong() {
        let error = FilterError::new(2..4, Wrong::Number, &["ёж"]);
        assert_eq!(error.split("a:bc d"), ["a:", "bc", " d"]);
        assert_eq!(error.split("ёж"), ["ё", "ж", ""]);
        assert_eq!(error.split("a"), ["a", "", ""]);
        assert_eq!(error.to_string(), "`ёж` is not a number");
    }
}
