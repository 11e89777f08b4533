//! The pictures of the README, made of the sample: `cargo xtask pictures`.

use std::{env, fs, path::PathBuf};

use serde_json::json;

use crate::driver::{Browser, Site};

/// The pictures: the file's name, the view, the theme.
const PICTURES: [(&str, &str, &str); 4] = [
    ("overview.png", "#v=overview", "light"),
    ("flows.png", "#v=flows&q=label:vk&id=25", "dark"),
    ("talks.png", "#v=talks", "light"),
    ("host.png", "#v=hosts&id=10.20.0.11", "dark"),
];

/// What base64 stands for.
fn decoded(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut n) = (0_u32, 0);
    for byte in text.bytes() {
        let Some(digit) = digits.iter().position(|it| *it == byte) else { continue };
        (bits, n) = (bits << 6 | digit as u32, n + 6);
        if n >= 8 {
            n -= 8;
            bytes.push((bits >> n) as u8);
        }
    }
    bytes
}

/// Every picture shows its view; they are kept where the command says so.
#[test]
fn pictures_are_made_of_the_sample() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    browser.click("#open-sample");
    browser.until_read();
    let folder = env::var_os("TRACTOR_PICTURES").map(PathBuf::from);
    for (name, view, theme) in PICTURES {
        browser.run(
            "document.documentElement.dataset.theme = arguments[0]; location.hash = arguments[1]",
            &[json!(theme), json!(view)],
        );
        browser.until(
            "document.querySelector('main .waiting, main tr.coming') === null && document.querySelector('main h1') !== null",
        );
        // Until it has been drawn.
        browser.run(
            "return new Promise(it => requestAnimationFrame(() => requestAnimationFrame(() => it(0))))",
            &[],
        );
        let picture = decoded(&browser.picture());
        assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n") && picture.len() > 20_000, "{name}");
        if let Some(folder) = &folder {
            fs::write(folder.join(name), picture).unwrap();
        }
    }
}
