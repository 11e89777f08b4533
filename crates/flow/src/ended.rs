//! Flows that are at an end, on their way from one machine to another: what may still be asked of them, and nothing twice.
//!
//! Counts and times are told by the timeline, and made anew of it. What would tell whether one more packet is the flow's stays
//! behind, for none comes.

use std::mem;

use capture::{Tunnel, TunnelKind};
use serde::{Deserialize, Serialize};

use crate::{
    Apart, Direction, Endpoint, Flow, Heads, Health, Many, Rare, Share, Table, Timeline, Total,
    Transport, Tunnels,
    health::Watch,
    quotes::{Errors, Quote},
    share::Key,
    table::Place,
    tcp::{Connection, Openings},
};

/// The flows of a share that has ended, in a form that can be carried.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    flows: Vec<EndedFlow>,
    /// Where the first packet of each is in the capture, from that of the flow before on.
    ordinals: Vec<u64>,
    /// Flows whose first packet came in a tunnel, and the place of what carried it in `carriers`.
    carried: Vec<(u32, u32)>,
    carriers: Vec<Key>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EndedFlow {
    transport: Transport,
    topic: u8,
    client: Endpoint,
    server: Endpoint,
    steps: Vec<u8>,
    heads: [Vec<u8>; 2],
    connection: Connection,
    windows: [Option<u16>; 2],
    health: Option<Box<Health>>,
    tunnels: Option<EndedTunnels>,
    quotes: Vec<Quote>,
}

#[derive(Debug, Serialize, Deserialize)]
struct EndedTunnels {
    inside: Option<Tunnel>,
    carries: Option<TunnelKind>,
    key: Place,
}

impl Share {
    /// The share as it travels, once it has ended and all its flows are labelled.
    pub fn into_ended(self) -> Ended {
        let mut before = 0;
        let ordinals =
            self.ordinals.iter().map(|it| it.wrapping_sub(mem::replace(&mut before, *it)));
        let mut carriers: Vec<(u32, Key)> = self.carriers.iter().map(|it| (*it.1, *it.0)).collect();
        carriers.sort_unstable();
        Ended {
            ordinals: ordinals.collect(),
            carried: self.carried,
            carriers: carriers.into_iter().map(|it| it.1).collect(),
            flows: self.table.into_flows().into_iter().map(EndedFlow::of).collect(),
        }
    }

    /// The share that was carried; nothing where that was none.
    pub fn of_ended(ended: Ended, apart: Apart) -> Option<Self> {
        let Ended { flows, ordinals, carried, carriers } = ended;
        let is_sound = flows.len() == ordinals.len()
            && carried
                .iter()
                .all(|it| (it.0 as usize) < flows.len() && (it.1 as usize) < carriers.len());
        let flows = flows.into_iter().map(EndedFlow::flow).collect::<Option<Many<Flow>>>()?;
        let mut before = 0_u64;
        let ordinals = ordinals.into_iter().map(|it| {
            before = before.wrapping_add(it);
            before
        });
        is_sound.then(|| Self {
            table: Table::of_ended(flows, apart),
            ordinals: ordinals.collect(),
            carried,
            carriers: carriers.into_iter().zip(0..).collect(),
        })
    }
}

impl EndedFlow {
    fn of(flow: Flow) -> Self {
        let tunnels = flow.tunnels().map(|it| EndedTunnels {
            inside: it.inside,
            carries: it.carries,
            key: it.key,
        });
        let quotes = flow.errors().map(|it| it.quotes.clone()).unwrap_or_default();
        Self {
            transport: flow.transport,
            topic: flow.topic,
            client: flow.client,
            server: flow.server,
            steps: flow.timeline.code().to_vec(),
            heads: [flow.heads.client.bytes(), flow.heads.server.bytes()].map(<[u8]>::to_vec),
            connection: flow.connection,
            windows: flow.openings.windows(),
            health: flow.health().cloned().map(Box::new),
            tunnels,
            quotes,
        }
    }

    fn flow(self) -> Option<Flow> {
        let Self { transport, topic, client, server, heads, connection, windows, .. } = self;
        let timeline = Timeline::of_code(self.steps)?;
        let first = timeline.steps().next()?.time;
        let last = timeline.steps().map(|it| it.time).max()?;
        let (from_client, from_server) = timeline.totals();
        let tunnels = self.tunnels.map(|it| {
            let (carried_from_client, carried_from_server) = carried(&timeline);
            let EndedTunnels { inside, carries, key } = it;
            Tunnels { parent: None, inside, carries, carried_from_client, carried_from_server, key }
        });
        let errors =
            (!self.quotes.is_empty()).then(|| Errors { quotes: self.quotes, ..Errors::default() });
        let is_rare = tunnels.is_some() || errors.is_some();
        Some(Flow {
            transport,
            client,
            server,
            first,
            last,
            from_client,
            from_server,
            timeline,
            heads: Heads::new(transport, client.port, server.port).of_ended(heads),
            topic,
            connection,
            openings: Openings::of_windows(windows),
            watch: self.health.map(|it| Box::new(Watch::of_ended(*it))),
            rare: is_rare.then(|| Box::new(Rare { tunnels, errors })),
        })
    }
}

/// What of the client's and of the server's packets carries packets of other flows.
fn carried(timeline: &Timeline) -> (Total, Total) {
    let mut totals = (Total::default(), Total::default());
    for step in timeline.steps().filter(|it| it.is_carrier) {
        match step.direction {
            Direction::Forward => totals.0.add(&step),
            Direction::Backward => totals.1.add(&step),
        }
    }
    totals
}
