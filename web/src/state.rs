//! What the whole page knows: settings, the place in the address, the opened capture. Handed to every part as [`App`].

use std::{future::Future, sync::Arc};

use gloo::storage::{LocalStorage as Storage, Storage as _};
use leptos::{prelude::*, task::spawn_local};
use v1::{
    Notice,
    page::{FilterError, Overview, Query},
};
use wasm_bindgen::JsValue;

use crate::{
    backend::{Backend, Event, Progress},
    format,
    i18n::{Lang, Texts},
    message::fault,
    place::{Place, View},
    training::Training,
};

/// How many bars the traffic over time has.
pub const BINS: u32 = 150;

/// The page's colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// The themes, in the order a button goes through them.
pub const THEMES: [(Theme, &str); 3] =
    [(Theme::System, ""), (Theme::Light, "light"), (Theme::Dark, "dark")];

/// How far the opened capture is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// None is open.
    Empty,
    /// It is being read, since a time in milliseconds of the page's clock.
    Reading {
        /// How far it is.
        progress: Progress,
        /// When reading began.
        since: f64,
        /// What it takes until now.
        now: f64,
        /// The user wants it to stop.
        is_stopping: bool,
    },
    /// It can be asked.
    Done,
}

/// Where an opened capture is from, so that it can be read again.
#[derive(Clone)]
enum Source {
    /// The user chose it.
    Chosen(web_sys::File),
    /// It came with the page.
    Sample,
}

/// Rules of the user's, kept in memory alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRules {
    /// The file, which was checked.
    pub text: String,
    /// How many rules it has.
    pub n: u64,
}

/// An opened capture.
#[derive(Clone)]
pub struct Capture {
    /// Its file's name.
    pub name: String,
    /// Its file's length in bytes.
    pub size: u64,
    /// Who answers about it.
    pub backend: Backend,
    source: Source,
}

/// What a key asks of the list or the detail on show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next row.
    Next,
    /// The row before.
    Previous,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// Open the row.
    Open,
    /// Filter by the label of what is open.
    Keep,
    /// Filter it out.
    Exclude,
    /// Open its server as a host.
    Host,
    /// Copy a filter for it.
    Copy,
}

/// An answer: not there yet, there, or the reason why not.
pub type Answer<T> = RwSignal<Option<Result<T, String>>>;

/// What the whole page knows.
#[derive(Clone, Copy)]
pub struct App {
    /// The language.
    pub lang: RwSignal<Lang>,
    /// The colours.
    pub theme: RwSignal<Theme>,
    /// Whether single letters are keys.
    pub has_keys: RwSignal<bool>,
    /// Where one is.
    pub place: RwSignal<Place>,
    /// The opened capture.
    pub capture: RwSignal<Option<Capture>, LocalStorage>,
    /// How far it is.
    pub phase: RwSignal<Phase>,
    /// The first look at it.
    pub overview: Answer<Arc<Overview>>,
    /// A file that could not be opened, and why.
    pub failure: RwSignal<Option<(String, Notice)>>,
    /// Why the filter cannot be understood.
    pub filter_error: RwSignal<Option<FilterError>>,
    /// The last filters, the newest first. They may hold addresses, and are kept here alone.
    pub past_filters: RwSignal<Vec<String>>,
    /// A word that passes.
    pub toast: RwSignal<Option<String>>,
    /// The user's rules, by which captures are read.
    pub own_rules: RwSignal<Option<OwnRules>>,
    /// Why the last file of rules was refused.
    pub rules_error: RwSignal<Option<String>>,
    /// Counts what the user decided of sessions; what shows sessions asks again.
    pub decided: RwSignal<u32>,
    /// The last key for the list on show, numbered.
    pub step: RwSignal<(u32, Option<Step>)>,
    /// Learning.
    pub training: Training,
    /// Counts opened captures, so that a late word of an earlier one is not heard.
    turn: RwSignal<u32>,
}

/// The page's knowledge, of the part that asks.
pub fn app() -> App {
    expect_context()
}

/// The words of the language in use. Every part is made anew when the language changes, so nothing has to follow it.
pub fn texts() -> (&'static Texts, Lang) {
    let lang = app().lang.get_untracked();
    (lang.texts(), lang)
}

impl App {
    /// With the settings remembered, else the browser's.
    pub fn new() -> Self {
        let stored = |key| Storage::get::<String>(key).unwrap_or_default();
        let lang = Lang::from_tag(&stored("tractor.lang")).or_else(browser_lang);
        let theme = stored("tractor.theme");
        let theme = THEMES.iter().find(|it| it.1 == theme).map(|it| it.0);
        Self {
            lang: RwSignal::new(lang.unwrap_or_default()),
            theme: RwSignal::new(theme.unwrap_or_default()),
            has_keys: RwSignal::new(stored("tractor.keys") != "off"),
            place: RwSignal::new(Place::parse(&address())),
            capture: RwSignal::new_local(None),
            phase: RwSignal::new(Phase::Empty),
            overview: RwSignal::new(None),
            own_rules: RwSignal::new(None),
            rules_error: RwSignal::new(None),
            decided: RwSignal::new(0),
            failure: RwSignal::new(None),
            filter_error: RwSignal::new(None),
            past_filters: RwSignal::new(Vec::new()),
            toast: RwSignal::new(None),
            step: RwSignal::new((0, None)),
            training: Training::new(),
            turn: RwSignal::new(0),
        }
    }

