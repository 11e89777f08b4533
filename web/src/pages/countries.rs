//! Where the hosts are, by a database of the user's own; without one the page says so, and how to load one.

use leptos::prelude::*;
use v1::page::{CountrySource, CountryTable, Query};

use crate::{
    countries, format,
    i18n::{Lang, Texts},
    parts::{
        bars::{Bar, Bars},
        reference::{LoadReference, Words},
        small::{Panel, Waiting},
    },
    place::View,
    state::{Answer, app, texts},
    terms,
};

/// Asks where the hosts of the flows on show are.
pub fn ask() -> Answer<Option<CountryTable>> {
    let app = app();
    let filter = app.filter();
    app.ask(move || {
        app.countries.changed.track();
        Some(Query::Countries { filter: filter.get() })
    })
}

/// The panel.
#[component]
pub fn CountriesPanel(
    /// Where they are.
    answer: Answer<Option<CountryTable>>,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let right = move || {
        let words = Words { load: t.overview.load_countries, drop: t.overview.drop_countries };
        view! { <LoadReference reference=app.countries words id="countries-input" accept=".mmdb" /> }
    };
    let error = move || {
        let why = app.countries.error.get()?;
        Some(view! { <p class="bad inset" role="alert">{(t.overview.not_countries)(&why)}</p> })
    };
    let content = move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(why)) => view! { <p class="dim inset">{why}</p> }.into_any(),
        Some(Ok(None)) => ().into_any(),
        Some(Ok(Some(CountryTable { source: None, .. }))) => view! {
            <p class="inset">{t.overview.no_countries}</p>
            <p class="dim inset">{t.overview.countries_hint}</p>
        }
        .into_any(),
        Some(Ok(Some(table))) => shown(&table, t, lang).into_any(),
    };
    view! {
        <Panel title=t.overview.countries.to_owned() class="countries" right=right>
            {error}
            {content}
        </Panel>
    }
}

fn shown(table: &CountryTable, t: &'static Texts, lang: Lang) -> impl IntoView + use<> {
    let most = table.rows.iter().map(|it| it.bytes).max().unwrap_or(1).max(1);
    let bars = table.rows.iter().map(|it| Bar {
        title: countries::name(&it.code, lang),
        sub: it.code.clone(),
        href: app().flows_within(&terms::term("country", &it.code)).hash(),
        figures: vec![format::count(it.hosts, lang), format::bytes(it.bytes, lang)],
        share: it.bytes as f64 / most as f64,
        ..Bar::default()
    });
    let bars: Vec<Bar> = bars.collect();
    let n = format::count(bars.len() as u64, lang);
    let headings = vec![t.country.to_owned(), t.hosts.to_owned(), t.bytes.to_owned()];
    let unknown = (table.n_unknown > 0).then(|| {
        let n = t.n_hosts.with(table.n_unknown, lang);
        view! { <p class="dim inset">{(t.overview.unknown_hosts)(&n)}</p> }
    });
    let source = table.source.as_ref().map(|it| said(it, t));
    let all = app().opened(View::Hosts, "").hash();
    view! {
        <Bars headings bars at_first=8 more=(t.all_of_them)(&n) />
        {unknown}
        <p class="dim inset">{source} " " <a class="link" href=all>{t.hosts}</a></p>
    }
}

/// What the database says of itself.
fn said(source: &CountrySource, t: &Texts) -> String {
    let built = match source.built {
        0 => String::new(),
        seconds => format::date(seconds.saturating_mul(1_000_000_000)),
    };
    (t.overview.by_database)(&source.kind, &built)
}
