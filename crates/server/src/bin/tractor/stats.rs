//! `tractor stats` and `tractor labels`: captures counted, in the words of the v1 interface.

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum};
use engine::{FileEntry, Found, Library, Rules};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use v1::{DetailsIp, DetailsLabelItem, JobId, Request, StatisticItem};

use crate::{
    Error, Outcome,
    captures::Captures,
    filter::Filtered,
    flows, input,
    table::{self, end, number, text},
    voice::{self, Colours, Paint, words},
};

/// How many lines a statistic has, when written for reading.
const LINES: usize = 20;

/// How answers are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Text,
    Csv,
}

#[derive(Args)]
pub(crate) struct Stats {
    #[command(flatten)]
    captures: Captures,
    /// Count only flows with this label; `tractor labels` has all there are.
    #[arg(long, value_name = "L", conflicts_with = "ip")]
    label: Option<String>,
    /// What is known of this address.
    #[arg(long, value_name = "A")]
    ip: Option<String>,
    /// With --label: the flows with it, each with the reason for it.
    #[arg(long, requires = "label")]
    flows: bool,
    /// What of the capture was read, and what was not, with the reasons.
    #[arg(long, conflicts_with_all = ["label", "ip", "filter"])]
    reading: bool,
    #[command(flatten)]
    filter: Filtered,
    /// The format: json, as the v1 interface answers, of several captures an object a line that names the capture; text, to
    /// read; csv.
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value = "json",
        hide_possible_values = true
    )]
    format: Format,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    countries: input::CountriesFile,
    #[command(flatten)]
    as_one: input::AsOne,
    #[command(flatten)]
    effort: input::Effort,
}

#[derive(Args)]
pub(crate) struct Labels {
    #[command(flatten)]
    form: input::TextOrJson,
    #[command(flatten)]
    own: input::OwnRulesFile,
}

pub(crate) fn run(arguments: &Stats) -> Result<Outcome, Error> {
    if arguments.reading && arguments.format != Format::Json {
        let (en, ru) = ("--reading is written as json", "--reading выводится как json");
        return Err(Error::Usage(words(en, ru).to_owned()));
    }
    let own = Arc::new(arguments.own.read()?);
    let countries = arguments.countries.read()?;
    let filter = arguments.filter.parse_where_countries(countries.is_some())?;
    let rules = Rules { own: Arc::clone(&own), ..Rules::default() };
    let files = arguments.captures.files()?;
    let effort = arguments.as_one.with(arguments.effort);
    let is_one = arguments.captures.is_one_file() || effort.is_as_one();
    files.spare(arguments.output.as_deref())?;
    let (to, mut out) = flows::output(arguments.output.as_deref())?;
    let failed = |source| Error::Write { to: to.clone(), source };
    let colours = if arguments.output.is_some() { Colours::none() } else { Colours::of_output() };
    let mut is_refused = false;
    let mut n_written = 0;
    let outcome = input::each(&files, &rules, effort, |path, mut analysis| {
        let capture = path.to_string_lossy();
        analysis.set_countries(countries.clone());
        let mut library = Library::new();
        library.set_own_rules(Arc::clone(&own));
        library.set_countries(countries.clone());
        let found = analysis.into_found(&filter);
        let answer = match answer(&mut library, &capture, found, arguments) {
            Ok(answer) => answer,
            // Of several captures one may not know the address.
            Err(error) if !is_one && error.status == 404 => {
                is_refused = true;
                voice::complain(format_args!("{}: {}", engine::plain(&capture), error.message));
                return Ok(());
            }
            Err(error) => return Err(Error::Usage(error.message)),
        };
        let written = match arguments.format {
            Format::Json if is_one => writeln!(out, "{answer}"),
            Format::Json => write_json(&mut out, &capture, &answer),
            Format::Csv => write_csv(&mut out, &capture, answer, arguments, n_written == 0),
            Format::Text => {
                let gap = if n_written > 0 { "\n" } else { "" };
                let heading = colours.paint(Paint::Bold, engine::plain(&capture));
                let heading = if is_one { Ok(()) } else { writeln!(out, "{gap}{heading}") };
                heading.and_then(|()| write_text(&mut out, answer, arguments, colours))
            }
        };
        n_written += 1;
        written.and_then(|()| out.flush()).map_err(failed)
    })?;
    Ok(if is_refused { Outcome::Partial } else { outcome })
}

/// Asks what the interface would be asked.
fn answer(
    library: &mut Library,
    capture: &str,
    found: Found,
    arguments: &Stats,
) -> Result<Value, v1::Error> {
    let file_name = capture.to_owned();
    library.set_files(vec![FileEntry { file_name: file_name.clone(), bytes: 0 }]);
    // The answers hold no time of ours, so any will do.
    library.answer(&Request::Process { file_name }, 0)?;
    let Some((job, _)) = library.next_job() else { return Ok(Value::Null) };
    library.finish(job, Ok(found), 0);
    library.answer(&request(arguments, job), 0)
}

fn request(arguments: &Stats, job: JobId) -> Request {
    match (&arguments.label, &arguments.ip) {
        (Some(label), _) if arguments.flows => Request::FlowsOfLabel { job, label: label.clone() },
        (Some(label), _) => Request::StatisticsOfLabel { job, label: label.clone() },
        (None, Some(ip)) => Request::StatisticsOfIp { job, ip: ip.clone() },
        (None, None) if arguments.reading => Request::Reading { job },
        (None, None) => Request::Statistics { job },
    }
}

