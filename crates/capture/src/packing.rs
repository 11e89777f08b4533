//! Packed captures: gzip and zstd, told by their first bytes and unpacked as they come.

use crate::{gzip::Gzip, zstd::Zstd};

/// How a capture is packed, and how far it is unpacked.
#[derive(Debug)]
pub(crate) enum Packing {
    Gzip(Box<Gzip>),
    Zstd(Box<Zstd>),
}

/// The packed bytes contradict themselves: nothing after them can be unpacked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Packing {
    /// Tells a packing by the first four bytes of a file.
    pub(crate) fn recognise(start: [u8; 4]) -> Option<Self> {
        match start {
            [0x1f, 0x8b, ..] => Some(Self::Gzip(Box::default())),
            it if Zstd::begins(it) => Some(Self::Zstd(Box::default())),
            _ => None,
        }
    }

    /// Unpacks some of `input` to the end of `out` and says how many bytes of it are done with.
    ///
    /// A step gives at most a few hundred kB, so that a small file that unpacks to a huge one fills no memory. Where
    /// nothing is taken and nothing comes out, more input is needed.
    pub(crate) fn step(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, Broken> {
        match self {
            Self::Gzip(it) => it.step(input, out),
            Self::Zstd(it) => it.step(input, out),
        }
    }

    /// Whether the packed bytes may end here.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::Gzip(it) => it.is_whole(),
            Self::Zstd(it) => it.is_whole(),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Gzip(_) => "gzip",
            Self::Zstd(_) => "zstd",
        }
    }
}
