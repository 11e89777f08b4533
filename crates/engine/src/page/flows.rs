//! Windows of the flow table, and one flow whole.

use std::{cmp::Ordering, collections::BTreeMap, net::IpAddr, sync::Arc};

use classify::{Fact, Verdict};
use features::Piece;
use flow::{Cut, Direction, Flow, Timeline};
use v1::page::{
    FactRow, FilterError, FlowDetail, FlowSort, Flows, SideHealth, StepRow, Words, Wrong,
};

use super::{hosts::name, link, schemas, windowed};
use crate::{
    Analysis, Filter, Timeout,
    rows::{Row, span},
};

/// How many packets of a flow the page gets.
const MAX_STEPS: usize = 2_000;
/// How many flows inside a tunnel the page gets.
const MAX_CARRIED: usize = 1_000;
/// How many cuts of a flow the page gets.
const MAX_CUTS: usize = 1_000;
/// How many bars a row's spark has, and how high they are.
const SPARK_BARS: usize = 16;
const SPARK_HEIGHT: u64 = 15;

/// The rows that a filter and a timeout leave, in an order: kept from one window to the next.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    filter: String,
    timeout: String,
    cut: Cut,
    sort: (FlowSort, bool),
    rows: Listed,
    flows: u64,
    bytes: u64,
}

#[derive(Clone, Debug)]
enum Listed {
    /// Flows, by number.
    Flows(Arc<[u32]>),
    /// Pieces of flows.
    Pieces(Arc<[Slot]>),
}

/// A piece of a flow, and what it can be sorted by.
#[derive(Clone, Copy, Debug)]
struct Slot {
    flow: u32,
    piece: u32,
    first_ns: u64,
    duration_ns: u64,
    packets: u64,
    bytes: u64,
}

pub(super) fn window(
    analysis: &Analysis,
    filter: &str,
    timeout: &str,
    sort: (FlowSort, bool),
    offset: u32,
    len: u32,
) -> Flows {
    let total = analysis.n_flows() as u64;
    let order = match order(analysis, filter, timeout, sort) {
        Ok(order) => order,
        Err(error) => return Flows { total, filter_error: Some(error), ..Flows::default() },
    };
    let mut answer = Flows {
        matching_flows: order.flows,
        matching_bytes: order.bytes,
        total,
        ..Flows::default()
    };
    match &order.rows {
        Listed::Flows(numbers) => {
            answer.matching = numbers.len() as u64;
            for number in windowed(numbers, offset, len) {
                let Some((flow, _)) = analysis.labelled(*number) else { continue };
                answer.rows.extend(analysis.row(*number).map(Row::to_texts));
                answer.sparks.push(spark(&flow.timeline));
            }
        }
        Listed::Pieces(slots) => {
            answer.matching = slots.len() as u64;
            // Each flow is cut once for all its pieces in the window.
            let mut cut: BTreeMap<u32, Vec<Piece<'_>>> = BTreeMap::new();
            for slot in windowed(slots, offset, len) {
                let Some((flow, _)) = analysis.labelled(slot.flow) else { continue };
                let pieces =
                    cut.entry(slot.flow).or_insert_with(|| features::pieces(flow, order.cut));
                let Some(piece) = pieces.get(slot.piece as usize) else { continue };
                let Some(row) = analysis.row(slot.flow) else { continue };
                answer.rows.push(row.of_piece(piece, order.cut).to_texts());
                answer.sparks.push(spark(&piece.timeline));
            }
        }
    }
    answer
}

/// Filters, cuts and sorts, unless the last window had the same order.
fn order(
    analysis: &Analysis,
    filter: &str,
    timeout: &str,
    sort: (FlowSort, bool),
) -> Result<Order, FilterError> {
    let mut last = analysis.order.lock().unwrap_or_else(|it| it.into_inner());
    let is_same = |it: &&Order| it.filter == filter && it.timeout == timeout && it.sort == sort;
    if let Some(order) = last.as_ref().filter(is_same) {
        return Ok(order.clone());
    }
    let parsed = Filter::parse(filter)?;
    let cut = match timeout.parse::<Timeout>() {
        Ok(timeout) => timeout.cut(),
        Err(_) => return Err(FilterError::new(0..0, Wrong::Timeout, &[timeout])),
    };
    let mut numbers = analysis.passing(&parsed);
    let bytes = numbers.iter().map(|number| bytes_beside(analysis, &numbers, *number)).sum();
    let flows = numbers.len() as u64;
    let rows = if cut == Cut::Whole {
        sort_by(analysis, sort, &mut numbers);
        Listed::Flows(numbers.into())
    } else {
        let mut slots = slots(analysis, &numbers, cut);
        sort_slots(analysis, sort, &mut slots);
        Listed::Pieces(slots.into())
    };
    let (filter, timeout) = (filter.to_owned(), timeout.to_owned());
    let order = Order { filter, timeout, cut, sort, rows, flows, bytes };
    *last = Some(order.clone());
    Ok(order)
}

