//! One flow, beside the table: why it has its label, its facts, packets, features and first bytes.

mod guess;
mod health;
mod packets;

use leptos::prelude::*;
use v1::page::{FactRow, FeatureValue, FlowDetail, FlowRow, Query, RuleWord};

use crate::{
    format, groups,
    i18n::{Lang, Texts, evidence, fact_text, mentions, reason, word},
    pages::saving::Saving,
    parts::{
        packets::{Packet, Packets},
        small::{Failure, Mark, Sentence, Switch, Waiting},
    },
    place::Place,
    state::{App, Step, app, texts},
    terms,
};

/// The flow the address names.
#[component]
pub fn Flow(
    /// The table beside it has a cell that the keys are about.
    #[prop(optional, into)]
    has_cell: Signal<bool>,
) -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let number = Memo::new(move |_| app.place.with(|it| it.id.parse::<u32>().ok()));
    let answer = app.ask::<Option<FlowDetail>>(move || {
        let timeout = app.place.with(Place::cut);
        Some(Query::Flow { flow_id: number.get()?, timeout })
    });
    // The choice below stays from flow to flow.
    let tab = RwSignal::new(0);
    obey(app, answer, has_cell);
    let content = move || match answer.get() {
        None if number.get().is_some() => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Ok(Some(detail))) => view! { <Detail detail tab /> }.into_any(),
        Some(Err(text)) => view! { <Failure title=t.failed.to_owned() text /> }.into_any(),
        None | Some(Ok(None)) => {
            view! { <Failure title=t.no_such.to_owned() text=String::new() /> <Close /> }.into_any()
        }
    };
    view! { <aside class="panel detail" aria-label=t.flows>{content}</aside> }
}

/// The keys that are about the open flow.
fn obey(app: App, answer: crate::state::Answer<Option<FlowDetail>>, has_cell: Signal<bool>) {
    let heard = StoredValue::new(app.step.get_untracked().0);
    Effect::new(move |_| {
        let (number, step) = app.step.get();
        if number == heard.get_value() {
            return;
        }
        heard.set_value(number);
        // What the table says of a cell goes first; packets are of the whole flow.
        if has_cell.get_untracked() && step != Some(Step::Save) {
            return;
        }
        let Some(Ok(Some(detail))) = answer.get_untracked() else { return };
        let row = detail.row;
        let place = app.place.get_untracked();
        let label = rules_term(&row);
        match step {
            Some(Step::Keep) => {
                app.go(Place { filter: terms::with(&place.filter, &label), ..place })
            }
            Some(Step::Exclude) => {
                let filter = terms::with(&place.filter, &format!("-{label}"));
                app.go(Place { filter, ..place.with_id("") });
            }
            Some(Step::Host) => app.go(Place::host(&row.server_ip)),
            Some(Step::Copy) => app.copy(wireshark_filter(&row)),
            Some(Step::Save) if !app.is_at_companion() => packets::save(app, row.flow_id),
            _ => {}
        }
    });
}

/// The term that finds flows of the same label by rules and payload.
fn rules_term(row: &FlowRow) -> String {
    match &row.rule_label {
        Some(label) => terms::term("rules", label),
        None => terms::term("label", &row.label),
    }
}

/// A display filter of Wireshark that finds the flow's packets.
pub fn wireshark_filter(row: &FlowRow) -> String {
    let ip = if row.client_ip.contains(':') { "ipv6" } else { "ip" };
    let mut out = format!("{ip}.addr=={} && {ip}.addr=={}", row.client_ip, row.server_ip);
    let transport = row.transport.as_str();
    if ["tcp", "udp", "sctp"].contains(&transport) {
        out += &format!(
            " && {transport}.port=={} && {transport}.port=={}",
            row.client_port, row.server_port
        );
    } else if transport.parse::<u8>().is_ok() {
        let field = if ip == "ip" { "ip.proto" } else { "ipv6.nxt" };
        out += &format!(" && {field}=={transport}");
    } else {
        out += &format!(" && {transport}");
    }
    out
}

