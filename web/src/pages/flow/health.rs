//! How a TCP connection fared, and what each figure of it means.

use leptos::prelude::*;
use v1::page::{FlowDetail, SideHealth};

use crate::{
    format,
    i18n::{Lang, word},
};

/// A row of how the connection fared: its key, its title, and both sides' figures.
type Fared = (&'static str, &'static str, [String; 2]);

/// How the connection fared: the times, and what went wrong at all.
fn fared(detail: &FlowDetail, lang: Lang) -> Vec<Fared> {
    let t = lang.texts();
    let sides = detail.health.unwrap_or_default();
    let time = |key, title, of: fn(&SideHealth) -> Option<u64>| {
        let values = sides.each_ref().map(of);
        let cell = |it: Option<u64>| it.map(|it| format::duration(it, lang)).unwrap_or_default();
        values.iter().any(Option::is_some).then(|| (key, title, values.map(cell)))
    };
    let counted = |key, title, of: fn(&SideHealth) -> u64, text: fn(u64, Lang) -> String| {
        let values = sides.each_ref().map(of);
        values.iter().any(|it| *it > 0).then(|| (key, title, values.map(|it| text(it, lang))))
    };
    let rows = [
        time("handshake", t.handshake, |it| it.handshake_ns),
        time("round_trip", t.round_trip, |it| it.round_trip_ns),
        counted("sent_again", t.sent_again, |it| it.retransmissions, format::count),
        counted("out_of_order", t.out_of_order, |it| it.out_of_order, format::count),
        counted("repeated_acks", t.repeated_acks, |it| it.duplicate_acks, format::count),
        counted("window_closed", t.window_closed, |it| it.zero_windows, format::count),
        counted("window_full", t.window_full, |it| it.full_windows, format::count),
        counted("other_bytes", t.other_bytes, |it| it.differing, format::count),
        counted("keep_alives", t.keep_alives, |it| it.keep_alives, format::count),
        counted("lost_bytes", t.lost_bytes, |it| it.lost_bytes, format::bytes),
    ];
    rows.into_iter().flatten().collect()
}

/// The same as rows of the table of both sides.
pub(super) fn health(detail: &FlowDetail, lang: Lang) -> impl IntoView + use<> {
    let t = lang.texts();
    let rows = fared(detail, lang).into_iter().map(|(key, title, [client, server])| {
        view! {
            <tr title=word(&t.packets_view.health, key)>
                <th scope="row">{title}</th>
                <td class="num">{client}</td>
                <td class="num">{server}</td>
            </tr>
        }
    });
    rows.collect_view()
}

/// What each of these figures means, for whoever opens it.
pub(super) fn health_words(detail: &FlowDetail, lang: Lang) -> impl IntoView + use<> {
    let t = lang.texts();
    let rows = fared(detail, lang);
    (!rows.is_empty()).then(|| {
        let rows = rows.into_iter().map(|(key, title, _)| {
            view! {
                <dt>{title}</dt>
                <dd>{word(&t.packets_view.health, key)}</dd>
            }
        });
        view! {
            <details class="fold">
                <summary>{t.packets_view.health_title}</summary>
                <dl class="meanings inset">{rows.collect_view()}</dl>
            </details>
        }
    })
}
