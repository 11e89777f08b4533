//! How far the reading is, in a line on a terminal that is drawn over until the reading ends.

use std::{
    env,
    io::{self, IsTerminal, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use crate::voice;

/// Who waits less long than this is shown nothing.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(100);
/// How many characters the line has at most; where the terminal does not say, it is taken for one of 80.
const MAX_WIDTH: usize = 79;
/// How many characters the bar has.
const BAR: u64 = 20;

/// Whether the line is on the terminal.
static IS_DRAWN: AtomicBool = AtomicBool::new(false);

/// How far the reading of captures is.
pub(crate) struct Progress {
    is_watched: bool,
    started: Instant,
    drawn: Instant,
    /// The capture that is read.
    name: String,
    /// Which of how many captures it is, from 1.
    place: (usize, usize),
    /// How long it is, in bytes, where that is known.
    len: Option<u64>,
    begun: Instant,
    read: u64,
}

impl Progress {
    /// Nothing is read yet.
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            is_watched: io::stderr().is_terminal() && !voice::is_dumb(),
            started: now,
            drawn: now,
            name: String::new(),
            place: (1, 1),
            len: None,
            begun: now,
            read: 0,
        }
    }

    /// Another capture is read from now on.
    pub(crate) fn begin(&mut self, name: &str, place: (usize, usize), len: Option<u64>) {
        self.name = engine::plain(name);
        (self.place, self.len, self.read) = (place, len, 0);
        self.begun = Instant::now();
    }

    /// So many bytes more of it are read.
    pub(crate) fn advance(&mut self, bytes: u64) {
        self.read += bytes;
        if !self.is_watched {
            return;
        }
        let now = Instant::now();
        if now - self.started >= PATIENCE && now - self.drawn >= EVERY {
            let line = self.line(now - self.begun, width());
            // A terminal that is gone must not end the reading.
            let _ = write!(io::stderr(), "\r{line}\u{1b}[K");
            IS_DRAWN.store(true, Ordering::Relaxed);
            self.drawn = now;
        }
    }

    /// `office.pcap 2/3 [#####               ]  25 %  512 MB  128 MB/s  0:12`, within so many characters.
    fn line(&self, took: Duration, width: usize) -> String {
        let mut figures = String::new();
        if self.place.1 > 1 {
            figures += &format!(" {}/{}", self.place.0, self.place.1);
        }
        // A file may have grown.
        let share = self.len.filter(|it| *it > 0).map(|len| (self.read.min(len), len));
        if let Some((read, len)) = share {
            let n_full = (u128::from(BAR) * u128::from(read) / u128::from(len)) as usize;
            let percent = u128::from(read) * 100 / u128::from(len);
            let (full, empty) = ("#".repeat(n_full), " ".repeat(BAR as usize - n_full));
            figures += &format!(" [{full}{empty}] {percent:3} %");
        }
        let speed = self.read as f64 / took.as_secs_f64().max(1e-3);
        figures += &format!("  {}  {}/s", bytes(self.read as f64), bytes(speed));
        if let Some((read, len)) = share.filter(|_| speed > 0.0) {
            let seconds = ((len - read) as f64 / speed) as u64;
            figures += &format!("  {}:{:02}", seconds / 60, seconds % 60);
        }
        let room = width.saturating_sub(figures.chars().count());
        let n_chars = self.name.chars().count();
        if n_chars <= room {
            return self.name.clone() + &figures;
        }
        // The end of a name tells more than its folders.
        let end = self.name.chars().skip(n_chars - room.saturating_sub(1));
        let line = std::iter::once('…').chain(end).chain(figures.chars());
        line.take(width).collect()
    }
}

/// Takes the line away, so that something else can be written there; whether there was one.
pub(crate) fn clear() -> bool {
    let is_drawn = IS_DRAWN.swap(false, Ordering::Relaxed);
    if is_drawn {
        let _ = write!(io::stderr(), "\r\u{1b}[K");
    }
    is_drawn
}

/// How many characters a line may have.
fn width() -> usize {
    let columns = env::var("COLUMNS").ok().and_then(|it| it.parse::<usize>().ok());
    columns.map_or(MAX_WIDTH, |it| it.saturating_sub(1).clamp(20, MAX_WIDTH))
}

/// A number of bytes in three digits or a little more.
pub(crate) fn bytes(number: f64) -> String {
    const UNITS: [[&str; 5]; 2] = [["B", "kB", "MB", "GB", "TB"], ["Б", "кБ", "МБ", "ГБ", "ТБ"]];
    let [en, ru] = UNITS;
    let units = voice::words(en, ru);
    let (mut number, mut unit) = (number, 0);
    while number >= 999.5 && unit + 1 < units.len() {
        (number, unit) = (number / 1_000.0, unit + 1);
    }
    let decimals = usize::from(number < 9.95 && unit > 0);
    format!("{number:.decimals$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, place: (usize, usize), len: Option<u64>, width: usize, expected: &str) {
        let mut progress = Progress::new();
        progress.begin(name, place, len);
        progress.advance(250_000_000);
        let line = progress.line(Duration::from_secs(2), width);
        assert_eq!(line, expected);
        assert!(line.chars().count() <= width);
    }

    #[test]
    fn a_line_says_how_far_and_how_long() {
        check(
            "a.pcap",
            (1, 1),
            Some(1_000_000_000),
            79,
            "a.pcap [#####               ]  25 %  250 MB  125 MB/s  0:06",
        );
        check("-", (2, 3), None, 79, "- 2/3  250 MB  125 MB/s");
    }

    #[test]
    fn of_a_long_name_the_end_is_shown() {
        check("folder/office.pcap", (1, 1), None, 30, "…office.pcap  250 MB  125 MB/s");
        check("folder/office.pcap", (1, 1), None, 12, "…  250 MB  1");
    }

    #[test]
    fn a_file_that_grew_is_read_whole_at_most() {
        check("a", (1, 1), Some(10), 79, "a [####################] 100 %  250 MB  125 MB/s  0:00");
    }

    #[test]
    fn bytes_have_a_unit() {
        for (number, expected) in [
            (0.0, "0 B"),
            (999.0, "999 B"),
            (1_000.0, "1.0 kB"),
            (15_000.0, "15 kB"),
            (999_999.0, "1.0 MB"),
            (2e15, "2000 TB"),
        ] {
            assert_eq!(bytes(number), expected);
        }
    }
}
