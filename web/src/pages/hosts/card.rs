//! The host card: traffic each way, ports served and used, Ethernet addresses, what its system may be, its sessions.

use leptos::prelude::*;
use v1::page::{FlowSort, HostCard, HostRow, MacRow, PortRow, SessionRow};

use crate::{
    format, groups,
    i18n::{Lang, Texts, word},
    pages::notable,
    parts::{
        bars::{Bar, Bars},
        reference::{LoadReference, Words},
        small::{Mark, Panel},
    },
    place::Place,
    state::app,
    terms,
};

/// Traffic each way, and when.
pub(super) fn figures(card: &HostCard, row: &HostRow, t: &'static Texts, lang: Lang) -> AnyView {
    let filter = terms::term("ip", &row.ip);
    let most = |sort| Place { sort, is_descending: true, ..Place::flows(filter.clone()) }.hash();
    let both = format!(
        "↑ {} · ↓ {}",
        format::bytes(card.bytes_out, lang),
        format::bytes(card.bytes_in, lang)
    );
    let packets = format!(
        "↑ {} · ↓ {}",
        format::count(card.packets_out, lang),
        format::count(card.packets_in, lang)
    );
    let times =
        format!("{} – {}", format::clock(card.time_start_ns), format::clock(card.time_end_ns));
    let length = format::duration(card.time_end_ns.saturating_sub(card.time_start_ns), lang);
    let days = format!("{} · {times}", format::date(card.time_start_ns));
    view! {
        <div>
            <dt>{t.traffic}</dt>
            <dd><a href=most(FlowSort::Bytes)>{format::bytes(row.bytes, lang)}</a></dd>
            <dd class="sub">{both}</dd>
        </div>
        <div>
            <dt>{t.packets}</dt>
            <dd><a href=most(FlowSort::Packets)>{format::count(card.packets_out + card.packets_in, lang)}</a></dd>
            <dd class="sub">{packets}</dd>
        </div>
        <div>
            <dt>{t.overview.seen}</dt>
            <dd><a href=most(FlowSort::Start)>{length}</a></dd>
            <dd class="sub">{days}</dd>
        </div>
    }
    .into_any()
}

/// What is worth a look about it.
pub(super) fn notable_panel(card: &HostCard, t: &'static Texts, lang: Lang) -> AnyView {
    (!card.notable.is_empty())
        .then(|| {
            let list = notable::list(&card.notable, "", t, lang);
            view! { <Panel title=t.overview.notable.to_owned() class="notable">{list}</Panel> }
        })
        .into_any()
}

/// Ports with what was spoken there.
pub(super) fn ports_panel(
    title: &'static str,
    ports: &[PortRow],
    t: &'static Texts,
    lang: Lang,
) -> AnyView {
    let most = ports.iter().map(|it| it.flows).max().unwrap_or(1).max(1);
    let bars = ports.iter().map(|it| {
        let protocols: Vec<String> =
            it.protocols.iter().map(|it| groups::written(it, lang)).collect();
        Bar {
            title: format!("{}/{}", it.transport, it.port),
            href: Place::flows(it.filter.clone()).hash(),
            sub: protocols.join(", "),
            figures: vec![format::count(it.flows, lang), format::bytes(it.bytes, lang)],
            share: it.flows as f64 / most as f64,
            is_mono: true,
            ..Bar::default()
        }
    });
    let bars: Vec<Bar> = bars.collect();
    if bars.is_empty() {
        return ().into_any();
    }
    let n = format::count(bars.len() as u64, lang);
    let headings = vec![t.overview.port.to_owned(), t.flows.to_owned(), t.bytes.to_owned()];
    view! {
        <Panel title=title.to_owned()>
            <Bars headings bars at_first=8 more=(t.all_of_them)(&n) />
        </Panel>
    }
    .into_any()
}

