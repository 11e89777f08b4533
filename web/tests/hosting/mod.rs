//! The page's folder at hosts that know nothing of it: below some path, at the companion, in one file, and without a network.

use std::{fs, path::Path};

use serde_json::json;

use crate::{
    check_answers,
    driver::{Browser, Companion, Python, Site, setting},
};

/// The page does here what it does anywhere: it opens the sample, filters, shows a flow.
fn check(browser: &Browser, address: &str) {
    browser.go(address);
    browser.until("document.querySelector('#open-sample:enabled') !== null");
    assert_eq!(browser.run("return tractor.isSealed()", &[]), json!(true), "{address}");
    browser.click("#open-sample");
    browser.until_read();
    check_answers(browser, "sample.pcapng");
    browser.run("location.hash = '#v=flows&q=label:vk'", &[]);
    let rows = "document.querySelectorAll('main table.long tbody tr[aria-rowindex]')";
    browser.until(&format!(
        "{rows}.length > 0 && Array.from({rows}).every(it => it.innerText.includes('VK'))"
    ));
    browser.run("location.hash = '#v=flows&id=0'", &[]);
    browser.until("document.querySelector('main table.facts') !== null");
}

#[test]
fn any_host_serves_the_page_from_below_any_path() {
    let site = Site::start();
    let browser = Browser::start(&site, "en");
    let python = Python::start();
    check(&browser, &python.address);
}

#[test]
fn a_companion_serves_the_page() {
    let site = Site::start();
    let browser = Browser::start(&site, "en");
    let companion = Companion::start("gzip.pcap.gz");
    check(&browser, &companion.address);
}

#[test]
fn the_page_in_one_file_opens_from_a_disk() {
    let site = Site::start();
    let browser = Browser::start(&site, "en");
    let file = setting("TRACTOR_PAGE").join("tractor.html");
    check(&browser, &format!("file://{}", file.display()));
    // A page that needs nothing asks for nothing, before the seal as little as after it.
    let asked = browser.run("return performance.getEntriesByType('resource').length", &[]);
    assert_eq!(asked, json!(0));
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn the_page_opens_without_a_network_once_it_was_there() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    site.go_down();
    check(&browser, &format!("http://localhost:{}/", site.port));
}

#[test]
fn a_companions_own_page_is_not_kept() {
    let site = Site::start();
    let browser = Browser::start(&site, "en");
    let companion = Companion::start("vlan.pcap");
    browser.go(&format!("{}server/", companion.address));
    browser.until("document.querySelector('table.files') !== null");
    let kept = "return navigator.serviceWorker.getRegistrations().then(it => it.length)";
    assert_eq!(browser.run(kept, &[]), json!(0));
}

#[test]
fn a_system_can_install_the_page() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let errors = browser.devtools("Page.getInstallabilityErrors", &json!({}));
    assert_eq!(errors["installabilityErrors"], json!([]));
    let manifest = browser.devtools("Page.getAppManifest", &json!({}));
    assert_eq!(manifest["errors"], json!([]), "{manifest}");
}

/// Names in a text that stand in quotes and have the hash of their content in them.
fn hashed_names(text: &str) -> Vec<String> {
    let is_hash = |it: &str| it.len() == 16 && it.bytes().all(|it| it.is_ascii_hexdigit());
    let is_hashed = |it: &&str| {
        let hash = it.rsplit_once('-').and_then(|it| it.1.split_once('.'));
        hash.is_some_and(|it| is_hash(it.0))
    };
    text.split('"').filter(is_hashed).map(str::to_owned).collect()
}

#[test]
fn the_folder_is_whole_and_no_larger_than_promised() {
    let folder = setting("TRACTOR_PAGE");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let mut named = hashed_names(&text("index.html"));
    named.sort();
    // The service worker keeps what the page names, but for itself.
    let is_keeper = |it: &&String| it.starts_with("sw-");
    let keeper = named.iter().find(is_keeper).unwrap().clone();
    let kept: Vec<String> = named.iter().filter(|it| !is_keeper(it)).cloned().collect();
    assert_eq!(hashed_names(&text(&keeper)), kept);
    let packed_len = |path: &Path| fs::metadata(path).unwrap().len();
    let len = |stems: &[&str]| {
        let is_one = |it: &&String| stems.iter().any(|stem| it.starts_with(&format!("{stem}-")));
        let files = named.iter().filter(is_one);
        let sizes: Vec<u64> =
            files.map(|it| packed_len(&folder.join(format!("{it}.br")))).collect();
        assert_eq!(sizes.len(), stems.len(), "{stems:?}");
        sizes.iter().sum::<u64>()
    };
    let page = len(&["app", "app_bg", "boot", "page"]) + packed_len(&folder.join("index.html.br"));
    let worker = len(&["worker", "worker_bg"]);
    assert!(page <= PAGE_LEN && worker <= WORKER_LEN, "page {page}, worker {worker} bytes");
}

/// What is loaded before a file can be chosen, by brotli, in bytes: the page, and its worker. It is not what is wanted (150 and
/// 400 kB; docs/hosting.md says what is in the way), but it shall not become more unseen.
const PAGE_LEN: u64 = 700_000;
const WORKER_LEN: u64 = 915_000;
