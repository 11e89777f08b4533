//! Whether everybody can use the page: every view in both languages and themes, wide and narrow; and by the keyboard alone.
//! Run by `cargo xtask test`.

use std::{fs, path::PathBuf};

use serde_json::json;

use crate::driver::{Browser, Site, capture};

/// What is wrong with the page as it is shown.
const ACCESS: &str = include_str!("../driver/access.js");

/// Until what is asked for is there: some pictures, and some tenths of a second.
const SETTLED: &str = "return new Promise(it => setTimeout(it, 400))";

/// The views, each as an address.
const VIEWS: [&str; 12] = [
    "#v=overview",
    "#v=flows",
    "#v=flows&id=0",
    "#v=hosts",
    "#v=hosts&id=10.20.0.11",
    "#v=sessions",
    "#v=sessions&id=0",
    "#v=talks",
    "#v=labels",
    "#v=compare",
    "#v=export",
    "#v=train",
];

/// Views that show what came of something.
const RESULTS: [&str; 3] = ["#v=compare", "#v=train", "#v=train&id=0.0"];

/// Sets another capture beside the open one.
fn compare(browser: &Browser) {
    browser.run("location.hash = '#v=compare'", &[]);
    browser.until("document.querySelector('#other-input') !== null");
    browser.choose_in("#other-input", &capture("ethernet.pcap"));
    browser.until("document.querySelector('table.compared') !== null");
}

/// Learns from captures.
fn train(browser: &Browser) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("access");
    fs::create_dir_all(&folder).unwrap();
    browser.run("location.hash = '#v=train'", &[]);
    browser.until("document.querySelector('#training-input') !== null");
    for (name, _, bytes) in crate::lessons().iter().filter(|it| !it.1.is_empty()) {
        fs::write(folder.join(name), bytes).unwrap();
        browser.choose_in("#training-input", &folder.join(name));
    }
    browser.until("document.querySelectorAll('.parts tbody tr').length === 4");
    browser.until("document.querySelector('#start:enabled') !== null");
    browser.click("#start");
    browser.until("document.querySelector('#result .matrix') !== null");
}

fn complaints(browser: &Browser, what: &str, found: &mut Vec<String>) {
    let said = browser.run(ACCESS, &[]);
    let said = said.as_array().unwrap_or_else(|| panic!("{what}: {said}"));
    found.extend(said.iter().map(|it| format!("{what}: {it}")));
}

#[test]
fn every_view_can_be_used_by_everybody() {
    let site = Site::start();
    let mut found = Vec::new();
    for (language, theme) in [("en", "light"), ("ru", "dark")] {
        let browser = Browser::open_page(&site, language);
        browser.run("document.documentElement.dataset.theme = arguments[0]", &[json!(theme)]);
        complaints(&browser, &format!("first {language} {theme}"), &mut found);
        browser.click("#open-sample");
        browser.until_read();
        let mut visit = |views: &[&str], width: u32| {
            browser.resize(width, 900);
            for view in views {
                browser.run("location.hash = arguments[0]", &[json!(view)]);
                browser.until("document.querySelector('main h1') !== null");
                browser.run(SETTLED, &[]);
                complaints(&browser, &format!("{view} {language} {theme} {width}"), &mut found);
            }
        };
        visit(&VIEWS, 1440);
        visit(&VIEWS, 360);
        browser.resize(1440, 900);
        compare(&browser);
        train(&browser);
        visit(&RESULTS, 1440);
        visit(&RESULTS, 360);
    }
    found.sort();
    found.dedup();
    assert!(found.is_empty(), "{} complaints:\n{}", found.len(), found.join("\n"));
}

#[test]
fn everything_is_done_by_keys() {
    const TAB: &str = "\u{e004}";
    const ENTER: &str = "\u{e007}";
    const ESCAPE: &str = "\u{e00c}";
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let focused = |browser: &Browser| {
        let id = browser.run("return document.activeElement.id", &[]);
        id.as_str().unwrap_or_default().to_owned()
    };
    // The sample is reached by Tab.
    for _ in 0..20 {
        if focused(&browser) == "open-sample" {
            break;
        }
        browser.press(TAB);
    }
    assert_eq!(focused(&browser), "open-sample");
    browser.press(ENTER);
    browser.until_read();
    browser.press("2");
    browser.until("location.hash.startsWith('#v=flows')");
    browser.until("document.querySelectorAll('main table tbody tr').length > 10");
    browser.press("/");
    browser.until("document.activeElement.id === 'filter'");
    for key in "label:vk".chars() {
        browser.press(&key.to_string());
    }
    browser.press(ENTER);
    browser.until("location.hash.includes('q=label:vk')");
    browser.press(ESCAPE);
    browser.run("document.activeElement.blur()", &[]);
    browser.press("j");
    browser.press(ENTER);
    browser.until("/&id=\\d+/.test(location.hash)");
    browser.until("document.querySelector('aside.detail h2') !== null");
    browser.press("h");
    browser.until("location.hash.startsWith('#v=hosts&')");
    browser.press("8");
    browser.until("location.hash.startsWith('#v=export')");
    browser.press("l");
    browser.until("document.documentElement.lang === 'ru'");
    browser.press("?");
    browser.until("document.querySelector('dialog[open]') !== null");
    browser.press(ESCAPE);
    browser.until("document.querySelector('dialog[open]') === null");
    browser.run("history.back()", &[]);
    browser.until("location.hash.startsWith('#v=hosts&')");
}
