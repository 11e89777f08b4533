//! What a cluster found answers like what was read here, without a capture.

use std::{
    fmt::Debug,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::site::{Folder, Site, capture};
use engine::{Report, Rules};
use parquet::{
    basic::{Compression, Type, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use serde_json::{Value, json};
use server::Options;
use v1::{
    DetailsLabelItem, State, error,
    page::{JobProgress, JobRow, Overview},
};

/// The columns of the table as `crates/python/python/tractor/spark.py` has them.
const COLUMNS: &str = "message captures {
    optional binary capture (UTF8); optional binary path (UTF8); optional int64 bytes; optional int64 frames;
    optional int64 frames_in_flows; optional int64 flows; optional binary error (UTF8); optional binary reading (UTF8);
    optional binary report; }";

/// A row of the table.
#[derive(Clone, Default)]
struct Row {
    capture: String,
    bytes: usize,
    error: Option<&'static str>,
    report: Option<Vec<u8>>,
}

impl Row {
    /// Of a capture as the cluster reads it.
    fn of(name: &str, bytes: &[u8]) -> Self {
        let analysis = reader::read(bytes, name, &Rules::default(), 1).unwrap();
        let report = Some(Report::new(&analysis).write());
        Self { capture: name.to_owned(), bytes: bytes.len(), error: None, report }
    }
}

/// What a cluster wrote.
struct Out(PathBuf);

impl Out {
    fn new(folder: &Folder, name: &str) -> Self {
        let path = folder.0.join(name);
        for below in ["captures", "flows", "sessions"] {
            fs::create_dir_all(path.join(below)).unwrap();
        }
        fs::write(path.join("captures/_SUCCESS"), b"").unwrap();
        fs::write(path.join("captures/.part-0.snappy.parquet.crc"), b"crc\0").unwrap();
        Self(path)
    }

    fn part(&self, name: &str) -> PathBuf {
        self.0.join("captures").join(name)
    }

    fn write(&self, part: &str, rows: &[Row]) -> &Self {
        write(&self.part(part), COLUMNS, rows, Compression::SNAPPY);
        self
    }

    fn options(&self) -> Options {
        Options { found: vec![self.0.clone()], ..Options::default() }
    }

    fn site(&self, folder: &Folder) -> Site {
        Site::start_with(folder, self.options(), None)
    }
}

/// Writes a table; a column that is none of the known ones is null.
fn write(path: &Path, columns: &str, rows: &[Row], packed: Compression) {
    let schema = Arc::new(parse_message_type(columns).unwrap());
    let columns = schema.get_fields().to_vec();
    let properties = WriterProperties::builder()
        .set_compression(packed)
        .set_data_page_row_count_limit(1)
        .set_write_batch_size(1)
        .build();
    let file = File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    // Two groups of rows, where there are two rows.
    for rows in rows.chunks(rows.len().div_ceil(2).max(1)) {
        let mut group = writer.next_row_group().unwrap();
        for it in &columns {
            let name = it.name();
            let mut column = group.next_column().unwrap().unwrap();
            let text = |row: &Row| match name {
                "capture" | "path" => Some(row.capture.clone().into_bytes()),
                "error" => row.error.map(|it| it.as_bytes().to_vec()),
                "report" => row.report.clone(),
                _ => None,
            };
            if it.get_physical_type() == Type::INT64 {
                let numbers = rows.iter().filter(|_| name == "bytes");
                let numbers: Vec<i64> = numbers.map(|it| it.bytes as i64).collect();
                let levels = vec![i16::from(name == "bytes"); rows.len()];
                column.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None).unwrap();
            } else {
                let texts: Vec<Option<Vec<u8>>> = rows.iter().map(text).collect();
                let levels: Vec<i16> = texts.iter().map(|it| i16::from(it.is_some())).collect();
                let texts: Vec<ByteArray> = texts.into_iter().flatten().map(Into::into).collect();
                column.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None).unwrap();
            }
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
}

/// The list by names; what is of a reading, not of what was found, is left out.
fn list(site: &Site) -> Vec<Value> {
    let mut files: Vec<Value> = site.get("/files/list");
    for file in &mut files {
        let status = file["status"].as_object_mut().unwrap();
        status.retain(|key, _| key == "state");
    }
    files
}

fn names(site: &Site) -> Vec<String> {
    let files: Vec<v1::File> = site.get("/files/list");
    let name = |it: v1::File| match &*it.extension {
        "" => it.name,
        extension => format!("{}.{extension}", it.name),
    };
    files.into_iter().map(name).collect()
}

fn jobs(site: &Site) -> Vec<(String, u64, State)> {
    let rows: Vec<JobRow> = site.get("/v1x/jobs");
    rows.into_iter().map(|it| (it.file_name, it.progress.job_id.0, it.status.state)).collect()
}

fn job(site: &Site, name: &str) -> u64 {
    let mut jobs = jobs(site).into_iter().filter(|it| it.0 == name);
    let found = jobs.next().unwrap_or_else(|| panic!("{name} has no job")).1;
    assert!(jobs.next().is_none(), "{name} has two jobs");
    found
}

fn failure(site: &Site, name: &str) -> String {
    let progress: JobProgress = site.get(&format!("/v1x/file/{}/progress", job(site, name)));
    progress.failure.unwrap()
}

/// Asks until what is seen is what is waited for.
#[track_caller]
fn wait_until<T: Debug>(see: impl Fn() -> T, is_it: impl Fn(&T) -> bool) {
    let begun = Instant::now();
    loop {
        let seen = see();
        if is_it(&seen) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it stays {seen:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn answer(site: &Site, path: &str) -> (u16, String) {
    let said = site.ask("GET", path, &[], b"");
    (said.status, String::from_utf8(said.body).unwrap())
}

/// The captures of the tests.
fn captures() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    paths.retain(|it| it.to_string_lossy().contains(".pcap"));
    let named = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (format!("below/{name}"), fs::read(path).unwrap())
    };
    paths.into_iter().map(named).collect()
}

#[test]
fn what_a_cluster_found_is_answered_as_what_was_read_here() {
    let (here, elsewhere) = (Folder::new(), Folder::new());
    let mut captures = captures();
    assert!(captures.len() > 20);
    captures.push(("broken.pcap".to_owned(), b"no capture".to_vec()));
    captures.push(("empty.pcap".to_owned(), capture(0..0)));
    for (name, bytes) in &captures {
        here.write(name, bytes);
    }
    let site = Site::start(&here);
    for (name, _) in &captures {
        let job = site.process(name);
        site.ended(job);
    }
    let mut rows: Vec<Row> = captures.iter().map(|(name, it)| Row::of(name, it)).collect();
    let broken = rows.iter_mut().find(|it| it.capture == "broken.pcap").unwrap();
    *broken = Row { report: None, error: Some("E-FORMAT: it is no capture"), ..broken.clone() };
    let out = Out::new(&elsewhere, "out");
    let (first, second) = rows.split_at(rows.len() / 2);
    out.write("part-00000-1.snappy.parquet", second);
    let zstd = Compression::ZSTD(ZstdLevel::default());
    write(&out.part("part-00001-1.zstd.parquet"), COLUMNS, first, zstd);
    let found = out.site(&elsewhere);

    assert_eq!(list(&site), list(&found));
    assert_eq!(answer(&site, "/labels/list"), answer(&found, "/labels/list"));
    let mut n_asked = 0;
    for (name, _) in &captures {
        let ask = |path: &str| {
            let of = |site: &Site| answer(site, &format!("/file/{}{path}", job(site, name)));
            let (expected, is) = (of(&site), of(&found));
            assert_eq!(expected.0, is.0, "{name}{path}");
            // A message of an error names the job.
            assert!(
                expected.0 != 200 || expected.1 == is.1,
                "{name}{path}: {} {}",
                expected.1,
                is.1
            );
            (expected.0 == 200).then_some(expected.1)
        };
        let statistics = ask("/statistics");
        if statistics.is_none() && name != "broken.pcap" {
            assert_eq!(failure(&site, name), failure(&found, name));
        }
        ask("/reading");
        let numbers: Vec<v1::StatisticItem> =
            serde_json::from_str(&statistics.unwrap_or("[]".to_owned())).unwrap();
        let of = |title: &str| {
            let items = numbers.iter().find(|it| it.title == title).into_iter();
            items.flat_map(|it| it.content.iter().map(|it| it.label.clone())).take(3)
        };
        for label in of("labels").chain(of("protocols")).chain(["no such label".to_owned()]) {
            ask(&format!("/statistics/labels?label={}", label.replace(' ', "%20")));
            ask(&format!("/flows/labels?label={}", label.replace(' ', "%20")));
            n_asked += 2;
        }
        for ip in of("clients").chain(of("servers")).chain(["192.0.2.254".to_owned()]) {
            ask(&format!("/statistics/ip?ip={ip}"));
            n_asked += 1;
        }
    }
    assert!(n_asked > 5 * captures.len(), "{n_asked}");
    assert_eq!(failure(&found, "broken.pcap"), "E-FORMAT: it is no capture");
    let counted = |site: &Site| {
        let metrics = answer(site, "/metrics").1;
        let lines = metrics.lines().filter(|it| it.starts_with("tractor_jobs{"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(counted(&site), counted(&found));
}

#[test]
fn what_was_taken_over_is_not_taken_over_again() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let failed = Row { capture: "c.pcap".into(), bytes: 9, error: Some("gone"), report: None };
    let rows = [Row::of("a.pcap", &capture(1..3)), Row::of("b.pcap", &capture(1..4)), failed];
    let site = out.write("part-1.parquet", &rows).site(&folder);
    let before = jobs(&site);
    let states: Vec<State> = before.iter().map(|it| it.2).collect();
    assert_eq!(states, [State::Finished, State::Finished, State::Failed]);
    drop(site);
    let site = out.site(&folder);
    assert_eq!(jobs(&site), before);
    drop(site);
    // The same results, written again by another run.
    fs::remove_file(out.part("part-1.parquet")).unwrap();
    out.write("part-2.parquet", &[rows[2].clone(), rows[0].clone(), rows[1].clone()]);
    let site = out.site(&folder);
    assert_eq!(jobs(&site), before);
    // Without the table they are not listed, and answer still.
    drop(site);
    let site = Site::start(&folder);
    assert_eq!((names(&site).len(), jobs(&site)), (0, before.clone()));
    drop(site);
    // A store that is made anew knows what its results say.
    fs::write(folder.data().join("jobs.redb"), b"no database").unwrap();
    let site = out.site(&folder);
    assert_eq!(jobs(&site)[..2], before[..2]);
    assert_eq!((jobs(&site).len(), names(&site).len()), (3, 3));
}

#[test]
fn a_table_that_changed_is_taken_up() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let (a, b) = (Row::of("a.pcap", &capture(1..3)), Row::of("b.pcap", &capture(1..3)));
    let site = out.write("part-1.parquet", &[a, b.clone()]).site(&folder);
    let (old, stays) = (job(&site, "a.pcap"), job(&site, "b.pcap"));
    let (a, c) = (Row::of("a.pcap", &capture(1..9)), Row::of("c.pcap", &capture(1..3)));
    fs::remove_file(out.part("part-1.parquet")).unwrap();
    out.write("part-2.parquet", &[c, b.clone(), a]);
    wait_until(|| names(&site), |it| *it == ["a.pcap", "b.pcap", "c.pcap"]);
    let files: Vec<v1::File> = site.get("/files/list");
    assert_eq!(files[0].flows_count, Some(8));
    assert_eq!(job(&site, "b.pcap"), stays);
    site.ask("GET", &format!("/file/{old}/statistics"), &[], b"").check(error::NO_JOB);
    // A row that went is listed no more.
    out.write("part-2.parquet", &[b]);
    wait_until(|| names(&site), |it| *it == ["b.pcap"]);
    // A table that went is as it was: it may be written just now.
    drop(site);
    fs::remove_dir_all(&out.0).unwrap();
    let site = out.site(&folder);
    assert_eq!(names(&site), ["b.pcap"]);
}

#[test]
fn a_stored_result_that_is_damaged_is_taken_over_again() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let site = out.write("part-1.parquet", &[Row::of("a.pcap", &capture(1..3))]).site(&folder);
    let before = job(&site, "a.pcap");
    let path = |job: u64| format!("/file/{job}/statistics");
    fs::write(folder.data().join(format!("results/{before}.result")), b"damaged").unwrap();
    site.ask("GET", &path(before), &[], b"").check(error::DAMAGED_RESULT);
    let seen = || {
        assert_eq!(names(&site), ["a.pcap"]);
        job(&site, "a.pcap")
    };
    wait_until(seen, |it| *it != before);
    assert_eq!(answer(&site, &path(job(&site, "a.pcap"))).0, 200);
}

#[test]
fn what_has_no_result_says_why_and_stops_nothing() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let good = Row::of("good.pcap", &capture(1..3));
    let report = good.report.clone().unwrap();
    let of = |capture: &str, report: Option<Vec<u8>>| Row {
        capture: capture.to_owned(),
        report,
        ..good.clone()
    };
    let changed = |at: usize| {
        let mut report = report.clone();
        report[at] ^= 0x40;
        Some(report)
    };
    let rows = [
        of("damaged.pcap", changed(report.len() - 9)),
        of("newer.pcap", changed(8)),
        of("other.pcap", Some(b"no result".to_vec())),
        of("empty.pcap", Some(Vec::new())),
        of("nothing.pcap", None),
        Row { error: Some("[Errno 5] Input/output error"), ..of("failed.pcap", None) },
        // Read in part: what there was answers.
        Row { error: Some("E-CUT: it ends early"), ..of("part.pcap", Some(report.clone())) },
        of("../out.pcap", Some(report.clone())),
        of("a/.hidden/a.pcap", Some(report.clone())),
        of("", Some(report.clone())),
        of("s3://bucket/a.pcap", Some(report.clone())),
        of("good.pcap", None),
        good.clone(),
    ];
    // Rows of the same name are those of the first.
    out.write("part-2.parquet", &rows[..]).write("part-1.parquet", &[good]);
    let site = out.site(&folder);
    let states: Vec<(String, State)> = jobs(&site).into_iter().map(|it| (it.0, it.2)).collect();
    let finished: Vec<&str> =
        states.iter().filter(|it| it.1 == State::Finished).map(|it| &*it.0).collect();
    assert_eq!(finished, ["good.pcap", "part.pcap", "bucket/a.pcap"]);
    for (name, expected) in [
        ("damaged.pcap", "it is damaged"),
        ("newer.pcap", "this program reads version"),
        ("other.pcap", "no stored result"),
        ("empty.pcap", "no stored result"),
        ("nothing.pcap", "neither a result nor why"),
        ("failed.pcap", "[Errno 5] Input/output error"),
    ] {
        let why = failure(&site, name);
        assert!(why.contains(expected), "{name}: {why}");
        let path = format!("/file/{}/statistics", job(&site, name));
        site.ask("GET", &path, &[], b"").check(error::JOB_FAILED);
    }
    assert_eq!(names(&site).len(), states.len());
    assert_eq!(states.len(), 9);
}

#[test]
fn a_file_of_the_same_name_is_the_capture_where_it_is_as_long() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let bytes = capture(1..5);
    for name in ["same.pcap", "own.pcap", "later.pcap"] {
        folder.write(name, &bytes);
    }
    folder.write("other.pcap", &capture(1..7));
    fs::remove_file(folder.captures().join("later.pcap")).unwrap();
    let site = Site::start(&folder);
    let own = site.process("own.pcap");
    site.ended(own);
    drop(site);
    let rows = ["same.pcap", "own.pcap", "later.pcap", "other.pcap"].map(|it| Row::of(it, &bytes));
    let site = out.write("part-1.parquet", &rows).site(&folder);
    let state = |site: &Site, name: &str| {
        let at = names(site).iter().position(|it| it == name).unwrap();
        let files: Vec<v1::File> = site.get("/files/list");
        files[at].status.state
    };
    assert_eq!(job(&site, "own.pcap"), own);
    assert_eq!(state(&site, "other.pcap"), State::New);
    assert_eq!(jobs(&site).len(), 3);
    assert_eq!(state(&site, "same.pcap"), State::Finished);
    // Its packets are there.
    let question = json!({"Overview": {"bins": 10}});
    let path = |site: &Site, name: &str| format!("/v1x/file/{}/ask", job(site, name));
    let overview: Overview = site.post(&path(&site, "same.pcap"), &question);
    assert_eq!(overview.flows, 4);
    // One that comes later is the capture, too; another one is not.
    folder.write("later.pcap", &bytes);
    let later = job(&site, "later.pcap");
    drop(site);
    let site = out.site(&folder);
    assert_eq!((state(&site, "later.pcap"), job(&site, "later.pcap")), (State::Finished, later));
    let overview: Overview = site.post(&path(&site, "later.pcap"), &question);
    assert_eq!(overview.flows, 4);
    folder.write("later.pcap", &capture(1..3));
    drop(site);
    let site = out.site(&folder);
    assert_eq!(state(&site, "later.pcap"), State::New);
    // What is processed here is here to stay, and what is in the way goes.
    let again = site.process("same.pcap");
    site.ended(again);
    fs::remove_file(folder.captures().join("other.pcap")).unwrap();
    drop(site);
    let site = out.site(&folder);
    assert_eq!(job(&site, "same.pcap"), again);
    assert_eq!(state(&site, "other.pcap"), State::Finished);
}

#[test]
fn what_needs_packets_is_refused_where_there_is_no_capture() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let site = out.write("part-1.parquet", &[Row::of("a.pcap", &capture(1..5))]).site(&folder);
    let job = job(&site, "a.pcap");
    let json = ["content-type: application/json"];
    for question in ["{\"Breakdown\": {}}", "{\"Overview\": {\"bins\": 10}}"] {
        let path = format!("/v1x/file/{job}/ask");
        site.ask("POST", &path, &json, question.as_bytes()).check(error::OTHER_CAPTURE);
    }
    site.ask("POST", "/files/process", &json, b"{\"file_name\": \"a.pcap\"}").check(error::NO_FILE);
    let flows: Vec<DetailsLabelItem> = site.get(&format!("/file/{job}/flows/labels?label=ssh"));
    assert_eq!(flows.len(), 4);
}

