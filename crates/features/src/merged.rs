//! The flows of a session as one row: their packets merged in time, and what the flows are to each other.

use std::{cmp::Reverse, collections::BinaryHeap};

use capture::Timestamp;
use flow::{Direction, Flow, Step};

use crate::{Identity, Sample, Schema, Statistics, periodicity::Seconds};

/// A pause of more microseconds ends a burst.
const BURST_MICROS: i64 = 1_000_000;

/// The flows one application opened together, and which of them announced others.
#[derive(Clone, Copy, Debug)]
pub struct Session<'a> {
    /// The flows, by their first packet; the first one's client is the session's.
    pub flows: &'a [&'a Flow],
    /// Places in `flows`: a control connection and a flow it announced (FTP data, a call's media).
    pub announced: &'a [(usize, usize)],
    /// Places in `flows`: a question to a resolver and a flow that went where its answer said.
    pub resolved: &'a [(usize, usize)],
}

/// What the flows of a session are to each other.
///
/// Up is what the session's client sent, down what it got; bytes are those of IP headers and payload.
#[derive(Clone, Debug, Default)]
pub struct Merged {
    /// Its flows.
    pub n_flows: u64,
    /// Different addresses its client spoke with.
    pub n_peer_addresses: u64,
    /// Different ports of servers.
    pub n_server_ports: u64,
    /// Different transports.
    pub n_transports: u64,
    /// The most flows at one time, each from its first to its last packet.
    pub max_concurrency: u64,
    /// Flows at a time, over the time from the first to the last packet; `None` where that is no time.
    pub mean_concurrency: Option<f64>,
    /// Durations of all flows over the time in which there was one; `None` where that is no time.
    pub overlap: Option<f64>,
    /// From the start of each flow to the start of the next, in microseconds.
    pub start_gaps: Statistics,
    /// From the first flow's start to the second one's, in microseconds.
    pub second_flow_micros: Option<i64>,
    /// From the answer of a resolver to the start of the first flow that went there, in microseconds.
    pub resolved_micros: Option<i64>,
    /// Bytes of the largest flow over all bytes.
    pub largest_share: Option<f64>,
    /// Gini coefficient of the flows' bytes: 0 where all are alike, towards 1 where one has all.
    pub gini: Option<f64>,
    /// Runs of packets without a pause of more than a second, from first to last packet, in microseconds.
    pub bursts: Statistics,
    /// Pauses between bursts, in microseconds.
    pub pauses: Statistics,
    /// Mean of up over down of the bursts that have a byte down.
    pub burst_ratio_mean: Option<f64>,
    /// Greatest of them.
    pub burst_ratio_max: Option<f64>,
    /// The period in seconds after which the packets repeat best, 1 to 600, and how well: the autocorrelation of packets
    /// per second, at most 1.
    pub period: Option<(u32, f64)>,
    /// Flows that another one announced.
    pub n_announced: u64,
    /// From the last payload of the announcing flow to the start of the announced one, in microseconds.
    pub announced_gaps: Statistics,
}

impl<'a> Session<'a> {
    /// What the features of a session's schema are computed from.
    pub fn sample(&self, schema: &Schema) -> Sample {
        let mut bursts = Bursts::default();
        let steps = self.steps().inspect(|step| bursts.push(step));
        let mut sample = Sample::new(steps, schema, Direction::Forward);
        let mut merged = self.merged();
        bursts.end(&mut merged);
        sample.merged = merged;
        sample
    }

