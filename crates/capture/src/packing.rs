//! Packed captures: gzip, zstd, zip and tar, one inside the other, told by their first bytes and unpacked as they come.

use crate::{Error, archive::Members, decoder, gzip::Gzip, tar::Tar, zip::Zip, zstd::Zstd};

/// How many packings may lie in one another: a capture by gzip, in a tar, by gzip.
const MAX_DEPTH: usize = 3;

/// The way from the bytes of a file to those of the capture in it.
#[derive(Debug, Default)]
pub(crate) struct Unpacking {
    /// The outermost first.
    layers: Vec<Layer>,
    /// Whether what comes out of the innermost is known to be packed no more.
    is_settled: bool,
    /// Why a layer gives nothing more. What came out of it before is still read.
    fault: Option<Error>,
    /// The layers up to that one: so many from the outermost on.
    n_broken: usize,
}

#[derive(Debug)]
struct Layer {
    packing: Packing,
    /// Put in, and not yet unpacked.
    input: Vec<u8>,
    /// How much of `input` is done with.
    taken: usize,
    /// Where `input` starts, in bytes from the start of the packed data.
    offset: u64,
    /// Where the member or frame that is being unpacked begins. How far into it damage is found depends on how the file
    /// is fed.
    part: u64,
}

/// How a capture is packed, and how far it is unpacked.
#[derive(Debug)]
pub(crate) enum Packing {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
    Tar(Box<Tar>),
    Zip(Box<Zip>),
}

/// Why nothing more can be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The packed bytes contradict themselves.
    Broken,
    /// They may be right, and are not unpacked here, for this reason.
    NotUnpacked(String),
}

/// What first bytes say.
enum Told {
    Packed(Packing),
    Plain,
    /// There are too few of them.
    Nothing,
}

impl Unpacking {
    /// For bytes that are known not to be packed.
    pub(crate) fn of_nothing() -> Self {
        Self { is_settled: true, ..Self::default() }
    }

    pub(crate) fn is_packed(&self) -> bool {
        !self.layers.is_empty()
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.is_settled
    }

    /// Where the next bytes of the file belong; `None` where they need no unpacking.
    pub(crate) fn room(&mut self) -> Option<&mut Vec<u8>> {
        self.layers.first_mut().map(Layer::room)
    }

    /// Looks whether `pending`, the first bytes that came out so far, are packed themselves, and takes them then.
    pub(crate) fn settle(&mut self, pending: &mut Vec<u8>, is_over: bool) {
        if self.is_settled {
            return;
        }
        match Packing::tell(pending, is_over) {
            Told::Packed(packing) if self.layers.len() < MAX_DEPTH => {
                let input = std::mem::take(pending);
                self.layers.push(Layer { packing, input, taken: 0, offset: 0, part: 0 });
            }
            Told::Packed(_) | Told::Plain => self.is_settled = true,
            Told::Nothing => self.is_settled = is_over,
        }
    }

    /// Unpacks a piece more to the end of `out`; `false` until more is fed.
    ///
    /// # Errors
    /// Where a layer is broken, once all that came out of it is unpacked.
    pub(crate) fn step(&mut self, out: &mut Vec<u8>, is_end: bool) -> Result<bool, Error> {
        // What is already unpacked goes first, so that little waits between two layers.
        for n in (self.n_broken..self.layers.len()).rev() {
            if self.step_layer(n, out, false) {
                return Ok(true);
            }
        }
        // Nothing more comes to a layer whose outer ones are done.
        for n in self.n_broken..self.layers.len() {
            if (is_end || self.fault.is_some()) && self.step_layer(n, out, true) {
                return Ok(true);
            }
        }
        self.fault.clone().map_or(Ok(false), Err)
    }

    fn step_layer(&mut self, n: usize, out: &mut Vec<u8>, is_last: bool) -> bool {
        let (outer, inner) = self.layers.split_at_mut(n + 1);
        let Some(layer) = outer.last_mut() else { return false };
        match layer.step(inner.first_mut().map_or(out, Layer::room), is_last) {
            Ok(is_more) => is_more,
            Err(fault) => {
                self.n_broken = n + 1;
                // Of two, the inner one comes first in the capture, if it is none because of the outer.
                if !is_last || self.fault.is_none() {
                    self.fault = Some(fault);
                }
                true
            }
        }
    }

