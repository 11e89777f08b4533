//! Spans of a pcap, cut anywhere: each finds the first record in it by itself, and where the span before it ended says
//! whether that was right.
//!
//! Framing is sequential: only the record before tells where a record begins. A span guesses, as one does after damage:
//! where credible records follow each other. [`Decoder::accepts`] says whether the decoder of all before it came to the
//! same place in the same state; else [`Decoder::cut_span`] cuts the span again from there. Either way the frames are
//! those of one pass.

use serde::{Deserialize, Serialize};

use crate::{
    Block, Decoder, Error, Timestamp,
    decoder::{Format, MAX_DAMAGES},
    packing::Unpacking,
    pcap,
};

/// A span of a pcap that is not packed, cut into frames: those whose records begin in it.
#[derive(Debug)]
pub struct Span {
    /// Where its first record begins, in bytes from the start of the capture.
    begin: u64,
    /// Where the next span begins.
    stop: u64,
    guess: Option<Guess>,
    block: Block,
    /// As it was at the end of the span, its bytes gone.
    decoder: Decoder,
    first_time: Option<Timestamp>,
    error: Option<Error>,
    is_whole: bool,
}

/// What is told of a span that was cut on another machine. Times are in nanoseconds since 1970 UTC, places in bytes from the start
/// of the capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where its first record begins.
    pub begin: u64,
    /// Where the next span begins.
    pub stop: u64,
    /// Where the record after its last one begins.
    pub end: u64,
    /// How many frames it has.
    pub n_frames: u64,
    /// The time of its first record, in seconds, where that was guessed to begin there.
    pub guessed_seconds: Option<u32>,
    /// The time of its first frame.
    pub first_time: Option<u64>,
    /// The time of its last frame.
    pub last_time: u64,
    /// The time of its last record, in seconds.
    pub last_seconds: Option<u32>,
    /// Frames with an earlier time than the frame before them.
    pub out_of_order: u64,
    /// Frames of which more was captured than was on the wire.
    pub overlong: u64,
}

/// What a span took for granted.
#[derive(Debug)]
struct Guess {
    file: pcap::File,
    /// The time of its first record, in seconds.
    seconds: u32,
}

impl Span {
    /// How many of the first bytes of a capture a span must know, if it has so many: two megabytes.
    pub const HEADER_LEN: usize = 2 << 20;

    /// What is told of it, where the file goes on as its header says.
    fn told(&self, said: &pcap::File) -> Option<Told> {
        let Self { begin, stop, guess, decoder, first_time, error, is_whole, .. } = self;
        let Some(Format::Pcap(file)) = &decoder.format else { return None };
        let is_clean = *is_whole && error.is_none() && decoder.damages.is_empty();
        let is_as_said = said.reads_as(file);
        let is_first = guess.is_none() && *begin == 0;
        if !is_clean || !is_as_said || !(is_first || guess.is_some()) {
            return None;
        }
        Some(Told {
            begin: *begin,
            stop: *stop,
            end: decoder.offset,
            n_frames: decoder.n_frames,
            guessed_seconds: guess.as_ref().map(|it| it.seconds),
            first_time: first_time.map(|it| it.0),
            last_time: decoder.last_time.0,
            last_seconds: file.last_seconds(),
            out_of_order: decoder.oddities.out_of_order,
            overlong: decoder.oddities.overlong,
        })
    }

    /// The span of which this was told, without its frames; `header` are the same bytes. `None` where they are no pcap.
    pub fn of_told(told: &Told, header: &[u8]) -> Option<Self> {
        let file = file_of(header)?;
        let guess = told.guessed_seconds.map(|seconds| Guess { seconds, file: file.clone() });
        let mut decoder = Decoder {
            format: Some(Format::Pcap(file.after(told.last_seconds))),
            n_frames: told.n_frames,
            last_time: Timestamp(told.last_time),
            ..Decoder::at(told.end, told.stop)
        };
        decoder.oddities.out_of_order = told.out_of_order;
        decoder.oddities.overlong = told.overlong;
        Some(Self {
            begin: told.begin,
            stop: told.stop,
            guess,
            block: Block::default(),
            decoder,
            first_time: told.first_time.map(Timestamp),
            error: None,
            is_whole: true,
        })
    }

    /// Its frames, once.
    pub fn take_block(&mut self) -> Block {
        std::mem::take(&mut self.block)
    }

    /// Whether its last record, and what is damaged at its end, could be read with the bytes there were. Else more of what
    /// follows it is needed.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Where the next span begins.
    pub fn stop(&self) -> u64 {
        self.stop
    }
}