/// An answer that says of which capture it is.
fn write_json(out: &mut impl Write, capture: &str, answer: &Value) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a> {
        capture: &'a str,
        answer: &'a Value,
    }
    serde_json::to_writer(&mut *out, &Line { capture, answer })?;
    out.write_all(b"\n")
}

/// The answer as what it is.
fn read<T: DeserializeOwned>(answer: Value) -> io::Result<T> {
    serde_json::from_value(answer).map_err(io::Error::from)
}

/// An answer to read.
fn write_text(
    out: &mut impl Write,
    answer: Value,
    arguments: &Stats,
    colours: Colours,
) -> io::Result<()> {
    if arguments.flows {
        let [client, server, start, lasts, why] = words(
            ["client", "server", "start, s", "lasts, s", "why"],
            ["клиент", "сервер", "начало, с", "длится, с", "почему"],
        );
        let columns = [text(client), text(server), number(start), number(lasts), text(why)];
        let flows = read::<Vec<DetailsLabelItem>>(answer)?;
        let first = flows.iter().map(|it| it.time_start).min().unwrap_or(0);
        let rows = flows.into_iter().map(|it| {
            let (start, lasts) = (it.time_start - first, it.time_end.saturating_sub(it.time_start));
            let client = end(&it.client_ip, it.client_port);
            let server = end(&it.server_ip, it.server_port);
            vec![client, server, start.to_string(), lasts.to_string(), it.comment]
        });
        return table::write(out, &columns, rows, colours);
    }
    if arguments.ip.is_none() {
        return write_statistics(out, &read::<Vec<StatisticItem>>(answer)?, colours);
    }
    let about: DetailsIp = read(answer)?;
    let known = [
        (words("country", "страна"), Some(about.country)),
        (words("city", "город"), Some(about.city)),
        (words("name", "имя"), about.domain_name),
        (words("user agent", "программа"), about.user_agent),
    ];
    for (what, value) in known {
        if let Some(value) = value.filter(|it| it != "unknown") {
            writeln!(out, "{what}: {}", engine::plain(&value))?;
        }
    }
    write_statistics(out, &about.statistics, colours)
}

fn write_statistics(
    out: &mut impl Write,
    statistics: &[StatisticItem],
    colours: Colours,
) -> io::Result<()> {
    for (at, item) in statistics.iter().enumerate() {
        let gap = if at > 0 { "\n" } else { "" };
        write!(out, "{gap}")?;
        let columns = [number(words("flows", "потоки")), text(title(&item.title))];
        let rows = item.content.iter().take(LINES);
        let rows = rows.map(|it| vec![it.count.to_string(), it.label.clone()]);
        table::write(out, &columns, rows, colours)?;
        if let Some(more) = item.content.len().checked_sub(LINES).filter(|it| *it > 0) {
            writeln!(out, "{}", words(format!("and {more} more"), format!("и ещё {more}")))?;
        }
    }
    Ok(())
}

/// What the statistics of the interface are called.
fn title(title: &str) -> &'static str {
    match title {
        "protocols" => words("protocols", "протоколы"),
        "clients" => words("clients", "клиенты"),
        "servers" => words("servers", "серверы"),
        "labels" => words("labels", "метки"),
        "ports" => words("ports", "порты"),
        _ => words("of it", "из них"),
    }
}

/// An answer as CSV.
fn write_csv(
    out: &mut impl Write,
    capture: &str,
    answer: Value,
    arguments: &Stats,
    is_first: bool,
) -> io::Result<()> {
    let mut line = |cells: &[&str]| {
        let cells: Vec<String> = cells.iter().map(|it| (*it).to_owned()).collect();
        table::write_csv(out, &cells)
    };
    if arguments.flows {
        if is_first {
            line(&[
                "capture",
                "client_ip",
                "client_port",
                "server_ip",
                "server_port",
                "time_start",
                "time_end",
                "comment",
            ])?;
        }
        for it in read::<Vec<DetailsLabelItem>>(answer)? {
            let ports = [it.client_port.to_string(), it.server_port.to_string()];
            let times = [it.time_start.to_string(), it.time_end.to_string()];
            line(&[
                capture,
                &it.client_ip,
                &ports[0],
                &it.server_ip,
                &ports[1],
                &times[0],
                &times[1],
                &it.comment,
            ])?;
        }
        return Ok(());
    }
    let statistics = match arguments.ip {
        Some(_) => read::<DetailsIp>(answer)?.statistics,
        None => read(answer)?,
    };
    if is_first {
        line(&["capture", "title", "label", "count"])?;
    }
    for item in statistics {
        for it in item.content {
            line(&[capture, &item.title, &it.label, &it.count.to_string()])?;
        }
    }
    Ok(())
}

pub(crate) fn labels(arguments: &Labels) -> Result<Outcome, Error> {
    let mut library = Library::new();
    library.set_own_rules(Arc::new(arguments.own.read()?));
    let refused = |error: v1::Error| Error::Usage(error.message);
    let answer = library.answer(&Request::Labels, 0).map_err(refused)?;
    let (to, mut out) = flows::output(None)?;
    let written = match arguments.form.is_json() {
        true => writeln!(out, "{answer}"),
        false => write_labels(&mut out, answer),
    };
    written.and_then(|()| out.flush()).map_err(|source| Error::Write { to, source })?;
    Ok(Outcome::Complete)
}

fn write_labels(out: &mut impl Write, answer: Value) -> io::Result<()> {
    let colours = Colours::of_output();
    for group in read::<Vec<v1::Label>>(answer)? {
        let name = colours.paint(Paint::Bold, engine::plain(&group.group_name));
        writeln!(out, "{name}: {}", engine::plain(&group.labels.join(", ")))?;
    }
    Ok(())
}