#[test]
fn of_several_clusters_the_first_answers_for_a_name() {
    let folder = Folder::new();
    let (first, second) = (Out::new(&folder, "first"), Out::new(&folder, "second"));
    first.write("part-1.parquet", &[Row::of("a.pcap", &capture(1..5))]);
    let rows = [Row::of("a.pcap", &capture(1..9)), Row::of("b.pcap", &capture(1..3))];
    second.write("part-1.parquet", &rows);
    let found = vec![first.0.clone(), second.0.clone(), folder.0.join("missing")];
    let options = || Options { found: found.clone(), ..Options::default() };
    let mut before = None;
    for _ in 0..3 {
        let site = Site::start_with(&folder, options(), None);
        let files: Vec<v1::File> = site.get("/files/list");
        let flows: Vec<_> = files.iter().map(|it| it.flows_count).collect();
        assert_eq!(flows, [Some(4), Some(2)]);
        let now = jobs(&site);
        assert_eq!(*before.get_or_insert(now.clone()), now);
    }
    // What the first one loses the second one has.
    first.write("part-1.parquet", &[Row::of("c.pcap", &capture(1..2))]);
    let site = Site::start_with(&folder, options(), None);
    let files: Vec<v1::File> = site.get("/files/list");
    let flows: Vec<_> = files.iter().map(|it| it.flows_count).collect();
    assert_eq!(flows, [Some(8), Some(2), Some(1)]);
}

