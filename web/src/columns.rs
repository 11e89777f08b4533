//! The columns of the flow table: what each is called, what stands in it, what it is ordered by, and which term of a filter
//! finds it. Which of them are on show, in which order and how wide, is a word of the address.

use v1::page::{FlowRow, FlowSort, RowHealth};

use crate::{format, i18n::Lang, terms};

/// A row of the flow table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The flow, or a piece of one.
    pub row: FlowRow,
    /// Its bytes over its own duration.
    pub spark: Vec<u8>,
    /// How its connection fared.
    pub health: Option<RowHealth>,
}

/// What stands in a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing is known.
    Nothing,
    /// A text.
    Text(String),
    /// A number of things.
    Count(u64),
    /// A number of bytes.
    Bytes(u64),
    /// A length of time, in nanoseconds.
    Span(u64),
    /// A moment, in nanoseconds since 1970 UTC.
    Moment(u64),
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// A text, cut at its end where it is too long.
    Text,
    /// A text, cut at its beginning where it is too long: its end tells more.
    Name,
    /// Something to compare letter by letter.
    Mono,
    /// A number, at the right.
    Number,
    /// A moment, by the mode of time.
    Moment,
    /// The label with its group's mark.
    Label,
    /// A model's label with its group's mark, and how sure the model is.
    Guess,
    /// Address and port of the client.
    Client,
    /// Name or address of the server, and its port.
    Server,
    /// Bytes over time.
    Spark,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// Its word in the address.
    pub key: &'static str,
    /// Its heading.
    en: &'static str,
    ru: &'static str,
    /// What it is sorted by.
    pub sort: Option<FlowSort>,
    /// How wide it is, in pixels, where the user says nothing.
    pub width: u16,
    /// How its cells look.
    pub look: Look,
    /// What stands in a cell.
    pub of: fn(&Line) -> Value,
    /// The filter's term that finds flows with this cell, where there is one.
    pub term: fn(&Line) -> Option<String>,
}

impl Column {
    /// Its heading.
    pub fn title(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Ru => self.ru,
        }
    }

    /// Whether it is looked at from the top: numbers are, names and times not.
    pub fn is_from_the_top(&self) -> bool {
        self.look == Look::Number
            && !["flow", "session", "client_port", "server_port"].contains(&self.key)
    }

    /// Whether it takes the room that others leave.
    pub fn is_elastic(&self) -> bool {
        matches!(self.look, Look::Name | Look::Client | Look::Server | Look::Label | Look::Guess)
    }
}

