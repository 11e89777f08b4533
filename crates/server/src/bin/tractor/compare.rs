//! `tractor compare`: how a second capture differs from a first one.

use std::{io::Write, path::PathBuf};

use clap::Args;
use engine::{Rules, compare, digest_of};
use v1::page::{Amount, ComparedRow, Comparison};

use crate::{
    Error, Outcome,
    captures::Files,
    filter::Filtered,
    flows, input,
    voice::{Colours, Paint, words},
};

/// How many lines a kind of thing has, when written for reading.
const LINES: usize = 20;

#[derive(Args)]
pub(crate) struct Compare {
    /// The first capture.
    #[arg(value_name = "BEFORE")]
    before: PathBuf,
    /// The one that is compared with it.
    #[arg(value_name = "AFTER")]
    after: PathBuf,
    #[command(flatten)]
    filter: Filtered,
    #[command(flatten)]
    form: input::TextOrJson,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    effort: input::Effort,
}

pub(crate) fn run(arguments: &Compare) -> Result<Outcome, Error> {
    let filter = arguments.filter.parse()?;
    let rules = Rules { own: std::sync::Arc::new(arguments.own.read()?), ..Rules::default() };
    let mut digests = Vec::new();
    let paths = vec![arguments.before.clone(), arguments.after.clone()];
    let files = Files { paths, n_missing: 0 };
    let outcome = input::each(&files, &rules, arguments.effort, |_, analysis| {
        digests.push(digest_of(&analysis, &filter));
        Ok(())
    })?;
    let [here, there] = &*digests else {
        // What could not be read was said; without it there is nothing to compare.
        return Ok(Outcome::Partial);
    };
    let comparison = compare(here, there);
    let text = match arguments.form.is_json() {
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
    let (here, there) = (&comparison.here, &comparison.there);
    let totals = [
        (words("flows", "потоки"), here.flows, there.flows),
        (words("sessions", "сессии"), here.sessions, there.sessions),
        (words("hosts", "хосты"), here.hosts, there.hosts),
        (words("packets", "пакеты"), here.packets, there.packets),
        (words("bytes", "байты"), here.bytes, there.bytes),
    ];
    for (title, here, there) in totals {
        out += &format!("{title:10} {here:>15} {there:>15}\n");
    }
    let colours = Colours::of_output();
    for part in &comparison.parts {
        let (kind, n) = (kind(&part.kind), [part.new, part.gone, part.changed, part.same]);
        let [new, gone, changed, same] = n;
        out += &words(
            format!("\n{kind}: {new} new, {gone} gone, {changed} changed, {same} the same\n"),
            format!(
                "\n{kind}: новых {new}, исчезло {gone}, изменилось {changed}, без изменений {same}\n"
            ),
        );
        for row in part.rows.iter().take(LINES) {
            out += &line(row, colours);
        }
        if part.rows.len() > LINES {
            let more = part.rows.len() - LINES;
            out += &words(format!("  and {more} more\n"), format!("  и ещё {more}\n"));
        }
    }
    out
}

/// What the parts of a comparison are called.
fn kind(kind: &str) -> &str {
    match kind {
        "labels" => words("labels", "метки"),
        "protocols" => words("protocols", "протоколы"),
        "names" => words("names", "имена"),
        "hosts" => words("hosts", "хосты"),
        "ports" => words("ports", "порты"),
        other => other,
    }
}

fn line(row: &ComparedRow, colours: Colours) -> String {
    let (sign, paint) = match (row.here, row.there) {
        (None, _) => ('+', Paint::Green),
        (_, None) => ('-', Paint::Red),
        _ => ('~', Paint::Yellow),
    };
    let bytes = |it: Option<Amount>| it.map_or_else(|| "-".to_owned(), |it| it.bytes.to_string());
    let about = if row.about.is_empty() { String::new() } else { format!(" ({})", row.about) };
    let text = format!("{}{about}", row.key);
    format!(
        "  {} {:48} {:>15} {:>15} {}\n",
        colours.paint(paint, sign),
        engine::plain(&text),
        bytes(row.here),
        bytes(row.there),
        words("bytes", "байт")
    )
}
