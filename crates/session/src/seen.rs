//! Flows and verdicts in, small numbers out: what the passes compare, so that each text is looked at once.
//!
//! What is numbered has been sorted before: hostile captures cannot make a list slow, as they can a table of hashes.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    ops::Deref,
    ptr,
};

use classify::{Fact, Verdict};
use flow::{ConnState, Flow, Many, Transport};

use crate::{
    Addresses,
    alike::{CARRIERS, is_application},
    links::{SECOND, is_for_all, is_for_many, is_served, owner},
};

/// Flows that begin within so much of each other begin at once.
pub(crate) const ONCE: u64 = SECOND / 2;
/// A host that sent nothing for so long was silent.
const SILENCE: u64 = SECOND;

/// The number of what there is not.
pub(crate) const NONE: u32 = u32::MAX;

/// What is known of all flows.
pub(crate) struct All<'a> {
    flows: &'a Many<Flow>,
    kept: Vec<Kept>,
    pub(crate) addresses: &'a Addresses,
    /// By flow: the first one with the same name, and the first with a name of the same owner; or [`NONE`].
    names: Vec<[u32; 2]>,
    whats: Whats<'a>,
    /// Flows that ICMP errors are about, each before the one with the errors.
    pub(crate) errors: Vec<(u32, u32)>,
    /// Flows that announce others, that have ties, that have answers.
    pub(crate) announcing: Vec<u32>,
    pub(crate) tied: Vec<u32>,
    pub(crate) answering: Vec<u32>,
}

/// What is kept of a flow beside it: there are millions.
pub(crate) struct Kept {
    /// Those of the client and the server.
    pub(crate) ports: [u16; 2],
    /// Which of [`Whats`].
    what: u32,
    /// Whom it serves: the service that its name belongs to, else the owner of the name; or [`NONE`].
    pub(crate) owner: u32,
    /// The first flow of the same program by its greeting; or [`NONE`].
    pub(crate) program: u32,
    pub(crate) transport: Transport,
    /// Its protocol is one that all applications of a host use alike.
    pub(crate) is_for_all: bool,
    /// Its server is a group of hosts.
    pub(crate) is_for_many: bool,
    /// It is of an application and not of what all of them use, nor inside a tunnel.
    pub(crate) is_own: bool,
    /// Its server is the host whose application it is first; see [`Seen::ends`].
    is_turned: bool,
    /// It is of the group of peer-to-peer programs.
    pub(crate) is_peer: bool,
    /// Its host began to speak after a silence just before.
    pub(crate) follows_silence: bool,
}

/// A flow.
#[derive(Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) number: u32,
    /// The numbers of the client and the server.
    pub(crate) hosts: [u32; 2],
    flows: &'a Many<Flow>,
    kept: &'a Kept,
}

impl Deref for Seen<'_> {
    type Target = Kept;

    fn deref(&self) -> &Kept {
        self.kept
    }
}

/// An address by its number, and a port.
pub(crate) type End = (u32, u16);

impl Seen<'_> {
    /// Time of its first packet, in nanoseconds.
    pub(crate) fn first(&self) -> u64 {
        self.flows.get(self.number as usize).map_or(0, |it| it.first.0)
    }

    /// The latest time of its packets, in nanoseconds.
    pub(crate) fn last(&self) -> u64 {
        self.flows.get(self.number as usize).map_or(0, |it| it.last.0)
    }

    pub(crate) fn client(&self) -> End {
        (self.hosts[0], self.ports[0])
    }

    pub(crate) fn server(&self) -> End {
        (self.hosts[1], self.ports[1])
    }

    /// The host whose application it is first: it opened the flow, or its port is one that clients have, where nobody was
    /// seen to open it.
    pub(crate) fn ends(&self) -> [End; 2] {
        let (client, server) = (self.client(), self.server());
        if self.is_turned { [server, client] } else { [client, server] }
    }

    /// Both hosts, whichever of them opened it, as one number.
    pub(crate) fn both_hosts(&self) -> u64 {
        let [a, b] = self.hosts;
        u64::from(a.min(b)) << 32 | u64::from(a.max(b))
    }
}

