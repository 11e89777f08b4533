//! The built page in headless Chromium, used as a person would. Run by `cargo xtask test`.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access;
mod driver;
mod hosting;
mod opening;
mod packets;
mod pictures;
mod seal;
mod table;
mod views;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use driver::{Browser, Companion, Site, capture, setting};
use engine::{Analysis, Applying, Filter, Job, Lesson, Studio, Teacher};
use serde_json::json;
use tests::{Taught, taught};
use v1::page::TrainingPlan;

/// Captures in which there is nothing to read.
const UNREADABLE: [&str; 2] = ["empty.pcap", "not-a-capture.pcap"];

/// The names of all captures, in order.
fn captures() -> Vec<String> {
    let entries = fs::read_dir(capture("")).unwrap();
    let mut names: Vec<String> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|it| it.contains(".pcap"));
    names.sort();
    names
}

/// What `tractor` prints; captures are named as the page names them, without a folder.
fn tractor(arguments: &[&str]) -> String {
    String::from_utf8(tractor_bytes(arguments)).unwrap()
}

fn tractor_bytes(arguments: &[&str]) -> Vec<u8> {
    let mut command = Command::new(setting("TRACTOR"));
    let output = command.args(arguments).current_dir(capture("")).output().unwrap();
    // 1 says that a capture is damaged.
    assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {output:?}");
    output.stdout
}

/// The greatest count of this title.
fn first(statistics: &str, title: &str) -> Option<String> {
    let statistics: Vec<v1::StatisticItem> = serde_json::from_str(statistics).unwrap();
    let item = statistics.into_iter().find(|it| it.title == title)?;
    Some(item.content.into_iter().next()?.label)
}

/// The page answers as the command line does, byte for byte.
fn check_answers(browser: &Browser, name: &str) {
    let statistics = tractor(&["stats", name]);
    let statistics = statistics.trim_end();
    assert_eq!(browser.v1(&json!({"Statistics": {"job": 1}})), statistics, "{name}");
    if let Some(label) = first(statistics, "labels") {
        assert_eq!(
            browser.v1(&json!({"StatisticsOfLabel": {"job": 1, "label": label}})),
            tractor(&["stats", name, "--label", &label]).trim_end(),
            "{name}"
        );
    }
    if let Some(ip) = first(statistics, "clients") {
        assert_eq!(
            browser.v1(&json!({"StatisticsOfIp": {"job": 1, "ip": ip}})),
            tractor(&["stats", name, "--ip", &ip]).trim_end(),
            "{name}"
        );
    }
}

#[test]
fn every_capture_chosen_or_dropped_gives_what_the_command_line_gives() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let names = captures();
    for kind in [".pcap", ".pcapng"] {
        assert!(names.iter().filter(|it| it.ends_with(kind)).count() > 1, "{names:?}");
    }
    for (at, name) in names.iter().enumerate() {
        match at % 2 {
            0 => browser.choose(&capture(name)),
            _ => browser.drop_file(&capture(name)),
        }
        if UNREADABLE.contains(&&**name) {
            let failure = "document.querySelector('main .failure')?.innerText";
            browser.until(&format!("{failure}.includes('{name}')"));
            continue;
        }
        browser.until_read_of(name);
        check_answers(&browser, name);
    }
}

#[test]
fn what_is_saved_is_what_the_command_line_writes() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    // Keeps what the page gives the browser to save.
    browser.run(
        "const make = URL.createObjectURL;
        URL.createObjectURL = blob => { globalThis.saved = blob; return make.call(URL, blob); };",
        &[],
    );
    let check = |format: usize, filter: &str, arguments: &[&str]| {
        browser.run(
            "location.hash = '#v=export&q=' + encodeURIComponent(arguments[0])",
            &[json!(filter)],
        );
        browser.until("document.querySelector('#save:enabled') !== null");
        browser.run("globalThis.saved = null; document.querySelectorAll('input[name=format]')[arguments[0]].click()", &[
            json!(format),
        ]);
        browser.click("#save");
        browser.until("globalThis.saved !== null");
        // A character a byte.
        let saved = browser.run(
            "return saved.arrayBuffer().then(it => Array.from(new Uint8Array(it), it => String.fromCharCode(it)).join(''))",
            &[],
        );
        let saved: Vec<char> = saved.as_str().unwrap().chars().collect();
        let expected: Vec<char> = tractor_bytes(arguments).into_iter().map(char::from).collect();
        let differs = saved.iter().zip(&expected).position(|(one, other)| one != other);
        assert_eq!((saved.len(), differs), (expected.len(), None), "{arguments:?}");
    };
    let sample = ["flows", "sample.pcapng"];
    for (at, format) in engine::FORMATS.iter().enumerate() {
        check(
            at,
            "label:vk",
            &[&sample[..], &["--filter", "label:vk", "--format", format.name]].concat(),
        );
    }
    check(0, "", &sample);
}

