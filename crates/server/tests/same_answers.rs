//! `tractor stats` and `tractor labels` print what the engine answers to the v1 requests, byte for byte.
//!
//! Read are the captures of the tests; with `TRACTOR_CAPTURES=FOLDER` 200 of those below that folder, evenly spread.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use engine::{FileEntry, Found, Library, Rules};
use v1::{JobId, Request, page::FlowRow};

/// How many captures of a folder are read.
const MAX_CAPTURES: usize = 200;
/// How many labels and addresses of a capture are asked for.
const MAX_ASKED: usize = 3;

/// The files below a folder, in order.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    entries.sort();
    let below = |it: PathBuf| if it.is_dir() { files_below(&it) } else { vec![it] };
    entries.into_iter().flat_map(below).collect()
}

fn captures() -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures");
    let folder = env::var_os("TRACTOR_CAPTURES").map_or(own, PathBuf::from);
    let is_capture = |it: &PathBuf| {
        let name = it.file_name().unwrap().to_string_lossy();
        name.contains(".pcap") || name.ends_with(".cap")
    };
    let captures: Vec<PathBuf> = files_below(&folder).into_iter().filter(is_capture).collect();
    let (len, n) = (captures.len(), captures.len().min(MAX_CAPTURES));
    (0..n).map(|it| captures[it * len / n].clone()).collect()
}

/// What a command prints, and whether it goes well.
fn tractor(arguments: &[&str]) -> (String, Option<i32>, String) {
    let mut tractor = Command::new(env!("CARGO_BIN_EXE_tractor"));
    let output = tractor.args(arguments).env("LC_ALL", "C").output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), output.status.code(), text(output.stderr))
}

/// The first few values of flows, each once.
fn some(flows: &[FlowRow], of: impl Fn(&FlowRow) -> &str) -> Vec<String> {
    let mut values: Vec<String> = flows.iter().map(|it| of(it).to_owned()).collect();
    values.sort();
    values.dedup();
    values.truncate(MAX_ASKED);
    values
}

/// Asks the engine and the command; how many questions were asked.
fn check(capture: &Path) -> usize {
    let name = capture.to_str().unwrap();
    let analysis = match reader::analyse(capture, name, &Rules::default(), 1) {
        Ok(analysis) => analysis,
        // What the system does not let be read both refuse.
        Err(_) => return usize::from(tractor(&["stats", name]).1 == Some(1)),
    };
    let status = Some(i32::from(!analysis.is_complete()));
    let flows: Vec<FlowRow> = analysis.rows().collect();
    let mut library = Library::new();
    library.set_files(vec![FileEntry { file_name: name.into(), bytes: 0 }]);
    library.answer(&Request::Process { file_name: name.into() }, 0).unwrap();
    let (job, _) = library.next_job().unwrap();
    library.finish(job, Ok(Found::Read(Arc::new(analysis))), 0);
    let mut asked: Vec<(Vec<String>, Request)> = vec![
        (vec![], Request::Statistics { job }),
        (vec!["--reading".into()], Request::Reading { job }),
        // Known, whether a flow has it or not; and not known at all.
        label("ssh", job),
        label("no such label", job),
        ip("192.0.2.254", job),
        ip("nonsense", job),
    ];
    asked.extend(some(&flows, |it| &it.label).iter().map(|it| label(it, job)));
    let flows_of = |label: &String| {
        let options = vec!["--flows".into(), "--label".into(), label.clone()];
        (options, Request::FlowsOfLabel { job, label: label.clone() })
    };
    asked.extend(some(&flows, |it| &it.label).iter().map(flows_of));
    asked.extend(some(&flows, |it| &it.client_ip).iter().map(|it| ip(it, job)));
    asked.extend(some(&flows, |it| &it.server_ip).iter().map(|it| ip(it, job)));
    for (options, request) in &asked {
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let (printed, code, said) = tractor(&[&["stats", name], &*options].concat());
        match library.answer(request, 0) {
            Ok(answer) => {
                assert!(printed == format!("{answer}\n"), "{name} {options:?}: {printed} {answer}");
                assert_eq!(code, status, "{name} {options:?}: {said}");
            }
            Err(error) => {
                assert_eq!((&*printed, code), ("", Some(2)), "{name} {options:?}");
                let last = said.lines().last().unwrap();
                assert_eq!(last, format!("tractor: {}", error.message), "{name} {options:?}");
            }
        }
    }
    asked.len()
}

fn label(label: &str, job: JobId) -> (Vec<String>, Request) {
    let request = Request::StatisticsOfLabel { job, label: label.to_owned() };
    (vec!["--label".into(), label.into()], request)
}

fn ip(ip: &str, job: JobId) -> (Vec<String>, Request) {
    (vec!["--ip".into(), ip.into()], Request::StatisticsOfIp { job, ip: ip.to_owned() })
}

#[test]
fn the_command_line_answers_as_the_engine_does() {
    let captures = captures();
    assert!(captures.len() > 20);
    let n_asked: usize = captures.iter().map(|it| check(it)).sum();
    eprintln!("{} captures, {n_asked} questions", captures.len());
    assert!(n_asked > 6 * captures.len());
}

#[test]
fn the_labels_are_those_of_the_interface() {
    let expected = Library::new().answer(&Request::Labels, 0).unwrap();
    assert_eq!(tractor(&["labels", "--json"]).0, format!("{expected}\n"));
}
