//! The columns of CICFlowMeter under its names, with what the names say.
//!
//! CICFlowMeter's own numbers have known errors (Engelen 2021, Lanvin 2022, Rosay 2022); these do not: directions are
//! those of client and server, lengths are transport payload on the wire, deviations are sample deviations, ratios and
//! averages are not rounded, the last active period counts, and a quotient by nothing is no value.

use flow::flags::{ACK, CWR, ECE, FIN, PSH, RST, SYN, URG};

use crate::{
    Rows, Sample, Schema, Semantics,
    Take::{Max, Mean, Min, Std, Total, Variance},
    Unit,
    column::words,
    identity::{
        DESTINATION_IP, DESTINATION_PORT, FIRST, FIVE_TUPLE, PROTOCOL, SOURCE_IP, SOURCE_PORT,
    },
    measure::{
        ACTIVE, CLIENT_GAPS, CLIENT_HEADERS, CLIENT_LENGTHS, CLIENT_PACKETS, CLIENT_WINDOW, GAPS,
        IDLE, LENGTHS, SERVER_GAPS, SERVER_HEADERS, SERVER_LENGTHS, SERVER_PACKETS, SERVER_WINDOW,
        count, label, number, ratio, take,
    },
    sample::Bulks,
};

/// CICFlowMeter version 4: 76 numbers, behind the seven columns that say which flow it is and before the label.
pub const CIC: Schema = Schema {
    name: "cic",
    what: words(
        "the 84 columns of CICFlowMeter V4, each what its name says",
        "84 столбца CICFlowMeter V4, каждый соответствует своему имени",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: 5_000_000,
    columns: &[
        FIVE_TUPLE.named("Flow ID"),
        SOURCE_IP.named("Src IP"),
        SOURCE_PORT.named("Src Port"),
        DESTINATION_IP.named("Dst IP"),
        DESTINATION_PORT.named("Dst Port"),
        PROTOCOL.named("Protocol"),
        FIRST.named("Timestamp"),
        crate::iscx::DURATION.named("Flow Duration"),
        count("Total Fwd Packet", Unit::Packets, |s| s.forward.lengths.n(), CLIENT_PACKETS),
        count("Total Bwd packets", Unit::Packets, |s| s.backward.lengths.n(), SERVER_PACKETS),
        take("Total Length of Fwd Packet", Total, CLIENT_LENGTHS),
        take("Total Length of Bwd Packet", Total, SERVER_LENGTHS),
        take("Fwd Packet Length Max", Max, CLIENT_LENGTHS),
        take("Fwd Packet Length Min", Min, CLIENT_LENGTHS),
        take("Fwd Packet Length Mean", Mean, CLIENT_LENGTHS),
        take("Fwd Packet Length Std", Std, CLIENT_LENGTHS),
        take("Bwd Packet Length Max", Max, SERVER_LENGTHS),
        take("Bwd Packet Length Min", Min, SERVER_LENGTHS),
        take("Bwd Packet Length Mean", Mean, SERVER_LENGTHS),
        take("Bwd Packet Length Std", Std, SERVER_LENGTHS),
        number(
            "Flow Bytes/s",
            Unit::BytesPerSecond,
            |s| rate(s, s.lengths.sum()),
            words(
                "Payload bytes of both sides over the duration",
                "Байты полезной нагрузки обеих сторон за длительность",
            ),
        ),
        number(
            "Flow Packets/s",
            Unit::PacketsPerSecond,
            |s| rate(s, s.n_packets as f64),
            words("Packets of both sides over the duration", "Пакеты обеих сторон за длительность"),
        ),
        take("Flow IAT Mean", Mean, GAPS),
        take("Flow IAT Std", Std, GAPS),
        take("Flow IAT Max", Max, GAPS),
        take("Flow IAT Min", Min, GAPS),
        take("Fwd IAT Total", Total, CLIENT_GAPS),
        take("Fwd IAT Mean", Mean, CLIENT_GAPS),
        take("Fwd IAT Std", Std, CLIENT_GAPS),
        take("Fwd IAT Max", Max, CLIENT_GAPS),
        take("Fwd IAT Min", Min, CLIENT_GAPS),
        take("Bwd IAT Total", Total, SERVER_GAPS),
        take("Bwd IAT Mean", Mean, SERVER_GAPS),
        take("Bwd IAT Std", Std, SERVER_GAPS),
        take("Bwd IAT Max", Max, SERVER_GAPS),
        take("Bwd IAT Min", Min, SERVER_GAPS),
        count(
            "Fwd PSH Flags",
            Unit::Packets,
            |s| s.forward.flag(PSH),
            words("Packets of the client with PSH", "Пакеты клиента с PSH"),
        ),
        count(
            "Bwd PSH Flags",
            Unit::Packets,
            |s| s.backward.flag(PSH),
            words("Packets of the server with PSH", "Пакеты сервера с PSH"),
        ),
        count(
            "Fwd URG Flags",
            Unit::Packets,
            |s| s.forward.flag(URG),
            words("Packets of the client with URG", "Пакеты клиента с URG"),
        ),
        count(
            "Bwd URG Flags",
            Unit::Packets,
            |s| s.backward.flag(URG),
            words("Packets of the server with URG", "Пакеты сервера с URG"),
        ),
        take("Fwd Header Length", Total, CLIENT_HEADERS),
        take("Bwd Header Length", Total, SERVER_HEADERS),
        number(
            "Fwd Packets/s",
            Unit::PacketsPerSecond,
            |s| rate(s, s.forward.lengths.n() as f64),
            words("Packets of the client over the duration", "Пакеты клиента за длительность"),
        ),
        number(
            "Bwd Packets/s",
            Unit::PacketsPerSecond,
            |s| rate(s, s.backward.lengths.n() as f64),
            words("Packets of the server over the duration", "Пакеты сервера за длительность"),
        ),
        take("Packet Length Min", Min, LENGTHS),
        take("Packet Length Max", Max, LENGTHS),
        take("Packet Length Mean", Mean, LENGTHS),
        take("Packet Length Std", Std, LENGTHS),
        take("Packet Length Variance", Variance, LENGTHS),
        count(
            "FIN Flag Count",
            Unit::Packets,
            |s| s.flag(FIN),
            words("Packets with FIN", "Пакеты с FIN"),
        ),
        count(
            "SYN Flag Count",
            Unit::Packets,
            |s| s.flag(SYN),
            words("Packets with SYN", "Пакеты с SYN"),
        ),
        count(
            "RST Flag Count",
            Unit::Packets,
            |s| s.flag(RST),
            words("Packets with RST", "Пакеты с RST"),
        ),
        count(
            "PSH Flag Count",
            Unit::Packets,
            |s| s.flag(PSH),
            words("Packets with PSH", "Пакеты с PSH"),
        ),
        count(
            "ACK Flag Count",
            Unit::Packets,
            |s| s.flag(ACK),
            words("Packets with ACK", "Пакеты с ACK"),
        ),
        count(
            "URG Flag Count",
            Unit::Packets,
            |s| s.flag(URG),
            words("Packets with URG", "Пакеты с URG"),
        ),
        count(
            "CWR Flag Count",
            Unit::Packets,
            |s| s.flag(CWR),
            words("Packets with CWR", "Пакеты с CWR"),
        ),
        count(
            "ECE Flag Count",
            Unit::Packets,
            |s| s.flag(ECE),
            words("Packets with ECE", "Пакеты с ECE"),
        ),
        number(
            "Down/Up Ratio",
            Unit::Ratio,
            |s| ratio(s.backward.lengths.n() as f64, s.forward.lengths.n() as f64),
            words(
                "Packets of the server over packets of the client",
                "Отношение числа пакетов сервера к числу пакетов клиента",
            ),
        ),
        take("Average Packet Size", Mean, LENGTHS),
        take("Fwd Segment Size Avg", Mean, CLIENT_LENGTHS),
        take("Bwd Segment Size Avg", Mean, SERVER_LENGTHS),
        number(
            "Fwd Bytes/Bulk Avg",
            Unit::Bytes,
            |s| bulk_bytes(&s.forward.bulks),
            words(
                "Mean payload bytes of the client's bulks",
                "Среднее байт полезной нагрузки в сериях клиента",
            ),
        ),
        number(
            "Fwd Packet/Bulk Avg",
            Unit::Packets,
            |s| bulk_packets(&s.forward.bulks),
            words("Mean packets of the client's bulks", "Среднее пакетов в сериях клиента"),
        ),
        number(
            "Fwd Bulk Rate Avg",
            Unit::BytesPerSecond,
            |s| bulk_rate(&s.forward.bulks),
            words(
                "Payload bytes of the client's bulks over their duration",
                "Байты полезной нагрузки серий клиента за их длительность",
            ),
        ),
        number(
            "Bwd Bytes/Bulk Avg",
            Unit::Bytes,
            |s| bulk_bytes(&s.backward.bulks),
            words(
                "Mean payload bytes of the server's bulks",
                "Среднее байт полезной нагрузки в сериях сервера",
            ),
        ),
        number(
            "Bwd Packet/Bulk Avg",
            Unit::Packets,
            |s| bulk_packets(&s.backward.bulks),
            words("Mean packets of the server's bulks", "Среднее пакетов в сериях сервера"),
        ),
        number(
            "Bwd Bulk Rate Avg",
            Unit::BytesPerSecond,
            |s| bulk_rate(&s.backward.bulks),
            words(
                "Payload bytes of the server's bulks over their duration",
                "Байты полезной нагрузки серий сервера за их длительность",
            ),
        ),
        number(
            "Subflow Fwd Packets",
            Unit::Packets,
            |s| ratio(s.forward.lengths.n() as f64, s.n_subflows as f64),
            words("Mean packets of the client in a subflow", "Среднее пакетов клиента в подпотоке"),
        ),
        number(
            "Subflow Fwd Bytes",
            Unit::Bytes,
            |s| ratio(s.forward.lengths.sum(), s.n_subflows as f64),
            words(
                "Mean payload bytes of the client in a subflow",
                "Среднее байт полезной нагрузки клиента в подпотоке",
            ),
        ),
        number(
            "Subflow Bwd Packets",
            Unit::Packets,
            |s| ratio(s.backward.lengths.n() as f64, s.n_subflows as f64),
            words("Mean packets of the server in a subflow", "Среднее пакетов сервера в подпотоке"),
        ),
        number(
            "Subflow Bwd Bytes",
            Unit::Bytes,
            |s| ratio(s.backward.lengths.sum(), s.n_subflows as f64),
            words(
                "Mean payload bytes of the server in a subflow",
                "Среднее байт полезной нагрузки сервера в подпотоке",
            ),
        ),
        number(
            "FWD Init Win Bytes",
            Unit::Bytes,
            |s| s.forward.first_window.map(f64::from),
            CLIENT_WINDOW,
        ),
        number(
            "Bwd Init Win Bytes",
            Unit::Bytes,
            |s| s.backward.first_window.map(f64::from),
            SERVER_WINDOW,
        ),
        count(
            "Fwd Act Data Pkts",
            Unit::Packets,
            |s| s.forward.n_data,
            words("Packets of the client with payload", "Пакеты клиента с полезной нагрузкой"),
        ),
        take("Fwd Seg Size Min", Min, CLIENT_HEADERS),
        take("Active Mean", Mean, ACTIVE),
        take("Active Std", Std, ACTIVE),
        take("Active Max", Max, ACTIVE),
        take("Active Min", Min, ACTIVE),
        take("Idle Mean", Mean, IDLE),
        take("Idle Std", Std, IDLE),
        take("Idle Max", Max, IDLE),
        take("Idle Min", Min, IDLE),
        label("Label"),
    ],
};

fn rate(sample: &Sample, count: f64) -> Option<f64> {
    ratio(count * 1e6, sample.duration_micros as f64)
}

fn bulk_bytes(bulks: &Bulks) -> Option<f64> {
    ratio(bulks.bytes as f64, bulks.n as f64)
}

fn bulk_packets(bulks: &Bulks) -> Option<f64> {
    ratio(bulks.packets as f64, bulks.n as f64)
}

fn bulk_rate(bulks: &Bulks) -> Option<f64> {
    ratio(bulks.bytes as f64 * 1e6, bulks.micros as f64)
}