#[test]
fn the_table_is_cut_at_once() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    let lines =
        |timeout: &str| tractor(&["flows", "sample.pcapng", "--timeout", timeout]).lines().count();
    // Figures have spaces that do not break before their words.
    let says = |text: &str| {
        format!(
            r"document.querySelector('.above').innerText.replace(/\u00a0/g, ' ').includes('{text}')"
        )
    };
    browser.run("location.hash = '#v=flows'", &[]);
    browser.until(&says(&format!("{} flows", lines("none"))));
    for timeout in ["idle:15", "15", "zeek"] {
        browser.run(
            "const cut = document.querySelector('#cut');
            cut.value = arguments[0];
            cut.dispatchEvent(new Event('change', { bubbles: true }));",
            &[json!(timeout)],
        );
        browser.until(&says(&format!("{} pieces", lines(timeout))));
    }
    // The address keeps it.
    browser.until("location.hash.includes('t=zeek')");
}

#[test]
fn sessions_are_joined_and_parted() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    let flows =
        |n: usize| format!("document.querySelectorAll('table.spans tbody tr').length === {n}");
    browser.run("location.hash = '#v=sessions&id=0'", &[]);
    browser.until("document.querySelector('form.join') !== null");
    let n = browser.run("return document.querySelectorAll('table.spans tbody tr').length", &[]);
    let n = n.as_u64().unwrap() as usize;
    // The last flow is of another session.
    let last = tractor(&["flows", "sample.pcapng"]).lines().count() - 1;
    browser.run("document.querySelector('form.join input').value = arguments[0]", &[json!(last)]);
    browser.click("form.join button");
    browser.until(&format!("document.querySelectorAll('table.spans tbody tr').length > {n}"));
    browser.run("location.hash = '#v=sessions'", &[]);
    browser.until("document.querySelectorAll('.decisions li').length === 1");
    browser.click(".decisions button");
    browser.until("document.querySelectorAll('.decisions li').length === 0");
    browser.run("location.hash = '#v=sessions&id=0'", &[]);
    browser.until(&flows(n));
}

#[test]
fn a_companion_serves_the_sealed_page_and_its_own() {
    let site = Site::start();
    let companion = Companion::start("ethernet.pcap");
    let browser = Browser::start(&site, "en");
    browser.go(&companion.address);
    browser.until("document.querySelector('#choose-file:enabled') !== null");
    browser.choose(&capture("sample.pcapng"));
    browser.until_read_of("sample.pcapng");
    check_answers(&browser, "sample.pcapng");

    browser.go(&format!("{}server/", companion.address));
    browser.until("document.querySelector('table.files') !== null");
    assert_eq!(browser.run("return tractor.isSealed()", &[]), json!(false));
    browser.click("table.files button");
    browser.click("table.files a.btn");
    browser.until("document.querySelector('main').innerText.includes('192.0.2.80')");
}