impl<'a> All<'a> {
    pub(crate) fn new(
        flows: &'a Many<Flow>,
        verdicts: &'a Many<Verdict>,
        addresses: &'a Addresses,
    ) -> Self {
        let mut all = Self {
            flows,
            kept: Vec::with_capacity(flows.len()),
            addresses,
            names: Vec::with_capacity(flows.len()),
            whats: Whats::default(),
            errors: Vec::new(),
            announcing: Vec::new(),
            tied: Vec::new(),
            answering: Vec::new(),
        };
        let mut names = Firsts::default();
        let mut programs = Firsts::default();
        for (number, (flow, verdict)) in (0..).zip(flows.iter().zip(verdicts)) {
            let mut kept = all.look(number, flow, verdict);
            // What a resolver or a neighbour was asked for is no use of it.
            let name = verdict.facts().server_name.as_deref().filter(|_| !kept.is_for_all);
            all.names.push([names.of(name, number), NONE]);
            let program = kept.is_own.then(|| program(verdict)).flatten();
            kept.program = programs.of(program, number);
            all.kept.push(kept);
        }
        drop(programs);
        all.number_owners(names, verdicts);
        all.find_silences();
        all
    }

    /// How many flows.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// A flow by its number.
    pub(crate) fn get(&self, number: u32) -> Option<Seen<'_>> {
        let at = number as usize;
        let (hosts, kept) = (*self.addresses.ends().get(at)?, self.kept.get(at)?);
        Some(Seen { number, hosts, flows: self.flows, kept })
    }

    /// All flows, in order.
    pub(crate) fn each(&self) -> impl Iterator<Item = Seen<'_>> {
        let numbered = (0..).zip(self.kept.iter().zip(self.addresses.ends()));
        let flows = self.flows;
        numbered.map(move |(number, (kept, hosts))| Seen { number, hosts: *hosts, flows, kept })
    }

    /// The first flow with the same name as a flow, and the first with a name of the same owner; or [`NONE`].
    pub(crate) fn names(&self, seen: &Seen<'_>) -> [u32; 2] {
        self.names.get(seen.number as usize).copied().unwrap_or([NONE; 2])
    }

    /// Forgets names: whom flows serve stays.
    pub(crate) fn forget_names(&mut self) {
        self.names = Vec::new();
    }

    /// What a flow of these is.
    pub(crate) fn what(&self, seen: &Kept) -> What {
        self.whats.list.get(seen.what as usize).copied().unwrap_or_default()
    }

    /// The number of a text, if it is a protocol or a label of any flow.
    pub(crate) fn text(&self, text: &str) -> Option<u32> {
        self.whats.texts.get(text).copied()
    }

    /// Looks at a flow, but not yet whom it serves.
    fn look(&mut self, number: u32, flow: &Flow, verdict: &'a Verdict) -> Kept {
        let facts = verdict.facts();
        for (has_some, list) in [
            (!facts.expected.is_empty(), &mut self.announcing),
            (!facts.ties.is_empty(), &mut self.tied),
            (!facts.answers.is_empty(), &mut self.answering),
        ] {
            if has_some {
                list.push(number);
            }
        }
        self.errors.extend(flow.errors().and_then(|it| it.about).map(|about| (about, number)));
        let (what, is_for_all) = self.whats.number(verdict);
        let is_for_many = is_for_many(flow.server.ip);
        let is_carried = flow.tunnels().and_then(|it| it.parent).is_some();
        Kept {
            ports: [flow.client.port, flow.server.port],
            what,
            owner: NONE,
            program: NONE,
            transport: flow.transport,
            is_for_all,
            is_for_many,
            is_own: !is_for_all && !is_for_many && !is_carried,
            is_turned: is_turned(flow),
            is_peer: verdict.group == "peer2peer",
            follows_silence: false,
        }
    }

    /// Finds which flows begin just after their host had been silent.
    fn find_silences(&mut self) {
        // Until when each host spoke, and since when: who has not, since the end of time.
        let mut spoke: Vec<(u64, u64)> = vec![(0, u64::MAX); self.addresses.len()];
        // Flows are in order of their first packets.
        let ends = self.addresses.ends();
        for (flow, (kept, hosts)) in self.flows.iter().zip(self.kept.iter_mut().zip(ends)) {
            let Some(host) = spoke.get_mut(hosts[0] as usize).filter(|_| kept.is_own) else {
                continue;
            };
            let (mut until, mut began) = *host;
            if began == u64::MAX || flow.first.0 > until.saturating_add(SILENCE) {
                began = flow.first.0;
            }
            until = until.max(flow.last.0);
            *host = (until, began);
            kept.follows_silence = flow.first.0 <= began.saturating_add(ONCE);
        }
    }

    /// Finds who owns each name, once for all flows with it, and whom the flows serve.
    fn number_owners(&mut self, names: Firsts<'_>, verdicts: &Many<Verdict>) {
        let n_flows = self.kept.len() as u32;
        let mut owners = Firsts::default();
        let mut of_names: Vec<(u32, u32)> = names
            .0
            .into_iter()
            .map(|((_, name), first)| (first, owners.of(Some(owner(name)), first)))
            .collect();
        of_names.sort_unstable();
        // The numbers of services are beyond those of flows, unless an owner of names is called the same.
        let mut services: Vec<u32> = vec![NONE; self.whats.texts.len()];
        for (text, number) in &self.whats.texts {
            if let Some(slot) = services.get_mut(*number as usize) {
                *slot = owners.find(text).unwrap_or(n_flows + number);
            }
        }
        for (at, verdict) in verdicts.iter().enumerate() {
            let Some(&[name, _]) = self.names.get(at).filter(|it| it[0] != NONE) else { continue };
            // Who has a name first is before all others with it.
            let owner = if name as usize == at {
                let place = of_names.binary_search_by_key(&name, |it| it.0);
                place.ok().and_then(|it| of_names.get(it)).map(|it| it.1)
            } else {
                self.names.get(name as usize).map(|it| it[1])
            };
            let label = self.kept.get(at).map(|it| self.what(it).label as usize);
            let service = label.filter(|_| is_served(verdict)).and_then(|it| services.get(it));
            let service = service.copied();
            if let (Some(owner), Some(names), Some(kept)) =
                (owner, self.names.get_mut(at), self.kept.get_mut(at))
            {
                names[1] = owner;
                kept.owner = service.unwrap_or(owner);
            }
        }
    }
}

