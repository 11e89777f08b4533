//! The engine's English sentences in Russian, as far as their pattern is known. The others stay as they are.

use super::Lang;

/// Takes a sentence apart by a pattern in which `{}` stands for any text.
fn parts<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut literals = pattern.split("{}");
    let mut rest = text.strip_prefix(literals.next()?)?;
    let mut found = Vec::new();
    let mut literals = literals.peekable();
    while let Some(literal) = literals.next() {
        let at = if literals.peek().is_some() {
            rest.find(literal)?
        } else {
            // The last one ends the sentence.
            rest.ends_with(literal).then(|| rest.len() - literal.len())?
        };
        found.push(rest.get(..at)?);
        rest = rest.get(at + literal.len()..)?;
    }
    rest.is_empty().then_some(found)
}

/// Puts texts in place of `{}`.
fn fill(pattern: &str, parts: &[&str]) -> String {
    let mut parts = parts.iter();
    let mut out = String::new();
    for (at, literal) in pattern.split("{}").enumerate() {
        if at > 0 {
            out += parts.next().copied().unwrap_or_default();
        }
        out += literal;
    }
    out
}

fn translate(pairs: &[(&str, &str)], text: &str, lang: Lang) -> String {
    if lang == Lang::En {
        return text.to_owned();
    }
    let found = pairs.iter().find_map(|(en, ru)| Some(fill(ru, &parts(en, text)?)));
    found.unwrap_or_else(|| text.to_owned())
}

const REASONS: &[(&str, &str)] = &[
    ("the name {} belongs to {}", "имя {} принадлежит {}"),
    ("the user agent {} belongs to {}", "программа {} принадлежит {}"),
    ("the server's address is in {}, which belongs to {}", "адрес сервера входит в {}, сеть {}"),
    (
        "a DNS answer gave the server's address for {} to this client",
        "этот клиент получил адрес сервера в ответе DNS на имя {}",
    ),
    ("{} % of the model's trees say {}", "{} % деревьев модели называют {}"),
    ("the IP header says {}", "заголовок IP называет {}"),
    ("neither payload nor names tell", "ни содержимое, ни имена не указывают"),
    ("a request to a BitTorrent tracker", "запрос к трекеру BitTorrent"),
    ("an HTTP request line", "строка запроса HTTP"),
    ("TLS records", "записи TLS"),
    ("the SSH identification {}", "приветствие SSH {}"),
    ("a SOCKS 5 request for {}", "запрос SOCKS 5 к {}"),
    ("a SOCKS 4 request for {}, port {}", "запрос SOCKS 4 к {}, порт {}"),
];

/// Why a flow has its label.
pub fn reason(text: &str, lang: Lang) -> String {
    let parts = text.split("; ").map(|it| translate(REASONS, it, lang));
    parts.collect::<Vec<_>>().join("; ")
}

const EVIDENCE: &[(&str, &str)] = &[
    ("the FTP dialogue in flow {} announced port {}", "диалог FTP в потоке {} объявил порт {}"),
    ("the call in flow {} announced port {}", "вызов в потоке {} объявил порт {}"),
    (
        "the DNS answer for {} in flow {} gave {} {} ms before",
        "ответ DNS на имя {} в потоке {} дал {} за {} мс до этого",
    ),
    ("the same client asked for {} in flow {}", "тот же клиент просил {} в потоке {}"),
    ("{} and {} of flow {} belong to {}", "{} и {} из потока {} принадлежат {}"),
    ("{} uses port {} for {} peers", "{} общается через порт {} с {} собеседниками"),
];

/// Why two flows belong together.
pub fn evidence(text: &str, lang: Lang) -> String {
    translate(EVIDENCE, text, lang)
}

/// What went wrong in the reading, by its code; the engine's own words where the code is not known.
pub fn notice(code: &str, message: &str, lang: Lang) -> String {
    let known = match (lang, code) {
        (Lang::En, _) => None,
        (_, "E-EMPTY") => Some("Файл пуст."),
        (_, "E-NOT-A-CAPTURE") => Some("Это не снимок сети: TrActor открывает pcap и pcapng."),
        (_, "E-BAD-LENGTH") => {
            Some("Запись называет невозможную длину: файл повреждён. Всё до этого места учтено.")
        }
        (_, "E-BAD-BLOCK") => Some("Блок pcapng повреждён. Всё до этого места учтено."),
        (_, "E-CUT-SHORT") => Some("Файл обрывается внутри записи. Все предыдущие пакеты учтены."),
        _ => None,
    };
    let mut text = known.unwrap_or(message).to_owned();
    // The engine's sentences begin small, as those of a log do.
    if let Some(first) = text.chars().next().filter(|it| it.is_ascii_lowercase()) {
        text.replace_range(..1, &first.to_uppercase().to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_sentence_is_translated_whole() {
        assert_eq!(
            reason("TLS records; the name a.vk.com belongs to vk", Lang::Ru),
            "записи TLS; имя a.vk.com принадлежит vk"
        );
        assert_eq!(
            evidence("the DNS answer for a.b in flow 3 gave 10.0.0.1 20 ms before", Lang::Ru),
            "ответ DNS на имя a.b в потоке 3 дал 10.0.0.1 за 20 мс до этого"
        );
    }

    #[test]
    fn an_unknown_sentence_stays() {
        assert_eq!(reason("a thing of tomorrow", Lang::Ru), "a thing of tomorrow");
        assert_eq!(evidence("the call in flow 1", Lang::Ru), "the call in flow 1");
        assert_eq!(notice("E-NEW", "the end", Lang::Ru), "The end");
    }
}
