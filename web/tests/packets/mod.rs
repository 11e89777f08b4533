//! A flow's packets in headless Chromium: saved, looked at closer, and their first bytes. Run by `cargo xtask test`.

use std::{fs, process::Command};

use serde_json::json;

use crate::driver::{Browser, Site, capture, setting};

/// Opens the sample as a chosen file, and keeps what the page gives the browser to save.
fn opened(site: &Site) -> Browser {
    let browser = Browser::open_page(site, "en");
    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    browser.run(
        "const make = URL.createObjectURL;
        URL.createObjectURL = blob => { globalThis.saved = blob; return make.call(URL, blob); };
        const click = HTMLAnchorElement.prototype.click;
        HTMLAnchorElement.prototype.click = function () { globalThis.savedAs = this.download; click.call(this); };
        globalThis.saved = null;",
        &[],
    );
    browser
}

fn go(browser: &Browser, hash: &str) {
    browser.run("location.hash = arguments[0]", &[json!(hash)]);
}

/// What was saved is what the command line writes, byte for byte.
#[track_caller]
fn check_saved(browser: &Browser, arguments: &[&str]) {
    browser.until("globalThis.saved !== null");
    let saved = browser.run(
        "const blob = saved;
        saved = null;
        return blob.arrayBuffer().then(it => Array.from(new Uint8Array(it), it => String.fromCharCode(it)).join(''))",
        &[],
    );
    let mut command = Command::new(setting("TRACTOR"));
    let command = command.arg("flows").args(arguments).current_dir(capture(""));
    let expected = command.output().unwrap().stdout;
    let expected: Vec<char> = expected.into_iter().map(char::from).collect();
    let saved: Vec<char> = saved.as_str().unwrap().chars().collect();
    let differs = saved.iter().zip(&expected).position(|(one, other)| one != other);
    assert!(saved.len() > 100);
    assert_eq!((saved.len(), differs), (expected.len(), None), "{arguments:?}");
}

#[test]
fn the_packets_of_a_flow_are_those_of_the_command_line() {
    let site = Site::start();
    let browser = opened(&site);
    go(&browser, "#v=flows&id=7");
    browser.click("#save-packets:enabled");
    site.asked();
    let pcapng = ["sample.pcapng", "--format", "pcapng"];
    check_saved(&browser, &[&pcapng[..], &["--filter", "flow:7"]].concat());
    let name = browser.run("return savedAs", &[]);
    let name = name.as_str().unwrap().to_owned();
    assert!(name.starts_with("sample_flow-7_2") && name.ends_with(".pcapng"), "{name}");
    browser.until("document.querySelector('#save-packets:enabled') !== null");
    // By its key, too.
    browser.run("document.activeElement.blur()", &[]);
    browser.press("w");
    check_saved(&browser, &[&pcapng[..], &["--filter", "flow:7"]].concat());
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn the_packets_of_a_selection_come_with_comments_or_without() {
    let site = Site::start();
    let browser = opened(&site);
    go(&browser, "#v=export&q=label:vk");
    browser.until("document.querySelectorAll('input[name=format]').length === 7");
    browser.until("/\\d/.test(document.querySelector('#estimate').innerText)");
    browser.run("document.querySelectorAll('input[name=format]')[6].click()", &[]);
    browser.until("document.querySelector('#with-comments:checked') !== null");
    browser.until("document.querySelector('#estimate').innerText.includes('packets')");
    let vk = ["sample.pcapng", "--format", "pcapng", "--filter", "label:vk"];
    browser.click("#save:enabled");
    check_saved(&browser, &vk);
    browser.until("document.querySelector('#save:enabled') !== null");
    browser.click("#with-comments");
    browser.until("document.querySelector('.command').innerText.includes('--no-comments')");
    browser.click("#save:enabled");
    check_saved(&browser, &[&vk[..], &["--no-comments"]].concat());
}

#[test]
fn a_file_that_changed_is_told_and_nothing_is_saved() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let folder = std::env::temp_dir().join(format!("tractor-changed-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("ethernet.pcap");
    fs::copy(capture("ethernet.pcap"), &file).unwrap();
    browser.choose(&file);
    browser.until_read();
    go(&browser, "#v=flows&id=0");
    browser.until("document.querySelector('#save-packets:enabled') !== null");
    fs::write(&file, [&fs::read(&file).unwrap()[..], b"more"].concat()).unwrap();
    browser.click("#save-packets");
    browser.until("document.querySelector('.note.gone') !== null");
    browser
        .until("document.querySelector('#save-packets:disabled').title.includes('Open it again')");
    // Another look finds it out before anything is tried.
    browser.choose(&file);
    browser.until_read_of("ethernet.pcap");
    fs::remove_file(&file).unwrap();
    go(&browser, "#v=flows&id=1");
    browser.until("document.querySelector('#save-packets:disabled') !== null");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_chart_is_looked_at_closer_and_knows_its_list() {
    let site = Site::start();
    let browser = opened(&site);
    // The flow with most packets.
    go(&browser, "#v=flows&s=-packets");
    browser.until("document.querySelectorAll('main table tbody tr').length > 10");
    browser.press("j");
    browser.press("\u{e007}");
    browser.until("document.querySelector('.packets .plot') !== null");
    let range = "document.querySelector('.packets .range').innerText";
    let readout = "document.querySelector('.packets .readout').innerText";
    let whole = browser.run(&format!("return {range}"), &[]);
    browser.run("document.querySelector('.packets .plot').focus()", &[]);
    for _ in 0..4 {
        browser.press("+");
    }
    browser.until(&format!("{range} !== {whole}"));
    browser.press("\u{e012}");
    browser.until(&format!("/^packet \\d/.test({readout})"));
    browser.press("0");
    browser.until(&format!("{range} === {whole}"));
    // Buttons do the same.
    browser.click(".zoom .btn:nth-child(3)");
    browser.until(&format!("{range} !== {whole}"));
    browser.click(".zoom .btn:nth-child(5)");
    browser.until(&format!("{range} === {whole}"));
    // What is chosen in the list is told and marked in the chart.
    browser.click(".tabs .switch button:nth-child(4)");
    browser.run("document.querySelector('#packet-3 button').click()", &[]);
    browser.until(&format!("{readout}.startsWith('packet 3 ')"));
    browser.until("document.querySelector('.packets .at.is-chosen') !== null");
    browser.until("document.querySelector('#packet-3[aria-current]') !== null");
    // The wheel looks closer.
    browser.run(
        "const plot = document.querySelector('.packets .plot');
        const box = plot.getBoundingClientRect();
        plot.dispatchEvent(new WheelEvent('wheel', {deltaY: -100, clientX: box.left + 20, clientY: box.top + 20, bubbles: true, cancelable: true}))",
        &[],
    );
    browser.until(&format!("{range} !== {whole}"));
}

#[test]
fn first_bytes_are_shown_as_text_in_which_nothing_is_hidden() {
    let site = Site::start();
    let browser = opened(&site);
    go(&browser, "#v=flows&q=proto:http&s=-bytes");
    browser.until("document.querySelectorAll('main table tbody tr').length > 1");
    browser.press("j");
    browser.press("\u{e007}");
    browser.click(".tabs .switch button:nth-child(3)");
    browser.until("document.querySelector('.hex') !== null");
    browser.run("document.querySelectorAll('.detail .inset .switch button')[1].click()", &[]);
    browser.until("document.querySelector('.plain-text') !== null");
    browser.until("document.querySelector('.plain-text').innerText.includes('HTTP/1.1\\\\r\\\\n')");
    browser.until("/ of .* are kept/.test(document.querySelector('.head-of').innerText)");
}
