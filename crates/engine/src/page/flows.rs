//! Windows of the flow table, and one flow whole.

use std::{collections::BTreeMap, sync::Arc};

use classify::Fact;
use features::Piece;
use flow::{ConnState, Cut, Direction, Flow, Timeline};
use v1::page::{
    FactRow, FilterError, FlowDetail, FlowRow, FlowSort, Flows, RowHealth, SideHealth, StepRow,
    Words, Wrong,
};

use super::{
    chosen::{Chosen, MAX_CHOSEN},
    hosts::name,
    link,
    order::{Item, Sorted, both, slower},
    schemas, windowed,
};
use crate::{
    Analysis, Timeout,
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

/// How many orders of all flows are kept; one takes some five bytes a flow.
const MAX_ORDERS: usize = 2;
/// Fewer than one flow in so many is sorted by itself, not picked out of the order of all.
const FEW: usize = 4;

/// A column, and whether the greatest comes first.
type Sort = (FlowSort, bool);

/// What is kept from one window to the next.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// What the last filters leave; the one used last comes last.
    chosen: Vec<Arc<Chosen>>,
    /// What the last filter and timeout leave.
    listed: Option<Arc<Listed>>,
    /// Orders of all flows, or of the pieces that are listed; the one used last comes last.
    orders: Vec<(FlowSort, Arc<Sorted>)>,
    /// The order of the last window.
    last: Option<(Sort, Arc<[u32]>)>,
}

/// The rows that a filter and a timeout leave.
#[derive(Debug)]
struct Listed {
    chosen: Arc<Chosen>,
    timeout: String,
    cut: Cut,
    /// Their pieces, by first packet, where the timeout cuts flows.
    pieces: Option<Vec<Slot>>,
    bytes: u64,
}

/// A piece of a flow, and what it can be sorted by.
#[derive(Clone, Copy, Debug)]
struct Slot {
    flow: u32,
    piece: u32,
    /// The flow's server speaks first in it, and is its client.
    is_turned: bool,
    state: Option<ConnState>,
    first_ns: u64,
    last_ns: u64,
    packets: [u64; 2],
    bytes: [u64; 2],
}

pub(super) fn window(
    analysis: &Analysis,
    filter: &str,
    timeout: &str,
    sort: Sort,
    offset: u32,
    len: u32,
) -> Flows {
    let total = analysis.n_flows() as u64;
    let (listed, rows) = match order(analysis, filter, timeout, sort) {
        Ok(found) => found,
        Err(error) => return Flows { total, filter_error: Some(error), ..Flows::default() },
    };
    let mut answer = Flows {
        matching: rows.len() as u64,
        matching_flows: listed.chosen.len(),
        matching_bytes: listed.bytes,
        total,
        ..Flows::default()
    };
    // Each flow is cut once for all its pieces in the window.
    let mut cut: BTreeMap<u32, Vec<Piece<'_>>> = BTreeMap::new();
    for at in windowed(&rows, offset, len) {
        let slot = listed.pieces.as_ref().map(|it| it.get(*at as usize));
        let number = match slot {
            None => *at,
            Some(Some(slot)) => slot.flow,
            Some(None) => continue,
        };
        let Some((flow, _)) = analysis.labelled(number) else { continue };
        let Some(row) = analysis.row(number) else { continue };
        if let Some(Some(slot)) = slot {
            let pieces = cut.entry(number).or_insert_with(|| features::pieces(flow, listed.cut));
            let Some(piece) = pieces.get(slot.piece as usize) else { continue };
            answer.rows.push(located(analysis, row.of_piece(piece, listed.cut)));
            answer.sparks.push(spark(&piece.timeline));
        } else {
            answer.rows.push(located(analysis, row));
            answer.sparks.push(spark(&flow.timeline));
        }
        answer.health.push(flow.health().map(|_| row_health(flow)));
    }
    answer
}

/// A row as texts, and where its server is.
fn located(analysis: &Analysis, row: Row<'_>) -> FlowRow {
    let server_country = analysis.country(row.server.ip).map(str::to_owned);
    FlowRow { server_country, ..row.to_texts() }
}

fn row_health(flow: &Flow) -> RowHealth {
    RowHealth {
        handshake_ns: slower(flow, |it| it.handshake_ns),
        round_trip_ns: slower(flow, |it| it.round_trip_ns),
        retransmissions: both(flow, |it| it.retransmissions.into()).unwrap_or(0),
        lost_bytes: both(flow, |it| it.lost_bytes).unwrap_or(0),
    }
}

