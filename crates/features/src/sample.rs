//! One pass over a timeline: the gaps, periods, sizes and counts all features are computed from.

use flow::{Direction, SideHealth, Step, marks};

use crate::{Dialogue, Merged, Schema, Statistics, order::InOrder};

/// A gap longer than so many microseconds ends a subflow and a bulk (CICFlowMeter).
const SUBFLOW_MICROS: i64 = 1_000_000;
/// So many packets with payload one way make a bulk (CICFlowMeter).
const BULK_PACKETS: u64 = 4;

/// How numbers are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// As defined: `None` where there is nothing, sample deviation, active periods without the idle gap after them,
    /// the last one included; packets that the capture holds in the wrong order are put right within a window of 64.
    Correct,
    /// As in the published files: −1 for an absent least or greatest, 0 for an absent mean; a deviation whose sum of
    /// squares starts at −1; active periods that include the idle gap after them, the last one dropped.
    Published,
    /// As nfstream has it: packets in the order of the capture, forward what the one sends who sends the first of them,
    /// gaps in milliseconds of times cut to those and never earlier than the one before, and 0 for what is absent.
    Nfstream,
}

impl Semantics {
    /// The unit of gaps, in microseconds.
    fn tick_micros(self) -> i64 {
        match self {
            Self::Correct | Self::Published => 1,
            Self::Nfstream => 1_000,
        }
    }
}

/// How many packets from the start are kept one by one.
pub const N_FIRST: usize = 32;

/// What one pass over the packets gives every feature.
#[derive(Clone, Debug)]
pub struct Sample {
    /// How numbers are computed.
    pub semantics: Semantics,
    /// First to last packet, in microseconds; as published in capture order, and negative where that is wrong.
    pub duration_micros: i64,
    /// Packets of both directions.
    pub n_packets: u64,
    /// IP header and payload bytes of all packets.
    pub ip_bytes: u64,
    /// What the client sent; as published, who sent the first packet of the flow.
    pub forward: Side,
    /// What the server sent.
    pub backward: Side,
    /// Gaps between all packets, in microseconds; those of nfstream in milliseconds.
    pub gaps: Statistics,
    /// All frames on the wire, in bytes; only counted for nfstream.
    pub frame_lens: Statistics,
    /// Transport payload of all packets, in bytes.
    pub lengths: Statistics,
    /// Periods without an idle gap.
    pub active: Statistics,
    /// Gaps longer than the schema's threshold.
    pub idle: Statistics,
    /// Parts of the flow between gaps of more than a second.
    pub n_subflows: u64,
    /// The first packets, as far as there are so many.
    first: [Option<First>; N_FIRST],
    /// What the two sides say to each other, in the order of their packets.
    pub dialogue: Dialogue,
    /// What the flows of a session are to each other; of a flow it stays empty.
    pub merged: Merged,
}

/// One of the first packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct First {
    /// IP header and payload bytes; negative where the server sent it.
    pub signed_ip_bytes: i64,
    /// Since the packet before, in microseconds; 0 of the first.
    pub gap_micros: i64,
}

/// One direction of a flow.
#[derive(Clone, Copy, Debug, Default)]
pub struct Side {
    /// Gaps between its packets, in microseconds; those of nfstream in milliseconds.
    pub gaps: Statistics,
    /// Its frames on the wire, in bytes; only counted for nfstream.
    pub frame_lens: Statistics,
    /// Transport payload of its packets, in bytes.
    pub lengths: Statistics,
    /// IP and transport headers of its packets, in bytes.
    pub headers: Statistics,
    /// IP header and payload of its packets, in bytes.
    pub ip_lens: Statistics,
    /// Transport payload of its packets that have any, in bytes.
    pub payloads: Statistics,
    /// Its packets with payload.
    pub n_data: u64,
    /// Its TCP segments whose payload was all sent before.
    pub n_resent: u64,
    /// Its TCP segments that tell the other side to stop sending.
    pub n_zero_windows: u64,
    /// Its packets with each TCP flag, by bit: FIN first, CWR last.
    flags: [u64; 8],
    /// Its bulks.
    pub bulks: Bulks,
    /// The window of its first TCP segment, unscaled; of a piece that of its flow.
    pub first_window: Option<u16>,
    /// How its side of an established TCP connection fared; nothing of a piece of a flow.
    pub health: Option<SideHealth>,
    last_micros: Option<i64>,
}

