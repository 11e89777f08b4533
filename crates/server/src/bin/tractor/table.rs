//! Rows as a table for reading, and as CSV.

use std::io::{self, Write};

use crate::voice::{Colours, Paint};

/// By so many rows the widths of the columns are found; later cells that are wider move what follows them.
const MEASURED: usize = 1_000;
/// How many characters of a cell are shown, but of the last in a row.
const MAX_WIDTH: usize = 44;
/// What stands between columns.
const GAP: &str = "  ";

/// A column: its title, and whether its cells are numbers, which end below each other.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    pub(crate) is_number: bool,
}

/// A column of texts.
pub(crate) const fn text(title: &'static str) -> Column {
    Column { title, is_number: false }
}

/// A column of numbers.
pub(crate) const fn number(title: &'static str) -> Column {
    Column { title, is_number: true }
}

/// Writes a line of titles and a line a row.
pub(crate) fn write(
    out: &mut impl Write,
    columns: &[Column],
    mut rows: impl Iterator<Item = Vec<String>>,
    colours: Colours,
) -> io::Result<()> {
    let measured: Vec<Vec<String>> = rows.by_ref().take(MEASURED).map(cells).collect();
    let width = |at: usize, column: &Column| {
        let widths = measured.iter().filter_map(|it| it.get(at)).map(|it| n_chars(it));
        widths.chain([n_chars(column.title)]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(at, it)| width(at, it)).collect();
    let titles: Vec<String> = columns.iter().map(|it| it.title.to_owned()).collect();
    writeln!(out, "{}", colours.paint(Paint::Bold, line(&titles, columns, &widths)))?;
    for row in measured.into_iter().chain(rows.map(cells)) {
        writeln!(out, "{}", line(&row, columns, &widths))?;
    }
    Ok(())
}

/// Cells as they are shown: others chose what is in them.
fn cells(row: Vec<String>) -> Vec<String> {
    let n_cells = row.len();
    let shown = |(at, cell): (usize, String)| {
        let cell = engine::plain(&cell);
        if at + 1 == n_cells || n_chars(&cell) <= MAX_WIDTH {
            return cell;
        }
        cell.chars().take(MAX_WIDTH - 1).chain(['…']).collect()
    };
    row.into_iter().enumerate().map(shown).collect()
}

fn line(cells: &[String], columns: &[Column], widths: &[usize]) -> String {
    let mut line = String::new();
    for ((cell, column), width) in cells.iter().zip(columns).zip(widths) {
        if !line.is_empty() {
            line += GAP;
        }
        line += &match column.is_number {
            true => format!("{cell:>width$}"),
            false => format!("{cell:width$}"),
        };
    }
    line.trim_end().to_owned()
}

fn n_chars(text: &str) -> usize {
    text.chars().count()
}

/// Writes a line of CSV (RFC 4180).
pub(crate) fn write_csv(out: &mut impl Write, cells: &[String]) -> io::Result<()> {
    let cells: Vec<_> = cells.iter().map(|it| engine::csv_cell(it)).collect();
    writeln!(out, "{}", cells.join(","))
}

/// A number of seconds between two times, with its milliseconds.
pub(crate) fn seconds(from_ns: u64, to_ns: u64) -> String {
    let millis = to_ns.saturating_sub(from_ns) / 1_000_000;
    format!("{}.{:03}", millis / 1_000, millis % 1_000)
}

/// An address and its port, where there is one.
pub(crate) fn end(ip: &str, port: u16) -> String {
    match port {
        0 => ip.to_owned(),
        _ if ip.contains(':') => format!("[{ip}]:{port}"),
        _ => format!("{ip}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[text("label"), number("flows"), text("name")];

    fn written(rows: &[[&str; 3]]) -> String {
        let rows = rows.iter().map(|it| it.map(str::to_owned).to_vec());
        let mut out = Vec::new();
        write(&mut out, COLUMNS, rows, Colours::none()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_stand_below_each_other() {
        assert_eq!(
            written(&[["tls", "7", "a.example"], ["почта", "1234", ""]]),
            "label  flows  name\ntls        7  a.example\nпочта   1234\n"
        );
    }

    #[test]
    fn without_rows_the_titles_stay() {
        assert_eq!(written(&[]), "label  flows  name\n");
    }

    #[test]
    fn what_would_move_the_cursor_is_not_shown() {
        assert!(written(&[["a\u{1b}[2J", "1", "b\nc"]]).lines().count() == 2);
    }

    #[test]
    fn a_long_cell_is_cut_where_others_follow() {
        let long = "x".repeat(90);
        let text = written(&[[&long, "1", &long]]);
        assert!(text.contains(&format!("{}…", "x".repeat(MAX_WIDTH - 1))) && text.contains(&long));
    }

    #[test]
    fn seconds_have_milliseconds() {
        assert_eq!(seconds(1_000_000_000, 2_345_678_901), "1.345");
        assert_eq!(seconds(5, 1), "0.000");
    }

    #[test]
    fn an_address_and_its_port_can_be_told_apart() {
        assert_eq!(end("192.0.2.1", 80), "192.0.2.1:80");
        assert_eq!(end("2001:db8::1", 80), "[2001:db8::1]:80");
        assert_eq!(end("192.0.2.1", 0), "192.0.2.1");
    }
}
