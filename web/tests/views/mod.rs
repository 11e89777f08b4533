//! The page's views in headless Chromium: two captures side by side, who talks to whom, the report, links, and names that
//! are to do something to whoever reads them. Run by `cargo xtask test`.

use std::{fs, path::Path};

use serde_json::json;

use crate::driver::{Browser, Site, capture};

/// Opens the sample.
fn opened(site: &Site, language: &str) -> Browser {
    let browser = Browser::open_page(site, language);
    browser.click("#open-sample");
    browser.until_read();
    browser
}

fn go(browser: &Browser, hash: &str) {
    browser.run("location.hash = arguments[0]", &[json!(hash)]);
}

#[test]
fn another_capture_is_set_beside_the_open_one() {
    let site = Site::start();
    let browser = opened(&site, "en");
    site.asked();
    go(&browser, "#v=compare");
    browser.click("#compare-sample");
    browser.until("document.querySelectorAll('.compared-part').length === 5");
    // The sample does not differ from itself.
    browser.until("document.querySelectorAll('table.compared').length === 0");
    browser.click("#end-compare");
    browser.until("document.querySelector('#choose-other') !== null");
    browser.drop_file(&capture("ftp.pcap"));
    browser.until("document.querySelectorAll('table.compared tbody tr').length > 10");
    browser.until("document.querySelector('main').innerText.includes('ftp.pcap')");
    // FTP is new or changed, and what only the open capture has leads to its flows.
    browser.until(
        "[...document.querySelectorAll('table.compared .title')].some(it => it.innerText.toLowerCase().includes('ftp'))",
    );
    browser.until("document.querySelector(\"table.compared a[href^='#v=flows']\") !== null");
    browser.click("#swap");
    browser.until_read_of("ftp.pcap");
    browser.until("document.querySelector('main').innerText.includes('sample.pcapng')");
    browser.until("document.querySelectorAll('table.compared tbody tr').length > 10");
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn who_talks_to_whom_is_a_picture_and_a_table() {
    let site = Site::start();
    let browser = opened(&site, "ru");
    go(&browser, "#v=talks");
    browser.until("document.querySelectorAll('.talks path.band').length > 10");
    let bands = "document.querySelectorAll('.talks path.band').length";
    let n = browser.run(&format!("return {bands}"), &[]).as_u64().unwrap();
    // Fewer flows, fewer bands.
    go(&browser, "#v=talks&q=proto:dns");
    browser.until(&format!("{bands} > 0 && {bands} < {n}"));
    browser
        .run("[...document.querySelectorAll('main .switch')].at(-1).lastElementChild.click()", &[]);
    browser.until("document.querySelectorAll('.talks-table tbody tr').length > 0");
    browser.click(".talks-table tbody a");
    browser.until("location.hash.startsWith('#v=flows&q=client:')");
}

#[test]
fn a_report_is_one_file_that_asks_for_nothing() {
    let site = Site::start();
    let browser = opened(&site, "en");
    browser.run(
        "const make = URL.createObjectURL;
        URL.createObjectURL = blob => { globalThis.saved = blob; return make.call(URL, blob); };",
        &[],
    );
    go(&browser, "#v=export");
    let report = |browser: &Browser| {
        browser.run("globalThis.saved = null", &[]);
        browser.click("#save-report");
        browser.until("globalThis.saved !== null");
        browser.run("return saved.text()", &[]).as_str().unwrap().to_owned()
    };
    let whole = report(&browser);
    let statistics = browser.v1(&json!({"Statistics": {"job": 1}}));
    let statistics: Vec<v1::StatisticItem> = serde_json::from_str(&statistics).unwrap();
    let client = &statistics.iter().find(|it| it.title == "clients").unwrap().content[0].label;
    assert!(
        whole.contains(client) && whole.contains("vk.com"),
        "the report names what it is about"
    );
    browser.run("document.querySelectorAll('main input[type=checkbox]').forEach(it => { if (!it.checked) it.click() })", &[]);
    let anonymous = report(&browser);
    assert!(!anonymous.contains(client) && !anonymous.contains("vk.com"));

    // As a page of its own it shows itself and asks for nothing.
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("report.html");
    fs::write(&file, &whole).unwrap();
    site.asked();
    browser.go(&format!("file://{}", file.display()));
    browser.until("document.querySelectorAll('table').length > 4");
    // The style is taken, though the policy forbids all but the one it names.
    browser.until("getComputedStyle(document.querySelector('main')).maxWidth === '1080px'");
    assert_eq!(browser.run("return document.scripts.length", &[]), json!(0));
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn a_link_knows_its_capture() {
    let site = Site::start();
    let browser = opened(&site, "en");
    go(&browser, "#v=flows&q=label:vk");
    browser.until(
        "/&f=[0-9a-f]{16}$/.test(location.hash) || document.querySelector('main table') !== null",
    );
    browser.click("nav.rail a[href^='#v=hosts']");
    browser.until("/^#v=hosts&q=label:vk.*&f=[0-9a-f]{16}$/.test(location.hash)");
    // Back and forward go through the views.
    browser.run("history.back()", &[]);
    browser.until("location.hash.startsWith('#v=flows')");
    browser.run("history.forward()", &[]);
    browser.until("location.hash.startsWith('#v=hosts')");
    let link = browser.run("return location.href", &[]);
    let link = link.as_str().unwrap();
    let mark = link.rsplit_once("&f=").unwrap().1;

    // A fresh page asks for that capture, and shows the view once it is opened.
    let browser = Browser::start(&site, "en");
    browser.go(link);
    browser.until("document.querySelector('#choose-file:enabled') !== null");
    browser.until(&format!("document.querySelector('main').innerText.includes('{mark}')"));
    browser.choose(&capture("sample.pcapng"));
    browser.until_read();
    browser.until("location.hash.startsWith('#v=hosts&q=label:vk')");
    assert_eq!(browser.run("return document.querySelector('.other-capture')", &[]), json!(null));

    // Another capture shows the view too, and says that it is another.
    let browser = Browser::start(&site, "en");
    browser.go(link);
    browser.until("document.querySelector('#choose-file:enabled') !== null");
    browser.choose(&capture("ftp.pcap"));
    browser.until_read();
    browser
        .until(&format!("document.querySelector('.other-capture').innerText.includes('{mark}')"));
}

#[test]
fn traffic_over_time_and_its_layers_lead_to_flows() {
    const RIGHT: &str = "\u{e014}";
    const ENTER: &str = "\u{e007}";
    let site = Site::start();
    let browser = opened(&site, "en");
    go(&browser, "#v=overview");
    // A range of time is chosen by keys, and filters what is listed.
    browser.until("document.querySelector('.traffic .plot') !== null");
    browser.run("document.querySelector('.traffic .plot').focus()", &[]);
    browser.press(RIGHT);
    browser.press(RIGHT);
    browser.until("document.querySelector('.narrowed .chip') !== null");
    browser.press(ENTER);
    browser.until("location.hash.startsWith('#v=flows&q=')");
    browser.until("/^\\d+ of 440/.test(document.querySelector('main').innerText.split('\\n').find(it => it.includes('of 440')))");
    // By protocol and by label there are other series.
    go(&browser, "#v=overview");
    let series =
        "[...document.querySelectorAll('.traffic .legend a')].map(it => it.innerText).join('|')";
    browser.until(&format!("{series} !== ''"));
    let of_groups = browser.run(&format!("return {series}"), &[]);
    let by = "[...document.querySelectorAll('.traffic .switch button')].find(it => it.innerText === arguments[0]).click()";
    browser.run(by, &[json!("protocol")]);
    browser.until(&format!("{series} !== {of_groups} && {series}.includes('TLS')"));
    // Layers: of IPv4 TCP, of TCP TLS, whose number leads to the flows.
    let layer = |what: &str| {
        let rows = "[...document.querySelectorAll('table.tree tbody tr:not([hidden])')]";
        format!("{rows}.find(it => /{what}/.test(it.innerText))")
    };
    let (tcp, tls) = (layer(r"TCP\s+transport"), layer(r"TLS\s+protocol"));
    browser.until(&format!("{tcp} !== undefined"));
    browser.run(&format!("{tcp}.querySelector('button').click()"), &[]);
    browser.until(&format!("{tls} !== undefined"));
    let link = format!(
        "const link = {tls}.querySelector('td.num a'); link.click(); return link.innerText"
    );
    let n = browser.run(&link, &[]);
    browser.until("location.hash.startsWith('#v=flows&q=')");
    browser.until(&format!(
        "document.querySelector('main').innerText.includes('{} of 440')",
        n.as_str().unwrap()
    ));
    // The traffic is a table, too.
    go(&browser, "#v=overview");
    browser.run("[...document.querySelectorAll('.traffic button')].find(it => it.innerText === 'Table').click()", &[]);
    browser.until("document.querySelectorAll('.traffic table tbody tr').length > 10");
}

#[test]
fn every_list_follows_the_filter() {
    const RIGHT: &str = "\u{e014}";
    const ESCAPE: &str = "\u{e00c}";
    const ENTER: &str = "\u{e007}";
    let site = Site::start();
    let browser = opened(&site, "en");
    let text = "document.querySelector('main').innerText";
    // Typed in the overview, a filter narrows the overview.
    browser.press("/");
    browser.until("document.activeElement.id === 'filter'");
    "proto:dns".chars().for_each(|it| browser.press(&it.to_string()));
    browser.press(ENTER);
    browser.until("/^#v=overview&q=proto:dns/.test(location.hash)");
    browser.until(
        "/^\\d+ of 440\\sflows$/.test(document.querySelector('.narrowed [role=status]').innerText)",
    );
    let n = "document.querySelector('.narrowed [role=status]').innerText.split(' ')[0]";
    let n_dns = browser.run(&format!("return {n}"), &[]);
    let figure = "document.querySelector('.strip dd a').innerText";
    browser.until(&format!("{figure} === '{}'", n_dns.as_str().unwrap()));
    let protocols = "[...document.querySelectorAll('section.panel')].find(it => it.querySelector('h2')?.innerText === 'Protocols')";
    browser.until(&format!("{protocols}.querySelectorAll('tbody tr').length === 1"));
    browser.until("document.querySelectorAll('.layers tbody tr').length > 0 && !document.querySelector('.layers').innerText.includes('TCP')");
    // What it links to is within the filter, and counts the same.
    browser.run(
        "[...document.querySelectorAll('.durations td.title a, .durations a')][0].click()",
        &[],
    );
    browser.until("/^#v=flows&q=proto:dns%20duration/.test(location.hash)");
    browser.run("history.back()", &[]);
    // Hosts, sessions and labels are those of the same flows; a host that is left goes back to them.
    browser.until("location.hash.startsWith('#v=overview&q=proto:dns')");
    browser.click("nav.rail a[href^='#v=hosts']");
    browser.until(&format!("/\\d+ of \\d+\\shosts/.test({text})"));
    browser.until(&format!("/{} of 440\\sflows/.test({text})", n_dns.as_str().unwrap()));
    browser.click("main table tbody tr a[href^='#v=hosts']");
    browser.until("/^#v=hosts&q=proto:dns&id=/.test(location.hash)");
    browser.until(&format!("{text}.includes('Shown whole')"));
    browser.click("a.back");
    browser.until("/^#v=hosts&q=proto:dns(&f=.*)?$/.test(location.hash)");
    browser.click("nav.rail a[href^='#v=sessions']");
    browser.until(&format!("/\\d+ of \\d+\\ssessions/.test({text})"));
    browser.until("[...document.querySelectorAll('main td a')].some(it => /^\\d+ of \\d+$/.test(it.innerText))");
    browser.click("nav.rail a[href^='#v=labels']");
    let labels = "document.querySelectorAll('table.grouped td.title').length";
    let of_all = "Number(document.querySelector(\"nav.rail a[href^='#v=labels'] .n\").innerText)";
    browser.until(&format!("{labels} > 0 && {labels} < {of_all}"));
    // All again.
    browser.click(".narrowed .clear");
    browser.until(&format!("{labels} === {of_all}"));
    browser.until("document.querySelector('.narrowed') === null");
    // A range chosen on the chart narrows what is below it, and Escape takes it out, wherever one is.
    go(&browser, "#v=overview");
    browser
        .until(&format!("document.querySelector('.traffic .plot') !== null && {figure} === '440'"));
    browser.run("document.querySelector('.traffic .plot').focus()", &[]);
    browser.press(RIGHT);
    browser.until(&format!("{figure} !== '440' && {n} === {figure}"));
    let bars = "document.querySelectorAll('.traffic .layer').length";
    let is_whole = browser.run(&format!("return {bars} > 3"), &[]);
    assert_eq!(is_whole, json!(true), "what is beside the range stays on the chart");
    browser.press(ESCAPE);
    browser.until(&format!("{figure} === '440' && !location.hash.includes('&q=')"));
    go(&browser, "#v=hosts&q=end%3E=0s%20start%3C=1s");
    browser.until("document.querySelector('.narrowed .chip') !== null");
    browser.run("document.querySelector('#main').focus()", &[]);
    browser.press(ESCAPE);
    browser.until("document.querySelector('.narrowed') === null");
    // What is not understood, and what none passes, is said.
    go(&browser, "#v=overview&q=(");
    browser.until("document.querySelector('main [role=alert], main .failure') !== null");
    go(&browser, "#v=sessions&q=label:nothing");
    browser.until("document.querySelector('main .empty button') !== null");
}

#[test]
fn countries_lead_to_their_flows_once_a_database_is_loaded() {
    let site = Site::start();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("countries");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("some.mmdb");
    fs::write(&file, tests::mmdb(&[("203.0.113.0/25", "NO"), ("10.20.0.0/16", "RU")])).unwrap();
    let browser = opened(&site, "en");
    // Before, nobody knows.
    go(&browser, "#v=flows&q=country:NO");
    browser.until("document.querySelector('main [role=alert]')?.innerText.includes('countries are not known')");
    go(&browser, "#v=overview");
    browser.until("document.querySelector('#countries-input') !== null");
    browser.choose_in("#countries-input", &file);
    browser.until("document.querySelectorAll('.countries tbody tr').length === 2");
    let norway = "[...document.querySelectorAll('.countries tbody tr')].find(it => it.innerText.includes('Norway')).querySelector('a')";
    browser.run(&format!("{norway}.click()"), &[]);
    browser.until("/^#v=flows&q=country:NO(&|$)/.test(location.hash)");
    browser.until(
        "/^\\d+ of 440\\sflows/.test(document.querySelector('.above [role=status]').innerText)",
    );
    let n = browser
        .run("return document.querySelector('.above [role=status]').innerText.split(' ')[0]", &[]);
    // Typed, its values are suggested with how many flows they have.
    browser.press("/");
    browser.until("document.activeElement.id === 'filter'");
    browser.run("document.querySelector('#filter').select()", &[]);
    "country:N".chars().for_each(|it| browser.press(&it.to_string()));
    let first = "document.querySelector('#filter-list [role=option]')";
    browser.until(&format!("{first}?.querySelector('.mono').innerText === 'NO'"));
    browser
        .until(&format!("{first}.querySelector('.num').innerText === '{}'", n.as_str().unwrap()));
    // What a list is narrowed by goes on in others.
    go(&browser, "#v=hosts&q=server_country:NO");
    browser.until("document.querySelectorAll('#rows tbody tr[aria-rowindex]').length > 1");
    browser.until("[...document.querySelectorAll('#rows tbody tr[aria-rowindex]')].some(it => it.innerText.includes('Norway'))");
}

#[test]
fn makers_are_told_by_the_users_own_list() {
    let site = Site::start();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("makers");
    fs::create_dir_all(&folder).unwrap();
    // A capture whose Ethernet addresses somebody chose, and the same with a maker's.
    let mut bytes = fs::read(capture("ethernet.pcap")).unwrap();
    let (chosen, made) = ([2, 0, 0, 0, 0, 1], [0, 0x50, 0xc2, 0, 0, 1]);
    for at in 0..bytes.len() - chosen.len() {
        if bytes[at..].starts_with(&chosen) {
            bytes[at..at + chosen.len()].copy_from_slice(&made);
        }
    }
    let [file, list, none] = ["made.pcap", "oui.csv", "other.csv"].map(|it| folder.join(it));
    fs::write(&file, bytes).unwrap();
    fs::write(
        &list,
        "Registry,Assignment,Organization Name\nMA-L,0050C2,\"<b>A maker</b>, Ltd.\",\n",
    )
    .unwrap();
    fs::write(&none, "a,b,c\n").unwrap();
    let browser = Browser::open_page(&site, "en");
    browser.drop_file(&file);
    browser.until_read_of("made.pcap");
    site.asked();
    go(&browser, "#v=hosts&id=10.0.0.7");
    browser.until("document.querySelector('main').innerText.includes('maker 00:50:C2')");
    browser.choose_in("#makers-input", &list);
    browser.until("document.querySelector('main').innerText.includes('<b>A maker</b>, Ltd.')");
    browser.until("document.querySelector('main').innerText.includes('your list of 1 prefixes')");
    // What is no list changes nothing.
    browser.choose_in("#makers-input", &none);
    browser.until("document.querySelector('main [role=alert]') !== null");
    browser.until("document.querySelector('main').innerText.includes('<b>A maker</b>, Ltd.')");
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[test]
fn names_that_are_html_stay_text() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.run("globalThis.alert = () => { globalThis.injected = true; }", &[]);
    let cases = tests::hostile::cases();
    let is_html = |it: &str| it.starts_with("HTML as ") || it.starts_with("an attribute as ");
    let cases = cases.iter().filter(|it| is_html(&it.name));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("names");
    fs::create_dir_all(&folder).unwrap();
    let mut n = 0;
    for (at, case) in cases.enumerate() {
        let name = format!("{at}.pcap");
        fs::write(folder.join(&name), &case.capture).unwrap();
        browser.drop_file(&folder.join(&name));
        browser.until_read_of(&name);
        for view in ["overview", "flows&id=0", "hosts", "sessions&id=0", "talks", "labels"] {
            go(&browser, &format!("#v={view}"));
            browser.until("document.querySelector('main') !== null && document.querySelector('main .waiting') === null");
            let found = browser.run(
                "return [globalThis.injected ?? null, document.querySelectorAll('main script, main img, main [onmouseover]').length]",
                &[],
            );
            assert_eq!(found, json!([null, 0]), "{} in {view}", case.name);
        }
        n += 1;
    }
    assert!(n > 40, "{n} captures");
}

#[test]
fn a_first_visit_goes_all_the_way_and_back() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let says = |text: &str| {
        browser
            .until(&format!("document.querySelector('main').innerText.includes({})", json!(text)));
    };
    says("without sending it anywhere");
    browser.click("button[popovertarget=seal-text]");
    browser.until("document.querySelector('#seal-text').matches(':popover-open')");
    browser.click("#open-sample");
    browser.until_read();
    site.asked();
    // A label leads to its flows.
    browser.click("main a[href*='q=label:vk']");
    browser.until("location.hash.startsWith('#v=flows&q=label:vk')");
    let rows = "[...document.querySelectorAll('main table.long tbody tr[aria-rowindex]')]";
    browser.until(&format!("{rows}.length > 1"));
    browser.until(&format!("{rows}.every(it => it.innerText.toLowerCase().includes('vk'))"));
    // Sorted by bytes, the greatest first.
    browser.run(
        "[...document.querySelectorAll('main th button')].find(it => it.innerText.startsWith('Bytes')).click()",
        &[],
    );
    browser.until("location.hash.includes('s=-bytes')");
    browser.until("document.querySelector('main th[aria-sort=descending]') !== null");
    // A flow, its server, its flows again.
    browser.click("main table.long tbody tr[aria-rowindex='2']");
    browser.until("document.querySelector('aside.detail h2') !== null");
    browser.click("aside.detail a[href^='#v=hosts&id=']");
    browser.until("location.hash.startsWith('#v=hosts&id=')");
    browser.until("document.querySelector('main h1') !== null");
    browser.click("nav.rail a[href^='#v=export']");
    browser.click("#save");
    browser.until("document.querySelector('.toast') !== null");
    browser.click("#lang-ru");
    browser.until("document.documentElement.lang === 'ru'");
    browser.run("history.back()", &[]);
    browser.until("location.hash.startsWith('#v=hosts&id=')");
    browser.run("history.back()", &[]);
    browser.until("location.hash.startsWith('#v=flows&')");
    assert_eq!(site.asked(), Vec::<String>::new());
}