/// Which program greets, as far as it says so.
fn program(verdict: &Verdict) -> Option<&str> {
    let mut agent = None;
    for (fact, text) in verdict.facts().told.iter() {
        match fact {
            Fact::Ja4 => return Some(text),
            Fact::UserAgent => agent = Some(text),
            _ => {}
        }
    }
    agent
}

/// Texts, each with a number of the first flow that has it, in order of short hashes: so most are told apart at once.
#[derive(Default)]
struct Firsts<'a>(BTreeMap<(u32, &'a str), u32>);

impl<'a> Firsts<'a> {
    /// The first flow with this text; [`NONE`] where there is none.
    fn of(&mut self, text: Option<&'a str>, flow: u32) -> u32 {
        text.map_or(NONE, |text| *self.0.entry((hash(text), text)).or_insert(flow))
    }

    fn find(&self, text: &str) -> Option<u32> {
        self.0.get(&(hash(text), text)).copied()
    }
}

fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish() as u32
}

/// Whether nobody was seen to open it, and the server's port is one that clients have.
fn is_turned(flow: &Flow) -> bool {
    /// Below it are few ports that clients have.
    const MIN_CLIENT_PORT: u16 = 32_768;
    flow.transport == Transport::TCP
        && flow.client.port < MIN_CLIENT_PORT
        && flow.server.port >= MIN_CLIENT_PORT
        && flow.conn_state() == Some(ConnState::Oth)
}

/// What flows are: protocol and label, each pair once.
struct Whats<'a> {
    list: Vec<What>,
    numbers: BTreeMap<(&'a str, &'a str), u32>,
    /// Numbers of protocols and labels.
    texts: BTreeMap<&'a str, u32>,
    /// Pairs that came before, by where their texts are: most flows share those.
    recent: Vec<Option<((&'a str, &'a str), u32)>>,
}

