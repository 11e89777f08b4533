//! What the page knows of learning: the files that are learned from, how, what came of it, and the models there are.
//!
//! A worker of its own reads and learns. It starts with the first file and anew where what is read of files changes; models
//! are kept here as files, so that they outlive it.

use js_sys::{ArrayBuffer, Uint8Array};
use leptos::{prelude::*, task::spawn_local};
use v1::{
    Notice,
    page::{
        Figures, ModelApplied, ModelCard, SchemaRow, TrainingChoices, TrainingData, TrainingLabels,
        TrainingPart, TrainingPlan, TrainingProgress, TrainingReport,
    },
};
use wasm_bindgen::JsValue;
use web_sys::File;

use crate::{
    backend::{Backend, Event},
    format,
    message::{Reading, Study, Taught},
    state::App,
};

/// A file that is learned from.
#[derive(Clone)]
pub struct Part {
    /// What it is called here; each once.
    pub name: String,
    /// Which labels its flows have.
    pub labels: TrainingLabels,
    /// How far it is.
    pub state: PartState,
    /// All of it could be read, as far as that is known.
    pub is_complete: bool,
    /// The user chose the labels, so nothing else does.
    is_chosen: bool,
    file: File,
}

/// How far a file is.
#[derive(Clone, Debug, PartialEq)]
pub enum PartState {
    /// It will be read.
    Waiting,
    /// It is being read; bytes read, of so many.
    Reading(u64, u64),
    /// It was read.
    Read(TrainingPart),
    /// It cannot be read.
    Unreadable(Notice),
    /// It cannot be used, and why.
    Failed(String),
}

/// Below which confidence, in percent, a model's word does not count unless one says otherwise.
pub const USUAL_THRESHOLD: u8 = 50;

/// A model, as the file it is saved as.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// What is to be known of it.
    pub card: ModelCard,
    /// The file.
    pub bytes: Vec<u8>,
    /// Below which confidence, in percent, its word does not count unless one says otherwise.
    pub threshold: u8,
}

/// How well something does on the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Scored {
    /// The model's name.
    pub name: String,
    /// Of which answer of the worker it is; only the last one's cells can be opened.
    pub turn: u32,
    /// How well.
    pub report: TrainingReport,
}

/// Learning under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Running {
    /// How far.
    pub progress: TrainingProgress,
    /// Of what was judged so far, how many rows and the share called right.
    pub judged: Option<(u64, f64)>,
    /// The user wants it to stop.
    pub is_stopping: bool,
}

/// A model whose guesses the open capture has.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Which of the models.
    pub model: usize,
    /// Below how many percent a flow stays unknown.
    pub threshold: u8,
    /// What became of the flows.
    pub told: ModelApplied,
}

/// All of it.
#[derive(Clone, Copy)]
pub struct Training {
    /// The files.
    pub parts: RwSignal<Vec<Part>, LocalStorage>,
    /// The one removed last, and where it was.
    pub removed: RwSignal<Option<(usize, Part)>, LocalStorage>,
    /// What is read of them.
    pub reading: RwSignal<Reading>,
    /// What is learned from.
    pub data: RwSignal<Option<TrainingData>>,
    /// What can be chosen.
    pub choices: RwSignal<Option<(TrainingChoices, Vec<SchemaRow>)>>,
    /// How it is learned.
    pub plan: RwSignal<TrainingPlan>,
    /// How far learning is.
    pub running: RwSignal<Option<Running>>,
    /// What came of it, the newest last.
    pub scored: RwSignal<Vec<Scored>>,
    /// The models there are.
    pub models: RwSignal<Vec<Known>>,
    /// The one whose guesses the open capture has.
    pub applied: RwSignal<Option<Applied>>,
    /// What did not work: what, and why.
    pub failure: RwSignal<Option<(String, String)>>,
    learner: RwSignal<Option<Backend>, LocalStorage>,
    /// Counts workers, so that a late word of an earlier one is not heard.
    turn: RwSignal<u32>,
    /// Counts results.
    n_scored: RwSignal<u32>,
}

/// Results kept to be compared.
const MAX_SCORED: usize = 12;

