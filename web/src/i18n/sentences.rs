//! The engine's English sentences in Russian, as far as their pattern is known. The others stay as they are.

use v1::{Notice, Parameter, Said, page::WRONGS};

use super::{Lang, seen::SEEN, tables::TABLES};
use crate::{format, groups};

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
    let found = if lang == Lang::En { None } else { translated(pairs, text) };
    found.unwrap_or_else(|| text.to_owned())
}

fn translated(pairs: &[(&str, &str)], text: &str) -> Option<String> {
    pairs.iter().find_map(|(en, ru)| Some(fill(ru, &parts(en, text)?)))
}

const REASONS: &[(&str, &str)] = &[
    ("the name {} belongs to {}", "имя {} принадлежит {}"),
    ("the user agent {} belongs to {}", "программа {} принадлежит {}"),
    ("the server's address is in {}, which belongs to {}", "адрес сервера входит в {}, сеть {}"),
    (
        "a DNS answer gave the server's address for {} to this client",
        "этот клиент получил адрес сервера в ответе DNS на имя {}",
    ),
    (
        "the QUIC connection of flow {} goes on here",
        "здесь продолжается соединение QUIC из потока {}",
    ),
    ("{} is at the same port in flow {}", "{} на том же порту в потоке {}"),
    (
        "flow {} between the same hosts, to the same port, is {}",
        "поток {} между теми же узлами и к тому же порту: {}",
    ),
    ("model {} is not sure: {} %", "модель «{}» не уверена: {} %"),
    ("model {} knows nothing like it", "модель «{}» не знает ничего похожего"),
    ("model {}, {} %", "модель «{}», {} %"),
    ("the IP header says {}", "заголовок IP называет {}"),
    (
        "its packets carry packets of other flows, as {} does",
        "его пакеты несут пакеты других потоков, как бывает у {}",
    ),
    ("the name {} ends in {}", "имя {} кончается на {}"),
    ("a further name ends in {}", "ещё одно имя кончается на {}"),
    ("{} is in the user agent", "в названии программы есть {}"),
    ("the server's address is in {}", "адрес сервера входит в {}"),
    ("the bytes at {} of the client match", "байты клиента с {} совпали"),
    ("the bytes at {} of the server match", "байты сервера с {} совпали"),
    ("the bytes at {} of a side match", "байты одной из сторон с {} совпали"),
    ("the transport is {} (a guess)", "транспорт {} (догадка)"),
    ("the transport is {}", "транспорт {}"),
    ("the server's port is {} (a guess)", "порт сервера {} (догадка)"),
    ("the server's port is {}", "порт сервера {}"),
    ("neither payload nor names tell", "ни содержимое, ни имена не указывают"),
];

/// After an article; the first part is a protocol's name.
const OF_PROTOCOL: &[(&str, &str)] = &[
    ("{} server's answer", "ответ сервера {}"),
    ("{} greeting for {}", "приветствие {} для {}"),
    ("{} message for the root", "сообщение {} для корня"),
    ("{} message for {}", "сообщение {} для {}"),
    ("{} greeting", "приветствие {}"),
    ("{} message", "сообщение {}"),
    ("{} request", "запрос {}"),
    ("{} answer", "ответ {}"),
    ("{} handshake", "рукопожатие {}"),
    ("{} command", "команда {}"),
    ("{} connection", "соединение {}"),
    ("{} record", "запись {}"),
    ("{} report", "отчёт {}"),
    ("{} call", "вызов {}"),
    ("{} login", "вход {}"),
    ("{} query", "запрос {}"),
];

/// What a model says, with its name set apart: it may be called by any word.
const OF_MODEL: &[(&str, &str)] = &[
    ("model {} is not sure: {} %", "the model “{}” is not sure: {} %"),
    ("model {} knows nothing like it", "the model “{}” knows nothing like it"),
    ("model {}, {} %", "the model “{}”, {} %"),
];

