//! Every format of an export says the same of the same flows.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use engine::{Analysis, Batch, Export, FORMATS, Filter, FlowWriter, Job, Values};
use parquet::{
    file::reader::{FileReader as _, SerializedFileReader},
    record::Field,
};
use serde_json::{Map, Value};
use tests::{Side, Talk, csv_cells, made, pcap, sample};

/// Captures with something in every column.
const MADE: &[&str] = &["ftp.pcap", "tunnels.pcap", "mixed.pcapng", "trouble.pcap"];

fn analysis(name: &str, bytes: &[u8]) -> Analysis {
    let mut job = Job::new(name, 7);
    // What is damaged is exported as far as it was read.
    let _ = job.feed(bytes);
    job.finish(false)
}

fn every() -> impl Iterator<Item = Analysis> {
    let made = MADE.iter().map(|it| analysis(it, &made(it)));
    made.chain([analysis("sample.pcapng", &sample())])
}

fn export(analysis: &Analysis, format: &str, schema: Option<&str>) -> Vec<u8> {
    let export = Export::new(format, schema).unwrap();
    analysis.export(&export, "a capture", Vec::new()).unwrap()
}

fn text(analysis: &Analysis, format: &str, schema: Option<&str>) -> String {
    String::from_utf8(export(analysis, format, schema)).unwrap()
}

fn json(line: &str) -> Map<String, Value> {
    serde_json::from_str(line).unwrap()
}

#[test]
fn parts_are_the_whole() {
    for analysis in every() {
        for (format, schema) in [("jsonl", None), ("csv", None), ("csv", Some("tractor"))] {
            let whole = export(&analysis, format, schema);
            for len in [1, 7, 1_000] {
                let made = Export::new(format, schema).unwrap();
                let mut writer = FlowWriter::new(made, Vec::new(), true);
                let parts = writer.parts(&analysis, "a capture").unwrap();
                for start in (0..analysis.n_flows() as u32).step_by(len) {
                    let part = parts.of(start..start + len as u32).unwrap();
                    writer.add_part(&part).unwrap();
                }
                assert_eq!(writer.finish().unwrap(), whole, "{format} by {len}");
            }
        }
        let mut arff = FlowWriter::new(Export::new("arff", None).unwrap(), Vec::new(), true);
        assert!(arff.parts(&analysis, "a capture").is_none(), "its labels come first");
    }
}

/// The rows of a Parquet file; without what is missing.
fn rows(parquet: Vec<u8>) -> Vec<BTreeMap<String, Field>> {
    let reader = SerializedFileReader::new(bytes::Bytes::from(parquet)).unwrap();
    let rows = reader.get_row_iter(None).unwrap().map(Result::unwrap);
    let cells = |row: parquet::record::Row| {
        let cells = row.into_columns().into_iter();
        cells.filter(|it| it.1 != Field::Null).collect()
    };
    rows.map(cells).collect()
}

/// A cell as JSON has it. Times of nanoseconds are read as whole numbers.
fn value(field: &Field) -> Value {
    match field {
        Field::Long(it) => (*it).into(),
        Field::Double(it) => (*it).into(),
        Field::Str(it) => it.clone().into(),
        other => panic!("a cell of another type: {other:?}"),
    }
}

#[test]
fn a_json_line_is_a_row_as_answers_have_it() {
    for analysis in every() {
        let lines = text(&analysis, "jsonl", None);
        assert_eq!(lines.lines().count(), analysis.rows().count());
        for (line, row) in lines.lines().zip(analysis.rows()) {
            let row = serde_json::to_string(&row).unwrap();
            let fields = row.strip_prefix('{').unwrap();
            assert_eq!(line, format!("{{\"capture\":\"a capture\",{fields}"));
        }
    }
}

