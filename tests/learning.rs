//! From captures to models and back: labels from wherever they come, the same model in whatever order, and what a model says
//! of flows that say nothing of themselves.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use engine::{Analysis, Applying, Export, Filter, Job, LabelTable, Lesson, Studio, Teacher};
use features::TRACTOR;
use learn::Data;
use tests::{
    Random, Talk, dns,
    file::{self, Order, Pcapng, link, option},
    pcap,
};
use v1::page::{FlowDetail, FlowSort, Query, TrainingPlan, TrainingReport};

const START: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// A connection that says nothing anyone knows: one message, or so many in a row.
fn talk(number: u64, messages: u32, len: usize) -> Talk {
    let mut random = Random::new(number);
    let client = format!("10.0.0.1:{}", 40_000 + number);
    let mut talk = Talk::tcp(&client, "203.0.113.7:7777", START + number * SECOND);
    talk.open();
    for _ in 0..messages {
        talk.client([&[0xf5, 0xe3], &*random.bytes(20)].concat());
        talk.server(random.bytes(len));
    }
    talk
}

/// Connections that are quick, from this number on.
fn quick(from: u64, n: u64) -> Vec<Talk> {
    (from..from + n).map(|it| talk(it, 1, 80 + it as usize % 7)).collect()
}

/// Connections that last.
fn slow(from: u64, n: u64) -> Vec<Talk> {
    (from..from + n).map(|it| talk(it, 9, 1_000 + it as usize % 90)).collect()
}

fn analysis(talks: Vec<Talk>) -> Analysis {
    of_file(&pcap(talks))
}

fn of_file(file: &[u8]) -> Analysis {
    let mut job = Job::new("talks.pcap", 7);
    job.feed(file).unwrap();
    job.finish(false)
}

fn lesson(teacher: Teacher) -> Lesson {
    Lesson { filter: Filter::default(), teacher }
}

fn given(label: &str) -> Lesson {
    lesson(Teacher::Given(label.to_owned()))
}

fn plan(method: &str) -> TrainingPlan {
    TrainingPlan { method: method.to_owned(), name: "small".to_owned(), ..TrainingPlan::default() }
}

/// A studio that has learned from two captures of each kind, which came in this order.
fn studio(order: [usize; 4], method: &str) -> Studio {
    let captures = [
        ("a.pcap", "quick", quick(0, 24)),
        ("b.pcap", "quick", quick(100, 20)),
        ("c.pcap", "slow", slow(200, 24)),
        ("d.pcap", "slow", slow(300, 20)),
    ];
    let mut studio = Studio::new(&TRACTOR, None);
    for at in order {
        let (name, label, talks) = captures[at].clone();
        studio.add(&analysis(talks), name, &given(label)).unwrap();
    }
    studio.begin(&plan(method)).unwrap();
    while studio.step().is_some() {}
    studio
}

#[test]
fn the_order_in_which_captures_come_never_shows() {
    for method in learn::METHODS {
        let model = studio([0, 1, 2, 3], method.name).model().unwrap().write();
        assert_eq!(studio([3, 1, 0, 2], method.name).model().unwrap().write(), model);
    }
}

#[test]
fn what_is_judged_is_told_in_figures_and_row_by_row() {
    let mut studio = studio([0, 1, 2, 3], "forest");
    let report: TrainingReport = studio.report().unwrap();
    assert_eq!(report.split.as_deref(), Some("capture"));
    assert_eq!((report.figures.rows, report.leaking), (88, 0));
    assert!(report.figures.accuracy > 0.99 && report.majority.accuracy < 0.6, "{report:#?}");
    // All go to one port.
    assert!(report.ports.is_some_and(|it| it.accuracy < 0.6));
    let cell = studio.cell("slow", Some("slow"), 43, 10);
    assert_eq!((cell.matching, cell.rows.len()), (44, 1));
    let row = &cell.rows[0];
    assert_eq!((row.capture.as_str(), row.flow_id, row.server_port), ("d.pcap", 19, 7_777));
    assert_eq!((row.payload_label.as_str(), row.client_ip.as_str()), ("unknown", "10.0.0.1"));
    assert_eq!(studio.cell("slow", Some("quick"), 0, 10).matching, 0);
    assert_eq!(studio.cell("slow", None, 0, 10).matching, 0);
    let data = studio.data();
    assert_eq!((data.rows, data.parts.len(), data.lone.len()), (88, 4, 0));
    let model = Arc::clone(studio.model().unwrap());
    studio.judge(&model).unwrap();
    let again = studio.report().unwrap();
    assert_eq!((again.model.as_deref(), again.figures.rows), (Some("small"), 88));
    assert!(studio.relabel("a.pcap", "other") && studio.remove("b.pcap"));
    let labels: Vec<String> = studio.data().classes.into_iter().map(|it| it.label).collect();
    assert_eq!(labels, ["other", "slow"]);
}

