//! What the v1 answers about a capture need, small enough to be kept of every job: flows in, bytes out, and back.
//!
//! The bytes: `TrActorR`, the version as 16 bits, the body, and the CRC-32 of the body; numbers little-endian. The body is
//! postcard's form of [`Body`]. Flows are lines of numbers; what they say in words is said once and named by its place.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
};

use classify::Fact;
use flow::{Endpoint, Transport};
use serde::{Deserialize, Serialize};
use v1::page::Reading;

use crate::{
    Analysis,
    rows::{Row, Stored},
};

const MAGIC: &[u8; 8] = b"TrActorR";
/// The version of the bytes.
const VERSION: u16 = 1;

/// All that the v1 answers about a capture need; it can be stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    reading: Reading,
    /// What lines say; the first is empty.
    words: Vec<Box<str>>,
    /// The flows, by their first packet.
    lines: Vec<Line>,
}

/// What a list of captures says of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Time of the first packet, in Unix seconds; 0 where there is none.
    pub time_start: u64,
    /// Time of the last packet, in Unix seconds; 0 where there is none.
    pub time_end: u64,
    /// How many flows there are.
    pub flows: u64,
    /// How long the capture is, in bytes, as far as it was read.
    pub bytes: u64,
}

/// Why bytes are no report.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// They begin otherwise.
    #[error("it is no stored result")]
    NotAReport,
    /// Another program wrote them.
    #[error("it is of version {found}, this program reads version {VERSION}")]
    OtherVersion {
        /// Theirs.
        found: u16,
    },
    /// They are not what was written.
    #[error("it is damaged: {what}")]
    Damaged {
        /// How that shows.
        what: &'static str,
    },
}

/// A flow. Words are places in the list of words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Line {
    transport: u8,
    ends: [(IpAddr, u16); 2],
    times_ns: [u64; 2],
    protocol: u32,
    label: u32,
    group: u32,
    domain_name: u32,
    user_agent: u32,
    reason: u32,
}

/// As it is written.
#[derive(Serialize, Deserialize)]
struct Body {
    /// As JSON: it leaves out what is empty, which postcard cannot.
    reading: String,
    words: Vec<Box<str>>,
    lines: Vec<Line>,
}

impl Report {
    /// What is to be kept of an analysis.
    pub fn new(analysis: &Analysis) -> Self {
        let mut words = Words::default();
        words.place("");
        let lines = analysis.each().map(|row| Line {
            transport: row.transport.0,
            ends: [row.client, row.server].map(|it| (it.ip, it.port)),
            times_ns: [row.time_start_ns, row.time_end_ns],
            protocol: words.place(row.protocol),
            label: words.place(row.label),
            group: words.place(row.group),
            domain_name: words.place(row.domain_name().unwrap_or_default()),
            user_agent: words.place(row.fact(Fact::UserAgent).unwrap_or_default()),
            reason: words.place(&row.reason()),
        });
        let lines = lines.collect();
        Self { reading: analysis.reading().clone(), words: words.list, lines }
    }

    /// What was read, and what was not.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    /// What a list says of it.
    pub fn summary(&self) -> Summary {
        let seconds = |nanos: Option<u64>| nanos.unwrap_or(0) / 1_000_000_000;
        Summary {
            time_start: seconds(self.lines.iter().map(|it| it.times_ns[0]).min()),
            time_end: seconds(self.lines.iter().map(|it| it.times_ns[1]).max()),
            flows: self.lines.len() as u64,
            bytes: self.reading.bytes,
        }
    }

    /// About how much memory it takes, in bytes.
    pub fn memory(&self) -> usize {
        let words: usize = self.words.iter().map(|it| it.len() + size_of::<Box<str>>()).sum();
        words + self.lines.len() * size_of::<Line>()
    }