/// Why a flow has its label.
pub fn reason(text: &str, lang: Lang) -> String {
    let one = |text: &str| {
        if let (Lang::Ru, Some([label, held])) =
            (lang, parts("your rule for {} says so: {}", text).as_deref())
        {
            return format!(
                "так велит ваше правило для {label}: {}",
                translate(REASONS, held, lang)
            );
        }
        if lang == Lang::En {
            return translated(OF_MODEL, text).unwrap_or_else(|| text.to_owned());
        }
        let whole = [REASONS, SEEN].iter().find_map(|it| translated(it, text));
        whole.or_else(|| seen(text)).unwrap_or_else(|| text.to_owned())
    };
    text.split("; ").map(one).collect::<Vec<_>>().join("; ")
}

fn seen(text: &str) -> Option<String> {
    let rest = text.strip_prefix("a ").or_else(|| text.strip_prefix("an "))?;
    OF_PROTOCOL.iter().find_map(|(en, ru)| {
        let parts = parts(en, rest)?;
        let name = parts.first()?;
        let is_name = name.contains(|it: char| it.is_uppercase() || it.is_ascii_digit());
        let is_short = name.split(' ').count() <= 2;
        (is_name && is_short).then(|| fill(ru, &parts))
    })
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
    ("you put it together with flow {}", "вы объединили его с потоком {}"),
    ("the TFTP request of flow {} is answered here", "здесь ответ на запрос TFTP из потока {}"),
    (
        "the {} dialogue in flow {} set this tunnel up",
        "этот туннель установлен диалогом {} в потоке {}",
    ),
    ("an ICMP error about flow {}", "ошибка ICMP о потоке {}"),
    ("the same host used {} in flow {}", "тот же узел пользовался {} в потоке {}"),
    (
        "the same hosts and port {} as in flow {}, over another transport",
        "те же узлы и порт {}, что в потоке {}, но другой транспорт",
    ),
    ("{} sends from port {}, as in flow {}", "{} шлёт с порта {}, как и в потоке {}"),
    ("the TLS session of flow {} is taken up again", "возобновлён сеанс TLS из потока {}"),
    (
        "the QUIC connection of flow {} goes on from another socket",
        "соединение QUIC из потока {} продолжается с другого сокета",
    ),
    ("{} uses port {} for {} peers", "{} общается через порт {} с {} собеседниками"),
];

/// The signs that a weak link may have, by the words of the engine.
const SIGNS: &[(&str, &str)] = &[
    ("the same two hosts", "те же два узла"),
    ("the same port of the same host", "тот же порт того же узла"),
    ("the same uncommon port of servers", "тот же необычный порт серверов"),
    ("servers in one network", "серверы в одной сети"),
    ("the same program by its greeting", "та же программа по приветствию"),
    ("the same label", "та же метка"),
    ("the same application", "то же приложение"),
    ("begun at once after a silence", "начаты разом после тишины"),
    ("at the same time", "в одно время"),
    ("neighbouring client ports", "соседние порты клиента"),
];

/// Texts of facts that are ours and not the wire's.
const FACTS: &[(&str, &str)] = &[
    ("encrypted from the first byte", "шифр с первого байта"),
    ("a tunnel in ICMP echoes", "туннель в эхо ICMP"),
    ("a tunnel in DNS names", "туннель в именах DNS"),
    ("the user agent says {}", "агент говорит о {}"),
    ("the name says {}", "имя говорит о {}"),
    ("port {} is usually {}", "на порту {} обычно {}"),
    ("{} password", "пароль {}"),
];

/// What a fact says.
pub fn fact_text(key: &str, text: &str, lang: Lang) -> String {
    let is_ours = ["contradiction", "credentials", "shape"].contains(&key);
    if is_ours { translate(FACTS, text, lang) } else { text.to_owned() }
}

/// Why two flows belong together.
pub fn evidence(text: &str, lang: Lang) -> String {
    if lang == Lang::Ru
        && let Some([flow, signs]) = parts("much in common with flow {}: {}", text).as_deref()
    {
        let signs: Vec<String> = signs.split(", ").map(|it| translate(SIGNS, it, lang)).collect();
        return format!("много общего с потоком {flow}: {}", signs.join(", "));
    }
    translate(EVIDENCE, text, lang)
}