#[test]
fn repeated_rows_are_left_out_where_that_is_asked_for() {
    let mut studio = Studio::new(&TRACTOR, None);
    studio.add(&analysis(quick(0, 9)), "a", &given("quick")).unwrap();
    studio.add(&analysis(quick(0, 9)), "b", &given("quick")).unwrap();
    studio.add(&analysis(slow(0, 9)), "c", &given("slow")).unwrap();
    let repeated = studio.data().duplicates;
    assert!(repeated >= 9, "{repeated}");
    studio.begin(&TrainingPlan { is_unique: true, ..plan("tree") }).unwrap();
    while studio.step().is_some() {}
    let report = studio.report().unwrap();
    assert_eq!((report.dropped, report.figures.rows), (repeated, 27 - repeated));
}

#[test]
fn a_model_labels_what_says_nothing_and_tells_why() {
    let studio = studio([0, 1, 2, 3], "forest");
    let model = studio.model().unwrap();
    let mut lookup = Talk::udp("10.0.0.1:50000", "10.0.0.53:53", START + 900 * SECOND);
    lookup.client(dns::query(1, "example.org", dns::kind::A));
    let talks = [quick(500, 1), slow(510, 1), vec![lookup]].concat();
    let mut read = analysis(talks);
    let applied = read.apply(model, &Applying::default()).unwrap();
    assert_eq!((applied.asked, applied.labelled, applied.overridden), (2, 2, 0));
    let rows: Vec<_> = read.rows().collect();
    let labels: Vec<&str> = rows.iter().map(|it| it.label.as_str()).collect();
    assert_eq!(labels, ["quick", "slow", "dns"]);
    assert_eq!((rows[0].evidence.as_str(), rows[2].evidence.as_str()), ("model", "payload"));
    let percent = rows[0].confidence.unwrap();
    assert_eq!(rows[0].reason, format!("model small, {percent} %"));
    assert_eq!(read.passing(&Filter::parse("reason:\"model small\"").unwrap()), [0, 1]);
    assert_eq!(read.passing(&Filter::parse("evidence:model confidence>=50").unwrap()), [0, 1]);
    let query = Query::Flow { flow_id: 1, timeout: "none".to_owned() };
    let detail: FlowDetail = serde_json::from_value(read.page(&query)).unwrap();
    let guess = detail.guess.unwrap();
    assert!((1..=3).contains(&guess.causes.len()), "{guess:#?}");
    assert!(guess.causes[0].words.en.contains("than in"), "{guess:#?}");
    assert!(guess.causes[0].words.ru.contains("чем в"), "{guess:#?}");
    read.take_guesses_back();
    assert!(read.rows().take(2).all(|it| it.label == "unknown" && it.confidence.is_none()));
}

#[test]
fn a_payload_is_overridden_only_where_that_is_asked_for() {
    let studio = studio([0, 1, 2, 3], "forest");
    let model = studio.model().unwrap();
    let mut talk = Talk::tcp("10.0.0.1:40000", "203.0.113.7:22", START);
    talk.open();
    talk.client("SSH-2.0-OpenSSH_9.7\r\n");
    talk.server("SSH-2.0-OpenSSH_9.6\r\n".repeat(4));
    let mut read = analysis(vec![talk]);
    let applied = read.apply(model, &Applying::default()).unwrap();
    assert_eq!(applied.asked, 0);
    let over = Applying { over_payload: true, threshold: 0.0 };
    let applied = read.apply(model, &over).unwrap();
    let row = read.rows().next().unwrap();
    assert_eq!((applied.asked, row.protocol.as_str()), (1, "ssh"));
    assert_eq!((applied.overridden, row.label.as_str()), (1, "quick"));
    // Nothing is learned from what a model says.
    let mut data = Data::of_schema(&TRACTOR, None);
    read.teach(&mut data, "a", &lesson(Teacher::Payload));
    assert_eq!(data.classes(), ["ssh"]);
    read.take_guesses_back();
    assert_eq!(read.rows().next().unwrap().label, "ssh");
}

