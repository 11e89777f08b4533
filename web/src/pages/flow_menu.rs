//! What can be done with a cell of the flow table: by its menu, and by keys.

use std::sync::Arc;

use leptos::prelude::*;
use v1::page::FlowRow;

use crate::{
    columns::{self, Column, Line, Look, Shown, Value},
    i18n::{Lang, Texts},
    pages::flow::wireshark_filter,
    parts::menu::Item,
    place::Place,
    state::{App, Step},
    terms,
};

/// A cell of the table.
#[derive(Clone)]
pub struct Cell {
    /// Its row.
    pub line: Arc<Line>,
    /// Its column.
    pub column: &'static Column,
    /// The columns on show.
    pub shown: Vec<Shown>,
}

impl Cell {
    /// What its menu is called.
    pub fn title(&self, t: &Texts, lang: Lang) -> String {
        let value = columns::shown(&(self.column.of)(&self.line), lang);
        let value = if value.is_empty() { t.table.empty_cell.to_owned() } else { value };
        format!("{}: {value}", self.column.title(lang))
    }

    fn value(&self) -> Value {
        (self.column.of)(&self.line)
    }

    fn term(&self) -> Option<String> {
        (self.column.term)(&self.line)
    }

    /// The host it is about: the client in the client's columns, else the server.
    fn host(&self) -> &str {
        let is_client = self.column.key.starts_with("client");
        let row = &self.line.row;
        if is_client { &row.client_ip } else { &row.server_ip }
    }
}

/// What the keys ask of a cell.
pub fn obey(app: App, cell: &Cell, step: Step, t: &Texts) {
    match step {
        Step::Keep => keep(app, cell, false, t),
        Step::Exclude => keep(app, cell, true, t),
        Step::Host => app.go(Place::host(cell.host())),
        Step::Copy => copy_value(app, cell, t),
        _ => {}
    }
}

/// Filters for a cell, or without it.
fn keep(app: App, cell: &Cell, is_negated: bool, t: &Texts) {
    let Some(term) = cell.term() else { return app.say(t.table.no_term.to_owned()) };
    let place = app.place.get_untracked();
    let term = if is_negated { negated(&term) } else { term };
    app.go(Place { filter: joined(&place.filter, &term), ..place.with_id("") });
}

fn negated(term: &str) -> String {
    format!("-{term}")
}

/// A filter with one more term, which must hold beside all of it.
fn joined(filter: &str, term: &str) -> String {
    // The opposite of what is asked for now was asked for before.
    let opposite = term.strip_prefix('-').map_or_else(|| negated(term), str::to_owned);
    let at = terms::split(filter).iter().position(|it| *it == opposite);
    let rest = at.map_or_else(|| filter.to_owned(), |at| terms::without(filter, at));
    terms::with(&rest, term)
}

fn copy_value(app: App, cell: &Cell, t: &Texts) {
    match columns::plain(&cell.value()) {
        it if it.is_empty() => app.say(t.table.empty_cell.to_owned()),
        it => app.copy(it),
    }
}