#[component]
fn Close() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let href = move || app.place.with(|it| it.with_id("").hash());
    view! { <a class="btn icon close" href=href aria-label=t.close title=format!("{} (Esc)", t.close)>"✕"</a> }
}

#[component]
fn Detail(detail: FlowDetail, tab: RwSignal<usize>) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let row = detail.row.clone();
    // A model's word stands by itself: what rules and payload say goes before it.
    let by_rules = detail.by_rules.clone().unwrap_or_else(|| RuleWord {
        label: row.label.clone(),
        group: row.group.clone(),
        evidence: row.evidence.clone(),
        reason: row.reason.clone(),
    });
    let class = groups::class(&by_rules.group);
    let written = groups::written(&by_rules.label, lang);
    let filter = rules_term(&row);
    let of_label = Place::flows(filter).hash();
    let to_copy = wireshark_filter(&row);
    let is_sure = matches!(by_rules.evidence.as_str(), "own" | "payload" | "name" | "kin");
    let evidence_class = if is_sure { "tag ok" } else { "tag" };
    let of_evidence = Place::flows(terms::term("evidence", &by_rules.evidence)).hash();
    let end = |ip: &str, port: u16, name: &Option<String>| {
        let name = name.clone().map(|it| view! { <span class="dim">{it}</span> });
        view! {
            <a class="mono" href=Place::host(ip).hash()>{format::endpoint(ip, port)}</a>
            " "
            {name}
        }
    };
    let asked_for = row.domain_name.clone().map(|name| {
        let href = Place::flows(terms::term("name", &name)).hash();
        let title = (t.with_this)(&name);
        view! { <dt>{t.asked_for}</dt><dd><a href=href title=title>{name}</a></dd> }
    });
    // What a reader looks for first; the rest is in the list of facts.
    let said = detail.facts.iter().filter(|it| FIRST_FACTS.contains(&it.key.as_str()));
    let said = said.map(|it| view! { <dt>{lang.of(&it.name)}</dt><dd>{told(it, lang)}</dd> });
    let said = said.collect_view();
    let shown_by = row.shown_by.as_deref().map(|by| {
        let places = detail.first_payloads;
        let packet = |at: Option<u64>| at.map(|it| format::count(it + 1, lang)).unwrap_or_default();
        let text = (t.shown_by)(by, &packet(places[0]), &packet(places[1]));
        view! { <p class="dim">{text}</p> }
    });
    let guess = detail.guess.as_ref().map(|it| guess::guess(it, t, lang));
    let state = row.conn_state.clone().filter(|_| !row.transport.starts_with("icmp"));
    let state = state.map(|state| {
        let href = Place::flows(terms::term("state", &state)).hash();
        let said = row.history.as_deref().map(|it| history(it, t));
        let said = said.filter(|it| !it.is_empty()).map(|it| view! { <p class="dim">{it}</p> });
        view! {
            <dt>{t.state}</dt>
            <dd>
                <a class="mono" href=href>{state.clone()}</a>
                " "
                <span class="dim">{word(&t.conn_states, &state)}</span>
                " "
                <span class="mono dim">{row.history.clone()}</span>
                {said}
            </dd>
        }
    });
    let open = |number: u32| app.place.with_untracked(|it| it.with_id(number.to_string()).hash());
    let flow_link = move |number: u32| {
        let text = (t.flow_n)(&format::count(number.into(), lang));
        view! { <a class="link" href=open(number)>{text}</a> }
    };
    let inside = row.tunnel.clone().map(|tunnel| {
        let parent = row.parent_id.map(|it| view! { " " {flow_link(it)} });
        let href = Place::flows(terms::term("tunnel", &tunnel)).hash();
        view! {
            <dt>{t.inside_tunnel}</dt>
            <dd><a class="mono" href=href>{tunnel.clone()}</a>{parent}</dd>
        }
    });
    let carries = (row.carried_bytes > 0).then(|| {
        let flows = detail.carries.len() as u64;
        let href = Place::flows(terms::term("parent", &row.flow_id.to_string())).hash();
        let first = (flows == 1).then(|| detail.carries.first().copied().map(flow_link));
        let all = (flows > 1).then(|| {
            view! { <a class="link" href=href>{t.n_flows.with(flows, lang)}</a> }
        });
        view! {
            <dt>{t.carries}</dt>
            <dd>
                {first}
                {all}
                " "
                <span class="dim">{format::bytes(row.carried_bytes, lang)}</span>
            </dd>
        }
    });
    let about = row.about_id.map(|it| view! { <dt>{t.about}</dt><dd>{flow_link(it)}</dd> });
    let errors = (row.icmp_errors > 0).then(|| {
        view! { <dt>{t.icmp_errors}</dt><dd>{format::count(row.icmp_errors, lang)}</dd> }
    });
    let comments = (!detail.comments.is_empty()).then(|| {
        let lines = detail.comments.iter().map(|it| view! { <li>{it.clone()}</li> });
        view! {
            <dt>{t.remark}</dt>
            <dd><ul class="links">{lines.collect_view()}</ul></dd>
        }
    });
    let links = detail.links.iter().map(|link| {
        let other = if link.from == row.flow_id { link.to } else { link.from };
        let mut pieces: Vec<(String, String)> = mentions(&evidence(&link.evidence, lang))
            .into_iter()
            .map(|(text, number)| {
                // This flow needs no link to itself.
                let number = number.filter(|it| *it != row.flow_id);
                (text, number.map(open).unwrap_or_default())
            })
            .collect();
        // A sentence that names no flow is followed by the one it is about.
        if pieces.iter().all(|it| it.1.is_empty()) {
            pieces.push((" · ".to_owned(), String::new()));
            pieces.push(((t.flow_n)(&format::count(other.into(), lang)), open(other)));
        }
        view! {
            <li>
                <Sentence pieces />
                " "
                <span class="dim">{(t.sure)(&link.percent.to_string())}</span>
            </li>
        }
    });
    let links = links.collect_view();
    let session = Place::session(row.session_id).hash();
    let alone =
        detail.links.is_empty().then(|| view! { " " <span class="dim">{t.session_alone}</span> });
    let duration = row.time_end_ns.saturating_sub(row.time_start_ns);
    let steps = detail.steps.iter().map(|it| Packet {
        offset_ns: it.offset_ns,
        is_client: it.is_from_client,
        bytes: it.bytes,
        payload_bytes: it.payload_bytes,
        flags: it.flags,
    });
    let steps = steps.collect();
    // One packet is looked at, in the chart and in the list.
    let chosen = RwSignal::new(None::<usize>);
    let number = row.flow_id;
    app.look_for_file();
    let cannot_save = move || {
        let is_busy = app.picking.running.with(Option::is_some);
        is_busy || app.picking.gone.with(Option::is_some) || app.is_of_several()
    };
    let save_title = move || match app.picking.gone.get() {
        _ if app.is_of_several() => t.packets_view.several.to_owned(),
        Some(why) => (t.packets_view.gone)(&why),
        None => t.packets_view.save_hint.to_owned(),
    };
    let cuts = detail.cuts.iter().map(|it| *it as usize).collect();
    let cut_up = (!detail.cuts.is_empty()).then(|| {
        let n = t.n_pieces.with(detail.cuts.len() as u64 + 1, lang);
        let by = app.place.with_untracked(|it| (t.cut)(&it.timeout));
        view! { <p class="dim inset">{(t.cut_into)(&n, &by)}</p> }
    });
    let totals = [
        (t.packets, row.client_packets, row.server_packets, false),
        (t.bytes, row.client_bytes, row.server_bytes, true),
        (t.ip_bytes, row.client_ip_bytes, row.server_ip_bytes, true),
    ];
    let totals = totals.map(|(title, client, server, is_bytes)| {
        let text = |it| if is_bytes { format::bytes(it, lang) } else { format::count(it, lang) };
        view! {
            <tr>
                <th scope="row">{title}</th>
                <td class="num" title=client.to_string()>{text(client)}</td>
                <td class="num" title=server.to_string()>{text(server)}</td>
            </tr>
        }
    });
    let stored = StoredValue::new(detail.clone());
    let is_text = RwSignal::new(0);
    let below = move || {
        stored.with_value(|detail| match tab.get() {
            0 => facts(&detail.facts, lang).into_any(),
            1 => features(&detail.features, lang).into_any(),
            2 => packets::heads(detail, is_text).into_any(),
            _ => packets::list(detail, chosen, lang).into_any(),
        })
    };
    view! {
        <header>
            <Mark class letter=groups::letter(&by_rules.group) />
            <h2><a href=of_label title=written.clone()>{written.clone()}</a> " " <span class="dim">{(t.flow_n)(&format::count(row.flow_id.into(), lang))}</span></h2>
            <div class="right">
                <button
                    type="button"
                    class="btn"
                    title=t.copy_filter_hint
                    on:click=move |_| app.copy(to_copy.clone())
                >
                    {t.copy_filter}
                </button>
                <Close />
            </div>
        </header>
        <dl class="kv">
            <dt>{t.why}</dt>
            <dd>
                {reason(&by_rules.reason, lang)}
                " "
                <a class=evidence_class href=of_evidence>{word(&t.evidence_names, &by_rules.evidence)}</a>
                {shown_by}
            </dd>
            {guess}
            <dt>{t.client}</dt>
            <dd>{end(&row.client_ip, row.client_port, &detail.client_name)}</dd>
            <dt>{t.server}</dt>
            <dd>{end(&row.server_ip, row.server_port, &detail.server_name)}</dd>
            {asked_for}
            {said}
            <dt>{t.protocol}</dt>
            <dd>
                <a href=Place::flows(terms::term("proto", &row.protocol)).hash()>{groups::written(&row.protocol, lang)}</a>
                " "
                <span class="dim">{groups::written(&row.transport, lang)}</span>
            </dd>
            {state}
            {inside}
            {carries}
            {about}
            {errors}
            {comments}
            <dt>{t.start}</dt>
            <dd class="mono">{format::moment(row.time_start_ns)}</dd>
            <dt>{t.duration}</dt>
            <dd>{format::duration(duration, lang)}</dd>
            <dt>{t.session}</dt>
            <dd>
                <a class="link" href=session>{(t.session_n)(&format::count(row.session_id.into(), lang))}</a>
                {alone}
                <ul class="links">{links}</ul>
            </dd>
        </dl>
        <Packets packets=steps n_packets=detail.packets cuts class chosen lang />
        {cut_up}
        <div class="inset acts" hidden=app.is_at_companion()>
            <button
                type="button"
                id="save-packets"
                class="btn"
                disabled=cannot_save
                title=save_title
                on:click=move |_| packets::save(app, number)
            >
                {t.packets_view.save}
                " (pcapng)"
            </button>
            <Saving />
        </div>
        <table class="sides">
            <thead>
                <tr><td></td><th scope="col" class="num">{t.client}</th><th scope="col" class="num">{t.server}</th></tr>
            </thead>
            <tbody>{totals.collect_view()} {health::health(&detail, lang)}</tbody>
        </table>
        {health::health_words(&detail, lang)}
        <div class="tabs">
            <Switch
                label=(t.flow_n)(&row.flow_id.to_string())
                options=[t.facts, t.features, t.first_bytes, t.packet_list].map(str::to_owned).to_vec()
                chosen=tab
            />
        </div>
        {below}
    }
}

