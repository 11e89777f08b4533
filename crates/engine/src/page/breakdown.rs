//! What there is, layer by layer, how long it lasts, and traffic over time by what the user chooses.

use std::{cmp::Reverse, collections::BTreeMap};

use classify::Verdict;
use flow::{Flow, Transport};
use v1::page::{Breakdown, DurationBar, GroupSeries, Layer, SeriesBy, TrafficTimeline};

use super::{chosen::Chosen, overview::MAX_BINS};
use crate::Analysis;

/// How many protocols or labels have a series of their own.
const SERIES: usize = 8;

/// Counts of flows.
#[derive(Clone, Copy, Default)]
struct Counts {
    flows: u64,
    packets: u64,
    bytes: u64,
}

impl Counts {
    fn add(&mut self, flow: &Flow) {
        self.flows += 1;
        self.packets += flow.packets();
        self.bytes += flow.own_bytes();
    }
}

/// Of the flows that pass; `None` where the filter cannot be understood.
pub(super) fn breakdown(analysis: &Analysis, filter: &str) -> Option<Breakdown> {
    let chosen = analysis.chosen(filter).ok()?;
    let flows = chosen.labelled(analysis);
    Some(Breakdown { layers: layers(flows.clone()), durations: durations(flows.map(|it| it.0)) })
}

/// One place in the hierarchy: IPv6, the transport, the kind of tunnel it came in, protocol, label.
type Path<'a> = (bool, Transport, Option<&'static str>, &'a str, &'a str);

fn layers<'a>(flows: impl Iterator<Item = (&'a Flow, &'a Verdict)>) -> Vec<Layer> {
    let mut counts: BTreeMap<Path<'_>, (Counts, &Verdict)> = BTreeMap::new();
    for (flow, verdict) in flows {
        let tunnel = flow.tunnels().and_then(|it| it.inside).map(|it| it.kind.name());
        let path =
            (flow.client.ip.is_ipv6(), flow.transport, tunnel, verdict.protocol, &*verdict.label);
        counts.entry(path).or_insert((Counts::default(), verdict)).0.add(flow);
    }
    let mut roots: Vec<Layer> = Vec::new();
    for ((is_v6, transport, tunnel, protocol, label), (counts, verdict)) in counts {
        let (ip, network) = if is_v6 { ("IPv6", "::/0") } else { ("IPv4", "0.0.0.0/0") };
        let transport = transport.to_string();
        let inside = match tunnel {
            Some(tunnel) => format!("tunnel:{}", quoted(tunnel)),
            None => "-tunnel:\"\"".to_owned(),
        };
        let protocol_group = classify::group_of_protocol(protocol);
        let (within, of_protocol) =
            (format!("transport:{transport}"), format!("proto:{}", quoted(protocol)));
        let steps = [
            Some(("ip", ip, "", format!("ip:{network}"))),
            Some(("transport", &*transport, "", within)),
            tunnel.map(|it| ("tunnel", it, "tunnel", inside.clone())),
            // What is beside tunnels must not be looked for in them.
            Some((
                "protocol",
                protocol,
                protocol_group,
                match tunnel {
                    Some(_) => of_protocol,
                    None => format!("{inside} {of_protocol}"),
                },
            )),
            (label != protocol)
                .then(|| ("label", label, verdict.group, format!("label:{}", quoted(label)))),
        ];
        let mut list = &mut roots;
        let mut filter = String::new();
        for (kind, name, group, term) in steps.into_iter().flatten() {
            filter = format!("{filter} {term}").trim_start().to_owned();
            let at = list.iter().position(|it| it.kind == kind && it.name == name);
            let at = at.unwrap_or_else(|| {
                list.push(Layer {
                    name: name.to_owned(),
                    kind: kind.to_owned(),
                    group: group.to_owned(),
                    filter: filter.clone(),
                    ..Layer::default()
                });
                list.len() - 1
            });
            let Some(layer) = list.get_mut(at) else { break };
            layer.flows += counts.flows;
            layer.packets += counts.packets;
            layer.bytes += counts.bytes;
            list = &mut layer.inside;
        }
    }
    sort(&mut roots);
    roots
}

/// Most bytes first, equal ones by name.
fn sort(layers: &mut [Layer]) {
    layers.sort_by(|a, b| {
        (Reverse((a.bytes, a.flows)), &a.name).cmp(&(Reverse((b.bytes, b.flows)), &b.name))
    });
    layers.iter_mut().for_each(|it| sort(&mut it.inside));
}

/// A value as a filter has it.
fn quoted(value: &str) -> String {
    if value.contains(char::is_whitespace) { format!("\"{value}\"") } else { value.to_owned() }
}

/// Where one bar of the durations ends and the next begins, as filters have it, and in nanoseconds.
const DURATIONS: &[(&str, u64)] = &[
    ("1ms", 1_000_000),
    ("3ms", 3_000_000),
    ("10ms", 10_000_000),
    ("30ms", 30_000_000),
    ("100ms", 100_000_000),
    ("300ms", 300_000_000),
    ("1s", 1_000_000_000),
    ("3s", 3_000_000_000),
    ("10s", 10_000_000_000),
    ("30s", 30_000_000_000),
    ("1min", 60_000_000_000),
    ("3min", 180_000_000_000),
    ("10min", 600_000_000_000),
    ("30min", 1_800_000_000_000),
    ("1h", 3_600_000_000_000),
    ("3h", 10_800_000_000_000),
    ("10h", 36_000_000_000_000),
];