fn detail(analysis: &Analysis, flow_id: u32) -> FlowDetail {
    let query = Query::Flow { flow_id, timeout: "none".to_owned() };
    serde_json::from_value(analysis.page(&query)).unwrap()
}

fn written(analysis: &Analysis, format: &str) -> Vec<u8> {
    let export = Export::new(format, None).unwrap();
    analysis.export(&export, "talks.pcap", Vec::new()).unwrap()
}

/// The cells of a column of a CSV whose cells end no line.
fn column(csv: &[u8], name: &str) -> Option<Vec<String>> {
    let text = std::str::from_utf8(csv).unwrap();
    let mut lines = text.lines().map(tests::csv_cells);
    let at = lines.next()?.iter().position(|it| it == name)?;
    lines.map(|it| it.get(at).cloned()).collect()
}

/// One that is quick, one that lasts, and one that says that it is SSH.
fn three() -> Analysis {
    let mut ssh = Talk::tcp("10.0.0.1:40900", "203.0.113.7:22", START + 900 * SECOND);
    ssh.open();
    ssh.client("SSH-2.0-OpenSSH_9.7\r\n");
    ssh.server("SSH-2.0-OpenSSH_9.6\r\n".repeat(4));
    analysis([quick(500, 1), slow(510, 1), vec![ssh]].concat())
}

#[test]
fn what_rules_say_and_what_a_model_guesses_stand_apart() {
    let studio = studio([0, 1, 2, 3], "forest");
    let model = studio.model().unwrap();
    let mut read = three();
    let formats = ["csv", "jsonl", "parquet", "zeek-json"];
    let before = formats.map(|it| written(&read, it));
    assert_eq!(column(&before[0], "rule_label"), None);
    assert!(read.rows().all(|it| it.rule_label.is_none() && it.model_label.is_none()));

    let over = Applying { over_payload: true, threshold: 0.0 };
    read.apply(model, &over).unwrap();
    let row = |it: &v1::page::FlowRow| {
        (it.rule_label.clone().unwrap(), it.model_label.clone(), it.label.clone())
    };
    let rows: Vec<_> = read.rows().collect();
    let said = |rules: &str, model: &str| (rules.into(), Some(model.into()), model.to_owned());
    assert_eq!(row(&rows[0]), said("unknown", "quick"));
    assert_eq!(row(&rows[1]), said("unknown", "slow"));
    assert_eq!(row(&rows[2]), said("ssh", "quick"));
    // Each is asked for by a key of its own, and sorted by.
    let passing = |filter: &str| read.passing(&Filter::parse(filter).unwrap());
    assert_eq!((passing("rules:unknown"), passing("rules:ssh")), (vec![0, 1], vec![2]));
    assert_eq!((passing("guess:quick"), passing("-guess:quick")), (vec![0, 2], vec![1]));
    let sorted = |sort| {
        let query = Query::Flows {
            filter: String::new(),
            timeout: "none".to_owned(),
            sort,
            is_descending: false,
            offset: 0,
            len: 9,
        };
        let flows: v1::page::Flows = serde_json::from_value(read.page(&query)).unwrap();
        flows.rows.iter().map(|it| it.flow_id).collect::<Vec<_>>()
    };
    assert_eq!(sorted(FlowSort::Label), [2, 0, 1]);
    assert_eq!(sorted(FlowSort::Guess).last(), Some(&1));
    // A flow tells both.
    let of_ssh = detail(&read, 2);
    let by_rules = of_ssh.by_rules.unwrap();
    assert_eq!((by_rules.label.as_str(), by_rules.evidence.as_str()), ("ssh", "payload"));
    assert!(!by_rules.reason.contains("model"), "{}", by_rules.reason);
    assert_eq!(of_ssh.guess.unwrap().label, "quick");
    // So do files; what they said before stays where it was.
    let csv = written(&read, "csv");
    assert_eq!(column(&csv, "rule_label").unwrap(), ["unknown", "unknown", "ssh"]);
    assert_eq!(column(&csv, "model_label").unwrap(), ["quick", "slow", "quick"]);
    assert_eq!(column(&csv, "label").unwrap(), ["quick", "slow", "quick"]);
    let header = |csv: &[u8]| String::from_utf8_lossy(csv).lines().next().unwrap().to_owned();
    assert!(header(&csv).starts_with(&header(&before[0])));
    assert!(String::from_utf8(written(&read, "jsonl")).unwrap().contains("\"rule_label\":\"ssh\""));
    assert!(written(&read, "parquet").windows(11).any(|it| it == b"model_label"));

    // Where no model was asked, nothing of it shows.
    read.take_guesses_back();
    assert_eq!(formats.map(|it| written(&read, it)), before);
}

