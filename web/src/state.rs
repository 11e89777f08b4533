//! What the whole page knows: settings, the place in the address, the opened capture. Handed to every part as [`App`].

use std::{future::Future, sync::Arc};

use gloo::storage::{LocalStorage as Storage, Storage as _};
use leptos::{prelude::*, task::spawn_local};
use v1::{
    Notice,
    page::{CountrySource, FilterError, Overview, Preview, Query},
};
use wasm_bindgen::JsValue;

use crate::{
    backend::{self, Backend, Event, Progress},
    columns::Usual,
    comparing::Comparing,
    files::Files,
    format,
    i18n::{Lang, Texts},
    message::{Question, fault},
    picking::Picking,
    place::{Place, View},
    reference::Reference,
    terms,
    training::Training,
};

/// How many bars the traffic over time has.
pub const BINS: u32 = 150;

/// How long a word that passes stays at least, in milliseconds, and what a long one takes for each letter.
const TOAST_MILLIS: u32 = 2_600;
const MILLIS_A_LETTER: u32 = 60;

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
pub enum Source {
    /// The user chose it.
    Chosen(web_sys::File),
    /// The user chose these, to be read as one capture.
    Several(Vec<web_sys::File>),
    /// It came with the page.
    Sample,
    /// It is the companion's, which has read it.
    Companion {
        /// The job that did.
        job: u64,
        /// Its file's name.
        name: String,
        /// Its file's length in bytes.
        bytes: u64,
    },
}

impl Source {
    /// Its name and its length in bytes, where that is known.
    pub fn about(&self) -> (String, u64) {
        match self {
            Self::Chosen(file) => (file.name(), file.size() as u64),
            Self::Several(files) => {
                let names: Vec<String> = files.iter().map(web_sys::File::name).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let bytes = files.iter().map(|it| it.size() as u64).sum();
                (engine::name_of_several(&names), bytes)
            }
            Self::Sample => ("sample.pcapng".to_owned(), 0),
            Self::Companion { name, bytes, .. } => (name.clone(), *bytes),
        }
    }

    /// A worker that reads it, or the companion; scripts ask the worker that is `published`.
    ///
    /// # Errors
    /// Where the browser starts no worker, or the page came without its sample.
    pub fn open(
        &self,
        rules: &str,
        is_published: bool,
        on_event: impl Fn(Event) + 'static,
    ) -> Result<Backend, String> {
        let files = match self {
            Self::Chosen(file) => vec![file.clone()],
            Self::Several(files) => files.clone(),
            Self::Sample => vec![backend::sample_file()?],
            Self::Companion { job, .. } => {
                spawn_local(async move { on_event(Event::Done) });
                return Ok(Backend::of_job(*job));
            }
        };
        Backend::open(&files, rules, is_published, on_event)
    }
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
    /// What names it in links; empty until that is known.
    pub mark: String,
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
    /// The cell before.
    Before,
    /// The cell after.
    After,
    /// Sort by the cell's column.
    Sort,
    /// Open the row.
    Open,
    /// Filter by the cell, or by the label of what is open.
    Keep,
    /// Filter it out.
    Exclude,
    /// Open its host.
    Host,
    /// Copy it, or a filter for what is open.
    Copy,
    /// Save its packets.
    Save,
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
    /// What there is of it while it is read.
    pub preview: RwSignal<Option<Preview>>,
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
    /// The mark of the capture the address was made for, where another one is open.
    pub expected: RwSignal<Option<String>>,
    /// Another capture beside the opened one.
    pub comparing: Comparing,
    /// Saving packets.
    pub picking: Picking,
    /// Where addresses are.
    pub countries: Reference<CountrySource>,
    /// A list of makers of network interfaces, and how many prefixes it has.
    pub makers: Reference<u64>,
    /// Files that wait to be opened.
    pub files: Files,
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
            preview: RwSignal::new(None),
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
            expected: RwSignal::new(None),
            comparing: Comparing::new(),
            picking: Picking::new(),
            countries: Reference::new(|| Question::Countries),
            makers: Reference::new(|| Question::Makers),
            files: Files::new(),
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

    fn move_to(self, mut place: Place, is_new: bool) {
        // Whatever leads there, the place is of the capture that is open.
        if place.file.is_empty() {
            place.file = self.mark();
        }
        if self.place.with_untracked(|it| *it == place) {
            return;
        }
        write_address(&place.hash(), is_new);
        self.place.set(place);
    }

    /// Follows the address, when the browser changed it. One that says nothing of columns and times leaves them as they
    /// are: most links are about something else.
    pub fn follow_address(self) {
        let parsed = Place::parse(&address());
        let place = self.place.with_untracked(|it| parsed.clone().looking_as(it));
        if place != parsed {
            write_address(&place.hash(), false);
        }
        if self.place.with_untracked(|it| *it != place) {
            self.expect(&place, &self.mark());
            self.place.set(place);
        }
    }

