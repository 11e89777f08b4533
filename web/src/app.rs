//! The frame of the page: the bar, the rail, the view that the address names, and everything the whole window listens to.

use gloo::events::{EventListener, EventListenerOptions};
use leptos::{html, prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;

use crate::{
    backend, files, format,
    i18n::Lang,
    pages::{
        companion::{self, Companion},
        compare::Compare,
        export::Export,
        first::First,
        flows::Flows,
        hosts::Hosts,
        keys::Keys,
        labels::Labels,
        overview::OverviewPage,
        reading::Reading,
        seal::Seal,
        sessions::Sessions,
        talks::Talks,
        train::Train,
        waiting::WaitingButton,
    },
    parts::{
        filter::Filter,
        icons::{HalfMoon, Outline, Sign},
        link::{Link, OtherCapture},
        small::{Failure, Waiting},
    },
    place::{Place, RAIL, VIEWS, View},
    state::{App, Phase, Source, Step, THEMES, app, texts},
    terms,
};

/// Puts the page into the document.
pub fn start() {
    mount_to_body(Page);
}

/// The page.
#[component]
fn Page() -> impl IntoView {
    let app = App::new();
    provide_context(app);
    if backend::is_sealed() {
        backend::on_launch(move |files| app.take_files(files));
    }
    let root = document().document_element();
    if let Some(root) = root {
        Effect::new(move |_| {
            let theme = app.theme.get();
            let name = THEMES.iter().find(|it| it.0 == theme).map_or("", |it| it.1);
            // The two attributes are always valid.
            let _ = root.set_attribute("data-theme", name);
            let _ = root.set_attribute("lang", app.lang.get().tag());
        });
    }
    // Made anew in the other language; everything worth keeping is in `App` and in the address.
    move || {
        app.lang.track();
        match backend::companion_job() {
            Some(job) => view! { <Whole job /> }.into_any(),
            None if backend::is_companion_page() => view! { <Companion /> }.into_any(),
            None => view! { <Whole /> }.into_any(),
        }
    }
}

/// The page that opens captures itself, or shows what the companion found in one.
#[component]
fn Whole(
    /// The companion's job.
    #[prop(optional)]
    job: Option<u64>,
) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let input = NodeRef::<html::Input>::new();
    let filter = NodeRef::<html::Input>::new();
    let keys = NodeRef::<html::Dialog>::new();
    let is_dragged = RwSignal::new(false);
    listen(app, input, filter, keys, is_dragged);
    Effect::new(move |_| title(app));

    let is_open = Memo::new(move |_| app.phase.get() == Phase::Done);
    let is_reading = Memo::new(move |_| matches!(app.phase.get(), Phase::Reading { .. }));
    let is_training =
        Memo::new(move |_| job.is_none() && app.place.with(|it| it.view == View::Train));
    let failure = RwSignal::new(None::<String>);
    // Once: a new language finds it open.
    if let Some(job) = job
        && app.phase.get_untracked() == Phase::Empty
    {
        spawn_local(async move {
            match companion::file(job).await {
                Ok(file) => app.open_job(job, companion::full_name(&file), file.size * 1_000),
                Err(error) => failure.set(Some(error)),
            }
        });
    }
    let content = move || {
        if is_open.get() {
            view! { <Opened /> }.into_any()
        } else if is_training.get() {
            view! { <Alone /> }.into_any()
        } else if let Some(text) = failure.get() {
            view! { <main id="main" tabindex="-1"><Failure title=t.failed.to_owned() text /></main> }.into_any()
        } else if job.is_some() {
            view! { <main id="main" tabindex="-1"><Waiting text=t.loading /></main> }.into_any()
        } else if is_reading.get() {
            view! { <Reading /> }.into_any()
        } else {
            view! { <First input /> }.into_any()
        }
    };
    let announced = move || match app.phase.get() {
        Phase::Reading { progress, .. } if progress.total > 0 => {
            // In tenths, so that it is not said all the time.
            let tenth = progress.bytes * 10 / progress.total;
            (t.announce)(&format!("{} %", tenth * 10))
        }
        Phase::Done => {
            let flows = app.seen().map_or(0, |it| it.flows);
            (t.announce_done)(&t.n_flows.with(flows, lang))
        }
        _ => String::new(),
    };
    view! {
        <a class="skip" href="#main" on:click=skip>{t.skip}</a>
        <header class="bar">
            <a class="word" href=move || app.view(View::Overview).hash()>
                <Sign />
                <span>"TrActor"</span>
            </a>
            <Show when=move || is_open.get()>
                <File />
                <WaitingButton />
                <Filter input=filter />
                <Link />
            </Show>
            <span class="push"></span>
            <Show when=move || job.is_none() && !is_open.get() && !is_training.get()>
                <a class="btn" id="to-train" href=move || app.view(View::Train).hash()>{t.views[6]}</a>
            </Show>
            <Show when=move || job.is_none() && (is_open.get() || is_training.get())>
                <button type="button" class="btn" title=t.open_hint on:click=move |_| choose(input)>{t.open}</button>
            </Show>
            {if job.is_some() { view! { <companion::Badge /> }.into_any() } else { view! { <Seal /> }.into_any() }}
            <LangSwitch />
            <ThemeButton />
            <button type="button" class="btn icon" aria-label=t.keyboard title=t.keyboard on:click=move |_| toggle(keys)>
                "?"
            </button>
        </header>
        {content}
        <input
            id="file-input"
            class="unseen"
            type="file"
            multiple
            tabindex="-1"
            aria-hidden="true"
            disabled=!backend::is_sealed()
            node_ref=input
            on:change=move |_| {
                let Some(input) = input.get_untracked() else { return };
                let chosen = input.files().map(|it| files::listed(&it)).unwrap_or_default();
                // So that the same file can be chosen again.
                input.set_value("");
                app.take_files(chosen);
            }
        />
        <Keys dialog=keys />
        <Show when=move || is_dragged.get()>
            <div class="drop-over" aria-hidden="true">
                <p>{move || if is_training.get() { t.train.drop_now } else { t.drop_now }}</p>
            </div>
        </Show>
        <p class="unseen" role="status" aria-live="polite">{announced}</p>
        <div class="toasts" role="status" aria-live="polite">
            {move || app.toast.get().map(|it| view! { <p class="toast">{it}</p> })}
        </div>
    }
}

