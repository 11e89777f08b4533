//! What statistics are taken of, and the rows that schemas share.

use crate::{
    Column, Of, Sample, Statistics,
    Take::{self, Max, Mean, Min, Std, Total},
    Unit, Words,
    column::words,
};

/// Numbers of the packets of which a schema takes statistics.
#[derive(Clone, Copy)]
pub(crate) struct Measure {
    unit: Unit,
    what: Words,
    of: fn(&Sample) -> &Statistics,
}

pub(crate) const fn measure(unit: Unit, of: fn(&Sample) -> &Statistics, what: Words) -> Measure {
    Measure { unit, what, of }
}

/// A column that takes a statistic.
pub(crate) const fn take(name: &'static str, take: Take, measure: Measure) -> Column {
    let unit = match (take, measure.unit) {
        (Take::Variance, Unit::Micros) => Unit::SquareMicros,
        (Take::Variance, Unit::Bytes) => Unit::SquareBytes,
        (_, unit) => unit,
    };
    Column { name, unit, what: measure.what, of: Of::Statistic(take, measure.of) }
}

/// A column that computes a number of its own.
pub(crate) const fn number(
    name: &'static str,
    unit: Unit,
    of: fn(&Sample) -> Option<f64>,
    what: Words,
) -> Column {
    Column { name, unit, what, of: Of::Number(of) }
}

/// A column that counts; never missing.
pub(crate) const fn count(
    name: &'static str,
    unit: Unit,
    of: fn(&Sample) -> u64,
    what: Words,
) -> Column {
    Column { name, unit, what, of: Of::Count(of) }
}

/// A quotient; by nothing it is no value.
pub(crate) fn ratio(of: f64, by: f64) -> Option<f64> {
    (by != 0.0).then(|| of / by)
}

/// The label, under this name.
pub(crate) const fn label(name: &'static str) -> Column {
    let what = words("Label of the flow", "Метка потока");
    Column { name, unit: Unit::None, what, of: Of::Label }
}

pub(crate) const GAPS: Measure = measure(
    Unit::Micros,
    |s| &s.gaps,
    words("the gaps between successive packets", "промежутки между соседними пакетами"),
);
pub(crate) const CLIENT_GAPS: Measure = measure(
    Unit::Micros,
    |s| &s.forward.gaps,
    words(
        "the gaps between successive packets of the client",
        "промежутки между соседними пакетами клиента",
    ),
);
pub(crate) const SERVER_GAPS: Measure = measure(
    Unit::Micros,
    |s| &s.backward.gaps,
    words(
        "the gaps between successive packets of the server",
        "промежутки между соседними пакетами сервера",
    ),
);
pub(crate) const ACTIVE: Measure = measure(
    Unit::Micros,
    |s| &s.active,
    words("the periods without an idle gap", "периоды без перерывов"),
);
pub(crate) const IDLE: Measure = measure(
    Unit::Micros,
    |s| &s.idle,
    words("the idle gaps between packets", "перерывы между пакетами"),
);
pub(crate) const LENGTHS: Measure = measure(
    Unit::Bytes,
    |s| &s.lengths,
    words("the payload lengths of all packets", "длины полезной нагрузки всех пакетов"),
);
pub(crate) const CLIENT_LENGTHS: Measure = measure(
    Unit::Bytes,
    |s| &s.forward.lengths,
    words("the payload lengths of the client's packets", "длины полезной нагрузки пакетов клиента"),
);
pub(crate) const SERVER_LENGTHS: Measure = measure(
    Unit::Bytes,
    |s| &s.backward.lengths,
    words("the payload lengths of the server's packets", "длины полезной нагрузки пакетов сервера"),
);
pub(crate) const CLIENT_HEADERS: Measure = measure(
    Unit::Bytes,
    |s| &s.forward.headers,
    words(
        "the lengths of IP and transport headers of the client's packets",
        "длины заголовков IP и транспорта в пакетах клиента",
    ),
);
pub(crate) const SERVER_HEADERS: Measure = measure(
    Unit::Bytes,
    |s| &s.backward.headers,
    words(
        "the lengths of IP and transport headers of the server's packets",
        "длины заголовков IP и транспорта в пакетах сервера",
    ),
);

pub(crate) const CLIENT_IP_LENS: Measure = measure(
    Unit::Bytes,
    |s| &s.forward.ip_lens,
    words(
        "the IP lengths, header included, of the client's packets",
        "длины IP-пакетов клиента вместе с заголовком",
    ),
);
pub(crate) const SERVER_IP_LENS: Measure = measure(
    Unit::Bytes,
    |s| &s.backward.ip_lens,
    words(
        "the IP lengths, header included, of the server's packets",
        "длины IP-пакетов сервера вместе с заголовком",
    ),
);
pub(crate) const CLIENT_PAYLOADS: Measure = measure(
    Unit::Bytes,
    |s| &s.forward.payloads,
    words(
        "the payload lengths of the client's packets that have any",
        "длины полезной нагрузки тех пакетов клиента, где она есть",
    ),
);
pub(crate) const SERVER_PAYLOADS: Measure = measure(
    Unit::Bytes,
    |s| &s.backward.payloads,
    words(
        "the payload lengths of the server's packets that have any",
        "длины полезной нагрузки тех пакетов сервера, где она есть",
    ),
);