#[test]
fn a_capture_of_the_companions_has_the_same_views() {
    let site = Site::start();
    let companion = Companion::start("sample.pcapng");
    let browser = Browser::start(&site, "en");
    browser.go(&format!("{}server/", companion.address));
    browser.until("document.querySelector('table.files button') !== null");
    browser.click("table.files button");
    browser.until("document.querySelector('table.files a.btn.main') !== null");
    browser.click("table.files a.btn.main");
    browser.until("document.querySelector('nav.rail') !== null");
    // It is said that nothing is sealed here, and what needs the file is not offered.
    browser.until("document.querySelector('.seal.is-open') !== null");
    let ways = "[...document.querySelectorAll('nav.rail a')].map(it => it.hash).join(' ')";
    assert_eq!(
        browser.run(&format!("return /export|train|compare/.test({ways})"), &[]),
        json!(false)
    );
    let flows =
        browser.run("return document.querySelector('nav.rail a[href*=flows] .n').innerText", &[]);
    assert_eq!(flows, json!("440"));
    browser.run("location.hash = '#v=flows&q=label:vk&s=bytes&d=1&id=25'", &[]);
    browser.until("document.querySelector('aside.detail h2')?.innerText.includes('flow 25')");
    browser.until("[...document.querySelectorAll('.list tbody tr')].filter(it => it.innerText.includes('VK')).length === 18");
    browser.until("document.querySelector('#save-packets').offsetParent === null");
    // A session that is joined here is joined at the companion.
    let sessions = "document.querySelector('nav.rail a[href*=sessions] .n').innerText";
    let before = browser.run(&format!("return {sessions}"), &[]);
    browser.run("location.hash = '#v=sessions&id=0'", &[]);
    browser.until("document.querySelector('form.join input') !== null");
    browser.run(
        "const field = document.querySelector('form.join input'); field.value = '5'; \
         field.dispatchEvent(new Event('input', {bubbles: true})); field.form.requestSubmit()",
        &[],
    );
    browser.until(&format!("{sessions} !== '{}'", before.as_str().unwrap()));
    browser.click("#to-companion");
    browser.until("document.querySelector('table.files') !== null");
}

#[test]
fn the_sample_opens_by_its_button() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.click("#open-sample");
    browser.until_read();
    check_answers(&browser, "sample.pcapng");
    browser.click("nav.rail a[href^='#v=flows']");
    browser.until("document.querySelectorAll('main table tbody tr').length > 10");
}

#[test]
fn a_stopped_reading_keeps_what_was_read() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    // One packet again and again, 320 MB of it.
    let script = "
        const record = 16 + 60;
        const header = new Uint8Array(24);
        new DataView(header.buffer).setUint32(0, 0xa1b2c3d4);
        header.set([0, 2, 0, 4], 4);
        new DataView(header.buffer).setUint32(16, 65535);
        new DataView(header.buffer).setUint32(20, 1);
        const part = new Uint8Array(record * 200000);
        for (let at = 0; at < part.length; at += record) {
            const view = new DataView(part.buffer, at, record);
            view.setUint32(0, 1700000000 + at / record);
            view.setUint32(8, 60);
            view.setUint32(12, 60);
            view.setUint16(28, 0x0800);
            part.set([0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], at + 30);
        }
        const data = new DataTransfer();
        data.items.add(new File([header, ...Array(21).fill(part)], 'long.pcap'));
        document.body.dispatchEvent(
            new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));";
    browser.run(script, &[]);
    // Something has been read.
    browser.until(
        "Number(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')) > 0",
    );
    browser.click("#stop");
    browser.until_read();
    let statistics = browser.v1(&json!({"Statistics": {"job": 1}}));
    assert!(statistics.contains("10.0.0.1"), "{statistics}");
    browser.until("document.querySelector('main').innerText.includes('topped')");
}

#[test]
fn the_page_speaks_both_languages_and_hears_keys() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "ru");
    assert_eq!(browser.run("return document.documentElement.lang", &[]), json!("ru"));
    browser.click("#open-sample");
    browser.until_read();
    browser.press("2");
    browser.until("location.hash.startsWith('#v=flows')");
    browser.press("l");
    browser.until("document.documentElement.lang === 'en'");
    browser.press("?");
    browser.until("document.querySelector('dialog[open]') !== null");
}

