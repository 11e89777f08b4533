//! A pcap as it comes in, a pcapng that says what it is of out (draft-ietf-opsawg-pcapng): one section, one interface,
//! the same frames.

use std::io::{self, BufRead, BufReader, Read, Write};

/// The longest frame, in bytes (libpcap's `MAXIMUM_SNAPLEN`).
const MAX_FRAME_LEN: u32 = 262_144;
/// The longest text of an option, in bytes: its length is 16 bits.
const MAX_TEXT_LEN: usize = 60_000;

/// What is said about all frames.
pub(super) struct Section {
    pub(super) comments: Vec<String>,
    /// Who wrote the file.
    pub(super) application: String,
    /// Where the frames are from.
    pub(super) interface: String,
}

/// Why a pcap cannot be copied further.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the recorder cannot be read: {source}")]
    Read { source: io::Error },
    #[error("the recording cannot be written: {source}")]
    Write { source: io::Error },
    #[error("what is recorded begins with {magic:#010x}, which is no pcap")]
    Magic { magic: u32 },
    #[error("frame {n} claims to be {len} bytes long")]
    FrameTooLong { n: u64, len: u32 },
}

/// Copies all frames and says how many they are; `told` hears their number so far, 0 once the header is there.
///
/// What was not recorded to its end is left out. Nothing waits here while nothing more comes.
///
/// # Errors
///
/// When it is no pcap, or one side fails.
pub(super) fn copy(
    pcap: &mut BufReader<impl Read>,
    out: &mut impl Write,
    section: &Section,
    mut told: impl FnMut(u64),
) -> Result<u64, Error> {
    let write = |source| Error::Write { source };
    let mut header = [0; 24];
    if !fill(pcap, &mut header)? {
        return Ok(0);
    }
    let order = Order::of(&header)?;
    let [snap_len, link_type] = [16, 20].map(|at| order.u32(&header, at));
    out.write_all(&section_header(section)).map_err(write)?;
    out.write_all(&interface(section, order, link_type, snap_len)).map_err(write)?;
    out.flush().map_err(write)?;
    told(0);
    let mut n = 0;
    let mut bytes = Vec::new();
    loop {
        if pcap.buffer().is_empty() {
            out.flush().map_err(write)?;
        }
        let mut record = [0; 16];
        if !fill(pcap, &mut record)? {
            break;
        }
        let [seconds, fraction, len, wire_len] = [0, 4, 8, 12].map(|at| order.u32(&record, at));
        if len > MAX_FRAME_LEN {
            return Err(Error::FrameTooLong { n, len });
        }
        bytes.resize(len as usize, 0);
        if !fill(pcap, &mut bytes)? {
            break;
        }
        let time = u64::from(seconds) * order.units_per_second + u64::from(fraction);
        packet(out, time, wire_len, &bytes).map_err(write)?;
        n += 1;
        told(n);
    }
    out.flush().map_err(write)?;
    Ok(n)
}

/// How a pcap has its numbers.
#[derive(Clone, Copy)]
struct Order {
    is_little: bool,
    units_per_second: u64,
}

impl Order {
    fn of(header: &[u8]) -> Result<Self, Error> {
        let read = |is_little| Self { is_little, units_per_second: 1_000_000 };
        for order in [read(true), read(false)] {
            match order.u32(header, 0) {
                0xa1b2_c3d4 => return Ok(order),
                0xa1b2_3c4d => return Ok(Self { units_per_second: 1_000_000_000, ..order }),
                _ => {}
            }
        }
        Err(Error::Magic { magic: read(false).u32(header, 0) })
    }

    /// The number at a place; 0 where there is none.
    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = bytes.get(at..).and_then(|it| it.first_chunk()).copied().unwrap_or_default();
        if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }
}

/// Section Header Block (section 4.1). Its length is not said: frames are still to come.
fn section_header(section: &Section) -> Vec<u8> {
    const COMMENT: u16 = 1;
    const APPLICATION: u16 = 4;
    let mut body = Vec::new();
    body.extend(0x1a2b_3c4d_u32.to_le_bytes());
    // Version 1.0.
    body.extend([1, 0, 0, 0]);
    body.extend(u64::MAX.to_le_bytes());
    for comment in &section.comments {
        option(&mut body, COMMENT, text(comment));
    }
    option(&mut body, APPLICATION, text(&section.application));
    option(&mut body, 0, b"");
    block(0x0a0d_0d0a, &body)
}

/// Interface Description Block (section 4.2).
fn interface(section: &Section, order: Order, link_type: u32, snap_len: u32) -> Vec<u8> {
    const NAME: u16 = 2;
    const RESOLUTION: u16 = 9;
    let mut body = Vec::new();
    // The upper bits of a pcap's number say other things.
    body.extend((link_type & 0xffff).to_le_bytes());
    body.extend(snap_len.to_le_bytes());
    option(&mut body, NAME, text(&section.interface));
    option(&mut body, RESOLUTION, &[order.units_per_second.ilog10() as u8]);
    option(&mut body, 0, b"");
    block(1, &body)
}

