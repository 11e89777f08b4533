//! One timeline, many cuts: what a timeout makes of a flow, without reading the capture again.

use crate::{Flow, Timeline, tcp::flags};

/// How a flow is cut into pieces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cut {
    /// Not at all.
    #[default]
    Whole,
    /// A packet more than so many microseconds after the first one of its piece begins a new piece.
    Active {
        /// The longest time from the first packet, in microseconds.
        timeout_micros: u64,
    },
    /// A packet more than so many microseconds after the last one begins a new piece.
    Idle {
        /// The longest silence, in microseconds.
        timeout_micros: u64,
    },
    /// As the published data set ISCXVPN2016 was cut: like [`Cut::Active`], but a packet with FIN is taken before its
    /// time is looked at, and ends its piece.
    Published {
        /// The longest time from the first packet, in microseconds.
        timeout_micros: u64,
    },
    /// As Zeek tells connections apart by its default times: silence by transport, attempts without an answer, stragglers.
    Zeek,
}

impl Flow {
    /// The pieces of the flow, in order; together they hold every packet once.
    pub fn cut(&self, cut: Cut) -> Vec<Timeline> {
        match cut {
            Cut::Zeek => self.cut_by_zeek(),
            _ => self.timeline.cut(cut),
        }
    }
}

impl Timeline {
    fn cut(&self, cut: Cut) -> Vec<Self> {
        let mut pieces: Vec<Self> = Vec::new();
        // First and last time of the open piece, in microseconds.
        let mut open: Option<(u64, u64)> = None;
        for step in self.steps() {
            let micros = step.time.0 / 1_000;
            let is_fin = step.flags & flags::FIN != 0;
            // Where the capture is out of order a packet is not late.
            let is_late = open.is_some_and(|(first, last)| match cut {
                Cut::Whole | Cut::Zeek => false,
                Cut::Active { timeout_micros } => micros.saturating_sub(first) > timeout_micros,
                Cut::Idle { timeout_micros } => micros.saturating_sub(last) > timeout_micros,
                Cut::Published { timeout_micros } => {
                    !is_fin && micros.saturating_sub(first) > timeout_micros
                }
            });
            if is_late || open.is_none() {
                pieces.push(Self::default());
                open = None;
            }
            if let Some(piece) = pieces.last_mut() {
                piece.push(step);
            }
            let ends_here = matches!(cut, Cut::Published { .. }) && is_fin;
            open = if ends_here { None } else { Some((open.map_or(micros, |it| it.0), micros)) };
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use capture::Timestamp;

    use super::*;
    use crate::Step;

    #[track_caller]
    fn check(cut: Cut, packets: &[(u64, u8)], expected: &[u64]) {
        let timeline: Timeline = packets
            .iter()
            .map(|&(micros, flags)| Step {
                time: Timestamp(micros * 1_000),
                frame_len: 54,
                ip_len: 40,
                flags,
                ..Step::default()
            })
            .collect();
        let lens: Vec<u64> = timeline.cut(cut).iter().map(Timeline::len).collect();
        assert_eq!(lens, expected);
    }

    #[test]
    fn a_packet_at_the_limit_is_not_late() {
        let cut = Cut::Active { timeout_micros: 10 };
        check(cut, &[(0, 0), (10, 0), (11, 0), (21, 0), (22, 0)], &[2, 2, 1]);
    }

    #[test]
    fn silence_is_counted_from_the_last_packet() {
        check(Cut::Idle { timeout_micros: 10 }, &[(0, 0), (10, 0), (20, 0), (31, 0)], &[3, 1]);
    }

    #[test]
    fn a_published_flow_takes_its_fin_however_late() {
        let cut = Cut::Published { timeout_micros: 10 };
        check(cut, &[(0, 0), (50, flags::FIN), (51, 0)], &[2, 1]);
    }

    #[test]
    fn nothing_cuts_a_whole_flow() {
        check(Cut::Whole, &[(0, 0), (5, flags::FIN), (u64::from(u32::MAX), 0)], &[3]);
        check(Cut::Whole, &[], &[]);
    }
}
