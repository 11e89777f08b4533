//! Files that come several at once, by the clipboard or from the system, while another is read, or that change meanwhile.

use std::{
    fs::{self, File},
    io::Write as _,
    path::PathBuf,
};

use serde_json::{Value, json};

use crate::driver::{Browser, Site, capture};

/// A capture of one packet again and again, so long that reading it takes a while.
fn long_capture(name: &str, n_packets: u32) -> PathBuf {
    let mut header = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0];
    header.extend([0; 8]);
    header.extend(65_535_u32.to_le_bytes());
    header.extend(1_u32.to_le_bytes());
    let mut packet = vec![0; 12];
    packet.extend([8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    packet.resize(60, 0);
    let mut records = Vec::new();
    for number in 0..100_000_u32 {
        for field in [1_700_000_000 + number, 0, 60, 60] {
            records.extend(field.to_le_bytes());
        }
        records.extend(&packet);
    }
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(&header).unwrap();
    for _ in 0..n_packets.div_ceil(100_000) {
        file.write_all(&records).unwrap();
    }
    path
}

/// The names of the files that wait.
fn waiting(browser: &Browser) -> Value {
    browser.run(
        "return Array.from(document.querySelectorAll('.file-rows b'), it => it.textContent)",
        &[],
    )
}

/// Gives the page files by an event that has them in this field.
fn give(browser: &Browser, event: &str, field: &str, names: &[&str]) {
    let files: Vec<Value> =
        names.iter().map(|it| json!([fs::read(capture(it)).unwrap(), it])).collect();
    let script = "const [event, field, files] = arguments;
        const data = new DataTransfer();
        for (const [bytes, name] of files) data.items.add(new File([new Uint8Array(bytes)], name));
        const options = {[field]: data, bubbles: true, cancelable: true};
        document.body.dispatchEvent(new globalThis[event](field === 'clipboardData' ? 'paste' : 'drop', options));";
    browser.run(script, &[json!(event), json!(field), json!(files)]);
}

#[test]
fn of_several_files_the_first_is_opened_and_the_others_wait() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    give(&browser, "DragEvent", "dataTransfer", &["ethernet.pcap", "sample.pcapng", "vlan.pcap"]);
    browser.until_read();
    browser.until_read_of("ethernet.pcap");
    assert_eq!(waiting(&browser), json!(["sample.pcapng", "vlan.pcap"]));
    browser.click("#to-waiting");
    browser.click(".file-rows li:nth-child(2) .btn");
    browser.until_read_of("vlan.pcap");
    browser.until_read();
    // What was open waits in its place.
    assert_eq!(waiting(&browser), json!(["sample.pcapng", "ethernet.pcap"]));
    browser.click("#to-waiting");
    browser.click(".file-rows li:first-child .bare");
    assert_eq!(waiting(&browser), json!(["ethernet.pcap"]));
}

#[test]
fn files_of_one_recorder_are_read_as_one_capture() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    // Cut by the browser: a pcap's header is 24 bytes long, that of a record 16. By their names in the wrong order.
    let script = "const [bytes] = arguments;
        const pcap = new Uint8Array(bytes), view = new DataView(pcap.buffer);
        let at = 24;
        for (let n = 0; n < 9; n += 1) at += 16 + view.getUint32(at + 8, true);
        const second = new File([pcap.slice(0, 24), pcap.slice(at)], 'a.pcap');
        const first = new File([pcap.slice(0, at)], 'b.pcap');
        const data = new DataTransfer();
        data.items.add(second);
        data.items.add(first);
        document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));";
    let whole = fs::read(capture("ftp.pcap")).unwrap();
    browser.run(script, &[json!(whole)]);
    browser.until_read_of("a.pcap");
    browser.until_read();
    assert_eq!(waiting(&browser), json!(["b.pcap"]));
    site.asked();
    browser.click("#to-waiting");
    browser.click("#read-as-one");
    browser.until_read_of("b.pcap + a.pcap");
    browser.until_read();
    assert_eq!(browser.run("return document.querySelector('#to-waiting')", &[]), json!(null));
    let files =
        "[...document.querySelectorAll('.files-read li')].map(it => it.innerText.split(' ')[0])";
    browser.until(&format!("JSON.stringify({files}) === '[\"b.pcap\",\"a.pcap\"]'"));
    // The same flows as of the whole.
    let rows = |browser: &Browser| {
        browser.run("location.hash = '#v=flows&c=flow,label,client,server,packets,bytes'", &[]);
        browser.until("document.querySelectorAll('#rows tbody tr[aria-rowindex]').length > 0 && document.querySelector('#rows tr.coming') === null");
        browser.run("return [...document.querySelectorAll('#rows tbody tr[aria-rowindex]')].map(it => it.innerText)", &[])
    };
    let read = rows(&browser);
    // Packets are of one file, and that is said.
    browser.click("#rows tbody tr[aria-rowindex] a");
    browser.until("document.querySelector('#save-packets:disabled')?.title.includes('by itself')");
    assert_eq!(site.asked(), Vec::<String>::new());
    let other = Browser::open_page(&site, "en");
    other.drop_file(&capture("ftp.pcap"));
    other.until_read();
    assert_eq!(rows(&other), read);
}

