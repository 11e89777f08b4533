//! The flow table in headless Chromium: columns, times, the menu of a cell, and the keys of a grid. Run by `cargo xtask test`.

use serde_json::json;

use crate::driver::{Browser, Site};

const RIGHT: &str = "\u{e014}";
const DOWN: &str = "\u{e015}";
const UP: &str = "\u{e013}";
const HOME: &str = "\u{e011}";
const END: &str = "\u{e010}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// The sample's flow table at an address.
fn opened(site: &Site, language: &str, hash: &str) -> Browser {
    let browser = Browser::open_page(site, language);
    browser.click("#open-sample");
    browser.until_read();
    go(&browser, hash);
    browser
}

fn go(browser: &Browser, hash: &str) {
    browser.run("location.hash = arguments[0]", &[json!(hash)]);
    browser.until("document.querySelectorAll('#rows tbody td[id]').length > 10");
}

fn titles(browser: &Browser) -> Vec<String> {
    let titles = browser.run(
        "return Array.from(document.querySelectorAll('#rows th'), it => it.innerText.trim())",
        &[],
    );
    let titles = titles.as_array().unwrap().iter();
    titles.map(|it| it.as_str().unwrap().to_owned()).collect()
}

/// The texts of a column, of the rows in the page.
fn column(browser: &Browser, at: usize) -> Vec<String> {
    let texts = browser.run(
        "return Array.from(document.querySelectorAll('#rows tbody tr[aria-rowindex]'), it => it.cells[arguments[0]]?.innerText)
            .filter(it => it !== undefined)",
        &[json!(at)],
    );
    let texts = texts.as_array().unwrap().iter();
    texts.map(|it| it.as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn columns_are_in_the_address_and_in_the_list_to_choose_from() {
    let site = Site::start();
    let browser = opened(&site, "en", "#v=flows&c=label,bytes:140,ja4&s=-bytes");
    assert_eq!(titles(&browser), ["Label", "Bytes▾", "JA4"]);
    let width = "Math.round(document.querySelector('#heading-1').getBoundingClientRect().width)";
    let is_wide = browser.run(&format!("return {width} >= 140"), &[]);
    assert_eq!(is_wide, json!(true));
    browser.click("#choose-columns");
    browser.until("document.querySelector('dialog.chooser[open]') !== null");
    // One more, to the left of the last, by keys alone.
    browser.run("document.querySelector('#show-state').focus()", &[]);
    browser.press(" ");
    browser.until("location.hash.includes('c=label,bytes:140,ja4,state')");
    browser.run("document.querySelector('#up-state').focus()", &[]);
    browser.press(ENTER);
    browser.until("location.hash.includes('c=label,bytes:140,state,ja4')");
    browser.until("document.activeElement.id === 'up-state'");
    browser.press(ESCAPE);
    browser.until("document.querySelector('dialog[open]') === null");
    assert_eq!(titles(&browser), ["Label", "Bytes▾", "State", "JA4"]);
    // A link that says nothing of columns leaves them.
    go(&browser, "#v=flows&q=label:dns");
    browser.until("location.hash.includes('c=label,bytes:140,state,ja4')");
    // The pointer makes a column wider, and the address keeps that.
    browser.run(
        "const grip = document.querySelector('#heading-2 .grip');
        const at = grip.getBoundingClientRect();
        const send = (type, x) => grip.dispatchEvent(new PointerEvent(type, {
            bubbles: true, pointerId: 1, clientX: x, clientY: at.y + 5,
        }));
        grip.setPointerCapture = () => {};
        send('pointerdown', at.x); send('pointermove', at.x + 30); send('pointerup', at.x + 60);",
        &[],
    );
    browser.until("/state:\\d+/.test(location.hash)");
    browser.click("#choose-columns");
    browser.click(".chooser footer .btn");
    browser.until("!location.hash.includes('c=')");
}

#[test]
fn every_column_is_shown_and_sorted_by() {
    let site = Site::start();
    let keys: Vec<&str> = web::columns::COLUMNS.iter().map(|it| it.key).collect();
    let browser = opened(&site, "ru", &format!("#v=flows&c={}", keys.join(",")));
    assert_eq!(titles(&browser).len(), keys.len());
    for (at, it) in web::columns::COLUMNS.iter().enumerate().filter(|it| it.1.sort.is_some()) {
        browser.run(
            "document.querySelector(arguments[0]).click()",
            &[json!(format!("#heading-{at} button"))],
        );
        browser.until(&format!(
            "document.querySelector('#heading-{at}').ariaSort !== null && document.querySelector('#rows tr.coming') === null"
        ));
        let is_sorted = format!("location.hash.match(/s=-?{}(&|$)/) !== null", it.key);
        // The usual order is not in the address.
        assert!(
            it.key == "start" || browser.run(&format!("return {is_sorted}"), &[]) == json!(true),
            "{}",
            it.key
        );
    }
}

#[test]
fn a_grid_is_walked_over_by_keys_and_each_cell_has_a_menu() {
    let site = Site::start();
    let browser = opened(&site, "en", "#v=flows");
    let roles = "document.querySelector('#rows').role === 'grid' && Number(document.querySelector('#rows').ariaRowCount) > 20
        && document.querySelector('#rows').ariaColCount === '8'";
    browser.until(roles);
    browser.run("document.querySelector('#rows').focus()", &[]);
    let active = |id: &str| {
        browser.until(&format!(
            "document.querySelector('#rows').getAttribute('aria-activedescendant') === '{id}'
                && document.getElementById('{id}').classList.contains('active')"
        ));
    };
    active("at-0-0");
    browser.press(DOWN);
    browser.press(RIGHT);
    active("at-1-1");
    browser.press(END);
    active("at-1-7");
    browser.press(HOME);
    active("at-1-0");
    browser.press(UP);
    browser.press(UP);
    browser.press(RIGHT);
    active("heading-1");
    browser.press(ENTER);
    browser.until("location.hash.includes('s=label')");
    browser.until("document.querySelector('#heading-1').ariaSort === 'ascending'");
    browser.press(DOWN);
    active("at-0-1");
    // The label of the cell: for it, then without it.
    let label = browser.run(
        "return document.querySelector('#at-0-1').innerText.split('\\n').at(-1).trim().split(' ')[0]",
        &[],
    );
    browser.press("f");
    browser.until("location.hash.includes('q=label:')");
    go(&browser, "#v=flows&s=-bytes");
    browser.run("document.querySelector('#rows').focus()", &[]);
    browser.press("g");
    browser.press(HOME);
    browser.press(RIGHT);
    active("at-0-1");
    browser.press("x");
    browser.until("location.hash.includes('q=-label:')");
    assert!(label.as_str().is_some_and(|it| !it.is_empty()));

    go(&browser, "#v=flows");
    browser.run(
        "document.querySelector('#at-2-3').dispatchEvent(
            new MouseEvent('contextmenu', {bubbles: true, cancelable: true, clientX: 600, clientY: 300}))",
        &[],
    );
    browser.until("document.activeElement.role === 'menuitem'");
    let items = browser.run("return document.querySelectorAll('[role=menuitem]').length", &[]);
    assert!(items.as_u64().unwrap() >= 12, "{items}");
    let inside = "(() => { const it = document.querySelector('.menu').getBoundingClientRect();
        return it.left >= 0 && it.top >= 0 && it.right <= innerWidth && it.bottom <= innerHeight; })()";
    browser.until(inside);
    browser.press(DOWN);
    browser.press(ESCAPE);
    browser
        .until("document.querySelector('.menu') === null && document.activeElement.id === 'rows'");
    // The small button of the cell opens it too, and a line does what it says.
    browser.click("#at-2-3 .of-cell");
    browser.until("document.activeElement.role === 'menuitem'");
    browser.press("h");
    browser.until("location.hash.startsWith('#v=hosts&')");
}

#[test]
fn times_are_shown_in_four_ways() {
    let site = Site::start();
    let browser = opened(&site, "en", "#v=flows");
    assert!(titles(&browser)[0].contains("UTC"), "{:?}", titles(&browser));
    browser.press("z");
    browser.until("location.hash.includes('tm=local')");
    browser.until("/UTC[+−]/.test(document.querySelector('#heading-0').innerText)");
    browser.press("z");
    browser.until("location.hash.includes('tm=start')");
    browser.until("document.querySelector('#at-0-0').innerText.startsWith('+')");
    browser.press("z");
    browser.until("location.hash.includes('tm=above')");
    browser.until("document.querySelector('#at-0-0').innerText === '–'");
    assert!(column(&browser, 0)[1].starts_with('+'));
    browser.press("z");
    browser.until("!location.hash.includes('tm=')");
}
