//! What is worth a look in a capture: a stable code, the figures it rests on, and what they say in English and Russian.
//!
//! The engine finds these things (`engine/src/notable.rs` has the bounds); here is the one table of their sentences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Parameter, Severity,
    notice::{form, severity_of},
};

/// Something worth a look, with the evidence it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notable {
    /// A stable code: `W-PORT-SCAN`. Its first letter is its [`Severity`].
    pub code: String,
    /// What stands in the sentences.
    pub parameters: Vec<Parameter>,
    /// Who did it, where that is one host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// To whom, where that is one host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The filter that finds its flows and no others.
    pub filter: String,
    /// How many flows that are.
    pub flows: u64,
}

/// The notable things of a capture. Answers `Query::Notable`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notables {
    /// Warnings first; of each code at most 20, those with most flows.
    pub rows: Vec<Notable>,
    /// How many more there are.
    pub more: u64,
}

/// A notable thing in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NotableWords {
    /// What it is, in a word or two.
    pub title: String,
    /// What was seen.
    pub evidence: String,
    /// What it may mean, and what else looks like it.
    pub meaning: String,
}

/// How figures are written.
#[derive(Clone, Copy, Debug)]
pub struct Writing {
    /// A number.
    pub count: fn(u64) -> String,
    /// A number of bytes.
    pub bytes: fn(u64) -> String,
    /// A time in nanoseconds.
    pub nanos: fn(u64) -> String,
}

impl Notable {
    /// How much it matters: a warning or an information.
    pub fn severity(&self) -> Severity {
        severity_of(&self.code)
    }

    /// In English.
    pub fn english(&self, writing: Writing) -> NotableWords {
        self.say(|it| it.en, writing)
    }

    /// In Russian.
    pub fn russian(&self, writing: Writing) -> NotableWords {
        self.say(|it| it.ru, writing)
    }

    fn say(&self, words: fn(&Row) -> [&'static str; 3], writing: Writing) -> NotableWords {
        // What another version of the program wrote may be unknown here.
        let Some(row) = TABLE.iter().find(|it| it.code == self.code) else {
            return NotableWords { title: self.code.clone(), ..NotableWords::default() };
        };
        let [title, evidence, meaning] = words(row).map(|it| fill(it, &self.parameters, writing));
        NotableWords { title, evidence, meaning }
    }
}

/// Puts parameters into a sentence: `{0}` as it is, `{1 port|ports}` with its word, `{2 B}` as bytes, `{3 ns}` as a time.
fn fill(sentence: &str, parameters: &[Parameter], writing: Writing) -> String {
    let mut pieces = sentence.split('{');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (inner, after) = piece.split_once('}').unwrap_or((piece, ""));
        let (index, forms) = inner.split_once(' ').unwrap_or((inner, ""));
        match (index.parse::<usize>().ok().and_then(|it| parameters.get(it)), forms) {
            (Some(Parameter::Number(number)), "B") => out += &(writing.bytes)(*number),
            (Some(Parameter::Number(number)), "ns") => out += &(writing.nanos)(*number),
            (Some(Parameter::Number(number)), "") => out += &(writing.count)(*number),
            (Some(Parameter::Number(number)), _) => {
                out += &(writing.count)(*number);
                out.push('\u{a0}');
                out += form(*number, forms);
            }
            (Some(Parameter::Text(text)), _) => out += text,
            // Nothing is told that is not known.
            (None, _) => out.push('?'),
        }
        out += after;
    }
    out
}