/// Cuts a span by itself, of bytes that come piece by piece.
#[derive(Debug)]
pub struct SpanCutter {
    /// What the first bytes of the capture say of all records.
    file: pcap::File,
    offset: u64,
    stop: u64,
    /// Bytes from `offset` on, as long as it is not known where the first record begins.
    waiting: Vec<u8>,
    /// With so many of them it is looked for again.
    wanted: usize,
    decoder: Option<Decoder>,
    begin: u64,
    guess: Option<Guess>,
    first_time: Option<Timestamp>,
    error: Option<Error>,
    is_end: bool,
    /// Nothing tells where the first record begins.
    is_lost: bool,
}

/// So many bytes nearly always tell where a record begins.
const FIRST_LOOK: usize = 1 << 20;
/// With so many nobody looks any more.
const LAST_LOOK: usize = 16 << 20;

impl SpanCutter {
    /// `header` are the first bytes of the capture, see [`Span::HEADER_LEN`]; the bytes that are fed are those from `offset` on. The span
    /// ends before `stop`, the last one at `u64::MAX`; what follows it is needed as far as its last record reaches. `None` where the
    /// capture is no pcap.
    pub fn new(header: &[u8], offset: u64, stop: u64) -> Option<Self> {
        let len = usize::try_from(stop.saturating_sub(offset)).unwrap_or(usize::MAX);
        Some(Self {
            file: file_of(header)?,
            offset,
            stop,
            waiting: Vec::new(),
            wanted: len.clamp(1, FIRST_LOOK),
            decoder: (offset == 0).then(|| Decoder::at(0, stop)),
            begin: offset,
            guess: None,
            first_time: None,
            error: None,
            is_end: false,
            is_lost: false,
        })
    }

    /// Takes the next bytes. [`SpanCutter::next_block`] is to be asked until there is none before more is fed.
    pub fn feed(&mut self, bytes: &[u8]) {
        match &mut self.decoder {
            Some(decoder) => decoder.feed(bytes),
            None => {
                self.waiting.extend_from_slice(bytes);
                // However they come: as many are looked at.
                while self.decoder.is_none() && !self.is_lost && self.waiting.len() >= self.wanted {
                    self.look(self.wanted);
                    self.wanted = self.wanted.saturating_mul(2);
                    self.is_lost = self.decoder.is_none() && self.wanted > LAST_LOOK;
                }
            }
        }
    }

    /// Nothing follows in the capture. A few frames may have waited for it.
    pub fn end(&mut self) {
        self.is_end = true;
        if self.decoder.is_none() && !self.is_lost {
            self.look(self.waiting.len());
            self.is_lost = self.decoder.is_none();
        }
        if let Some(decoder) = &mut self.decoder {
            decoder.end();
        }
    }

    /// The next frames of the span.
    pub fn next_block(&mut self) -> Option<Block> {
        match self.decoder.as_mut()?.next_block(usize::MAX) {
            Ok(block) => {
                let first = block.as_ref().and_then(|it| it.frame(0));
                self.first_time = self.first_time.or(first.map(|it| it.time));
                block
            }
            Err(error) => {
                self.error = Some(error);
                None
            }
        }
    }

    /// Whether no more bytes are needed: its last record was read, or nothing can be.
    pub fn is_through(&self) -> bool {
        let is_through = |it: &Decoder| it.is_behind(self.stop);
        self.is_lost || self.error.is_some() || self.decoder.as_ref().is_some_and(is_through)
    }

    /// What is told of the span to who joins it elsewhere, as numbers; nothing of one with damage, or that is not whole, or where
    /// nothing told where its first record begins: it is to be cut again there.
    pub fn finish(self) -> Option<Told> {
        let Self { begin, guess, first_time, is_end, .. } = self;
        let ended = self.error.map_or(Ok(()), Err);
        let span = self.decoder?.into_ended_span(begin, Block::default(), ended, is_end);
        Span { guess, first_time, ..span }.told(&self.file)
    }

    /// Looks for the first record in so many of the bytes that wait.
    fn look(&mut self, len: usize) {
        let (file, bytes) = (&self.file, self.waiting.get(..len).unwrap_or_default());
        let own = usize::try_from(self.stop.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let Some((at, guess)) = find_record(file, bytes, own, self.is_end) else { return };
        self.begin = self.offset + at as u64;
        self.guess = Some(guess);
        let format = Some(Format::Pcap(file.clone()));
        let mut decoder = Decoder { format, ..Decoder::at(self.begin, self.stop) };
        decoder.feed(self.waiting.get(at..).unwrap_or_default());
        self.waiting = Vec::new();
        self.decoder = Some(decoder);
    }
}

/// Where the first record in so many of these bytes begins, as far as they tell.
fn find_record(
    file: &pcap::File,
    bytes: &[u8],
    len: usize,
    is_end: bool,
) -> Option<(usize, Guess)> {
    let candidates = 0..len.min(bytes.len());
    let mut candidates = candidates.map(|at| (at, bytes.get(at..).unwrap_or_default()));
    let (at, rest) = candidates.find(|it| file.begins_chain(it.1, is_end))?;
    Some((at, Guess { seconds: file.seconds(rest)?, file: file.clone() }))
}

impl Decoder {
    /// For records that begin in a stretch of an unpacked capture.
    fn at(offset: u64, stop: u64) -> Self {
        Self { unpacking: Unpacking::of_nothing(), offset, stop: Some(stop), ..Self::default() }
    }

