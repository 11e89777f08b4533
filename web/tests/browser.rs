//! The built page in headless Chromium, used as a person would. Run by `cargo xtask test`.
#![cfg(not(target_arch = "wasm32"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod driver;

use std::{path::Path, process::Command};

use driver::{Browser, Site, capture, setting};
use serde_json::json;

/// What `tractor stats` says of a capture.
fn stats(capture: &Path, arguments: &[&str]) -> String {
    let output = Command::new(setting("TRACTOR"))
        .arg("stats")
        .arg(capture)
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// The page answers as the command line does, byte for byte.
fn check_answers(browser: &Browser, capture: &Path, label: &str, ip: &str) {
    assert_eq!(browser.v1(&json!({"Statistics": {"job": 1}})), stats(capture, &[]));
    assert_eq!(
        browser.v1(&json!({"StatisticsOfLabel": {"job": 1, "label": label}})),
        stats(capture, &["--label", label])
    );
    assert_eq!(
        browser.v1(&json!({"StatisticsOfIp": {"job": 1, "ip": ip}})),
        stats(capture, &["--ip", ip])
    );
}

/// The client of the first flow of a capture.
fn first_client(browser: &Browser) -> String {
    let statistics = browser.v1(&json!({"Statistics": {"job": 1}}));
    let statistics: Vec<v1::StatisticItem> = serde_json::from_str(&statistics).unwrap();
    let clients = statistics.into_iter().find(|it| it.title == "clients").unwrap();
    clients.content.into_iter().next().unwrap().label
}

#[test]
fn a_chosen_and_a_dropped_capture_give_what_the_command_line_gives() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let chosen = capture("ethernet.pcap");
    browser.choose(&chosen);
    browser.until_read();
    check_answers(&browser, &chosen, "dns", &first_client(&browser));

    let browser = Browser::open_page(&site, "en");
    let dropped = capture("sample.pcapng");
    browser.drop_file(&dropped);
    browser.until_read();
    check_answers(&browser, &dropped, "vk", &first_client(&browser));
}

#[test]
fn nothing_is_asked_of_any_network_after_the_seal() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let before = site.asked();
    assert!(before.iter().any(|it| it.starts_with("GET /worker_bg.wasm")), "{before:?}");

    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    for view in ["flows", "hosts", "sessions", "labels", "export", "overview"] {
        browser.run("location.hash = '#v=' + arguments[0]", &[json!(view)]);
        browser.until("document.querySelector('main') !== null");
    }
    // And when it is tried on purpose, from the page and from a worker like ours.
    let attempts = "
        const tried = {};
        const failed = async (name, attempt) => {
            try { await attempt(); tried[name] = 'went through'; } catch { tried[name] = 'refused'; }
        };
        await failed('own host', () => fetch('/boot.js'));
        await failed('another host', () => fetch('http://elsewhere.test/'));
        await failed('image', () => new Promise((resolve, reject) => {
            const image = new Image();
            image.onload = resolve;
            image.onerror = reject;
            image.src = 'http://elsewhere.test/image.png';
        }));
        await failed('socket', () => new Promise((resolve, reject) => {
            const socket = new WebSocket('ws://elsewhere.test/');
            socket.onopen = resolve;
            socket.onerror = reject;
        }));
        await failed('peer', () => new RTCPeerConnection());
        navigator.sendBeacon('http://elsewhere.test/beacon', 'x');
        const worker = tractor.startWorker();
        worker.terminate();
        return tried;";
    let tried = browser.run(attempts, &[]);
    assert!(tried.as_object().unwrap().values().all(|it| it == "refused"), "{tried}");
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn the_sample_opens_by_its_button() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.click("#open-sample");
    browser.until_read();
    check_answers(&browser, &capture("sample.pcapng"), "bittorrent", &first_client(&browser));
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