/// Why something cannot be learned, or a model not used.
const LEARNING_ERRORS: &[(&str, &str)] = &[
    (
        "the data has {} classes in {} rows; at least two classes are needed",
        "классов в данных: {}, строк: {}; нужны хотя бы два класса",
    ),
    (
        "the data has {} classes; a model tells at most {} apart",
        "классов в данных: {}; модель различает не больше {}",
    ),
    (
        "the data has {} columns, more than a model looks at",
        "столбцов в данных: {}, на столько модель не смотрит",
    ),
    (
        "nothing is left to judge by where rows are divided by {}",
        "при делении {} для проверки ничего не остаётся",
    ),
    ("the model cannot be fitted: {}", "модель не обучить: {}"),
    (
        "this is no model of TrActor: it does not begin as one",
        "это не модель TrActor: начало файла другое",
    ),
    (
        "the model is of version {}; this program reads version {}",
        "модель версии {}, а программа читает версию {}",
    ),
    ("the model cannot be used: {}", "модель нельзя использовать: {}"),
    (
        "the model was trained on other columns than `{}` has in this program",
        "модель обучена по другим столбцам, чем у `{}` в этой программе",
    ),
    (
        "captures give the features of {}, and the tables have other columns",
        "снимки дают признаки {}, а у таблиц другие столбцы",
    ),
    ("there is no row to judge by", "нет строк, по которым проверять"),
    (
        "the model {} wants flows cut by another timeout",
        "модели {} нужны потоки, разрезанные иначе",
    ),
    (
        "the model {} looks at columns that are not features of this program: it can judge tables alone",
        "модель {} смотрит на столбцы, которых эта программа не вычисляет: она годится только для таблиц",
    ),
    ("{} has no column `{}`", "{}: нет столбца `{}`"),
    ("reading was stopped", "чтение остановлено"),
    ("something is being learned", "обучение уже идёт"),
    ("there is no model", "модели нет"),
    ("there is no schema `{}`", "набора признаков `{}` нет"),
    (
        "`{}` is no number of seconds, and a model knows no other timeout",
        "`{}` не число секунд, а резать для модели иначе нельзя",
    ),
    ("the table has {} bytes; at most {} are read", "в таблице {} байт, читается не больше {}"),
    ("the capture is still being read", "снимок ещё читается"),
];

/// Why something cannot be learned, or a model not used.
pub fn learning_error(text: &str, lang: Lang) -> String {
    let said = translate(LEARNING_ERRORS, text, lang);
    // The filter of what is learned has errors of its own.
    if said != text || lang == Lang::En {
        return said;
    }
    let filter = WRONGS.iter().find_map(|(_, en, ru)| translated(&[(en, ru)], text));
    filter.unwrap_or(said)
}

/// What is to be known of a data set.
pub fn table_notice(text: &str, lang: Lang) -> String {
    translate(TABLES, text, lang)
}

