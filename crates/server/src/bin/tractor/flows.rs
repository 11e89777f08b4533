//! `tractor flows`: the flows of captures as a file.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    mem, panic,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, ScopedJoinHandle},
};

use clap::{Args, ValueEnum, builder::PossibleValuesParser};
use engine::{
    Analysis, Apart, Countries, Export, FORMATS, Filter, FlowWriter, PCAPNG, Part, PickError,
    Remarks, Rules,
};
use server::PickingError;

use crate::{
    Error, Outcome,
    captures::{Captures, Files, is_standard_input},
    filter::Filtered,
    input,
    progress::bytes,
    table::{self, number, text},
    voice::{self, Colours, Paint, words},
};

/// The other format that is no text, besides packets.
const PARQUET: &str = "parquet";
/// The format for reading.
const TEXT: &str = "text";

#[derive(Args)]
pub(crate) struct Flows {
    #[command(flatten)]
    captures: Captures,
    /// The format: text, a table to read; jsonl, a JSON object a flow and line; csv, of the flows or of their features; parquet,
    /// the same with typed columns; arff, features in Weka's format; zeek and zeek-json, as Zeek's conn.log; pcapng, the
    /// packets themselves with the labels as comments.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = formats_and_packets(), hide_possible_values = true)]
    format: String,
    /// The columns of this schema, as docs/features.md has them: tractor, tractor-full, behaviour, cic, cic-2017, nfstream,
    /// basic, sequence, session, iscx-b or iscx-a2; with csv, parquet or arff.
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Cut flows that last longer, in seconds, or with idle: before it, that are silent for longer; none leaves them
    /// whole, zeek cuts them as Zeek does by default.
    #[arg(long, value_name = "SECONDS|idle:SECONDS|none|zeek", default_value = "none", value_parser = str::parse::<engine::Timeout>)]
    timeout: engine::Timeout,
    #[command(flatten)]
    filter: Filtered,
    #[command(flatten)]
    countries: input::CountriesFile,
    /// With pcapng: write no comments, neither labels nor those the capture has.
    #[arg(long)]
    no_comments: bool,
    /// Take flows between the same addresses for different ones in different networks: VLANs, tunnels or both.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "vlan,tunnel",
        hide_possible_values = true
    )]
    apart: Vec<Network>,
    /// Leave out packets with a wrong checksum, as their receiver did; what the capturing machine sent itself may have
    /// wrong ones that its network card set right.
    #[arg(long)]
    checksums: bool,
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

/// What makes a network of its own.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Network {
    Vlan,
    Tunnel,
}

pub(crate) fn formats() -> PossibleValuesParser {
    [TEXT].into_iter().chain(FORMATS.iter().map(|it| it.name)).collect::<Vec<_>>().into()
}

fn formats_and_packets() -> PossibleValuesParser {
    let names = [TEXT].into_iter().chain(FORMATS.iter().map(|it| it.name)).chain([PCAPNG]);
    names.collect::<Vec<_>>().into()
}

/// A timeout in microseconds, where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timeout(pub(crate) Option<u64>);

/// Reads a timeout in seconds, or `none`.
pub(crate) fn timeout(text: &str) -> Result<Timeout, String> {
    match text.parse() {
        Ok(engine::Timeout::None) => Ok(Timeout(None)),
        Ok(engine::Timeout::Micros(micros)) => Ok(Timeout(Some(micros))),
        _ => Err("it is neither a number of seconds above 0 nor none".to_owned()),
    }
}

/// The schema of that name.
pub(crate) fn schema(name: &str) -> Result<&'static features::Schema, Error> {
    features::schema(name).ok_or_else(|| {
        let names: Vec<&str> = features::SCHEMAS.iter().map(|it| it.name).collect();
        Error::Usage(format!("there is no schema `{name}`; there are {}", names.join(", ")))
    })
}

pub(crate) fn run(arguments: &Flows) -> Result<Outcome, Error> {
    let countries = arguments.countries.read()?;
    let filter = arguments.filter.parse_where_countries(countries.is_some())?;
    let has = |network| arguments.apart.contains(&network);
    let apart = Apart { by_vlan: has(Network::Vlan), by_tunnel: has(Network::Tunnel) };
    let own = Arc::new(arguments.own.read()?);
    let rules = Rules { apart, has_checksums: arguments.checksums, own, ..Rules::default() };
    if arguments.format == PCAPNG {
        return packets(arguments, &filter, &rules, countries);
    }
    if arguments.no_comments {
        return Err(Error::Usage("--no-comments goes with --format pcapng".to_owned()));
    }
    let schema = arguments.schema.as_deref();
    let rows = Rows::new(&arguments.format, schema, arguments.timeout, filter)?;
    let files = arguments.captures.files()?;
    let effort = arguments.as_one.with(arguments.effort);
    let is_one = files.paths.len() == 1 || effort.is_as_one();
    let mut writer = Writer::open(rows, arguments.output.as_deref(), &files, is_one)?;
    let outcome = input::each(&files, &rules, effort, |capture, mut analysis| {
        analysis.set_countries(countries.clone());
        writer.add(&analysis, &capture.to_string_lossy(), arguments.effort.threads)?;
        if is_one {
            // The program ends: nobody needs its memory back piece by piece.
            mem::forget(analysis);
        }
        Ok(())
    })?;
    writer.finish()?;
    Ok(outcome)
}

