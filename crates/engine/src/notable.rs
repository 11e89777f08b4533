//! What is worth a look: scans, regular contacts, uploads, secrets in clear, obsolete versions, doubtful names, and what the
//! capture itself lacks. Each thing with its figures and the filter that finds its flows and no others.
//!
//! Everything is found by sorting, in time that grows with the flows and little memory beside them. What a flow's payload
//! tells is the classifier's: nothing here reads a payload.

mod contacts;
mod names;
mod tcp;
mod told;

use std::net::IpAddr;

use flow::{ConnState, Flow, Transport};
use v1::{Notable, Notables, Parameter};

use crate::Analysis;

/// From when on something is worth a word. What a bound does to the captures of `docs/notable.md` is told there.
pub(crate) mod bounds {
    use std::ops::RangeInclusive;

    /// Ports of one host that were tried in vain: what Zeek's scan detector takes.
    pub(crate) const SCANNED_PORTS: usize = 15;
    /// Hosts that were tried in vain at one port: what Zeek's scan detector takes.
    pub(crate) const SWEPT_HOSTS: usize = 25;
    /// Attempts in vain of all, in percent: whoever looks around meets closed doors, whoever works with a host does not.
    pub(crate) const IN_VAIN_PERCENT: usize = 70;
    /// Of the attempts in vain those that sent data, at most, in percent: more is a capture that sees one direction.
    pub(crate) const SPEAKING_PERCENT: usize = 10;
    /// Frame bytes of a UDP flow that only asks whether somebody is there: more is a dialogue of which one side is seen.
    pub(crate) const PROBE_BYTES: u64 = 1_000;
    /// The ports that traceroute counts up over UDP: a path is looked at, not a host (traceroute(8): from 33434, three a hop).
    pub(crate) const TRACEROUTE: RangeInclusive<u16> = 33_434..=33_625;
    /// Ports that only servers send from (RFC 6335): what comes from there is an answer whose question was not captured.
    pub(crate) const SERVER_PORTS: RangeInclusive<u16> = 1..=1_023;

    /// Contacts of a rhythm: nine intervals, few enough for an hour of a call every five minutes.
    pub(crate) const CONTACTS: usize = 10;
    /// The shortest interval: what is faster is one piece of work cut into connections.
    pub(crate) const INTERVAL_NS: u64 = 1_000_000_000;
    /// The median of how far intervals are from their median, in percent of it: chance gives some 45 (for intervals that
    /// are exponential), a jitter of a fifth gives 10.
    pub(crate) const DEVIATION_PERCENT: u64 = 12;
    /// Intervals within half of the median around it, in percent: some calls may fail or be missed.
    pub(crate) const IN_TIME_PERCENT: usize = 75;

    /// Frame bytes of an upload: some minutes of a home's line, more than pages and forms take.
    pub(crate) const UPLOAD_BYTES: u64 = 10_000_000;
    /// Packets of an upload, so that no record that lies about its length makes one: 10 MB are 160 of the greatest.
    pub(crate) const UPLOAD_PACKETS: u64 = 150;
    /// How many times more is sent than got: a call is about even.
    pub(crate) const UPLOAD_RATIO: u64 = 5;

    /// Flows that asked for names there are not.
    pub(crate) const FAILED_NAMES: usize = 30;
    /// Those of all that asked DNS, in percent: a search domain makes about half of them fail.
    pub(crate) const FAILED_PERCENT: usize = 30;
    /// Different names below one domain.
    pub(crate) const LONG_NAMES: usize = 20;
    /// How long they are on average, without the domain: host names of people are shorter than half of that.
    pub(crate) const NAME_LEN: usize = 30;

    /// Frame bytes of a TCP flow that carries data: more than seven SYNs in vain.
    pub(crate) const DATA_BYTES: u64 = 1_000;
    /// TCP flows of one direction, and of all with data in percent: one or two are connections cut at the capture's ends.
    pub(crate) const ONE_SIDED: usize = 3;
    pub(crate) const ONE_SIDED_PERCENT: usize = 5;
    /// Packets from which shares of packets tell something.
    pub(crate) const PACKETS: u64 = 500;
    /// Segments sent again, in percent: TCP is slow from one or two on (Mathis et al., 1997).
    pub(crate) const RESENT_PERCENT: u64 = 2;
    /// Bytes acknowledged and not captured, in percent of those that are: less is a packet here and there.
    pub(crate) const LOST_PERCENT: u64 = 1;
    /// Bytes of one flow that were not captured, by those that were: more is a jump of its numbers, and no loss.
    pub(crate) const LOST_RATIO: u64 = 100;

