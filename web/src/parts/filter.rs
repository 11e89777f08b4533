//! The filter box: what is typed, what can be typed on, what is wrong with it, and how to filter.
//!
//! A combobox with a list as by ARIA 1.2. What is typed becomes the filter of the page once the engine understands it;
//! until then the last filter that was understood stays.

use gloo::timers::callback::Timeout;
use leptos::{ev, html, prelude::*};
use v1::page::{FilterError, Query, SuggestionKind, Suggestions, Words, Wrong};
use wasm_bindgen::JsCast;

use crate::{
    format,
    i18n::Lang,
    parts::icons::Glass,
    place::{Place, View},
    state::{App, app, asking, texts},
    terms,
};

/// How many suggestions are asked for.
const N_SUGGESTED: u32 = 50;
/// How many filters are remembered.
const N_PAST: usize = 20;
/// How long typing rests before it becomes the filter, in milliseconds.
const REST_MILLIS: u32 = 250;

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    /// What takes the place of a part of the text; of an earlier filter, of all of it.
    text: String,
    what: Option<Words>,
    count: Option<u64>,
    is_past: bool,
}

/// Why what is typed shall become the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    /// The typing rests: where a view follows the filter, what is typed is looked at while it is.
    Rested,
    /// It was entered: in whatever view, and to be remembered.
    Entered,
}

/// What the box knows.
#[derive(Clone, Copy)]
struct Typed {
    app: App,
    field: NodeRef<html::Input>,
    text: RwSignal<String>,
    /// Where the cursor is, in bytes.
    cursor: RwSignal<u32>,
    /// Whether the list is shown, if there is anything in it.
    is_open: RwSignal<bool>,
    /// The line of the list that is chosen by keys.
    active: RwSignal<Option<usize>>,
    /// What the engine says, and of which text.
    said: RwSignal<Option<Result<(String, Suggestions), String>>>,
    /// That what is typed shall become the filter as soon as it is understood.
    wish: StoredValue<Option<Wish>>,
    resting: StoredValue<Option<Timeout>, LocalStorage>,
}

impl Typed {
    fn new(app: App, field: NodeRef<html::Input>) -> Self {
        let text = RwSignal::new(app.place.with_untracked(|it| it.filter.clone()));
        let cursor = RwSignal::new(u32::MAX);
        // A text and its cursor change together, and are asked about once.
        let asked = Memo::new(move |_| (text.get(), cursor.get()));
        let said = asking(move || {
            let (filter, at) = asked.get();
            app.countries.changed.track();
            let backend = app.backend()?;
            Some(async move {
                let query = Query::Suggest { filter: filter.clone(), at, limit: N_SUGGESTED };
                backend.ask::<Suggestions>(&query).await.map(|it| (filter, it))
            })
        });
        Self {
            app,
            field,
            text,
            cursor,
            is_open: RwSignal::new(false),
            active: RwSignal::new(None),
            said,
            wish: StoredValue::new(None),
            resting: StoredValue::new_local(None),
        }
    }

    /// What the engine says of the text as it is now.
    fn answer(self) -> Option<Suggestions> {
        let text = self.text.get();
        self.said.with(|it| match it {
            Some(Ok((of, said))) if *of == text => Some(said.clone()),
            _ => None,
        })
    }

