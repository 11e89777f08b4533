//! Frames in, a pcapng out (draft-ietf-opsawg-pcapng): one section, little-endian, times in nanoseconds.

use std::io::{self, Write};

/// Kinds of blocks.
const SECTION_HEADER: u32 = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;

/// Codes of options: those of every block, of sections, packets and interfaces.
const END: u16 = 0;
const COMMENT: u16 = 1;
const SHB_HARDWARE: u16 = 2;
const SHB_OS: u16 = 3;
const SHB_USERAPPL: u16 = 4;
const EPB_FLAGS: u16 = 2;
const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;
const IF_TSRESOL: u16 = 9;

/// Times are counts of 10^-9 seconds.
const NANOSECONDS: u8 = 9;
/// The longest text of an option, in bytes: its length is 16 bits.
const MAX_TEXT_LEN: usize = 60_000;

/// What is said about all frames.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    pub(crate) comments: Vec<String>,
    pub(crate) hardware: String,
    pub(crate) system: String,
    /// Who writes the file.
    pub(crate) application: String,
}

/// Where frames are from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interface {
    pub(crate) link_type: u16,
    /// Frames were cut to so many bytes; 0 for no limit.
    pub(crate) snap_len: u32,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// A frame as it is written.
#[derive(Clone, Debug)]
pub(crate) struct Record<'a> {
    pub(crate) interface: u32,
    pub(crate) nanos: u64,
    /// Its length on the wire, in bytes.
    pub(crate) wire_len: u32,
    pub(crate) bytes: &'a [u8],
    /// Direction and errors, as the capturing program said them.
    pub(crate) flags: Option<u32>,
    pub(crate) comments: &'a [String],
}

/// Writes blocks.
#[derive(Debug)]
pub(crate) struct Writer<W: Write> {
    out: W,
    n_interfaces: u32,
    /// Bytes written.
    pub(crate) n_bytes: u64,
    block: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Nothing is written yet.
    pub(crate) fn new(out: W) -> Self {
        Self { out, n_interfaces: 0, n_bytes: 0, block: Vec::new() }
    }

    /// Section Header Block (section 4.1), the first of all. Its length is not said: frames are still to come.
    pub(crate) fn section(&mut self, section: &Section) -> io::Result<()> {
        self.begin(SECTION_HEADER);
        self.numbers(&[0x1a2b_3c4d]);
        // Version 1.0.
        self.block.extend([1, 0, 0, 0]);
        self.block.extend(u64::MAX.to_le_bytes());
        for comment in &section.comments {
            self.text(COMMENT, comment);
        }
        self.text(SHB_HARDWARE, &section.hardware);
        self.text(SHB_OS, &section.system);
        self.text(SHB_USERAPPL, &section.application);
        self.option(END, &[]);
        self.end()
    }

    /// Interface Description Block (section 4.2): the number its frames shall name.
    pub(crate) fn interface(&mut self, interface: &Interface) -> io::Result<u32> {
        self.begin(INTERFACE_DESCRIPTION);
        self.numbers(&[interface.link_type.into(), interface.snap_len]);
        self.text(IF_NAME, &interface.name);
        self.text(IF_DESCRIPTION, &interface.description);
        self.option(IF_TSRESOL, &[NANOSECONDS]);
        self.option(END, &[]);
        self.end()?;
        self.n_interfaces += 1;
        Ok(self.n_interfaces - 1)
    }

    /// Enhanced Packet Block (section 4.3).
    pub(crate) fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.begin(ENHANCED_PACKET);
        let (high, low) = ((record.nanos >> 32) as u32, record.nanos as u32);
        let len = record.bytes.len() as u32;
        self.numbers(&[record.interface, high, low, len, record.wire_len]);
        self.block.extend_from_slice(record.bytes);
        self.pad();
        if let Some(flags) = record.flags {
            self.option(EPB_FLAGS, &flags.to_le_bytes());
        }
        for comment in record.comments {
            self.text(COMMENT, comment);
        }
        if record.flags.is_some() || !record.comments.is_empty() {
            self.option(END, &[]);
        }
        self.end()
    }

    /// Gives back what it was written to.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    fn begin(&mut self, kind: u32) {
        self.block.clear();
        self.block.extend(kind.to_le_bytes());
        // The length, once it is known.
        self.block.extend([0; 4]);
    }

    fn end(&mut self) -> io::Result<()> {
        let len = self.block.len() as u32 + 4;
        if let Some(place) = self.block.get_mut(4..8) {
            place.copy_from_slice(&len.to_le_bytes());
        }
        self.block.extend(len.to_le_bytes());
        self.n_bytes += u64::from(len);
        self.out.write_all(&self.block)
    }

    fn numbers(&mut self, numbers: &[u32]) {
        numbers.iter().for_each(|it| self.block.extend(it.to_le_bytes()));
    }

    /// A text, where there is one.
    fn text(&mut self, code: u16, text: &str) {
        let text = text.get(..text.floor_char_boundary(MAX_TEXT_LEN)).unwrap_or(text);
        if !text.is_empty() {
            self.option(code, text.as_bytes());
        }
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.block.extend(code.to_le_bytes());
        self.block.extend((value.len() as u16).to_le_bytes());
        self.block.extend_from_slice(value);
        self.pad();
    }

    fn pad(&mut self) {
        self.block.resize(self.block.len().next_multiple_of(4), 0);
    }
}