    /// Passes a key on to the list or detail on show.
    pub fn step(self, step: Step) {
        self.step.update(|it| *it = (it.0 + 1, Some(step)));
    }

    /// Says something for as long as it takes to read.
    pub fn say(self, text: String) {
        self.toast.set(Some(text.clone()));
        let millis = TOAST_MILLIS.max(MILLIS_A_LETTER * text.chars().count() as u32);
        let timeout = gloo::timers::callback::Timeout::new(millis, move || {
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

    /// Opens files the user chose as one capture.
    pub fn open_several(self, files: Vec<web_sys::File>) {
        self.open(Source::Several(files));
    }

    /// Shows a capture of the companion's.
    pub fn open_job(self, job: u64, name: String, bytes: u64) {
        self.read(Source::Companion { job, name, bytes });
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

    /// Where the opened capture is from.
    pub fn source(self) -> Option<Source> {
        self.capture.with_untracked(|it| it.as_ref().map(|it| it.source.clone()))
    }

    /// Whether a dropped capture is one to compare with.
    pub fn is_comparing(self) -> bool {
        let is_open = self.phase.get_untracked() == Phase::Done;
        is_open && self.place.with_untracked(|it| it.view == View::Compare)
    }

    /// Reads a capture, which is the open one from then on.
    pub fn read(self, source: Source) {
        let (name, size) = source.about();
        let turn = self.turn.get_untracked() + 1;
        self.turn.set(turn);
        self.failure.set(None);
        self.overview.set(None);
        self.preview.set(None);
        self.training.applied.set(None);
        self.comparing.end();
        self.picking.reset();
        // Ends the worker before the next one takes memory.
        let was_open = self.capture.with_untracked(Option::is_some);
        self.capture.set(None);
        self.expected.set(None);
        if was_open {
            // The address was of the capture before.
            self.replace(Place { file: String::new(), ..self.place.get_untracked() });
        }
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
        match source.open(&rules, true, on_event) {
            Ok(backend) => {
                self.capture.set(Some(Capture {
                    name,
                    size,
                    mark: String::new(),
                    backend,
                    source,
                }));
                self.phase.set(Phase::Reading { progress, since, now: since, is_stopping: false });
                self.files.is_reading.set(true);
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
            Event::Mark(mark) => self.name(mark),
            Event::Picking(progress) => self.picking.hear(progress),
            Event::Preview(preview) => self.preview.set(Some(*preview)),
            // Another kind of worker learns.
            Event::Learning(..) => {}
            Event::Done => {
                self.files.is_reading.set(false);
                self.begin();
            }
            Event::Failed(notice) => self.fail(name.to_owned(), notice),
        }
    }

    /// The capture has this mark.
    fn name(self, mark: String) {
        let place = self.place.get_untracked();
        self.expect(&place, &mark);
        self.replace(Place { file: mark.clone(), ..place });
        self.capture.update(|it| {
            if let Some(it) = it {
                it.mark = mark;
            }
        });
    }

    /// An address that was made for another capture than the one with this mark is said to be so.
    fn expect(self, place: &Place, mark: &str) {
        let is_other = !place.file.is_empty() && !mark.is_empty() && place.file != mark;
        self.expected.set(is_other.then(|| place.file.clone()));
    }

    /// The mark of the open capture; empty while it is not known.
    fn mark(self) -> String {
        self.capture.with_untracked(|it| it.as_ref().map(|it| it.mark.clone())).unwrap_or_default()
    }

    fn fail(self, name: String, notice: Notice) {
        let was_named = !self.mark().is_empty();
        self.capture.set(None);
        if was_named {
            // The address is not of what failed, but of the capture it was made for, if any.
            let file = self.expected.get_untracked().unwrap_or_default();
            self.replace(Place { file, ..self.place.get_untracked() });
            self.expected.set(None);
        }
        self.phase.set(Phase::Empty);
        self.files.is_reading.set(false);
        self.failure.set(Some((name, notice)));
    }

    /// Says where addresses are, where that is known, and looks.
    fn begin(self) {
        let turn = self.turn.get_untracked();
        let Some(backend) = self.backend() else { return };
        spawn_local(async move {
            self.countries.send(&backend).await;
            self.makers.send(&backend).await;
            if self.turn.get_untracked() == turn {
                self.look();
            }
        });
    }

    /// Takes the first look; the views come with it.
    fn look(self) {
        let turn = self.turn.get_untracked();
        let Some(backend) = self.backend() else { return };
        spawn_local(async move {
            let answer = backend
                .ask::<Overview>(&Query::Overview { bins: BINS, filter: String::new() })
                .await;
            if self.turn.get_untracked() == turn {
                self.overview.set(Some(answer.map(Arc::new)));
                self.phase.set(Phase::Done);
                self.comparing.compare(self);
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

    /// Whether the companion answers, which answers questions and does nothing else for the page.
    pub fn is_at_companion(self) -> bool {
        self.capture.with_untracked(|it| {
            it.as_ref().is_some_and(|it| matches!(it.source, Source::Companion { .. }))
        })
    }

    /// Whether there is such a view of the open capture.
    pub fn has_view(self, view: View) -> bool {
        !self.is_at_companion() || !matches!(view, View::Compare | View::Export | View::Train)
    }

    /// The file the user chose; nothing of the capture that comes with the page.
    pub fn file(self) -> Option<web_sys::File> {
        self.capture.with_untracked(|it| match &it.as_ref()?.source {
            Source::Chosen(file) => Some(file.clone()),
            Source::Several(_) | Source::Sample | Source::Companion { .. } => None,
        })
    }

    /// The files of the user's that are open.
    pub fn open_files(self) -> Vec<web_sys::File> {
        match self.source() {
            Some(Source::Chosen(file)) => vec![file],
            Some(Source::Several(files)) => files,
            Some(Source::Sample | Source::Companion { .. }) | None => Vec::new(),
        }
    }

    /// Whether several files are open as one capture.
    pub fn is_of_several(self) -> bool {
        self.capture
            .with(|it| it.as_ref().is_some_and(|it| matches!(it.source, Source::Several(_))))
    }

    /// Which of the captures opened so far is open, so that what is late of an earlier one is known.
    pub fn turn(self) -> u32 {
        self.turn.get_untracked()
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

    /// Whether hosts with most traffic have addresses of IPv6, which need room.
    pub fn has_long_addresses(self) -> bool {
        self.seen().is_some_and(|it| it.top_hosts.iter().any(|it| it.ip.contains(':')))
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

    /// Copies a link to a place and says so.
    pub fn copy_link(self, place: &Place) {
        let address =
            web_sys::window().and_then(|it| it.location().href().ok()).unwrap_or_default();
        let page = address.split('#').next().unwrap_or_default();
        let said = self.lang.get_untracked().texts().link.copied.to_owned();
        self.copy_saying(format!("{page}{}", place.hash()), said);
    }

    /// Copies to the clipboard and says so.
    pub fn copy(self, text: String) {
        let said = (self.lang.get_untracked().texts().copied)(&text);
        self.copy_saying(text, said);
    }

    /// Copies to the clipboard and says this.
    pub fn copy_saying(self, text: String, said: String) {
        let Some(window) = web_sys::window() else { return };
        let promise = window.navigator().clipboard().write_text(&text);
        spawn_local(async move {
            if wasm_bindgen_futures::JsFuture::from(promise).await.is_ok() {
                self.say(said);
            }
        });
    }

    /// What a file made of the open capture is called: `office_flows_2018-07-01.csv`.
    pub fn file_name_of(self, what: &str, extension: &str) -> String {
        let name = self.capture.with_untracked(|it| it.as_ref().map(|it| it.name.clone()));
        let start = untrack(|| self.capture_start_ns());
        format::file_name(&name.unwrap_or_default(), what, start, extension)
    }

    /// The filter of the page, as it narrows lists; those who ask anew by it do so only where it is another one.
    pub fn filter(self) -> Memo<String> {
        Memo::new(move |_| self.place.with(|it| it.filter.trim().to_owned()))
    }

    /// What the columns of the flow table depend on, with a flow open beside it or not.
    pub fn usual_columns(self, is_beside: bool) -> Usual {
        let has_guesses = self.training.applied.with(Option::is_some);
        Usual { is_beside, has_guesses }
    }

    /// The flows of those on show that this filter finds.
    pub fn flows_within(self, filter: &str) -> Place {
        Place::flows(self.place.with_untracked(|it| terms::both(&it.filter, filter)))
    }

    /// A host, or a session, that a list is left for: its filter stays.
    pub fn opened(self, view: View, id: impl Into<String>) -> Place {
        self.place.with_untracked(|it| it.in_view(view).with_id(id))
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

/// Writes the address's part from `#` on; with a way back to the one before where it is new.
fn write_address(hash: &str, is_new: bool) {
    let Some(history) = web_sys::window().and_then(|it| it.history().ok()) else { return };
    // Refused only when asked for far too often; the place then changes without the address.
    let _ = if is_new {
        history.push_state_with_url(&JsValue::NULL, "", Some(hash))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(hash))
    };
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