#[test]
fn a_file_that_fails_leaves_no_mark_in_the_address() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    // Long enough to have a mark, and no capture.
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("no-capture.pcap");
    fs::write(&file, vec![b'x'; 100_000]).unwrap();
    let fails = || {
        browser.choose(&file);
        browser.until("document.querySelector('main .failure') !== null");
    };
    fails();
    assert_eq!(browser.run("return location.hash.includes('&f=')", &[]), json!(false));
    assert_eq!(browser.run("return document.querySelector('main .note')", &[]), Value::Null);
    browser.click("#open-sample");
    browser.until_read();
    assert_eq!(browser.run("return document.querySelector('.other-capture')", &[]), Value::Null);

    // A link to another capture stays one to that capture.
    browser.go("about:blank");
    browser.go(&format!("http://localhost:{}/#v=flows&f=0123456789abcdef", site.port));
    browser.until("document.querySelector('#choose-file:enabled') !== null");
    fails();
    browser.until("location.hash.includes('f=0123456789abcdef')");
    let _ = fs::remove_file(file);
}

#[test]
fn a_pasted_file_is_opened() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "ru");
    give(&browser, "ClipboardEvent", "clipboardData", &["ethernet.pcap"]);
    browser.until_read_of("ethernet.pcap");
}

#[test]
fn the_installed_page_opens_what_the_system_gives_it() {
    let site = Site::start();
    let browser = Browser::start(&site, "en");
    // As a system does it: the queue keeps what comes before the page asks.
    browser.before_pages(
        "Object.defineProperty(globalThis, 'launchQueue', {value: {
            setConsumer: it => (globalThis.launch = it),
        }});",
    );
    browser.go(&format!("http://localhost:{}/", site.port));
    browser.until("globalThis.launch !== undefined");
    let bytes = fs::read(capture("ethernet.pcap")).unwrap();
    let script = "const file = new File([new Uint8Array(arguments[0])], 'ethernet.pcap');
        return launch({files: [{getFile: async () => file}]});";
    browser.run(script, &[json!(bytes)]);
    browser.until_read_of("ethernet.pcap");
    // Opened without a file it is as it was.
    browser.run("return launch({files: []})", &[]);
    browser.until_read_of("ethernet.pcap");
}

#[test]
fn a_file_chosen_while_another_is_read_waits_until_it_is_wanted() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let long = long_capture("waiting.pcap", 4_000_000);
    browser.choose(&long);
    browser.until("document.querySelector('#stop') !== null");
    browser.choose(&capture("ethernet.pcap"));
    browser.until("document.querySelector('main .file-rows') !== null");
    assert_eq!(waiting(&browser), json!(["ethernet.pcap"]));
    // Reading goes on.
    browser.until("document.querySelector('#stop') !== null");
    browser.click("main .file-rows .btn");
    browser.until_read_of("ethernet.pcap");
    browser.until_read();
    assert_eq!(waiting(&browser), json!(["waiting.pcap"]));
    let _ = fs::remove_file(long);
}

#[test]
fn a_file_that_changes_while_it_is_read_says_so_and_keeps_what_was_read() {
    for (language, says) in
        [("en", "It changed or went away meanwhile"), ("ru", "он изменился или исчез")]
    {
        let site = Site::start();
        let browser = Browser::open_page(&site, language);
        let long = long_capture(&format!("changing-{language}.pcap"), 8_000_000);
        browser.choose(&long);
        // Once some of it was read.
        browser.until("Number(document.querySelector('[role=progressbar]')?.ariaValueNow) > 3");
        File::options().write(true).open(&long).unwrap().set_len(1_000).unwrap();
        browser.until_read();
        let statistics = browser.v1(&json!({"Statistics": {"job": 1}}));
        assert!(statistics.contains("10.0.0.1"), "{statistics}");
        browser
            .until(&format!("document.querySelector('main').innerText.includes({})", json!(says)));
        let text = browser.run("return document.querySelector('main').innerText", &[]);
        assert!(text.as_str().unwrap().contains("E-IO"), "{text}");
        let _ = fs::remove_file(long);
    }
}