fn durations<'a>(flows: impl Iterator<Item = &'a Flow>) -> Vec<DurationBar> {
    // First those of no duration at all.
    let mut bars = vec![DurationBar {
        to_ns: Some(1),
        filter: "duration:0".to_owned(),
        ..DurationBar::default()
    }];
    let mut from = ("", 1);
    for to in DURATIONS.iter().map(Some).chain([None]) {
        let least = if from.0.is_empty() {
            "duration>0".to_owned()
        } else {
            format!("duration>={}", from.0)
        };
        let filter = match to {
            Some((text, _)) => format!("{least} duration<{text}"),
            None => least,
        };
        let to_ns = to.map(|it| it.1);
        bars.push(DurationBar { from_ns: from.1, to_ns, filter, ..DurationBar::default() });
        from = to.copied().unwrap_or(from);
    }
    for flow in flows {
        let duration = flow.last.0.saturating_sub(flow.first.0);
        let at = bars.partition_point(|it| it.to_ns.is_some_and(|to| to <= duration));
        let Some(bar) = bars.get_mut(at) else { continue };
        bar.flows += 1;
        bar.bytes += flow.own_bytes();
    }
    let has_flows = |it: &DurationBar| it.flows > 0;
    let first = bars.iter().position(has_flows).unwrap_or(0);
    let end = bars.iter().rposition(has_flows).map_or(0, |it| it + 1);
    bars.drain(first.min(end)..end).collect()
}

/// Every packet in its bar; `None` where the filter cannot be understood.
pub(super) fn timeline(
    analysis: &Analysis,
    bins: u32,
    by: SeriesBy,
    filter: &str,
) -> Option<TrafficTimeline> {
    let chosen = analysis.chosen(filter).ok()?;
    Some(over_time(analysis, bins, by, &chosen))
}

/// The traffic of these flows over the time of the whole capture.
pub(super) fn over_time(
    analysis: &Analysis,
    bins: u32,
    by: SeriesBy,
    chosen: &Chosen,
) -> TrafficTimeline {
    let bins = bins.clamp(1, MAX_BINS);
    let start_ns = analysis.time_start_ns();
    let end_ns = analysis.flows.iter().map(|it| it.last.0).max().unwrap_or(start_ns);
    // One more than the time between first and last packet, so that the last falls into the last bar.
    let bin_ns = ((end_ns - start_ns + 1).div_ceil(u64::from(bins))).max(1);
    let labelled = || chosen.labelled(analysis);

    // What has a series of its own.
    let mut totals: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for (flow, verdict) in labelled() {
        let (name, group) = name(verdict, by);
        totals.entry(name).or_insert((0, group)).0 += flow.own_bytes();
    }
    let mut order: Vec<(&str, u64, &str)> =
        totals.into_iter().map(|(name, (bytes, group))| (name, bytes, group)).collect();
    order.sort_by_key(|it| Reverse(it.1));
    let n_own = if by == SeriesBy::Group { order.len() } else { SERIES };
    // One alone is not put together with itself.
    let n_own = if order.len() == n_own + 1 { order.len() } else { n_own };
    let n_others = order.len().saturating_sub(n_own);
    order.truncate(n_own);
    let empty = || vec![0; bins as usize];
    let new = |name: &str, group: &str, n_others: usize| GroupSeries {
        group: group.to_owned(),
        name: name.to_owned(),
        n_others: n_others as u64,
        bytes: empty(),
        packets: empty(),
        flows: empty(),
    };
    let mut series: Vec<GroupSeries> = order
        .iter()
        .map(|it| new(if by == SeriesBy::Group { "" } else { it.0 }, it.2, 0))
        .collect();
    if n_others > 0 {
        series.push(new("", "other", n_others));
    }
    let places: BTreeMap<&str, usize> = order.iter().map(|it| it.0).zip(0..).collect();

    for (flow, verdict) in labelled() {
        let place = places.get(name(verdict, by).0).copied().unwrap_or(order.len());
        let Some(of) = series.get_mut(place) else { continue };
        let bin = |nanos: u64| (nanos.saturating_sub(start_ns) / bin_ns) as usize;
        if let Some(slot) = of.flows.get_mut(bin(flow.first.0)) {
            *slot += 1;
        }
        // What a tunnel carries is in the bars of the flows inside it.
        for step in flow.timeline.steps().filter(|it| !it.is_carrier) {
            let at = bin(step.time.0);
            if let (Some(bytes), Some(packets)) = (of.bytes.get_mut(at), of.packets.get_mut(at)) {
                *bytes += u64::from(step.frame_len);
                *packets += 1;
            }
        }
    }
    TrafficTimeline { start_ns, bin_ns, series }
}

/// What a flow is called in such a series, and its group.
fn name(verdict: &Verdict, by: SeriesBy) -> (&str, &str) {
    match by {
        SeriesBy::Group => (verdict.group, verdict.group),
        SeriesBy::Protocol => (verdict.protocol, classify::group_of_protocol(verdict.protocol)),
        SeriesBy::Label => (&verdict.label, verdict.group),
    }
}
