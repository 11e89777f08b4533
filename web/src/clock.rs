//! Which time the tables show: that of UTC or of where the user is, or how long after the capture began, or after the row
//! above.

use crate::{
    format,
    i18n::{Lang, Texts},
};

/// A mode of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// The browser's own zone.
    Local,
    /// Since the capture's first packet.
    SinceStart,
    /// Since the row above.
    SinceAbove,
}

/// Every mode and its word in the address.
pub const MODES: [(Mode, &str); 4] = [
    (Mode::Utc, "utc"),
    (Mode::Local, "local"),
    (Mode::SinceStart, "start"),
    (Mode::SinceAbove, "above"),
];

impl Mode {
    /// Its word in the address.
    pub fn key(self) -> &'static str {
        MODES.iter().find(|it| it.0 == self).map_or("utc", |it| it.1)
    }

    /// The mode of a word in the address.
    pub fn named(key: &str) -> Self {
        MODES.iter().find(|it| it.1 == key).map_or(Self::Utc, |it| it.0)
    }

    /// The one after it.
    pub fn next(self) -> Self {
        let at = MODES.iter().position(|it| it.0 == self).unwrap_or(0);
        MODES[(at + 1) % MODES.len()].0
    }

    /// What stands beside a column's heading: the zone, or since when.
    pub fn note(self, capture_start_ns: u64, t: &Texts) -> String {
        match self {
            Self::Utc => "UTC".to_owned(),
            Self::Local => zone(offset_minutes(capture_start_ns)),
            Self::SinceStart => t.table.since_start.to_owned(),
            Self::SinceAbove => t.table.since_above.to_owned(),
        }
    }
}

/// A moment as a mode shows it, and in full.
pub fn moment(
    nanos: u64,
    mode: Mode,
    (capture_start_ns, has_days): (u64, bool),
    above_ns: Option<u64>,
    lang: Lang,
) -> (String, String) {
    let full = match mode {
        Mode::Local => local(nanos, offset_minutes(nanos)),
        _ => format::moment(nanos),
    };
    let short = match mode {
        Mode::Utc => format::moment_short(nanos, has_days),
        Mode::Local => format::moment_short(shifted(nanos, offset_minutes(nanos)), has_days),
        Mode::SinceStart => since(nanos, Some(capture_start_ns), lang),
        Mode::SinceAbove => since(nanos, above_ns, lang),
    };
    (short, full)
}

/// How long after another moment; before it with a minus. Nothing to compare with is a dash.
fn since(nanos: u64, other: Option<u64>, lang: Lang) -> String {
    let Some(other) = other else { return "–".to_owned() };
    match nanos.checked_sub(other) {
        Some(after) => format!("+{}", format::duration(after, lang)),
        None => format!("\u{2212}{}", format::duration(other - nanos, lang)),
    }
}

fn shifted(nanos: u64, minutes: i64) -> u64 {
    nanos.saturating_add_signed(minutes * 60_000_000_000)
}

fn local(nanos: u64, minutes: i64) -> String {
    let text = format::moment(shifted(nanos, minutes));
    text.replace("UTC", &zone(minutes))
}

/// A zone by its distance to UTC: `UTC+03:00`.
fn zone(minutes: i64) -> String {
    let sign = if minutes < 0 { '\u{2212}' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// How many minutes the browser's zone was before UTC at a moment.
#[cfg(target_arch = "wasm32")]
fn offset_minutes(nanos: u64) -> i64 {
    let date = js_sys::Date::new(&(nanos as f64 / 1e6).into());
    let behind = date.get_timezone_offset();
    if behind.is_finite() { -behind as i64 } else { 0 }
}

/// Outside a browser there is no zone but UTC.
#[cfg(not(target_arch = "wasm32"))]
fn offset_minutes(_: u64) -> i64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_named_by_its_distance() {
        assert_eq!(zone(180), "UTC+03:00");
        assert_eq!(zone(-210), "UTC\u{2212}03:30");
        assert_eq!(zone(0), "UTC+00:00");
        assert_eq!(local(1_530_447_922_000_000_000, 180), "2018-07-01 15:25:22 UTC+03:00");
    }

    #[test]
    fn time_goes_on_from_the_start_or_the_row_above() {
        let short =
            |mode, above| moment(5_000_000_000, mode, (2_000_000_000, false), above, Lang::En).0;
        assert_eq!(short(Mode::Utc, None), "00:00:05.000");
        assert_eq!(short(Mode::SinceStart, None), "+3.00\u{a0}s");
        assert_eq!(short(Mode::SinceAbove, None), "–");
        assert_eq!(short(Mode::SinceAbove, Some(5_000_001_000)), "\u{2212}1.00\u{a0}µs");
    }

    #[test]
    fn a_mode_is_written_and_read() {
        for (mode, key) in MODES {
            assert_eq!((mode.key(), Mode::named(key)), (key, mode));
        }
        assert_eq!(Mode::named("noon"), Mode::Utc);
        assert_eq!(Mode::SinceAbove.next(), Mode::Utc);
    }
}