impl Training {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            parts: RwSignal::new_local(Vec::new()),
            removed: RwSignal::new_local(None),
            reading: RwSignal::new(Reading {
                schema: "tractor".to_owned(),
                timeout: "none".to_owned(),
                filter: String::new(),
            }),
            data: RwSignal::new(None),
            choices: RwSignal::new(None),
            plan: RwSignal::new(TrainingPlan::default()),
            running: RwSignal::new(None),
            scored: RwSignal::new(Vec::new()),
            models: RwSignal::new(Vec::new()),
            applied: RwSignal::new(None),
            failure: RwSignal::new(None),
            learner: RwSignal::new_local(None),
            turn: RwSignal::new(0),
            n_scored: RwSignal::new(0),
        }
    }

    /// The worker that learns, which starts where there is none.
    pub fn learner(self) -> Option<Backend> {
        if let Some(learner) = self.learner.get_untracked() {
            return Some(learner);
        }
        let turn = self.turn.get_untracked() + 1;
        self.turn.set(turn);
        let on_event = move |event| {
            if self.turn.get_untracked() == turn {
                self.hear(event);
            }
        };
        match Backend::learn(self.reading.get_untracked(), on_event) {
            Ok(learner) => {
                self.learner.set(Some(learner.clone()));
                Some(learner)
            }
            Err(error) => {
                self.fail(String::new(), error);
                None
            }
        }
    }

    fn fail(self, what: String, why: String) {
        self.failure.set(Some((what, why)));
    }

    fn hear(self, event: Event) {
        match event {
            Event::Progress(progress) => self.parts.update(|parts| {
                let is_read = |it: &&mut Part| matches!(it.state, PartState::Reading(..));
                if let Some(part) = parts.iter_mut().find(is_read) {
                    part.state = PartState::Reading(progress.bytes, progress.total);
                }
            }),
            Event::Learning(progress, judged) => self.running.update(|running| {
                if let Some(running) = running {
                    running.progress = progress;
                    running.judged = judged.or(running.judged);
                }
            }),
            Event::Done | Event::Mark(_) | Event::Picking(_) | Event::Preview(_) => {}
            Event::Failed(notice) => {
                // A worker that ended is replaced by the next question.
                self.learner.set(None);
                self.running.set(None);
                self.fail(String::new(), notice.to_string());
            }
        }
    }

    /// Asks what can be chosen, once.
    pub fn look(self) {
        let Some(learner) = self.learner().filter(|_| self.choices.with_untracked(Option::is_none))
        else {
            return;
        };
        spawn_local(async move {
            match learner.study(Study::Choices, &JsValue::UNDEFINED).await {
                Ok(choices) => self.choices.set(Some(choices)),
                Err(error) => self.fail(String::new(), error),
            }
        });
    }

    /// Learns from these files too.
    pub fn add_files(self, files: Vec<File>) {
        self.parts.update(|parts| {
            for file in files {
                let name = unique(&file.name(), |name| parts.iter().any(|it| it.name == name));
                let labels = TrainingLabels::Given(format::class_of_file(&name));
                let state = PartState::Waiting;
                parts.push(Part { name, labels, state, is_complete: true, is_chosen: false, file });
            }
        });
        self.read_next();
    }

    /// Reads the next file that waits, unless one is being read, or something is learned from those there are.
    fn read_next(self) {
        let is_busy = self.running.with_untracked(Option::is_some)
            || self.parts.with_untracked(|parts| {
                parts.iter().any(|it| matches!(it.state, PartState::Reading(..)))
            });
        let next = self.parts.with_untracked(|parts| {
            parts.iter().find(|it| it.state == PartState::Waiting).cloned()
        });
        let (Some(part), Some(learner), false) = (next, self.learner(), is_busy) else { return };
        let size = part.file.size() as u64;
        self.set_state(&part.name, PartState::Reading(0, size));
        let turn = self.turn.get_untracked();
        spawn_local(async move {
            let Part { name, labels, is_chosen, file, .. } = part;
            let study = Study::Add { name: name.clone(), labels: labels.clone(), is_chosen };
            let answer = learner.study::<Result<Taught, Notice>>(study, &file).await;
            // Of an earlier worker, or of a file removed meanwhile.
            if self.turn.get_untracked() != turn {
                return;
            }
            match answer {
                Ok(Ok(taught)) => self.taught(&name, &labels, taught),
                Ok(Err(notice)) => self.set_state(&name, PartState::Unreadable(notice)),
                Err(error) => self.set_state(&name, PartState::Failed(error)),
            }
            self.read_next();
        });
    }

    /// A file was read with these labels; meanwhile it may have got others, or be gone.
    fn taught(self, name: &str, asked: &TrainingLabels, taught: Taught) {
        let now = self.parts.with_untracked(|parts| {
            parts.iter().find(|it| it.name == name).map(|it| it.labels.clone())
        });
        let Some(now) = now else { return self.forget(name.to_owned()) };
        self.parts.update(|parts| {
            if let Some(part) = parts.iter_mut().find(|it| it.name == name) {
                part.is_complete = taught.is_complete;
            }
        });
        self.take(taught.data);
        if now != *asked {
            self.set_labels(name, asked.clone());
            self.relabel(name, now);
        } else {
            self.set_labels(name, taught.labels);
        }
    }

    fn set_labels(self, name: &str, labels: TrainingLabels) {
        self.parts.update(|parts| {
            if let Some(part) = parts.iter_mut().find(|it| it.name == name) {
                part.labels = labels;
            }
        });
    }

    fn set_state(self, name: &str, state: PartState) {
        self.parts.update(|parts| {
            if let Some(part) = parts.iter_mut().find(|it| it.name == name) {
                part.state = state;
            }
        });
    }

    /// Takes what the worker learns from now.
    fn take(self, data: TrainingData) {
        self.parts.update(|parts| {
            for told in &data.parts {
                if let Some(part) = parts.iter_mut().find(|it| it.name == told.name) {
                    part.state = PartState::Read(told.clone());
                }
            }
        });
        self.data.set(Some(data));
    }

    /// Gives the flows of a file other labels. One class for all needs no reading where there was one before.
    pub fn relabel(self, name: &str, labels: TrainingLabels) {
        let mut is_read = false;
        let mut class = None;
        self.parts.update(|parts| {
            let Some(part) = parts.iter_mut().find(|it| it.name == name) else { return };
            is_read = matches!(part.state, PartState::Read(_));
            if let (TrainingLabels::Given(_), TrainingLabels::Given(it)) = (&part.labels, &labels) {
                class = Some(it.clone());
            } else if is_read {
                part.state = PartState::Waiting;
            }
            (part.labels, part.is_chosen) = (labels, true);
        });
        match class {
            Some(class) => self.change(Study::Relabel { name: name.to_owned(), class }, is_read),
            None => self.read_next(),
        }
    }

    /// Forgets a file; it can be had back.
    pub fn remove(self, name: &str) {
        let at = self.parts.with_untracked(|it| it.iter().position(|it| it.name == name));
        let Some(at) = at else { return };
        let mut removed = None;
        self.parts.update(|it| removed = Some(it.remove(at)));
        let state = removed.as_ref().map(|it| it.state.clone());
        self.removed.set(removed.map(|it| (at, it)));
        match state {
            Some(PartState::Read(_)) => self.forget(name.to_owned()),
            // It is not read on; that it was stopped is told to nobody.
            Some(PartState::Reading(..)) => {
                if let Some(learner) = self.learner.get_untracked() {
                    learner.stop();
                }
            }
            _ => {}
        }
    }

    fn forget(self, name: String) {
        self.change(Study::Remove { name }, true);
    }

    /// Takes the file back that was removed last.
    pub fn restore(self) {
        let Some((at, mut part)) = self.removed.get_untracked() else { return };
        self.removed.set(None);
        part.state = PartState::Waiting;
        self.parts.update(|it| {
            part.name = unique(&part.name, |name| it.iter().any(|it| it.name == name));
            it.insert(at.min(it.len()), part);
        });
        self.read_next();
    }

    /// Asks for a change of the data.
    fn change(self, study: Study, is_wanted: bool) {
        let Some(learner) = self.learner().filter(|_| is_wanted) else { return };
        let turn = self.turn.get_untracked();
        spawn_local(async move {
            let answer = learner.study::<TrainingData>(study, &JsValue::UNDEFINED).await;
            if self.turn.get_untracked() != turn {
                return;
            }
            match answer {
                Ok(data) => self.take(data),
                Err(error) => self.fail(String::new(), error),
            }
        });
    }

    /// Reads other things of the files: all are read again, by a worker of their own.
    pub fn read_by(self, reading: Reading) {
        if self.reading.with_untracked(|it| *it == reading) {
            return;
        }
        self.reading.set(reading);
        self.learner.set(None);
        self.running.set(None);
        self.data.set(None);
        // Their cells cannot be opened any more, and they are of other rows.
        self.scored.set(Vec::new());
        self.parts.update(|it| it.iter_mut().for_each(|it| it.state = PartState::Waiting));
        // Late words of the worker before are not heard.
        self.turn.update(|it| *it += 1);
        self.read_next();
    }

    /// Learns.
    pub fn start(self) {
        let Some(learner) = self.learner() else { return };
        self.failure.set(None);
        self.running.set(Some(Running::default()));
        let turn = self.turn.get_untracked();
        let plan = self.plan.get_untracked();
        spawn_local(async move {
            let name = plan.name.clone();
            let answer = learner
                .study::<Option<TrainingReport>>(Study::Train(plan), &JsValue::UNDEFINED)
                .await;
            if self.turn.get_untracked() != turn {
                return;
            }
            self.running.set(None);
            match answer {
                // Stopped before anything was judged.
                Ok(None) => {}
                Ok(Some(report)) => {
                    let is_stopped = report.is_stopped;
                    self.score(name, report);
                    if !is_stopped {
                        self.keep_model(&learner).await;
                    }
                }
                Err(error) => self.fail(String::new(), error),
            }
            // What was added meanwhile.
            self.read_next();
        });
    }

    /// Ends learning; what was judged stays.
    pub fn stop(self) {
        self.running.update(|it| {
            if let Some(running) = it {
                running.is_stopping = true;
            }
        });
        if let Some(learner) = self.learner.get_untracked() {
            learner.stop();
        }
    }

    fn score(self, name: String, report: TrainingReport) {
        self.n_scored.update(|it| *it += 1);
        let turn = self.n_scored.get_untracked();
        self.scored.update(|it| {
            it.push(Scored { name, turn, report });
            if it.len() > MAX_SCORED {
                it.remove(0);
            }
        });
    }

    /// Keeps the model learned last. One that was stopped before its end is none.
    async fn keep_model(self, learner: &Backend) {
        let Ok(bytes) = learner.model().await else { return };
        if let Err(error) = self.keep(learner, bytes, USUAL_THRESHOLD).await {
            self.fail(String::new(), error);
        }
    }

    async fn keep(
        self,
        learner: &Backend,
        bytes: Vec<u8>,
        threshold: u8,
    ) -> Result<ModelCard, String> {
        let payload = Uint8Array::from(&*bytes).buffer();
        let card: ModelCard = learner.study(Study::Card, &payload).await?;
        self.models.update(|it| it.push(Known { card: card.clone(), bytes, threshold }));
        Ok(card)
    }

    /// Loads a model from a file.
    pub fn load(self, app: App, file: File) {
        let Some(learner) = self.learner() else { return };
        let t = &app.lang.get_untracked().texts().train;
        self.failure.set(None);
        spawn_local(async move {
            let name = file.name();
            let loaded = match wasm_bindgen_futures::JsFuture::from(file.array_buffer()).await {
                Ok(buffer) => {
                    let bytes = Uint8Array::new(&ArrayBuffer::from(buffer)).to_vec();
                    self.keep(&learner, bytes, USUAL_THRESHOLD).await
                }
                Err(error) => Err(crate::message::describe(&error)),
            };
            match loaded {
                Ok(_) => app.say((t.loaded)(&name)),
                Err(error) => self.fail((t.not_loaded)(&name), error),
            }
        });
    }

    /// Loads the model that comes with the program.
    pub fn load_own(self) {
        let Some(learner) = self.learner() else { return };
        self.failure.set(None);
        spawn_local(async move {
            let loaded = match learner.own_model().await {
                Ok(bytes) => {
                    let threshold = (learn::DEFAULT_THRESHOLD * 100.0) as u8;
                    self.keep(&learner, bytes, threshold).await.map(drop)
                }
                Err(error) => Err(error),
            };
            if let Err(error) = loaded {
                self.fail(String::new(), error);
            }
        });
    }

    /// Judges a model by all rows of the data.
    pub fn judge(self, model: usize) {
        let known = self.models.with_untracked(|it| it.get(model).cloned());
        let (Some(known), Some(learner)) = (known, self.learner()) else { return };
        self.failure.set(None);
        let turn = self.turn.get_untracked();
        spawn_local(async move {
            let payload = Uint8Array::from(&*known.bytes).buffer();
            let answer = learner.study::<TrainingReport>(Study::Judge, &payload).await;
            if self.turn.get_untracked() != turn {
                return;
            }
            match answer {
                Ok(report) => self.score(known.card.name, report),
                Err(error) => self.fail(known.card.name, error),
            }
        });
    }

    /// Takes a model from the list.
    pub fn drop_model(self, app: App, model: usize) {
        if self.applied.with_untracked(|it| it.as_ref().is_some_and(|it| it.model == model)) {
            self.take_back(app);
        }
        self.applied.update(|it| {
            if let Some(applied) = it.as_mut().filter(|it| it.model > model) {
                applied.model -= 1;
            }
        });
        self.models.update(|it| {
            if model < it.len() {
                it.remove(model);
            }
        });
    }

    /// Lets a model guess in the open capture; below so many percent a flow stays unknown.
    pub fn apply(self, app: App, model: usize, threshold: u8) {
        let known = self.models.with_untracked(|it| it.get(model).cloned());
        let (Some(known), Some(backend)) = (known, app.backend()) else { return };
        self.failure.set(None);
        spawn_local(async move {
            match backend.apply(&known.bytes, threshold).await {
                Ok(told) => {
                    self.applied.set(Some(Applied { model, threshold, told }));
                    app.decide();
                }
                Err(error) => self.fail(known.card.name, error),
            }
        });
    }

    /// Takes the guesses back.
    pub fn take_back(self, app: App) {
        self.applied.set(None);
        let Some(backend) = app.backend() else { return };
        spawn_local(async move {
            match backend.take_back().await {
                Ok(()) => app.decide(),
                Err(error) => self.fail(String::new(), error),
            }
        });
    }
}