#[test]
fn what_is_no_table_is_passed_over_and_the_rest_is_not() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let row = |name: &str| Row::of(name, &capture(1..3));
    out.write("part-9.parquet", &[row("good.pcap")]);
    fs::write(out.part("part-1.parquet"), b"PAR1 and nothing PAR1").unwrap();
    fs::write(out.part("part-2.parquet"), b"").unwrap();
    fs::create_dir(out.part("part-3.parquet")).unwrap();
    for (part, was, is) in [
        ("part-4.parquet", "optional binary report;", ""),
        ("part-5.parquet", "optional binary error (UTF8)", "optional int64 error"),
        ("part-6.parquet", "optional int64 bytes", "optional int64 length"),
    ] {
        let columns = COLUMNS.replace(was, is);
        write(&out.part(part), &columns, &[row("other.pcap")], Compression::SNAPPY);
    }
    let site = out.site(&folder);
    assert_eq!(names(&site), ["good.pcap"]);
}

#[test]
fn a_table_with_any_byte_changed_ends_nothing() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    out.write("part-1.parquet", &[Row::of("a.pcap", &capture(1..3))]);
    let whole = fs::read(out.part("part-1.parquet")).unwrap();
    fs::remove_file(out.part("part-1.parquet")).unwrap();
    // Many at once: a start takes longer than a file.
    for (at, byte) in whole.iter().enumerate() {
        let mut changed = whole.clone();
        changed[at] = byte ^ [0xff, 0x80, 1][at % 3];
        fs::write(out.part(&format!("part-{at:05}.parquet")), changed).unwrap();
        if at % 7 == 0 {
            fs::write(out.part(&format!("part-{at:05}-cut.parquet")), &whole[..at]).unwrap();
        }
    }
    let site = out.site(&folder);
    assert!(names(&site).contains(&"a.pcap".to_owned()));
}

