//! Who talks to whom: clients against servers or labels as a picture of bands, and the same as a table.

use leptos::prelude::*;
use v1::page::{Query, Talk, TalkBy, TalkEnd, Talks as Answered};

use crate::{
    format, groups,
    i18n::{Lang, Texts, word},
    pages::narrowed::Narrowed,
    parts::{
        ribbons,
        small::{Failure, Mark, Panel, Sideways, Switch, Waiting},
    },
    place::Place,
    state::{app, texts},
    terms,
};

/// How many ends a side has at most.
const ENDS: u32 = 18;
/// How many lines the table has at first.
const AT_FIRST: usize = 40;

/// The page.
#[component]
pub fn Talks() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let (by, as_table) = (RwSignal::new(0), RwSignal::new(0));
    let answer = app.ask::<Answered>(move || {
        let by = if by.get() == 0 { TalkBy::Server } else { TalkBy::Label };
        Some(Query::Talks { filter: app.place.with(|it| it.filter.clone()), by, n_ends: ENDS })
    });
    let flows = Signal::derive(move || {
        answer.with(|it| {
            it.as_ref()?.as_ref().ok().filter(|it| it.filter_error.is_none()).map(|it| it.flows)
        })
    });
    let content = move || match answer.get() {
        None => view! { <Waiting text=t.loading /> }.into_any(),
        Some(Err(text)) => view! { <Failure title=t.failed.to_owned() text /> }.into_any(),
        Some(Ok(it)) => match &it.filter_error {
            Some(error) => {
                let text = lang.of(&error.words());
                view! { <Failure title=t.filter_wrong.to_owned() text /> }.into_any()
            }
            None if it.talks.is_empty() => {
                view! { <p class="waiting">{t.beside.nothing}</p> }.into_any()
            }
            None if as_table.get() == 1 => table(&it, by.get() == 1, t, lang).into_any(),
            None => picture(&it, by.get() == 1, t, lang).into_any(),
        },
    };
    let right = move || {
        view! {
            <Switch
                label=t.beside.by.to_owned()
                options=vec![t.beside.servers.to_owned(), t.beside.labels.to_owned()]
                chosen=by
            />
            <Switch
                label=t.beside.picture.to_owned()
                options=vec![t.as_chart.to_owned(), t.as_table.to_owned()]
                chosen=as_table
            />
        }
    };
    view! {
        <div class="page">
            <Narrowed flows note="" />
            <Panel title=t.beside.talks.to_owned() right=right>
                <p class="dim inset">{t.beside.talks_lead}</p>
                {content}
            </Panel>
        </div>
    }
}

/// What stands for one of these ends, and how its flows are found; nothing finds all others.
fn end(
    it: &TalkEnd,
    ends: &[TalkEnd],
    key: &str,
    t: &Texts,
    lang: Lang,
) -> (String, Option<String>) {
    if it.key.is_empty() {
        return ((t.beside.others)(&format::count(it.n, lang)), None);
    }
    let is_shared = ends.iter().filter(|other| other.name == it.name).count() > 1;
    let text = match (&it.name, key) {
        // The address first: where there is little room the name is cut.
        (Some(name), _) if is_shared => format!("{} · {name}", it.key),
        (Some(name), _) => name.clone(),
        (None, "label") => groups::written(&it.key, lang),
        (None, _) => it.key.clone(),
    };
    (text, Some(terms::term(key, &it.key)))
}

fn picture(
    it: &Answered,
    is_by_label: bool,
    t: &'static Texts,
    lang: Lang,
) -> impl IntoView + use<> {
    let amounts = |ends: &[TalkEnd]| ends.iter().map(|it| it.amount.bytes).collect::<Vec<u64>>();
    let (left, left_height) = ribbons::places(&amounts(&it.clients));
    let (right, right_height) = ribbons::places(&amounts(&it.servers));
    let height = left_height.max(right_height);
    let bands: Vec<ribbons::Band> = it
        .talks
        .iter()
        .map(|it| (it.client as usize, it.server as usize, it.amount.bytes))
        .collect();
    let paths = ribbons::paths(&bands, &left, &right).into_iter().zip(&it.talks);
    let key = if is_by_label { "label" } else { "server" };
    let paths = paths.map(|(path, talk)| {
        let says = says(it, talk, key, t, lang);
        view! { <path class=format!("band {}", class(&talk.group)) d=path><title>{says}</title></path> }
    });
    let paths = paths.collect_view();
    let column = |ends: &[TalkEnd], places: &[ribbons::Place], key: &str| {
        let lines = ends.iter().zip(places).map(|(it, place)| {
            let (text, filter) = end(it, ends, key, t, lang);
            let amount = format::bytes(it.amount.bytes, lang);
            let title = format!("{} · {}", it.key, t.n_flows.with(it.amount.flows, lang));
            let (top, height) = (format!("{:.1}px", place.top), format!("{:.1}px", place.height));
            let text = match filter {
                Some(filter) => {
                    let href = Place::flows(filter).hash();
                    view! { <a href=href title=title>{text}</a> }.into_any()
                }
                None => view! { <span class="dim">{text}</span> }.into_any(),
            };
            view! {
                <li style:top=top style:height=height>
                    {text}
                    <span class="dim">{amount}</span>
                </li>
            }
        });
        lines.collect_view()
    };
    let clients = column(&it.clients, &left, "client");
    let servers = column(&it.servers, &right, key);
    let titles = [t.beside.clients, if is_by_label { t.beside.labels } else { t.beside.servers }];
    view! {
        <Sideways label=t.beside.picture>
            <figure class="talks" aria-label=t.beside.picture style:height=format!("{:.0}px", height + 24.0)>
                <h3>{titles[0]}</h3>
                <h3 class="far">{titles[1]}</h3>
                <ul>{clients}</ul>
                <svg viewBox=format!("0 0 100 {height:.0}") preserveAspectRatio="none" aria-hidden="true">{paths}</svg>
                <ul class="far">{servers}</ul>
            </figure>
        </Sideways>
    }
}

