//! The capture as its host feeds it, and what is told of the reading in the end.

use std::net::IpAddr;

use capture::{Counts, Decoder, Error, Notes, Oddities, plain};
use classify::Verdict;
use flow::{Flow, Many};
use v1::{
    Notice,
    page::{FileRead, Reading},
};

use crate::{
    Analysis, Read, Rules, comments::Comments, identity::name_of_several, job::Stage,
    neighbours::Neighbours, reading,
};

/// What a host feeds, and how that ended.
#[derive(Debug)]
pub(crate) struct Input {
    file_name: String,
    pub(crate) decoder: Decoder,
    /// How many were fed, of this file.
    pub(crate) bytes: u64,
    /// The files before this one.
    earlier: Earlier,
    error: Option<Error>,
    /// Why the host could not read the file to its end.
    interruption: Option<String>,
}

/// What is told of the files that were read before, where a capture has several.
#[derive(Debug, Default)]
struct Earlier {
    files: Vec<FileRead>,
    /// Their formats, each once.
    formats: Vec<String>,
    notices: Vec<Notice>,
    oddities: Oddities,
    notes: Notes,
}

/// Flows by their first packet, their verdicts, and what was written about their packets.
pub(crate) type Labelled = (Many<Flow>, Many<Verdict>, Comments);

/// All that is told of a capture but for its flows.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) reading: Reading,
    /// Names of addresses that the capture tells.
    pub(crate) told: Vec<(IpAddr, String)>,
    /// Fragments of IP packets.
    pub(crate) n_fragments: u64,
    pub(crate) neighbours: Neighbours,
}

impl Account {
    /// The analysis, with what became of the frames.
    pub(crate) fn analysis(
        self,
        found: Labelled,
        rules: &Rules,
        tell: &mut dyn FnMut(Stage),
    ) -> Analysis {
        let Self { reading, told, n_fragments, neighbours } = self;
        let read = Read { rules: rules.clone(), n_fragments };
        Analysis { neighbours, ..Analysis::new(found, told, reading, read, tell) }
    }
}

impl Input {
    pub(crate) fn new(file_name: &str) -> Self {
        Self {
            file_name: file_name.to_owned(),
            decoder: Decoder::default(),
            bytes: 0,
            earlier: Earlier::default(),
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

    /// Bytes of all files so far.
    pub(crate) fn all_bytes(&self) -> u64 {
        self.earlier.files.iter().map(|it| it.bytes).sum::<u64>() + self.bytes
    }

    /// Goes on with the next file, once the one before was closed; so many frames were read of all until now.
    pub(crate) fn begin_next(&mut self, file_name: &str, n_frames: u64) {
        self.put_away(n_frames);
        self.file_name = file_name.to_owned();
        self.decoder = Decoder::default();
        (self.bytes, self.error, self.interruption) = (0, None, None);
    }

    /// Keeps what is told of the file that was read last.
    fn put_away(&mut self, n_frames: u64) {
        let before: u64 = self.earlier.files.iter().map(|it| it.frames).sum();
        let frames = n_frames - before;
        let notices = self.notices_of_file(frames);
        let format = self.format();
        let earlier = &mut self.earlier;
        earlier.notices.extend(notices.into_iter().map(|it| it.of_file(&self.file_name)));
        earlier.oddities.add(self.decoder.oddities());
        earlier.notes.append(self.decoder.notes().clone());
        if !earlier.formats.contains(&format) {
            earlier.formats.push(format);
        }
        let name = std::mem::take(&mut self.file_name);
        earlier.files.push(FileRead { name, bytes: self.bytes, frames });
    }

    fn format(&self) -> String {
        let format = self.decoder.format().unwrap_or("unknown").to_owned();
        match self.decoder.packing() {
            Some(packing) => format!("{format}, {packing}"),
            None => format,
        }
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

    /// What was read, and what not.
    pub(crate) fn account(
        mut self,
        is_stopped: bool,
        counting: &reading::Counting,
        counts: &Counts,
    ) -> Account {
        let n_frames = counting.frames.frames;
        let mut notices = Vec::new();
        if self.earlier.files.is_empty() {
            notices = self.notices_of_file(n_frames);
            self.earlier.oddities = self.decoder.oddities();
            self.earlier.notes = self.decoder.notes().clone();
            self.earlier.formats = vec![self.format()];
        } else {
            self.put_away(n_frames);
            let names: Vec<&str> = self.earlier.files.iter().map(|it| &*it.name).collect();
            self.file_name = name_of_several(&names);
            self.bytes = 0;
        }
        let bytes = self.all_bytes();
        let Earlier { files, formats, notices: earlier, oddities, notes } = self.earlier;
        notices.extend(earlier);
        notices.extend(of_all(is_stopped, bytes, counting, counts, &oddities, &notes, &notices));
        notices.sort_by_key(Notice::severity);
        let told = notes.names().iter().map(|(ip, name)| (*ip, plain(name))).collect();
        let reading = Reading {
            file_name: self.file_name,
            format: formats.join(" + "),
            bytes,
            files,
            account: counting.account(oddities.skipped),
            origin: reading::origin(&notes),
            names: Vec::new(),
            notices,
            is_stopped,
        };
        let neighbours = counting.neighbours.clone();
        Account { reading, told, n_fragments: counts.fragments, neighbours }
    }

    /// What the reader should know of this file, of which so many frames were read.
    fn notices_of_file(&self, n_frames: u64) -> Vec<Notice> {
        let mut notices = reading::of_damages(self.decoder.damages(), &self.decoder.oddities());
        notices.extend(self.error.as_ref().map(|it| reading::of_error(it, n_frames)));
        notices.extend(reading::of_archive(&self.decoder));
        if let Some(why) = &self.interruption {
            let parameters = vec![why.as_str().into(), self.bytes.into()];
            notices.push(Notice::new("E-IO", "early", parameters).at(self.bytes));
        }
        notices
    }
}

/// What the reader should know of all files together, besides what is told of each.
fn of_all(
    is_stopped: bool,
    bytes: u64,
    counting: &reading::Counting,
    counts: &Counts,
    oddities: &Oddities,
    notes: &Notes,
    told: &[Notice],
) -> Vec<Notice> {
    let mut notices = Vec::new();
    if is_stopped {
        notices.push(Notice::new("W-STOPPED", "", vec![bytes.into()]));
    }
    // Where no frame could be read, why is said already.
    if counting.frames.frames > 0 || told.is_empty() && notices.is_empty() {
        notices.extend(counting.notices(counts, oddities));
    }
    notices.extend(reading::of_notes(notes, notes.names().len() as u64));
    notices
}