/// Filters, cuts and sorts, as far as that was not done for the windows before: what there is, and its order.
fn order(
    analysis: &Analysis,
    filter: &str,
    timeout: &str,
    (column, is_descending): Sort,
) -> Result<(Arc<Listed>, Arc<[u32]>), FilterError> {
    let chosen = analysis.chosen(filter)?;
    let mut kept = analysis.order.lock().unwrap_or_else(|it| it.into_inner());
    let is_same = |it: &&Arc<Listed>| Arc::ptr_eq(&it.chosen, &chosen) && it.timeout == timeout;
    let listed = match kept.listed.as_ref().filter(is_same) {
        Some(listed) => Arc::clone(listed),
        None => {
            let listed = Arc::new(Listed::new(analysis, chosen, timeout)?);
            let is_of_pieces = |it: &Listed| it.pieces.is_some();
            if is_of_pieces(&listed) || kept.listed.as_deref().is_some_and(is_of_pieces) {
                kept.orders.clear();
            }
            kept.listed = Some(Arc::clone(&listed));
            kept.last = None;
            listed
        }
    };
    if let Some((_, rows)) = kept.last.as_ref().filter(|it| it.0 == (column, is_descending)) {
        return Ok((listed, Arc::clone(rows)));
    }
    let rows: Arc<[u32]> = kept.sorted(analysis, &listed, column, is_descending).into();
    kept.last = Some(((column, is_descending), Arc::clone(&rows)));
    Ok((listed, rows))
}

impl Kept {
    /// What this filter leaves, where that is kept.
    pub(super) fn chosen(&mut self, filter: &str) -> Option<Arc<Chosen>> {
        let found = self.chosen.iter().position(|it| it.filter == filter)?;
        let chosen = self.chosen.remove(found);
        self.chosen.push(Arc::clone(&chosen));
        Some(chosen)
    }

    /// Keeps what a filter leaves, in place of what was not used for longest.
    pub(super) fn keep(&mut self, chosen: Arc<Chosen>) {
        if self.chosen.len() >= MAX_CHOSEN {
            self.chosen.remove(0);
        }
        self.chosen.push(chosen);
    }

    /// What is listed, in order of a column.
    fn sorted(
        &mut self,
        analysis: &Analysis,
        listed: &Listed,
        column: FlowSort,
        is_descending: bool,
    ) -> Vec<u32> {
        if let Some(pieces) = &listed.pieces {
            let order = self.of(column, || of_pieces(analysis, pieces, column));
            return order.rows(is_descending);
        }
        let n_flows = analysis.n_flows();
        if listed.chosen.flows.len() == n_flows {
            let all = || of_flows(analysis, None, column);
            return self.of(column, all).rows(is_descending);
        }
        let is_known = self.orders.iter().any(|it| it.0 == column);
        if !is_known && listed.chosen.flows.len() < n_flows / FEW {
            let places = of_flows(analysis, Some(&listed.chosen.flows), column).rows(is_descending);
            let number = |at: u32| listed.chosen.flows.get(at as usize).copied();
            return places.into_iter().filter_map(number).collect();
        }
        let mut is_listed = vec![false; n_flows];
        for number in &listed.chosen.flows {
            if let Some(it) = is_listed.get_mut(*number as usize) {
                *it = true;
            }
        }
        let all = self.of(column, || of_flows(analysis, None, column));
        let mut rows = all.rows(is_descending);
        rows.retain(|it| is_listed.get(*it as usize).copied().unwrap_or(false));
        rows
    }

    /// The order of a column, made where it is not kept.
    fn of(&mut self, column: FlowSort, make: impl FnOnce() -> Sorted) -> Arc<Sorted> {
        let found = self.orders.iter().position(|it| it.0 == column);
        // What goes makes room for what is made.
        if found.is_none() && self.orders.len() >= MAX_ORDERS {
            self.orders.remove(0);
        }
        let order = found.map_or_else(|| (column, Arc::new(make())), |at| self.orders.remove(at));
        let sorted = Arc::clone(&order.1);
        self.orders.push(order);
        sorted
    }
}