/// Bytes that begin and end as a table does.
fn with_footer(footer: &[u8]) -> Vec<u8> {
    let len = (footer.len() as u32).to_le_bytes();
    [b"PAR1", footer, &len, b"PAR1"].concat()
}

#[test]
fn a_footer_without_end_is_damage_and_no_end_of_the_companion() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    // 12,000 columns, each below the one before; and as long as is not read at all.
    for (part, n) in [("part-1.parquet", 12_000_u16), ("part-2.parquet", 60_000)] {
        let mut footer = vec![0x15, 2, 0x19, 0xfc];
        let varint = [n & 0x7f | 0x80, n >> 7 & 0x7f | 0x80, n >> 14];
        footer.extend(varint.map(|it| it as u8));
        for _ in 0..n {
            footer.extend([0x35, 0, 0x18, 0, 0x15, 2, 0]);
        }
        if n > 20_000 {
            footer.resize(2 << 20, 0);
        }
        fs::write(out.part(part), with_footer(&footer)).unwrap();
    }
    // Two, of which the first claims to have 2,147,483,647 below it.
    let claims = [0x15, 2, 0x19, 0x2c, 0x48, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 0];
    fs::write(out.part("part-3.parquet"), with_footer(&claims)).unwrap();
    // By the package's writer: it can be read, were it not for a column below a column.
    let nested =
        COLUMNS.replace("report; }", "report; optional group more { optional int64 a; } }");
    write(&out.part("part-4.parquet"), &nested, &[], Compression::SNAPPY);
    out.write("part-9.parquet", &[Row::of("good.pcap", &capture(1..3))]);
    assert_eq!(names(&out.site(&folder)), ["good.pcap"]);
}

