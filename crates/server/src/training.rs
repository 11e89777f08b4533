//! Learning at the companion: one training at a time over its folder, and the models it has.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use engine::{Filter, Lesson, Rules, Studio, Teacher, card};
use learn::Model;
use v1::{
    Error, error,
    page::{
        JudgedRows, ModelCard, TrainingFile, TrainingLabels, TrainingProgress, TrainingRequest,
        TrainingState, TrainingStatus,
    },
};

use crate::folder::{Folder, is_plain_name};

/// What names of model files end with.
const EXTENSION: &str = "model";
/// The longest model that is taken, in bytes.
pub(crate) const MAX_MODEL_LEN: usize = 64 << 20;
/// The longest data set that is read, in bytes.
const MAX_TABLE_LEN: u64 = 1 << 30;
/// The most models there are.
const MAX_MODELS: usize = 200;

/// The training there is, and the models.
pub(crate) struct Trainings {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    folder: Folder,
    rules: Rules,
    /// Where models lie.
    models: PathBuf,
    is_stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    status: TrainingStatus,
    /// What was learned from, once the training is at its end.
    studio: Option<Studio>,
}

impl Trainings {
    /// None yet; models lie in this folder, which is made where it is missing.
    pub(crate) fn open(folder: Folder, rules: Rules, models: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(&models)?;
        let state = Mutex::default();
        let shared = Shared { folder, rules, models, is_stopping: AtomicBool::new(false), state };
        Ok(Self { shared: Arc::new(shared), thread: Mutex::default() })
    }

    /// Begins a training; one that is done is forgotten.
    pub(crate) fn begin(&self, request: TrainingRequest) -> Result<TrainingStatus, Error> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.shared.state();
        if is_running(state.status.state) {
            let message = "another training runs; stop it or wait for its end";
            return Err(error::TRAINING_RUNS.error(message));
        }
        let prepared = self.shared.prepare(&request)?;
        *state = State::default();
        state.status.state = TrainingState::Reading;
        let status = state.status.clone();
        drop(state);
        self.shared.is_stopping.store(false, Ordering::Relaxed);
        let shared = Arc::clone(&self.shared);
        *thread = Some(thread::spawn(move || shared.run(&request, prepared)));
        Ok(status)
    }

    /// How far it is.
    pub(crate) fn status(&self) -> TrainingStatus {
        self.shared.state().status.clone()
    }

    /// Stops it, and waits until it has; what was judged so far is kept.
    pub(crate) fn stop(&self) -> TrainingStatus {
        let thread = {
            // Under the lock, so that none that begins meanwhile is meant or waited for.
            let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            self.shared.is_stopping.store(true, Ordering::Relaxed);
            thread.take()
        };
        if let Some(thread) = thread {
            // Its panics were caught and told.
            let _ = thread.join();
        }
        self.status()
    }

    /// Says that it shall stop, and does not wait.
    pub(crate) fn tell_to_stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
    }

    /// Rows of a class of which a class was said, or nothing.
    pub(crate) fn rows(
        &self,
        is: &str,
        said: Option<&str>,
        (offset, len): (u32, u32),
    ) -> Result<JudgedRows, Error> {
        let state = self.shared.state();
        let studio = state.studio.as_ref();
        let studio = studio.ok_or_else(|| error::NO_TRAINING.error("no training is at its end"))?;
        Ok(studio.cell(is, said, offset, len))
    }

    /// Every model by its name.
    pub(crate) fn models(&self) -> Result<BTreeMap<String, ModelCard>, Error> {
        let mut models = BTreeMap::new();
        for name in self.shared.names().map_err(|it| unreadable(&it))? {
            // What somebody else put there and is no model is not shown.
            if let Ok(model) = self.model(&name) {
                models.insert(name, card(&model));
            }
        }
        Ok(models)
    }

    /// A model as a file.
    pub(crate) fn model_file(&self, name: &str) -> Result<Vec<u8>, Error> {
        let path = self.shared.there(name)?;
        let file = fs::File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => error::NO_MODEL.error(format!("there is no model `{name}`")),
            _ => unreadable(&error),
        })?;
        let mut bytes = Vec::new();
        let limit = MAX_MODEL_LEN as u64;
        file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
        Ok(bytes)
    }

    /// A model.
    pub(crate) fn model(&self, name: &str) -> Result<Model, Error> {
        let bytes = self.model_file(name)?;
        Model::read(&bytes)
            .map_err(|error| error::NO_SENSE.error(format!("the model `{name}`: {error}")))
    }

    /// Takes a model; one that has the name goes.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> Result<ModelCard, Error> {
        let model = Model::read(bytes).map_err(|error| error::NO_SENSE.error(error.to_string()))?;
        self.shared.save(name, bytes)?;
        Ok(card(&model))
    }

    /// Takes a model away.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.shared.there(name)?;
        fs::remove_file(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => error::NO_MODEL.error(format!("there is no model `{name}`")),
            _ => unreadable(&error),
        })
    }
}