/// The pieces of these flows, by flow.
fn slots(analysis: &Analysis, numbers: &[u32], cut: Cut) -> Vec<Slot> {
    let mut slots = Vec::new();
    for number in numbers {
        let Some((flow, _)) = analysis.labelled(*number) else { continue };
        for (at, piece) in (0..).zip(features::pieces(flow, cut)) {
            let (first_ns, last_ns) = span(&piece, cut);
            let (client, server) = piece.timeline.totals();
            slots.push(Slot {
                flow: *number,
                piece: at,
                first_ns,
                duration_ns: last_ns.saturating_sub(first_ns),
                packets: client.packets + server.packets,
                bytes: client.frame_bytes + server.frame_bytes,
            });
        }
    }
    slots
}

/// Sorts pieces that are in order of their flows; equal ones are in order of their first packet.
fn sort_slots(analysis: &Analysis, (column, is_descending): (FlowSort, bool), slots: &mut [Slot]) {
    slots.sort_by_key(|it| it.first_ns);
    let compare = |a: &Slot, b: &Slot| match column {
        FlowSort::Start => a.first_ns.cmp(&b.first_ns),
        FlowSort::Duration => a.duration_ns.cmp(&b.duration_ns),
        FlowSort::Packets => a.packets.cmp(&b.packets),
        FlowSort::Bytes => a.bytes.cmp(&b.bytes),
        FlowSort::Label | FlowSort::Client | FlowSort::Server => {
            match (analysis.labelled(a.flow), analysis.labelled(b.flow)) {
                (Some(a), Some(b)) => compare(column)(&a, &b),
                _ => Ordering::Equal,
            }
        }
    };
    slots.sort_by(|a, b| if is_descending { compare(b, a) } else { compare(a, b) });
}

/// Frame bytes of a flow, without those it carries for others of the flows, whose numbers are in order.
fn bytes_beside(analysis: &Analysis, numbers: &[u32], number: u32) -> u64 {
    let Some((flow, _)) = analysis.labelled(number) else { return 0 };
    let has_all = numbers.len() == analysis.n_flows();
    let parent = flow.tunnels().and_then(|it| it.parent);
    match parent {
        _ if has_all => flow.own_bytes(),
        Some(parent) if numbers.binary_search(&parent).is_ok() => 0,
        _ => flow.bytes(),
    }
}

type Labelled<'a> = (&'a Flow, &'a Verdict);

/// Sorts flow numbers that are in order of their first packet; equal ones stay so.
fn sort_by(analysis: &Analysis, (column, is_descending): (FlowSort, bool), numbers: &mut [u32]) {
    let compare = compare(column);
    numbers.sort_by(|a, b| match (analysis.labelled(*a), analysis.labelled(*b)) {
        (Some(a), Some(b)) if is_descending => compare(&b, &a),
        (Some(a), Some(b)) => compare(&a, &b),
        _ => Ordering::Equal,
    });
}

/// The order of whole flows by a column.
fn compare(column: FlowSort) -> fn(&Labelled<'_>, &Labelled<'_>) -> Ordering {
    match column {
        FlowSort::Start => |a, b| a.0.first.cmp(&b.0.first),
        FlowSort::Label => |a, b| (&a.1.label, a.1.protocol).cmp(&(&b.1.label, b.1.protocol)),
        FlowSort::Client => |a, b| a.0.client.cmp(&b.0.client),
        FlowSort::Server => |a, b| server_key(a).cmp(&server_key(b)),
        FlowSort::Duration => |a, b| duration(a.0).cmp(&duration(b.0)),
        FlowSort::Packets => |a, b| a.0.packets().cmp(&b.0.packets()),
        FlowSort::Bytes => |a, b| a.0.bytes().cmp(&b.0.bytes()),
    }
}

/// Names before addresses.
fn server_key<'a>(it: &Labelled<'a>) -> (bool, Option<&'a str>, IpAddr, u16) {
    let name = it.1.facts().server_name.as_deref();
    (name.is_none(), name, it.0.server.ip, it.0.server.port)
}

fn duration(flow: &Flow) -> u64 {
    flow.last.0.saturating_sub(flow.first.0)
}

