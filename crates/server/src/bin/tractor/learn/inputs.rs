//! What is learned from, as the command line names it: captures, folders and data sets, and who says the labels.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use engine::{LabelTable, Lesson, Rules, Studio, Teacher};
use learn::{Model, Reading, Table};
use v1::page::TrainingPart;

use super::{Classify, Data, refused};
use crate::{
    Error, Outcome,
    captures::{Below, Files, extension, is_capture},
    flows, input, stop,
    voice::{self, counted, words},
};

/// What data sets are called.
const TABLES: &[&str] = &["arff", "csv"];

/// Who says the labels of the flows of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LabelFrom {
    /// The capture's file name.
    File,
    /// Its folder's name.
    Folder,
    /// A comment of it.
    Comment,
    /// The flows themselves.
    Payload,
    /// The same by groups.
    Group,
    /// A file.
    Table(PathBuf),
}

impl FromStr for LabelFrom {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "file" => Self::File,
            "folder" => Self::Folder,
            "comment" => Self::Comment,
            "payload" => Self::Payload,
            "group" => Self::Group,
            path if path.contains(['.', '/', '\\']) => Self::Table(path.into()),
            other => {
                return Err(format!(
                    "`{other}` is neither file, folder, comment, payload, group nor a file"
                ));
            }
        })
    }
}

/// Reads `NAME=CAPTURE`.
pub(super) fn class(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, capture)) if !name.is_empty() && !capture.is_empty() => {
            Ok((name.to_owned(), capture.into()))
        }
        _ => Err("it is not NAME=CAPTURE".to_owned()),
    }
}

/// Reads `KNOB=NUMBER`.
pub(super) fn number(text: &str) -> Result<(String, u32), String> {
    let parts = text.split_once('=').and_then(|(name, it)| Some((name, it.parse().ok()?)));
    parts.map(|(name, it)| (name.to_owned(), it)).ok_or("it is not KNOB=NUMBER".to_owned())
}

/// Reads a share from 0 to 1.
pub(super) fn share(text: &str) -> Result<f32, String> {
    let share = text.parse::<f32>().ok().filter(|it| (0.0..=1.0).contains(it));
    share.ok_or("it is no number from 0 to 1".to_owned())
}

/// A capture's name without folder and extensions.
pub(super) fn stem(capture: &Path) -> String {
    let name = capture.file_name().unwrap_or_default().to_string_lossy();
    let end = name.find('.').filter(|it| *it > 0).unwrap_or(name.len());
    name.get(..end).unwrap_or(&name).to_owned()
}

/// Whether a file is a data set by its name.
pub(super) fn is_table(path: &Path) -> bool {
    TABLES.contains(&&*extension(path))
}

/// The captures and data sets that were named; of a folder its captures, or its data sets where it has none.
fn named(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            found.push(input.clone());
            continue;
        }
        let Below { files, unread } = Below::of(input);
        if let Some((folder, error)) = unread.first() {
            return Err(Error::Usage(format!("{}: {error}", folder.display())));
        }
        let captures: Vec<PathBuf> = files.iter().filter(|it| is_capture(it)).cloned().collect();
        let tables = || files.iter().filter(|it| is_table(it)).cloned();
        let before = found.len();
        found.extend(if captures.is_empty() { tables().collect() } else { captures });
        if found.len() == before {
            let message = format!("{}: there is no capture and no data set", input.display());
            return Err(Error::Usage(message));
        }
    }
    Ok(found)
}

/// What each file is called: its name, or where several have it its path.
fn names(paths: &[&Path]) -> Vec<String> {
    let name = |it: &Path| it.file_name().unwrap_or(it.as_os_str()).to_string_lossy().into_owned();
    let mut seen: BTreeMap<String, BTreeSet<&Path>> = BTreeMap::new();
    for path in paths {
        seen.entry(name(path)).or_default().insert(path);
    }
    let is_alone = |it: &str| seen.get(it).is_none_or(|it| it.len() == 1);
    let of = |it: &&Path| Some(name(it)).filter(|it| is_alone(it));
    paths.iter().map(|it| of(it).unwrap_or_else(|| it.to_string_lossy().into_owned())).collect()
}