/// Runs of at least four packets with payload one way, without payload the other way and without a gap of more than a
/// second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bulks {
    /// How many.
    pub n: u64,
    /// Their packets.
    pub packets: u64,
    /// Their payload bytes.
    pub bytes: u64,
    /// From first to last packet of each, in microseconds.
    pub micros: i64,
}

/// Packets with payload one way, perhaps a bulk.
#[derive(Clone, Copy, Debug)]
struct Run {
    direction: Direction,
    start: i64,
    last: i64,
    packets: u64,
    bytes: u64,
}

impl Sample {
    /// Passes over packets once, for a schema. Times are cut to whole microseconds first.
    pub fn new(steps: impl Iterator<Item = Step>, schema: &Schema, forward: Direction) -> Self {
        match schema.semantics {
            Semantics::Correct => Self::of_steps(InOrder::new(steps), schema, forward),
            Semantics::Published | Semantics::Nfstream => Self::of_steps(steps, schema, forward),
        }
    }

    fn of_steps(steps: impl Iterator<Item = Step>, schema: &Schema, forward: Direction) -> Self {
        let semantics = schema.semantics;
        let mut sample = Self::empty(semantics);
        let tick = semantics.tick_micros();
        let to_micros = |step: &Step| (step.time.0 / 1_000) as i64 / tick * tick;
        let (mut start, mut last, mut active_start) = (0, 0, 0);
        let mut run: Option<Run> = None;
        for step in steps {
            let is_first = sample.n_packets == 0;
            let micros = match semantics {
                // No packet is earlier than the one before it.
                Semantics::Nfstream if !is_first => to_micros(&step).max(last),
                _ => to_micros(&step),
            };
            if is_first {
                (start, last, active_start) = (micros, micros, micros);
                sample.n_subflows = 1;
            }
            let gap = micros - last;
            if !is_first {
                sample.gaps.push(gap / tick);
                sample.n_subflows += u64::from(gap > SUBFLOW_MICROS);
            }
            if gap > schema.idle_micros {
                let active_end = match semantics {
                    Semantics::Published => micros,
                    Semantics::Correct | Semantics::Nfstream => last,
                };
                sample.active.push(active_end - active_start);
                sample.idle.push(gap);
                active_start = micros;
            }
            let is_forward = step.direction == forward;
            if let Some(first) = sample.first.get_mut(sample.n_packets as usize) {
                let ip_bytes = i64::from(step.ip_len);
                let signed_ip_bytes = if is_forward { ip_bytes } else { -ip_bytes };
                *first = Some(First { signed_ip_bytes, gap_micros: gap });
            }
            sample.count(&step);
            let side = if is_forward { &mut sample.forward } else { &mut sample.backward };
            side.count(&step, micros, tick);
            if semantics == Semantics::Nfstream {
                side.frame_lens.push(i64::from(step.frame_len));
                sample.frame_lens.push(i64::from(step.frame_len));
            }
            if step.payload_len > 0 {
                sample.dialogue.push(is_forward, step.payload_len, micros);
                run = sample.extend(run, &step, micros, forward);
            }
            last = micros;
        }
        sample.end(run, forward);
        if semantics == Semantics::Correct && sample.n_packets > 1 {
            sample.active.push(last - active_start);
        }
        sample.duration_micros = last - start;
        sample
    }

    /// No packet.
    pub fn empty(semantics: Semantics) -> Self {
        Self {
            semantics,
            duration_micros: 0,
            n_packets: 0,
            ip_bytes: 0,
            forward: Side::default(),
            backward: Side::default(),
            gaps: Statistics::default(),
            frame_lens: Statistics::default(),
            lengths: Statistics::default(),
            active: Statistics::default(),
            idle: Statistics::default(),
            n_subflows: 0,
            first: [None; N_FIRST],
            dialogue: Dialogue::default(),
            merged: Merged::default(),
        }
    }

    fn count(&mut self, step: &Step) {
        self.n_packets += 1;
        self.ip_bytes += u64::from(step.ip_len);
        self.lengths.push(i64::from(step.payload_len));
    }

