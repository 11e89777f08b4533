//! The time-based features of the published data set ISCXVPN2016, as published and as defined.

use crate::{
    Column, Rows, Schema, Semantics,
    Take::{Max, Mean, Min, Std, Total},
    Unit,
    column::words,
    measure::{ACTIVE, CLIENT_GAPS, GAPS, IDLE, SERVER_GAPS, label, number, take},
};

/// The idle threshold of netmate, kept by ISCXFlowMeter, in microseconds.
pub(crate) const NETMATE_IDLE: i64 = 1_000_000;

pub(crate) const DURATION: Column = number(
    "duration",
    Unit::Micros,
    |s| Some(s.duration_micros as f64),
    words("From the first to the last packet", "От первого до последнего пакета"),
);
const TOTAL_FIAT: Column = take("total_fiat", Total, CLIENT_GAPS);
const TOTAL_BIAT: Column = take("total_biat", Total, SERVER_GAPS);
const MIN_FIAT: Column = take("min_fiat", Min, CLIENT_GAPS);
const MIN_BIAT: Column = take("min_biat", Min, SERVER_GAPS);
const MAX_FIAT: Column = take("max_fiat", Max, CLIENT_GAPS);
const MAX_BIAT: Column = take("max_biat", Max, SERVER_GAPS);
const MEAN_FIAT: Column = take("mean_fiat", Mean, CLIENT_GAPS);
const MEAN_BIAT: Column = take("mean_biat", Mean, SERVER_GAPS);
const PACKET_RATE: Column = number(
    "flowPktsPerSecond",
    Unit::PacketsPerSecond,
    |s| s.per_second(s.n_packets),
    words("Packets of both sides over the duration", "Пакеты обеих сторон за длительность"),
);
const BYTE_RATE: Column = number(
    "flowBytesPerSecond",
    Unit::BytesPerSecond,
    |s| s.per_second(s.ip_bytes),
    words(
        "IP header and payload bytes of both sides over the duration",
        "Байты заголовка и нагрузки IP обеих сторон за длительность",
    ),
);
const MIN_FLOWIAT: Column = take("min_flowiat", Min, GAPS);
const MAX_FLOWIAT: Column = take("max_flowiat", Max, GAPS);
const MEAN_FLOWIAT: Column = take("mean_flowiat", Mean, GAPS);
const STD_FLOWIAT: Column = take("std_flowiat", Std, GAPS);
const MIN_ACTIVE: Column = take("min_active", Min, ACTIVE);
const MEAN_ACTIVE: Column = take("mean_active", Mean, ACTIVE);
const MAX_ACTIVE: Column = take("max_active", Max, ACTIVE);
const STD_ACTIVE: Column = take("std_active", Std, ACTIVE);
const MIN_IDLE: Column = take("min_idle", Min, IDLE);
const MEAN_IDLE: Column = take("mean_idle", Mean, IDLE);
const MAX_IDLE: Column = take("max_idle", Max, IDLE);
const STD_IDLE: Column = take("std_idle", Std, IDLE);

/// The right 25: the book's 23 columns under their names with what the names say, and the two that complete them.
///
/// fiat and biat are the gaps between packets of the client and of the server, flowiat those between any packets. A gap
/// over one second is idle and ends an active period.
pub(crate) const RIGHT: [Column; 25] = [
    DURATION,
    TOTAL_FIAT,
    TOTAL_BIAT,
    MIN_FIAT,
    MIN_BIAT,
    MAX_FIAT,
    MAX_BIAT,
    MEAN_FIAT,
    MEAN_BIAT,
    take("std_fiat", Std, CLIENT_GAPS),
    take("std_biat", Std, SERVER_GAPS),
    PACKET_RATE,
    BYTE_RATE,
    MIN_FLOWIAT,
    MAX_FLOWIAT,
    MEAN_FLOWIAT,
    STD_FLOWIAT,
    MIN_ACTIVE,
    MEAN_ACTIVE,
    MAX_ACTIVE,
    STD_ACTIVE,
    MIN_IDLE,
    MEAN_IDLE,
    MAX_IDLE,
    STD_IDLE,
];

/// ISCXVPN2016, scenarios A1 and B, as published, and so the book's table: 23 columns.
///
/// The names of the columns 2 to 9 are the file's; what they hold is shifted, as it is there: `total_*` holds the
/// least gap, `min_*` the greatest, `max_*` the mean, `mean_*` the standard deviation.
pub const ISCX_B: Schema = Schema {
    name: "iscx-b",
    what: words(
        "23 features as published in ISCXVPN2016 (A1, B): shifted names kept",
        "23 признака, как опубликованы в ISCXVPN2016 (A1, B), сдвиг названий сохранён",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Published,
    idle_micros: NETMATE_IDLE,
    columns: &[
        DURATION,
        take("total_fiat", Min, CLIENT_GAPS),
        take("total_biat", Min, SERVER_GAPS),
        take("min_fiat", Max, CLIENT_GAPS),
        take("min_biat", Max, SERVER_GAPS),
        take("max_fiat", Mean, CLIENT_GAPS),
        take("max_biat", Mean, SERVER_GAPS),
        take("mean_fiat", Std, CLIENT_GAPS),
        take("mean_biat", Std, SERVER_GAPS),
        PACKET_RATE,
        BYTE_RATE,
        MIN_FLOWIAT,
        MAX_FLOWIAT,
        MEAN_FLOWIAT,
        STD_FLOWIAT,
        MIN_ACTIVE,
        MEAN_ACTIVE,
        MAX_ACTIVE,
        STD_ACTIVE,
        MIN_IDLE,
        MEAN_IDLE,
        MAX_IDLE,
        STD_IDLE,
        label("class1"),
    ],
};

/// ISCXVPN2016, scenario A2, as published: the same 23 names, here holding what they say.
pub const ISCX_A2: Schema = Schema {
    name: "iscx-a2",
    what: words(
        "23 features as published in ISCXVPN2016 (A2)",
        "23 признака, как опубликованы в ISCXVPN2016 (A2)",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Published,
    idle_micros: NETMATE_IDLE,
    columns: &[
        DURATION,
        TOTAL_FIAT,
        TOTAL_BIAT,
        MIN_FIAT,
        MIN_BIAT,
        MAX_FIAT,
        MAX_BIAT,
        MEAN_FIAT,
        MEAN_BIAT,
        PACKET_RATE,
        BYTE_RATE,
        MIN_FLOWIAT,
        MAX_FLOWIAT,
        MEAN_FLOWIAT,
        STD_FLOWIAT,
        MIN_ACTIVE,
        MEAN_ACTIVE,
        MAX_ACTIVE,
        STD_ACTIVE,
        MIN_IDLE,
        MEAN_IDLE,
        MAX_IDLE,
        STD_IDLE,
        label("class1"),
    ],
};