const fn column(
    key: &'static str,
    [en, ru]: [&'static str; 2],
    sort: Option<FlowSort>,
    (width, look): (u16, Look),
    of: fn(&Line) -> Value,
    term: fn(&Line) -> Option<String>,
) -> Column {
    Column { key, en, ru, sort, width, look, of, term }
}

/// Every column, in the order in which they are offered.
pub const COLUMNS: &[Column] = &[
    column(
        "flow",
        ["No.", "№"],
        Some(FlowSort::Number),
        (84, Look::Number),
        |it| Value::Count(it.row.flow_id.into()),
        |it| Some(format!("flow:{}", it.row.flow_id)),
    ),
    column(
        "start",
        ["Start", "Начало"],
        Some(FlowSort::Start),
        (118, Look::Moment),
        |it| Value::Moment(it.row.time_start_ns),
        |_| None,
    ),
    column(
        "end",
        ["End", "Конец"],
        Some(FlowSort::End),
        (118, Look::Moment),
        |it| Value::Moment(it.row.time_end_ns),
        |_| None,
    ),
    column(
        "duration",
        ["Duration", "Длительность"],
        Some(FlowSort::Duration),
        (112, Look::Number),
        |it| Value::Span(span(it)),
        |it| Some(format!("duration:{}ns", span(it))),
    ),
    column(
        "label",
        ["Label", "Метка"],
        Some(FlowSort::Label),
        (150, Look::Label),
        |it| text(rule_label(it)),
        |it| {
            // Beside a model's labels those of rules have a key of their own.
            let key = if it.row.rule_label.is_some() { "rules" } else { "label" };
            Some(terms::term(key, rule_label(it)))
        },
    ),
    column(
        GUESS,
        ["Model's guess", "Догадка модели"],
        Some(FlowSort::Guess),
        (200, Look::Guess),
        |it| maybe(it.row.model_label.as_ref()),
        |it| maybe_term("guess", it.row.model_label.as_ref()),
    ),
    column(
        "proto",
        ["Protocol", "Протокол"],
        Some(FlowSort::Protocol),
        (104, Look::Text),
        |it| text(&it.row.protocol),
        |it| Some(terms::term("proto", &it.row.protocol)),
    ),
    column(
        "transport",
        ["Transport", "Транспорт"],
        Some(FlowSort::Transport),
        (96, Look::Text),
        |it| text(&it.row.transport),
        |it| Some(terms::term("transport", &it.row.transport)),
    ),
    column(
        "group",
        ["Group", "Группа"],
        Some(FlowSort::Group),
        (110, Look::Text),
        |it| text(it.row.rule_group.as_ref().unwrap_or(&it.row.group)),
        |it| Some(terms::term("group", &it.row.group)),
    ),
    column(
        "client",
        ["Client", "Клиент"],
        Some(FlowSort::Client),
        (172, Look::Client),
        |it| text(&format::endpoint(&it.row.client_ip, it.row.client_port)),
        |it| Some(terms::term("client", &it.row.client_ip)),
    ),
    column(
        "client_port",
        ["Client port", "Порт клиента"],
        Some(FlowSort::ClientPort),
        (104, Look::Number),
        |it| port(it.row.client_port),
        |it| port_term("client_port", it.row.client_port),
    ),
    column(
        "server",
        ["Server", "Сервер"],
        Some(FlowSort::Server),
        (160, Look::Server),
        server,
        |it| {
            Some(match &it.row.domain_name {
                Some(name) => terms::term("name", name),
                None => terms::term("server", &it.row.server_ip),
            })
        },
    ),
    column(
        "server_ip",
        ["Server address", "Адрес сервера"],
        Some(FlowSort::ServerAddress),
        (150, Look::Mono),
        |it| text(&it.row.server_ip),
        |it| Some(terms::term("server", &it.row.server_ip)),
    ),
    column(
        "server_port",
        ["Server port", "Порт сервера"],
        Some(FlowSort::ServerPort),
        (104, Look::Number),
        |it| port(it.row.server_port),
        |it| port_term("server_port", it.row.server_port),
    ),
    column(
        "name",
        ["Server name", "Имя сервера"],
        Some(FlowSort::Name),
        (190, Look::Name),
        |it| maybe(it.row.domain_name.as_ref()),
        |it| maybe_term("name", it.row.domain_name.as_ref()),
    ),
    column(
        "over_time",
        ["Bytes over time", "Байты по времени"],
        None,
        (136, Look::Spark),
        |_| Value::Nothing,
        |_| None,
    ),
    column(
        "packets",
        ["Packets", "Пакеты"],
        Some(FlowSort::Packets),
        (84, Look::Number),
        |it| Value::Count(it.row.client_packets + it.row.server_packets),
        |it| Some(format!("packets:{}", it.row.client_packets + it.row.server_packets)),
    ),
    column(
        "client_packets",
        ["Packets →", "Пакеты →"],
        Some(FlowSort::ClientPackets),
        (92, Look::Number),
        |it| Value::Count(it.row.client_packets),
        |_| None,
    ),
    column(
        "server_packets",
        ["Packets ←", "Пакеты ←"],
        Some(FlowSort::ServerPackets),
        (92, Look::Number),
        |it| Value::Count(it.row.server_packets),
        |_| None,
    ),
    column(
        "bytes",
        ["Bytes", "Байты"],
        Some(FlowSort::Bytes),
        (92, Look::Number),
        |it| Value::Bytes(bytes(it)),
        |it| Some(format!("bytes:{}", bytes(it))),
    ),
    column(
        "client_bytes",
        ["Bytes →", "Байты →"],
        Some(FlowSort::ClientBytes),
        (92, Look::Number),
        |it| Value::Bytes(it.row.client_bytes),
        |_| None,
    ),
    column(
        "server_bytes",
        ["Bytes ←", "Байты ←"],
        Some(FlowSort::ServerBytes),
        (92, Look::Number),
        |it| Value::Bytes(it.row.server_bytes),
        |_| None,
    ),
    column(
        "state",
        ["State", "Состояние"],
        Some(FlowSort::State),
        (92, Look::Mono),
        |it| maybe(it.row.conn_state.as_ref()),
        |it| maybe_term("state", it.row.conn_state.as_ref()),
    ),
    column(
        "history",
        ["History", "Ход"],
        None,
        (120, Look::Mono),
        |it| maybe(it.row.history.as_ref()),
        |_| None,
    ),
    column(
        "agent",
        ["User agent", "Программа"],
        Some(FlowSort::Agent),
        (200, Look::Name),
        |it| maybe(it.row.user_agent.as_ref()),
        |it| maybe_term("agent", it.row.user_agent.as_ref()),
    ),
    column(
        "ja4",
        ["JA4", "JA4"],
        Some(FlowSort::Ja4),
        (278, Look::Mono),
        |it| maybe(it.row.ja4.as_ref()),
        |it| maybe_term("ja4", it.row.ja4.as_ref()),
    ),
    column(
        "session",
        ["Session", "Сессия"],
        Some(FlowSort::Session),
        (84, Look::Number),
        |it| Value::Count(it.row.session_id.into()),
        |it| Some(format!("session:{}", it.row.session_id)),
    ),
    column(
        "evidence",
        ["Evidence", "Основание"],
        Some(FlowSort::Evidence),
        (104, Look::Text),
        |it| text(&it.row.evidence),
        |it| Some(terms::term("evidence", &it.row.evidence)),
    ),
    column(
        "confidence",
        ["Confidence, %", "Уверенность, %"],
        Some(FlowSort::Confidence),
        (124, Look::Number),
        |it| count(it.row.confidence.map(u64::from)),
        |it| Some(format!("confidence:{}", it.row.confidence?)),
    ),
    column(
        "tunnel",
        ["Tunnel", "Туннель"],
        Some(FlowSort::Tunnel),
        (110, Look::Text),
        |it| maybe(it.row.tunnel.as_ref()),
        |it| maybe_term("tunnel", it.row.tunnel.as_ref()),
    ),
    column(
        "handshake",
        ["Handshake", "Рукопожатие"],
        Some(FlowSort::Handshake),
        (108, Look::Number),
        |it| nanos(it, |it| it.handshake_ns),
        |it| Some(format!("handshake:{}ns", it.health?.handshake_ns?)),
    ),
    column(
        "round_trip",
        ["Round trip", "Круговой путь"],
        Some(FlowSort::RoundTrip),
        (116, Look::Number),
        |it| nanos(it, |it| it.round_trip_ns),
        |it| Some(format!("round_trip:{}ns", it.health?.round_trip_ns?)),
    ),
    column(
        "retransmissions",
        ["Sent again", "Повторы"],
        Some(FlowSort::Retransmissions),
        (96, Look::Number),
        |it| count(it.health.map(|it| it.retransmissions)),
        |it| some_term("retransmissions", it.health?.retransmissions),
    ),
    column(
        "lost_bytes",
        ["Not captured", "Не захвачено"],
        Some(FlowSort::LostBytes),
        (108, Look::Number),
        |it| it.health.map_or(Value::Nothing, |it| Value::Bytes(it.lost_bytes)),
        |it| some_term("lost_bytes", it.health?.lost_bytes),
    ),
];

/// Those on show where the user says nothing.
const USUAL: &[&str] =
    &["start", "label", "client", "server", "over_time", "duration", "packets", "bytes"];
/// What is on show besides where a model was asked, right of the label.
const GUESS: &str = "guess";
/// Of them, those that go where a flow is open beside the table.
const SPARED: &[&str] = &["over_time", "duration"];
/// How narrow and how wide a column can be, in pixels.
pub const WIDTHS: std::ops::RangeInclusive<u16> = 40..=900;

/// The label as rules and payload have it.
pub fn rule_label(line: &Line) -> &str {
    line.row.rule_label.as_ref().unwrap_or(&line.row.label)
}

fn span(line: &Line) -> u64 {
    line.row.time_end_ns.saturating_sub(line.row.time_start_ns)
}

fn bytes(line: &Line) -> u64 {
    line.row.client_bytes + line.row.server_bytes
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn maybe(text: Option<&String>) -> Value {
    text.map_or(Value::Nothing, |it| Value::Text(it.clone()))
}

fn count(number: Option<u64>) -> Value {
    number.map_or(Value::Nothing, Value::Count)
}

fn nanos(line: &Line, of: fn(&RowHealth) -> Option<u64>) -> Value {
    line.health.as_ref().and_then(of).map_or(Value::Nothing, Value::Span)
}

/// A port; 0 says that there is none.
fn port(port: u16) -> Value {
    count((port != 0).then(|| port.into()))
}

fn port_term(key: &str, port: u16) -> Option<String> {
    (port != 0).then(|| format!("{key}:{port}"))
}

fn maybe_term(key: &str, text: Option<&String>) -> Option<String> {
    Some(terms::term(key, text?))
}

/// What befell: the number itself is of both sides, and a filter asks either.
fn some_term(key: &str, number: u64) -> Option<String> {
    (number > 0).then(|| format!("{key}>0"))
}

fn server(line: &Line) -> Value {
    let name = line.row.domain_name.as_deref().unwrap_or(&line.row.server_ip);
    Value::Text(format::endpoint(name, line.row.server_port))
}

/// The column of a word of the address.
pub fn named(key: &str) -> Option<&'static Column> {
    COLUMNS.iter().find(|it| it.key == key)
}

/// The word in the address of what is sorted by.
pub fn sort_key(sort: FlowSort) -> &'static str {
    COLUMNS.iter().find(|it| it.sort == Some(sort)).map_or("start", |it| it.key)
}