    /// The flows, by their first packet.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        (0..).zip(&self.lines).map(|(number, line)| {
            let endpoint = |(ip, port)| Endpoint { ip, port };
            let told = |place| Some(self.word(place)).filter(|it| !it.is_empty());
            let stored = Stored {
                transport: Transport(line.transport),
                ends: line.ends.map(endpoint),
                times_ns: line.times_ns,
                protocol: self.word(line.protocol),
                label: self.word(line.label),
                group: self.word(line.group),
                domain_name: told(line.domain_name),
                user_agent: told(line.user_agent),
                reason: self.word(line.reason),
            };
            Row::stored(number, stored)
        })
    }

    fn word(&self, place: u32) -> &str {
        // `read` takes no place that is not there.
        self.words.get(place as usize).map_or("", |it| it)
    }

    /// The report as bytes.
    pub fn write(self) -> Vec<u8> {
        // A reading always has a form in JSON, and numbers, texts and lists one in postcard.
        let reading = serde_json::to_string(&self.reading).unwrap_or_default();
        let body = Body { reading, words: self.words, lines: self.lines };
        let start = [&MAGIC[..], &VERSION.to_le_bytes()].concat();
        let body_at = start.len();
        let mut bytes = postcard::to_extend(&body, start).unwrap_or_default();
        let check = crc32fast::hash(bytes.get(body_at..).unwrap_or_default());
        bytes.extend(check.to_le_bytes());
        bytes
    }

    /// A report from bytes.
    ///
    /// # Errors
    /// Where they are no report, one of another version, or damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, ReportError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(ReportError::NotAReport)?;
        let (version, rest) = rest.split_first_chunk().ok_or(ReportError::NotAReport)?;
        let found = u16::from_le_bytes(*version);
        if found != VERSION {
            return Err(ReportError::OtherVersion { found });
        }
        let bad = |what| ReportError::Damaged { what };
        let (body, check) = rest.split_last_chunk().ok_or(bad("it is cut off"))?;
        if crc32fast::hash(body) != u32::from_le_bytes(*check) {
            return Err(bad("its checksum is wrong"));
        }
        let Ok((body, [])) = postcard::take_from_bytes::<Body>(body) else {
            return Err(bad("its body cannot be read"));
        };
        let Ok(reading) = serde_json::from_str(&body.reading) else {
            return Err(bad("how it was read cannot be understood"));
        };
        let is_said = |place: u32| (place as usize) < body.words.len();
        let is_whole = body.lines.iter().all(|it| {
            [it.protocol, it.label, it.group, it.domain_name, it.user_agent, it.reason]
                .into_iter()
                .all(is_said)
        });
        if !is_whole {
            return Err(bad("it lacks words"));
        }
        Ok(Self { reading, words: body.words, lines: body.lines })
    }
}

/// Words, each once.
#[derive(Default)]
struct Words {
    places: HashMap<Box<str>, u32>,
    list: Vec<Box<str>>,
}

impl Words {
    fn place(&mut self, word: &str) -> u32 {
        if let Some(place) = self.places.get(word) {
            return *place;
        }
        let next = self.list.len() as u32;
        match self.places.entry(word.into()) {
            Entry::Occupied(it) => *it.get(),
            Entry::Vacant(it) => {
                self.list.push(it.key().clone());
                *it.insert(next)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let end = |last: u8, port| (IpAddr::from([192, 0, 2, last]), port);
        Report {
            reading: Reading { file_name: "office.pcap".into(), bytes: 77, ..Reading::default() },
            words: ["", "tls", "web"].map(Box::from).to_vec(),
            lines: vec![Line {
                transport: 6,
                ends: [end(1, 50_000), end(2, 443)],
                times_ns: [1_999_999_999, 5_000_000_000],
                protocol: 1,
                label: 1,
                group: 2,
                domain_name: 0,
                user_agent: 0,
                reason: 2,
            }],
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = report().write();
        let read = Report::read(&bytes).unwrap();
        assert_eq!(read, report());
        let summary = Summary { time_start: 1, time_end: 5, flows: 1, bytes: 77 };
        assert_eq!(read.summary(), summary);
        let rows: Vec<_> = read.rows().map(|it| (it.label, it.domain_name())).collect();
        assert_eq!(rows, [("tls", None)]);
    }

    #[test]
    fn a_changed_bit_or_a_missing_byte_is_found() {
        let bytes = report().write();
        for at in 0..bytes.len() {
            assert!(Report::read(&bytes[..at]).is_err(), "{at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Report::read(&changed).is_err(), "{at}");
        }
    }

    #[test]
    fn words_that_are_not_there_are_damage() {
        let mut lacking = report();
        lacking.lines[0].label = 3;
        let error = Report::read(&lacking.write()).unwrap_err();
        assert_eq!(error, ReportError::Damaged { what: "it lacks words" });
    }
}
