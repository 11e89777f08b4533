//! What is there of a flow's packets: their list, the first bytes of both sides, and saving them.

use leptos::prelude::*;
use v1::page::{FlowDetail, StepRow};

use crate::{
    backend::Packets as Wanted,
    format,
    i18n::Lang,
    parts::{
        hex::{self, Hex},
        packets::offset,
        small::Switch,
    },
    state::{App, app, texts},
};

/// Saves the packets of one flow, unless that is known not to go.
pub(super) fn save(app: App, number: u32) {
    if app.picking.gone.with_untracked(Option::is_some) {
        return;
    }
    let name = app.file_name_of(&format!("flow-{number}"), engine::PCAPNG);
    app.save_packets(Wanted { filter: format!("flow:{number}"), has_comments: true }, name);
}

/// What is kept of both streams, as numbers or as text.
pub(super) fn heads(detail: &FlowDetail, form: RwSignal<usize>) -> impl IntoView + use<> {
    let app = app();
    let (t, lang) = texts();
    let words = &t.packets_view;
    let sides = [(t.client, &detail.client_head), (t.server, &detail.server_head)];
    let sides = sides.into_iter().zip(detail.payload_bytes).map(|((title, bytes), all)| {
        if bytes.is_empty() {
            return view! {
                <h3>{title}</h3>
                <p class="dim">{t.no_payload}</p>
            }
            .into_any();
        }
        // A capture may lack bytes that were sent, and what is kept may have been sent once more.
        let all = all.max(bytes.len() as u64);
        let kept = (words.kept)(
            &format::count(bytes.len() as u64, lang),
            &format::bytes_exactly(all, lang),
        );
        let size = format::bytes_exactly(bytes.len() as u64, lang);
        let (shown, to_copy) = (bytes.clone(), bytes.clone());
        let label = format!("{}: {title}", t.first_bytes);
        view! {
            <div class="head-of">
                <h3>{title}</h3>
                <span class="dim" title=words.kept_hint>{kept}</span>
                <button
                    type="button"
                    class="btn"
                    on:click=move |_| {
                        let text = hex::to_copy(&to_copy, form.get_untracked() == 1);
                        app.copy_saying(text, (t.packets_view.copied_bytes)(&size));
                    }
                >
                    {words.copy}
                </button>
            </div>
            {move || view! { <Hex bytes=shown.clone() label=label.clone() is_text=form.get() == 1 /> }}
        }
        .into_any()
    });
    let sides = sides.collect_view();
    let signs = move || (form.get() == 1).then(|| view! { <p class="dim">{words.signs}</p> });
    view! {
        <div class="inset">
            <Switch
                label=words.shown_as.to_owned()
                options=words.forms.map(str::to_owned).to_vec()
                chosen=form
            />
            {sides}
            {signs}
        </div>
    }
}

/// Packets in the list at first, and with each step more.
const LISTED: usize = 200;

/// The packets as a table: the chart's twin.
pub(super) fn list(
    detail: &FlowDetail,
    chosen: RwSignal<Option<usize>>,
    lang: Lang,
) -> impl IntoView + use<> {
    let t = lang.texts();
    let n = detail.steps.len();
    let listed = RwSignal::new(LISTED.min(n));
    let row = move |(at, it): (usize, &StepRow)| {
        let (arrow, who) = if it.is_from_client { ("↑", t.client) } else { ("↓", t.server) };
        let is_chosen = move || (chosen.get() == Some(at)).then_some("true");
        view! {
            <tr
                id=format!("packet-{}", at + 1)
                aria-current=is_chosen
                on:click=move |_| chosen.set(Some(at))
            >
                <td class="num">
                    <button type="button" class="bare" title=t.packets_view.list_hint aria-pressed=move || (chosen.get() == Some(at)).to_string()>
                        {format::count(at as u64 + 1, lang)}
                    </button>
                </td>
                <td class="num">{offset(it.offset_ns, 1_000, lang)}</td>
                <td title=who aria-label=who>{arrow}</td>
                <td class="num">{format::count(it.bytes.into(), lang)}</td>
                <td class="num">{format::count(it.payload_bytes.into(), lang)}</td>
                <td class="mono dim">{format::tcp_flags(it.flags)}</td>
            </tr>
        }
    };
    let steps = StoredValue::new(detail.steps.clone());
    let rows = move || {
        let listed = listed.get();
        steps.with_value(|it| it.iter().take(listed).enumerate().map(row).collect_view())
    };
    // A packet chosen in the chart comes into view, once it is listed.
    Effect::new(move |_| {
        let Some(at) = chosen.get().filter(|it| *it < n) else { return };
        if at >= listed.get_untracked() {
            listed.set((at + 1).next_multiple_of(LISTED).min(n));
        }
        let show = move || {
            if let Some(row) = document().get_element_by_id(&format!("packet-{}", at + 1)) {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                row.scroll_into_view_with_scroll_into_view_options(&options);
            }
        };
        gloo::timers::callback::Timeout::new(0, show).forget();
    });
    let more = move || {
        let left = n - listed.get();
        (left > 0).then(|| {
            let text = (t.packets_view.show_more)(&format::count(left.min(LISTED) as u64, lang));
            view! {
                <button type="button" class="more" on:click=move |_| listed.update(|it| *it = (*it + LISTED).min(n))>
                    {text}
                </button>
            }
        })
    };
    let part = (detail.packets > n as u64).then(|| {
        let shown = format::count(n as u64, lang);
        view! { <p class="dim inset">{(t.first_of)(&shown, &t.n_packets.with(detail.packets, lang))}</p> }
    });
    view! {
        <table class="features packet-list">
            <thead>
                <tr>
                    <th scope="col" class="num">{t.packets_view.number}</th>
                    <th scope="col" class="num">{t.offset}</th>
                    <td></td>
                    <th scope="col" class="num">{t.bytes}</th>
                    <th scope="col" class="num">{t.payload}</th>
                    <th scope="col">{t.flags}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        {more}
        {part}
    }
}