/// What Zeek's letters say: the client's are capital, each once, in order.
fn history(letters: &str, t: &Texts) -> String {
    let of = |is_client: bool| {
        let mut said: Vec<&str> = Vec::new();
        for letter in letters.chars().filter(|it| it.is_ascii_uppercase() == is_client) {
            let key = letter.to_ascii_uppercase().to_string();
            let word = t.history_letters.iter().find(|it| it.0 == key).map(|it| it.1);
            said.extend(word.filter(|it| !said.contains(it)));
        }
        said.join(", ")
    };
    let sides = [(t.client, of(true)), (t.server, of(false))];
    let sides = sides.into_iter().filter(|it| !it.1.is_empty());
    sides
        .map(|(who, what)| format!("{}: {what}", who.to_lowercase()))
        .collect::<Vec<_>>()
        .join("; ")
}

/// The facts shown above all others.
const FIRST_FACTS: &[&str] =
    &["user_agent", "server_software", "credentials", "contradiction", "shape"];

/// What was said, as a link to the flows that say the same.
fn told(fact: &FactRow, lang: Lang) -> impl IntoView + use<> {
    let t = lang.texts();
    let href = Place::flows(terms::term(&fact.key, &fact.text)).hash();
    let is_warning = ["credentials", "contradiction"].contains(&fact.key.as_str());
    let is_mono = ["ja3", "ja3s", "ja4", "hassh", "hassh_server"].contains(&fact.key.as_str());
    let class = match (is_warning, is_mono) {
        (true, _) => "tag warn",
        (_, true) => "mono",
        _ => "",
    };
    let text = fact_text(&fact.key, &fact.text, lang);
    let title = (t.with_this)(&text);
    view! { <a class=class href=href title=title>{text}</a> }
}

