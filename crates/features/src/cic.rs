//! The columns of CICFlowMeter under its names, with what the names say.
//!
//! CICFlowMeter's own numbers have known errors (Engelen 2021, Lanvin 2022, Rosay 2022); these do not: directions are
//! those of the first packet, lengths are transport payload on the wire, deviations are sample deviations, ratios and
//! averages are not rounded, the last active period counts, and a quotient by nothing is no value.

use crate::{Feature, Sample, Schema, Semantics, Unit, sample::Bulks};

/// CICFlowMeter version 4: 76 numbers behind seven columns that say which flow it is.
pub const CIC: Schema = Schema {
    name: "cic",
    semantics: Semantics::Correct,
    idle_micros: 5_000_000,
    features: &[
        row("Flow Duration", Unit::Micros, |s| Some(s.duration_micros as f64)),
        row("Total Fwd Packet", Unit::Packets, |s| count(s.forward.lengths.n())),
        row("Total Bwd packets", Unit::Packets, |s| count(s.backward.lengths.n())),
        row("Total Length of Fwd Packet", Unit::Bytes, |s| s.total(&s.forward.lengths)),
        row("Total Length of Bwd Packet", Unit::Bytes, |s| s.total(&s.backward.lengths)),
        row("Fwd Packet Length Max", Unit::Bytes, |s| s.max(&s.forward.lengths)),
        row("Fwd Packet Length Min", Unit::Bytes, |s| s.min(&s.forward.lengths)),
        row("Fwd Packet Length Mean", Unit::Bytes, |s| s.mean(&s.forward.lengths)),
        row("Fwd Packet Length Std", Unit::Bytes, |s| s.std(&s.forward.lengths)),
        row("Bwd Packet Length Max", Unit::Bytes, |s| s.max(&s.backward.lengths)),
        row("Bwd Packet Length Min", Unit::Bytes, |s| s.min(&s.backward.lengths)),
        row("Bwd Packet Length Mean", Unit::Bytes, |s| s.mean(&s.backward.lengths)),
        row("Bwd Packet Length Std", Unit::Bytes, |s| s.std(&s.backward.lengths)),
        row("Flow Bytes/s", Unit::BytesPerSecond, |s| per_second(s, s.lengths.sum())),
        row("Flow Packets/s", Unit::PacketsPerSecond, |s| per_second(s, s.n_packets as f64)),
        row("Flow IAT Mean", Unit::Micros, |s| s.mean(&s.gaps)),
        row("Flow IAT Std", Unit::Micros, |s| s.std(&s.gaps)),
        row("Flow IAT Max", Unit::Micros, |s| s.max(&s.gaps)),
        row("Flow IAT Min", Unit::Micros, |s| s.min(&s.gaps)),
        row("Fwd IAT Total", Unit::Micros, |s| s.total(&s.forward.gaps)),
        row("Fwd IAT Mean", Unit::Micros, |s| s.mean(&s.forward.gaps)),
        row("Fwd IAT Std", Unit::Micros, |s| s.std(&s.forward.gaps)),
        row("Fwd IAT Max", Unit::Micros, |s| s.max(&s.forward.gaps)),
        row("Fwd IAT Min", Unit::Micros, |s| s.min(&s.forward.gaps)),
        row("Bwd IAT Total", Unit::Micros, |s| s.total(&s.backward.gaps)),
        row("Bwd IAT Mean", Unit::Micros, |s| s.mean(&s.backward.gaps)),
        row("Bwd IAT Std", Unit::Micros, |s| s.std(&s.backward.gaps)),
        row("Bwd IAT Max", Unit::Micros, |s| s.max(&s.backward.gaps)),
        row("Bwd IAT Min", Unit::Micros, |s| s.min(&s.backward.gaps)),
        row("Fwd PSH Flags", Unit::Packets, |s| count(s.forward.n_push)),
        row("Bwd PSH Flags", Unit::Packets, |s| count(s.backward.n_push)),
        row("Fwd URG Flags", Unit::Packets, |s| count(s.forward.n_urgent)),
        row("Bwd URG Flags", Unit::Packets, |s| count(s.backward.n_urgent)),
        row("Fwd Header Length", Unit::Bytes, |s| s.total(&s.forward.headers)),
        row("Bwd Header Length", Unit::Bytes, |s| s.total(&s.backward.headers)),
        row("Fwd Packets/s", Unit::PacketsPerSecond, |s| {
            per_second(s, s.forward.lengths.n() as f64)
        }),
        row("Bwd Packets/s", Unit::PacketsPerSecond, |s| {
            per_second(s, s.backward.lengths.n() as f64)
        }),
        row("Packet Length Min", Unit::Bytes, |s| s.min(&s.lengths)),
        row("Packet Length Max", Unit::Bytes, |s| s.max(&s.lengths)),
        row("Packet Length Mean", Unit::Bytes, |s| s.mean(&s.lengths)),
        row("Packet Length Std", Unit::Bytes, |s| s.std(&s.lengths)),
        row("Packet Length Variance", Unit::SquareBytes, |s| s.variance(&s.lengths)),
        row("FIN Flag Count", Unit::Packets, |s| flag(s, 0)),
        row("SYN Flag Count", Unit::Packets, |s| flag(s, 1)),
        row("RST Flag Count", Unit::Packets, |s| flag(s, 2)),
        row("PSH Flag Count", Unit::Packets, |s| flag(s, 3)),
        row("ACK Flag Count", Unit::Packets, |s| flag(s, 4)),
        row("URG Flag Count", Unit::Packets, |s| flag(s, 5)),
        row("CWR Flag Count", Unit::Packets, |s| flag(s, 7)),
        row("ECE Flag Count", Unit::Packets, |s| flag(s, 6)),
        row("Down/Up Ratio", Unit::Ratio, |s| {
            ratio(s.backward.lengths.n() as f64, s.forward.lengths.n() as f64)
        }),
        row("Average Packet Size", Unit::Bytes, |s| s.mean(&s.lengths)),
        row("Fwd Segment Size Avg", Unit::Bytes, |s| s.mean(&s.forward.lengths)),
        row("Bwd Segment Size Avg", Unit::Bytes, |s| s.mean(&s.backward.lengths)),
        row("Fwd Bytes/Bulk Avg", Unit::Bytes, |s| {
            ratio(s.forward.bulks.bytes as f64, s.forward.bulks.n as f64)
        }),
        row("Fwd Packet/Bulk Avg", Unit::Packets, |s| {
            ratio(s.forward.bulks.packets as f64, s.forward.bulks.n as f64)
        }),
        row("Fwd Bulk Rate Avg", Unit::BytesPerSecond, |s| bulk_rate(&s.forward.bulks)),
        row("Bwd Bytes/Bulk Avg", Unit::Bytes, |s| {
            ratio(s.backward.bulks.bytes as f64, s.backward.bulks.n as f64)
        }),
        row("Bwd Packet/Bulk Avg", Unit::Packets, |s| {
            ratio(s.backward.bulks.packets as f64, s.backward.bulks.n as f64)
        }),
        row("Bwd Bulk Rate Avg", Unit::BytesPerSecond, |s| bulk_rate(&s.backward.bulks)),
        row("Subflow Fwd Packets", Unit::Packets, |s| {
            ratio(s.forward.lengths.n() as f64, s.n_subflows as f64)
        }),
        row("Subflow Fwd Bytes", Unit::Bytes, |s| {
            ratio(s.forward.lengths.sum(), s.n_subflows as f64)
        }),
        row("Subflow Bwd Packets", Unit::Packets, |s| {
            ratio(s.backward.lengths.n() as f64, s.n_subflows as f64)
        }),
        row("Subflow Bwd Bytes", Unit::Bytes, |s| {
            ratio(s.backward.lengths.sum(), s.n_subflows as f64)
        }),
        row("Fwd Act Data Pkts", Unit::Packets, |s| count(s.forward.n_data)),
        row("Fwd Seg Size Min", Unit::Bytes, |s| s.min(&s.forward.headers)),
        row("Active Mean", Unit::Micros, |s| s.mean(&s.active)),
        row("Active Std", Unit::Micros, |s| s.std(&s.active)),
        row("Active Max", Unit::Micros, |s| s.max(&s.active)),
        row("Active Min", Unit::Micros, |s| s.min(&s.active)),
        row("Idle Mean", Unit::Micros, |s| s.mean(&s.idle)),
        row("Idle Std", Unit::Micros, |s| s.std(&s.idle)),
        row("Idle Max", Unit::Micros, |s| s.max(&s.idle)),
        row("Idle Min", Unit::Micros, |s| s.min(&s.idle)),
    ],
};