#[test]
fn what_claims_to_hold_more_than_it_can_is_left() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let row = |name: &str| Row::of(name, &capture(1..3));
    let of = |report: Vec<u8>| Row { report: Some(report), ..row("long.pcap") };
    let zstd = Compression::ZSTD(ZstdLevel::default());
    // Some 10 kB that hold 200 MB.
    write(&out.part("part-1.parquet"), COLUMNS, &[of(vec![0; 200_000_000])], zstd);
    // A report of 10 MB that serves ten names, of which all but six are left.
    let report = vec![0; 10_000_000];
    let same = |nth: u8| Row { capture: format!("same-{nth}.pcap"), ..of(report.clone()) };
    let rows: Vec<Row> = (0..10).map(same).collect();
    write(&out.part("part-2.parquet"), COLUMNS, &rows, zstd);
    out.write("part-9.parquet", &[row("good.pcap")]);
    let names = names(&out.site(&folder));
    assert!(!names.contains(&"long.pcap".to_owned()));
    assert!((2..10).contains(&names.len()), "{names:?}");
    assert!(names.contains(&"good.pcap".to_owned()));
}

#[test]
fn a_file_for_each_capture_is_taken_up_when_it_comes() {
    let folder = Folder::new();
    let out = Out::new(&folder, "out");
    let named = |name: &str, n: u16| {
        let file = format!("{}.parquet", name.replace('/', "%2F"));
        out.write(&file, &[Row::of(name, &capture(1..n))]);
    };
    let all = ["100%.pcap", "_a.pcap", "a b.pcap", "a/b.pcap", "Ж\u{301}☃.pcap"];
    for name in &all[..4] {
        named(name, 3);
    }
    let site = out.site(&folder);
    assert_eq!(names(&site), all[..4]);
    let before = jobs(&site);
    named(all[4], 3);
    wait_until(|| names(&site), |it| *it == all);
    assert_eq!(jobs(&site).len(), 5);
    // One that changed is read, and the others answer as they did.
    named("a b.pcap", 5);
    let flows = || {
        let files: Vec<v1::File> = site.get("/files/list");
        files.iter().map(|it| it.flows_count).collect::<Vec<_>>()
    };
    wait_until(flows, |it| *it == [2, 2, 4, 2, 2].map(Some));
    let stays = jobs(&site).into_iter().filter(|it| before.contains(it)).count();
    assert_eq!(stays, 3);
    // One that went is listed no more; a name that is in two files is the first one's.
    fs::remove_file(out.part("_a.pcap.parquet")).unwrap();
    out.write("z.parquet", &[Row::of("100%.pcap", &capture(1..8)), Row::of("z", &capture(1..2))]);
    wait_until(flows, |it| *it == [2, 4, 2, 1, 2].map(Some));
    fs::remove_file(out.part("100%.pcap.parquet")).unwrap();
    wait_until(flows, |it| *it == [7, 4, 2, 1, 2].map(Some));
    // After a restart, too, and files that were read by nobody are read.
    drop(site);
    fs::write(out.part("damaged.parquet"), b"PAR1").unwrap();
    named("100%.pcap", 4);
    let site = out.site(&folder);
    let files: Vec<v1::File> = site.get("/files/list");
    let flows: Vec<_> = files.iter().map(|it| it.flows_count).collect();
    assert_eq!(flows, [3, 4, 2, 1, 2].map(Some));
}
