//! How far the reading is, in a line on a terminal that is drawn over until the reading ends.

use std::{
    env,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use crate::voice;

/// A reading shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(400);
/// How often the line is drawn.
const EVERY: Duration = Duration::from_millis(100);
/// How many characters the line has at most; where the terminal does not say, it is taken for one of 80.
const MAX_WIDTH: usize = 79;
/// How many characters the bar has.
const BAR: u64 = 20;

/// The line of one capture.
pub(crate) struct Progress {
    name: String,
    /// Which of how many captures it is, from 1.
    place: (usize, usize),
    /// How long the capture is, in bytes, where that is known.
    len: Option<u64>,
    read: u64,
    is_watched: bool,
    is_drawn: bool,
    started: Instant,
    drawn: Instant,
}

impl Progress {
    /// Nothing is read yet.
    pub(crate) fn new(name: &str, place: (usize, usize), len: Option<u64>) -> Self {
        let now = Instant::now();
        Self {
            name: engine::plain(name),
            place,
            len,
            read: 0,
            is_watched: io::stderr().is_terminal() && !voice::is_dumb(),
            is_drawn: false,
            started: now,
            drawn: now,
        }
    }

    /// So many bytes more are read.
    pub(crate) fn advance(&mut self, bytes: u64) {
        self.read += bytes;
        if !self.is_watched {
            return;
        }
        let now = Instant::now();
        let took = now - self.started;
        if took >= PATIENCE && (!self.is_drawn || now - self.drawn >= EVERY) {
            let line = self.line(took, width());
            let _ = write!(io::stderr(), "\r{line}\u{1b}[K");
            (self.is_drawn, self.drawn) = (true, now);
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
        let speed = self.read as f64 / took.as_secs_f64();
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

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_drawn {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
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
        let mut progress = Progress::new(name, place, len);
        progress.read = 250_000_000;
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