/// The address is a place, not an anchor: the link moves the focus itself.
fn skip(event: leptos::ev::MouseEvent) {
    event.prevent_default();
    if let Some(main) = document().get_element_by_id("main") {
        drop(main.unchecked_into::<web_sys::HtmlElement>().focus());
    }
}

/// The document's title follows file and view.
fn title(app: App) {
    let t = app.lang.get().texts();
    let view = app.place.with(|it| it.view);
    let name = app.capture.with(|it| it.as_ref().map(|it| it.name.clone()));
    let at = VIEWS.iter().position(|it| *it == view).unwrap_or(0);
    document().set_title(&match name {
        Some(name) => format!("{name} · {} · TrActor", t.views[at]),
        None if view == View::Train => format!("{} · TrActor", t.views[at]),
        None => format!("TrActor · {}", t.tagline),
    });
}

/// The one view that needs no opened capture.
#[component]
fn Alone() -> impl IntoView {
    let (t, _) = texts();
    view! {
        <main id="main" tabindex="-1">
            <h1 class="unseen">{t.views[6]}</h1>
            <Train />
        </main>
    }
}

/// The views of an opened capture.
#[component]
fn Opened() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    // The view is made anew only when it is another one, or shows another thing whole.
    let shown = Memo::new(move |_| {
        app.place.with(|place| {
            let is_whole = matches!(place.view, View::Hosts | View::Sessions);
            (place.view, if is_whole { place.id.clone() } else { String::new() })
        })
    });
    // One thing shown whole has its own heading.
    let heading = move || {
        let (view, id) = shown.get();
        let at = VIEWS.iter().position(|it| *it == view)?;
        id.is_empty().then(|| view! { <h1 class="unseen">{t.views[at]}</h1> })
    };
    let content = move || {
        if let Some(Err(error)) = app.overview.get() {
            return view! { <Failure title=t.failed.to_owned() text=error /> }.into_any();
        }
        match shown.get() {
            (view, _) if !app.has_view(view) => view! { <OverviewPage /> }.into_any(),
            (View::Overview, _) => view! { <OverviewPage /> }.into_any(),
            (View::Flows, _) => view! { <Flows /> }.into_any(),
            (View::Hosts, id) => view! { <Hosts id /> }.into_any(),
            (View::Sessions, id) => view! { <Sessions id /> }.into_any(),
            (View::Labels, _) => view! { <Labels /> }.into_any(),
            (View::Export, _) => view! { <Export /> }.into_any(),
            (View::Train, _) => view! { <Train /> }.into_any(),
            (View::Talks, _) => view! { <Talks /> }.into_any(),
            (View::Compare, _) => view! { <Compare /> }.into_any(),
        }
    };
    view! {
        <div class="frame">
            <Rail />
            <main id="main" tabindex="-1">
                {heading}
                <OtherCapture />
                {content}
            </main>
        </div>
    }
}