    /// Which session it is: its client, and the server of its first flow.
    pub fn identity<'b>(&self, number: u32, label: &'b str) -> Option<Identity<'b>> {
        let first = self.flows.first()?;
        Some(Identity {
            number,
            transport: first.transport,
            source: first.client,
            destination: first.server,
            first: self.flows.iter().map(|it| it.first).min()?,
            last: self.flows.iter().map(|it| it.last).max()?,
            label,
        })
    }

    /// The packets of all flows in order of time, those of a flow in their order; forward is what the client sent.
    pub fn steps(&self) -> impl Iterator<Item = Step> + use<'a> {
        let client = self.flows.first().map(|it| it.client.ip);
        let mut waiting: Vec<_> = self
            .flows
            .iter()
            .map(|flow| {
                // The client of a session is the server of a flow opened towards it.
                let is_turned = Some(flow.client.ip) != client && Some(flow.server.ip) == client;
                let mut steps = flow.timeline.steps().map(move |it| turned(it, is_turned));
                (steps.next(), steps)
            })
            .collect();
        let times = waiting.iter().enumerate();
        let times = times.filter_map(|(at, it)| Some(Reverse((it.0?.time, at))));
        let mut times: BinaryHeap<Reverse<(Timestamp, usize)>> = times.collect();
        std::iter::from_fn(move || {
            let Reverse((_, at)) = times.pop()?;
            let (waiting, steps) = waiting.get_mut(at)?;
            let step = std::mem::replace(waiting, steps.next());
            times.extend(waiting.map(|it| Reverse((it.time, at))));
            step
        })
    }

    /// For each link from a flow to a later one: when that began, and how long before it the first one's last packet of a
    /// kind came, in microseconds. Every flow is walked once, however many links it has.
    fn since(
        &self,
        links: &[(usize, usize)],
        is_it: impl Fn(&Step) -> bool,
    ) -> Vec<(Timestamp, i64)> {
        let start = |it: &(usize, usize)| Some((it.0, self.flows.get(it.1)?.first));
        let mut starts: Vec<(usize, Timestamp)> = links.iter().filter_map(start).collect();
        starts.sort_unstable();
        let mut gaps = Vec::with_capacity(starts.len());
        for of_one in starts.chunk_by(|a, b| a.0 == b.0) {
            let Some(from) = of_one.first().and_then(|it| self.flows.get(it.0)) else { continue };
            let mut steps = from.timeline.steps().filter(&is_it).peekable();
            let mut latest = None;
            for (_, start) in of_one {
                while let Some(step) = steps.next_if(|it| it.time <= *start) {
                    latest = latest.max(Some(step.time));
                }
                gaps.extend(latest.map(|it| (*start, micros(*start) - micros(it))));
            }
        }
        gaps
    }

    /// All that single packets do not tell.
    fn merged(&self) -> Merged {
        let flows = self.flows;
        let client = flows.first().map(|it| it.client.ip);
        let peer = |it: &&Flow| {
            if Some(it.client.ip) == client { it.server.ip } else { it.client.ip }
        };
        let mut spans: Vec<(i64, i64)> =
            flows.iter().map(|it| (micros(it.first), micros(it.last))).collect();
        spans.sort_unstable();
        let mut start_gaps = Statistics::default();
        for (a, b) in spans.iter().zip(spans.iter().skip(1)) {
            start_gaps.push(b.0 - a.0);
        }
        let mut announced_gaps = Statistics::default();
        for (_, gap) in self.since(self.announced, |step| step.payload_len > 0) {
            announced_gaps.push(gap);
        }
        let is_answer = |step: &Step| step.direction == Direction::Backward;
        let first_resolved = self.since(self.resolved, is_answer).into_iter().min();
        let (largest_share, gini) = shares(flows.iter().map(|it| ip_bytes(it)).collect());
        let busy = busy(&spans);
        Merged {
            n_flows: flows.len() as u64,
            n_peer_addresses: distinct(flows.iter().map(peer).collect()),
            n_server_ports: distinct(flows.iter().map(|it| it.server.port).collect()),
            n_transports: distinct(flows.iter().map(|it| it.transport).collect()),
            max_concurrency: busy.most,
            mean_concurrency: quotient(busy.sum, busy.span),
            overlap: quotient(busy.sum, busy.union),
            start_gaps,
            second_flow_micros: spans.first().zip(spans.get(1)).map(|(a, b)| b.0 - a.0),
            resolved_micros: first_resolved.map(|it| it.1),
            largest_share,
            gini,
            n_announced: distinct(self.announced.iter().map(|it| it.1).collect()),
            announced_gaps,
            ..Merged::default()
        }
    }
}

fn turned(step: Step, is_turned: bool) -> Step {
    let direction = match (step.direction, is_turned) {
        (direction, false) => direction,
        (Direction::Forward, true) => Direction::Backward,
        (Direction::Backward, true) => Direction::Forward,
    };
    Step { direction, ..step }
}