#[test]
fn parquet_says_what_json_lines_say() {
    for analysis in every() {
        let lines = text(&analysis, "jsonl", None);
        let rows = rows(export(&analysis, "parquet", None));
        assert_eq!(lines.lines().count(), rows.len());
        for (line, row) in lines.lines().zip(rows) {
            let mut line = json(line);
            line.remove("capture");
            for (name, field) in row {
                // JSON lines leave zeros of what is rare out.
                let said = line.remove(&name).unwrap_or_else(|| 0.into());
                // What a payload tells is an object there, and its text here.
                let said = if said.is_object() { said.to_string().into() } else { said };
                assert_eq!(value(&field), said, "{name}");
            }
            assert!(line.is_empty(), "not in the table: {line:?}");
        }
    }
}

#[test]
fn parquet_has_the_features_that_csv_has() {
    let analysis = analysis("sample.pcapng", &sample());
    for schema in features::SCHEMAS {
        let csv = text(&analysis, "csv", Some(schema.name));
        let rows = rows(export(&analysis, "parquet", Some(schema.name)));
        assert_eq!(csv.lines().count(), rows.len() + 1, "{}", schema.name);
        for (line, row) in csv.lines().skip(1).zip(rows) {
            let columns = schema.columns.iter().zip(schema.unique_names());
            for ((column, name), cell) in columns.zip(csv_cells(line)) {
                match (row.get(&*name), column.kind()) {
                    (None, _) => assert_eq!(cell, "", "{}", column.name),
                    (Some(Field::Double(number)), features::Kind::Number) => {
                        let said: f64 = cell.parse().unwrap();
                        let near = number.abs().max(1.0) * 1e-10;
                        assert!((said - number).abs() <= near, "{}: {said}", column.name);
                    }
                    (Some(Field::Long(number)), features::Kind::Integer) => {
                        assert_eq!(number.to_string(), cell, "{}", column.name);
                    }
                    (Some(Field::Long(nanos)), features::Kind::Time) => {
                        let micros = nanos / 1_000 % 1_000_000;
                        assert!(cell.ends_with(&format!(".{micros:06}Z")), "{cell}: {nanos}");
                    }
                    (Some(Field::Str(text)), _) => assert_eq!(*text, cell, "{}", column.name),
                    other => panic!("{}: {other:?}", column.name),
                }
            }
        }
    }
}

/// The rows of batches; without what is missing.
fn rows_of(batches: &[Batch]) -> Vec<BTreeMap<String, Field>> {
    let row = |batch: &Batch, row: usize| {
        let columns = batch.columns.iter().filter(|it| it.is_there[row]);
        let cells = columns.map(|column| {
            let field = match &column.values {
                Values::Whole(it) => Field::Long(it[row]),
                Values::Numbers(it) => Field::Double(it[row]),
                Values::Texts(texts, ends) => {
                    let start = row.checked_sub(1).map_or(0, |it| ends[it]);
                    Field::Str(texts[start..ends[row]].to_owned())
                }
            };
            (column.cells.name.to_string(), field)
        });
        cells.collect()
    };
    batches.iter().flat_map(|batch| (0..batch.len()).map(move |it| row(batch, it))).collect()
}

#[test]
fn batches_have_what_parquet_has() {
    for analysis in every() {
        let schemas = features::SCHEMAS.iter().map(|it| Some(it.name)).chain([None]);
        for schema in schemas {
            let file = rows(export(&analysis, "parquet", schema));
            let export = Export::new("parquet", schema).unwrap();
            for len in [7, u32::MAX] {
                let n = analysis.n_sources(&export);
                let batch = |at: u32| analysis.batch(&export, at..at.saturating_add(len).min(n));
                let starts = (0..n.max(1)).step_by(len as usize);
                let batches: Vec<Batch> = starts.map(|it| batch(it).unwrap()).collect();
                // Numbers that are none are not equal to each other.
                let said = |rows: &[BTreeMap<String, Field>]| format!("{rows:?}");
                assert_eq!(said(&rows_of(&batches)), said(&file), "{schema:?} by {len}");
            }
        }
    }
}