#[test]
fn the_likeliest_classes_of_a_guess_are_told_with_what_they_had_to_reach() {
    let studio = studio([0, 1, 2, 3], "forest");
    let model = studio.model().unwrap();
    let mut read = three();
    read.apply(model, &Applying { over_payload: false, threshold: 0.6 }).unwrap();
    let guess = detail(&read, 1).guess.unwrap();
    assert_eq!((guess.label.as_str(), guess.is_taken, guess.is_unlike), ("slow", true, false));
    assert!((guess.threshold - 0.6).abs() < 1e-6 && guess.confidence >= guess.threshold);
    let labels: Vec<&str> = guess.likeliest.iter().map(|it| it.label.as_str()).collect();
    assert_eq!((labels, guess.classes), (vec!["slow", "quick"], 2));
    let sum: f64 = guess.likeliest.iter().map(|it| it.share).sum();
    assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    assert!(guess.likeliest.is_sorted_by(|a, b| a.share >= b.share));
    // Who was not asked of has none.
    assert!(detail(&read, 2).guess.is_none() && detail(&read, 2).by_rules.is_none());
    // What stays unknown has them as well.
    read.take_guesses_back();
    read.apply(model, &Applying { over_payload: false, threshold: 1.1 }).unwrap();
    let unsure = detail(&read, 1);
    let again = unsure.guess.unwrap();
    assert_eq!((again.label.as_str(), again.is_taken), ("slow", false));
    assert_eq!((unsure.row.label.as_str(), unsure.row.model_label), ("unknown", None));
    assert_eq!(again.likeliest, guess.likeliest);
    assert!(again.confidence < again.threshold);
}

/// The columns have the same names and hold other statistics.
#[test]
fn tables_of_different_schemas_do_not_go_together() {
    let table = |schema: &'static features::Schema| {
        let mut data = Data::of_schema(schema, Some(15_000_000));
        for (at, label) in ["a", "b", "a", "b"].into_iter().enumerate() {
            data.push(vec![at as f32; schema.n_features()], label, learn::Row::default());
        }
        data
    };
    let (b, a2) = (table(&features::ISCX_B), table(&features::ISCX_A2));
    assert_eq!(b.columns, a2.columns);
    let mut studio = Studio::new(&TRACTOR, None);
    studio.add_table("b.arff", b.clone(), Vec::new()).unwrap();
    let refused = studio.add_table("a2.arff", a2.clone(), Vec::new()).unwrap_err().to_string();
    assert!(refused.contains("iscx-a2") && refused.contains("iscx-b"), "{refused}");
    studio.begin(&TrainingPlan { folds: 0, ..plan("tree") }).unwrap();
    while studio.step().is_some() {}
    let model = studio.model().unwrap();
    assert!(engine::say(model, &b).is_ok());
    assert!(engine::say(model, &a2).is_err());
}

#[test]
fn what_a_model_is_not_sure_of_stays_unknown_and_says_so() {
    let studio = studio([0, 1, 2, 3], "forest");
    let model = studio.model().unwrap();
    let mut read = analysis(quick(500, 1));
    let applied = read.apply(model, &Applying { threshold: 1.1, over_payload: false }).unwrap();
    assert_eq!((applied.asked, applied.unsure), (1, 1));
    let row = read.rows().next().unwrap();
    assert_eq!((row.label.as_str(), row.evidence.as_str()), ("unknown", "unknown"));
    assert!(row.reason.contains("model small is not sure"), "{}", row.reason);
    // An hour between packets, and far more of them than in any flow the model learned from.
    let mut talk = talk(0, 400, 1_400);
    talk.wait_micros(3_600_000_000);
    talk.client("so");
    let mut read = analysis(vec![talk]);
    let applied = read.apply(model, &Applying { threshold: 0.0, over_payload: false }).unwrap();
    let row = read.rows().next().unwrap();
    assert_eq!((applied.unlike, row.label.as_str()), (1, "unknown"), "{}", row.reason);
    assert!(row.reason.contains("model small knows nothing like it"), "{}", row.reason);
}