#[test]
fn rules_of_the_users_are_checked_obeyed_and_taken_away() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "ru");
    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    let main_says = |text: &str| {
        browser
            .until(&format!("document.querySelector('main').innerText.includes({})", json!(text)));
    };
    browser.run("location.hash = '#v=labels'", &[]);
    browser.until("document.querySelector('#own-rules-text') !== null");
    main_says("нет ни одного");
    let write = |text: &str| {
        let script = "const field = document.querySelector('#own-rules-text');
            field.value = arguments[0];
            field.dispatchEvent(new Event('input', {bubbles: true}))";
        browser.run(script, &[json!(text)]);
        browser.click("#own-rules button[type=submit]");
    };
    write("[[rule]]\nlabel = \"наше\"\nport = [443]\n");
    main_says("правило 1 (`наше`): неизвестный ключ `port`");

    let rules = "[[rule]]\nlabel = \"our web\"\ngroup = \"web\"\nbytes = [{ side = \"client\", hex = \"16 03\" }]\n";
    write(rules);
    main_says("действует 1\u{a0}правило");
    let folder = std::env::temp_dir().join(format!("tractor-rules-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("rules.toml");
    fs::write(&file, rules).unwrap();
    let of_label = json!({"StatisticsOfLabel": {"job": 1, "label": "our web"}});
    let options = ["stats", "sample.pcapng", "--label", "our web", "--rules"];
    let expected = tractor(&[&options[..], &[file.to_str().unwrap()]].concat());
    browser.until_read_of("sample.pcapng");
    assert_eq!(browser.v1(&of_label), expected.trim_end());

    browser.click("#own-rules button.btn:last-of-type");
    main_says("нет ни одного");
    browser.until_read_of("sample.pcapng");
    assert!(!browser.v1(&json!("Labels")).contains("our web"));

    browser.choose_in("#own-rules-file", &file);
    main_says("действует 1\u{a0}правило");
    browser.until_read_of("sample.pcapng");
    assert_eq!(browser.v1(&of_label), expected.trim_end());
    let _ = fs::remove_dir_all(folder);
}

/// Captures to learn from and one to apply to, in a folder of their own: their names, classes and bytes.
fn lessons() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    use Taught::{Chat, Load};
    vec![
        ("chat-1.pcap", "chat", taught(&[Chat], 14, 1)),
        ("chat-2.pcap", "chat", taught(&[Chat], 12, 2)),
        ("load-1.pcap", "load", taught(&[Load], 14, 3)),
        ("load-2.pcap", "load", taught(&[Load], 12, 4)),
        ("fifth.pcap", "", taught(&[Chat, Load], 9, 5)),
    ]
}

fn analysis(name: &str, bytes: &[u8]) -> Analysis {
    let mut job = Job::new(name, 7);
    job.feed(bytes).unwrap();
    job.finish(false)
}

/// What is learned natively from the captures that have a class.
fn learned() -> Studio {
    let mut studio = Studio::new(features::schema("tractor").unwrap(), None);
    for (name, class, bytes) in lessons().iter().filter(|it| !it.1.is_empty()) {
        let teacher = Teacher::Given((*class).to_owned());
        let lesson = Lesson { filter: Filter::default(), teacher };
        studio.add(&analysis(name, bytes), name, &lesson).unwrap();
    }
    studio.begin(&TrainingPlan::default()).unwrap();
    while studio.step().is_some() {}
    studio
}

/// Applies the newest model to a capture; what the page says of it, and how many flows are shown with a guess.
fn applied(browser: &Browser, file: &Path) -> (String, u64) {
    let name = file.file_name().unwrap().to_str().unwrap();
    browser.choose(file);
    browser.until_read_of(name);
    browser.run("location.hash = '#v=train'", &[]);
    browser.until("document.querySelector('#apply') !== null");
    browser.click("#apply");
    browser.until("document.querySelector('#applied') !== null");
    let said = browser.run("return document.querySelector('#applied').innerText", &[]);
    browser.run("location.hash = '#v=flows&q=evidence:model'", &[]);
    browser.until("document.querySelectorAll('main table .guess').length > 0");
    let shown = browser.run("return document.querySelectorAll('main table .guess').length", &[]);
    (said.as_str().unwrap().to_owned(), shown.as_u64().unwrap())
}

