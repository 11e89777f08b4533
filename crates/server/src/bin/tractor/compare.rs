//! `tractor compare`: how a second capture differs from a first one.

use std::{io::Write, path::PathBuf};

use clap::Args;
use engine::{Rules, compare, digest};
use v1::page::{Amount, ComparedRow, Comparison};

use crate::{Error, Outcome, flows, input};

/// How many lines a kind of thing has, when written for reading.
const LINES: usize = 20;

#[derive(Args)]
pub(crate) struct Compare {
    /// The first capture, then the one compared with it.
    #[arg(value_name = "CAPTURE", num_args = 2)]
    captures: Vec<PathBuf>,
    /// Write the whole comparison as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    effort: input::Effort,
}

pub(crate) fn run(arguments: &Compare) -> Result<Outcome, Error> {
    let rules = Rules { own: std::sync::Arc::new(arguments.own.read()?), ..Rules::default() };
    let mut digests = Vec::new();
    let outcome = input::each(&arguments.captures, &rules, arguments.effort, |_, analysis| {
        digests.push(digest(&analysis));
        Ok(())
    })?;
    let [here, there] = &*digests else {
        // What could not be read was said; without it there is nothing to compare.
        return Ok(Outcome::Partial);
    };
    let comparison = compare(here, there);
    let text = match arguments.json {
        true => serde_json::to_string(&comparison).unwrap_or_default() + "\n",
        false => written(&comparison, &here.file_name, &there.file_name),
    };
    let (to, mut out) = flows::output(None)?;
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| Error::Write { to, source })?;
    Ok(outcome)
}

/// For reading: totals, then what is new (+), gone (-) and changed (~), the greatest change first.
fn written(comparison: &Comparison, here: &str, there: &str) -> String {
    let mut out = format!("{} -> {}\n", engine::plain(here), engine::plain(there));
    let totals = [
        ("flows", comparison.here.flows, comparison.there.flows),
        ("sessions", comparison.here.sessions, comparison.there.sessions),
        ("hosts", comparison.here.hosts, comparison.there.hosts),
        ("packets", comparison.here.packets, comparison.there.packets),
        ("bytes", comparison.here.bytes, comparison.there.bytes),
    ];
    for (title, here, there) in totals {
        out += &format!("{title:10} {here:>15} {there:>15}\n");
    }
    for part in &comparison.parts {
        out += &format!(
            "\n{}: {} new, {} gone, {} changed, {} the same\n",
            part.kind, part.new, part.gone, part.changed, part.same
        );
        for row in part.rows.iter().take(LINES) {
            out += &line(row);
        }
        if part.rows.len() > LINES {
            out += &format!("  and {} more\n", part.rows.len() - LINES);
        }
    }
    out
}

fn line(row: &ComparedRow) -> String {
    let sign = match (row.here, row.there) {
        (None, _) => '+',
        (_, None) => '-',
        _ => '~',
    };
    let bytes = |it: Option<Amount>| it.map_or_else(|| "-".to_owned(), |it| it.bytes.to_string());
    let about = if row.about.is_empty() { String::new() } else { format!(" ({})", row.about) };
    let text = format!("{}{about}", row.key);
    format!(
        "  {sign} {:48} {:>15} {:>15} bytes\n",
        engine::plain(&text),
        bytes(row.here),
        bytes(row.there)
    )
}
