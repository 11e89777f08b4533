//! The columns of nfstream under its names, computed as it computes them, so that what was learned from its tables can be
//! asked of our flows.
//!
//! Sources: nfstream 6.6, `nfstream/flow.py` and `meter.py`, and its output (`tests/examples/nfstream.rs` compares).
//! `src2dst` is what the sender of the first packet sends; a size is that of the frame; times are cut to whole milliseconds
//! and never earlier than the one before; what there is nothing to compute from is 0; deviations are sample deviations.
//! It differs where nfstream lets time go on over all flows of a capture, and where it takes a fragment for a packet.

use flow::flags::{ACK, CWR, ECE, FIN, PSH, RST, SYN, URG};

use crate::{
    Column, Rows, Schema, Semantics,
    Take::{Max, Mean, Min, Std, Total},
    Unit,
    column::words,
    identity::{DESTINATION_IP, DESTINATION_PORT, FLOW_NUMBER, PROTOCOL, SOURCE_IP, SOURCE_PORT},
    measure::{Measure, count, joined, label, measure, take},
};

/// nfstream's 57 statistics after the end of a flow (`statistical_analysis`); without those of its dissection.
pub const NFSTREAM: Schema = Schema {
    name: "nfstream",
    what: words(
        "the statistics of nfstream, frames and whole milliseconds as it counts them",
        "статистики nfstream, кадры и целые миллисекунды, как он их считает",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Nfstream,
    // It knows no idle times.
    idle_micros: i64::MAX,
    columns: &COLUMNS,
};

const COLUMNS: [Column;
    IDENTITY.len() + COUNTS.len() + SIZES.len() + GAPS.len() + FLAGS.len() + 1] =
    joined(&[IDENTITY, COUNTS, SIZES, GAPS, FLAGS, &[label("label")]]);

const IDENTITY: &[Column] = &[
    FLOW_NUMBER.named("id"),
    SOURCE_IP.named("src_ip"),
    SOURCE_PORT.named("src_port"),
    DESTINATION_IP.named("dst_ip"),
    DESTINATION_PORT.named("dst_port"),
    PROTOCOL.named("protocol"),
];

const FRAMES: Measure = measure(
    Unit::Bytes,
    |s| &s.frame_lens,
    words("the lengths of all frames", "длины всех кадров"),
);
const SOURCE_FRAMES: Measure = measure(
    Unit::Bytes,
    |s| &s.forward.frame_lens,
    words(
        "the lengths of frames from the sender of the first packet",
        "длины кадров отправителя первого пакета",
    ),
);
const DESTINATION_FRAMES: Measure = measure(
    Unit::Bytes,
    |s| &s.backward.frame_lens,
    words("the lengths of frames from the other side", "длины кадров другой стороны"),
);
const MILLIS: Measure = measure(
    Unit::Millis,
    |s| &s.gaps,
    words(
        "the gaps between successive packets, in whole milliseconds",
        "промежутки между соседними пакетами в целых миллисекундах",
    ),
);
const SOURCE_MILLIS: Measure = measure(
    Unit::Millis,
    |s| &s.forward.gaps,
    words(
        "the gaps between packets from the sender of the first one, in whole milliseconds",
        "промежутки между пакетами отправителя первого пакета в целых миллисекундах",
    ),
);
const DESTINATION_MILLIS: Measure = measure(
    Unit::Millis,
    |s| &s.backward.gaps,
    words(
        "the gaps between packets from the other side, in whole milliseconds",
        "промежутки между пакетами другой стороны в целых миллисекундах",
    ),
);

const COUNTS: &[Column] = &[
    take("bidirectional_duration_ms", Total, MILLIS),
    count(
        "bidirectional_packets",
        Unit::Packets,
        |s| s.n_packets,
        words("Packets of both sides", "Пакеты обеих сторон"),
    ),
    take("bidirectional_bytes", Total, FRAMES),
    take("src2dst_duration_ms", Total, SOURCE_MILLIS),
    count(
        "src2dst_packets",
        Unit::Packets,
        |s| s.forward.frame_lens.n(),
        words("Packets from the sender of the first one", "Пакеты отправителя первого пакета"),
    ),
    take("src2dst_bytes", Total, SOURCE_FRAMES),
    take("dst2src_duration_ms", Total, DESTINATION_MILLIS),
    count(
        "dst2src_packets",
        Unit::Packets,
        |s| s.backward.frame_lens.n(),
        words("Packets from the other side", "Пакеты другой стороны"),
    ),
    take("dst2src_bytes", Total, DESTINATION_FRAMES),
];

const SIZES: &[Column] = &[
    take("bidirectional_min_ps", Min, FRAMES),
    take("bidirectional_mean_ps", Mean, FRAMES),
    take("bidirectional_stddev_ps", Std, FRAMES),
    take("bidirectional_max_ps", Max, FRAMES),
    take("src2dst_min_ps", Min, SOURCE_FRAMES),
    take("src2dst_mean_ps", Mean, SOURCE_FRAMES),
    take("src2dst_stddev_ps", Std, SOURCE_FRAMES),
    take("src2dst_max_ps", Max, SOURCE_FRAMES),
    take("dst2src_min_ps", Min, DESTINATION_FRAMES),
    take("dst2src_mean_ps", Mean, DESTINATION_FRAMES),
    take("dst2src_stddev_ps", Std, DESTINATION_FRAMES),
    take("dst2src_max_ps", Max, DESTINATION_FRAMES),
];

const GAPS: &[Column] = &[
    take("bidirectional_min_piat_ms", Min, MILLIS),
    take("bidirectional_mean_piat_ms", Mean, MILLIS),
    take("bidirectional_stddev_piat_ms", Std, MILLIS),
    take("bidirectional_max_piat_ms", Max, MILLIS),
    take("src2dst_min_piat_ms", Min, SOURCE_MILLIS),
    take("src2dst_mean_piat_ms", Mean, SOURCE_MILLIS),
    take("src2dst_stddev_piat_ms", Std, SOURCE_MILLIS),
    take("src2dst_max_piat_ms", Max, SOURCE_MILLIS),
    take("dst2src_min_piat_ms", Min, DESTINATION_MILLIS),
    take("dst2src_mean_piat_ms", Mean, DESTINATION_MILLIS),
    take("dst2src_stddev_piat_ms", Std, DESTINATION_MILLIS),
    take("dst2src_max_piat_ms", Max, DESTINATION_MILLIS),
];

const FLAGS: &[Column] = &[
    count(
        "bidirectional_syn_packets",
        Unit::Packets,
        |s| s.flag(SYN),
        words("Packets with SYN", "Пакеты с SYN"),
    ),
    count(
        "bidirectional_cwr_packets",
        Unit::Packets,
        |s| s.flag(CWR),
        words("Packets with CWR", "Пакеты с CWR"),
    ),
    count(
        "bidirectional_ece_packets",
        Unit::Packets,
        |s| s.flag(ECE),
        words("Packets with ECE", "Пакеты с ECE"),
    ),
    count(
        "bidirectional_urg_packets",
        Unit::Packets,
        |s| s.flag(URG),
        words("Packets with URG", "Пакеты с URG"),
    ),
    count(
        "bidirectional_ack_packets",
        Unit::Packets,
        |s| s.flag(ACK),
        words("Packets with ACK", "Пакеты с ACK"),
    ),
    count(
        "bidirectional_psh_packets",
        Unit::Packets,
        |s| s.flag(PSH),
        words("Packets with PSH", "Пакеты с PSH"),
    ),
    count(
        "bidirectional_rst_packets",
        Unit::Packets,
        |s| s.flag(RST),
        words("Packets with RST", "Пакеты с RST"),
    ),
    count(
        "bidirectional_fin_packets",
        Unit::Packets,
        |s| s.flag(FIN),
        words("Packets with FIN", "Пакеты с FIN"),
    ),
    count(
        "src2dst_syn_packets",
        Unit::Packets,
        |s| s.forward.flag(SYN),
        words(
            "Packets with SYN from the sender of the first one",
            "Пакеты с SYN от отправителя первого пакета",
        ),
    ),
    count(
        "src2dst_cwr_packets",
        Unit::Packets,
        |s| s.forward.flag(CWR),
        words(
            "Packets with CWR from the sender of the first one",
            "Пакеты с CWR от отправителя первого пакета",
        ),
    ),
    count(
        "src2dst_ece_packets",
        Unit::Packets,
        |s| s.forward.flag(ECE),
        words(
            "Packets with ECE from the sender of the first one",
            "Пакеты с ECE от отправителя первого пакета",
        ),
    ),
    count(
        "src2dst_urg_packets",
        Unit::Packets,
        |s| s.forward.flag(URG),
        words(
            "Packets with URG from the sender of the first one",
            "Пакеты с URG от отправителя первого пакета",
        ),
    ),
    count(
        "src2dst_ack_packets",
        Unit::Packets,
        |s| s.forward.flag(ACK),
        words(
            "Packets with ACK from the sender of the first one",
            "Пакеты с ACK от отправителя первого пакета",
        ),
    ),
    count(
        "src2dst_psh_packets",
        Unit::Packets,
        |s| s.forward.flag(PSH),
        words(
            "Packets with PSH from the sender of the first one",
            "Пакеты с PSH от отправителя первого пакета",
        ),
    ),
    count(
        "src2dst_rst_packets",
        Unit::Packets,
        |s| s.forward.flag(RST),
        words(
            "Packets with RST from the sender of the first one",
            "Пакеты с RST от отправителя первого пакета",
        ),
    ),
    count(
        "src2dst_fin_packets",
        Unit::Packets,
        |s| s.forward.flag(FIN),
        words(
            "Packets with FIN from the sender of the first one",
            "Пакеты с FIN от отправителя первого пакета",
        ),
    ),
    count(
        "dst2src_syn_packets",
        Unit::Packets,
        |s| s.backward.flag(SYN),
        words("Packets with SYN from the other side", "Пакеты с SYN от другой стороны"),
    ),
    count(
        "dst2src_cwr_packets",
        Unit::Packets,
        |s| s.backward.flag(CWR),
        words("Packets with CWR from the other side", "Пакеты с CWR от другой стороны"),
    ),
    count(
        "dst2src_ece_packets",
        Unit::Packets,
        |s| s.backward.flag(ECE),
        words("Packets with ECE from the other side", "Пакеты с ECE от другой стороны"),
    ),
    count(
        "dst2src_urg_packets",
        Unit::Packets,
        |s| s.backward.flag(URG),
        words("Packets with URG from the other side", "Пакеты с URG от другой стороны"),
    ),
    count(
        "dst2src_ack_packets",
        Unit::Packets,
        |s| s.backward.flag(ACK),
        words("Packets with ACK from the other side", "Пакеты с ACK от другой стороны"),
    ),
    count(
        "dst2src_psh_packets",
        Unit::Packets,
        |s| s.backward.flag(PSH),
        words("Packets with PSH from the other side", "Пакеты с PSH от другой стороны"),
    ),
    count(
        "dst2src_rst_packets",
        Unit::Packets,
        |s| s.backward.flag(RST),
        words("Packets with RST from the other side", "Пакеты с RST от другой стороны"),
    ),
    count(
        "dst2src_fin_packets",
        Unit::Packets,
        |s| s.backward.flag(FIN),
        words("Packets with FIN from the other side", "Пакеты с FIN от другой стороны"),
    ),
];