/// What is wrong with a file of rules; of a rule, after its number and label.
const RULES_ERRORS: &[(&str, &str)] = &[
    (
        "the file is longer than {} bytes; rules may take no more",
        "файл длиннее {} байт, больше правилам нельзя",
    ),
    ("line {}, column {} cannot be read as {}: {}", "строка {}, столбец {}: это не {} ({})"),
    (
        "the file has the unknown key `{}` outside its rules; only `rule` and `guesses` may stand there",
        "вне правил стоит неизвестный ключ `{}`; там могут быть только `rule` и `guesses`",
    ),
    (
        "`rule` is no list; each rule begins with a line `[[rule]]`",
        "`rule` не список; каждое правило начинается строкой `[[rule]]`",
    ),
    ("`guesses` is neither true nor false", "`guesses` — не true и не false"),
    (
        "the file has no rule; each begins with a line `[[rule]]`",
        "в файле нет правил; каждое начинается строкой `[[rule]]`",
    ),
    ("the file has {} rules; at most {} are taken", "правил в файле {}, принимается не больше {}"),
    (
        "the lists of all rules have {} entries; at most {} are taken",
        "в списках всех правил {} строк, принимается не больше {}",
    ),
    ("has the unknown key `{}`; known are {}", "неизвестный ключ `{}`; есть такие: {}"),
    ("`{}` is not a text in quotes", "`{}` не текст в кавычках"),
    ("`{}` is not a list of texts in quotes", "`{}` не список текстов в кавычках"),
    ("`{}` is not a list of numbers and ranges", "`{}` не список чисел и промежутков"),
    ("`{}` is not a number from 0 on", "`{}` не число от 0"),
    ("`{}` is not a list of tables such as {}", "`{}` не список таблиц вида {}"),
    ("the list `{}` is empty", "список `{}` пуст"),
    ("has no `label`", "нет ключа `label`"),
    (
        "`label` must be 1 to {} lower case letters, digits, spaces, dots, hyphens or underscores",
        "`label` состоит из 1–{} строчных букв, цифр, пробелов, точек, дефисов и подчёркиваний",
    ),
    (
        "`label` must not be `{}`, which flows without a label are called",
        "`label` не может быть `{}`: так зовутся потоки без метки",
    ),
    ("there is no `group` called `{}`; there are {}", "нет группы `{}`; есть такие: {}"),
    ("its label is in the `group` `{}` already", "его метка уже входит в группу `{}`"),
    ("has no condition; at least one of {} is needed", "нет условий; нужно хотя бы одно"),
    (
        "`{}` in `names` is no domain name such as {}, written as it is sent",
        "`{}` в `names` не доменное имя вида {}, как его передают в сети",
    ),
    ("a text in `agents` is empty", "в `agents` есть пустой текст"),
    (
        "`{}` in `networks` is no network such as {} or {}",
        "`{}` в `networks` не сеть вида {} или {}",
    ),
    (
        "`transport` is `{}`; it must be tcp or udp",
        "`transport` равен `{}`, а должен быть tcp или udp",
    ),
    (
        "`{}` in `ports` is no number from 1 to 65535 and no range such as {}",
        "`{}` в `ports` не число от 1 до 65535 и не промежуток вида {}",
    ),
    (
        "`side` in `bytes` is `{}`; it must be client, server or either",
        "`side` в `bytes` равен `{}`, а должен быть client, server или either",
    ),
    (
        "`{}` in `bytes` is no list of bytes such as {}: two hexadecimal digits each, ? for any, not ? alone",
        "`{}` в `bytes` не список байтов вида {}: по две шестнадцатеричные цифры, ? вместо любой, но не одни ?",
    ),
    (
        "`hex` in `bytes` has {} bytes; at most {} are compared at one place",
        "в `hex` внутри `bytes` {} байт, в одном месте сравнивается не больше {}",
    ),
    (
        "`at` in `bytes` is {}; only the first {} bytes of a side are compared",
        "`at` в `bytes` равен {}, сравниваются только первые {} байт стороны",
    ),
];

/// Why a file of rules cannot be used.
pub fn rules_error(text: &str, lang: Lang) -> String {
    let Some(after) = text.strip_prefix("rule ").filter(|_| lang == Lang::Ru) else {
        return translate(RULES_ERRORS, text, lang);
    };
    // Which rule it is: a number, and a label in backquotes.
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = after.split_at(digits);
    let label = rest.strip_prefix(" (`").and_then(|it| it.split_once("`)"));
    let (label, rest) =
        label.map_or((String::new(), rest), |(label, rest)| (format!(" (`{label}`)"), rest));
    let rest = rest.trim_start_matches([':', ' ']);
    format!("правило {number}{label}: {}", translate(RULES_ERRORS, rest, lang))
}

/// A piece of a sentence, with the number of the flow it names.
pub type Piece = (String, Option<u32>);

/// A sentence apart, so that each flow it names can be a link.
pub fn mentions(text: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text;
    while let Some((at, len, number)) = next_mention(rest) {
        pieces.push((rest.get(..at).unwrap_or_default().to_owned(), None));
        pieces.push((rest.get(at..at + len).unwrap_or_default().to_owned(), Some(number)));
        rest = rest.get(at + len..).unwrap_or_default();
    }
    pieces.push((rest.to_owned(), None));
    pieces.retain(|it| !it.0.is_empty());
    pieces
}

/// Where the text next says a flow's number, how long that is, and the number.
fn next_mention(text: &str) -> Option<(usize, usize, u32)> {
    let words = ["flow ", "потоке ", "потока ", "потоком "];
    let found = words.iter().flat_map(|word| {
        text.match_indices(word).filter_map(|(at, word)| {
            let digits = text.get(at + word.len()..)?;
            let n = digits.bytes().take_while(u8::is_ascii_digit).count();
            let number = digits.get(..n)?.parse().ok()?;
            Some((at, word.len() + n, number))
        })
    });
    found.min_by_key(|it| it.0)
}

