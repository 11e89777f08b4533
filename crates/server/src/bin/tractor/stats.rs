//! `tractor stats`: one capture counted, in the words of the v1 interface.

use std::{io::Write, path::PathBuf, sync::Arc};

use clap::Args;
use engine::{FileEntry, Found, Library, Rules};
use v1::Request;

use crate::{Error, Outcome, flows, input};

#[derive(Args)]
pub(crate) struct Stats {
    /// A capture file; - reads standard input.
    #[arg(value_name = "CAPTURE")]
    capture: PathBuf,
    /// Count only flows with this label.
    #[arg(long, value_name = "L", conflicts_with = "ip")]
    label: Option<String>,
    /// What is known of this address.
    #[arg(long, value_name = "A")]
    ip: Option<String>,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    countries: input::CountriesFile,
    #[command(flatten)]
    effort: input::Effort,
}

pub(crate) fn run(arguments: &Stats) -> Result<Outcome, Error> {
    let own = Arc::new(arguments.own.read()?);
    let countries = arguments.countries.read()?;
    let rules = Rules { own: Arc::clone(&own), ..Rules::default() };
    let (to, mut out) = flows::output(None)?;
    let captures = std::slice::from_ref(&arguments.capture);
    input::each(captures, &rules, arguments.effort, |capture, analysis| {
        let mut library = Library::new();
        library.set_own_rules(Arc::clone(&own));
        library.set_countries(countries.clone());
        let file_name = capture.to_string_lossy().into_owned();
        library.set_files(vec![FileEntry {
            file_name: file_name.clone(),
            bytes: analysis.reading().bytes,
        }]);
        let refused = |error: v1::Error| Error::Usage(error.message);
        // The answers hold no time of ours, so any will do.
        library.answer(&Request::Process { file_name }, 0).map_err(refused)?;
        let Some((job, _)) = library.next_job() else { return Ok(()) };
        library.finish(job, Ok(Found::Read(Arc::new(analysis))), 0);
        let request = match (&arguments.label, &arguments.ip) {
            (Some(label), _) => Request::StatisticsOfLabel { job, label: label.clone() },
            (None, Some(ip)) => Request::StatisticsOfIp { job, ip: ip.clone() },
            (None, None) => Request::Statistics { job },
        };
        let answer = library.answer(&request, 0).map_err(refused)?;
        writeln!(out, "{answer}")
            .and_then(|()| out.flush())
            .map_err(|source| Error::Write { to: to.clone(), source })
    })
}