/// The lines of a cell's menu.
pub fn groups(app: App, cell: &Cell, on_open: Callback<()>, t: &'static Texts) -> Vec<Vec<Item>> {
    let item = |text: String, key: &'static str, act: Callback<()>| Item { text, key, act };
    let mut filter = Vec::new();
    if let Some(term) = cell.term() {
        let of = cell.clone();
        let act = Callback::new(move |()| keep(app, &of, false, t));
        filter.push(item((t.table.keep)(&term), "f", act));
        let of = cell.clone();
        let act = Callback::new(move |()| keep(app, &of, true, t));
        filter.push(item((t.table.exclude)(&term), "x", act));
        let only = term.clone();
        let act = Callback::new(move |()| {
            app.go(Place { filter: only.clone(), ..app.place.get_untracked().with_id("") });
        });
        filter.push(item((t.table.only)(&term), "", act));
    }
    let copied = |text: String| Callback::new(move |()| app.copy(text.clone()));
    let mut copies = Vec::new();
    let of = cell.clone();
    if cell.column.look != Look::Spark && cell.value() != Value::Nothing {
        let act = Callback::new(move |()| copy_value(app, &of, t));
        copies.push(item(t.table.copy_value.to_owned(), "c", act));
    }
    let row = &cell.line.row;
    let lang = app.lang.get_untracked();
    let tabs = columns::tab_separated(&cell.shown, &cell.line, lang);
    copies.push(item(t.table.copy_tabs.to_owned(), "", copied(tabs)));
    let json = serde_json::to_string_pretty(row).unwrap_or_default();
    copies.push(item(t.table.copy_json.to_owned(), "", copied(json)));
    if let Some(term) = cell.term() {
        copies.push(item(t.table.copy_filter.to_owned(), "", copied(term)));
    }
    copies.push(item(t.table.copy_wireshark.to_owned(), "", copied(wireshark_filter(row))));
    copies.push(item(t.table.copy_tcpdump.to_owned(), "", copied(tcpdump_filter(row))));

    let goes = |place: Place| Callback::new(move |()| app.go(place.clone()));
    let (client, server) = (&row.client_ip, &row.server_ip);
    let key_of = |ip: &str| if cell.host() == ip { "h" } else { "" };
    let mut opened = vec![
        item(t.table.open_flow.to_owned(), "", on_open),
        item((t.table.open_client)(client), key_of(client), goes(Place::host(client))),
    ];
    if client != server {
        let host = goes(Place::host(server));
        opened.push(item((t.table.open_server)(server), key_of(server), host));
    }
    let session = (t.table.open_session)(&row.session_id.to_string());
    opened.push(item(session, "", goes(Place::session(row.session_id))));
    vec![filter, copies, opened]
}

/// An expression of tcpdump (pcap-filter) that finds the flow's packets.
pub fn tcpdump_filter(row: &FlowRow) -> String {
    /// What a transport is called there; of others the hosts alone are asked for.
    const NAMES: &[(&str, &str)] = &[
        ("tcp", "tcp"),
        ("udp", "udp"),
        ("sctp", "sctp"),
        ("icmp", "icmp"),
        ("icmpv6", "icmp6"),
        ("igmp", "igmp"),
        ("esp", "esp"),
        ("ah", "ah"),
        ("pim", "pim"),
        ("vrrp", "vrrp"),
    ];
    let name = NAMES.iter().find(|it| it.0 == row.transport).map(|it| it.1);
    let mut parts: Vec<String> = name.map(str::to_owned).into_iter().collect();
    let (client, server) = (&row.client_ip, &row.server_ip);
    if row.client_port == 0 || !["tcp", "udp", "sctp"].contains(&&*row.transport) {
        parts.extend([client, server].map(|it| format!("host {it}")));
        return parts.join(" and ");
    }
    // Which port is whose matters where a host has other flows to the same port.
    let way = |from: (&str, u16), to: (&str, u16)| {
        format!(
            "(src host {} and src port {} and dst host {} and dst port {})",
            from.0, from.1, to.0, to.1
        )
    };
    let (client, server) = ((&**client, row.client_port), (&**server, row.server_port));
    parts.push(format!("({} or {})", way(client, server), way(server, client)));
    parts.join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_takes_the_place_of_its_opposite() {
        assert_eq!(joined("", "label:dns"), "label:dns");
        assert_eq!(joined("label:dns port:53", "-label:dns"), "port:53 -label:dns");
        assert_eq!(joined("-label:dns", "label:dns"), "label:dns");
    }

    #[test]
    fn packets_of_a_flow_are_asked_of_tcpdump() {
        let row = |transport: &str, client_port, server_port| FlowRow {
            transport: transport.into(),
            client_ip: "10.0.0.1".into(),
            client_port,
            server_ip: "192.0.2.7".into(),
            server_port,
            ..FlowRow::default()
        };
        assert_eq!(
            tcpdump_filter(&row("tcp", 40_000, 443)),
            "tcp and ((src host 10.0.0.1 and src port 40000 and dst host 192.0.2.7 and dst port 443) or \
             (src host 192.0.2.7 and src port 443 and dst host 10.0.0.1 and dst port 40000))"
        );
        assert_eq!(tcpdump_filter(&row("icmp", 0, 0)), "icmp and host 10.0.0.1 and host 192.0.2.7");
        assert_eq!(tcpdump_filter(&row("ospf", 0, 0)), "host 10.0.0.1 and host 192.0.2.7");
    }
}