/// What is written of flows.
#[derive(Clone)]
pub(crate) enum Rows {
    /// For programs.
    Export(Box<Export>),
    /// To read, those that pass.
    Text(Filter),
}

impl Rows {
    /// # Errors
    /// Where the format, the schema and the timeout do not go together.
    pub(crate) fn new(
        format: &str,
        schema: Option<&str>,
        timeout: engine::Timeout,
        filter: Filter,
    ) -> Result<Self, Error> {
        if format != TEXT {
            let mut export = Export::new(format, schema).map_err(Error::Usage)?;
            (export.filter, export.timeout) = (filter, timeout);
            return Ok(Self::Export(Box::new(export)));
        }
        if schema.is_some() || timeout != engine::Timeout::None {
            let (en, ru) = (
                "text has a line a flow: neither --schema nor --timeout goes with it",
                "в text строка на поток: ни --schema, ни --timeout с ним не сочетаются",
            );
            return Err(Error::Usage(words(en, ru).to_owned()));
        }
        Ok(Self::Text(filter))
    }

    /// What the name of a file of them ends with.
    pub(crate) fn extension(&self) -> &'static str {
        match self {
            Self::Export(export) => export.format().extension,
            Self::Text(_) => "txt",
        }
    }
}

/// Writes the flows of one capture after the other.
pub(crate) struct Writer<W: Write> {
    /// What it is called in messages.
    to: String,
    kind: Kind<W>,
}

enum Kind<W: Write> {
    Export(FlowWriter<W>),
    Text { out: W, filter: Filter, colours: Colours, is_one: bool, n_written: u32 },
}

impl Writer<Output> {
    /// Writes to the file, or to standard output, the flows of these captures.
    pub(crate) fn open(
        rows: Rows,
        path: Option<&Path>,
        captures: &Files,
        is_one: bool,
    ) -> Result<Self, Error> {
        captures.spare(path)?;
        if let Rows::Export(export) = &rows {
            no_terminal(export.format().name, path)?;
        }
        let (to, out) = output(path)?;
        let colours = if path.is_some() { Colours::none() } else { Colours::of_output() };
        Ok(Self::new(rows, to, out, colours, is_one))
    }
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(rows: Rows, to: String, out: W, colours: Colours, is_one: bool) -> Self {
        let kind = match rows {
            Rows::Export(export) => Kind::Export(FlowWriter::new(*export, out, is_one)),
            Rows::Text(filter) => Kind::Text { out, filter, colours, is_one, n_written: 0 },
        };
        Self { to, kind }
    }

    /// Writes the flows of a capture, their rows made by so many threads.
    pub(crate) fn add(
        &mut self,
        analysis: &Analysis,
        capture: &str,
        n_threads: usize,
    ) -> Result<(), Error> {
        let written = match &mut self.kind {
            Kind::Export(writer) => write_export(writer, analysis, capture, n_threads),
            Kind::Text { out, filter, colours, is_one, n_written } => {
                let gap = if *n_written > 0 { "\n" } else { "" };
                let heading = colours.paint(Paint::Bold, engine::plain(capture));
                *n_written += 1;
                let heading = if *is_one { Ok(()) } else { writeln!(out, "{gap}{heading}") };
                heading.and_then(|()| write_text(out, analysis, filter, *colours))
            }
        };
        written.map_err(|source| Error::Write { to: self.to.clone(), source })
    }

    /// Gives back what was written to.
    pub(crate) fn finish(self) -> Result<W, Error> {
        let finished = match self.kind {
            Kind::Export(writer) => writer.finish(),
            Kind::Text { mut out, .. } => out.flush().map(|()| out),
        };
        finished.map_err(|source| Error::Write { to: self.to, source })
    }
}

/// How many flows a thread makes rows of at once.
const PART_LEN: u32 = 4_096;

fn write_export<W: Write>(
    writer: &mut FlowWriter<W>,
    analysis: &Analysis,
    capture: &str,
    n_threads: usize,
) -> io::Result<()> {
    let n_flows = analysis.n_flows() as u32;
    let Some(parts) = writer.parts(analysis, capture).filter(|_| n_threads > 1) else {
        return writer.add(analysis, capture);
    };
    let starts: Vec<u32> = (0..n_flows).step_by(PART_LEN as usize).collect();
    for round in starts.chunks(n_threads) {
        let make = |start: u32| parts.of(start..(start + PART_LEN).min(n_flows));
        let made: Vec<io::Result<Part>> = thread::scope(|scope| {
            let making: Vec<_> = round.iter().map(|it| scope.spawn(|| make(*it))).collect();
            let joined = |it: ScopedJoinHandle<'_, _>| match it.join() {
                Ok(part) => part,
                Err(panic) => panic::resume_unwind(panic),
            };
            making.into_iter().map(joined).collect()
        });
        made.into_iter().try_for_each(|part| writer.add_part(&part?))?;
    }
    Ok(())
}