#[test]
fn a_model_is_trained_judged_saved_loaded_and_applied_without_a_request() {
    let folder = std::env::temp_dir().join(format!("tractor-lessons-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let files: Vec<PathBuf> = lessons()
        .iter()
        .map(|(name, _, bytes)| {
            fs::write(folder.join(name), bytes).unwrap();
            folder.join(name)
        })
        .collect();
    let studio = learned();
    let model = studio.model().unwrap();
    let figures = studio.report().unwrap().figures;
    let mut fifth = analysis("fifth.pcap", &fs::read(&files[4]).unwrap());
    let expected = fifth.apply(&Arc::clone(model), &Applying::default()).unwrap();
    assert!(expected.labelled > 0, "{expected:?}");

    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    site.asked();
    browser.click("#to-train");
    browser.until("document.querySelector('#choose-training:enabled') !== null");
    let lessons: Vec<&Path> = files.iter().take(4).map(PathBuf::as_path).collect();
    browser.drop_files(&lessons);
    browser.until("document.querySelector('#start:enabled') !== null");
    // Classes are what the names say.
    let classes = browser.run(
        "return Array.from(document.querySelectorAll('.parts input.class'), it => it.value)",
        &[],
    );
    assert_eq!(classes, json!(["chat", "chat", "load", "load"]));
    browser.click("#start");
    browser.until("document.querySelector('#result .matrix') !== null");
    let matrix = browser.run(
        "return Array.from(document.querySelectorAll('.matrix tbody tr'),
            row => Array.from(row.querySelectorAll('button'), it => Number(it.innerText)))",
        &[],
    );
    let counts: Vec<&[u64]> = figures.confusion.iter().map(|it| &it[..2]).collect();
    assert_eq!(matrix, json!(counts));
    // A cell opens its flows: by the mouse, and by keys.
    browser.click("#cell-0-0");
    let rows =
        |n: u64| format!("document.querySelectorAll('table.judged tbody tr').length === {n}");
    browser.until(&rows(figures.confusion[0][0]));
    browser.press("\u{e015}");
    browser.press("\u{e014}");
    browser.until("document.activeElement.id === 'cell-1-1'");
    browser.press("\u{e007}");
    browser.until("location.hash.includes('id=1.1')");
    browser.until(&rows(figures.confusion[1][1]));

    // The file is the one that is made natively.
    browser.run(
        "const make = URL.createObjectURL;
        URL.createObjectURL = blob => { globalThis.saved = blob; return make.call(URL, blob); };",
        &[],
    );
    browser.click("#model-0 .save-model");
    browser.until("globalThis.saved !== undefined");
    let saved =
        browser.run("return saved.arrayBuffer().then(it => Array.from(new Uint8Array(it)))", &[]);
    assert_eq!(saved, json!(model.write()));

    let before = applied(&browser, &files[4]);
    assert_eq!(before.1, expected.labelled);
    assert!(before.0.contains(&format!("{}\u{a0}flows of {}", expected.labelled, expected.asked)));
    assert_eq!(site.asked(), Vec::<String>::new());

    // The same after all was forgotten.
    browser.go(&format!("http://127.0.0.1:{}/", site.port));
    browser.until("document.querySelector('#choose-file:enabled') !== null");
    site.asked();
    browser.run("location.hash = '#v=train'", &[]);
    browser.until("document.querySelector('#model-input') !== null");
    let file = folder.join("saved.model");
    fs::write(&file, model.write()).unwrap();
    browser.choose_in("#model-input", &file);
    browser.until("document.querySelector('#model-0') !== null");
    assert_eq!(applied(&browser, &files[4]), before);
    assert_eq!(site.asked(), Vec::<String>::new());
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn what_rules_say_and_what_a_model_guesses_have_columns_of_their_own() {
    let folder = std::env::temp_dir().join(format!("tractor-guesses-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let [model, capture] = ["taught.model", "fifth.pcap"].map(|it| folder.join(it));
    fs::write(&model, learned().model().unwrap().write()).unwrap();
    fs::write(&capture, &lessons().last().unwrap().2).unwrap();
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.choose(&capture);
    browser.until_read_of("fifth.pcap");
    browser.run("location.hash = '#v=flows'", &[]);
    let titles = "[...document.querySelectorAll('#rows th')].map(it => it.innerText.replace(/\\W+$/, '')).join('|')";
    browser.until(&format!("{titles}.includes('|Label|Client')"));
    browser.run("location.hash = '#v=train'", &[]);
    browser.until("document.querySelector('#model-input') !== null");
    browser.choose_in("#model-input", &model);
    browser.until("document.querySelector('#model-0') !== null");
    let (_, shown) = applied(&browser, &capture);
    assert!(shown > 0);
    browser.until(&format!("{titles}.includes(\"|Label|Model's guess|Client\")"));
    // What rules do not know stays unknown in their column.
    let cell = |at: u32| {
        format!("document.querySelector('#rows tbody tr[aria-rowindex]').cells[{at}].innerText")
    };
    browser.until(&format!("/unknown/i.test({}) && !/%/.test({})", cell(1), cell(1)));
    browser.until(&format!("/^.?\\s*(chat|load) \\?\\s+\\d+\\s%/i.test({})", cell(2)));
    browser.run("location.hash = '#v=flows&q=rules:unknown%20guess:chat'", &[]);
    browser.until("document.querySelectorAll('#rows .guess').length > 0 && ![...document.querySelectorAll('#rows .guess')].some(it => /load/i.test(it.innerText))");
    // A flow tells both, the likeliest classes, and what they had to reach.
    browser.click("#rows tbody tr[aria-rowindex] a");
    browser.until("document.querySelectorAll('.guessed .likeliest tbody tr').length === 2");
    browser.until("/unknown/i.test(document.querySelector('.detail h2').innerText)");
    browser.until(
        "/It counts: .* 50\\s% are asked for/.test(document.querySelector('.guessed').innerText)",
    );
    let shares = "[...document.querySelectorAll('.likeliest td.num')].map(it => parseFloat(it.innerText.replace('< ', '').replace('> ', '')))";
    browser.until(&format!("{shares}[0] >= {shares}[1] && {shares}[0] + {shares}[1] > 99"));
    browser.until("document.querySelectorAll('.guessed .causes li').length > 0");
    browser.click("#lang-ru");
    browser.until("/Вероятнее всего/i.test(document.querySelector('.guessed').innerText) && document.querySelector('.guessed').innerText.includes('порог')");
    assert_eq!(site.asked().iter().filter(|it| it.contains("model")).count(), 0);
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn a_filter_is_typed_by_suggestions_and_what_is_wrong_leaves_the_last_one() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    browser.run("location.hash = '#v=flows'", &[]);
    let rows = "document.querySelectorAll('main table tbody tr').length";
    browser.until(&format!("{rows} > 5"));
    let n_all = browser.run(&format!("return {rows}"), &[]);
    let type_keys = |text: &str| text.chars().for_each(|it| browser.press(&it.to_string()));
    let value = "document.querySelector('#filter').value";

    // What is wrong is underlined and said; the rows stay.
    browser.press("/");
    browser.until("document.activeElement.id === 'filter'");
    type_keys("labl:vk");
    browser.until("document.querySelector('.filter-under u')?.textContent === 'labl'");
    browser.until(
        "document.querySelector('#filter-wrong').innerText.includes('did you mean `label`')",
    );
    browser.until("document.querySelector('#filter').getAttribute('aria-invalid') === 'true'");
    browser.press("\u{e007}");
    assert_eq!(browser.run(&format!("return {rows}"), &[]), n_all);
    assert_eq!(browser.run("return location.hash.includes('q=')", &[]), json!(false));

    // A key, then a value, taken by keys.
    browser.run("document.querySelector('#filter').select()", &[]);
    type_keys("lab");
    browser.until(
        "document.querySelector('#filter-list [role=option]')?.innerText.startsWith('label:')",
    );
    browser.press("\u{e015}");
    browser.until(
        "document.querySelector('#filter').getAttribute('aria-activedescendant') === 'filter-0'",
    );
    browser.press("\u{e007}");
    browser.until(&format!("{value} === 'label:'"));
    type_keys("v");
    browser.until("document.querySelector('#filter-list .num')?.innerText > 0");
    browser.until("document.querySelector('#filter-list .mono').innerText === 'vk'");
    let n_vk = browser.run("return document.querySelector('#filter-list .num').innerText", &[]);
    browser.press("\u{e004}");
    browser.until(&format!("{value} === 'label:vk'"));
    browser.until("document.querySelector('.chip')?.innerText.includes('label:vk')");
    browser.until(&format!("{rows} < {n_all}"));
    let expected = n_vk.as_str().unwrap().parse::<u64>().unwrap();
    let said = tractor(&["flows", "sample.pcapng", "--filter", "label:vk"]);
    assert_eq!(said.lines().count() as u64, expected);

    // A chip takes its condition out; the box shows the filters there were, and what escapes closes it.
    browser.press("\u{e007}");
    browser
        .run("document.querySelector('.above .chip').click(); document.activeElement.blur()", &[]);
    browser.until(&format!("{value} === ''"));
    browser.press("/");
    browser.until("document.querySelector('#filter-list .mono')?.innerText === 'label:vk'");
    browser.press("\u{e00c}");
    browser.until("document.querySelector('#filter-list') === null");
    assert_eq!(
        browser.run("return JSON.stringify(localStorage).includes('vk')", &[]),
        json!(false)
    );
}
