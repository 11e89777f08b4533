//! What a flow record of a router would say (NetFlow), without features for learning.

use crate::{
    Rows, Schema, Semantics, Unit,
    column::words,
    identity::{
        DESTINATION_IP, DESTINATION_PORT, FIRST, FLOW_NUMBER, LAST, PROTOCOL, SOURCE_IP,
        SOURCE_PORT,
    },
    iscx::NETMATE_IDLE,
    measure::{CLIENT_IP_BYTES, CLIENT_PACKETS, SERVER_IP_BYTES, SERVER_PACKETS, count, label},
};

/// Who spoke with whom, when, and how much.
pub const BASIC: Schema = Schema {
    name: "basic",
    what: words(
        "who spoke with whom, when and how much, as a router's flow record says it",
        "кто с кем говорил, когда и сколько, как в записи о потоке у маршрутизатора",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    columns: &[
        FLOW_NUMBER.named("flow_id"),
        SOURCE_IP.named("client_ip"),
        DESTINATION_IP.named("server_ip"),
        SOURCE_PORT.named("client_port"),
        DESTINATION_PORT.named("server_port"),
        PROTOCOL.named("ip_protocol"),
        FIRST.named("time_start"),
        LAST.named("time_end"),
        count("client_packets", Unit::Packets, |s| s.forward.lengths.n(), CLIENT_PACKETS),
        count("server_packets", Unit::Packets, |s| s.backward.lengths.n(), SERVER_PACKETS),
        CLIENT_IP_BYTES,
        SERVER_IP_BYTES,
        count(
            "client_tcp_flags",
            Unit::None,
            |s| s.forward.flags().into(),
            words(
                "TCP flags of any packet of the client, as a sum: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128",
                "Флаги TCP всех пакетов клиента суммой: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128",
            ),
        ),
        count(
            "server_tcp_flags",
            Unit::None,
            |s| s.backward.flags().into(),
            words(
                "TCP flags of any packet of the server, as a sum",
                "Флаги TCP всех пакетов сервера суммой",
            ),
        ),
        label("label"),
    ],
};