/// A protocol and a label.
#[derive(Clone, Copy, Default)]
pub(crate) struct What {
    pub(crate) protocol: u32,
    pub(crate) label: u32,
    pub(crate) is_for_all: bool,
    pub(crate) has_protocol: bool,
    pub(crate) has_label: bool,
    /// The label says more than how it is carried.
    pub(crate) is_telling: bool,
    /// The label is that of one application.
    pub(crate) is_application: bool,
}

/// How many pairs are remembered.
const RECENT: usize = 256;

impl Default for Whats<'_> {
    fn default() -> Self {
        let (list, numbers, texts) = Default::default();
        Self { list, numbers, texts, recent: vec![None; RECENT] }
    }
}

impl<'a> Whats<'a> {
    /// The number of what a flow is, and whether all applications use that alike.
    fn number(&mut self, verdict: &'a Verdict) -> (u32, bool) {
        let pair = (verdict.protocol, &*verdict.label);
        let place = (pair.0.as_ptr().addr() ^ pair.1.as_ptr().addr()) % RECENT;
        let known = self.recent.get(place).copied().flatten();
        let is_same = |it: &((&str, &str), u32)| ptr::eq(it.0.0, pair.0) && ptr::eq(it.0.1, pair.1);
        let number = match known.filter(is_same) {
            Some((_, number)) => number,
            None => self.look_up(pair),
        };
        if let Some(slot) = self.recent.get_mut(place) {
            *slot = Some((pair, number));
        }
        (number, self.list.get(number as usize).is_some_and(|it| it.is_for_all))
    }

    fn look_up(&mut self, (protocol, label): (&'a str, &'a str)) -> u32 {
        if let Some(number) = self.numbers.get(&(protocol, label)) {
            return *number;
        }
        let mut text = |text| {
            let next = self.texts.len() as u32;
            *self.texts.entry(text).or_insert(next)
        };
        let has_label = label != classify::UNKNOWN;
        self.list.push(What {
            protocol: text(protocol),
            label: text(label),
            is_for_all: is_for_all(protocol),
            has_protocol: protocol != classify::UNKNOWN,
            has_label,
            is_telling: has_label && !CARRIERS.contains(&label),
            is_application: has_label && is_application(label),
        });
        let number = self.list.len() as u32 - 1;
        self.numbers.insert((protocol, label), number);
        number
    }
}

/// Two numbers that say what flows have in common.
pub(crate) type Common = (u64, u64);

/// Gives the flows that have the same in common, in order of their numbers, group by group.
///
/// They are put in order by a short hash, so that little memory is taken and few are compared; hostile captures only make
/// more of the latter.
pub(crate) fn each_group(
    all: &All<'_>,
    common: impl Fn(&Seen<'_>) -> Option<Common>,
    mut take: impl FnMut(&[u32]),
) {
    // At once: growing would leave holes as large as itself.
    let mut order: Vec<u64> = Vec::with_capacity(all.len());
    for seen in all.each() {
        order.extend(common(&seen).map(|it| u64::from(short(it)) << 32 | u64::from(seen.number)));
    }
    order.sort_unstable();
    let common = |it: &u32| all.get(*it).and_then(|it| common(&it));
    let mut numbers: Vec<u32> = Vec::new();
    for alike in order.chunk_by(|a, b| a >> 32 == b >> 32).filter(|it| it.len() > 1) {
        numbers.clear();
        numbers.extend(alike.iter().map(|it| *it as u32));
        let first = numbers.first().and_then(common);
        if numbers.iter().any(|it| common(it) != first) {
            numbers.sort_by_cached_key(common);
        }
        numbers.chunk_by(|a, b| common(a) == common(b)).for_each(&mut take);
    }
}

/// A short hash: the upper half of a product depends on every bit.
fn short(it: Common) -> u32 {
    let a = (it.0 ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let b = (a.rotate_left(32) ^ it.1).wrapping_mul(0x94d0_49bb_1331_11eb);
    (b >> 32) as u32
}
