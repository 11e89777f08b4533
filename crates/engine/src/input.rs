//! The capture as its host feeds it, and what is told of the reading in the end.

use capture::{Counts, Decoder, Error, plain};
use classify::Verdict;
use flow::Flow;
use v1::{Notice, page::Reading};

use crate::{Analysis, Read, Rules, comments::Comments, job::Stage, reading};

/// What a host feeds, and how that ended.
#[derive(Debug)]
pub(crate) struct Input {
    file_name: String,
    pub(crate) decoder: Decoder,
    /// How many were fed.
    pub(crate) bytes: u64,
    error: Option<Error>,
    /// Why the host could not read the file to its end.
    interruption: Option<String>,
}

impl Input {
    pub(crate) fn new(file_name: &str) -> Self {
        Self {
            file_name: file_name.to_owned(),
            decoder: Decoder::default(),
            bytes: 0,
            error: None,
            interruption: None,
        }
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// Where they cannot be read because of an earlier error.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        self.bytes += bytes.len() as u64;
        self.decoder.feed(bytes);
        Ok(())
    }

    /// The same without a copy, as [`Decoder::fill`]; nothing is taken after an earlier error.
    pub(crate) fn fill<E>(
        &mut self,
        len: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if self.error.is_some() {
            return Ok(0);
        }
        let taken = self.decoder.fill(len, read)?;
        self.bytes += taken as u64;
        Ok(taken)
    }

    /// Keeps the error that ends the reading.
    pub(crate) fn keep(&mut self, read: Result<(), Error>) -> Result<(), Error> {
        self.error = read.clone().err();
        read
    }

    /// Says why the host reads no further.
    pub(crate) fn interrupt(&mut self, why: &str) {
        self.interruption = Some(why.to_owned());
    }

    /// Says that nothing more will be fed. A few frames may have waited for it, unless there was an error.
    pub(crate) fn end(&mut self) -> bool {
        self.decoder.end();
        self.error.is_none()
    }

    /// Keeps what was wrong with the end, once these last frames were read; not where it was not the end of the file.
    pub(crate) fn close(&mut self, read: Result<(), Error>, is_stopped: bool) {
        let is_early = is_stopped || self.interruption.is_some();
        let ended = read.and_then(|()| self.decoder.finish());
        self.error = ended.err().filter(|_| !is_early);
    }

    /// The analysis of what became of the frames.
    pub(crate) fn analysis(
        self,
        is_stopped: bool,
        (counting, counts): (&reading::Counting, &Counts),
        (flows, verdicts, comments): (Vec<Flow>, Vec<Verdict>, Comments),
        rules: &Rules,
        tell: &mut dyn FnMut(Stage),
    ) -> Analysis {
        let mut format = self.decoder.format().unwrap_or("unknown").to_owned();
        if let Some(packing) = self.decoder.packing() {
            format = format!("{format}, {packing}");
        }
        let notices = self.notices(is_stopped, counting, counts);
        let names = self.decoder.names().iter();
        let told = names.map(|(ip, name)| (*ip, plain(name))).collect();
        let reading = Reading {
            file_name: self.file_name,
            format,
            bytes: self.bytes,
            account: counting.account(self.decoder.oddities().skipped),
            origin: reading::origin(self.decoder.notes()),
            names: Vec::new(),
            notices,
            is_stopped,
        };
        let read = Read { rules: rules.clone(), n_fragments: counts.fragments };
        let mut analysis = Analysis::new((flows, verdicts, comments), told, reading, read, tell);
        analysis.neighbours = counting.neighbours.clone();
        analysis
    }

    /// What the reader should know, the worst first.
    fn notices(
        &self,
        is_stopped: bool,
        counting: &reading::Counting,
        counts: &Counts,
    ) -> Vec<Notice> {
        let n_frames = counting.frames.frames;
        let oddities = self.decoder.oddities();
        let mut notices = reading::of_damages(self.decoder.damages(), &oddities);
        notices.extend(self.error.as_ref().map(|it| reading::of_error(it, n_frames)));
        notices.extend(reading::of_archive(&self.decoder));
        if let Some(why) = &self.interruption {
            let parameters = vec![why.as_str().into(), self.bytes.into()];
            notices.push(Notice::new("E-IO", "early", parameters).at(self.bytes));
        }
        if is_stopped {
            notices.push(Notice::new("W-STOPPED", "", vec![self.bytes.into()]));
        }
        // Where no frame could be read, why is said already.
        if n_frames > 0 || notices.is_empty() {
            notices.extend(counting.notices(counts, &oddities));
        }
        let n_names = self.decoder.names().len() as u64;
        notices.extend(reading::of_notes(self.decoder.notes(), n_names));
        notices.sort_by_key(Notice::severity);
        notices
    }
}
