//! The words of the filter box, in both languages.

/// The filter box's words.
#[expect(missing_docs, reason = "each field is its message, to be read below")]
pub struct FilterTexts {
    pub suggestions: &'static str,
    pub n_suggestions: fn(&str) -> String,
    pub recent: &'static str,
    pub understood: &'static str,
    pub last_stays: &'static str,
    pub help: &'static str,
    pub help_lead: &'static str,
    /// What a line tells, and the filters that show it.
    pub help_lines: [(&'static str, &'static [&'static str]); 5],
    pub help_keys: &'static str,
}

/// A line's examples, the same in each language.
const EXAMPLES: [&[&str]; 5] = [
    &["label:vk", "port:443", "itunes"],
    &["bytes > 10MB packets < 20", "duration >= 2s"],
    &["-proto:http", "tcp or udp", "(label:vk || label:youtube) && !(port in {80, 8080})"],
    &["ip:10.0.0.0/8", "port in {80, 443, 8000..8100}"],
    &["sni contains vk", r#"sni matches "^.*\.vk\.com$""#],
];

const fn lines(texts: [&'static str; 5]) -> [(&'static str, &'static [&'static str]); 5] {
    let [a, b, c, d, e] = texts;
    let [of_a, of_b, of_c, of_d, of_e] = EXAMPLES;
    [(a, of_a), (b, of_b), (c, of_c), (d, of_d), (e, of_e)]
}

pub(super) const EN: FilterTexts = FilterTexts {
    suggestions: "Suggestions",
    n_suggestions: |n| format!("suggestions: {n}"),
    recent: "recent",
    understood: "The filter is understood",
    last_stays: "The last filter that was understood stays in place.",
    help: "How to filter",
    help_lead: "Conditions stand side by side and must all hold. Choose an example to try it.",
    help_lines: lines([
        "a key and its value, or a word to be found anywhere",
        "numbers and times with their units",
        "not, or, and parentheses",
        "networks, lists and ranges",
        "a part of a text, or a regular expression",
    ]),
    help_keys: "Values with spaces stand in double quotes. Keys of Wireshark such as ip.addr and tcp.port work too.",
};

pub(super) const RU: FilterTexts = FilterTexts {
    suggestions: "Подсказки",
    n_suggestions: |n| format!("подсказок: {n}"),
    recent: "недавний",
    understood: "Фильтр понятен",
    last_stays: "Пока действует последний понятный фильтр.",
    help: "Как фильтровать",
    help_lead: "Условия стоят рядом и должны выполняться все. Выберите пример, чтобы попробовать.",
    help_lines: lines([
        "ключ и значение или слово, которое ищется везде",
        "числа и время с единицами",
        "не, или и скобки",
        "сети, списки и промежутки",
        "часть текста или регулярное выражение",
    ]),
    help_keys: "Значения с пробелами берутся в двойные кавычки. Ключи Wireshark, такие как ip.addr и tcp.port, тоже годятся.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_understood() {
        for filter in EXAMPLES.into_iter().flatten() {
            assert!(engine::Filter::parse(filter).is_ok(), "{filter}");
        }
    }
}
