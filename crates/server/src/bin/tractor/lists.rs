//! `tractor sessions` and `tractor hosts`: what is in captures, row by row.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use engine::{Analysis, Countries, Filter, Rules};
use serde::Serialize;
use v1::page::{HostRow, SessionRow};

use crate::{
    Error, Outcome,
    captures::Captures,
    filter::Filtered,
    flows, input,
    progress::bytes,
    table::{self, Column, number, seconds, text},
    voice::{Colours, Paint, words},
};

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Jsonl,
    Csv,
}

/// What both commands ask.
#[derive(Args)]
struct List {
    #[command(flatten)]
    captures: Captures,
    /// The format: text, a table to read; jsonl, a JSON object a line; csv.
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        hide_possible_values = true
    )]
    format: Format,
    #[command(flatten)]
    filter: Filtered,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    as_one: input::AsOne,
    #[command(flatten)]
    effort: input::Effort,
}

#[derive(Args)]
pub(crate) struct Sessions {
    #[command(flatten)]
    list: List,
    #[command(flatten)]
    countries: input::CountriesFile,
}

#[derive(Args)]
pub(crate) struct Hosts {
    #[command(flatten)]
    list: List,
    #[command(flatten)]
    countries: input::CountriesFile,
}

/// A kind of row.
struct Kind<R> {
    /// The titles of the table.
    columns: fn() -> Vec<Column>,
    /// The cells below them; times are from the first packet of the capture on.
    cells: fn(&R, u64) -> Vec<String>,
    /// The names of the values, as JSON has them.
    names: &'static [&'static str],
    /// The values, as texts.
    values: fn(&R) -> Vec<String>,
}

const SESSION: Kind<SessionRow> = Kind {
    columns: || {
        let [client, label, name] = words(["client", "label", "name"], ["клиент", "метка", "имя"]);
        let [session, flows, bytes, start, lasts] = words(
            ["session", "flows", "bytes", "start, s", "lasts, s"],
            ["сессия", "потоки", "байты", "начало, с", "длится, с"],
        );
        let links = words("what ties its flows", "чем связаны потоки");
        vec![
            number(session),
            text(client),
            text(label),
            text(name),
            number(flows),
            number(bytes),
            number(start),
            number(lasts),
            text(links),
        ]
    },
    cells: |it, start_ns| {
        vec![
            it.session_id.to_string(),
            it.client_ip.clone(),
            it.label.clone(),
            it.name.clone().unwrap_or_default(),
            it.flows.to_string(),
            bytes(it.bytes as f64),
            seconds(start_ns, it.time_start_ns),
            seconds(it.time_start_ns, it.time_end_ns),
            it.kinds.join(", "),
        ]
    },
    names: &[
        "session_id",
        "client_ip",
        "label",
        "group",
        "name",
        "flows",
        "bytes",
        "time_start_ns",
        "time_end_ns",
        "kinds",
    ],
    values: |it| {
        vec![
            it.session_id.to_string(),
            it.client_ip.clone(),
            it.label.clone(),
            it.group.clone(),
            it.name.clone().unwrap_or_default(),
            it.flows.to_string(),
            it.bytes.to_string(),
            it.time_start_ns.to_string(),
            it.time_end_ns.to_string(),
            it.kinds.join("; "),
        ]
    },
};

const HOST: Kind<HostRow> = Kind {
    columns: || {
        let [address, name, place, labels] =
            words(["address", "name", "where", "labels"], ["адрес", "имя", "где", "метки"]);
        let [opened, answered, bytes] =
            words(["opened", "answered", "bytes"], ["открыл", "ответил", "байты"]);
        vec![
            text(address),
            text(name),
            text(place),
            number(opened),
            number(answered),
            number(bytes),
            text(labels),
        ]
    },
    cells: |it, _| {
        vec![
            it.ip.clone(),
            it.name.clone().unwrap_or_default(),
            it.country.clone().unwrap_or_else(|| it.scope.clone()),
            it.client_flows.to_string(),
            it.server_flows.to_string(),
            bytes(it.bytes as f64),
            it.labels.join(", "),
        ]
    },
    names: &[
        "ip",
        "name",
        "name_source",
        "scope",
        "country",
        "client_flows",
        "server_flows",
        "bytes",
        "labels",
    ],
    values: |it| {
        vec![
            it.ip.clone(),
            it.name.clone().unwrap_or_default(),
            it.name_source.clone().unwrap_or_default(),
            it.scope.clone(),
            it.country.clone().unwrap_or_default(),
            it.client_flows.to_string(),
            it.server_flows.to_string(),
            it.bytes.to_string(),
            it.labels.join("; "),
        ]
    },
};