fn micros(time: Timestamp) -> i64 {
    (time.0 / 1_000) as i64
}

fn ip_bytes(flow: &Flow) -> u64 {
    flow.from_client.ip_bytes + flow.from_server.ip_bytes
}

fn quotient(of: i128, by: i128) -> Option<f64> {
    (by > 0).then(|| of as f64 / by as f64)
}

fn distinct<T: Ord>(mut of: Vec<T>) -> u64 {
    of.sort_unstable();
    of.dedup();
    of.len() as u64
}

/// The share of the largest number, and the Gini coefficient; of nothing, nothing.
fn shares(mut of: Vec<u64>) -> (Option<f64>, Option<f64>) {
    of.sort_unstable();
    let sum: f64 = of.iter().map(|it| *it as f64).sum();
    if sum == 0.0 {
        return (None, None);
    }
    let n = of.len() as f64;
    let ranked: f64 = (1..).zip(&of).map(|(rank, it)| f64::from(rank) * *it as f64).sum();
    let largest = of.last().map(|it| *it as f64 / sum);
    (largest, Some(2.0 * ranked / (n * sum) - (n + 1.0) / n))
}

/// When how many flows there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Busy {
    /// The most at one time.
    most: u64,
    /// Microseconds of all, of the time with at least one, and from first to last.
    sum: i128,
    union: i128,
    span: i128,
}

/// Of the first and last times of flows, in order.
fn busy(spans: &[(i64, i64)]) -> Busy {
    // A flow still is there at its last packet: ends come after starts of the same time.
    let starts = spans.iter().map(|it| (it.0, 0));
    let mut turns: Vec<(i64, u8)> = starts.chain(spans.iter().map(|it| (it.1, 1))).collect();
    turns.sort_unstable();
    let mut busy = Busy::default();
    let (Some(first), Some(last)) = (turns.first(), turns.last()) else { return busy };
    busy.span = i128::from(last.0 - first.0);
    let (mut n, mut before) = (0_u64, first.0);
    for (micros, is_end) in turns {
        let passed = i128::from(micros - before);
        busy.sum += passed * i128::from(n);
        busy.union += if n > 0 { passed } else { 0 };
        before = micros;
        n = if is_end == 1 { n.saturating_sub(1) } else { n + 1 };
        busy.most = busy.most.max(n);
    }
    busy
}

/// Bursts and seconds, packet by packet.
#[derive(Debug, Default)]
struct Bursts {
    /// First and last time of the burst, and its bytes up and down.
    open: Option<(i64, i64, [u64; 2])>,
    bursts: Statistics,
    pauses: Statistics,
    /// Number, sum and greatest of up over down.
    ratios: (u64, f64, f64),
    seconds: Seconds,
}

impl Bursts {
    fn push(&mut self, step: &Step) {
        let now = micros(step.time);
        self.seconds.push(now);
        let pause = self.open.map(|it| now - it.1).filter(|it| *it > BURST_MICROS);
        if let Some(pause) = pause {
            self.pauses.push(pause);
            self.close();
        }
        let (_, last, bytes) = self.open.get_or_insert((now, now, [0; 2]));
        *last = now;
        if let Some(bytes) = bytes.get_mut(step.direction as usize) {
            *bytes += u64::from(step.ip_len);
        }
    }

    fn close(&mut self) {
        let Some((first, last, [up, down])) = self.open.take() else { return };
        self.bursts.push(last - first);
        if down > 0 {
            let ratio = up as f64 / down as f64;
            let (n, sum, most) = self.ratios;
            self.ratios = (n + 1, sum + ratio, most.max(ratio));
        }
    }

    fn end(mut self, merged: &mut Merged) {
        self.close();
        merged.period = self.seconds.period();
        (merged.bursts, merged.pauses) = (self.bursts, self.pauses);
        let (n, sum, most) = self.ratios;
        merged.burst_ratio_mean = (n > 0).then(|| sum / n as f64);
        merged.burst_ratio_max = (n > 0).then_some(most);
    }
}