/// Enhanced Packet Block (section 4.3) of the only interface. It is written in its parts: there are many.
fn packet(out: &mut impl Write, time: u64, wire_len: u32, bytes: &[u8]) -> io::Result<()> {
    let n_padding = bytes.len().next_multiple_of(4) - bytes.len();
    let len = (32 + bytes.len() + n_padding) as u32;
    let numbers = [6, len, 0, (time >> 32) as u32, time as u32, bytes.len() as u32, wire_len];
    for number in numbers {
        out.write_all(&number.to_le_bytes())?;
    }
    out.write_all(bytes)?;
    out.write_all(&[0; 3][..n_padding])?;
    out.write_all(&len.to_le_bytes())
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let len = (12 + body.len().next_multiple_of(4)) as u32;
    let mut block = Vec::with_capacity(len as usize);
    block.extend(kind.to_le_bytes());
    block.extend(len.to_le_bytes());
    block.extend(body);
    pad(&mut block);
    block.extend(len.to_le_bytes());
    block
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn text(text: &str) -> &[u8] {
    text.get(..text.floor_char_boundary(MAX_TEXT_LEN)).unwrap_or(text).as_bytes()
}

/// Reads so many bytes; whether there were as many.
fn fill(from: &mut impl BufRead, bytes: &mut [u8]) -> Result<bool, Error> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(source) => Err(Error::Read { source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pcap with one frame `abcde`, of 7 bytes on the wire, 2.5 seconds after 1970.
    fn pcap(magic: u32, fraction: u32, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        // The version is of two halves, which nobody asks for.
        let mut pcap: Vec<u8> = [magic, 0, 0, 0, 65_535, 1].into_iter().flat_map(bytes).collect();
        pcap.extend([2, fraction, 5, 7].into_iter().flat_map(bytes));
        pcap.extend(b"abcde");
        pcap
    }

    fn copied(pcap: &[u8]) -> Result<(u64, Vec<u8>), Error> {
        let section = Section {
            comments: vec!["label: app".to_owned(), "command: app -v".to_owned()],
            application: "tractor".to_owned(),
            interface: "app1".to_owned(),
        };
        let mut out = Vec::new();
        let n = copy(&mut BufReader::new(pcap), &mut out, &section, |_| {})?;
        Ok((n, out))
    }

    #[track_caller]
    fn check(pcap: &[u8]) {
        let (n, out) = copied(pcap).unwrap();
        assert_eq!(n, 1);
        let mut job = engine::Job::new("written", 0);
        job.feed(&out).unwrap();
        let analysis = job.finish(false);
        assert!(analysis.is_complete());
        let shown = format!("{:?}", analysis.reading());
        assert!(shown.contains("tractor") && shown.contains("app1"), "{shown}");
        assert_eq!(job_time(&out), "00002.500000000", "{shown}");
    }

    /// The time of the only frame, as seconds and nanoseconds, by what the blocks say.
    fn job_time(out: &[u8]) -> String {
        let little = Order { is_little: true, units_per_second: 0 };
        let packet = out.len() - (12 + 20 + 8);
        let [high, low] = [12, 16].map(|at| u64::from(little.u32(out, packet + at)));
        let digits = out[packet - 4 - 4 - 8 + 4];
        let per_second = 10_u64.pow(digits.into());
        let time = high << 32 | low;
        let nanos = time % per_second * (1_000_000_000 / per_second);
        format!("{:05}.{nanos:09}", time / per_second)
    }

    #[test]
    fn both_orders_and_both_resolutions_are_copied() {
        check(&pcap(0xa1b2_c3d4, 500_000, u32::to_le_bytes));
        check(&pcap(0xa1b2_c3d4, 500_000, u32::to_be_bytes));
        check(&pcap(0xa1b2_3c4d, 500_000_000, u32::to_le_bytes));
        check(&pcap(0xa1b2_3c4d, 500_000_000, u32::to_be_bytes));
    }

    #[test]
    fn comments_are_in_the_section() {
        let (_, out) = copied(&pcap(0xa1b2_c3d4, 0, u32::to_le_bytes)).unwrap();
        assert!(out.windows(14).any(|it| it == b"\x01\0\x0a\0label: app"));
        assert!(out.windows(19).any(|it| it == b"\x01\0\x0f\0command: app -v"));
    }

    #[test]
    fn a_frame_that_is_cut_is_left_out() {
        let pcap = pcap(0xa1b2_c3d4, 0, u32::to_le_bytes);
        for len in 24..pcap.len() {
            assert_eq!(copied(&pcap[..len]).unwrap().0, 0);
        }
        assert_eq!(copied(&pcap[..23]).unwrap().1, b"");
    }

    #[test]
    fn what_is_no_pcap_is_told() {
        assert!(matches!(copied(&[7; 24]), Err(Error::Magic { magic: 0x0707_0707 })));
        let mut pcap = pcap(0xa1b2_c3d4, 0, u32::to_le_bytes);
        pcap[24 + 8..24 + 12].fill(0xff);
        assert!(matches!(copied(&pcap), Err(Error::FrameTooLong { n: 0, len: u32::MAX })));
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "я".repeat(MAX_TEXT_LEN);
        assert_eq!(text(&long).len(), MAX_TEXT_LEN);
    }
}