/// Sees to it that what is no text is not written to a terminal.
fn no_terminal(format: &str, output: Option<&Path>) -> Result<(), Error> {
    let is_text = format != PCAPNG && format != PARQUET;
    if is_text || output.is_some() || !io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Error::Usage(words(
        format!("{format} is no text, and standard output is a terminal: give a file with -o"),
        format!("{format} - не текст, а стандартный вывод - терминал: дайте файл после -o"),
    )))
}

/// Writes flows to read: times are from the first packet of the capture on.
fn write_text(
    out: &mut impl Write,
    analysis: &Analysis,
    filter: &Filter,
    colours: Colours,
) -> io::Result<()> {
    let [flow, start, lasts] =
        words(["flow", "start, s", "lasts, s"], ["поток", "начало, с", "длится, с"]);
    let [client, server, name, label, why] = words(
        ["client", "server", "name", "label", "why"],
        ["клиент", "сервер", "имя", "метка", "почему"],
    );
    let [packets, of_bytes] = words(["packets", "bytes"], ["пакеты", "байты"]);
    let columns = [
        number(flow),
        number(start),
        number(lasts),
        text(client),
        text(server),
        text(label),
        text(name),
        number(packets),
        number(of_bytes),
        text(why),
    ];
    let start_ns = analysis.time_start_ns();
    let passing = analysis.passing(filter);
    let mut numbers = passing.iter().peekable();
    let rows = analysis.rows().filter(|it| numbers.next_if_eq(&&it.flow_id).is_some());
    let cells = rows.map(|it| {
        vec![
            it.flow_id.to_string(),
            table::seconds(start_ns, it.time_start_ns),
            table::seconds(it.time_start_ns, it.time_end_ns),
            table::end(&it.client_ip, it.client_port),
            table::end(&it.server_ip, it.server_port),
            it.label,
            it.domain_name.unwrap_or_default(),
            (it.client_packets + it.server_packets).to_string(),
            bytes((it.client_bytes + it.server_bytes) as f64),
            it.reason,
        ]
    });
    table::write(out, &columns, cells, colours)
}

/// Writes the packets of the flows that pass: each capture is read once more, and is a section of the file.
fn packets(
    arguments: &Flows,
    filter: &Filter,
    rules: &Rules,
    countries: Option<Arc<Countries>>,
) -> Result<Outcome, Error> {
    let refuse = |text: &str| Err(Error::Usage(text.to_owned()));
    if arguments.schema.is_some() || arguments.timeout != engine::Timeout::None {
        return refuse(
            "pcapng has packets and no rows: neither --schema nor --timeout goes with it",
        );
    }
    if arguments.as_one.with(arguments.effort).is_as_one() {
        return refuse("packets are written capture by capture: --as-one does not go with pcapng");
    }
    let files = arguments.captures.files()?;
    let Files { paths, .. } = &files;
    if paths.iter().any(|it| is_standard_input(it)) {
        return refuse("standard input cannot be read twice, as pcapng needs: give a file");
    }
    files.spare(arguments.output.as_deref())?;
    no_terminal(PCAPNG, arguments.output.as_deref())?;
    let remarks = if arguments.no_comments { Remarks::None } else { Remarks::Labels };
    let (to, mut out) = output(arguments.output.as_deref())?;
    let mut is_partial = false;
    let outcome = input::each(&files, rules, arguments.effort, |path, mut analysis| {
        analysis.set_countries(countries.clone());
        let chosen = analysis.passing(filter);
        match server::pick(&analysis, &chosen, remarks, || File::open(path), &mut out) {
            Ok(_) => Ok(()),
            Err(PickingError::Pick(PickError::Write { source })) => {
                Err(Error::Write { to: to.clone(), source })
            }
            Err(error) => {
                is_partial = true;
                voice::complain(format_args!(
                    "{}: {error}",
                    engine::plain(&path.to_string_lossy())
                ));
                Ok(())
            }
        }
    })?;
    Ok(if is_partial { Outcome::Partial } else { outcome })
}

/// A file, or standard output.
pub(crate) type Output = BufWriter<Box<dyn Write>>;

/// The file, or standard output; and what it is called in a message.
pub(crate) fn output(path: Option<&Path>) -> Result<(String, Output), Error> {
    let (to, out): (String, Box<dyn Write>) = match path {
        None => ("standard output".to_owned(), Box::new(io::stdout())),
        Some(path) => {
            let to = path.display().to_string();
            match File::create(path) {
                Ok(file) => (to, Box::new(file)),
                Err(source) => return Err(Error::Write { to, source }),
            }
        }
    };
    Ok((to, BufWriter::with_capacity(1 << 16, out)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Option<u64>>) {
        assert_eq!(timeout(text).ok().map(|it| it.0), expected);
    }

    #[test]
    fn a_timeout_is_a_number_of_seconds_or_none() {
        check("15", Some(Some(15_000_000)));
        check("0.5", Some(Some(500_000)));
        check("none", Some(None));
        check("0", None);
        check("-1", None);
        check("NaN", None);
        check("soon", None);
    }
}
