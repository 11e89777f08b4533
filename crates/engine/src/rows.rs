//! Flows as answers see them: borrowed from an analysis or a stored report, and made into rows of texts one at a time.

use std::borrow::Cow;

use capture::Tunnel;
use classify::{Fact, Verdict};
use features::Piece;
use flow::{Cut, Direction, Endpoint, Flow, Health, Total, Transport};
use v1::page::FlowRow;

use crate::Countries;

/// A flow, wherever it is kept.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) flow_id: u32,
    /// Which piece of its flow it is, from 0; `None` of a whole one.
    pub(crate) piece: Option<u32>,
    pub(crate) session_id: u32,
    pub(crate) transport: Transport,
    pub(crate) client: Endpoint,
    pub(crate) server: Endpoint,
    pub(crate) time_start_ns: u64,
    pub(crate) time_end_ns: u64,
    pub(crate) from_client: Total,
    pub(crate) from_server: Total,
    pub(crate) parent_id: Option<u32>,
    pub(crate) tunnel: Option<Tunnel>,
    pub(crate) carried_bytes: u64,
    /// How an established TCP connection fared, the whole of it; not of a stored report.
    pub(crate) health: Option<&'a Health>,
    history: History<'a>,
    pub(crate) about_id: Option<u32>,
    pub(crate) icmp_errors: u64,
    pub(crate) protocol: &'a str,
    pub(crate) label: &'a str,
    pub(crate) group: &'a str,
    told: Told<'a>,
    /// How the label was reached, in a word.
    pub(crate) evidence: &'a str,
    /// How often a label is right that a model is so sure of, in percent; where the label is a model's.
    pub(crate) confidence: Option<u8>,
    /// Whose first bytes show the protocol.
    pub(crate) shown_by: Option<&'a str>,
    /// What rules and payload call it, and the group of that, where a model was asked.
    pub(crate) by_rules: Option<(&'a str, &'a str)>,
    /// Who says where addresses are, where a database is loaded.
    pub(crate) countries: Option<&'a Countries>,
    reason: Reason<'a>,
}

/// Where state and history of the connection are from; made when asked for.
#[derive(Clone, Copy)]
enum History<'a> {
    Of(&'a Flow),
    OfPiece(&'a Piece<'a>),
    Unknown,
}

/// Where facts are from.
#[derive(Clone, Copy)]
enum Told<'a> {
    Of(&'a Verdict),
    Stored(Stored<'a>),
}

/// What a store keeps of a flow: what the v1 answers need, and no packets.
#[derive(Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) transport: Transport,
    /// The client and the server.
    pub(crate) ends: [Endpoint; 2],
    /// Of the first and the last packet.
    pub(crate) times_ns: [u64; 2],
    pub(crate) protocol: &'a str,
    pub(crate) label: &'a str,
    pub(crate) group: &'a str,
    pub(crate) domain_name: Option<&'a str>,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) reason: &'a str,
}

