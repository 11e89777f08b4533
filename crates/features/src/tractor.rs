//! Our own features: each is what its name says, and nothing stands for nothing.

use flow::flags::{ACK, CWR, ECE, FIN, PSH, RST, SYN, URG};

use crate::{
    Column, Rows, Schema, Semantics,
    Take::{Max, Mean, Min, Std},
    Unit,
    column::words,
    iscx::{NETMATE_IDLE, RIGHT},
    measure::{
        CLIENT_BULKS, CLIENT_IP_BYTES, CLIENT_IP_LENS, CLIENT_PACKETS, CLIENT_WINDOW,
        PAYLOAD_COLUMNS, PAYLOAD_RATIO, SERVER_BULKS, SERVER_IP_BYTES, SERVER_IP_LENS,
        SERVER_PACKETS, SERVER_WINDOW, SUBFLOWS, count, joined, label, number, ratio, take,
    },
    sequence::{gap, size},
};

/// The 25 features of the published data set, each what its name says.
pub const TRACTOR: Schema = Schema {
    name: "tractor",
    what: words(
        "25 features, each what its name says",
        "25 признаков, каждый соответствует своему имени",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    columns: &TRACTOR_COLUMNS,
};

/// The 25, and what else tells one kind of traffic from another: how much each side says, in packets of which size, how
/// its TCP behaves, and the first eight packets. Ports and addresses are no features: they say where, not what.
pub const TRACTOR_FULL: Schema = Schema {
    name: "tractor-full",
    what: words(
        "the 25 and 76 more: counts and sizes of each side, TCP flags and health, the first packets",
        "те же 25 и ещё 76: счётчики и размеры каждой стороны, флаги и здоровье TCP, первые пакеты",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    columns: &FULL_COLUMNS,
};

const TRACTOR_COLUMNS: [Column; 26] = joined(&[&RIGHT, &[label("label")]]);

const FULL_COLUMNS: [Column;
    RIGHT.len() + LENGTHS.len() + PAYLOAD_COLUMNS.len() + FURTHER.len() + 1] =
    joined(&[&RIGHT, LENGTHS, &PAYLOAD_COLUMNS, FURTHER, &[label("label")]]);

/// How much each side says, in packets of which length.
const LENGTHS: &[Column] = &[
    count("client_packets", Unit::Packets, |s| s.forward.lengths.n(), CLIENT_PACKETS),
    count("server_packets", Unit::Packets, |s| s.backward.lengths.n(), SERVER_PACKETS),
    CLIENT_IP_BYTES,
    SERVER_IP_BYTES,
    take("client_ip_len_min", Min, CLIENT_IP_LENS),
    take("client_ip_len_max", Max, CLIENT_IP_LENS),
    take("client_ip_len_mean", Mean, CLIENT_IP_LENS),
    take("client_ip_len_std", Std, CLIENT_IP_LENS),
    take("server_ip_len_min", Min, SERVER_IP_LENS),
    take("server_ip_len_max", Max, SERVER_IP_LENS),
    take("server_ip_len_mean", Mean, SERVER_IP_LENS),
    take("server_ip_len_std", Std, SERVER_IP_LENS),
];

const FURTHER: &[Column] = &[
    number(
        "packet_ratio",
        Unit::Ratio,
        |s| ratio(s.backward.lengths.n() as f64, s.forward.lengths.n() as f64),
        words(
            "Packets of the server over packets of the client",
            "Отношение числа пакетов сервера к числу пакетов клиента",
        ),
    ),
    PAYLOAD_RATIO,
    count(
        "client_fin",
        Unit::Packets,
        |s| s.forward.flag(FIN),
        words("Packets of the client with FIN", "Пакеты клиента с FIN"),
    ),
    count(
        "client_syn",
        Unit::Packets,
        |s| s.forward.flag(SYN),
        words("Packets of the client with SYN", "Пакеты клиента с SYN"),
    ),
    count(
        "client_rst",
        Unit::Packets,
        |s| s.forward.flag(RST),
        words("Packets of the client with RST", "Пакеты клиента с RST"),
    ),
    count(
        "client_psh",
        Unit::Packets,
        |s| s.forward.flag(PSH),
        words("Packets of the client with PSH", "Пакеты клиента с PSH"),
    ),
    count(
        "client_ack",
        Unit::Packets,
        |s| s.forward.flag(ACK),
        words("Packets of the client with ACK", "Пакеты клиента с ACK"),
    ),
    count(
        "client_urg",
        Unit::Packets,
        |s| s.forward.flag(URG),
        words("Packets of the client with URG", "Пакеты клиента с URG"),
    ),
    count(
        "client_ece",
        Unit::Packets,
        |s| s.forward.flag(ECE),
        words("Packets of the client with ECE", "Пакеты клиента с ECE"),
    ),
    count(
        "client_cwr",
        Unit::Packets,
        |s| s.forward.flag(CWR),
        words("Packets of the client with CWR", "Пакеты клиента с CWR"),
    ),
    count(
        "server_fin",
        Unit::Packets,
        |s| s.backward.flag(FIN),
        words("Packets of the server with FIN", "Пакеты сервера с FIN"),
    ),
    count(
        "server_syn",
        Unit::Packets,
        |s| s.backward.flag(SYN),
        words("Packets of the server with SYN", "Пакеты сервера с SYN"),
    ),
    count(
        "server_rst",
        Unit::Packets,
        |s| s.backward.flag(RST),
        words("Packets of the server with RST", "Пакеты сервера с RST"),
    ),
    count(
        "server_psh",
        Unit::Packets,
        |s| s.backward.flag(PSH),
        words("Packets of the server with PSH", "Пакеты сервера с PSH"),
    ),
    count(
        "server_ack",
        Unit::Packets,
        |s| s.backward.flag(ACK),
        words("Packets of the server with ACK", "Пакеты сервера с ACK"),
    ),
    count(
        "server_urg",
        Unit::Packets,
        |s| s.backward.flag(URG),
        words("Packets of the server with URG", "Пакеты сервера с URG"),
    ),
    count(
        "server_ece",
        Unit::Packets,
        |s| s.backward.flag(ECE),
        words("Packets of the server with ECE", "Пакеты сервера с ECE"),
    ),
    count(
        "server_cwr",
        Unit::Packets,
        |s| s.backward.flag(CWR),
        words("Packets of the server with CWR", "Пакеты сервера с CWR"),
    ),
    number(
        "client_first_window",
        Unit::Bytes,
        |s| s.forward.first_window.map(f64::from),
        CLIENT_WINDOW,
    ),
    number(
        "server_first_window",
        Unit::Bytes,
        |s| s.backward.first_window.map(f64::from),
        SERVER_WINDOW,
    ),
    count(
        "client_resent",
        Unit::Packets,
        |s| s.forward.n_resent,
        words(
            "TCP segments of the client whose payload was all sent before",
            "Сегменты TCP клиента, все данные которых уже отправлялись",
        ),
    ),
    number(
        "client_out_of_order",
        Unit::Packets,
        |s| s.forward.health.map(|it| it.out_of_order.into()),
        words(
            "Segments of the client that came after later ones",
            "Сегменты клиента, пришедшие после более поздних",
        ),
    ),
    number(
        "client_duplicate_acks",
        Unit::Packets,
        |s| s.forward.health.map(|it| it.duplicate_acks.into()),
        words(
            "Acknowledgements of the client that repeat the one before while data is under way",
            "Подтверждения клиента, повторяющие предыдущее, пока данные в пути",
        ),
    ),
    count(
        "client_zero_windows",
        Unit::Packets,
        |s| s.forward.n_zero_windows,
        words(
            "TCP segments of the client that tell the other side to stop sending",
            "Сегменты TCP клиента, которые велят другой стороне прекратить передачу",
        ),
    ),
    number(
        "client_lost_bytes",
        Unit::Bytes,
        |s| s.forward.health.map(|it| it.lost_bytes as f64),
        words(
            "Bytes of the client that were acknowledged and are not in the capture",
            "Подтверждённые байты клиента, которых нет в снимке",
        ),
    ),
    number(
        "client_handshake",
        Unit::Micros,
        |s| s.forward.health?.handshake_ns.map(micros),
        words(
            "From the SYN of the client to its acknowledgement",
            "От SYN клиента до его подтверждения",
        ),
    ),
    number(
        "client_round_trip",
        Unit::Micros,
        |s| s.forward.health?.round_trip_ns.map(micros),
        words(
            "From data of the client to its acknowledgement, smoothed as by RFC 6298",
            "От данных клиента до их подтверждения, сглажено по RFC 6298",
        ),
    ),
    count(
        "server_resent",
        Unit::Packets,
        |s| s.backward.n_resent,
        words(
            "TCP segments of the server whose payload was all sent before",
            "Сегменты TCP сервера, все данные которых уже отправлялись",
        ),
    ),
    number(
        "server_out_of_order",
        Unit::Packets,
        |s| s.backward.health.map(|it| it.out_of_order.into()),
        words(
            "Segments of the server that came after later ones",
            "Сегменты сервера, пришедшие после более поздних",
        ),
    ),
    number(
        "server_duplicate_acks",
        Unit::Packets,
        |s| s.backward.health.map(|it| it.duplicate_acks.into()),
        words(
            "Acknowledgements of the server that repeat the one before while data is under way",
            "Подтверждения сервера, повторяющие предыдущее, пока данные в пути",
        ),
    ),
    count(
        "server_zero_windows",
        Unit::Packets,
        |s| s.backward.n_zero_windows,
        words(
            "TCP segments of the server that tell the other side to stop sending",
            "Сегменты TCP сервера, которые велят другой стороне прекратить передачу",
        ),
    ),
    number(
        "server_lost_bytes",
        Unit::Bytes,
        |s| s.backward.health.map(|it| it.lost_bytes as f64),
        words(
            "Bytes of the server that were acknowledged and are not in the capture",
            "Подтверждённые байты сервера, которых нет в снимке",
        ),
    ),
    number(
        "server_handshake",
        Unit::Micros,
        |s| s.backward.health?.handshake_ns.map(micros),
        words(
            "From the SYN of the server to its acknowledgement",
            "От SYN сервера до его подтверждения",
        ),
    ),
    number(
        "server_round_trip",
        Unit::Micros,
        |s| s.backward.health?.round_trip_ns.map(micros),
        words(
            "From data of the server to its acknowledgement, smoothed as by RFC 6298",
            "От данных сервера до их подтверждения, сглажено по RFC 6298",
        ),
    ),
    CLIENT_BULKS,
    SERVER_BULKS,
    SUBFLOWS,
    size::<0>("size_1"),
    size::<1>("size_2"),
    size::<2>("size_3"),
    size::<3>("size_4"),
    size::<4>("size_5"),
    size::<5>("size_6"),
    size::<6>("size_7"),
    size::<7>("size_8"),
    gap::<1>("gap_2"),
    gap::<2>("gap_3"),
    gap::<3>("gap_4"),
    gap::<4>("gap_5"),
    gap::<5>("gap_6"),
    gap::<6>("gap_7"),
    gap::<7>("gap_8"),
];

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1e3
}