/// The colour of a group; none where there are several.
fn class(group: &str) -> &'static str {
    if group.is_empty() { "g-rest" } else { groups::class(group) }
}

/// The word for a group, or for several.
fn group(group: &str, t: &Texts) -> String {
    if group.is_empty() { t.beside.mixed.to_owned() } else { word(&t.groups, group) }
}

/// A talk in words: for those who point at its band.
fn says(it: &Answered, talk: &Talk, key: &str, t: &Texts, lang: Lang) -> String {
    let text = |ends: &[TalkEnd], at: u32, key: &str| {
        ends.get(at as usize).map(|it| end(it, ends, key, t, lang).0).unwrap_or_default()
    };
    let (client, server) =
        (text(&it.clients, talk.client, "client"), text(&it.servers, talk.server, key));
    let bytes = format::bytes(talk.amount.bytes, lang);
    let group = group(&talk.group, t);
    format!("{client} → {server}: {bytes}, {} ({group})", t.n_flows.with(talk.amount.flows, lang))
}

fn table(it: &Answered, is_by_label: bool, t: &'static Texts, lang: Lang) -> impl IntoView + use<> {
    let key = if is_by_label { "label" } else { "server" };
    let shows_all = RwSignal::new(it.talks.len() <= AT_FIRST);
    let answered = StoredValue::new(it.clone());
    let line = move |it: &Answered, talk: &Talk| {
        let at = |ends: &[TalkEnd], at: u32, key| {
            ends.get(at as usize).map(|it| end(it, ends, key, t, lang)).unwrap_or_default()
        };
        let (client, of_client) = at(&it.clients, talk.client, "client");
        let (server, of_server) = at(&it.servers, talk.server, key);
        let link = |text: String, filter: &Option<String>| match filter {
            Some(filter) => {
                let href = Place::flows(filter.clone()).hash();
                view! { <a href=href>{text}</a> }.into_any()
            }
            None => view! { <span class="dim">{text}</span> }.into_any(),
        };
        let flows = format::count(talk.amount.flows, lang);
        let flows = match (&of_client, &of_server) {
            (Some(one), Some(other)) => {
                let href = Place::flows(format!("{one} {other}")).hash();
                view! { <a href=href>{flows}</a> }.into_any()
            }
            _ => flows.into_any(),
        };
        let mark = (!talk.group.is_empty()).then(|| {
            view! { <Mark class=class(&talk.group) letter=groups::letter(&talk.group) /> }
        });
        let group = group(&talk.group, t);
        view! {
            <tr>
                <td class="title">{link(client, &of_client)}</td>
                <td class="title">{link(server, &of_server)}</td>
                <td class="of-group" title=group.clone()>{mark}<span>{group.clone()}</span></td>
                <td class="num">{flows}</td>
                <td class="num">{format::bytes(talk.amount.bytes, lang)}</td>
            </tr>
        }
    };
    let lines = move || {
        let n = if shows_all.get() { usize::MAX } else { AT_FIRST };
        answered.with_value(|it| {
            let lines = it.talks.iter().take(n).map(|talk| line(it, talk));
            lines.collect_view()
        })
    };
    let n = format::count(it.talks.len() as u64, lang);
    let right = if is_by_label { t.label } else { t.server };
    view! {
        <Sideways label=t.beside.talks>
            <table class="talks-table">
                <thead>
                    <tr>
                        <th scope="col">{t.client}</th>
                        <th scope="col">{right}</th>
                        <th scope="col" class="of-group"><span>{t.beside.group}</span></th>
                        <th scope="col" class="num">{t.flows}</th>
                        <th scope="col" class="num">{t.bytes}</th>
                    </tr>
                </thead>
                <tbody>{lines}</tbody>
            </table>
        </Sideways>
        <Show when=move || !shows_all.get()>
            <button type="button" class="more" on:click=move |_| shows_all.set(true)>{(t.all_of_them)(&n)}</button>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_two_ends_have_is_told_by_the_address() {
        let end_of = |key: &str, name: &str| TalkEnd {
            key: key.into(),
            name: Some(name.into()),
            ..TalkEnd::default()
        };
        let ends = [end_of("10.0.0.1", "a"), end_of("10.0.0.2", "a"), end_of("10.0.0.3", "b")];
        let texts =
            ends.each_ref().map(|it| end(it, &ends, "client", Lang::En.texts(), Lang::En).0);
        assert_eq!(texts, ["10.0.0.1 · a", "10.0.0.2 · a", "b"]);
    }
}