/// A column on show, and how wide the user made it.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The column.
    pub column: &'static Column,
    /// In pixels.
    pub width: Option<u16>,
}

impl PartialEq for Shown {
    fn eq(&self, other: &Self) -> bool {
        (self.column.key, self.width) == (other.column.key, other.width)
    }
}

/// What the table is shown for, which says what its usual columns are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usual {
    /// A flow is open beside it: there is less room for columns nobody asked for.
    pub is_beside: bool,
    /// A model was asked about the flows.
    pub has_guesses: bool,
}

impl Usual {
    fn keys(self) -> impl Iterator<Item = &'static str> {
        let keys = USUAL.iter().copied().filter(move |it| !self.is_beside || !SPARED.contains(it));
        keys.flat_map(move |it| {
            let guess = (it == "label" && self.has_guesses).then_some(GUESS);
            [Some(it), guess].into_iter().flatten()
        })
    }
}

/// The columns that a word of the address asks for, each once; the usual ones where it asks for none.
pub fn chosen(word: &str, usual: Usual) -> Vec<Shown> {
    let shown = asked(word);
    if !shown.is_empty() {
        return shown;
    }
    usual.keys().filter_map(|it| Some(Shown { column: named(it)?, width: None })).collect()
}

fn asked(word: &str) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for part in word.split(',') {
        let (key, width) = part.split_once(':').map_or((part, None), |it| (it.0, Some(it.1)));
        let width = width.and_then(|it| it.parse().ok()).filter(|it| WIDTHS.contains(it));
        if let Some(column) = named(key)
            && shown.iter().all(|it| it.column.key != key)
        {
            shown.push(Shown { column, width });
        }
    }
    shown
}

