//! The rows of a flow: the flow itself, or the pieces a timeout makes of it.

use std::borrow::Cow;

use capture::Timestamp;
use flow::{Cut, Direction, Flow, Timeline, Transport};

use crate::{Identity, Sample, Schema, Semantics};

/// A flow, or a piece of one: what a row is of.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    /// The flow.
    pub flow: &'a Flow,
    /// Its packets, or those of the piece.
    pub timeline: Cow<'a, Timeline>,
    /// Which piece of its flow, from 0; `None` of a flow that is not cut.
    pub number: Option<u32>,
    /// Who begins a dialogue of its own in it; see [`pieces`].
    pub forward: Direction,
}

/// The rows of a flow by a cut, in order.
///
/// Forward is what the client sent, who opened the flow. After a silence longer than the timeout a flow without a
/// connection (anything but TCP) is a new dialogue, and forward is what the one sends that begins it.
///
/// A session's schema has no rows of flows; see [`crate::Session`].
pub fn pieces(flow: &Flow, cut: Cut) -> Vec<Piece<'_>> {
    let timeout_micros = match cut {
        Cut::Whole => {
            return vec![Piece::whole(flow)];
        }
        Cut::Zeek => {
            let piece = |(number, timeline)| {
                let forward = flow.forward_by_zeek(&timeline);
                Piece { flow, timeline: Cow::Owned(timeline), number: Some(number), forward }
            };
            return (0..).zip(flow.cut(cut)).map(piece).collect();
        }
        Cut::Active { timeout_micros }
        | Cut::Idle { timeout_micros }
        | Cut::Published { timeout_micros } => timeout_micros,
    };
    let mut pieces = Vec::new();
    let (mut forward, mut last) = (Direction::Forward, None);
    for (number, timeline) in (0..).zip(flow.cut(cut)) {
        let mut steps = timeline.steps();
        let Some(first) = steps.next() else { continue };
        let silence = last.map(|last| first.time.0.saturating_sub(last) / 1_000);
        if flow.transport != Transport::TCP && silence.is_some_and(|it| it > timeout_micros) {
            forward = first.direction;
        }
        last = Some(steps.last().unwrap_or(first).time.0);
        pieces.push(Piece { flow, timeline: Cow::Owned(timeline), number: Some(number), forward });
    }
    pieces
}

impl<'a> Piece<'a> {
    /// The flow itself.
    pub fn whole(flow: &'a Flow) -> Self {
        let timeline = Cow::Borrowed(&flow.timeline);
        Self { flow, timeline, number: None, forward: Direction::Forward }
    }

    /// What the features of a schema are computed from.
    ///
    /// As published, forward is what the one sends who sent the first packet of the flow, and stays so in all its pieces: in
    /// one of 27 rows of one to four packets the first packet is backward.
    pub fn sample(&self, schema: &Schema) -> Sample {
        let first = self.flow.timeline.steps().next();
        let forward = match (schema.semantics, first) {
            (Semantics::Published, Some(first)) => first.direction,
            (Semantics::Nfstream, _) => {
                self.timeline.steps().next().map_or(self.forward, |it| it.direction)
            }
            _ => self.forward,
        };
        let mut sample = Sample::new(self.timeline.steps(), schema, forward);
        let windows = self.flow.first_windows();
        // How the connection fared is known of the whole of it.
        let health = self.flow.health().filter(|_| self.number.is_none());
        let (client, server) = match forward {
            Direction::Forward => (&mut sample.forward, &mut sample.backward),
            Direction::Backward => (&mut sample.backward, &mut sample.forward),
        };
        let sides = [(client, health.map(|it| it.client)), (server, health.map(|it| it.server))];
        for ((side, health), window) in sides.into_iter().zip(windows) {
            (side.first_window, side.health) = (window, health);
        }
        sample
    }

    /// Which flow it is.
    pub fn identity<'b>(&self, number: u32, label: &'b str) -> Identity<'b> {
        let flow = self.flow;
        let (source, destination) = match self.forward {
            Direction::Forward => (flow.client, flow.server),
            Direction::Backward => (flow.server, flow.client),
        };
        let times = || self.timeline.steps().map(|it| it.time);
        let (first, last) = match self.number {
            None => (flow.first, flow.last),
            Some(_) => {
                (times().next().unwrap_or(Timestamp(0)), times().max().unwrap_or(Timestamp(0)))
            }
        };
        Identity { number, transport: flow.transport, source, destination, first, last, label }
    }
}
