//! Captures come, change and go; jobs wait, run, end and outlive the process; what they found stays whole.

use std::{fs, io::Write};

use crate::site::{Folder, Said, Site, capture};
use serde_json::{Value, json};
use server::{Companion, Options};
use v1::{
    File, JobId, State, StatisticItem, error,
    page::{Decisions, Flows, JobProgress, JobRow, JobStage, Overview, Processed, Uploaded},
};

fn name_of(file: &File) -> String {
    match &*file.extension {
        "" => file.name.clone(),
        extension => format!("{}.{extension}", file.name),
    }
}

fn list(site: &Site) -> Vec<File> {
    site.get("/files/list")
}

fn state(site: &Site, name: &str) -> (State, Option<u64>) {
    let files = list(site);
    let file = files.iter().find(|it| name_of(it) == name).unwrap();
    (file.status.state, file.status.job_id.map(|it| it.0))
}

#[test]
fn whatever_a_file_is_called_it_is_listed_and_processed_by_that_name() {
    let folder = Folder::new();
    let names = [
        "office.pcap",
        "office.pcapng",
        "office.pcap.gz",
        "office",
        "office.",
        "2024.05/office.pcap",
        "2024.05/plain",
        "a/b/c/d.cap",
        "два слова и\nстрока.pcap",
        "100%25 \"quoted\" <b>&amp;\\.pcap",
        "-rf --x=$(y) `z`.pcap",
        "a..b",
    ];
    for name in names {
        folder.write(name, &capture(1..2));
    }
    let site = Site::start(&folder);
    let mut listed: Vec<String> = list(&site).iter().map(name_of).collect();
    listed.sort();
    let mut expected = names.map(str::to_owned);
    expected.sort();
    assert_eq!(listed, expected);
    for name in names {
        let job = site.process(name);
        assert_eq!(site.ended(job), State::Finished, "{name}");
        let details: File = site.get(&format!("/file/{job}/details"));
        assert_eq!(name_of(&details), name);
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_processed_by_what_is_shown_of_it() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
    let folder = Folder::new();
    folder.write(OsStr::from_bytes(b"caf\xe9.pcap"), &capture(1..2));
    let site = Site::start(&folder);
    assert_eq!(list(&site).iter().map(name_of).collect::<Vec<_>>(), ["caf\\xe9.pcap"]);
    let job = site.process("caf\\xe9.pcap");
    assert_eq!(site.ended(job), State::Finished);
}

#[test]
fn files_that_come_and_go_are_listed_as_they_are() {
    let folder = Folder::new();
    let site = Site::start(&folder);
    assert_eq!(list(&site), []);
    for n in 1..20 {
        folder.write(format!("{n}/{n}.pcap"), &capture(0..n));
        assert_eq!(list(&site).len(), usize::from(n));
    }
    fs::remove_file(folder.captures().join("7/7.pcap")).unwrap();
    assert_eq!(list(&site).len(), 18);
}

#[test]
fn a_changed_file_is_new_and_its_old_result_stays_until_it_is_replaced() {
    let folder = Folder::new();
    folder.write("a.pcap", &capture(1..3));
    let site = Site::start(&folder);
    let first = site.process("a.pcap");
    assert_eq!(site.ended(first), State::Finished);
    assert_eq!(state(&site, "a.pcap"), (State::Finished, Some(first)));
    let path = format!("/file/{first}/statistics");
    let before: Vec<StatisticItem> = site.get(&path);

    // Longer, with the result of before; then no capture at all.
    folder.write("a.pcap", &capture(1..5));
    // A list may be as old as it took to make, and a little more.
    while state(&site, "a.pcap").0 != State::New {}
    assert_eq!(list(&site)[0].flows_count, Some(2));
    folder.write("a.pcap", b"no capture");
    let failed = site.process("a.pcap");
    assert_eq!(site.ended(failed), State::Failed);
    assert_eq!(site.get::<Vec<StatisticItem>>(&path), before);
    let progress: JobProgress = site.get(&format!("/v1x/file/{failed}/progress"));
    assert_eq!(progress.stage, JobStage::Failed);
    assert!(progress.failure.unwrap().contains("E-"), "a notice");

    folder.write("a.pcap", &capture(1..5));
    let second = site.process("a.pcap");
    assert_eq!(site.ended(second), State::Finished);
    assert_eq!(list(&site)[0].flows_count, Some(4));
    site.ask("GET", &path, &[], b"").check(error::NO_JOB);
    site.ask("GET", &format!("/file/{failed}/status"), &[], b"").check(error::NO_JOB);
}

#[test]
fn a_file_that_was_only_written_again_is_the_same() {
    let folder = Folder::new();
    folder.write("a.pcap", &capture(1..3));
    let site = Site::start(&folder);
    let job = site.process("a.pcap");
    site.ended(job);
    let other_time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let path = folder.captures().join("a.pcap");
    let touch = || fs::File::options().write(true).open(&path).unwrap().set_modified(other_time);
    touch().unwrap();
    drop(site);
    let site = Site::start(&folder);
    assert_eq!(state(&site, "a.pcap"), (State::Finished, Some(job)));
    // As long, and of the same time, and another one.
    folder.write("a.pcap", &capture(2..4));
    drop(site);
    let site = Site::start(&folder);
    assert_eq!(state(&site, "a.pcap"), (State::New, Some(job)));
    site.ask(
        "POST",
        &format!("/v1x/file/{job}/ask"),
        &["content-type: application/json"],
        b"{\"Breakdown\": {}}",
    )
    .check(error::OTHER_CAPTURE);
}

#[test]
fn a_capture_without_packets_has_the_times_zero() {
    let folder = Folder::new();
    folder.write("empty.pcap", &capture(0..0));
    let site = Site::start(&folder);
    let job = site.process("empty.pcap");
    assert_eq!(site.ended(job), State::Finished);
    let file: File = site.get(&format!("/file/{job}/details"));
    assert_eq!((file.time_start, file.time_end, file.flows_count), (0, 0, Some(0)));
}

#[test]
fn many_are_processed_at_once_and_each_is_told_of() {
    let folder = Folder::new();
    for n in 0..50 {
        folder.write(format!("{n}.pcap"), &capture(0..n + 1));
    }
    let site = Site::start(&folder);
    let mut names: Vec<String> = (0..50).map(|it| format!("{it}.pcap")).collect();
    names.extend(["0.pcap", "missing.pcap", "../x"].map(str::to_owned));
    let answers: Vec<Processed> = site.post("/v1x/files/process", &json!({ "file_names": names }));
    let jobs: Vec<u64> =
        answers.iter().filter_map(|it| Some(it.status.as_ref()?.job_id?.0)).collect();
    assert_eq!(jobs, (1..=50).chain([1]).collect::<Vec<u64>>());
    let errors: Vec<u16> = answers.iter().filter_map(|it| Some(it.error.as_ref()?.code)).collect();
    assert_eq!(errors, [error::NO_FILE.code, error::BAD_FILE_NAME.code]);
    for job in 1..=50 {
        assert_eq!(site.ended(job), State::Finished);
    }
    let rows: Vec<JobRow> = site.get("/v1x/jobs?state=finished");
    assert_eq!(rows.len(), 50);
    assert!(rows.iter().all(|it| it.progress.stage == JobStage::Finished));
    let none: Vec<JobRow> = site.get("/v1x/jobs?state=failed");
    assert_eq!(none, []);
}

/// A site with one worker, which is at a capture that never ends: a pipe is none, so one that is long enough.
fn busy(folder: &Folder) -> (Site, u64) {
    folder.write("long.pcap", &[&capture(0..60_000)[..], &capture(0..60_000)[24..]].concat());
    let options = Options { workers: Some(1), ..Options::default() };
    let site = Site::start_with(folder, options, None);
    let long = site.process("long.pcap");
    (site, long)
}

#[test]
fn what_waits_or_runs_can_be_cancelled_and_says_so() {
    let folder = Folder::new();
    folder.write("a.pcap", &capture(1..2));
    let (site, long) = busy(&folder);
    let waiting = site.process("a.pcap");
    for job in [waiting, long] {
        let said = site.ask("POST", &format!("/v1x/file/{job}/cancel"), &[], b"");
        // It may have ended just before.
        if said.status != 409 {
            let _: JobProgress = said.read(200);
            site.ended(job);
            let progress: JobProgress = site.get(&format!("/v1x/file/{job}/progress"));
            let is_finished = progress.stage == JobStage::Finished;
            assert!(is_finished || progress.failure.unwrap().contains("cancelled"));
        }
    }
    site.ask("POST", "/v1x/file/77/cancel", &[], b"").check(error::NO_JOB);
}

#[test]
fn a_stop_leaves_jobs_that_run_again() {
    let folder = Folder::new();
    for n in 0..30 {
        folder.write(format!("{n}.pcap"), &capture(0..n + 1));
    }
    let (site, long) = busy(&folder);
    let jobs: Vec<u64> = (0..30).map(|it| site.process(&format!("{it}.pcap"))).collect();
    drop(site);
    let site = Site::start(&folder);
    for job in jobs.into_iter().chain([long]) {
        assert_eq!(site.ended(job), State::Finished);
    }
}

#[test]
fn a_damaged_result_is_said_to_be_and_the_others_are_whole() {
    let folder = Folder::new();
    folder.write("a.pcap", &capture(1..9)).write("b.pcap", &capture(1..9));
    let site = Site::start(&folder);
    let (a, b) = (site.process("a.pcap"), site.process("b.pcap"));
    site.ended(a);
    site.ended(b);
    drop(site);
    let path = folder.data().join(format!("results/{a}.result"));
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    fs::write(&path, bytes).unwrap();
    let site = Site::start(&folder);
    site.ask("GET", &format!("/file/{a}/statistics"), &[], b"").check(error::DAMAGED_RESULT);
    let _: Vec<StatisticItem> = site.get(&format!("/file/{b}/statistics"));
    fs::remove_file(path).unwrap();
    site.ask("GET", &format!("/file/{a}/statistics"), &[], b"").check(error::DAMAGED_RESULT);
    let again = site.process("a.pcap");
    assert_eq!(site.ended(again), State::Finished);
}

#[test]
fn a_damaged_store_is_made_anew_of_the_results() {
    let folder = Folder::new();
    folder.write("a.pcap", &capture(1..9)).write("b.pcap", b"no capture");
    let site = Site::start(&folder);
    let (a, b) = (site.process("a.pcap"), site.process("b.pcap"));
    site.ended(a);
    site.ended(b);
    let statistics: Value = site.get(&format!("/file/{a}/statistics"));
    drop(site);
    let path = folder.data().join("jobs.redb");
    let whole = fs::read(&path).unwrap();
    let half = whole[..whole.len() / 2].to_vec();
    let changed = whole.iter().enumerate().map(|(at, it)| if at % 64 == 9 { !it } else { *it });
    for damaged in [b"no database".to_vec(), half, changed.collect(), vec![0; 10_000]] {
        fs::write(&path, damaged).unwrap();
        let site = Site::start(&folder);
        assert_eq!(state(&site, "a.pcap"), (State::Finished, Some(a)));
        assert_eq!(site.get::<Value>(&format!("/file/{a}/statistics")), statistics);
        assert_eq!(state(&site, "b.pcap").0, State::New);
    }
    let names = fs::read_dir(folder.data()).unwrap().map(|it| it.unwrap().file_name());
    assert_eq!(names.filter(|it| it.to_string_lossy().contains("damaged")).count(), 4);
}

#[test]
fn a_store_that_cannot_be_used_is_named() {
    let folder = Folder::new();
    fs::write(folder.data(), b"no folder").unwrap();
    let error = Companion::open(&folder.captures(), &folder.data()).err().unwrap().to_string();
    assert!(error.contains("data cannot be used"), "{error}");
}

#[test]
fn the_page_asks_what_it_asks_of_its_worker() {
    let folder = Folder::new();
    folder.write("a.pcap", &capture(1..9));
    let site = Site::start(&folder);
    let job = site.process("a.pcap");
    site.ended(job);
    let path = format!("/v1x/file/{job}/ask");
    let overview: Overview = site.post(&path, &json!({"Overview": {"bins": 10}}));
    assert_eq!(overview.flows, 8);
    assert_eq!(
        overview.statistics,
        site.get::<Vec<StatisticItem>>(&format!("/file/{job}/statistics"))
    );
    let flows = json!({"Flows": {"filter": "port:22", "timeout": "none", "sort": "Start", "is_descending": false, "offset": 0, "len": 3}});
    let flows: Flows = site.post(&path, &flows);
    assert_eq!((flows.rows.len(), flows.matching), (3, 8));
    let whole = json!({"Sessions": {"offset": 0.0, "len": 5.0}});
    let _: v1::page::Sessions = site.post(&path, &whole);
    let together = json!({"Decide": {"decision": {"Together": {"flow_id": 0, "other_id": 5}}}});
    let decided: Decisions = site.post(&path, &together);
    drop(site);
    let site = Site::start(&folder);
    assert_eq!(site.post::<Decisions>(&path, &json!("Decisions")), decided);
    let undone: Decisions = site.post(&path, &json!({"Undo": {"number": 0}}));
    assert_eq!(undone.decisions, []);
    let said = site.ask("POST", &path, &["content-type: application/json"], b"{\"Nothing\": 1}");
    said.check(error::NO_SENSE);
    fs::remove_file(folder.captures().join("a.pcap")).unwrap();
    drop(site);
    let site = Site::start(&folder);
    let said = site.ask("POST", &path, &["content-type: application/json"], b"{\"Breakdown\": {}}");
    said.check(error::OTHER_CAPTURE);
    // What it found stays.
    let _: Vec<StatisticItem> = site.get(&format!("/file/{job}/statistics"));
}

#[test]
fn a_capture_is_uploaded_within_its_limit_and_replaces_none() {
    let folder = Folder::new();
    folder.write("below/there.pcap", &capture(1..2));
    let options = Options { max_upload: Some(10_000), ..Options::default() };
    let site = Site::start_with(&folder, options, None);
    let put =
        |name: &str, bytes: &[u8]| site.ask("PUT", &format!("/v1x/upload?name={name}"), &[], bytes);
    let bytes = capture(1..9);
    let uploaded: Uploaded = put("new.pcap", &bytes).read(201);
    assert_eq!((&*uploaded.file_name, uploaded.bytes), ("new.pcap", bytes.len() as u64));
    let JobId(job) = uploaded.status.job_id.unwrap();
    assert_eq!(site.ended(job), State::Finished);
    assert_eq!(fs::read(folder.captures().join("new.pcap")).unwrap(), bytes);
    put("new.pcap", &bytes).check(error::FILE_EXISTS);
    let _: Uploaded = put("below/new.pcap", &bytes).read(201);
    put("missing/new.pcap", &bytes).check(error::BAD_FILE_NAME);
    for name in ["../new.pcap", ".hidden", "/new.pcap", "a%00b", "below/../x"] {
        put(name, &bytes).check(error::BAD_FILE_NAME);
    }
    put("long.pcap", &[0; 20_000]).check_or_closed(error::TOO_LARGE);
    let cut = b"PUT /v1x/upload?name=cut.pcap HTTP/1.1\r\nhost: localhost\r\ncontent-length: 900\r\n\r\nabc";
    site.say_all(cut).check_or_closed(error::BAD_HTTP);
    let names: Vec<_> =
        fs::read_dir(folder.captures()).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn a_capture_is_read_while_it_is_uploaded_and_given_up_where_it_is_cut() {
    let folder = Folder::new();
    let options = Options { max_upload: Some(1_000_000), ..Options::default() };
    let site = Site::start_with(&folder, options, None);
    let bytes = capture(0..1_000);
    for is_cut in [true, false] {
        let mut client = site.connect();
        let head = format!(
            "PUT /v1x/upload?name=new.pcap HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            bytes.len()
        );
        client.write_all(head.as_bytes()).unwrap();
        client.write_all(&bytes[..40_000]).unwrap();
        let row = loop {
            let rows: Vec<JobRow> = site.get("/v1x/jobs?state=in_progress");
            if let Some(row) = rows.into_iter().find(|it| it.progress.flows > 0) {
                break row;
            }
        };
        assert_eq!((&*row.file_name, row.progress.total), ("new.pcap", bytes.len() as u64));
        assert_eq!(list(&site), []);
        let job = row.progress.job_id.0;
        if is_cut {
            drop(client);
            assert_eq!(site.ended(job), State::Failed);
            let progress: JobProgress = site.get(&format!("/v1x/file/{job}/progress"));
            assert!(progress.failure.unwrap().contains("the upload ended early"));
        } else {
            client.write_all(&bytes[40_000..]).unwrap();
            let _: Uploaded = Said::hear(&mut client).read(201);
            assert_eq!(site.ended(job), State::Finished);
            assert_eq!(list(&site)[0].flows_count, Some(1_000));
        }
    }
    assert_eq!(fs::read_dir(folder.captures()).unwrap().count(), 1);
}
