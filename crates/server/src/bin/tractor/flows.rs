//! `tractor flows`: the flows of captures as a file.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use clap::{Args, ValueEnum};
use engine::{Apart, Export, Filter, Format, Rules};

use crate::{Error, Outcome, input};

#[derive(Args)]
pub(crate) struct Flows {
    /// Capture files; - reads standard input.
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,
    /// The format.
    #[arg(long, value_enum, default_value_t = FormatName::Jsonl)]
    format: FormatName,
    /// The columns of this schema, as docs/features.md has them: tractor, tractor-full, cic, cic-2017, basic, sequence,
    /// session, iscx-b or iscx-a2; with csv or arff.
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// Cut flows that last longer, in seconds, or with idle: before it, that are silent for longer; none leaves them
    /// whole, zeek cuts them as Zeek does by default.
    #[arg(long, value_name = "SECONDS|idle:SECONDS|none|zeek", default_value = "none", value_parser = any_timeout)]
    timeout: engine::Timeout,
    /// Only flows that pass this filter, as in the page's filter box.
    #[arg(long, value_name = "EXPR", default_value = "")]
    filter: String,
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

#[derive(Clone, Copy, ValueEnum)]
enum FormatName {
    /// A JSON object a flow and line.
    Jsonl,
    /// Comma-separated values, of the flows or of their features.
    Csv,
    /// Features in Weka's format.
    Arff,
}

/// A timeout in microseconds, where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timeout(pub(crate) Option<u64>);

/// Reads a timeout in seconds, or `none`.
pub(crate) fn timeout(text: &str) -> Result<Timeout, String> {
    if text == "none" {
        return Ok(Timeout(None));
    }
    match text.parse::<f64>() {
        // A float's conversion to an integer stops at the integer's ends.
        Ok(seconds) if seconds > 0.0 && seconds.is_finite() => {
            Ok(Timeout(Some((seconds * 1e6).round() as u64)))
        }
        _ => Err("it is neither a number of seconds above 0 nor none".to_owned()),
    }
}

fn any_timeout(text: &str) -> Result<engine::Timeout, String> {
    use engine::Timeout::{Idle, Micros, None, Zeek};
    if text == "zeek" {
        return Ok(Zeek);
    }
    match text.strip_prefix("idle:") {
        Some(seconds) => Ok(timeout(seconds)?.0.map_or(None, Idle)),
        Option::None => Ok(timeout(text)?.0.map_or(None, Micros)),
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
    let schema = arguments.schema.as_deref().map(schema).transpose()?;
    let format = match (arguments.format, schema) {
        (FormatName::Jsonl, None) => Format::Jsonl,
        (FormatName::Jsonl, Some(_)) => {
            return Err(Error::Usage("--schema goes with --format csv or arff".to_owned()));
        }
        (FormatName::Csv, None) => Format::Csv,
        (FormatName::Csv, Some(schema)) => Format::CsvFeatures(schema),
        (FormatName::Arff, schema) => Format::Arff(schema.unwrap_or(&features::TRACTOR)),
    };
    let filter = Filter::parse(&arguments.filter)
        .map_err(|error| Error::Usage(format!("the filter cannot be understood: {error}")))?;
    let mut export = Export { filter, timeout: arguments.timeout, ..Export::new(format) };
    let has = |network| arguments.apart.contains(&network);
    let apart = Apart { by_vlan: has(Network::Vlan), by_tunnel: has(Network::Tunnel) };
    let rules = Rules { apart, has_checksums: arguments.checksums };
    let (to, mut out) = output(arguments.output.as_deref())?;
    let failed = |source| Error::Write { to: to.clone(), source };
    let outcome =
        input::each(&arguments.captures, rules, arguments.effort, |capture, analysis| {
            export.capture = Some(capture.to_string_lossy().into_owned());
            analysis.export(&export, &mut out).map_err(failed)?;
            export.has_header = false;
            Ok(())
        })?;
    out.flush().map_err(failed)?;
    Ok(outcome)
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
    fn a_timeout_may_be_of_silence_or_as_zeek_has_it() {
        assert_eq!(any_timeout("idle:0.5"), Ok(engine::Timeout::Idle(500_000)));
        assert_eq!(any_timeout("15"), Ok(engine::Timeout::Micros(15_000_000)));
        assert_eq!(any_timeout("zeek"), Ok(engine::Timeout::Zeek));
        assert_eq!(any_timeout("none"), Ok(engine::Timeout::None));
        assert!(any_timeout("idle:soon").is_err());
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