impl Drop for Trainings {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_running(state: TrainingState) -> bool {
    matches!(state, TrainingState::Reading | TrainingState::Learning)
}

fn unreadable(error: &io::Error) -> Error {
    error::FOLDER_UNREADABLE.error(format!("the folder of models cannot be used: {error}"))
}

fn is_table(file_name: &str) -> bool {
    let extension = Path::new(file_name).extension().unwrap_or_default().to_ascii_lowercase();
    extension == "arff" || extension == "csv"
}

/// What a training needs, checked before it begins.
struct Prepared {
    studio: Studio,
    filter: Filter,
    files: Vec<(String, Teacher)>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn prepare(&self, request: &TrainingRequest) -> Result<Prepared, Error> {
        let bad = |message: String| error::NO_SENSE.error(message);
        if request.files.is_empty() {
            return Err(bad("`files` names no file to learn from".to_owned()));
        }
        for TrainingFile { file_name, .. } in &request.files {
            if self.folder.file(file_name).is_err() {
                return Err(error::NO_FILE.error(format!("there is no file `{file_name}`")));
            }
        }
        let schema = features::schema(&request.schema)
            .ok_or_else(|| bad(format!("there is no schema `{}`", request.schema)))?;
        // Captures are learned from by what they say themselves.
        let parsed = Filter::parse(&request.filter).and_then(|it| it.where_countries(false));
        let filter = parsed.map_err(|why| {
            // A program that asks has the text, and wants to know where.
            let at = why.split(&request.filter)[0].chars().count() + 1;
            let message = format!("the filter cannot be understood at character {at}: {why}");
            error::BAD_FILTER.error(message)
        })?;
        self.path(&request.plan.name)?;
        let mut files = Vec::new();
        for TrainingFile { file_name, labels } in &request.files {
            let stem = file_name.find('.').filter(|it| *it > 0);
            let stem = stem.and_then(|it| file_name.get(..it)).unwrap_or(file_name);
            let labels = labels.clone().unwrap_or_else(|| TrainingLabels::Given(stem.to_owned()));
            let teacher = Teacher::of(&labels).map_err(|why| bad(why.to_string()))?;
            files.push((file_name.clone(), teacher));
        }
        Ok(Prepared { studio: Studio::new(schema, request.timeout_micros), filter, files })
    }

    /// A training's life on its thread.
    fn run(&self, request: &TrainingRequest, prepared: Prepared) {
        // Data that make the program fail must not take the companion with it.
        let trained = catch_unwind(AssertUnwindSafe(|| self.train(request, prepared)));
        let mut state = self.state();
        state.status.progress = None;
        match trained {
            Ok(Ok(())) => {
                let is_stopped = self.is_stopping.load(Ordering::Relaxed);
                let ended =
                    if is_stopped { TrainingState::Stopped } else { TrainingState::Finished };
                state.status.state = ended;
            }
            Ok(Err(message)) => {
                state.status.state = TrainingState::Failed;
                state.status.messages.push(message);
            }
            Err(_) => {
                state.status.state = TrainingState::Failed;
                state.status.messages.push("the program failed on these data".to_owned());
            }
        }
    }