/// The word of the address that asks for these; empty for the usual ones.
pub fn written(shown: &[Shown], usual: Usual) -> String {
    let keys = shown.iter().map(|it| (it.column.key, it.width));
    if keys.eq(usual.keys().map(|it| (it, None))) { String::new() } else { spelled(shown) }
}

fn spelled(shown: &[Shown]) -> String {
    let word = |it: &Shown| match it.width {
        None => it.column.key.to_owned(),
        Some(width) => format!("{}:{width}", it.column.key),
    };
    shown.iter().map(word).collect::<Vec<_>>().join(",")
}

/// A word of the address without what cannot be understood.
pub fn understood(word: &str) -> String {
    spelled(&asked(word))
}

/// A value as other programs read it: no units, no separators, times in UTC.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Nothing => String::new(),
        Value::Text(text) => text.clone(),
        Value::Count(number) | Value::Bytes(number) => number.to_string(),
        Value::Span(nanos) => {
            let seconds = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
            seconds.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Value::Moment(nanos) => format::moment(*nanos),
    }
}

/// A value as it is shown.
pub fn shown(value: &Value, lang: Lang) -> String {
    match value {
        Value::Nothing => String::new(),
        Value::Text(text) => text.clone(),
        Value::Count(number) => format::count(*number, lang),
        Value::Bytes(number) => format::bytes(*number, lang),
        Value::Span(0) => "–".to_owned(),
        Value::Span(nanos) => format::duration(*nanos, lang),
        Value::Moment(nanos) => format::moment(*nanos),
    }
}