/// A table of what the payload told.
fn facts(facts: &[FactRow], lang: Lang) -> impl IntoView + use<> {
    let t = lang.texts();
    if facts.is_empty() {
        return view! { <p class="dim inset">{t.no_facts}</p> }.into_any();
    }
    let rows = facts.iter().map(|it| {
        let source = (t.said_in)(&it.source.replace('`', ""));
        view! {
            <tr>
                <th scope="row" title=source>{lang.of(&it.name)}</th>
                <td class="wide">{told(it, lang)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! { <table class="facts"><tbody>{rows}</tbody></table> }.into_any()
}

/// A table of features.
pub fn features(features: &[FeatureValue], lang: Lang) -> impl IntoView + use<> {
    let t = lang.texts();
    let rows = features.iter().map(|it| {
        let value = match it.value {
            Some(value) => view! { <td class="num">{format::feature(value, lang)}</td><td class="dim">{word(&t.units, &it.unit)}</td> }.into_any(),
            None => view! { <td class="num dim" title=t.no_value>"–"</td><td></td> }.into_any(),
        };
        view! {
            <tr>
                <td class="mono" title=lang.of(&it.what)>{it.name.clone()}</td>
                {value}
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <table class="features">
            <thead>
                <tr><th scope="col">{t.feature}</th><th scope="col" class="num">{t.value}</th><th scope="col">{t.packets_view.unit}</th></tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_told_by_side() {
        let t = Lang::En.texts();
        assert_eq!(
            history("ShADadFf", t),
            "client: SYN, acknowledgement, data, FIN; server: SYN and acknowledgement, acknowledgement, data, FIN"
        );
        assert_eq!(history("D", t), "client: data");
        assert_eq!(history("", t), "");
    }

    #[test]
    fn a_flow_is_found_in_wireshark() {
        let mut row = FlowRow {
            transport: "tcp".into(),
            client_ip: "10.0.0.1".into(),
            client_port: 40_000,
            server_ip: "10.0.0.2".into(),
            server_port: 80,
            ..FlowRow::default()
        };
        let ends = "ip.addr==10.0.0.1 && ip.addr==10.0.0.2";
        assert_eq!(wireshark_filter(&row), format!("{ends} && tcp.port==40000 && tcp.port==80"));
        row.transport = "89".into();
        assert_eq!(wireshark_filter(&row), format!("{ends} && ip.proto==89"));
        row.transport = "icmp".into();
        assert_eq!(wireshark_filter(&row), format!("{ends} && icmp"));
    }
}
