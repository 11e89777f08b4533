//! What was read of the capture: where its frames went, what is to be said of it, what it says of itself.

use leptos::prelude::*;
use v1::{
    Notice, Severity,
    page::{Account, Origin, Reading, Tally},
};

use crate::{
    format, groups,
    i18n::{Lang, Texts, file_format, notice, set_aside},
    parts::small::Panel,
    state::texts,
};

/// How many reasons and how many notices are shown at first.
const AT_FIRST: (usize, usize) = (6, 4);

/// What was read, and what was not.
#[component]
pub fn ReadingPanel(
    /// It.
    reading: Reading,
) -> impl IntoView {
    let (t, lang) = texts();
    let is_partial = reading.notices.iter().any(|it| it.severity() == Severity::Error);
    let (state, class) = match (reading.is_stopped, is_partial) {
        (true, _) => (t.stopped, "tag warn"),
        (false, true) => (t.partial, "tag warn"),
        (false, false) => (t.complete, "tag ok"),
    };
    let format = file_format(&reading.format, lang);
    let format = format!("{format} · {}", format::bytes(reading.bytes, lang));
    let names = reading.names.iter().map(|it| {
        format!("{} {}", groups::written(&it.label, lang), format::count(it.count, lang))
    });
    let names: Vec<String> = names.collect();
    let names = if names.is_empty() { t.no_names.to_owned() } else { names.join(", ") };
    let has_flows = reading.account.in_flows.frames > 0;
    let names = has_flows.then(|| view! { <dt>{t.names_from}</dt><dd>{names}</dd> });
    let has_frames = reading.account.frames.frames > 0;
    let account = has_frames.then(|| account(&reading.account, t, lang));
    let origin = origin(&reading.origin, t);
    let files = (!reading.files.is_empty()).then(|| {
        let files = reading.files.iter().map(|it| {
            let frames = t.n_frames.with(it.frames, lang);
            let bytes = format::bytes(it.bytes, lang);
            view! { <li>{it.name.clone()} " " <span class="dim">{bytes}" · "{frames}</span></li> }
        });
        let files = files.collect_view();
        view! { <dt>{t.waiting_files.files}</dt><dd><ul class="files-read">{files}</ul></dd> }
    });
    let right = move || view! { <span class=class>{state}</span> };
    view! {
        <Panel title=t.what_was_read.to_owned() right=right>
            {account}
            {notices(&reading.notices, t, lang)}
            <dl class="kv">
                <dt>{t.format}</dt>
                <dd>{format}</dd>
                {files}
                {names}
                {origin}
            </dl>
        </Panel>
    }
}

/// The frames as a sum: in flows, in no flow by reason, all.
fn account(account: &Account, t: &'static Texts, lang: Lang) -> impl IntoView + use<> {
    let all = account.frames;
    // Where nothing was cut both are the same.
    let is_cut = all.stored_bytes != all.wire_bytes;
    let [what, frames, wire, stored] = t.account_columns;
    let cells = move |it: Tally| {
        let stored =
            is_cut.then(|| view! { <td class="num">{format::bytes(it.stored_bytes, lang)}</td> });
        view! {
            <td class="num">{format::count(it.frames, lang)}</td>
            <td class="num" title=format::count(it.wire_bytes, lang)>{format::bytes(it.wire_bytes, lang)}</td>
            {stored}
        }
    };
    let row = move |title: String, class: &'static str, it: Tally| {
        let share = it.frames as f64 * 100.0 / all.frames.max(1) as f64;
        let width = format!("{:.1}%", share.clamp(0.6, 100.0));
        view! {
            <tr class=class>
                <th scope="row" class="title" title=title.clone()>{title.clone()}</th>
                {cells(it)}
                <td class="wide"><div class="track"><i style:width=width></i></div></td>
            </tr>
        }
    };
    let n_rows = account.set_aside.len();
    let shows_all = RwSignal::new(n_rows <= AT_FIRST.0 + 1);
    let in_flows = row(t.in_flows.to_owned(), "is-main", account.in_flows);
    let aside = StoredValue::new(account.set_aside.clone());
    let rows = move || {
        let n = if shows_all.get() { usize::MAX } else { AT_FIRST.0 };
        aside.with_value(|it| {
            let rows = it.iter().take(n).map(|it| row(set_aside(&it.reason, lang), "", it.frames));
            rows.collect_view()
        })
    };
    let more = move || {
        let n = format::count((n_rows - AT_FIRST.0) as u64, lang);
        let text = (t.more_notices)(&n);
        view! {
            <tr>
                <td colspan="5" class="whole">
                    <button type="button" class="more" on:click=move |_| shows_all.set(true)>{text}</button>
                </td>
            </tr>
        }
    };
    let damaged = (account.damaged_bytes > 0).then(|| {
        let bytes = format::bytes(account.damaged_bytes, lang);
        let before = is_cut.then(|| view! { <td></td> });
        view! {
            <tr class="dim">
                <th scope="row" class="title">{t.damaged}</th>
                <td class="num">"?"</td>
                {before}
                <td class="num">{bytes}</td>
                <td class="wide"></td>
            </tr>
        }
    });
    let stored = is_cut.then(|| view! { <th scope="col" class="num">{stored}</th> });
    view! {
        <table class="bars account">
            <thead>
                <tr>
                    <th scope="col">{what}</th>
                    <th scope="col" class="num">{frames}</th>
                    <th scope="col" class="num">{wire}</th>
                    {stored}
                    <td class="wide"></td>
                </tr>
            </thead>
            <tbody>
                {in_flows}
                {rows}
                <Show when=move || !shows_all.get()>{more()}</Show>
            </tbody>
            <tfoot>
                {row(t.all_frames.to_owned(), "is-sum", all)}
                {damaged}
            </tfoot>
        </table>
    }
}