#[test]
fn a_comment_says_the_label_of_a_capture() {
    let comments: [file::BlockOption<'_>; 2] =
        [(option::COMMENT, b"label: skype"), (option::COMMENT, b"made at home")];
    let mut file = Pcapng::new(Order::Little, &comments);
    file.interface(link::ETHERNET, 262_144, &[]);
    for sent in quick(0, 3).into_iter().flat_map(Talk::packets) {
        let units = sent.nanos / 1_000;
        file.packet(0, units, &tests::in_ethernet(&sent), &[]);
    }
    let read = of_file(&file.bytes());
    assert_eq!(read.label_of_comments().as_deref(), Some("skype"));
    let mut data = Data::of_schema(&TRACTOR, None);
    let taught = read.teach(&mut data, "a", &lesson(Teacher::Comment));
    assert_eq!((data.classes(), taught.flows.len()), (&["skype".to_owned()][..], 3));
    let taught = analysis(quick(0, 3)).teach(&mut data, "b", &lesson(Teacher::Comment));
    assert_eq!((taught.flows.len(), taught.unlabelled), (0, 3));
}

#[test]
fn flows_say_their_labels_themselves_and_a_filter_leaves_some_out() {
    let mut lookup = Talk::udp("10.0.0.1:50000", "10.0.0.53:53", START);
    lookup.client(dns::query(1, "example.org", dns::kind::A));
    let mut talks = quick(0, 2);
    talks.push(lookup);
    let read = analysis(talks);
    let mut data = Data::of_schema(&TRACTOR, None);
    let taught = read.teach(&mut data, "a", &lesson(Teacher::Payload));
    assert_eq!((data.classes(), taught.unlabelled), (&["dns".to_owned()][..], 2));
    read.teach(&mut data, "a", &lesson(Teacher::Groups));
    assert_eq!(data.classes(), ["dns", "names"]);
    let filter = Filter::parse("-proto:dns").unwrap();
    let taught = read.teach(&mut data, "a", &Lesson { filter, ..given("x") });
    assert_eq!((taught.flows.len(), taught.filtered), (2, 1));
}

#[test]
fn a_table_names_flows_by_their_ends_and_times() {
    let seconds = START / SECOND;
    let text = format!(
        "Src IP,Src Port,Dst IP,Dst Port,Protocol,Start,End,Label\n\
        10.0.0.1,40000,203.0.113.7,7777,6,{seconds},{},first\n\
        203.0.113.7,7777,10.0.0.1,40001,6,{seconds},{},second\n\
        203.0.113.7,7777,10.0.0.1,40001,6,{seconds},{},other\n",
        seconds + 1,
        seconds + 2,
        seconds + 2,
    );
    let table = Arc::new(LabelTable::read(&text).unwrap());
    let mut data = Data::of_schema(&TRACTOR, None);
    let taught = analysis(quick(0, 3)).teach(&mut data, "a", &lesson(Teacher::Table(table)));
    assert_eq!(data.classes(), ["first"]);
    assert_eq!(
        (taught.flows.as_slice(), taught.unlabelled, taught.contradicting),
        (&[0][..], 1, 1)
    );
}

#[test]
fn sessions_are_learned_from_and_labelled_as_well() {
    let mut studio = Studio::new(&features::SESSION, None);
    studio.add(&analysis(quick(0, 12)), "a", &given("quick")).unwrap();
    studio.add(&analysis(slow(0, 12)), "b", &given("slow")).unwrap();
    let rows = studio.data().rows;
    assert!(rows >= 2, "{rows}");
    let numbers = [("min-leaf".to_owned(), 1)].into();
    studio.begin(&TrainingPlan { folds: 0, numbers, ..plan("tree") }).unwrap();
    while studio.step().is_some() {}
    let mut read = analysis(slow(0, 12));
    let applied = read
        .apply(studio.model().unwrap(), &Applying { threshold: 0.0, over_payload: false })
        .unwrap();
    assert_eq!((applied.asked, applied.labelled), (12, 12));
    assert!(read.rows().all(|it| it.label == "slow"));
}