    /// Speaks another language from now on.
    pub fn set_lang(self, lang: Lang) {
        remember("tractor.lang", lang.tag());
        self.lang.set(lang);
    }

    /// Goes to the theme after this one.
    pub fn next_theme(self) -> Theme {
        let at = THEMES.iter().position(|it| it.0 == self.theme.get_untracked()).unwrap_or(0);
        let (theme, name) = THEMES[(at + 1) % THEMES.len()];
        remember("tractor.theme", name);
        self.theme.set(theme);
        theme
    }

    /// Switches single-letter keys on or off.
    pub fn set_keys(self, is_on: bool) {
        remember("tractor.keys", if is_on { "on" } else { "off" });
        self.has_keys.set(is_on);
    }

    /// Goes to a place; the browser's Back returns.
    pub fn go(self, place: Place) {
        self.move_to(place, true);
    }

    /// Goes to a place without a way back to this one: for what changes with every key.
    pub fn replace(self, place: Place) {
        self.move_to(place, false);
    }

    fn move_to(self, place: Place, is_new: bool) {
        if self.place.with_untracked(|it| *it == place) {
            return;
        }
        let hash = place.hash();
        if let Some(history) = web_sys::window().and_then(|it| it.history().ok()) {
            // Refused only when asked for far too often; the place then changes without the address.
            let _ = if is_new {
                history.push_state_with_url(&JsValue::NULL, "", Some(&hash))
            } else {
                history.replace_state_with_url(&JsValue::NULL, "", Some(&hash))
            };
        }
        self.place.set(place);
    }

    /// Follows the address, when the browser changed it.
    pub fn follow_address(self) {
        let place = Place::parse(&address());
        if self.place.with_untracked(|it| *it != place) {
            self.place.set(place);
        }
    }

    /// Passes a key on to the list or detail on show.
    pub fn step(self, step: Step) {
        self.step.update(|it| *it = (it.0 + 1, Some(step)));
    }

    /// Says something for a moment.
    pub fn say(self, text: String) {
        self.toast.set(Some(text.clone()));
        let timeout = gloo::timers::callback::Timeout::new(2_600, move || {
            if self.toast.with_untracked(|it| it.as_ref() == Some(&text)) {
                self.toast.set(None);
            }
        });
        timeout.forget();
    }

    /// Opens a file the user chose.
    pub fn open_file(self, file: web_sys::File) {
        self.open(Source::Chosen(file));
    }

    /// Opens the capture that comes with the page.
    pub fn open_sample(self) {
        self.open(Source::Sample);
    }

    fn open(self, source: Source) {
        let is_training = self.place.with_untracked(|it| it.view == View::Train);
        if is_training || self.capture.with_untracked(Option::is_some) {
            self.go(Place::default());
        }
        self.read(source);
    }

    /// Reads captures by these rules of the user's from now on, once the worker found nothing wrong with them; the open
    /// one is read again.
    pub fn load_rules(self, text: String) {
        let Some(backend) = self.backend() else { return };
        spawn_local(async move {
            match backend.check_rules(text.clone()).await {
                Ok(n) => self.set_rules(Some(OwnRules { text, n })),
                Err(error) => self.rules_error.set(Some(error)),
            }
        });
    }

    /// Reads captures without rules of the user's from now on; the open one is read again.
    pub fn drop_rules(self) {
        self.set_rules(None);
    }

    fn set_rules(self, rules: Option<OwnRules>) {
        self.rules_error.set(None);
        self.own_rules.set(rules);
        if let Some(source) =
            self.capture.with_untracked(|it| it.as_ref().map(|it| it.source.clone()))
        {
            self.read(source);
        }
    }

    fn read(self, source: Source) {
        let (name, size) = match &source {
            Source::Chosen(file) => (file.name(), file.size() as u64),
            Source::Sample => ("sample.pcapng".to_owned(), 0),
        };
        let turn = self.turn.get_untracked() + 1;
        self.turn.set(turn);
        self.failure.set(None);
        self.overview.set(None);
        self.training.applied.set(None);
        // Ends the worker before the next one takes memory.
        self.capture.set(None);
        let since = now_millis();
        let progress = Progress { total: size, ..Progress::default() };
        let of_name = name.clone();
        let on_event = move |event| {
            if self.turn.get_untracked() == turn {
                self.hear(event, &of_name);
            }
        };
        let rules = self.own_rules.with_untracked(|it| it.as_ref().map(|it| it.text.clone()));
        let rules = rules.unwrap_or_default();
        let backend = match &source {
            Source::Chosen(file) => Backend::open(file.clone(), &rules, on_event),
            Source::Sample => Backend::open_sample(&rules, on_event),
        };
        match backend {
            Ok(backend) => {
                self.capture.set(Some(Capture { name, size, backend, source }));
                self.phase.set(Phase::Reading { progress, since, now: since, is_stopping: false });
            }
            Err(error) => self.fail(name, fault(&error)),
        }
    }