    fn into_span(mut self, bytes: &[u8], is_end: bool) -> Span {
        let begin = self.offset;
        self.feed(bytes);
        if is_end {
            self.end();
        }
        let mut cut = self.next_block(usize::MAX);
        let block = match &mut cut {
            Ok(Some(block)) => std::mem::take(block),
            _ => Block::default(),
        };
        // After a block an error may follow.
        let ended = cut.and_then(|_| self.next_block(usize::MAX)).map(drop);
        self.into_ended_span(begin, block, ended, is_end)
    }

    /// The span that began there, once its frames are taken.
    fn into_ended_span(
        mut self,
        begin: u64,
        block: Block,
        ended: Result<(), Error>,
        is_end: bool,
    ) -> Span {
        self.drop_cut();
        let stop = self.stop.unwrap_or(u64::MAX);
        let is_through = self.is_behind(stop);
        let ended = ended.and_then(|()| if is_end && !is_through { self.finish() } else { Ok(()) });
        self.pending = Vec::new();
        let first_time = block.frame(0).map(|it| it.time);
        let (guess, is_whole, error) = (None, is_through || is_end, ended.err());
        Span { begin, stop, guess, block, decoder: self, first_time, error, is_whole }
    }

    /// Whether the next record begins there or later, as far as nobody doubts it.
    fn is_behind(&self, stop: u64) -> bool {
        self.search.is_none() && self.skip == 0 && self.offset >= stop
    }

    /// Where the next record begins, in bytes from the start of the capture, once all spans before it are joined.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether a span that was cut by itself is the one that follows.
    pub fn accepts(&self, span: &Span) -> bool {
        if self.format.is_none() && self.offset == 0 && span.guess.is_none() {
            return span.begin == 0;
        }
        let (Some(Format::Pcap(file)), Some(guess)) = (&self.format, &span.guess) else {
            return false;
        };
        let is_frame = span.decoder.n_frames > 0 && !span.has_damage_at_its_begin();
        self.offset == span.begin && is_frame && file.leads_to(&guess.file, guess.seconds)
    }

    /// Cuts the span that follows all that were joined, and ends before `stop`: `bytes` are those from [`Decoder::offset`] on, and
    /// `is_end` says that nothing follows them.
    pub fn cut_span(&self, bytes: &[u8], stop: u64, is_end: bool) -> Span {
        let format = match &self.format {
            Some(Format::Pcap(file)) => Some(Format::Pcap(file.clone())),
            _ => None,
        };
        let (last_time, start) = (self.last_time, Self::at(self.offset, stop));
        Self { format, last_time, ..start }.into_span(bytes, is_end)
    }

    /// Takes over what a whole span that follows was found to be.
    ///
    /// # Errors
    /// Where the capture stops being one in it.
    pub fn join(&mut self, span: Span) -> Result<(), Error> {
        let Span { first_time, decoder, error, .. } = span;
        let is_back = span.guess.is_some() && first_time.is_some_and(|it| it < self.last_time);
        self.oddities.out_of_order += decoder.oddities.out_of_order + u64::from(is_back);
        self.oddities.overlong += decoder.oddities.overlong;
        self.oddities.skipped += decoder.oddities.skipped;
        self.oddities.damages += decoder.oddities.damages;
        for mut damage in decoder.damages {
            damage.after_frames += self.n_frames;
            // Two that touch are one.
            let does_touch = self.damage_end.take() == Some(damage.offset);
            self.oddities.damages -= u64::from(does_touch);
            if let Some(last) = self.damages.last_mut().filter(|_| does_touch)
                && last.offset + last.skipped == damage.offset
            {
                last.skipped += damage.skipped;
            } else if !does_touch && self.damages.len() < MAX_DAMAGES {
                self.damages.push(damage);
            }
        }
        if decoder.damage_end.is_some() {
            self.damage_end = decoder.damage_end;
        }
        if decoder.n_frames > 0 {
            self.last_time = decoder.last_time;
        }
        self.n_frames += decoder.n_frames;
        self.offset = decoder.offset;
        self.format = decoder.format;
        error.map_or(Ok(()), Err)
    }
}

/// What the first bytes of a pcap say of all its records.
fn file_of(header: &[u8]) -> Option<pcap::File> {
    let Ok(Some((Format::Pcap(mut file), header_len))) = Format::recognise(header) else {
        return None;
    };
    let is_all = header.len() < Span::HEADER_LEN;
    file.settle(header.get(header_len..)?, is_all).then_some(file)
}

impl Span {
    fn has_damage_at_its_begin(&self) -> bool {
        self.decoder.damages.first().is_some_and(|it| it.offset == self.begin)
    }
}