/// The notices in which names of links and headers stand.
const WITH_NAMES: &[&str] = &["W-LINK", "W-ENCRYPTED", "W-MALFORMED", "W-CHECKSUM"];

/// What is told of the reading of a capture.
pub fn notice(notice: &Notice, lang: Lang) -> Said {
    let mut notice = notice.clone();
    if WITH_NAMES.contains(&notice.code.as_str()) {
        for it in &mut notice.parameters {
            if let Parameter::Text(names) = it {
                *names = written(names);
            }
        }
    }
    let count = |it| format::count(it, lang);
    match lang {
        Lang::En => notice.english(count),
        Lang::Ru => notice.russian(count),
    }
}

/// Why frames are in no flow; what is not here is a name.
const SET_ASIDE: &[(&str, &str)] = &[
    ("cut inside a header", "обрезан внутри заголовка"),
    ("ends inside a header", "кончается внутри заголовка"),
    ("nested too deeply", "слишком много вложенных заголовков"),
    ("empty frame", "пустой кадр"),
    ("other address family", "другое семейство адресов"),
    ("encrypted {}", "зашифровано: {}"),
    ("malformed {}", "неверный заголовок {}"),
    ("link type {}", "канал типа {}"),
    ("ethertype {}", "EtherType {}"),
    ("{} fragment", "фрагмент {}"),
    ("{} management", "управление {}"),
    ("{} control", "служебный кадр {}"),
    ("{} null data", "пустой кадр {}"),
    ("{} discovery", "поиск {}"),
    ("{} beacon", "маяк {}"),
    ("{} without packet", "{} без пакета"),
    ("{} over ethernet", "{} поверх Ethernet"),
    ("{} with direction", "{} с направлением"),
    ("wake on lan", "пробуждение по сети"),
    ("token ring mac", "MAC кольца Token Ring"),
    ("raw ip", "IP без канала"),
    ("loopback", "петля"),
];