    fn hear(self, event: Event, name: &str) {
        match event {
            Event::Progress(new) => {
                self.phase.update(|phase| {
                    if let Phase::Reading { progress, now, .. } = phase {
                        (*progress, *now) = (new, now_millis());
                    }
                });
                self.capture.update(|capture| {
                    if let Some(capture) = capture.as_mut().filter(|it| it.size == 0) {
                        capture.size = new.total;
                    }
                });
            }
            // Another kind of worker learns.
            Event::Learning(..) => {}
            Event::Done => self.look(),
            Event::Failed(notice) => self.fail(name.to_owned(), notice),
        }
    }

    fn fail(self, name: String, notice: Notice) {
        self.capture.set(None);
        self.phase.set(Phase::Empty);
        self.failure.set(Some((name, notice)));
    }

    /// Takes the first look; the views come with it.
    fn look(self) {
        let turn = self.turn.get_untracked();
        let Some(backend) = self.backend() else { return };
        spawn_local(async move {
            let answer = backend.ask::<Overview>(&Query::Overview { bins: BINS }).await;
            if self.turn.get_untracked() == turn {
                self.overview.set(Some(answer.map(Arc::new)));
                self.phase.set(Phase::Done);
            }
        });
    }

    /// Says that sessions were decided upon; their number in the first look is another then.
    pub fn decide(self) {
        self.decided.update(|it| *it += 1);
        self.look();
    }

    /// Ends the reading; what was read stays.
    pub fn stop(self) {
        self.phase.update(|phase| {
            if let Phase::Reading { is_stopping, .. } = phase {
                *is_stopping = true;
            }
        });
        if let Some(backend) = self.backend() {
            backend.stop();
        }
    }

    /// Who answers about the opened capture.
    pub fn backend(self) -> Option<Backend> {
        self.capture.with_untracked(|it| it.as_ref().map(|it| it.backend.clone()))
    }

    /// When the capture began, in nanoseconds since 1970 UTC; 0 until that is known.
    pub fn capture_start_ns(self) -> u64 {
        self.overview.with(|it| match it {
            Some(Ok(overview)) => overview.time_start_ns,
            _ => 0,
        })
    }

    /// Whether the capture goes on past midnight (UTC), so that a time alone does not tell the moment.
    pub fn has_days(self) -> bool {
        self.seen().is_some_and(|it| format::date(it.time_start_ns) != format::date(it.time_end_ns))
    }

    /// The first look, once it is there.
    pub fn seen(self) -> Option<Arc<Overview>> {
        self.overview.get().and_then(Result::ok)
    }

    /// Asks again whenever the question changes. While an answer is on its way the last one stays.
    pub fn ask<T>(self, query: impl Fn() -> Option<Query> + 'static) -> Answer<T>
    where
        T: serde::de::DeserializeOwned + Send + Sync + 'static,
    {
        asking(move || {
            let query = query()?;
            let backend = self.backend()?;
            Some(async move { backend.ask::<T>(&query).await })
        })
    }

    /// Copies to the clipboard and says so.
    pub fn copy(self, text: String) {
        let Some(window) = web_sys::window() else { return };
        let (texts, _) = (self.lang.get_untracked().texts(), ());
        let promise = window.navigator().clipboard().write_text(&text);
        spawn_local(async move {
            if wasm_bindgen_futures::JsFuture::from(promise).await.is_ok() {
                self.say((texts.copied)(&text));
            }
        });
    }

    /// The place of a view, with the filter kept.
    pub fn view(self, view: View) -> Place {
        self.place.with(|it| it.in_view(view))
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}

/// Asks again whenever what the question reads changes; only the last question's answer counts.
pub fn asking<T, F>(question: impl Fn() -> Option<F> + 'static) -> Answer<T>
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<T, String>> + 'static,
{
    let answer = RwSignal::new(None);
    let last = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let Some(future) = question() else {
            answer.set(None);
            return;
        };
        last.update_value(|it| *it += 1);
        let turn = last.get_value();
        spawn_local(async move {
            let got = future.await;
            // The part may be gone by now, and its signals with it.
            if last.try_get_value() == Some(turn) {
                answer.try_set(Some(got));
            }
        });
    });
    answer
}

/// Milliseconds of the page's clock; for speed alone.
pub fn now_millis() -> f64 {
    web_sys::window().and_then(|it| it.performance()).map_or(0.0, |it| it.now())
}

/// The address's part from `#` on.
pub fn address() -> String {
    web_sys::window().and_then(|it| it.location().hash().ok()).unwrap_or_default()
}

fn browser_lang() -> Option<Lang> {
    let tags = web_sys::window()?.navigator().languages();
    tags.iter().find_map(|it| Lang::from_tag(&it.as_string()?))
}

fn remember(key: &str, value: &str) {
    // A browser that keeps nothing still shows the page.
    drop(Storage::set(key, value));
}