/// The notices, the worst first, the last of many folded.
fn notices(notices: &[Notice], t: &'static Texts, lang: Lang) -> impl IntoView + use<> {
    let n_shown = if notices.len() <= AT_FIRST.1 + 1 { notices.len() } else { AT_FIRST.1 };
    let (shown, folded) = notices.split_at(n_shown);
    let list = |part: &[Notice]| {
        let items = part.iter().map(|it| {
            let file = it.file.clone().map(|it| view! { <b class="of-file">{it}</b> " " });
            view! { <li>{sign(it, t)}<div>{file}{said(it, lang)}</div></li> }
        });
        view! { <ul class="notes">{items.collect_view()}</ul> }
    };
    let folded = (!folded.is_empty()).then(|| {
        let n = format::count(folded.len() as u64, lang);
        view! {
            <details class="fold">
                <summary>{(t.more_notices)(&n)}</summary>
                {list(folded)}
            </details>
        }
    });
    view! {
        {list(shown)}
        {folded}
    }
}

/// The sign of how much a notice matters: a shape of its own, and its word for those who do not see it.
fn sign(notice: &Notice, t: &Texts) -> impl IntoView + use<> {
    let [error, warning, note] = t.severities;
    let (class, word) = match notice.severity() {
        Severity::Error => ("sev bad", error),
        Severity::Warning => ("sev", warning),
        Severity::Information => ("sev info", note),
    };
    view! { <span class=class role="img" aria-label=word title=word></span> }
}

/// What a notice says: what happened, what was done and can be done, its code.
pub fn said(it: &Notice, lang: Lang) -> impl IntoView + use<> {
    let said = notice(it, lang);
    let rest = [said.done, said.advice].into_iter().filter(|it| !it.is_empty());
    let rest = rest.collect::<Vec<_>>().join(" ");
    let rest = (!rest.is_empty()).then(|| view! { <p class="rest">{with_commands(&rest)}</p> });
    let code = it.code.clone();
    view! {
        <div class="said">
            <p>{with_commands(&said.happened)}</p>
            {rest}
            <p class="code"><code>{code}</code></p>
        </div>
    }
}

/// A sentence with what stands between back ticks as a command.
fn with_commands(text: &str) -> impl IntoView + use<> {
    let pieces = text.split('`').enumerate().map(|(at, piece)| {
        let piece = piece.to_owned();
        if at % 2 == 1 { view! { <code>{piece}</code> }.into_any() } else { piece.into_any() }
    });
    pieces.collect_view()
}

/// What the capture says of itself. Its texts are anybody's, so none may turn the direction of what is around it.
fn origin(origin: &Origin, t: &'static Texts) -> impl IntoView + use<> {
    let Origin { application, system, hardware, interfaces, comments } = origin;
    let list = |title: &'static str, texts: Vec<&String>| {
        let texts: Vec<String> = texts.into_iter().filter(|it| !it.is_empty()).cloned().collect();
        (!texts.is_empty()).then(|| {
            let texts = texts.into_iter().map(|it| view! { <bdi class="line">{it}</bdi> });
            view! { <dt>{title}</dt><dd class="texts">{texts.collect_view()}</dd> }
        })
    };
    view! {
        {list(t.written_by, vec![application, system, hardware])}
        {list(t.interfaces, interfaces.iter().collect())}
        {list(t.comments, comments.iter().collect())}
    }
}