#[test]
fn batches_of_sessions_and_labels_count_every_flow() {
    for analysis in every() {
        let (sessions, labels) =
            (analysis.session_batch(&Filter::default()), analysis.label_batch(&Filter::default()));
        assert_eq!(sessions.len(), analysis.session_rows(&Filter::default()).count());
        let sum = |batch: &Batch, name: &str| {
            let column = batch.columns.iter().find(|it| it.cells.name == name).unwrap();
            let Values::Whole(values) = &column.values else { panic!("{name} is no integer") };
            values.iter().sum::<i64>()
        };
        assert_eq!(sum(&sessions, "flows"), analysis.n_flows() as i64);
        assert_eq!(sum(&labels, "flows"), analysis.n_flows() as i64);
        let packets = |it: v1::page::FlowRow| (it.client_packets + it.server_packets) as i64;
        assert_eq!(sum(&labels, "packets"), analysis.rows().map(packets).sum::<i64>());
        let only = Filter::parse("label:dns").unwrap();
        assert!(analysis.label_batch(&only).len() <= 1);
    }
}

#[test]
fn both_forms_of_zeeks_log_say_the_same() {
    for analysis in every() {
        let tsv = text(&analysis, "zeek", None);
        let (head, lines): (Vec<&str>, Vec<&str>) = tsv.lines().partition(|it| it.starts_with('#'));
        let fields: Vec<&str> =
            head.iter().find_map(|it| it.strip_prefix("#fields\t")).unwrap().split('\t').collect();
        let json_lines = text(&analysis, "zeek-json", None);
        assert_eq!(lines.len(), json_lines.lines().count());
        let mut uids = BTreeSet::new();
        let mut parents = BTreeSet::new();
        for (line, other) in lines.iter().zip(json_lines.lines()) {
            let mut other = json(other);
            uids.insert(other["uid"].as_str().unwrap().to_owned());
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!(cells.len(), fields.len());
            for (field, cell) in fields.iter().zip(cells) {
                let said = match other.remove(*field) {
                    None => "-".to_owned(),
                    Some(Value::String(text)) => text,
                    Some(Value::Bool(is)) => if is { "T" } else { "F" }.to_owned(),
                    Some(Value::Array(list)) => {
                        parents.insert(list[0].as_str().unwrap().to_owned());
                        list[0].as_str().unwrap().to_owned()
                    }
                    Some(Value::Number(_)) => {
                        // As it is written: a number read may have lost its zeros.
                        assert!(
                            json_lines.contains(&format!("\"{field}\":{cell}")),
                            "{field} {cell}"
                        );
                        continue;
                    }
                    Some(other) => panic!("{field}: {other}"),
                };
                assert_eq!(cell, said, "{field}");
            }
            assert!(other.is_empty(), "{other:?}");
        }
        assert_eq!(uids.len(), lines.len());
        assert!(parents.is_subset(&uids), "a tunnel is a connection of the log");
    }
}

/// A handshake, 3 bytes asked for, 5 answered, closed by both.
#[test]
fn zeeks_log_counts_payload_once() {
    let mut talk = Talk::tcp("10.0.0.1:40000", "93.184.215.14:80", 1_700_000_000_000_000_000);
    talk.open();
    talk.client("ask");
    talk.server("reply");
    talk.close(Side::Client);
    let analysis = analysis("one.pcap", &pcap(vec![talk]));
    let line = json(text(&analysis, "zeek-json", None).lines().next().unwrap());
    let number = |name: &str| line[name].as_u64().unwrap();
    assert_eq!((number("orig_bytes"), number("resp_bytes")), (3, 5));
    assert_eq!((&line["conn_state"], &line["proto"]), (&"SF".into(), &"tcp".into()));
    assert_eq!((&line["local_orig"], &line["local_resp"]), (&true.into(), &false.into()));
}

/// The services of the only connection of a conversation.
#[track_caller]
fn check_services(talk: Talk, expected: &str) {
    let analysis = analysis("one.pcap", &pcap(vec![talk]));
    let line = json(text(&analysis, "zeek-json", None).lines().next().unwrap());
    assert_eq!(line["service"].as_str(), Some(expected));
}

