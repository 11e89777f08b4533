//! What the page's colours must keep: text 4.5:1 and marks of charts 3:1 against all they can lie on, in both themes
//! (WCAG 2.2, 1.4.3 and 1.4.11).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../web/assets/page.css");

/// What text and marks lie on.
const GROUNDS: &[&str] = &["bg", "surface", "sunken"];
/// Colours of text on every ground.
const TEXTS: &[&str] = &["ink", "ink-2", "ink-3", "accent", "good", "warn", "bad"];
/// Colours of text on a ground of its own.
const PAIRS: &[(&str, &str)] = &[
    ("accent-ink", "accent"),
    ("ink", "accent-soft"),
    ("accent", "accent-soft"),
    ("ink", "warn-soft"),
    ("warn", "warn-soft"),
    ("ink", "bad-soft"),
    ("bad", "bad-soft"),
];
/// Colours of lines and marks besides those of the groups.
const MARKS: &[&str] = &["line-strong", "accent", "ink-3"];

/// Red, green and blue from 0 to 1, as a style sheet writes them.
type Colour = [f64; 3];

/// The named colours of the style sheet, in the light theme and in the dark one.
fn colours() -> BTreeMap<&'static str, [Colour; 2]> {
    let pair = |line: &'static str| {
        let (name, value) = line.split_once(": light-dark(")?;
        let (light, dark) = value.split_once(')')?.0.split_once(", ")?;
        // A group has one colour, by the name of its class.
        let name = match name.split_once(" { --c") {
            Some((class, _)) => class.trim_start_matches('.'),
            None => name.trim().trim_start_matches("--"),
        };
        Some((name, [colour(light), colour(dark)]))
    };
    STYLE.lines().filter_map(pair).collect()
}

fn colour(hex: &str) -> Colour {
    let digits = hex.strip_prefix('#').unwrap();
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&digits[at..at + 2], 16).unwrap()) / 255.0)
}

fn linear(colour: Colour) -> Colour {
    colour.map(|it| if it <= 0.04045 { it / 12.92 } else { ((it + 0.055) / 1.055).powf(2.4) })
}

/// How light it is, from 0 to 1 (relative luminance).
fn luminance(colour: Colour) -> f64 {
    let [red, green, blue] = linear(colour);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Of the same colour, a share of another: as `color-mix(in oklab, …)` does (CSS Color 5), by luminance alone, which in OKLab
/// is between those of both.
fn is_between(of: Colour, ink: Colour, ground: Colour, least: f64) -> bool {
    contrast(of, ground) >= least
        && contrast(ink, ground) >= least
        && (luminance(of) > luminance(ground)) == (luminance(ink) > luminance(ground))
}

#[test]
fn text_can_be_read_in_both_themes() {
    let colours = colours();
    let on_grounds = TEXTS.iter().flat_map(|text| GROUNDS.iter().map(move |on| (*text, *on)));
    for (text, ground) in on_grounds.chain(PAIRS.iter().copied()) {
        for theme in 0..2 {
            let found = contrast(colours[text][theme], colours[ground][theme]);
            assert!(found >= 4.5, "{text} on {ground}, theme {theme}: {found:.2}");
        }
    }
}

#[test]
fn marks_can_be_seen_in_both_themes() {
    let colours = colours();
    let groups: Vec<_> = colours.keys().filter(|it| it.starts_with("g-")).copied().collect();
    assert!(groups.len() >= 15, "{groups:?}");
    for mark in groups.iter().chain(MARKS) {
        for ground in GROUNDS {
            for theme in 0..2 {
                let (mark_of, on) = (colours[mark][theme], colours[ground][theme]);
                let found = contrast(mark_of, on);
                assert!(found >= 3.0, "{mark} on {ground}, theme {theme}: {found:.2}");
                // Shades of a colour go from it to the ink.
                assert!(is_between(mark_of, colours["ink"][theme], on, 3.0), "{mark} on {ground}");
            }
        }
    }
}

/// The letter in a group's mark has the colour of the surface.
#[test]
fn letters_of_marks_can_be_read() {
    let colours = colours();
    for (group, of) in colours.iter().filter(|it| it.0.starts_with("g-")) {
        for theme in 0..2 {
            let found = contrast(of[theme], colours["surface"][theme]);
            assert!(found >= 4.5, "{group}, theme {theme}: {found:.2}");
        }
    }
}