/// What its system may be, each with who said so.
pub(super) fn systems_panel(card: &HostCard, t: &'static Texts, lang: Lang) -> AnyView {
    if card.systems.is_empty() {
        return ().into_any();
    }
    let lines = card.systems.iter().map(|it| {
        let by = (t.said_by)(&groups::written(&it.protocol, lang));
        let filter =
            format!("{} {}", terms::term("proto", &it.protocol), terms::term(&it.fact, &it.said));
        let href = Place::flows(filter).hash();
        view! {
            <li>
                <b>{it.system.clone()}</b> " " <span class="dim">{by}</span>
                <br />
                <a class="dim" href=href>{it.said.clone()}</a>
            </li>
        }
    });
    let lines = lines.collect_view();
    let right = move || t.overview.hints;
    view! {
        <Panel title=t.overview.systems.to_owned() right=right><ul class="lines">{lines}</ul></Panel>
    }
    .into_any()
}

/// Ethernet addresses, each with whose it is as far as can be told.
pub(super) fn macs_panel(card: &HostCard, t: &'static Texts, lang: Lang) -> AnyView {
    let lines = card.macs.iter().map(|it| {
        let whose = whose(it, t, lang);
        let maker = match &it.maker {
            Some(maker) => maker.clone(),
            None if it.is_local => t.overview.local_mac.to_owned(),
            None => (t.overview.maker)(&it.mac.get(..8).unwrap_or(&it.mac).to_uppercase()),
        };
        view! {
            <li>
                <span class="mono">{it.mac.clone()}</span> " " <span class="tag">{maker}</span>
                <br />
                <span class="dim">{whose}</span>
            </li>
        }
    });
    let lines = lines.collect_view();
    let content = if lines.is_empty() {
        view! { <p class="dim inset">{t.overview.no_macs}</p> }.into_any()
    } else {
        view! { <ul class="lines">{lines}</ul> }.into_any()
    };
    let makers = app().makers;
    let has_assigned = card.macs.iter().any(|it| !it.is_local);
    let right = move || {
        has_assigned.then(|| {
            let words = Words { load: t.overview.load_makers, drop: t.overview.drop_countries };
            let accept = ".csv,.txt,manuf";
            view! { <LoadReference reference=makers words id="makers-input" accept /> }
        })
    };
    let said = move || match (makers.error.get(), makers.source.get()) {
        (Some(why), _) => Some((t.overview.not_makers)(&why)),
        (None, Some(n)) => Some((t.overview.by_makers)(&format::count(n, lang))),
        (None, None) => Some(t.overview.makers_hint.to_owned()),
    };
    let said = move || {
        let said = said().filter(|_| has_assigned)?;
        let (class, role) = match makers.error.get() {
            Some(_) => ("bad inset", "alert"),
            None => ("dim inset", "note"),
        };
        Some(view! { <p class=class role=role>{said}</p> })
    };
    view! { <Panel title=t.overview.macs.to_owned() right=right>{content}{said}</Panel> }.into_any()
}

fn whose(mac: &MacRow, t: &Texts, lang: Lang) -> String {
    let n = t.overview.n_addresses.with(mac.n_addresses, lang);
    let n = if mac.has_more { (t.overview.more_than)(&n) } else { n };
    word(&t.overview.whose, &mac.whose).replace("{}", &n)
}

/// Its sessions.
pub(super) fn sessions_panel(card: &HostCard, t: &'static Texts, lang: Lang) -> AnyView {
    let rows = card.sessions.iter().map(|it| session(it, lang));
    let rows = rows.collect_view();
    let n = format::count(card.n_sessions, lang);
    let right = move || n.clone();
    view! {
        <Panel title=t.overview.sessions.to_owned() right=right>
            <table class="bars">
                <thead>
                    <tr>
                        <th scope="col">{t.session}</th>
                        <th scope="col" class="num">{t.flows}</th>
                        <th scope="col" class="num">{t.bytes}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </Panel>
    }
    .into_any()
}

fn session(it: &SessionRow, lang: Lang) -> impl IntoView + use<> {
    let href = Place::session(it.session_id).hash();
    let flows = Place::flows(format!("session:{}", it.session_id)).hash();
    let name = it.name.clone().map(|it| view! { " " <span class="dim">{it}</span> });
    view! {
        <tr>
            <td class="title">
                <Mark class=groups::class(&it.group) letter=groups::letter(&it.group) />
                <a href=href>{groups::written(&it.label, lang)}</a>
                {name}
            </td>
            <td class="num"><a href=flows tabindex="-1">{format::count(it.flows, lang)}</a></td>
            <td class="num">{format::bytes(it.bytes, lang)}</td>
        </tr>
    }
}