    fn train(&self, request: &TrainingRequest, prepared: Prepared) -> Result<(), String> {
        let Prepared { mut studio, filter, files } = prepared;
        for (file_name, teacher) in files {
            if self.is_stopping.load(Ordering::Relaxed) {
                return Ok(());
            }
            let lesson = Lesson { filter: filter.clone(), teacher };
            self.read(&mut studio, &file_name, &lesson)
                .map_err(|error| format!("{file_name}: {error}"))?;
        }
        self.state().status.data = Some(studio.data());
        studio.begin(&request.plan).map_err(|error| error.to_string())?;
        self.state().status.state = TrainingState::Learning;
        let mut last: Option<TrainingProgress> = None;
        while let Some(progress) = studio.step() {
            let percent = |it: TrainingProgress| it.done * 100 / it.of.max(1);
            if last.is_none_or(|it| percent(it) != percent(progress)) {
                self.state().status.progress = Some(progress);
                last = Some(progress);
            }
            if self.is_stopping.load(Ordering::Relaxed) {
                studio.stop();
            }
        }
        let model = studio.model().map(|it| it.write());
        if let Some(model) = &model {
            self.save(&request.plan.name, model).map_err(|error| error.message)?;
        }
        let mut state = self.state();
        state.status.report = studio.report();
        state.status.model = model.map(|_| request.plan.name.clone());
        state.studio = Some(studio);
        Ok(())
    }

    /// Reads a file into what is learned from.
    fn read(&self, studio: &mut Studio, file_name: &str, lesson: &Lesson) -> Result<(), String> {
        let (file, _) = self.folder.file(file_name).map_err(|error| error.to_string())?;
        if is_table(file_name) {
            let mut bytes = Vec::new();
            // One byte more shows that it is too long.
            let limit = MAX_TABLE_LEN + 1;
            file.take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
            if bytes.len() as u64 > MAX_TABLE_LEN {
                return Err(format!("the table is longer than {MAX_TABLE_LEN} bytes"));
            }
            let text = String::from_utf8_lossy(&bytes);
            let table = learn::read_table(&text, file_name, &learn::Reading::default());
            let table = table.map_err(|error| error.to_string())?;
            let notices = table.notices.iter().map(ToString::to_string).collect();
            let added = studio.add_table(file_name, table.data, notices);
            return added.map(|_| ()).map_err(|error| error.to_string());
        }
        let read = reader::read(file, file_name, &self.rules, reader::n_cores());
        let analysis = read.map_err(|error| error.to_string())?;
        if let Some(notice) = analysis.failure() {
            return Err(notice.to_string());
        }
        if !analysis.is_complete() {
            let message = format!("{file_name}: it could be read only in part");
            self.state().status.messages.push(message);
        }
        studio.add(&analysis, file_name, lesson).map(|_| ()).map_err(|error| error.to_string())
    }

    /// The file of a model.
    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        // On some systems a colon names a drive or a stream of a file.
        let is_odd = |it: char| it == ':' || it.is_control();
        let is_name = is_plain_name(name) && !name.starts_with('.') && !name.contains(is_odd);
        if !is_name || name.len() > 200 {
            return Err(error::BAD_PARAMETER.error(format!("`{name}` is no name of a model")));
        }
        Ok(self.models.join(format!("{name}.{EXTENSION}")))
    }

    /// The file of a model that is to be there: what is no name is no model's.
    fn there(&self, name: &str) -> Result<PathBuf, Error> {
        let none = |_| error::NO_MODEL.error(format!("there is no model `{name}`"));
        self.path(name).map_err(none)
    }

    /// The names of the models there are, in order.
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.models)? {
            let Ok(file_name) = entry?.file_name().into_string() else { continue };
            let name = file_name.strip_suffix(EXTENSION).and_then(|it| it.strip_suffix('.'));
            names.extend(name.map(str::to_owned));
        }
        names.sort();
        Ok(names)
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(name)?;
        if bytes.len() > MAX_MODEL_LEN {
            let message =
                format!("the model is longer than {MAX_MODEL_LEN} bytes; grow fewer trees");
            return Err(error::TOO_LARGE.error(message));
        }
        let names = self.names().map_err(|error| unreadable(&error))?;
        if names.len() >= MAX_MODELS && !names.iter().any(|it| it == name) {
            let message = format!("there are {MAX_MODELS} models; remove one");
            return Err(error::CONFLICT.error(message));
        }
        // Whole or not at all: whoever reads meanwhile has the old one.
        let beside = path.with_extension("part");
        fs::write(&beside, bytes)
            .and_then(|()| fs::rename(&beside, &path))
            .map_err(|error| unreadable(&error))
    }
}