/// Why frames are in no flow, as the page writes it.
pub fn set_aside(reason: &str, lang: Lang) -> String {
    let found = SET_ASIDE.iter().find_map(|(en, ru)| Some((*en, *ru, parts(en, reason)?)));
    let text = match (found, lang) {
        (None, _) => written(reason),
        (Some((en, _, parts)), Lang::En) => filled(en, &parts),
        (Some((_, ru, parts)), Lang::Ru) => filled(ru, &parts),
    };
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// Puts names in place of `{}`, each written as it should be.
fn filled(pattern: &str, parts: &[&str]) -> String {
    let parts: Vec<String> = parts.iter().map(|it| written(it)).collect();
    fill(pattern, &parts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A name with its words as they are written.
fn written(name: &str) -> String {
    let word = |word: &str| groups::spelling(word).unwrap_or_else(|| word.to_owned());
    let is_edge = |it: char| !it.is_alphanumeric() && it != '-';
    let mut out = String::new();
    for piece in name.split_inclusive(is_edge) {
        let bare = piece.trim_end_matches(is_edge);
        out += &word(bare);
        out += piece.get(bare.len()..).unwrap_or_default();
    }
    out
}

/// Words in the names of formats of files.
const FILE_FORMATS: &[(&str, &str)] = &[
    ("pcap, microseconds", "pcap, микросекунды"),
    ("pcap, nanoseconds", "pcap, наносекунды"),
    ("pcap, modified format", "pcap, изменённый формат"),
];

/// A capture's format.
pub fn file_format(text: &str, lang: Lang) -> String {
    match lang {
        Lang::En => text.to_owned(),
        Lang::Ru => FILE_FORMATS.iter().fold(text.to_owned(), |it, (en, ru)| it.replace(en, ru)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentences in the sources of the protocols: those with an article in front and nothing to be filled in.
    #[test]
    fn what_is_seen_is_said_in_russian_too() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/classify/src/protocol");
        let (mut n, mut missing) = (0, Vec::new());
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("a source").path();
            let text = std::fs::read_to_string(&path).expect("a source");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|it| !it.trim_start().starts_with("//"));
            for literal in lines.flat_map(|it| it.split('"').skip(1).step_by(2)) {
                let has_article = ["a ", "an "].iter().any(|it| literal.starts_with(it));
                if has_article && !literal.contains('{') && literal.len() > 8 {
                    let is_fact = fact_text("shape", literal, Lang::Ru) != literal;
                    // Some go on with a name.
                    let mut whole = [literal.to_owned(), format!("{literal} PC")].into_iter();
                    let is_said = is_fact || whole.any(|it| reason(&it, Lang::Ru) != it);
                    missing.extend((!is_said).then(|| literal.to_owned()));
                    n += 1;
                }
            }
        }
        assert!(missing.is_empty(), "in English only: {missing:#?}");
        assert!(n > 150, "only {n} sentences");
    }

    /// The sentences in the source of the notices.
    #[test]
    fn what_is_to_be_known_of_a_data_set_is_said_in_russian_too() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/learn/src/table/notice.rs");
        let text = std::fs::read_to_string(path).expect("the source");
        let (_, code) = text.split_once("fn parts(").expect("the sentences");
        let code = code.split_once("fn list(").map_or(code, |it| it.0);
        // Places are numbered there and not here.
        let plain = |it: &str| it.replace(|it: char| it.is_ascii_digit(), "");
        let literals = code.split('"').skip(1).step_by(2);
        let sentences: Vec<&str> = literals.filter(|it| it.contains(' ')).collect();
        assert!(sentences.len() > 15, "only {} sentences", sentences.len());
        for sentence in sentences {
            let is_known = TABLES.iter().any(|it| plain(it.0) == plain(sentence));
            assert!(is_known, "in English only: {sentence}");
        }
    }

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
    fn what_a_model_says_is_translated() {
        assert_eq!(reason("model home, 93 %", Lang::Ru), "модель «home», 93 %");
        assert_eq!(reason("model model, 93 %", Lang::En), "the model “model”, 93 %");
        assert_eq!(
            reason("neither payload nor names tell; model home is not sure: 41 %", Lang::Ru),
            "ни содержимое, ни имена не указывают; модель «home» не уверена: 41 %"
        );
        assert_eq!(
            reason("neither payload nor names tell; model home knows nothing like it", Lang::Ru),
            "ни содержимое, ни имена не указывают; модель «home» не знает ничего похожего"
        );
    }

    #[test]
    fn what_a_rule_of_the_users_says_is_translated() {
        let said = "TLS records; your rule for our web says so: the name a.example ends in example; the bytes at 0 of the client match";
        assert_eq!(
            reason(said, Lang::Ru),
            "записи TLS; так велит ваше правило для our web: имя a.example кончается на example; байты клиента с 0 совпали"
        );
        assert_eq!(reason(said, Lang::En), said);
        assert_eq!(
            reason("your rule for ticker says so: the server's port is 9999 (a guess)", Lang::Ru),
            "так велит ваше правило для ticker: порт сервера 9999 (догадка)"
        );
    }

    #[test]
    fn what_is_wrong_with_rules_is_translated() {
        let bad = [
            "",
            "x = 1",
            "rule = 1",
            "[[rule]]\nlabel = ",
            "[[rule]]",
            "[[rule]]\nlabel = 'A'",
            "[[rule]]\nlabel = 'unknown'",
            "[[rule]]\nlabel = 'a'",
            "[[rule]]\nlabel = 'a'\ncolour = 1",
            "[[rule]]\nlabel = 'a'\ngroup = 'b'",
            "[[rule]]\nlabel = 'vk'\ngroup = 'web'",
            "[[rule]]\nlabel = 'a'\nnames = []",
            "[[rule]]\nlabel = 'a'\nnames = 1",
            "[[rule]]\nlabel = 'a'\nnames = ['a b']",
            "[[rule]]\nlabel = 'a'\nagents = ['']",
            "[[rule]]\nlabel = 'a'\nnetworks = ['a']",
            "[[rule]]\nlabel = 'a'\ntransport = 'a'",
            "[[rule]]\nlabel = 'a'\ntransport = 1",
            "[[rule]]\nlabel = 'a'\nports = [0]",
            "[[rule]]\nlabel = 'a'\nports = 0",
            "[[rule]]\nlabel = 'a'\nbytes = 0",
            "[[rule]]\nlabel = 'a'\nbytes = [{ hex = '0' }]",
            "[[rule]]\nlabel = 'a'\nbytes = [{ hex = '00', side = 'a' }]",
            "[[rule]]\nlabel = 'a'\nbytes = [{ hex = '00', at = -1 }]",
            "[[rule]]\nlabel = 'a'\nbytes = [{ hex = '00', at = 5000 }]",
        ];
        let long = format!("[[rule]]\nlabel = 'a'\nbytes = [{{ hex = '{}' }}]", "00".repeat(65));
        let many = "[[rule]]\nlabel = 'a'\nports = [1]\n".repeat(1_001);
        for text in bad.iter().copied().chain([&*long, &*many, &*" ".repeat(1 << 21)]) {
            let said = engine::OwnRules::read(text).expect_err("it is refused").to_string();
            let russian = rules_error(&said, Lang::Ru);
            let is_cyrillic = |it: char| ('а'..='я').contains(&it);
            // More than the word for the rule.
            let rest = russian.rsplit_once("правило 1").map_or(&*russian, |it| it.1);
            assert!(rest.contains(is_cyrillic), "{said}: {russian}");
            assert_eq!(rules_error(&said, Lang::En), said);
        }
        let said = "rule 2 (`a`): `at` in `bytes` is 5000; only the first 4096 bytes of a side are compared";
        let russian = "правило 2 (`a`): `at` в `bytes` равен 5000, сравниваются только первые 4096 байт стороны";
        assert_eq!(rules_error(said, Lang::Ru), russian);
    }

    #[test]
    fn what_was_seen_is_translated_by_its_kind() {
        assert_eq!(
            reason("a TLS greeting for a.example, offering h2", Lang::Ru),
            "приветствие TLS для a.example, предлагает h2"
        );
        assert_eq!(
            reason("QUIC short headers; the QUIC connection of flow 3 goes on here", Lang::Ru),
            "короткие заголовки QUIC; здесь продолжается соединение QUIC из потока 3"
        );
        assert_eq!(reason("a BGP message", Lang::Ru), "сообщение BGP");
        assert_eq!(reason("an AFP request", Lang::Ru), "запрос AFP");
        assert_eq!(reason("a DNS message for a.example", Lang::Ru), "сообщение DNS для a.example");
        assert_eq!(reason("a DNS message for the root", Lang::Ru), "сообщение DNS для корня");
        assert_eq!(file_format("pcap, microseconds, gzip", Lang::Ru), "pcap, микросекунды, gzip");
        assert_eq!(
            reason("a greeting of nobody we know", Lang::Ru),
            "a greeting of nobody we know"
        );
    }

    #[test]
    fn flows_named_in_a_sentence_are_found() {
        let piece = |text: &str, number| (text.to_owned(), number);
        assert_eq!(
            mentions("a of flow 38 belong"),
            [piece("a of ", None), piece("flow 38", Some(38)), piece(" belong", None),]
        );
        assert_eq!(mentions("имя в потоке 3")[1], piece("потоке 3", Some(3)));
        assert_eq!(mentions("no flow at all"), [piece("no flow at all", None)]);
    }

    #[test]
    fn what_is_in_no_flow_is_named_in_both_languages() {
        #[track_caller]
        fn check(reason: &str, en: &str, ru: &str) {
            assert_eq!(
                (set_aside(reason, Lang::En).as_str(), set_aside(reason, Lang::Ru).as_str()),
                (en, ru)
            );
        }
        check("arp", "ARP", "ARP");
        check("usb (linux, mmapped)", "USB (Linux, mmapped)", "USB (Linux, mmapped)");
        check("cut inside a header", "Cut inside a header", "Обрезан внутри заголовка");
        check("encrypted 802.11", "Encrypted 802.11", "Зашифровано: 802.11");
        check("malformed ip version", "Malformed IP version", "Неверный заголовок IP version");
        check("link type 147", "Link type 147", "Канал типа 147");
        check("ppp lcp", "PPP LCP", "PPP LCP");
        check("802.11 management", "802.11 management", "Управление 802.11");
        check("bluetooth le", "Bluetooth LE", "Bluetooth LE");
    }

    #[test]
    fn an_unknown_sentence_stays() {
        assert_eq!(reason("a thing of tomorrow", Lang::Ru), "a thing of tomorrow");
        assert_eq!(evidence("the call in flow 1", Lang::Ru), "the call in flow 1");
    }
}