#[test]
fn zeeks_log_names_tls_within_what_agreed_on_it() {
    let begun = |server: &str| {
        let mut talk = Talk::tcp("10.0.0.1:40000", server, 1_700_000_000_000_000_000);
        talk.open();
        talk
    };
    let hello = |name: &str| {
        let client = &tests::tls::FIREFOX;
        tests::tls::client_hello(client, name, &[], &mut tests::Random::new(7))
    };
    let mut mail = begun("192.0.2.25:25");
    mail.server("220 mx.example ESMTP\r\n");
    mail.client("EHLO me\r\n");
    mail.server("250 STARTTLS\r\n");
    check_services(mail, "smtp");
    let mut mail = begun("192.0.2.25:25");
    mail.server("220 mx.example ESMTP\r\n");
    mail.client("EHLO me\r\n");
    mail.server("250 STARTTLS\r\n");
    mail.client("STARTTLS\r\n");
    mail.server("220 go\r\n");
    mail.client(hello("mx.example"));
    check_services(mail, "smtp,ssl");
    let mut tunnel = begun("192.0.2.3:3128");
    tunnel.client("CONNECT www.example.org:443 HTTP/1.1\r\n\r\n");
    tunnel.server("HTTP/1.1 200 OK\r\n\r\n");
    tunnel.client(hello("www.example.org"));
    check_services(tunnel, "http,ssl");
    let mut tls = begun("192.0.2.3:443");
    tls.client(hello("www.example.org"));
    check_services(tls, "ssl");
    let mut quic = Talk::udp("10.0.0.1:40000", "192.0.2.3:443", 1_700_000_000_000_000_000);
    let random = &mut tests::Random::new(7);
    quic.client(tests::quic::client_initial(
        &tests::tls::FIREFOX,
        "a.example",
        b"12345678",
        random,
    ));
    quic.server(tests::quic::server_initial(b"12345678", b"87654321", random));
    check_services(quic, "quic,ssl");
}

#[test]
fn weka_is_told_the_labels_there_are() {
    let analysis = analysis("sample.pcapng", &sample());
    let arff = text(&analysis, "arff", None);
    let class = arff.lines().rfind(|it| it.starts_with("@ATTRIBUTE")).unwrap();
    let named = class.split_once('{').unwrap().1.trim_end_matches('}');
    let named: BTreeSet<String> = csv_cells(named).into_iter().collect();
    let rows = arff.lines().skip_while(|it| *it != "@DATA").skip(1);
    let there: BTreeSet<String> = rows.map(|it| csv_cells(it).pop().unwrap()).collect();
    assert_eq!(named, there);
}

#[test]
fn captures_follow_each_other_in_one_file() {
    let two = [analysis("ftp.pcap", &made("ftp.pcap")), analysis("sample.pcapng", &sample())];
    for format in FORMATS {
        let mut writer =
            FlowWriter::new(Export::new(format.name, None).unwrap(), Vec::new(), false);
        for it in &two {
            writer.add(it, "a capture").unwrap();
        }
        let both = writer.finish().unwrap();
        if format.name == "parquet" {
            let n: u64 = two.iter().map(|it| it.n_flows() as u64).sum();
            assert_eq!(rows(both).len() as u64, n);
            continue;
        }
        let is_row = |it: &&str| !it.starts_with(['@', '#']) && !it.starts_with("flow_id,");
        let lines = |text: Vec<u8>| -> Vec<String> {
            String::from_utf8(text).unwrap().lines().filter(is_row).map(str::to_owned).collect()
        };
        let apart = two.iter().flat_map(|it| lines(export(it, format.name, None)));
        assert_eq!(lines(both), apart.collect::<Vec<_>>(), "{}", format.name);
    }
}

#[test]
fn a_file_without_flows_is_one_too() {
    let analysis = analysis("empty.pcap", &made("header-only.pcap"));
    for format in FORMATS {
        let file = export(&analysis, format.name, None);
        match format.name {
            "parquet" => assert_eq!(rows(file).len(), 0),
            "jsonl" | "zeek-json" => assert!(file.is_empty()),
            _ => assert!(file.ends_with(b"\n")),
        }
    }
}