    /// The lines of the list: earlier filters in an empty box, then what can be typed on.
    fn lines(self) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.text.with(|it| it.trim().is_empty()) {
            let past = self.app.past_filters.get();
            let line = |text| Line { text, what: None, count: None, is_past: true };
            lines.extend(past.into_iter().map(line));
        }
        let Some(answer) = self.answer() else { return lines };
        let typed = self.text.get();
        let part = typed.get(answer.start as usize..answer.end as usize).unwrap_or_default();
        let rows = answer.rows.into_iter().map(|it| Line {
            text: it.text,
            what: it.what,
            count: it.count,
            is_past: false,
        });
        lines.extend(rows);
        // What is typed already is no suggestion where it is the only one.
        if lines.len() == 1 && lines[0].text == part {
            lines.clear();
        }
        lines
    }

    /// Puts a text into the box, with the cursor at a place in it.
    fn put(self, text: &str, at: u32) {
        if let Some(field) = self.field.get_untracked() {
            field.set_value(text);
            let units = terms::to_units(text, at);
            // Refused only by fields that have no selection.
            drop(field.set_selection_range(units, units));
            drop(field.focus());
        }
        self.text.set(text.to_owned());
        self.cursor.set(at);
        self.active.set(None);
    }

    /// Takes a line of the list.
    fn take(self, line: &Line) {
        if line.is_past {
            self.put(&line.text, line.text.len() as u32);
            self.is_open.set(false);
            return self.apply(Wish::Entered);
        }
        let Some(answer) = untrack(move || self.answer()) else { return };
        let typed = self.text.get_untracked();
        let (start, end) = (answer.start as usize, answer.end as usize);
        let (Some(before), Some(after)) = (typed.get(..start), typed.get(end..)) else { return };
        let is_value = answer.of == SuggestionKind::Value;
        self.put(&format!("{before}{}{after}", line.text), (start + line.text.len()) as u32);
        self.is_open.set(!is_value);
        self.rest();
    }

    /// Makes what is typed the filter, now or once the engine understands it.
    fn apply(self, wish: Wish) {
        self.resting.set_value(None);
        if wish == Wish::Rested && self.text.with_untracked(|it| awaits_value(it)) {
            return;
        }
        let is_filtered = self.app.place.with_untracked(is_filtered);
        if is_filtered || wish == Wish::Entered {
            self.wish.set_value(Some(wish));
            self.settle();
        }
    }

    /// Makes the text the filter if that is wished and it is understood.
    fn settle(self) {
        let (Some(wish), Some(answer)) = (self.wish.get_value(), untrack(move || self.answer()))
        else {
            return;
        };
        if answer.error.is_some() {
            return;
        }
        self.wish.set_value(None);
        let filter = self.text.with_untracked(|it| it.trim().to_owned());
        if wish == Wish::Entered {
            self.remember(&filter);
        }
        let place = self.app.place.get_untracked();
        if is_filtered(&place) {
            self.app.replace(Place { filter, ..place });
        } else {
            self.app.go(Place { filter, ..place.in_view(View::Flows) });
        }
    }

    /// Waits until the typing rests.
    fn rest(self) {
        self.wish.set_value(None);
        let timeout = Timeout::new(REST_MILLIS, move || self.apply(Wish::Rested));
        self.resting.set_value(Some(timeout));
    }

    /// Keeps a filter for the list of an empty box. A filter may hold addresses: it is kept in memory alone, and gone with
    /// the page; never in what the browser stores.
    fn remember(self, filter: &str) {
        if !filter.is_empty() {
            self.app.past_filters.update(|past| {
                past.retain(|it| it != filter);
                past.insert(0, filter.to_owned());
                past.truncate(N_PAST);
            });
        }
    }

    fn follow_cursor(self) {
        let Some(field) = self.field.get_untracked() else { return };
        let units = field.selection_end().ok().flatten().unwrap_or(u32::MAX);
        let at = terms::to_bytes(&field.value(), units);
        if self.cursor.get_untracked() != at {
            self.cursor.set(at);
        }
    }

    fn press(self, event: &ev::KeyboardEvent) {
        let lines = untrack(move || self.lines());
        let is_shown = self.is_open.get_untracked() && !lines.is_empty();
        let active = self.active.get_untracked().filter(|it| is_shown && *it < lines.len());
        match event.key().as_str() {
            "ArrowDown" | "ArrowUp" => {
                let is_down = event.key() == "ArrowDown";
                self.is_open.set(true);
                let last = lines.len().saturating_sub(1);
                let next = match active {
                    None if is_down || !is_shown => 0,
                    None => last,
                    Some(at) if is_down => {
                        if at == last {
                            0
                        } else {
                            at + 1
                        }
                    }
                    Some(at) => at.checked_sub(1).unwrap_or(last),
                };
                self.active.set(Some(next));
                show_line(next);
            }
            "Enter" => match active.and_then(|it| lines.get(it)) {
                Some(line) => self.take(line),
                None => {
                    self.is_open.set(false);
                    self.apply(Wish::Entered);
                }
            },
            "Tab" if is_shown && !event.shift_key() => {
                let first = lines.first().filter(|it| self.is_begun(it));
                let Some(line) = active.and_then(|it| lines.get(it)).or(first) else { return };
                self.take(line);
            }
            "Escape" if is_shown => {
                self.is_open.set(false);
                self.active.set(None);
            }
            "Escape" => {
                if let Some(field) = self.field.get_untracked() {
                    drop(field.blur());
                }
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    }

    /// Whether the part at the cursor is the beginning of a line.
    fn is_begun(self, line: &Line) -> bool {
        let Some(answer) = untrack(move || self.answer()) else { return false };
        let part = self.text.with_untracked(|text| {
            let part = text.get(answer.start as usize..answer.end as usize);
            part.unwrap_or_default().to_lowercase()
        });
        !part.is_empty()
            && part.len() < line.text.len()
            && line.text.to_lowercase().starts_with(&part)
    }
}

/// Whether what is wrong may be right once more is typed: that is no reason to complain yet.
fn is_unfinished(error: &FilterError, text: &str) -> bool {
    let [_, part, after] = error.split(text);
    let is_last = after.trim().is_empty();
    match error.wrong {
        Wrong::OpenQuote | Wrong::OpenParenthesis | Wrong::OpenList => true,
        Wrong::NoValue | Wrong::NoCondition | Wrong::NoList => is_last,
        Wrong::Network => {
            is_last && part.chars().all(|it| it.is_ascii_hexdigit() || ".:/".contains(it))
        }
        _ => false,
    }
}

/// Whether the last condition is a key and nothing else yet. Entered, it finds what has no such value.
fn awaits_value(text: &str) -> bool {
    let last = terms::split(text).pop().unwrap_or_default();
    let value = last.split_once([':', '=']).map(|it| it.1);
    value.is_some_and(|it| it.trim_start_matches('=').trim().is_empty())
}

/// Whether what is on show follows the filter; the others lead to the table.
fn is_filtered(place: &Place) -> bool {
    match place.view {
        View::Overview | View::Flows | View::Labels | View::Talks | View::Export => true,
        // One host and one session are shown whole.
        View::Hosts | View::Sessions => place.id.is_empty(),
        View::Train | View::Compare => false,
    }
}

fn line_id(at: usize) -> String {
    format!("filter-{at}")
}

/// Scrolls the list so that a line is seen.
fn show_line(at: usize) {
    let Some(line) = document().get_element_by_id(&line_id(at)) else { return };
    let line = line.unchecked_into::<web_sys::HtmlElement>();
    let Some(list) = line.parent_element() else { return };
    let (top, bottom) = (line.offset_top(), line.offset_top() + line.offset_height());
    if top < list.scroll_top() {
        list.set_scroll_top(top);
    } else if bottom > list.scroll_top() + list.client_height() {
        list.set_scroll_top(bottom - list.client_height());
    }
}

/// The filter of the flow table, in the bar.
#[component]
pub fn Filter(
    /// The field.
    input: NodeRef<html::Input>,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let typed = Typed::new(app, input);
    let lines = Memo::new(move |_| typed.lines());
    let is_focused = RwSignal::new(false);
    let is_understood = Memo::new(move |_| typed.answer().is_some_and(|it| it.error.is_none()));
    let error = Memo::new(move |_| {
        let error = typed.answer()?.error?;
        let is_unfinished = is_focused.get() && typed.text.with(|it| is_unfinished(&error, it));
        (!is_unfinished).then_some(error)
    });
    let is_shown = move || typed.is_open.get() && lines.with(|it| !it.is_empty());

    // A filter from elsewhere, such as a chip that goes, is written into the box.
    let filter = Memo::new(move |_| app.place.with(|it| it.filter.clone()));
    Effect::new(move |_| {
        let filter = filter.get();
        if typed.text.with_untracked(|it| it.trim() != filter) {
            typed.text.set(filter);
            typed.cursor.set(u32::MAX);
            typed.is_open.set(false);
        }
    });
    // What was wanted before the engine had said what it is.
    Effect::new(move |_| {
        if typed.said.with(Option::is_some) {
            typed.settle();
        }
    });
    let scroll = NodeRef::<html::Div>::new();
    let follow_scroll = move || {
        if let (Some(field), Some(under)) = (input.get_untracked(), scroll.get_untracked()) {
            under.set_scroll_left(field.scroll_left());
        }
    };
    let on_input = move |event: ev::Event| {
        typed.follow_cursor();
        typed.text.set(event_target_value(&event));
        typed.active.set(None);
        typed.is_open.set(true);
        typed.rest();
        follow_scroll();
    };
    let on_focus = move |_| {
        is_focused.set(true);
        typed.follow_cursor();
        // An empty box shows what there is; what is there is not covered before something is typed.
        typed.is_open.set(typed.text.with_untracked(|it| it.trim().is_empty()));
    };
    let on_blur = move |_| {
        is_focused.set(false);
        typed.is_open.set(false);
        typed.active.set(None);
        let filter = typed.text.with_untracked(|it| it.trim().to_owned());
        if app.place.with_untracked(|it| it.filter == filter) {
            typed.remember(&filter);
        }
    };
    let clear = move |_| {
        typed.put("", 0);
        app.go(Place { filter: String::new(), ..app.place.get_untracked() });
    };
    let is_wrong = move || error.with(Option::is_some);
    let is_empty = move || typed.text.with(|it| it.trim().is_empty());
    let is_entered = move || typed.text.with(|text| app.place.with(|it| it.filter == text.trim()));
    let is_begun = move || typed.text.with(|it| awaits_value(it)) && !is_entered();
    let is_right = move || !is_empty() && is_understood.get() && !is_begun();
    let sign = move || {
        if is_wrong() {
            view! { <b class="filter-sign" aria-hidden="true">"!"</b> }.into_any()
        } else if is_right() {
            view! { <b class="filter-sign" aria-hidden="true">"✓"</b> }.into_any()
        } else {
            view! { <Glass /> }.into_any()
        }
    };
    // The wrong part is underlined by the same text behind the box.
    let under = move || {
        let error = error.get()?;
        let text = typed.text.get();
        let [before, part, after] = error.split(&text).map(str::to_owned);
        let part = if part.is_empty() { "\u{a0}".to_owned() } else { part };
        Some(view! { {before}<u>{part}</u>{after} })
    };
    let wrong = move || {
        let error = error.get()?;
        // One that came with the address is the last one itself.
        let is_filtered = app.place.with(is_filtered);
        let stays = (is_filtered && !is_entered()).then_some(t.filter.last_stays);
        Some(view! { <b>{lang.of(&error.words())}</b> " " <span class="dim">{stays}</span> })
    };
    let count = move || match is_shown() {
        true => (t.filter.n_suggestions)(&format::count(lines.with(Vec::len) as u64, lang)),
        false if is_focused.get() && is_right() => t.filter.understood.to_owned(),
        false => String::new(),
    };
    let list = move || {
        is_shown().then(|| {
            let lines = lines.get().into_iter().enumerate();
            let lines = lines.map(|(at, line)| option(typed, at, line, lang, t.filter.recent));
            view! {
                <ul id="filter-list" role="listbox" aria-label=t.filter.suggestions>{lines.collect_view()}</ul>
            }
        })
    };
    view! {
        <search
            class="filter"
            class:is-wrong=is_wrong
            class:is-right=is_right
        >
            {sign}
            <div class="filter-text mono">
                <div class="filter-under" aria-hidden="true" node_ref=scroll>{under}</div>
                <input
                    id="filter"
                    type="text"
                    role="combobox"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    aria-label=t.filter_label
                    aria-autocomplete="list"
                    aria-expanded=move || is_shown().to_string()
                    aria-controls=move || is_shown().then_some("filter-list")
                    aria-activedescendant=move || {
                        let active = typed.active.get().filter(|_| is_shown());
                        active.map(line_id)
                    }
                    aria-invalid=move || is_wrong().then_some("true")
                    aria-describedby=move || is_wrong().then_some("filter-wrong")
                    placeholder=t.filter_hint
                    node_ref=input
                    prop:value=move || typed.text.get()
                    on:input=on_input
                    on:keydown=move |event| typed.press(&event)
                    on:keyup=move |_| {
                        typed.follow_cursor();
                        follow_scroll();
                    }
                    on:click=move |_| typed.follow_cursor()
                    on:scroll=move |_| follow_scroll()
                    on:focus=on_focus
                    on:blur=on_blur
                />
            </div>
            <Show when=move || !is_empty() fallback=|| view! { <kbd>"/"</kbd> }>
                <button type="button" class="bare" aria-label=t.clear title=t.clear on:click=clear>"✕"</button>
            </Show>
            <button type="button" class="bare" popovertarget="filter-help" aria-label=t.filter.help title=t.filter.help>
                "?"
            </button>
            <div class="filter-below" class:is-focused=move || is_focused.get()>
                <p id="filter-wrong" class="filter-wrong" role="status">{wrong}</p>
                {list}
            </div>
            <p class="unseen" role="status" aria-live="polite">{count}</p>
            <Help typed />
        </search>
    }
}

/// A line of the list.
fn option(typed: Typed, at: usize, line: Line, lang: Lang, recent: &'static str) -> AnyView {
    let is_past = line.is_past;
    let what = line.what.as_ref().map(|it| lang.of(it));
    let is_alone = what.is_none();
    let count = line.count.map(|it| format::count(it, lang));
    let count = count.unwrap_or_else(|| if is_past { recent.to_owned() } else { String::new() });
    let (text, title) = (line.text.clone(), line.text.clone());
    view! {
        <li
            id=line_id(at)
            role="option"
            class:is-alone=is_alone
            aria-selected=move || (typed.active.get() == Some(at)).to_string()
            // The box keeps the focus.
            on:mousedown=|event| event.prevent_default()
            on:click=move |_| typed.take(&line)
        >
            <span class="mono" title=title>{text}</span>
            {what.map(|it| view! { <span class="dim what">{it}</span> })}
            <span class="num" class:dim=is_past>{count}</span>
        </li>
    }
    .into_any()
}

/// How to filter, in five lines with examples.
#[component]
fn Help(
    /// The box.
    typed: Typed,
) -> impl IntoView {
    let (t, _) = texts();
    let popover = NodeRef::<html::Div>::new();
    let example = move |filter: &'static str| {
        let take = move |_| {
            if let Some(popover) = popover.get_untracked() {
                // Refused only where it is closed already.
                drop(popover.unchecked_ref::<web_sys::HtmlElement>().hide_popover());
            }
            typed.put(filter, filter.len() as u32);
            typed.is_open.set(false);
            typed.apply(Wish::Entered);
        };
        view! { <button type="button" class="chip mono" on:click=take>{filter}</button> }
    };
    let lines = t.filter.help_lines.into_iter().map(|(what, examples)| {
        let examples = examples.iter().map(|it| example(it));
        view! { <li><p>{what}</p><div>{examples.collect_view()}</div></li> }
    });
    view! {
        <div id="filter-help" class="popover filter-help" popover="auto" role="dialog" aria-label=t.filter.help node_ref=popover>
            <h2>{t.filter.help}</h2>
            <p>{t.filter.help_lead}</p>
            <ul>{lines.collect_view()}</ul>
            <p>{t.filter.help_keys}</p>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let error = engine::Filter::parse(text).expect_err("it is not understood");
        assert_eq!(is_unfinished(&error, text), expected);
    }

    #[test]
    fn what_is_being_typed_is_not_wrong_yet() {
        for text in [
            "port:",
            "bytes >",
            "(a or b",
            "label:\"a",
            "port in {80,",
            "ip:10.0",
            "a and !",
            "port in",
        ] {
            check(text, true);
        }
        for text in ["labl:", "bytes>x", "ip:here", "port: a", "a)", "ip:10.0 a"] {
            check(text, false);
        }
    }

    #[test]
    fn a_key_alone_awaits_its_value() {
        for text in ["label:", "a label:", "label: ", "label =", "label=="] {
            assert!(awaits_value(text), "{text}");
        }
        for text in ["", "a", "label:vk", "ip:fe80::", "label: vk", "label:\"a:\"", "bytes>=3"] {
            assert!(!awaits_value(text), "{text}");
        }
    }
}
