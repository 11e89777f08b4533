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

/// The lesser contrast of the two themes.
fn least_contrast(a: [Colour; 2], b: [Colour; 2]) -> f64 {
    a.into_iter().zip(b).map(|(a, b)| contrast(a, b)).fold(f64::INFINITY, f64::min)
}

/// Whether both are on the same side of a ground, lighter or darker: what `color-mix(in oklab, …)` makes of them (CSS Color 5) is
/// between them then, and stands out as the lesser of them does.
fn are_alike(a: [Colour; 2], b: [Colour; 2], ground: [Colour; 2]) -> bool {
    let is_lighter = |it: [Colour; 2]| {
        let [light, dark] = it.map(luminance);
        let [on_light, on_dark] = ground.map(luminance);
        [light > on_light, dark > on_dark]
    };
    is_lighter(a) == is_lighter(b)
}

#[test]
fn text_can_be_read_in_both_themes() {
    let colours = colours();
    let on_grounds = TEXTS.iter().flat_map(|text| GROUNDS.iter().map(move |on| (*text, *on)));
    for (text, ground) in on_grounds.chain(PAIRS.iter().copied()) {
        let found = least_contrast(colours[text], colours[ground]);
        assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
    }
}

#[test]
fn marks_can_be_seen_in_both_themes() {
    let colours = colours();
    let groups: Vec<_> = colours.keys().filter(|it| it.starts_with("g-")).copied().collect();
    assert!(groups.len() >= 15, "{groups:?}");
    for mark in groups.iter().chain(MARKS) {
        for ground in GROUNDS {
            let found = least_contrast(colours[mark], colours[ground]);
            assert!(found >= 3.0, "{mark} on {ground}: {found:.2}");
            // Shades of a colour go from it to the ink.
            assert!(are_alike(colours[mark], colours["ink"], colours[ground]), "{mark}, {ground}");
        }
    }
}

/// The letter in a group's mark has the colour of the surface.
#[test]
fn letters_of_marks_can_be_read() {
    let colours = colours();
    for (group, of) in colours.iter().filter(|it| it.0.starts_with("g-")) {
        let found = least_contrast(*of, colours["surface"]);
        assert!(found >= 4.5, "{group}: {found:.2}");
    }
}