/// Bytes over the packets' own duration, the highest bar at full height; a bar with any byte shows.
fn spark(timeline: &Timeline) -> Vec<u8> {
    let mut bars = [0_u64; SPARK_BARS];
    let first = timeline.steps().next().map_or(0, |it| it.time.0);
    let last = timeline.steps().map(|it| it.time.0).max().unwrap_or(first);
    let span = last.saturating_sub(first).saturating_add(1);
    for step in timeline.steps() {
        let since = step.time.0.saturating_sub(first).min(span - 1);
        let at = (u128::from(since) * SPARK_BARS as u128 / u128::from(span)) as usize;
        if let Some(bar) = bars.get_mut(at) {
            *bar += u64::from(step.frame_len);
        }
    }
    let highest = bars.iter().copied().max().unwrap_or(0).max(1);
    bars.iter().map(|it| (it * SPARK_HEIGHT).div_ceil(highest) as u8).collect()
}

fn side_health(side: &flow::SideHealth) -> SideHealth {
    SideHealth {
        handshake_ns: side.handshake_ns,
        round_trip_ns: side.round_trip_ns,
        retransmissions: side.retransmissions.into(),
        out_of_order: side.out_of_order.into(),
        duplicate_acks: side.duplicate_acks.into(),
        zero_windows: side.zero_windows.into(),
        full_windows: side.full_windows.into(),
        differing: side.differing.into(),
        keep_alives: side.keep_alives.into(),
        lost_bytes: side.lost_bytes,
    }
}

/// The flows whose parent a flow is.
fn inside(analysis: &Analysis, flow_id: u32) -> Vec<u32> {
    let flow = analysis.labelled(flow_id).map(|it| it.0);
    if flow.and_then(Flow::tunnels).is_none_or(|it| it.carries.is_none()) {
        return Vec::new();
    }
    let parent_of = |it: &Flow| it.tunnels().and_then(|it| it.parent);
    let carried = (0..).zip(&analysis.flows).filter(|it| parent_of(it.1) == Some(flow_id));
    carried.map(|it| it.0).take(MAX_CARRIED).collect()
}

/// Where a timeout cuts a flow; nowhere where it cannot be understood.
fn cuts(flow: &Flow, timeout: &str) -> Vec<u64> {
    let cut = timeout.parse::<Timeout>().map_or(Cut::Whole, Timeout::cut);
    let mut at = 0;
    let begins = features::pieces(flow, cut).into_iter().map(|it| {
        at += it.timeline.len();
        at
    });
    // The last piece ends where the flow does.
    begins.filter(|it| *it < flow.timeline.len()).take(MAX_CUTS).collect()
}

pub(super) fn detail(analysis: &Analysis, flow_id: u32, timeout: &str) -> Option<FlowDetail> {
    let (flow, _) = analysis.labelled(flow_id)?;
    let row = analysis.row(flow_id)?;
    let sessions = analysis.sessions();
    let session = sessions.get(row.session_id)?;
    let schema = &features::TRACTOR;
    let pieces = features::pieces(flow, Cut::Whole);
    let sample = pieces.first().map(|it| it.sample(schema));
    let steps = flow.timeline.steps().take(MAX_STEPS).map(|step| StepRow {
        offset_ns: step.time.0.wrapping_sub(flow.first.0) as i64,
        is_from_client: step.direction == Direction::Forward,
        bytes: step.frame_len,
        payload_bytes: step.payload_len,
        flags: step.flags,
    });
    let touches = |it: &&session::Edge| it.from == flow_id || it.to == flow_id;
    Some(FlowDetail {
        row: row.to_texts(),
        client_name: name(analysis, flow.client.ip),
        server_name: name(analysis, flow.server.ip),
        facts: facts(&row),
        guess: analysis.guess(flow_id),
        first_payloads: [Direction::Forward, Direction::Backward].map(|from| {
            let mut steps = flow.timeline.steps();
            let at = steps.position(|it| it.direction == from && it.payload_len > 0);
            at.map(|it| it as u64)
        }),
        links: session.edges.iter().filter(touches).map(|it| link(analysis, it)).collect(),
        comments: analysis.comments.of(flow_id).to_vec(),
        carries: inside(analysis, flow_id),
        features: schemas::values(schema, sample.as_ref()),
        health: flow.health().map(|it| [&it.client, &it.server].map(side_health)),
        steps: steps.collect(),
        cuts: cuts(flow, timeout),
        packets: flow.packets(),
        client_head: flow.heads.client.bytes().to_vec(),
        server_head: flow.heads.server.bytes().to_vec(),
    })
}

/// What the payload tells, in the order of the facts.
fn facts(row: &Row<'_>) -> Vec<FactRow> {
    let mut told: Vec<(Fact, &str)> = row.facts().collect();
    told.sort_unstable();
    let rows = told.into_iter().map(|(fact, text)| {
        let known = fact.row();
        let name = Words { en: known.en.to_owned(), ru: known.ru.to_owned() };
        let (key, source) = (known.key.to_owned(), known.source.to_owned());
        FactRow { key, name, source, text: text.to_owned() }
    });
    rows.collect()
}