    /// Rows of one code; the others are counted.
    pub(crate) const ROWS: usize = 20;
}

/// The notable things among these flows of a capture, whose numbers are in order.
pub(crate) fn find(analysis: &Analysis, flows: &[u32]) -> Notables {
    let mut notables = Notables::default();
    let contacts = contacts::Contacts::new(analysis, flows);
    let all = flows.iter().copied();
    let kinds = [
        contacts.port_scans(),
        contacts.host_sweeps(),
        told::find(analysis, all.clone(), ""),
        names::long(analysis, &contacts),
        contacts.beacons(),
        contacts.uploads(),
        names::failed(analysis, &contacts),
        tcp::find(analysis, all, ""),
    ];
    for mut rows in kinds {
        // Those with most flows; equal ones stay in order.
        rows.sort_by_key(|it| std::cmp::Reverse(it.flows));
        for of_code in codes(&rows) {
            let shown = of_code.len().min(bounds::ROWS);
            notables.rows.extend(of_code.iter().take(shown).map(|it| (*it).clone()));
            notables.more += (of_code.len() - shown) as u64;
        }
    }
    notables.rows = first_of_each(&notables.rows);
    notables
}

/// Warnings first; of those the first of each code, then the second of each: whoever reads a few lines sees what kinds
/// there are.
fn first_of_each(rows: &[Notable]) -> Vec<Notable> {
    let of_codes = codes(rows).into_iter().flat_map(|it| it.into_iter().enumerate());
    let mut ordered: Vec<_> = of_codes.collect();
    ordered.sort_by_key(|(nth, it)| (it.severity(), *nth));
    ordered.into_iter().map(|(_, it)| it.clone()).collect()
}

/// The same of one host: what it did or had done to it, and what its flows tell.
pub(crate) fn of_host(analysis: &Analysis, ip: IpAddr, flows: &[u32]) -> Vec<Notable> {
    let text = ip.to_string();
    let within = format!("ip:{text}");
    let found = analysis
        .notable()
        .rows
        .iter()
        .filter(|it| it.client.as_ref() == Some(&text) || it.server.as_ref() == Some(&text));
    let mut rows: Vec<Notable> = found.cloned().collect();
    rows.extend(told::find(analysis, flows.iter().copied(), &within));
    rows.extend(tcp::find(analysis, flows.iter().copied(), &within));
    rows.sort_by_key(Notable::severity);
    rows
}

/// Rows by code, in the order in which codes first come.
fn codes(rows: &[Notable]) -> Vec<Vec<&Notable>> {
    let mut codes: Vec<Vec<&Notable>> = Vec::new();
    for row in rows {
        let is_same = |it: &&mut Vec<&Notable>| it.first().is_some_and(|it| it.code == row.code);
        match codes.iter_mut().find(is_same) {
            Some(found) => found.push(row),
            None => codes.push(vec![row]),
        }
    }
    codes
}

/// The filter, within another one, which is empty or a term.
fn within(outer: &str, filter: &str) -> String {
    if outer.is_empty() {
        return filter.to_owned();
    }
    let alternatives = filter.split(" or ").map(|it| format!("{outer} {it}"));
    alternatives.collect::<Vec<_>>().join(" or ")
}

/// How much a part is of a whole, in percent.
fn percent(part: usize, whole: usize) -> usize {
    (part * 100).checked_div(whole).unwrap_or(0)
}

/// An attempt that was refused or not answered: its state, by the name that filters know.
fn in_vain(flow: &Flow) -> Option<&'static str> {
    let is_attempt = matches!(flow.transport, Transport::TCP | Transport::UDP);
    let state = flow.conn_state().filter(|_| is_attempt)?;
    matches!(state, ConnState::S0 | ConnState::Rej | ConnState::RstOS0).then(|| state.name())
}

fn text(it: impl ToString) -> Parameter {
    Parameter::Text(it.to_string())
}

fn number(it: usize) -> Parameter {
    Parameter::Number(it as u64)
}