/// The icons of the views, shown where there is no room for a rail.
const OUTLINES: [&str; 9] = [
    "M3 17V9m5 8V4m5 13v-6m4 6V7",
    "M3 5h14M3 10h14M3 15h14",
    "M3 4h14v9H3zM7 17h6M10 13v4",
    "M6 6h8a3 3 0 0 1 0 6H6a3 3 0 0 0 0 6M14 6l-2-2m2 2-2 2",
    "M3 4h7l7 7-6 6-7-7V4zM6.5 7.5h.01",
    "M10 3v9m-3.5-3.5L10 12l3.5-3.5M3 15v2h14v-2",
    "M4 4h5v5H4zM11 4h5v5h-5zM4 11h5v5H4zM11 13.5h5m-2.5-2.5v5",
    "M4 4v5m0 3v4M16 4v3m0 3v6M4 6c6 0 6 7 12 7M4 14c6 0 6-8 12-8",
    "M4 4h5v12H4zM12 8h5v8h-5z",
];

/// The ways between the views.
#[component]
pub fn Rail() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let count = move |view| {
        // While a capture is read, its flows are counted already.
        if let (View::Flows, Phase::Reading { progress, .. }) = (view, app.phase.get()) {
            return Some(format::count(progress.flows, lang));
        }
        let seen = app.seen()?;
        let number = match view {
            View::Flows => seen.flows,
            View::Hosts => seen.hosts,
            View::Sessions => seen.sessions,
            View::Labels => seen.labels.len() as u64,
            View::Overview | View::Export | View::Train | View::Talks | View::Compare => {
                return None;
            }
        };
        Some(format::count(number, lang))
    };
    let items = RAIL.into_iter().filter(|it| app.has_view(*it)).filter_map(|view| {
        let at = VIEWS.iter().position(|it| *it == view)?;
        let (name, path) = (*t.views.get(at)?, *OUTLINES.get(at)?);
        let is_current = move || app.place.with(|it| it.view == view).then_some("page");
        Some(view! {
            {(view == View::Compare).then(|| view! { <hr /> })}
            <a href=move || app.view(view).hash() aria-current=is_current>
                <Outline path />
                <span>{name}</span>
                <span class="n">{move || count(view)}</span>
            </a>
        })
    });
    let rail = NodeRef::<html::Nav>::new();
    let current = Memo::new(move |_| app.place.with(|it| it.view));
    Effect::new(move |_| {
        if let (Some(rail), _) = (rail.get(), current.get()) {
            // By then the view on show is marked.
            request_animation_frame(move || show_current(&rail));
        }
    });
    view! { <nav class="rail" aria-label=t.views_label node_ref=rail>{items.collect_view()}</nav> }
}

/// Scrolls the rail, where there is no room for all of it, so that the view on show is in its middle.
fn show_current(rail: &web_sys::HtmlElement) {
    let current = rail.query_selector("[aria-current]").ok().flatten();
    if let Some(current) = current.and_then(|it| it.dyn_into::<web_sys::HtmlElement>().ok()) {
        let middle = current.offset_left() + current.offset_width() / 2;
        rail.set_scroll_left(middle - rail.client_width() / 2);
    }
}

/// The opened file, in the bar.
#[component]
fn File() -> impl IntoView {
    let app = app();
    let (_, lang) = texts();
    let file = move || {
        let (name, size) =
            app.capture.with(|it| it.as_ref().map(|it| (it.name.clone(), it.size)))?;
        let seen = app.seen()?;
        let size = format::bytes(size, lang);
        let when = match seen.flows {
            0 => String::new(),
            _ => format!(" · {}", format::span(seen.time_start_ns, seen.time_end_ns)),
        };
        Some(view! {
            <span class="file">
                <b title=name.clone()>{name.clone()}</b>
                <span class="dim">{size}{when}</span>
            </span>
        })
    };
    view! { {file} }
}