/// Who says the labels, read and understood.
enum Says {
    Of(LabelFrom),
    /// Labels by the names of captures.
    Captures(BTreeMap<String, String>),
    Flows(Arc<LabelTable>),
}

impl Says {
    fn read(from: &LabelFrom, offset: i64) -> Result<Self, Error> {
        let LabelFrom::Table(path) = from else { return Ok(Self::Of(from.clone())) };
        let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
        let text = read_text(path).map_err(about)?;
        if let Some(labels) = engine::labels_of_captures(&text) {
            return Ok(Self::Captures(labels));
        }
        let table = LabelTable::read(&text).map_err(|error| about(error.to_string()))?;
        if table.n_unread() > 0 {
            let (path, n) = (engine::plain(&path.to_string_lossy()), table.n_unread());
            voice::complain(words(
                format!(
                    "{path}: {n} rows are left out: an address, a port or a time is missing in them"
                ),
                format!("{path}: без адреса, порта или времени строк: {n}; они пропущены"),
            ));
        }
        Ok(Self::Flows(Arc::new(table.with_offset(offset))))
    }

    /// Who says the labels of a capture; `None` where nobody does.
    fn teacher(&self, capture: &Path) -> Option<Teacher> {
        Some(match self {
            Self::Of(LabelFrom::Folder) => {
                let folder = capture.canonicalize().ok();
                let folder = folder.as_deref().unwrap_or(capture).parent()?.file_name()?;
                Teacher::Given(folder.to_string_lossy().into_owned())
            }
            Self::Of(LabelFrom::Comment) => Teacher::Comment,
            Self::Of(LabelFrom::Payload) => Teacher::Payload,
            Self::Of(LabelFrom::Group) => Teacher::Groups,
            Self::Of(LabelFrom::File | LabelFrom::Table(_)) => Teacher::Given(stem(capture)),
            Self::Captures(labels) => {
                let name = capture.file_name().unwrap_or_default().to_string_lossy();
                let mut keys = [capture.to_string_lossy(), name, stem(capture).into()].into_iter();
                Teacher::Given(keys.find_map(|it| labels.get(&*it))?.clone())
            }
            Self::Flows(table) => Teacher::Table(Arc::clone(table)),
        })
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    // Some data sets write a dash of theirs in another encoding; nothing else depends on it.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

impl Data {
    /// Everything there is to learn from; where a model is to be judged, as it wants it.
    pub(super) fn studio(&self, model: Option<&Model>) -> Result<(Studio, Outcome), Error> {
        let named_inputs = named(&self.inputs)?;
        let labelled = self.class.iter().map(|it| &it.1);
        let all: Vec<&Path> = named_inputs.iter().chain(labelled).map(PathBuf::as_path).collect();
        let names = names(&all);
        let asked = self.schema.as_deref().map(flows::schema).transpose()?;
        let of_model = model.and_then(Model::schema);
        let schema = of_model.or(asked).unwrap_or(&features::TRACTOR);
        let timeout_micros = model.map_or(self.timeout.0, Model::timeout_micros);
        let mut studio = Studio::new(schema, timeout_micros);
        let filter = self.filter.parse()?;
        let says = Says::read(&self.label_from, self.clock_offset)?;
        let rules = Rules { own: Arc::new(self.own.read()?), ..Rules::default() };
        let mut outcome = Outcome::Complete;
        for (at, (path, name)) in all.into_iter().zip(&names).enumerate() {
            if stop::is_asked() {
                outcome = Outcome::Partial;
                break;
            }
            let given = at.checked_sub(named_inputs.len()).and_then(|it| self.class.get(it));
            if is_table(path) && given.is_none() {
                let Table { data, notices, .. } =
                    self.read_table(path, name, asked.or(of_model))?;
                let notices = notices.iter().map(ToString::to_string).collect();
                let part = studio.add_table(name, data, notices).map_err(refused)?;
                say(&part);
                continue;
            }
            let teacher = match given {
                Some((label, _)) => Some(Teacher::Given(label.clone())),
                None => says.teacher(path),
            };
            let Some(teacher) = teacher else {
                let name = engine::plain(name);
                voice::complain(words(
                    format!("{name}: the file of labels does not name it; it is left out"),
                    format!("{name}: в файле меток его нет; он пропущен"),
                ));
                outcome = Outcome::Partial;
                continue;
            };
            let lesson = Lesson { filter: filter.clone(), teacher };
            let captures = Files { paths: vec![path.to_owned()], n_missing: 0 };
            let read = input::each(&captures, &rules, self.effort, |_, analysis| {
                let part = studio.add(&analysis, name, &lesson).map_err(refused)?;
                say(&part);
                Ok(())
            })?;
            if read == Outcome::Partial {
                outcome = read;
            }
        }
        self.say_of_all(&mut studio);
        Ok((studio, outcome))
    }

    fn read_table(
        &self,
        path: &Path,
        name: &str,
        schema: Option<&'static features::Schema>,
    ) -> Result<Table, Error> {
        let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
        let text = read_text(path).map_err(about)?;
        let how = Reading { label: self.label_column.clone(), schema };
        learn::read_table(&text, name, &how).map_err(|error| about(error.to_string()))
    }

    /// Says what there is of everything.
    fn say_of_all(&self, studio: &mut Studio) {
        let data = studio.data();
        let classes = data.classes.iter().map(|it| {
            let captures = counted(it.captures, "capture|captures", "снимке|снимках|снимках");
            let (label, rows) = (engine::plain(&it.label), it.rows);
            words(format!("{label} {rows} in {captures}"), format!("{label} {rows} в {captures}"))
        });
        let (classes, rows) = (classes.collect::<Vec<_>>().join(", "), data.rows);
        voice::say(words(format!("{rows} rows: {classes}"), format!("строк {rows}: {classes}")));
        if data.duplicates > 0 {
            let n = data.duplicates;
            let done = match self.unique {
                true => words("are left out", "они пропущены"),
                false => {
                    words("stay; --unique leaves them out", "они остаются; --unique пропускает их")
                }
            };
            voice::say(words(
                format!("{n} rows repeat an earlier one of the same label and {done}"),
                format!("повторяют более раннюю с той же меткой строк: {n}; {done}"),
            ));
        }
        if data.contradictions > 0 {
            let n = data.contradictions;
            voice::say(words(
                format!(
                    "{n} rows have the numbers of others with another label: no model can tell both"
                ),
                format!(
                    "с числами других строк, но с другой меткой строк: {n}; их не различит ни одна модель"
                ),
            ));
        }
        if data.parts.len() == 1 && data.classes.iter().all(|it| it.captures == 1) {
            voice::complain(words(
                "all rows are of one file; how a model does on others cannot be told",
                "все строки из одного файла; какова модель на других, сказать нельзя",
            ));
        } else if !data.lone.is_empty() && data.classes.len() > 1 {
            let (n, of) = (data.lone.len(), data.classes.len());
            let names = engine::plain(&data.lone.join(", "));
            voice::complain(words(
                format!(
                    "{n} of {of} classes are in one capture alone and cannot be told by another: {names}"
                ),
                format!(
                    "классов лишь из одного снимка {n} из {of}, по другому их не проверить: {names}"
                ),
            ));
        }
    }
}

/// Says what a capture or table gave.
fn say(part: &TrainingPart) {
    let name = engine::plain(&part.name);
    for notice in &part.notices {
        voice::complain(format_args!("{name}: {}", engine::plain(notice)));
    }
    let mut parts = vec![words(format!("{} rows", part.rows), format!("строк {}", part.rows))];
    for (n, what) in [
        (part.unlabelled, words("without a label", "без метки")),
        (part.filtered, words("left out by the filter", "не прошли фильтр")),
        (
            part.contradicting,
            words("left out as having several labels", "пропущены, так как меток несколько"),
        ),
    ] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    voice::say(format_args!("{name}: {}", parts.join(", ")));
}

/// What a model says of the rows of data sets, a line a row.
pub(super) fn classify_tables(
    arguments: &Classify,
    tables: &[PathBuf],
    model: &Model,
) -> Result<Outcome, Error> {
    #[derive(serde::Serialize)]
    struct Line<'a> {
        capture: &'a str,
        row: usize,
        label: &'a str,
        said: &'a str,
        confidence: f32,
    }
    let is_csv = match &*arguments.format {
        "jsonl" => false,
        "csv" => true,
        other => {
            let message = format!("a data set can be written as jsonl or csv, not as {other}");
            return Err(Error::Usage(message));
        }
    };
    if !arguments.filter.text().is_empty() || arguments.schema.is_some() || arguments.over_payload {
        let message = "--filter, --schema and --over-payload are of captures, not of a data set";
        return Err(Error::Usage(message.to_owned()));
    }
    let threshold = arguments.applying().threshold;
    let (to, mut out) = flows::output(arguments.output.as_deref())?;
    let failed = |source| Error::Write { to: to.clone(), source };
    if is_csv {
        writeln!(out, "capture,row,label,said,confidence").map_err(failed)?;
    }
    for path in tables {
        let about = |error: String| Error::Usage(format!("{}: {error}", path.display()));
        let text = read_text(path).map_err(about)?;
        let name = path.to_string_lossy();
        let how = Reading { label: None, schema: model.schema() };
        let table =
            learn::read_unlabelled(&text, &name, &how).map_err(|error| about(error.to_string()))?;
        for notice in &table.notices {
            let (name, notice) = (engine::plain(&name), engine::plain(&notice.to_string()));
            voice::complain(format_args!("{name}: {notice}"));
        }
        for (row, it) in engine::say(model, &table.data).map_err(refused)?.into_iter().enumerate() {
            let is_sure = it.confidence >= threshold;
            let said = model.classes().get(it.class).filter(|_| is_sure);
            let line = Line {
                capture: &name,
                row,
                label: table.data.label(row),
                said: said.map_or("unknown", String::as_str),
                confidence: it.confidence,
            };
            if is_csv {
                let cells = [line.capture, &row.to_string(), line.label, line.said];
                let cells: Vec<String> =
                    cells.iter().map(|it| engine::csv_cell(it).into()).collect();
                writeln!(out, "{},{}", cells.join(","), line.confidence).map_err(failed)?;
            } else {
                serde_json::to_writer(&mut out, &line)
                    .map_err(io::Error::from)
                    .and_then(|()| out.write_all(b"\n"))
                    .map_err(failed)?;
            }
        }
    }
    out.flush().map_err(failed)?;
    Ok(Outcome::Complete)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_labelled_by_its_name() {
        assert_eq!(stem(Path::new("folder/skype.2.pcap.gz")), "skype");
        assert_eq!(stem(Path::new("plain")), "plain");
        assert_eq!(stem(Path::new(".hidden")), ".hidden");
    }

    #[test]
    fn data_sets_are_told_by_their_names() {
        assert!(is_table(Path::new("a.ARFF")) && !is_table(Path::new("a.pcap")));
    }

    #[test]
    fn a_file_is_called_by_its_path_where_its_name_is_not_enough() {
        let paths = ["a/x.pcap", "b/x.pcap", "b/y.pcap"].map(Path::new);
        assert_eq!(names(&paths), ["a/x.pcap", "b/x.pcap", "y.pcap"]);
    }

    #[test]
    fn who_says_the_labels_is_a_word_or_a_file() {
        assert_eq!("payload".parse(), Ok(LabelFrom::Payload));
        assert_eq!("labels.csv".parse(), Ok(LabelFrom::Table("labels.csv".into())));
        assert!("labels".parse::<LabelFrom>().is_err());
    }
}