    /// Says where the packed data ends too early, or that no capture is in it.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        for Layer { packing, input, taken, offset, .. } in &self.layers {
            if !packing.is_whole() || *taken < input.len() {
                let (offset, packing) = (*offset + input.len() as u64, packing.name());
                return Err(Error::PackingCutShort { offset, packing });
            }
            match packing {
                Packing::Tar(it) if it.members().taken().is_none() => {
                    let kind = "a tar archive without a capture in it";
                    return Err(Error::NotACapture { kind, magic: it.magic() });
                }
                Packing::Zip(it) if it.members().taken().is_none() => {
                    let kind = "a zip archive without a capture in it that can be unpacked";
                    return Err(Error::NotACapture { kind, magic: *b"PK\x03\x04" });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The packings from the inside out, as `tar (a.pcap), gzip`.
    pub(crate) fn name(&self) -> Option<String> {
        let names = self.layers.iter().rev().map(|it| match it.packing.members() {
            Some(members) => match members.taken() {
                Some(member) => format!("{} ({member})", it.packing.name()),
                None => it.packing.name().to_owned(),
            },
            None => it.packing.name().to_owned(),
        });
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Captures in archives that were not taken: how many, and the names of the first.
    pub(crate) fn other_members(&self) -> (u64, &[String]) {
        let archives = self.layers.iter().filter_map(|it| it.packing.members());
        archives.map(Members::others).find(|it| it.0 > 0).unwrap_or((0, &[]))
    }
}

impl Layer {
    fn room(&mut self) -> &mut Vec<u8> {
        self.input.drain(..self.taken);
        self.offset += self.taken as u64;
        self.taken = 0;
        &mut self.input
    }

    fn step(&mut self, out: &mut Vec<u8>, is_last: bool) -> Result<bool, Error> {
        let rest = self.input.get(self.taken..).unwrap_or_default();
        if self.packing.is_whole() {
            self.part = self.offset + self.taken as u64;
        }
        let (offset, packing) = (self.part, self.packing.name());
        match self.packing.step(rest, out, is_last) {
            Ok(Some(taken)) => {
                self.taken += taken;
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(Fault::Broken) => Err(Error::BadPacking { offset, packing }),
            Err(Fault::NotUnpacked(why)) => Err(Error::NotUnpacked { offset, packing, why }),
        }
    }
}

impl Packing {
    /// Tells a packing by first bytes; `is_over` says that there are no more of them.
    fn tell(bytes: &[u8], is_over: bool) -> Told {
        let Some(start) = bytes.first_chunk::<4>() else { return Told::Nothing };
        match *start {
            [0x1f, 0x8b, ..] => Told::Packed(Self::Gzip(Box::default())),
            it if Zstd::begins(it) => Told::Packed(Self::Zstd(Box::default())),
            it if Zip::begins(it) => Told::Packed(Self::Zip(Box::default())),
            it if decoder::begins(it) => Told::Plain,
            _ if Tar::begins(bytes) => Told::Packed(Self::Tar(Box::default())),
            _ if Tar::may_begin(bytes) && !is_over => Told::Nothing,
            _ => Told::Plain,
        }
    }

    /// Unpacks some of `input` to the end of `out` and says how many bytes of it are done with, or `None` where more
    /// input is needed; `is_last` says that there is none.
    ///
    /// A step gives at most a few hundred kB, so that a small file that unpacks to a huge one fills no memory.
    fn step(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        is_last: bool,
    ) -> Result<Option<usize>, Fault> {
        match self {
            Self::Gzip(it) => it.step(input, out, is_last),
            Self::Zstd(it) => it.step(input, out),
            Self::Tar(it) => it.step(input, out, is_last),
            Self::Zip(it) => it.step(input, out, is_last),
        }
    }

    /// Whether the packed bytes may end here.
    fn is_whole(&self) -> bool {
        match self {
            Self::Gzip(it) => it.is_whole(),
            Self::Zstd(it) => it.is_whole(),
            Self::Tar(it) => it.is_whole(),
            Self::Zip(it) => it.is_whole(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Gzip(_) => "gzip",
            Self::Zstd(_) => "zstd",
            Self::Tar(_) => "tar",
            Self::Zip(_) => "zip",
        }
    }

    fn members(&self) -> Option<&Members> {
        match self {
            Self::Gzip(_) | Self::Zstd(_) => None,
            Self::Tar(it) => Some(it.members()),
            Self::Zip(it) => Some(it.members()),
        }
    }
}

/// Whether a capture begins so, as it is or packed once: its first bytes are unpacked to see.
pub(crate) fn begins_capture(bytes: &[u8]) -> bool {
    let mut packing = match Packing::tell(bytes, true) {
        Told::Packed(it @ (Packing::Gzip(_) | Packing::Zstd(_))) => it,
        _ => return bytes.first_chunk().is_some_and(|it| decoder::begins(*it)),
    };
    let (mut rest, mut out) = (bytes, Vec::new());
    while out.len() < 4 {
        let Ok(Some(taken)) = packing.step(rest, &mut out, true) else { break };
        rest = rest.get(taken..).unwrap_or_default();
    }
    // A zstd block is only unpacked whole, and may be longer than what is here.
    let is_whole_block_away = matches!(packing, Packing::Zstd(_)) && out.is_empty();
    is_whole_block_away || out.first_chunk().is_some_and(|it| decoder::begins(*it))
}