impl Listed {
    fn new(analysis: &Analysis, chosen: Arc<Chosen>, timeout: &str) -> Result<Self, FilterError> {
        let cut = match timeout.parse::<Timeout>() {
            Ok(timeout) => timeout.cut(),
            Err(_) => return Err(FilterError::new(0..0, Wrong::Timeout, &[timeout])),
        };
        let bytes = bytes_of(analysis, &chosen.flows);
        let pieces = (cut != Cut::Whole).then(|| slots(analysis, &chosen.flows, cut));
        Ok(Self { chosen, timeout: timeout.to_owned(), cut, pieces, bytes })
    }
}

/// The pieces of these flows, by their first packets; those that begin at once by flow.
fn slots(analysis: &Analysis, numbers: &[u32], cut: Cut) -> Vec<Slot> {
    let mut slots = Vec::new();
    for number in numbers {
        let Some((flow, _)) = analysis.labelled(*number) else { continue };
        for (at, piece) in (0..).zip(features::pieces(flow, cut)) {
            let (first_ns, last_ns) = span(&piece, cut);
            let (client, server) = piece.timeline.totals();
            let is_turned = piece.forward == Direction::Backward;
            let [client, server] = if is_turned { [server, client] } else { [client, server] };
            slots.push(Slot {
                flow: *number,
                piece: at,
                is_turned,
                state: flow.conn_state_of(&piece.timeline, piece.forward),
                first_ns,
                last_ns,
                packets: [client.packets, server.packets],
                bytes: [client.frame_bytes, server.frame_bytes],
            });
        }
    }
    slots.sort_by_key(|it| it.first_ns);
    slots
}

/// Flows in order of a column: all of them, or places of some in their list.
fn of_flows(analysis: &Analysis, some: Option<&[u32]>, column: FlowSort) -> Sorted {
    let sessions = analysis.sessions();
    let n_rows = some.map_or(analysis.n_flows(), <[u32]>::len);
    Sorted::new(column, n_rows, |at| {
        let number = some.map_or(Some(at), |it| it.get(at as usize).copied())?;
        let (flow, verdict) = analysis.labelled(number)?;
        Some(Item {
            number,
            session: sessions.of(number),
            flow,
            verdict,
            by_rules: analysis.by_rules(number, verdict),
            client: flow.client,
            server: flow.server,
            first_ns: flow.first.0,
            last_ns: flow.last.0,
            packets: [flow.from_client.packets, flow.from_server.packets],
            bytes: [flow.from_client.frame_bytes, flow.from_server.frame_bytes],
            state: None,
        })
    })
}

/// Places of these pieces in order of a column.
fn of_pieces(analysis: &Analysis, pieces: &[Slot], column: FlowSort) -> Sorted {
    let sessions = analysis.sessions();
    Sorted::new(column, pieces.len(), |at| {
        let slot = pieces.get(at as usize)?;
        let (flow, verdict) = analysis.labelled(slot.flow)?;
        let mut ends = [flow.client, flow.server];
        if slot.is_turned {
            ends.reverse();
        }
        let [client, server] = ends;
        Some(Item {
            number: slot.flow,
            session: sessions.of(slot.flow),
            flow,
            verdict,
            by_rules: analysis.by_rules(slot.flow, verdict),
            client,
            server,
            first_ns: slot.first_ns,
            last_ns: slot.last_ns,
            packets: slot.packets,
            bytes: slot.bytes,
            state: Some(slot.state),
        })
    })
}

/// Frame bytes of flows, whose numbers are in order, without those they carry for each other.
fn bytes_of(analysis: &Analysis, numbers: &[u32]) -> u64 {
    if numbers.len() == analysis.n_flows() {
        return analysis.flows.iter().map(Flow::own_bytes).sum();
    }
    let flows = numbers.iter().filter_map(|it| Some(analysis.labelled(*it)?.0));
    let bytes = flows.map(|flow| match flow.tunnels().and_then(|it| it.parent) {
        Some(parent) if numbers.binary_search(&parent).is_ok() => 0,
        _ => flow.bytes(),
    });
    bytes.sum()
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
        row: located(analysis, row),
        client_name: name(analysis, flow.client.ip),
        server_name: name(analysis, flow.server.ip),
        facts: facts(&row),
        by_rules: analysis.rule_word(flow_id),
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
        payload_bytes: [Direction::Forward, Direction::Backward].map(|from| {
            let steps = flow.timeline.steps().filter(|it| it.direction == from);
            steps.map(|it| u64::from(it.payload_len)).sum()
        }),
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