/// What a filter asks of a connection is what its page shows.
#[test]
fn a_filter_finds_the_connections_that_fared_badly() {
    type Of = fn(&v1::page::SideHealth) -> bool;
    let asked: [(&str, Of); 4] = [
        ("retransmissions>0", |it| it.retransmissions > 0),
        ("out_of_order>0", |it| it.out_of_order > 0),
        ("lost_bytes>0", |it| it.lost_bytes > 0),
        ("handshake>1ms", |it| it.handshake_ns.is_some_and(|it| it > 1_000_000)),
    ];
    let mut n_found = 0;
    for analysis in every() {
        for (filter, of) in asked {
            let found = analysis.passing(&Filter::parse(filter).unwrap());
            n_found += found.len();
            let is_so = |flow_id: &u32| {
                let answer = analysis
                    .page(&v1::page::Query::Flow { flow_id: *flow_id, timeout: "none".to_owned() });
                let detail: v1::page::FlowDetail = serde_json::from_value(answer).unwrap();
                detail.health.is_some_and(|it| it.iter().any(of))
            };
            let expected: Vec<u32> = (0..analysis.n_flows() as u32).filter(is_so).collect();
            assert_eq!(found, expected, "{filter}");
        }
    }
    assert!(n_found > 10, "{n_found} found");
}

/// The page's table cut by a timeout has the rows of the export, in each order.
#[test]
fn the_page_cuts_as_the_export_does() {
    use v1::page::{FlowRow, FlowSort, Flows, Query};
    let analysis = analysis("sample.pcapng", &sample());
    for timeout in ["none", "15", "idle:1", "published:15", "zeek"] {
        let mut export = Export::new("jsonl", None).unwrap();
        export.timeout = timeout.parse().unwrap();
        let lines = analysis.export(&export, "a capture", Vec::new()).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        let mut expected: Vec<FlowRow> =
            lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        let mut windows = Vec::new();
        let mut offset = 0;
        loop {
            let answer = analysis.page(&Query::Flows {
                filter: String::new(),
                timeout: timeout.to_owned(),
                sort: FlowSort::Bytes,
                is_descending: true,
                offset,
                len: 100,
            });
            let window: Flows = serde_json::from_value(answer).unwrap();
            assert_eq!(window.matching, expected.len() as u64, "{timeout}");
            assert_eq!(window.matching_flows, window.total);
            if window.rows.is_empty() {
                break;
            }
            offset += window.rows.len() as u32;
            windows.extend(window.rows);
        }
        // Equal ones are in order of their first packet.
        expected.sort_by_key(|it| (it.time_start_ns, it.flow_id));
        expected.sort_by_key(|it| std::cmp::Reverse(it.client_bytes + it.server_bytes));
        assert_eq!(windows, expected, "{timeout}");
        let n_pieces = |row: &FlowRow| {
            let flow_id = row.flow_id;
            let answer = analysis.page(&Query::Flow { flow_id, timeout: timeout.to_owned() });
            let detail: v1::page::FlowDetail = serde_json::from_value(answer).unwrap();
            (detail.cuts.len() as u64 + 1, detail.packets)
        };
        for row in expected.iter().filter(|it| it.piece.is_none_or(|it| it == 0)).take(200) {
            let of_flow = expected.iter().filter(|it| it.flow_id == row.flow_id);
            let packets: u64 =
                of_flow.clone().map(|it| it.client_packets + it.server_packets).sum();
            assert_eq!(n_pieces(row), (of_flow.count() as u64, packets), "{timeout}");
        }
    }
}

/// What the first look counts of TCP connections, its filters find.
#[test]
fn the_first_look_counts_what_its_filters_find() {
    let analysis = analysis("sample.pcapng", &sample());
    let answer = analysis.page(&v1::page::Query::Overview { bins: 10, filter: String::new() });
    let seen: v1::page::Overview = serde_json::from_value(answer).unwrap();
    assert!(seen.tcp.iter().any(|it| it.what == "refused") || seen.tcp.len() > 1, "{:?}", seen.tcp);
    for it in seen.tcp {
        let found = analysis.passing(&Filter::parse(&it.filter).unwrap());
        assert_eq!(found.len() as u64, it.flows, "{}", it.what);
        assert!(it.flows <= seen.tcp_flows);
    }
}
