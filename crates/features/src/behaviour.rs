//! How a flow behaves, whatever it carries: sizes, times, directions and counts of what the two sides say.
//!
//! No addresses, ports, names or bytes of payload, nothing of handshakes, windows and options either: those tell which
//! system or laboratory the packets are from, not what they are for.

use crate::{
    Column, Rows, Sample, Schema, Semantics, Statistics,
    Take::{Max, Mean},
    Unit, Voice,
    column::words,
    iscx::{DURATION, NETMATE_IDLE},
    measure::{
        ACTIVE, CLIENT_BULKS, IDLE, PAYLOAD_COLUMNS, PAYLOAD_RATIO, SERVER_BULKS, SUBFLOWS, count,
        joined, label, number, ratio, take,
    },
};

/// How a flow behaves; what a model may learn from that is to name flows elsewhere.
pub const BEHAVIOUR: Schema = Schema {
    name: "behaviour",
    what: words(
        "how a flow behaves: sizes, times, directions and counts of what is said, nothing of systems or places",
        "поведение потока: размеры, времена, направления и число сообщений, ничего о системах и адресах",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    columns: &COLUMNS,
};

const COLUMNS: [Column; FIRST.len() + PAYLOAD_COLUMNS.len() + FURTHER.len() + 1] =
    joined(&[FIRST, &PAYLOAD_COLUMNS, FURTHER, &[label("label")]]);

const FIRST: &[Column] = &[
    number(
        "tcp",
        Unit::None,
        |s| Some(f64::from(u8::from((s.forward.flags() | s.backward.flags()) != 0))),
        words("1 where there are TCP flags, else 0", "1, если есть флаги TCP, иначе 0"),
    ),
    DURATION,
];

const FURTHER: &[Column] = &[
    PAYLOAD_RATIO,
    number(
        "payload_packet_ratio",
        Unit::Ratio,
        |s| ratio(s.backward.n_data as f64, s.forward.n_data as f64),
        words(
            "Packets of the server with payload over those of the client",
            "Отношение числа пакетов сервера с полезной нагрузкой к числу таких пакетов клиента",
        ),
    ),
    number(
        "payload_bytes_per_second",
        Unit::BytesPerSecond,
        |s| s.per_second(s.lengths.sum.unsigned_abs().try_into().unwrap_or(u64::MAX)),
        words(
            "Payload bytes of both sides over the duration",
            "Байты полезной нагрузки обеих сторон за длительность",
        ),
    ),
    number(
        "payload_packets_per_second",
        Unit::PacketsPerSecond,
        |s| s.per_second(n_said(s)),
        words(
            "Packets with payload of both sides over the duration",
            "Пакеты с полезной нагрузкой обеих сторон за длительность",
        ),
    ),
    number(
        "client_payload_len_spread",
        Unit::Ratio,
        |s| spread(s, |it| &it.forward.payloads),
        words(
            "Deviation over mean of the payload lengths of the client",
            "Отношение отклонения к среднему для длин полезной нагрузки клиента",
        ),
    ),
    number(
        "server_payload_len_spread",
        Unit::Ratio,
        |s| spread(s, |it| &it.backward.payloads),
        words(
            "Deviation over mean of the payload lengths of the server",
            "Отношение отклонения к среднему для длин полезной нагрузки сервера",
        ),
    ),
    take("active_mean", Mean, ACTIVE),
    take("active_max", Max, ACTIVE),
    take("idle_mean", Mean, IDLE),
    take("idle_max", Max, IDLE),
    SUBFLOWS,
    CLIENT_BULKS,
    SERVER_BULKS,
    number(
        "client_bulk_share",
        Unit::Ratio,
        |s| ratio(s.forward.bulks.bytes as f64, s.forward.payloads.sum()),
        words(
            "Share of the client's payload bytes that are in bulks",
            "Доля байт полезной нагрузки клиента, переданных сериями",
        ),
    ),
    number(
        "server_bulk_share",
        Unit::Ratio,
        |s| ratio(s.backward.bulks.bytes as f64, s.backward.payloads.sum()),
        words(
            "Share of the server's payload bytes that are in bulks",
            "Доля байт полезной нагрузки сервера, переданных сериями",
        ),
    ),
    number(
        "client_small_share",
        Unit::Ratio,
        |s| share(&s.dialogue.forward, |it| it.n_small),
        words(
            "Share of the client's packets with payload that hold at most 128 bytes of it",
            "Доля пакетов клиента с полезной нагрузкой не больше 128 байт",
        ),
    ),
    number(
        "server_small_share",
        Unit::Ratio,
        |s| share(&s.dialogue.backward, |it| it.n_small),
        words(
            "Share of the server's packets with payload that hold at most 128 bytes of it",
            "Доля пакетов сервера с полезной нагрузкой не больше 128 байт",
        ),
    ),
    number(
        "client_full_share",
        Unit::Ratio,
        |s| share(&s.dialogue.forward, |it| it.n_full),
        words(
            "Share of the client's packets with payload that hold at least 1,024 bytes of it",
            "Доля пакетов клиента с полезной нагрузкой не меньше 1024 байт",
        ),
    ),
    number(
        "server_full_share",
        Unit::Ratio,
        |s| share(&s.dialogue.backward, |it| it.n_full),
        words(
            "Share of the server's packets with payload that hold at least 1,024 bytes of it",
            "Доля пакетов сервера с полезной нагрузкой не меньше 1024 байт",
        ),
    ),
    number(
        "client_length_share",
        Unit::Ratio,
        |s| share(&s.dialogue.forward, Voice::n_of_one_length),
        words(
            "Share of the client's packets with payload that are of its most frequent length",
            "Доля пакетов клиента с нагрузкой, имеющих самую частую длину",
        ),
    ),
    number(
        "client_lengths",
        Unit::Ratio,
        |s| share(&s.dialogue.forward, Voice::n_lengths),
        words(
            "Different payload lengths over the client's packets with payload; at most 16 are told apart",
            "Отношение числа разных длин нагрузки к числу пакетов клиента с нагрузкой; различаются не больше 16",
        ),
    ),
    number(
        "client_rest_share",
        Unit::Ratio,
        |s| share(&s.dialogue.forward, Voice::n_of_one_rest),
        words(
            "Share of the client's packets with payload whose lengths leave the same rest by 16, as blocks of a cipher do",
            "Доля пакетов клиента с нагрузкой, длины которых дают один остаток от деления на 16, как блоки шифра",
        ),
    ),
    number(
        "server_length_share",
        Unit::Ratio,
        |s| share(&s.dialogue.backward, Voice::n_of_one_length),
        words(
            "Share of the server's packets with payload that are of its most frequent length",
            "Доля пакетов сервера с нагрузкой, имеющих самую частую длину",
        ),
    ),
    number(
        "server_lengths",
        Unit::Ratio,
        |s| share(&s.dialogue.backward, Voice::n_lengths),
        words(
            "Different payload lengths over the server's packets with payload; at most 16 are told apart",
            "Отношение числа разных длин нагрузки к числу пакетов сервера с нагрузкой; различаются не больше 16",
        ),
    ),
    number(
        "server_rest_share",
        Unit::Ratio,
        |s| share(&s.dialogue.backward, Voice::n_of_one_rest),
        words(
            "Share of the server's packets with payload whose lengths leave the same rest by 16, as blocks of a cipher do",
            "Доля пакетов сервера с нагрузкой, длины которых дают один остаток от деления на 16, как блоки шифра",
        ),
    ),
    count(
        "turns",
        Unit::None,
        |s| s.dialogue.n_turns,
        words(
            "How often the side that sends payload changes, and one more",
            "Сколько раз меняется сторона, передающая полезную нагрузку, и ещё один",
        ),
    ),
    number(
        "turn_share",
        Unit::Ratio,
        |s| ratio(s.dialogue.n_turns as f64, n_said(s) as f64),
        words(
            "Turns over packets with payload",
            "Отношение числа реплик к числу пакетов с нагрузкой",
        ),
    ),
    turn::<0>("turn_1"),
    turn::<1>("turn_2"),
    turn::<2>("turn_3"),
    turn::<3>("turn_4"),
    turn::<4>("turn_5"),
    turn::<5>("turn_6"),
    size::<0>("said_1"),
    size::<1>("said_2"),
    size::<2>("said_3"),
    size::<3>("said_4"),
    size::<4>("said_5"),
    size::<5>("said_6"),
    size::<6>("said_7"),
    size::<7>("said_8"),
    size::<8>("said_9"),
    size::<9>("said_10"),
    size::<10>("said_11"),
    size::<11>("said_12"),
    gap::<1>("said_gap_2"),
    gap::<2>("said_gap_3"),
    gap::<3>("said_gap_4"),
    gap::<4>("said_gap_5"),
    gap::<5>("said_gap_6"),
    gap::<6>("said_gap_7"),
    gap::<7>("said_gap_8"),
    gap::<8>("said_gap_9"),
    gap::<9>("said_gap_10"),
    gap::<10>("said_gap_11"),
    gap::<11>("said_gap_12"),
];

/// The payload bytes of a turn by its place from 0.
const fn turn<const AT: usize>(name: &'static str) -> Column {
    let what = words(
        "Payload bytes of the turn of this number: what one side says until the other does; negative of the server",
        "Байты полезной нагрузки реплики с этим номером: от начала речи стороны до речи другой; у сервера отрицательны",
    );
    number(name, Unit::Bytes, |s| s.dialogue.turn(AT).map(|it| it as f64), what)
}

/// The size of a packet with payload by its place from 0.
const fn size<const AT: usize>(name: &'static str) -> Column {
    let what = words(
        "Payload bytes of the packet with payload of this number; negative where the server sent it",
        "Байты полезной нагрузки пакета с этим номером среди имеющих её; отрицательны, если его отправил сервер",
    );
    number(name, Unit::Bytes, |s| s.dialogue.said(AT).map(|it| it.signed_bytes as f64), what)
}

/// The gap before a packet with payload by its place from 0.
const fn gap<const AT: usize>(name: &'static str) -> Column {
    let what = words(
        "From the packet with payload before to the one of this number",
        "От предыдущего пакета с полезной нагрузкой до пакета с этим номером",
    );
    number(name, Unit::Micros, |s| s.dialogue.said(AT).map(|it| it.gap_micros as f64), what)
}

fn n_said(sample: &Sample) -> u64 {
    sample.forward.n_data + sample.backward.n_data
}

/// The deviation over the mean.
fn spread(sample: &Sample, of: fn(&Sample) -> &Statistics) -> Option<f64> {
    ratio(sample.std(of(sample))?, sample.mean(of(sample))?)
}

/// Some of a side's packets with payload over all.
fn share(voice: &Voice, of: fn(&Voice) -> u64) -> Option<f64> {
    ratio(of(voice) as f64, voice.n as f64)
}