    /// A packet with payload continues the run before it, or ends it and begins another.
    fn extend(
        &mut self,
        run: Option<Run>,
        step: &Step,
        micros: i64,
        forward: Direction,
    ) -> Option<Run> {
        let bytes = u64::from(step.payload_len);
        match run {
            Some(run) if run.direction == step.direction && micros - run.last <= SUBFLOW_MICROS => {
                let (packets, bytes) = (run.packets + 1, run.bytes + bytes);
                Some(Run { last: micros, packets, bytes, ..run })
            }
            _ => {
                self.end(run, forward);
                let direction = step.direction;
                Some(Run { direction, start: micros, last: micros, packets: 1, bytes })
            }
        }
    }

    fn end(&mut self, run: Option<Run>, forward: Direction) {
        let Some(run) = run.filter(|it| it.packets >= BULK_PACKETS) else { return };
        let side = if run.direction == forward { &mut self.forward } else { &mut self.backward };
        side.bulks.n += 1;
        side.bulks.packets += run.packets;
        side.bulks.bytes += run.bytes;
        side.bulks.micros += run.last - run.start;
    }

    /// A packet by its place, from 0; as many as [`N_FIRST`] are kept.
    pub fn first(&self, at: usize) -> Option<First> {
        self.first.get(at).copied().flatten()
    }

    /// Packets of both sides with this TCP flag, one of [`flow::flags`].
    pub fn flag(&self, flag: u8) -> u64 {
        self.forward.flag(flag) + self.backward.flag(flag)
    }

    /// A count over the duration. Of a flow without duration: nothing; as published, 0.
    pub fn per_second(&self, count: u64) -> Option<f64> {
        match self.semantics {
            _ if self.duration_micros != 0 => {
                Some(count as f64 * 1e6 / self.duration_micros as f64)
            }
            Semantics::Published | Semantics::Nfstream => Some(0.0),
            Semantics::Correct => None,
        }
    }

    /// The sum; 0 of nothing.
    pub fn total(&self, of: &Statistics) -> Option<f64> {
        Some(of.sum as f64)
    }

    /// The least.
    pub fn min(&self, of: &Statistics) -> Option<f64> {
        self.present(of, of.min as f64, -1.0)
    }

    /// The greatest.
    pub fn max(&self, of: &Statistics) -> Option<f64> {
        self.present(of, of.max as f64, -1.0)
    }

    /// The mean.
    pub fn mean(&self, of: &Statistics) -> Option<f64> {
        self.present(of, of.sum as f64 / of.n as f64, 0.0)
    }

    /// The sample variance (n − 1); 0 of one.
    pub fn variance(&self, of: &Statistics) -> Option<f64> {
        let deviations = match self.semantics {
            _ if of.n <= 1 => return self.present(of, 0.0, 0.0),
            Semantics::Published => (of.rounded_squared_deviations() - 1.0).abs(),
            Semantics::Correct | Semantics::Nfstream => of.squared_deviations().max(0.0),
        };
        Some(deviations / (of.n - 1) as f64)
    }

    /// The sample deviation, the root of the variance.
    pub fn std(&self, of: &Statistics) -> Option<f64> {
        self.variance(of).map(f64::sqrt)
    }

    fn present(&self, of: &Statistics, value: f64, published: f64) -> Option<f64> {
        match self.semantics {
            _ if of.n > 0 => Some(value),
            Semantics::Published => Some(published),
            Semantics::Nfstream => Some(0.0),
            Semantics::Correct => None,
        }
    }
}

impl Side {
    /// IP header and payload of its packets, in bytes.
    pub fn ip_bytes(&self) -> u64 {
        u64::try_from(self.ip_lens.sum).unwrap_or(0)
    }

    /// The TCP flags that any of its packets has.
    pub fn flags(&self) -> u8 {
        self.flags.iter().rev().fold(0, |all, n| all << 1 | u8::from(*n > 0))
    }

    /// Its packets with this TCP flag, one of [`flow::flags`].
    pub fn flag(&self, flag: u8) -> u64 {
        self.flags.get(flag.trailing_zeros() as usize).copied().unwrap_or(0)
    }