const fn row(name: &'static str, unit: Unit, of: fn(&Sample) -> Option<f64>) -> Feature {
    Feature { name, unit, of }
}

fn count(n: u64) -> Option<f64> {
    Some(n as f64)
}

fn flag(sample: &Sample, bit: usize) -> Option<f64> {
    sample.flags.get(bit).map(|it| *it as f64)
}

fn ratio(of: f64, by: f64) -> Option<f64> {
    (by != 0.0).then(|| of / by)
}

fn per_second(sample: &Sample, count: f64) -> Option<f64> {
    ratio(count * 1e6, sample.duration_micros as f64)
}

fn bulk_rate(bulks: &Bulks) -> Option<f64> {
    ratio(bulks.bytes as f64 * 1e6, bulks.micros as f64)
}

#[cfg(test)]
mod tests {
    use capture::Timestamp;
    use flow::{Direction, Step, Timeline};

    use super::*;
    use crate::vector;

    /// A packet as the slow and plain computation sees it.
    #[derive(Clone, Copy)]
    struct Plain {
        micros: i64,
        is_forward: bool,
        payload: i64,
        header: i64,
        flags: u8,
    }

    /// Flows of all shapes from a number: long and short gaps, bulks, one direction only, out of order.
    fn packets(seed: u64) -> Vec<Plain> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let (n, turn) = (1 + random(40), 1 + random(9));
        let mut micros = 1_600_000_000_000_000;
        let mut is_forward = true;
        let mut packets = Vec::new();
        for _ in 0..n {
            packets.push(Plain {
                micros,
                is_forward,
                payload: if random(3) == 0 { 0 } else { random(1_400) as i64 },
                header: 28 + 4 * random(12) as i64,
                flags: random(256) as u8,
            });
            micros += match random(12) {
                0 => random(9_000_000) as i64,
                1 => 1_000_000,
                2 => 5_000_000,
                3 => -(random(500) as i64),
                _ => random(200_000) as i64,
            };
            is_forward ^= random(turn) == 0;
        }
        packets
    }

    fn timeline(packets: &[Plain]) -> Timeline {
        let step = |it: &Plain| Step {
            time: Timestamp(it.micros as u64 * 1_000),
            direction: if it.is_forward { Direction::Forward } else { Direction::Backward },
            frame_len: (it.payload + it.header) as u32 + 14,
            ip_len: (it.payload + it.header) as u32,
            payload_len: it.payload as u32,
            flags: it.flags,
            is_carrier: false,
        };
        packets.iter().map(step).collect()
    }

    fn mean(of: &[i64]) -> Option<f64> {
        (!of.is_empty()).then(|| of.iter().sum::<i64>() as f64 / of.len() as f64)
    }

    fn variance(of: &[i64]) -> Option<f64> {
        let mean = mean(of)?;
        let squares: f64 = of.iter().map(|it| (*it as f64 - mean).powi(2)).sum();
        Some(if of.len() == 1 { 0.0 } else { squares / (of.len() - 1) as f64 })
    }

    fn gaps(packets: &[Plain]) -> Vec<i64> {
        packets.windows(2).map(|it| it[1].micros - it[0].micros).collect()
    }

    /// Splits where `is_end` says that a packet ends what the one before it belongs to.
    fn split(packets: &[Plain], is_end: impl Fn(&Plain, &Plain) -> bool) -> Vec<Vec<Plain>> {
        let mut parts: Vec<Vec<Plain>> = Vec::new();
        for packet in packets {
            match parts.last_mut() {
                Some(part) if !is_end(&part[part.len() - 1], packet) => part.push(*packet),
                _ => parts.push(vec![*packet]),
            }
        }
        parts
    }

    /// A column, by its name, the slow way.
    fn plainly(name: &str, packets: &[Plain]) -> Option<f64> {
        let side = |is_forward: bool| -> Vec<Plain> {
            packets.iter().filter(|it| it.is_forward == is_forward).copied().collect()
        };
        let duration = packets[packets.len() - 1].micros - packets[0].micros;
        let over = |a: f64, b: f64| (b != 0.0).then(|| a / b);
        let of = if name.to_lowercase().contains("fwd") { side(true) } else { side(false) };
        let lengths = |of: &[Plain]| of.iter().map(|it| it.payload).collect::<Vec<_>>();
        let headers: Vec<i64> = of.iter().map(|it| it.header).collect();
        let sum = |of: &[i64]| Some(of.iter().sum::<i64>() as f64);
        let flagged =
            |of: &[Plain], bit: u8| Some(of.iter().filter(|it| it.flags & bit != 0).count() as f64);
        let statistic = |name: &str, of: &[i64]| match name {
            "Total" => sum(of),
            "Mean" | "Avg" => mean(of),
            "Std" => variance(of).map(f64::sqrt),
            "Variance" => variance(of),
            "Max" => of.iter().max().map(|it| *it as f64),
            "Min" => of.iter().min().map(|it| *it as f64),
            _ => panic!("{name}"),
        };
        let last = name.rsplit(' ').next().unwrap();
        let subflows = split(packets, |a, b| b.micros - a.micros > 1_000_000).len() as f64;
        let with_data: Vec<Plain> = packets.iter().filter(|it| it.payload > 0).copied().collect();
        let runs = split(&with_data, |a, b| {
            a.is_forward != b.is_forward || b.micros - a.micros > 1_000_000
        });
        let bulks: Vec<&Vec<Plain>> = runs
            .iter()
            .filter(|it| it.len() >= 4 && it[0].is_forward == name.starts_with("Fwd"))
            .collect();
        let n_bulks = bulks.len() as f64;
        let bulk_bytes: i64 = bulks.iter().flat_map(|it| it.iter()).map(|it| it.payload).sum();
        let bulk_micros: i64 = bulks.iter().map(|it| it[it.len() - 1].micros - it[0].micros).sum();
        let active = split(packets, |a, b| b.micros - a.micros > 5_000_000);
        let active: Vec<i64> =
            active.iter().map(|it| it[it.len() - 1].micros - it[0].micros).collect();
        let idle: Vec<i64> = gaps(packets).into_iter().filter(|it| *it > 5_000_000).collect();
        let flags = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
        match name {
            "Flow Duration" => Some(duration as f64),
            "Flow Bytes/s" => over(sum(&lengths(packets))? * 1e6, duration as f64),
            "Flow Packets/s" => over(packets.len() as f64 * 1e6, duration as f64),
            "Fwd Packets/s" | "Bwd Packets/s" => over(of.len() as f64 * 1e6, duration as f64),
            "Total Fwd Packet" | "Total Bwd packets" => Some(of.len() as f64),
            "Down/Up Ratio" => over(side(false).len() as f64, side(true).len() as f64),
            "Average Packet Size" => mean(&lengths(packets)),
            "Fwd Act Data Pkts" => Some(of.iter().filter(|it| it.payload > 0).count() as f64),
            "Fwd Seg Size Min" => statistic("Min", &headers),
            _ if name.ends_with("Flag Count") => {
                let bit = flags.iter().position(|it| name.starts_with(it)).unwrap();
                flagged(packets, 1 << bit)
            }
            _ if name.ends_with("PSH Flags") => flagged(&of, 8),
            _ if name.ends_with("URG Flags") => flagged(&of, 32),
            _ if name.ends_with("Header Length") => sum(&headers),
            _ if name.starts_with("Total Length") => sum(&lengths(&of)),
            _ if name.starts_with("Flow IAT") => statistic(last, &gaps(packets)),
            _ if name.contains(" IAT ") => statistic(last, &gaps(&of)),
            _ if name.starts_with("Packet Length") => statistic(last, &lengths(packets)),
            _ if name.contains("Packet Length") => statistic(last, &lengths(&of)),
            _ if name.contains("Segment Size") => statistic(last, &lengths(&of)),
            _ if name.ends_with("Bytes/Bulk Avg") => over(bulk_bytes as f64, n_bulks),
            _ if name.ends_with("Packet/Bulk Avg") => {
                over(bulks.iter().map(|it| it.len()).sum::<usize>() as f64, n_bulks)
            }
            _ if name.ends_with("Bulk Rate Avg") => {
                over(bulk_bytes as f64 * 1e6, bulk_micros as f64)
            }
            _ if name.starts_with("Subflow") && last == "Packets" => {
                over(of.len() as f64, subflows)
            }
            _ if name.starts_with("Subflow") => over(sum(&lengths(&of))?, subflows),
            _ if name.starts_with("Active") && packets.len() > 1 => statistic(last, &active),
            _ if name.starts_with("Active") => None,
            _ if name.starts_with("Idle") => statistic(last, &idle),
            _ => panic!("{name}"),
        }
    }

    #[test]
    fn every_column_is_what_a_slow_and_plain_computation_gives() {
        for seed in 0..2_000 {
            let packets = packets(seed);
            let values = vector(&CIC, &timeline(&packets));
            for (feature, value) in CIC.features.iter().zip(values) {
                let expected = plainly(feature.name, &packets);
                let is_same = match (value, expected) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
                    (a, b) => a == b,
                };
                assert!(is_same, "{}, seed {seed}: {value:?}, not {expected:?}", feature.name);
            }
        }
    }
}