pub(crate) fn sessions(arguments: &Sessions) -> Result<Outcome, Error> {
    let countries = arguments.countries.read()?;
    write(&arguments.list, &SESSION, countries, |analysis, filter| {
        analysis.session_rows(filter).collect()
    })
}

pub(crate) fn hosts(arguments: &Hosts) -> Result<Outcome, Error> {
    let countries = arguments.countries.read()?;
    write(&arguments.list, &HOST, countries, |analysis, filter| {
        analysis.host_rows(filter).collect()
    })
}

/// Writes the rows of one capture after the other.
fn write<R: Serialize>(
    list: &List,
    kind: &Kind<R>,
    countries: Option<Arc<Countries>>,
    rows: impl Fn(&Analysis, &Filter) -> Vec<R>,
) -> Result<Outcome, Error> {
    let filter = list.filter.parse_where_countries(countries.is_some())?;
    let rules = Rules { own: Arc::new(list.own.read()?), ..Rules::default() };
    let files = list.captures.files()?;
    files.spare(list.output.as_deref())?;
    let (to, mut out) = flows::output(list.output.as_deref())?;
    let failed = |source| Error::Write { to: to.clone(), source };
    let colours = if list.output.is_some() { Colours::none() } else { Colours::of_output() };
    if list.format == Format::Csv {
        let names = ["capture"].iter().chain(kind.names).map(|it| (*it).to_owned());
        table::write_csv(&mut out, &names.collect::<Vec<_>>()).map_err(failed)?;
    }
    let mut n_written = 0;
    let effort = list.as_one.with(list.effort);
    let outcome = input::each(&files, &rules, effort, |path, mut analysis| {
        let capture = path.to_string_lossy();
        analysis.set_countries(countries.clone());
        let rows = rows(&analysis, &filter);
        let is_one = files.paths.len() == 1 || effort.is_as_one();
        let heading = (!is_one).then_some((&*capture, n_written));
        n_written += 1;
        let written = match list.format {
            Format::Text => write_text(&mut out, kind, &rows, &analysis, heading, colours),
            Format::Jsonl => write_jsonl(&mut out, &capture, &rows),
            Format::Csv => rows.iter().try_for_each(|it| {
                let mut values = vec![capture.clone().into_owned()];
                values.extend((kind.values)(it));
                table::write_csv(&mut out, &values)
            }),
        };
        written.and_then(|()| out.flush()).map_err(failed)
    })?;
    out.flush().map_err(failed)?;
    Ok(outcome)
}

fn write_text<R>(
    out: &mut impl Write,
    kind: &Kind<R>,
    rows: &[R],
    analysis: &Analysis,
    heading: Option<(&str, u32)>,
    colours: Colours,
) -> io::Result<()> {
    if let Some((capture, n_before)) = heading {
        let gap = if n_before > 0 { "\n" } else { "" };
        writeln!(out, "{gap}{}", colours.paint(Paint::Bold, engine::plain(capture)))?;
    }
    let start_ns = analysis.time_start_ns();
    let cells = rows.iter().map(|it| (kind.cells)(it, start_ns));
    table::write(out, &(kind.columns)(), cells, colours)
}

fn write_jsonl<R: Serialize>(out: &mut impl Write, capture: &str, rows: &[R]) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a, R> {
        capture: &'a str,
        #[serde(flatten)]
        row: &'a R,
    }
    for row in rows {
        serde_json::to_writer(&mut *out, &Line { capture, row })?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<R: Serialize + Default>(kind: &Kind<R>) {
        let row = R::default();
        let value = serde_json::to_value(&row).unwrap();
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        let mut names = kind.names.to_vec();
        names.sort_unstable();
        assert_eq!(keys, names);
        assert_eq!((kind.values)(&row).len(), kind.names.len());
        assert_eq!((kind.cells)(&row, 0).len(), (kind.columns)().len());
    }

    #[test]
    fn csv_has_what_json_has() {
        check(&SESSION);
        check(&HOST);
    }
}