/// The filter's terms as words that can be taken out, a range of time in words of its own.
#[component]
pub fn Chips() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    move || {
        let filter = app.place.with(|it| it.filter.clone());
        let start = app.capture_start_ns();
        let range = terms::range(&filter);
        let mut chips = Vec::new();
        for (at, term) in terms::split(&filter).into_iter().enumerate() {
            if range.is_none() || !terms::is_range(&term) {
                chips.push((term, terms::without(&filter, at)));
            }
        }
        if let Some((from, to)) = range {
            let text = (t.within)(&format::clock(start + from), &format::clock(start + to));
            chips.push((text, terms::with_range(&filter, None)));
        }
        let chips = chips.into_iter().map(|(text, rest)| {
            let label = (t.remove)(&text);
            let place = move || Place { filter: rest.clone(), ..app.place.get_untracked() };
            view! {
                <button type="button" class="chip" aria-label=label on:click=move |_| app.go(place())>
                    <span class="mono">{text}</span>
                    <span aria-hidden="true">"✕"</span>
                </button>
            }
        });
        chips.collect_view()
    }
}

/// The language, by its own name.
#[component]
pub fn LangSwitch() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let buttons = [(Lang::Ru, "RU", "Русский"), (Lang::En, "EN", "English")];
    let buttons = buttons.map(|(of, short, name)| {
        let choose = move |_| {
            app.set_lang(of);
            // The button was made anew with everything else.
            let id = format!("lang-{}", of.tag());
            gloo::timers::callback::Timeout::new(0, move || focus(&id)).forget();
        };
        view! {
            <button
                type="button"
                id=format!("lang-{}", of.tag())
                lang=of.tag()
                title=name
                aria-pressed=(of == lang).to_string()
                on:click=choose
            >
                {short}
            </button>
        }
    });
    view! { <div class="switch lang" role="group" aria-label=t.language>{buttons.collect_view()}</div> }
}

fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        drop(element.unchecked_into::<web_sys::HtmlElement>().focus());
    }
}

/// Goes through the themes.
#[component]
pub fn ThemeButton() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let says = move || {
        let theme = app.theme.get();
        let at = THEMES.iter().position(|it| it.0 == theme).unwrap_or(0);
        format!("{}: {}", t.theme, t.theme_names[at])
    };
    view! {
        <button
            type="button"
            class="btn icon theme"
            aria-label=says
            title=says
            on:click=move |_| {
                app.next_theme();
                app.say(untrack(says));
            }
        >
            <HalfMoon />
        </button>
    }
}

/// Opens the browser's file dialogue.
pub(crate) fn choose(input: NodeRef<html::Input>) {
    if let Some(input) = input.get_untracked() {
        input.click();
    }
}

fn toggle(dialog: NodeRef<html::Dialog>) {
    if let Some(dialog) = dialog.get_untracked() {
        if dialog.open() {
            dialog.close();
        } else {
            drop(dialog.show_modal());
        }
    }
}

/// Everything the window itself listens to: the address, keys, files dragged in.
fn listen(
    app: App,
    input: NodeRef<html::Input>,
    filter: NodeRef<html::Input>,
    keys: NodeRef<html::Dialog>,
    is_dragged: RwSignal<bool>,
) {
    let window = window();
    let mut listeners = Vec::new();
    for name in ["popstate", "hashchange"] {
        listeners.push(EventListener::new(&window, name, move |_| app.follow_address()));
    }
    let active = EventListenerOptions::enable_prevent_default();
    let on_key = move |event: &web_sys::Event| {
        if let Some(event) = event.dyn_ref::<web_sys::KeyboardEvent>() {
            press(app, event, input, filter, keys);
        }
    };
    listeners.push(EventListener::new_with_options(&window, "keydown", active, on_key));
    let on_over = move |event: &web_sys::Event| {
        // Without this the browser would leave the page for the file.
        event.prevent_default();
        is_dragged.set(has_files(event) && backend::is_sealed());
    };
    for name in ["dragenter", "dragover"] {
        listeners.push(EventListener::new_with_options(&window, name, active, on_over));
    }
    let on_leave = move |event: &web_sys::Event| {
        let event = event.unchecked_ref::<web_sys::DragEvent>();
        if event.related_target().is_none() {
            is_dragged.set(false);
        }
    };
    listeners.push(EventListener::new(&window, "dragleave", on_leave));
    let on_drop = move |event: &web_sys::Event| {
        event.prevent_default();
        is_dragged.set(false);
        take(app, event.unchecked_ref::<web_sys::DragEvent>().data_transfer());
    };
    listeners.push(EventListener::new_with_options(&window, "drop", active, on_drop));
    let on_paste = move |event: &web_sys::Event| {
        take(app, event.unchecked_ref::<web_sys::ClipboardEvent>().clipboard_data());
    };
    listeners.push(EventListener::new(&window, "paste", on_paste));
    // They end with this part: a new language makes it, and them, anew.
    let listeners = StoredValue::new_local(listeners);
    on_cleanup(move || {
        listeners.try_update_value(Vec::clear);
    });
}

