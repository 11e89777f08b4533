//! `tractor flows`: the flows of captures as a file.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    sync::Arc,
};

use clap::{Args, ValueEnum, builder::PossibleValuesParser};
use engine::{Apart, Export, FORMATS, Filter, FlowWriter, PCAPNG, PickError, Remarks, Rules};
use server::PickingError;

use crate::{Error, Outcome, filter, input};

#[derive(Args)]
pub(crate) struct Flows {
    /// Capture files; - reads standard input.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// The format: jsonl, a JSON object a flow and line; csv, of the flows or of their features; parquet, the same with
    /// typed columns; arff, features in Weka's format; zeek and zeek-json, as Zeek's conn.log; pcapng, the packets
    /// themselves with the labels as comments.
    #[arg(long, value_name = "FORMAT", default_value = "jsonl", value_parser = formats_and_packets())]
    format: String,
    /// The columns of this schema, as docs/features.md has them: tractor, tractor-full, behaviour, cic, cic-2017, nfstream,
    /// basic, sequence, session, iscx-b or iscx-a2; with csv, parquet or arff.
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Cut flows that last longer, in seconds, or with idle: before it, that are silent for longer; none leaves them
    /// whole, zeek cuts them as Zeek does by default.
    #[arg(long, value_name = "SECONDS|idle:SECONDS|none|zeek", default_value = "none", value_parser = str::parse::<engine::Timeout>)]
    timeout: engine::Timeout,
    /// Only flows that pass this filter, as in the page's filter box: label:vk, bytes > 10MB, not (port in {80, 443}),
    /// ip:10.0.0.0/8, sni contains vk; docs/filter.md has every key.
    #[arg(long, value_name = "EXPR", default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// With pcapng: write no comments, neither labels nor those the capture has.
    #[arg(long)]
    no_comments: bool,
    /// Take flows between the same addresses for different ones in different networks.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NETWORKS")]
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
    effort: input::Effort,
}

/// What makes a network of its own.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Network {
    /// A VLAN.
    Vlan,
    /// A tunnel.
    Tunnel,
}

pub(crate) fn formats() -> PossibleValuesParser {
    FORMATS.iter().map(|it| it.name).collect::<Vec<_>>().into()
}

fn formats_and_packets() -> PossibleValuesParser {
    FORMATS.iter().map(|it| it.name).chain([PCAPNG]).collect::<Vec<_>>().into()
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
    let filter = filter::parse(&arguments.filter)?;
    let has = |network| arguments.apart.contains(&network);
    let apart = Apart { by_vlan: has(Network::Vlan), by_tunnel: has(Network::Tunnel) };
    let own = Arc::new(arguments.own.read()?);
    let rules = Rules { apart, has_checksums: arguments.checksums, own };
    if arguments.format == PCAPNG {
        return packets(arguments, &filter, &rules);
    }
    if arguments.no_comments {
        return Err(Error::Usage("--no-comments goes with --format pcapng".to_owned()));
    }
    let schema = arguments.schema.as_deref();
    let mut export = Export::new(&arguments.format, schema).map_err(Error::Usage)?;
    (export.filter, export.timeout) = (filter, arguments.timeout);
    let (to, out) = output(arguments.output.as_deref())?;
    let failed = |source| Error::Write { to: to.clone(), source };
    let mut writer = FlowWriter::new(export, out, arguments.captures.len() == 1);
    let outcome =
        input::each(&arguments.captures, &rules, arguments.effort, |capture, analysis| {
            writer.add(&analysis, &capture.to_string_lossy()).map_err(failed)
        })?;
    writer.finish().map_err(failed)?;
    Ok(outcome)
}

/// Writes the packets of the flows that pass: each capture is read once more, and is a section of the file.
fn packets(arguments: &Flows, filter: &Filter, rules: &Rules) -> Result<Outcome, Error> {
    let refuse = |text: &str| Err(Error::Usage(text.to_owned()));
    if arguments.schema.is_some() || arguments.timeout != engine::Timeout::None {
        return refuse(
            "pcapng has packets and no rows: neither --schema nor --timeout goes with it",
        );
    }
    if arguments.captures.iter().any(|it| input::is_standard_input(it)) {
        return refuse("standard input cannot be read twice, as pcapng needs: give a file");
    }
    let is_same = |it: &PathBuf| it.canonicalize().ok();
    let written = arguments.output.as_ref().and_then(is_same);
    if written.is_some() && arguments.captures.iter().any(|it| is_same(it) == written) {
        return refuse(
            "the capture would be overwritten while it is read: give another name with -o",
        );
    }
    let remarks = if arguments.no_comments { Remarks::None } else { Remarks::Labels };
    let (to, mut out) = output(arguments.output.as_deref())?;
    let mut is_partial = false;
    let outcome = input::each(&arguments.captures, rules, arguments.effort, |path, analysis| {
        let chosen = analysis.passing(filter);
        match server::pick(&analysis, &chosen, remarks, || File::open(path), &mut out) {
            Ok(_) => Ok(()),
            Err(PickingError::Pick(PickError::Write { source })) => {
                Err(Error::Write { to: to.clone(), source })
            }
            Err(error) => {
                is_partial = true;
                input::complain(path, &error.to_string());
                Ok(())
            }
        }
    })?;
    Ok(if is_partial { Outcome::Partial } else { outcome })
}

/// The file, or standard output; and what it is called in a message.
pub(crate) fn output(
    path: Option<&std::path::Path>,
) -> Result<(String, BufWriter<Box<dyn Write>>), Error> {
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
