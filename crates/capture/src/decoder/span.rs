//! Spans of a pcap, cut anywhere: each finds the first record in it by itself, and where the span before it ended says
//! whether that was right.
//!
//! Framing is sequential: only the record before tells where a record begins. A span guesses, as one does after damage:
//! where credible records follow each other. [`Decoder::accepts`] says whether the decoder of all before it came to the
//! same place in the same state; else [`Decoder::cut_span`] cuts the span again from there. Either way the frames are
//! those of one pass.

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

    /// Cuts a span by itself. `header` are the first bytes of the capture, see [`Span::HEADER_LEN`]; `bytes` are those
    /// from `offset` on. The span ends before `stop`, the last one at `u64::MAX`; what follows it is needed as far as its
    /// last record reaches. `is_end` says that nothing follows the bytes.
    ///
    /// `None` where nothing tells where the first record is, or the capture is no pcap.
    pub fn guess(
        header: &[u8],
        bytes: &[u8],
        offset: u64,
        stop: u64,
        is_end: bool,
    ) -> Option<Self> {
        let Ok(Some((Format::Pcap(mut file), header_len))) = Format::recognise(header) else {
            return None;
        };
        if !file.settle(header.get(header_len..)?, header.len() < Self::HEADER_LEN) {
            return None;
        }
        let len = usize::try_from(stop.saturating_sub(offset)).unwrap_or(usize::MAX);
        let candidates = 0..len.min(bytes.len());
        let mut candidates = candidates.map(|at| (at, bytes.get(at..).unwrap_or_default()));
        let (at, rest) = candidates.find(|it| file.begins_chain(it.1, is_end))?;
        let guess = Guess { seconds: file.seconds(rest)?, file: file.clone() };
        let begin = offset + at as u64;
        let decoder = Decoder { format: Some(Format::Pcap(file)), ..Decoder::at(begin, stop) };
        Some(Self { guess: Some(guess), ..decoder.into_span(rest, is_end) })
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

impl Decoder {
    /// For records that begin in a stretch of an unpacked capture.
    fn at(offset: u64, stop: u64) -> Self {
        Self { unpacking: Unpacking::of_nothing(), offset, stop: Some(stop), ..Self::default() }
    }

    fn into_span(mut self, bytes: &[u8], is_end: bool) -> Span {
        let (begin, stop) = (self.offset, self.stop.unwrap_or(u64::MAX));
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
        let ended = cut.and_then(|_| self.next_block(usize::MAX));
        self.drop_cut();
        let is_through = self.search.is_none() && self.skip == 0 && self.offset >= stop;
        let ended = ended.and_then(|_| if is_end && !is_through { self.finish() } else { Ok(()) });
        self.pending = Vec::new();
        let first_time = block.frame(0).map(|it| it.time);
        let (guess, is_whole, error) = (None, is_through || is_end, ended.err());
        Span { begin, stop, guess, block, decoder: self, first_time, error, is_whole }
    }

    /// Where the next record begins, in bytes from the start of the capture, once all spans before it are joined.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether a span that was cut by itself is the one that follows.
    pub fn accepts(&self, span: &Span) -> bool {
        let (Some(Format::Pcap(file)), Some(guess)) = (&self.format, &span.guess) else {
            return false;
        };
        let is_frame = span.decoder.n_frames > 0 && !span.has_damage_at_its_begin();
        self.offset == span.begin && is_frame && file.leads_to(&guess.file, guess.seconds)
    }

    /// Cuts the span that follows all that were joined: `bytes` are those from [`Decoder::offset`] on, the others as for
    /// [`Span::guess`].
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

impl Span {
    fn has_damage_at_its_begin(&self) -> bool {
        self.decoder.damages.first().is_some_and(|it| it.offset == self.begin)
    }
}