/// Takes the files that were dropped or pasted: to learn from where that is on show, else to open.
fn take(app: App, data: Option<web_sys::DataTransfer>) {
    let Some(data) = data.filter(|_| backend::is_sealed()) else { return };
    let mut files = data.files().map(|it| files::listed(&it)).unwrap_or_default();
    // A folder is among the files, but none can be read of it.
    let folders = files::folders(&data);
    files.retain(|it| !folders.contains(&it.name()));
    if let Some(name) = folders.first() {
        app.say((app.lang.get_untracked().texts().is_folder)(name));
    }
    let Some(first) = files.first() else { return };
    if app.place.with_untracked(|it| it.view == View::Train) {
        app.training.add_files(files);
    } else if app.is_comparing() {
        app.comparing.with(app, Source::Chosen(first.clone()));
    } else {
        app.take_files(files);
    }
}

fn has_files(event: &web_sys::Event) -> bool {
    let event = event.unchecked_ref::<web_sys::DragEvent>();
    event.data_transfer().is_some_and(|it| it.types().includes(&"Files".into(), 0))
}

/// A key of the whole page.
fn press(
    app: App,
    event: &web_sys::KeyboardEvent,
    input: NodeRef<html::Input>,
    filter: NodeRef<html::Input>,
    keys: NodeRef<html::Dialog>,
) {
    let target = event.target().and_then(|it| it.dyn_into::<web_sys::Element>().ok());
    let is_within =
        |selector| target.as_ref().is_some_and(|it| it.closest(selector).ok().flatten().is_some());
    let is_command = event.ctrl_key() || event.meta_key() || event.alt_key();
    if event.default_prevented() || is_command || is_within("dialog, [popover]") {
        return;
    }
    let key = event.key();
    let t = app.lang.get_untracked().texts();
    let place = app.place.get_untracked();
    if key == "Escape" {
        if !place.id.is_empty() {
            app.go(place.with_id(""));
        } else if terms::range(&place.filter).is_some() {
            // What was chosen on the chart.
            app.replace(Place { filter: terms::with_range(&place.filter, None), ..place });
        }
        return;
    }
    let is_typing = is_within("input:not([type=radio], [type=checkbox]), textarea, select");
    if is_typing || !app.has_keys.get_untracked() {
        return;
    }
    let is_open = app.phase.get_untracked() == Phase::Done;
    let step = match key.as_str() {
        "?" => return toggle(keys),
        "o" if backend::is_sealed() => return choose(input),
        // The physical keys of a Russian keyboard mean the same.
        "l" | "д" => {
            let other = if app.lang.get_untracked() == Lang::En { Lang::Ru } else { Lang::En };
            return app.set_lang(other);
        }
        "t" | "е" => {
            app.next_theme();
            return;
        }
        _ if !is_open => return,
        "/" => {
            event.prevent_default();
            if let Some(field) = filter.get_untracked() {
                drop(field.focus());
                // Typing goes on where the filter ends.
                let end = field.value().encode_utf16().count() as u32;
                drop(field.set_selection_range(end, end));
            }
            return;
        }
        "j" | "о" | "ArrowDown" => Step::Next,
        "k" | "л" | "ArrowUp" => Step::Previous,
        "g" | "п" | "Home" => Step::First,
        "G" | "П" | "End" => Step::Last,
        "ArrowLeft" => Step::Before,
        "ArrowRight" => Step::After,
        "s" | "ы" => Step::Sort,
        "z" | "я" if place.view == View::Flows => {
            let time = place.time.next();
            app.replace(Place { time, ..place });
            return app.say(format!("{}: {}", t.table.time, t.table.times[time as usize]));
        }
        "Enter" if !is_within("a, button, summary") => Step::Open,
        "f" | "а" => Step::Keep,
        "x" | "ч" => Step::Exclude,
        "h" | "р" => Step::Host,
        "c" | "с" => Step::Copy,
        "w" | "ц" => Step::Save,
        digit => {
            let at = digit.parse::<usize>().ok().and_then(|it| it.checked_sub(1));
            if let Some(view) = at.and_then(|it| RAIL.get(it)).filter(|it| app.has_view(**it)) {
                app.go(place.in_view(*view));
            }
            return;
        }
    };
    let is_list = matches!(place.view, View::Flows | View::Hosts | View::Sessions);
    if is_list && !(is_within("input") && key.starts_with("Arrow")) {
        event.prevent_default();
        app.step(step);
    }
}