/// Rows of tab-separated values: the headings, and a line.
pub fn tab_separated(shown: &[Shown], line: &Line, lang: Lang) -> String {
    let columns = || shown.iter().map(|it| it.column).filter(|it| it.look != Look::Spark);
    // What ends a cell cannot stand in one.
    let cell = |it: String| it.replace(['\t', '\n', '\r'], " ");
    let titles: Vec<String> = columns().map(|it| cell(it.title(lang).to_owned())).collect();
    let cells: Vec<String> = columns().map(|it| cell(plain(&(it.of)(line)))).collect();
    format!("{}\n{}", titles.join("\t"), cells.join("\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(word: &str, is_beside: bool, has_guesses: bool) -> Vec<&'static str> {
        let usual = Usual { is_beside, has_guesses };
        chosen(word, usual).iter().map(|it| it.column.key).collect()
    }

    #[track_caller]
    fn check(word: &str, expected: &[&str], back: &str) {
        assert_eq!(keys(word, false, false), expected);
        let usual = Usual::default();
        assert_eq!(written(&chosen(word, usual), usual), back);
    }

    #[test]
    fn a_word_asks_for_columns() {
        check("", USUAL, "");
        check("label,bytes:120,ja4", &["label", "bytes", "ja4"], "label,bytes:120,ja4");
        check("bytes,bytes:70,weight,label:9,", &["bytes", "label"], "bytes,label");
        check("start,label,client,server,over_time,duration,packets,bytes", USUAL, "");
        assert_eq!(keys("", true, false).len(), USUAL.len() - SPARED.len());
        assert_eq!(keys("duration", true, false), ["duration"]);
        assert_eq!(understood("bytes:70,weight,label"), "bytes:70,label");
        assert_eq!(understood("weight"), "");
    }

    #[test]
    fn what_a_model_says_has_a_column_where_one_was_asked() {
        assert_eq!(keys("", false, true)[..3], ["start", "label", "guess"]);
        let usual = Usual { is_beside: false, has_guesses: true };
        assert_eq!(written(&chosen("", usual), usual), "");
        // Whoever wants to see less says so.
        let less = chosen("", Usual::default());
        assert_eq!(understood(&written(&less, usual)), USUAL.join(","));
        let row = FlowRow {
            label: "vk".into(),
            rule_label: Some("unknown".into()),
            model_label: Some("vk".into()),
            ..FlowRow::default()
        };
        let line = Line { row, ..Line::default() };
        let column = |key: &str| named(key).expect("there is such a column");
        let of = |key: &str| (column(key).of)(&line);
        assert_eq!((of("label"), of("guess")), (text("unknown"), text("vk")));
        let term = |key: &str, of: &Line| (column(key).term)(of);
        assert_eq!(term("label", &line).as_deref(), Some("rules:unknown"));
        assert_eq!(term("guess", &line).as_deref(), Some("guess:vk"));
        let known =
            Line { row: FlowRow { label: "vk".into(), ..FlowRow::default() }, ..line.clone() };
        assert_eq!(term("label", &known).as_deref(), Some("label:vk"));
        assert_eq!(term("guess", &known), None);
    }

    #[test]
    fn every_order_has_its_column_and_every_term_is_understood() {
        let line = Line {
            row: FlowRow {
                client_ip: "10.0.0.1".into(),
                client_port: 4,
                server_ip: "2001:db8::1".into(),
                server_port: 53,
                transport: "udp".into(),
                label: "a label".into(),
                domain_name: Some("a.example".into()),
                user_agent: Some("say \"hello\"".into()),
                ja4: Some("t13".into()),
                tunnel: Some("vxlan 42".into()),
                conn_state: Some("SF".into()),
                confidence: Some(7),
                model_label: Some("a guess".into()),
                ..FlowRow::default()
            },
            health: Some(RowHealth {
                handshake_ns: Some(1),
                round_trip_ns: Some(2),
                retransmissions: 3,
                lost_bytes: 4,
            }),
            ..Line::default()
        };
        for column in COLUMNS {
            assert_eq!(column.sort.map_or(column.key, sort_key), column.key);
            if let Some(term) = (column.term)(&line) {
                assert!(engine::Filter::parse(&term).is_ok(), "{term}");
            }
        }
        let asked = COLUMNS.iter().filter(|it| (it.term)(&line).is_some()).count();
        assert_eq!(asked, 26);
    }

    #[test]
    fn a_row_is_copied_in_plain_values() {
        let row = FlowRow { label: "a\tb".into(), client_bytes: 12_345, ..FlowRow::default() };
        let line = Line { row: FlowRow { time_end_ns: 1_500_000_000, ..row }, ..Line::default() };
        let shown = chosen("label,bytes,duration,over_time", Usual::default());
        let copied = tab_separated(&shown, &line, Lang::En);
        assert_eq!(copied, "Label\tBytes\tDuration\na b\t12345\t1.5");
    }
}