#[derive(Clone, Copy)]
enum Reason<'a> {
    Of(&'a Verdict),
    Stored(&'a str),
}

impl<'a> Row<'a> {
    /// A flow of an analysis.
    pub(crate) fn new(flow_id: u32, session_id: u32, flow: &'a Flow, verdict: &'a Verdict) -> Self {
        Self {
            flow_id,
            piece: None,
            session_id,
            transport: flow.transport,
            client: flow.client,
            server: flow.server,
            time_start_ns: flow.first.0,
            time_end_ns: flow.last.0,
            from_client: flow.from_client,
            from_server: flow.from_server,
            parent_id: flow.tunnels().and_then(|it| it.parent),
            tunnel: flow.tunnels().and_then(|it| it.inside),
            carried_bytes: flow.bytes() - flow.own_bytes(),
            health: flow.health(),
            history: History::Of(flow),
            about_id: flow.errors().and_then(|it| it.about),
            icmp_errors: flow.errors().map_or(0, |it| it.count.into()),
            protocol: verdict.protocol,
            label: &verdict.label,
            group: verdict.group,
            told: Told::Of(verdict),
            evidence: verdict.evidence(),
            confidence: match &verdict.reason {
                classify::Reason::Model(guess) => Some(guess.percent()),
                _ => None,
            },
            shown_by: verdict.shown.map(classify::Shown::name),
            by_rules: None,
            countries: None,
            reason: Reason::Of(verdict),
        }
    }

    /// What rules and payload call it.
    pub(crate) fn rule_label(&self) -> &'a str {
        self.by_rules.map_or(self.label, |it| it.0)
    }

    /// What a model takes it for, where the label is a model's.
    pub(crate) fn model_label(&self) -> Option<&'a str> {
        (self.evidence == "model").then_some(self.label)
    }

    /// A flow of a store: what that does not keep is not known.
    pub(crate) fn stored(flow_id: u32, stored: Stored<'a>) -> Self {
        Self {
            flow_id,
            piece: None,
            session_id: 0,
            transport: stored.transport,
            client: stored.ends[0],
            server: stored.ends[1],
            time_start_ns: stored.times_ns[0],
            time_end_ns: stored.times_ns[1],
            from_client: Total::default(),
            from_server: Total::default(),
            parent_id: None,
            tunnel: None,
            carried_bytes: 0,
            health: None,
            history: History::Unknown,
            about_id: None,
            icmp_errors: 0,
            protocol: stored.protocol,
            label: stored.label,
            group: stored.group,
            told: Told::Stored(stored),
            evidence: "",
            confidence: None,
            shown_by: None,
            by_rules: None,
            countries: None,
            reason: Reason::Stored(stored.reason),
        }
    }

    /// The same of a piece of the flow, which this cut made.
    pub(crate) fn of_piece<'b>(self, piece: &'b Piece<'_>, cut: Cut) -> Row<'b>
    where
        'a: 'b,
    {
        let (timeline, forward) = (&*piece.timeline, piece.forward);
        let mut sides = [(self.client, Total::default()), (self.server, Total::default())];
        (sides[0].1, sides[1].1) = timeline.totals();
        if forward == Direction::Backward {
            sides.reverse();
        }
        let [(client, from_client), (server, from_server)] = sides;
        let (time_start_ns, time_end_ns) = span(piece, cut);
        let carriers = timeline.steps().filter(|it| it.is_carrier);
        Row {
            piece: piece.number,
            client,
            server,
            carried_bytes: carriers.map(|it| u64::from(it.frame_len)).sum(),
            time_start_ns,
            time_end_ns,
            from_client,
            from_server,
            history: History::OfPiece(piece),
            ..self
        }
    }

    /// Why the flow has its label, in a sentence.
    pub(crate) fn reason(&self) -> Cow<'a, str> {
        match self.reason {
            Reason::Of(verdict) => verdict.sentence(),
            Reason::Stored(text) => Cow::Borrowed(text),
        }
    }

    /// What the payload tells of this.
    pub(crate) fn fact(&self, fact: Fact) -> Option<&'a str> {
        match (self.told, fact) {
            (Told::Of(verdict), _) => verdict.facts().told.get(fact),
            (Told::Stored(row), Fact::UserAgent) => row.user_agent,
            (Told::Stored(_), _) => None,
        }
    }

    /// All that it tells.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (Fact, &'a str)> {
        let (told, agent) = match self.told {
            Told::Of(verdict) => (Some(verdict.facts().told.iter()), None),
            Told::Stored(row) => (None, row.user_agent),
        };
        let agent = agent.map(|it| (Fact::UserAgent, it));
        told.into_iter().flatten().chain(agent)
    }

    /// The name the client asked for, or the server was called by.
    pub(crate) fn domain_name(&self) -> Option<&'a str> {
        match self.told {
            Told::Of(verdict) => verdict.facts().server_name.as_deref(),
            Told::Stored(row) => row.domain_name,
        }
    }

    /// How far the connection came, in Zeek's words.
    pub(crate) fn conn_state(&self) -> Option<&'a str> {
        let state = match self.history {
            History::Of(flow) => flow.conn_state(),
            History::OfPiece(piece) => piece.flow.conn_state_of(&piece.timeline, piece.forward),
            History::Unknown => None,
        };
        state.map(flow::ConnState::name)
    }

    /// What the connection went through, in Zeek's letters.
    pub(crate) fn history(&self) -> Option<String> {
        match self.history {
            History::Of(flow) => flow.history(),
            History::OfPiece(piece) => piece.flow.history_of(&piece.timeline, piece.forward),
            History::Unknown => None,
        }
    }

    /// Whether a side reset the connection.
    pub(crate) fn has_reset(&self) -> bool {
        let is_reset = |it: flow::Step| it.flags & flow::flags::RST != 0;
        match self.history {
            History::Of(flow) => flow.timeline.steps().any(is_reset),
            History::OfPiece(piece) => piece.timeline.steps().any(is_reset),
            History::Unknown => false,
        }
    }

    /// Frame bytes of both sides.
    pub(crate) fn bytes(&self) -> u64 {
        self.from_client.frame_bytes + self.from_server.frame_bytes
    }

    /// As texts: what tables and exports show of it.
    pub(crate) fn to_texts(self) -> FlowRow {
        let text = |it: Option<&str>| it.map(str::to_owned);
        FlowRow {
            flow_id: self.flow_id,
            piece: self.piece,
            session_id: self.session_id,
            transport: self.transport.to_string(),
            client_ip: self.client.ip.to_string(),
            client_port: self.client.port,
            server_ip: self.server.ip.to_string(),
            server_country: None,
            server_port: self.server.port,
            time_start_ns: self.time_start_ns,
            time_end_ns: self.time_end_ns,
            client_packets: self.from_client.packets,
            server_packets: self.from_server.packets,
            client_bytes: self.from_client.frame_bytes,
            server_bytes: self.from_server.frame_bytes,
            client_ip_bytes: self.from_client.ip_bytes,
            server_ip_bytes: self.from_server.ip_bytes,
            parent_id: self.parent_id,
            tunnel: self.tunnel.map(|it| it.to_string()),
            carried_bytes: self.carried_bytes,
            conn_state: text(self.conn_state()),
            history: self.history(),
            about_id: self.about_id,
            icmp_errors: self.icmp_errors,
            protocol: self.protocol.to_owned(),
            label: self.label.to_owned(),
            group: self.group.to_owned(),
            evidence: self.evidence.to_owned(),
            confidence: self.confidence,
            rule_label: text(self.by_rules.map(|it| it.0)),
            rule_group: text(self.by_rules.map(|it| it.1)),
            model_label: text(self.model_label()),
            shown_by: text(self.shown_by),
            reason: self.reason().into_owned(),
            domain_name: text(self.domain_name()),
            user_agent: text(self.fact(Fact::UserAgent)),
            ja4: text(self.fact(Fact::Ja4)),
            facts: self
                .facts()
                .filter(|it| ![Fact::UserAgent, Fact::Ja4].contains(&it.0))
                .map(|(fact, text)| (fact.row().key.to_owned(), text.to_owned()))
                .collect(),
        }
    }
}

/// When a piece begins and ends, in nanoseconds.
pub(crate) fn span(piece: &Piece<'_>, cut: Cut) -> (u64, u64) {
    let times = || piece.timeline.steps().map(|it| it.time.0);
    let end = match cut {
        Cut::Zeek => piece.flow.end_by_zeek(&piece.timeline).0,
        _ => times().max().unwrap_or(0),
    };
    (times().next().unwrap_or(0), end)
}