impl Default for Training {
    fn default() -> Self {
        Self::new()
    }
}

/// The name, or one with a number where it is taken.
fn unique(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = |it: u32| if it == 1 { name.to_owned() } else { format!("{name} ({it})") };
    (1..).map(numbered).find(|it| !is_taken(it)).unwrap_or_default()
}

/// A cell that two results count differently: what it is, what was said, how many in each.
pub type Changed = (usize, usize, u64, u64);

/// The cells that differ, those that differ most first; `None` where the results have other classes.
pub fn changed(one: &Figures, other: &Figures) -> Option<Vec<Changed>> {
    let names = |it: &Figures| it.classes.iter().map(|it| it.label.clone()).collect::<Vec<_>>();
    if names(one) != names(other) {
        return None;
    }
    let mut changed: Vec<Changed> = Vec::new();
    for (is, (a, b)) in one.confusion.iter().zip(&other.confusion).enumerate() {
        let cells = a.iter().zip(b).enumerate().filter(|it| it.1.0 != it.1.1);
        changed.extend(cells.map(|(said, (a, b))| (is, said, *a, *b)));
    }
    changed.sort_by_key(|it| std::cmp::Reverse(it.2.abs_diff(it.3)));
    Some(changed)
}

#[cfg(test)]
mod tests {
    use v1::page::ScoreRow;

    use super::*;

    #[test]
    fn a_name_is_numbered_where_it_is_taken() {
        let taken = ["a.pcap", "a.pcap (2)"];
        let check = |name, expected| assert_eq!(unique(name, |it| taken.contains(&it)), expected);
        check("b.pcap", "b.pcap");
        check("a.pcap", "a.pcap (3)");
    }

    #[test]
    fn cells_that_changed_most_come_first() {
        let row = |label: &str| ScoreRow { label: label.to_owned(), ..ScoreRow::default() };
        let figures = |confusion: [[u64; 3]; 2]| Figures {
            classes: vec![row("a"), row("b")],
            confusion: confusion.iter().map(|it| it.to_vec()).collect(),
            ..Figures::default()
        };
        let (one, other) = (figures([[5, 1, 0], [0, 9, 0]]), figures([[4, 2, 0], [4, 5, 0]]));
        let expected = vec![(1, 0, 0, 4), (1, 1, 9, 5), (0, 0, 5, 4), (0, 1, 1, 2)];
        assert_eq!(changed(&one, &other), Some(expected));
        assert_eq!(changed(&one, &one), Some(Vec::new()));
        assert_eq!(changed(&one, &Figures::default()), None);
    }
}