    fn count(&mut self, step: &Step, micros: i64, tick: i64) {
        self.lengths.push(i64::from(step.payload_len));
        self.headers.push(i64::from(step.ip_len) - i64::from(step.payload_len));
        self.n_resent += u64::from(step.marks & marks::RESENT != 0);
        self.n_zero_windows += u64::from(step.marks & marks::ZERO_WINDOW != 0);
        self.ip_lens.push(i64::from(step.ip_len));
        if step.payload_len > 0 {
            self.n_data += 1;
            self.payloads.push(i64::from(step.payload_len));
        }
        for (bit, n) in self.flags.iter_mut().enumerate() {
            *n += u64::from(step.flags >> bit & 1);
        }
        if let Some(last) = self.last_micros.replace(micros) {
            self.gaps.push((micros - last) / tick);
        }
    }
}

#[cfg(test)]
mod tests {
    use capture::Timestamp;
    use flow::{Step, Timeline};

    use super::*;
    use crate::{ISCX_B, NFSTREAM, Schema, TRACTOR};

    /// Packets as (microseconds, from the client, IP bytes).
    fn timeline(packets: &[(u64, bool, u32)]) -> Timeline {
        let steps = packets.iter().map(|&(micros, is_forward, ip_len)| Step {
            time: Timestamp(micros * 1_000),
            direction: if is_forward { Direction::Forward } else { Direction::Backward },
            frame_len: ip_len + 14,
            ip_len,
            ..Step::default()
        });
        steps.collect()
    }

    fn vector(schema: &Schema, timeline: &Timeline) -> Vec<Option<f64>> {
        crate::vector(schema, &Sample::new(timeline.steps(), schema, Direction::Forward))
    }

    #[test]
    fn a_gap_over_a_second_splits_activity() {
        let timeline = timeline(&[(0, true, 40), (400, true, 40), (2_000_400, true, 40)]);
        let correct = vector(&TRACTOR, &timeline);
        let published = vector(&ISCX_B, &timeline);
        // min, mean, max, std of active, then of idle.
        assert_eq!(correct[17..21], [Some(0.0), Some(200.0), Some(400.0), Some(80_000_f64.sqrt())]);
        assert_eq!(correct[21..23], [Some(2_000_000.0), Some(2_000_000.0)]);
        assert_eq!(
            published[15..19],
            [Some(2_000_400.0), Some(2_000_400.0), Some(2_000_400.0), Some(0.0)]
        );
    }

    #[test]
    fn a_gap_of_exactly_a_second_is_not_idle() {
        let correct = vector(&TRACTOR, &timeline(&[(0, true, 40), (1_000_000, true, 40)]));
        assert_eq!(correct[21], None);
    }

    #[test]
    fn what_has_no_value_is_nothing_or_as_published_a_sentinel() {
        let one = timeline(&[(0, true, 40)]);
        assert_eq!(vector(&TRACTOR, &one)[3], None);
        assert_eq!(vector(&ISCX_B, &one)[1], Some(-1.0));
        assert_eq!(vector(&ISCX_B, &one)[9], Some(0.0));
    }

    #[test]
    fn nfstream_counts_frames_and_whole_milliseconds() {
        // The third packet is earlier than the second; the server speaks first.
        let packets = [(1_999, false, 40), (5_000, true, 60), (4_000, true, 60), (9_500, true, 50)];
        let timeline = timeline(&packets);
        let sample = Sample::new(timeline.steps(), &NFSTREAM, Direction::Backward);
        let number = |name: &str| {
            NFSTREAM.columns.iter().find(|it| it.name == name).and_then(|it| it.number(&sample))
        };
        for (name, expected) in [
            ("bidirectional_duration_ms", 8.0),
            ("src2dst_packets", 1.0),
            ("dst2src_bytes", 212.0),
            ("bidirectional_min_ps", 54.0),
            ("dst2src_min_piat_ms", 0.0),
            ("dst2src_max_piat_ms", 4.0),
            ("src2dst_mean_piat_ms", 0.0),
            ("src2dst_stddev_ps", 0.0),
        ] {
            assert_eq!(number(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn the_published_deviation_is_short_by_one() {
        let three = timeline(&[(0, true, 40), (10, true, 40), (20, true, 40)]);
        assert_eq!(vector(&ISCX_B, &three)[7], Some(1.0));
        assert_eq!(vector(&TRACTOR, &three)[9], Some(0.0));
    }
}