/// The words of a code: its title, what was seen, what it may mean.
struct Row {
    code: &'static str,
    en: [&'static str; 3],
    ru: [&'static str; 3],
}

const TABLE: &[Row] = &[
    // Client, server, transport, ports, attempts in vain, attempts.
    Row {
        code: "W-PORT-SCAN",
        en: [
            "Port scan",
            "{0} tried {3 port|ports} of {1} over {2}: {4} of {5 attempt|attempts} were refused or not answered.",
            "Scanners do so, and programs that check what is up.",
        ],
        ru: [
            "Сканирование портов",
            "{0} проверяет у {1} {3 порт|порта|портов} по {2}: из {5 попытки|попыток|попыток} {4} отклонены или без ответа.",
            "Так ведут себя сканеры и программы проверки доступности.",
        ],
    },
    // Client, transport, port, hosts, attempts in vain, attempts.
    Row {
        code: "W-HOST-SWEEP",
        en: [
            "Host sweep",
            "{0} tried {1} port {2} of {3 host|hosts}: {4} of {5 attempt|attempts} were refused or not answered.",
            "Scanners and worms do so; a peer-to-peer program that calls old peers looks alike.",
        ],
        ru: [
            "Перебор узлов",
            "{0} проверяет порт {2} ({1}) у {3 узла|узлов|узлов}: из {5 попытки|попыток|попыток} {4} отклонены или без ответа.",
            "Так ведут себя сканеры и черви; похожа и пиринговая программа, которая обходит старых соседей.",
        ],
    },
    // Client, server, transport, port, contacts, interval, deviation in percent.
    Row {
        code: "I-BEACON",
        en: [
            "Regular contacts",
            "{0} called {1} ({2} port {3}) {4 time|times}, every {5 ns}; half of the intervals are within {6} % of that.",
            "Programs that ask for news do so, and malware that waits for orders.",
        ],
        ru: [
            "Регулярные обращения",
            "{0} обращается к {1} (порт {3}, {2}) {4 раз|раза|раз}, каждые {5 ns}; половина промежутков отличается не больше чем на {6} %.",
            "Так ведут себя программы, которые проверяют обновления, и вредоносные, которые ждут команд.",
        ],
    },
    // Client, server, sent, got.
    Row {
        code: "I-UPLOAD",
        en: [
            "Large upload",
            "{0} sent {2 B} to the public address {1} and got {3 B} back.",
            "A backup, a call or a shared file look so; so does data that should have stayed.",
        ],
        ru: [
            "Большая отправка",
            "{0} отправляет {2 B} на внешний адрес {1} и получает обратно {3 B}.",
            "Так выглядят резервная копия, звонок, общий файл и утечка данных.",
        ],
    },
    // How it was sent, flows, clients, servers.
    Row {
        code: "W-PASSWORD",
        en: [
            "Password in clear",
            "{0}: a secret went in clear in {1 flow|flows}, from {2 client|clients} to {3 server|servers}.",
            "Whoever sees the traffic can read it. TrActor keeps that it was sent, not what it is.",
        ],
        ru: [
            "Пароль открытым текстом",
            "{0}: секрет передан открыто в {1 потоке|потоках|потоках}, от {2 клиента|клиентов|клиентов} к {3 серверу|серверам|серверам}.",
            "Его прочтёт всякий, кто видит трафик. TrActor хранит сам факт, но не секрет.",
        ],
    },
    // How it was sent, flows, clients, servers.
    Row {
        code: "I-COMMUNITY",
        en: [
            "Community in clear",
            "A community, the word that lets ask, went in clear in {1 flow|flows}, from {2 client|clients} to {3 server|servers}.",
            "SNMP before version 3 has no other way; whoever sees the word can ask too.",
        ],
        ru: [
            "Слово доступа открытым текстом",
            "Слово доступа (community) передано открыто в {1 потоке|потоках|потоках}, от {2 клиента|клиентов|клиентов} к {3 серверу|серверам|серверам}.",
            "SNMP до версии 3 иначе не умеет; кто видит это слово, может спрашивать сам.",
        ],
    },
    // The version, the document that retired it, flows, clients, servers.
    Row {
        code: "W-OLD-VERSION",
        en: [
            "Obsolete version",
            "{0} is spoken in {2 flow|flows}, by {3 client|clients} with {4 server|servers}.",
            "It should be used no more: {1}.",
        ],
        ru: [
            "Устаревшая версия",
            "{0} в {2 потоке|потоках|потоках}, от {3 клиента|клиентов|клиентов} к {4 серверу|серверам|серверам}.",
            "Её больше не следует использовать: {1}.",
        ],
    },
    // The cipher, the document that retired it, flows, clients, servers.
    Row {
        code: "W-WEAK-CIPHER",
        en: [
            "Weak cipher",
            "A cipher suite with {0} was chosen in {2 flow|flows}, by {4 server|servers} for {3 client|clients}.",
            "It should be used no more: {1}.",
        ],
        ru: [
            "Слабый шифр",
            "Набор шифров с {0} выбран в {2 потоке|потоках|потоках}, {4 сервером|серверами|серверами} для {3 клиента|клиентов|клиентов}.",
            "Его больше не следует использовать: {1}.",
        ],
    },
    // Client, failures, flows with questions.
    Row {
        code: "I-NO-SUCH-NAME",
        en: [
            "Names there are not",
            "{0} asked for names that do not exist (NXDOMAIN) in {1} of {2 flow|flows} to DNS.",
            "A search domain or a wrong setting does so; so does malware that tries generated names.",
        ],
        ru: [
            "Несуществующие имена",
            "{0} спрашивает имена, которых нет (NXDOMAIN): {1} из {2 потока|потоков|потоков} к DNS.",
            "Так бывает от домена поиска или неверной настройки и от вредоносных программ, перебирающих имена.",
        ],
    },
    // Client, domain, names, mean length of what stands before the domain.
    Row {
        code: "W-LONG-NAMES",
        en: [
            "Data in DNS names?",
            "{0} asked for {2 different name|different names} below {1}; before it stand {3 character|characters} on average.",
            "A tunnel through DNS looks so; so do some block lists and virus scanners.",
        ],
        ru: [
            "Данные в именах DNS?",
            "{0} спрашивает {2 разное имя|разных имени|разных имён} в домене {1}; перед ним в среднем {3 знак|знака|знаков}.",
            "Так выглядит туннель через DNS, а также некоторые чёрные списки и антивирусы.",
        ],
    },
    // What it looks like, in which protocol, flows, clients, servers.
    Row {
        code: "W-TUNNEL",
        en: [
            "Tunnel?",
            "{2 flow|flows} from {3 client|clients} to {4 server|servers}: lengths as of a tunnel through {1}.",
            "A guess by lengths alone: see the flows.",
        ],
        ru: [
            "Туннель?",
            "{2 поток|потока|потоков} от {3 клиента|клиентов|клиентов} к {4 серверу|серверам|серверам}: длины как у туннеля через {1}.",
            "Это догадка по одним длинам: смотрите потоки.",
        ],
    },
    // Flows of one direction, TCP flows with data.
    Row {
        code: "I-ONE-SIDED",
        en: [
            "One direction only",
            "Of {1 TCP flow that carries|TCP flows that carry} data, {0} show only one of the two sides.",
            "The capture does not see the other way: routes differ, or a mirror port gives one direction. What needs both sides cannot be told.",
        ],
        ru: [
            "Только одно направление",
            "Из {1 потока|потоков|потоков} TCP с данными у {0} видна лишь одна из двух сторон.",
            "Обратный путь в снимок не попал: маршруты различны или зеркальный порт отдаёт одно направление. Чего не узнать по одной стороне, того нет.",
        ],
    },
    // Segments sent again, packets of established TCP flows, flows with such.
    Row {
        code: "I-RESENT",
        en: [
            "Sent again",
            "{0 TCP segment was|TCP segments were} sent again, of {1 packet|packets}: in {2 flow|flows}.",
            "The network loses packets, or the capture holds some twice.",
        ],
        ru: [
            "Повторные передачи",
            "{0 сегмент|сегмента|сегментов} TCP переданы повторно, из {1 пакета|пакетов|пакетов}: в {2 потоке|потоках|потоках}.",
            "Сеть теряет пакеты, или часть их попала в снимок дважды.",
        ],
    },
    // Bytes not captured, bytes of established TCP flows, flows with such.
    Row {
        code: "I-NOT-CAPTURED",
        en: [
            "Not captured",
            "{0 B} that TCP acknowledged are not in the capture, beside {1 B} that are: in {2 flow|flows}.",
            "The capturing program or the mirror port was too slow. What those bytes said is not known.",
        ],
        ru: [
            "Не попало в снимок",
            "{0 B} подтверждены TCP, но в снимке их нет, рядом с {1 B}, которые есть: в {2 потоке|потоках|потоках}.",
            "Программа захвата или зеркальный порт не успевали. Что было в этих байтах, неизвестно.",
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    const WRITING: Writing = Writing {
        count: |it| it.to_string(),
        bytes: |it| format!("{it} B"),
        nanos: |it| format!("{} s", it / 1_000_000_000),
    };

    #[test]
    fn a_sentence_holds_its_figures() {
        let notable = Notable {
            code: "I-BEACON".into(),
            parameters: vec![
                "10.0.0.1".into(),
                "192.0.2.7".into(),
                "tcp".into(),
                "443".into(),
                21.into(),
                60_000_000_000.into(),
                3.into(),
            ],
            ..Notable::default()
        };
        let english = notable.english(WRITING).evidence.replace('\u{a0}', " ");
        assert_eq!(
            english,
            "10.0.0.1 called 192.0.2.7 (tcp port 443) 21 times, every 60 s; half of the intervals are within 3 % of that."
        );
        let russian = notable.russian(WRITING).evidence.replace('\u{a0}', " ");
        assert!(russian.contains("21 раз, каждые 60 s"), "{russian}");
        assert_eq!(notable.severity(), Severity::Information);
    }

    #[test]
    fn both_languages_say_the_same_figures() {
        let named = |sentences: [&'static str; 3]| {
            let inner = sentences.iter().flat_map(|it| it.split('{').skip(1));
            let mut named: Vec<&str> = inner.filter_map(|it| it.split(['}', ' ']).next()).collect();
            named.sort_unstable();
            named.dedup();
            named
        };
        for it in TABLE {
            assert_eq!(named(it.en), named(it.ru), "{}", it.code);
            assert!(it.en.iter().chain(&it.ru).all(|it| !it.is_empty()), "{}", it.code);
            for forms in it.ru.iter().flat_map(|it| it.split('{').skip(1)) {
                let inner = forms.split('}').next().unwrap_or_default();
                assert!([0, 2].contains(&inner.matches('|').count()), "{inner}");
            }
        }
    }

    #[test]
    fn an_unknown_code_is_shown_as_it_is() {
        let notable = Notable { code: "W-NEW".into(), ..Notable::default() };
        assert_eq!(notable.english(WRITING).title, "W-NEW");
    }
}