pub(crate) const CLIENT_IP_BYTES: Column = count(
    "client_ip_bytes",
    Unit::Bytes,
    |s| s.forward.ip_bytes(),
    words("IP header and payload bytes of the client", "Байты заголовка и нагрузки IP от клиента"),
);
pub(crate) const SERVER_IP_BYTES: Column = count(
    "server_ip_bytes",
    Unit::Bytes,
    |s| s.backward.ip_bytes(),
    words("IP header and payload bytes of the server", "Байты заголовка и нагрузки IP от сервера"),
);
pub(crate) const CLIENT_PAYLOAD_PACKETS: Column = count(
    "client_payload_packets",
    Unit::Packets,
    |s| s.forward.n_data,
    words("Packets of the client with payload", "Пакеты клиента с полезной нагрузкой"),
);

pub(crate) const SERVER_PAYLOAD_PACKETS: Column = count(
    "server_payload_packets",
    Unit::Packets,
    |s| s.backward.n_data,
    words("Packets of the server with payload", "Пакеты сервера с полезной нагрузкой"),
);

pub(crate) const PAYLOAD_RATIO: Column = number(
    "payload_ratio",
    Unit::Ratio,
    |s| ratio(s.backward.payloads.sum(), s.forward.payloads.sum()),
    words(
        "Payload bytes of the server over those of the client",
        "Отношение байт полезной нагрузки сервера к байтам клиента",
    ),
);

pub(crate) const CLIENT_BULKS: Column = count(
    "client_bulks",
    Unit::None,
    |s| s.forward.bulks.n,
    words(
        "Bulks of the client: runs of four and more packets with payload one way",
        "Серии клиента: четыре и больше пакетов с полезной нагрузкой подряд в одну сторону",
    ),
);

pub(crate) const SERVER_BULKS: Column = count(
    "server_bulks",
    Unit::None,
    |s| s.backward.bulks.n,
    words(
        "Bulks of the server: runs of four and more packets with payload one way",
        "Серии сервера: четыре и больше пакетов с полезной нагрузкой подряд в одну сторону",
    ),
);

pub(crate) const SUBFLOWS: Column = count(
    "subflows",
    Unit::None,
    |s| s.n_subflows,
    words(
        "Parts of the flow between gaps of more than a second",
        "Части потока между промежутками больше секунды",
    ),
);
pub(crate) const CLIENT_PACKETS: Words = words("Packets of the client", "Пакеты клиента");
pub(crate) const SERVER_PACKETS: Words = words("Packets of the server", "Пакеты сервера");

/// What each side says: its packets with payload, and their lengths.
pub(crate) const PAYLOAD_COLUMNS: [Column; 12] = [
    CLIENT_PAYLOAD_PACKETS,
    SERVER_PAYLOAD_PACKETS,
    take("client_payload_bytes", Total, CLIENT_PAYLOADS),
    take("client_payload_len_min", Min, CLIENT_PAYLOADS),
    take("client_payload_len_max", Max, CLIENT_PAYLOADS),
    take("client_payload_len_mean", Mean, CLIENT_PAYLOADS),
    take("client_payload_len_std", Std, CLIENT_PAYLOADS),
    take("server_payload_bytes", Total, SERVER_PAYLOADS),
    take("server_payload_len_min", Min, SERVER_PAYLOADS),
    take("server_payload_len_max", Max, SERVER_PAYLOADS),
    take("server_payload_len_mean", Mean, SERVER_PAYLOADS),
    take("server_payload_len_std", Std, SERVER_PAYLOADS),
];

/// Columns one after the other. That their number is right is checked when this is compiled.
pub(crate) const fn joined<const N: usize>(parts: &[&[Column]]) -> [Column; N] {
    let mut columns = [label(""); N];
    let (mut n, mut part) = (0, 0);
    while part < parts.len() {
        let mut at = 0;
        while at < parts[part].len() {
            columns[n] = parts[part][at];
            (n, at) = (n + 1, at + 1);
        }
        part += 1;
    }
    assert!(n == N, "there are fewer columns");
    columns
}

pub(crate) const CLIENT_WINDOW: Words = words(
    "Receive window of the client's first TCP segment as sent, unscaled",
    "Окно приёма в первом сегменте TCP клиента, как отправлено, без масштаба",
);
pub(crate) const SERVER_WINDOW: Words = words(
    "Receive window of the server's first TCP segment as sent, unscaled",
    "Окно приёма в первом сегменте TCP сервера, как отправлено, без масштаба",
);
