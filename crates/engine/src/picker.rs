//! The packets of some flows as a pcapng: the capture is read a second time, and the frames of these flows are kept.
//!
//! Nothing of the first reading is needed but its flows. A frame is written once, as it was captured, in the order of the
//! capture; it belongs to the flow of each packet in it, to that of a tunnel and to that inside. Where packets came in
//! fragments, which flow a fragment is of is known only later: such a capture is read once more before, to find that out.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

use capture::{Block, Decoder, Dissector, Frame, Packet, plain};
use flow::Retrace;

use crate::{
    Analysis,
    pcapng::{Interface, Record, Section, Writer},
};

/// The format in which packets are written, and what a file's name ends with; the [formats](crate::FORMATS) of flows have
/// rows instead.
pub const PCAPNG: &str = "pcapng";

/// About how long the blocks are in which the capture is decoded, in bytes.
const BLOCK_LEN: usize = 1 << 20;
/// Comments that a frame keeps of those it had.
const MAX_COMMENTS: usize = 64;

/// What is written as comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remarks {
    /// At the first packet of each flow its label and the reason for it; and the comments that the capture had.
    Labels,
    /// None at all.
    None,
}

/// Why packets cannot be saved.
#[derive(Debug, thiserror::Error)]
pub enum PickError {
    /// The writer fails.
    #[error("the packets cannot be written: {source}")]
    Write {
        /// Why.
        #[from]
        source: io::Error,
    },
    /// Several files were read as one capture.
    #[error(
        "packets of files that were read as one capture are not saved: open the file that has them by itself"
    )]
    Several,
    /// The capture was written to since it was read.
    #[error(
        "the capture is not as it was when it was read: it has {found} packets of these flows now and had {known}; open it again"
    )]
    Changed {
        /// Packets of the flows that are there now.
        found: u64,
        /// Packets that the flows have.
        known: u64,
    },
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Picked {
    /// Frames.
    pub frames: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// How it goes on once the capture was fed.
#[derive(Debug)]
pub enum Passed<'a, W: Write> {
    /// The capture is to be fed again, from its beginning.
    Again(Box<Picker<'a, W>>),
    /// Everything is written.
    Done {
        /// What it was written to.
        out: W,
        /// What was written.
        picked: Picked,
    },
}

/// Picks the packets of chosen flows out of the capture that an analysis is of. The host reads the file and feeds it.
///
/// What is kept meanwhile is bounded by the chosen flows, and by what fragments under way may take.
#[derive(Debug)]
pub struct Picker<'a, W: Write> {
    analysis: &'a Analysis,
    /// By number.
    chosen: Vec<u32>,
    remarks: Remarks,
    seed: u64,
    pass: Pass,
    stage: Stage,
    out: Writer<W>,
    picked: Picked,
}

/// One reading of the capture.
#[derive(Debug)]
struct Pass {
    decoder: Decoder,
    dissector: Dissector,
    retrace: Retrace,
    /// Bytes still to be read: what the analysis is of.
    left: u64,
    /// The capture stopped being one.
    is_over: bool,
    /// Packets and frame bytes of the chosen flows.
    found: (u64, u64),
}

/// What a reading is for.
#[derive(Debug)]
enum Stage {
    /// To find the frames of packets that came in fragments: their offsets, with the flows.
    Looking(BTreeSet<(u64, u32)>),
    Writing {
        /// What was found so.
        fragments: BTreeSet<(u64, u32)>,
        /// The interfaces written, by their places in the capture and their link types.
        interfaces: BTreeMap<(Option<u32>, u16), u32>,
        /// Which of the chosen flows have begun.
        has_begun: Vec<bool>,
    },
}

impl<'a, W: Write> Picker<'a, W> {
    /// The packets of the flows with these numbers, in any order. The seed is as for [`crate::Job::new`]; it never shows.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn new(
        analysis: &'a Analysis,
        chosen: &[u32],
        remarks: Remarks,
        seed: u64,
        out: W,
    ) -> Result<Self, PickError> {
        if analysis.is_of_several() {
            return Err(PickError::Several);
        }
        let mut chosen = chosen.to_vec();
        chosen.sort_unstable();
        chosen.dedup();
        let stage = match analysis.read.n_fragments {
            0 => Stage::writing(BTreeSet::new(), chosen.len()),
            _ => Stage::Looking(BTreeSet::new()),
        };
        let pass = Pass::new(analysis, &chosen, seed);
        let mut out = Writer::new(out);
        out.section(&section(analysis, chosen.len(), remarks))?;
        Ok(Self { analysis, chosen, remarks, seed, pass, stage, out, picked: Picked::default() })
    }

    /// How often the capture is still to be fed, this time included.
    pub fn n_passes(&self) -> u64 {
        match self.stage {
            Stage::Looking(_) => 2,
            Stage::Writing { .. } => 1,
        }
    }

    /// Whether more of the capture is needed in this pass: no more than what the analysis is of.
    pub fn wants_more(&self) -> bool {
        self.pass.left > 0 && !self.pass.is_over
    }

    /// How many frames are written so far.
    pub fn n_frames(&self) -> u64 {
        self.picked.frames
    }

    /// Takes the next bytes of the capture. Chunk by chunk; any chunking gives the same file.
    ///
    /// # Errors
    /// Where the writer fails.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), PickError> {
        let len = self.pass.left.min(bytes.len() as u64);
        self.pass.left -= len;
        if !self.pass.is_over {
            self.pass.decoder.feed(bytes.get(..len as usize).unwrap_or_default());
            self.drain()?;
        }
        Ok(())
    }

    /// Says that the capture was fed, or all of it that was wanted.
    ///
    /// # Errors
    /// Where the writer fails, or the capture is another than it was.
    pub fn end(mut self) -> Result<Passed<'a, W>, PickError> {
        if !self.pass.is_over {
            self.pass.decoder.end();
            self.drain()?;
        }
        self.finish_fragments();
        self.check()?;
        match self.stage {
            Stage::Looking(fragments) => {
                let stage = Stage::writing(fragments, self.chosen.len());
                let pass = Pass::new(self.analysis, &self.chosen, self.seed);
                Ok(Passed::Again(Box::new(Self { stage, pass, ..self })))
            }
            Stage::Writing { .. } => {
                let picked = Picked { bytes: self.out.n_bytes, ..self.picked };
                Ok(Passed::Done { out: self.out.finish()?, picked })
            }
        }
    }

    fn drain(&mut self) -> Result<(), PickError> {
        loop {
            match self.pass.decoder.next_block(BLOCK_LEN) {
                Ok(Some(block)) => self.take(&block)?,
                Ok(None) => return Ok(()),
                // The first reading ended here, too.
                Err(_) => {
                    self.pass.is_over = true;
                    return Ok(());
                }
            }
        }
    }

    fn take(&mut self, block: &Block) -> Result<(), PickError> {
        for frame in block.frames() {
            let Pass { dissector, retrace, found, .. } = &mut self.pass;
            // The chosen flows that have a packet here.
            let mut flows: Vec<u32> = Vec::new();
            let mut sink = |packet: &Packet<'_>, frames: &[u64]| {
                let Some(number) = retrace.push(packet) else { return };
                if self.chosen.binary_search(&number).is_err() {
                    return;
                }
                *found = (found.0 + 1, found.1 + u64::from(packet.frame_len));
                match &mut self.stage {
                    _ if frames == [frame.offset] => flows.push(number),
                    Stage::Looking(list) => list.extend(frames.iter().map(|it| (*it, number))),
                    Stage::Writing { .. } => {}
                }
            };
            // What holds no packet belongs to no flow.
            let _ = dissector.follow(&frame, &mut sink);
            self.write(&frame, flows)?;
        }
        Ok(())
    }

    /// What never became whole comes out at the end.
    fn finish_fragments(&mut self) {
        let Pass { dissector, retrace, found, .. } = &mut self.pass;
        dissector.finish_following(&mut |packet, frames| {
            let Some(number) = retrace.push(packet) else { return };
            if self.chosen.binary_search(&number).is_err() {
                return;
            }
            *found = (found.0 + 1, found.1 + u64::from(packet.frame_len));
            if let Stage::Looking(list) = &mut self.stage {
                list.extend(frames.iter().map(|it| (*it, number)));
            }
        });
    }

    fn write(&mut self, frame: &Frame<'_>, mut flows: Vec<u32>) -> Result<(), PickError> {
        let Stage::Writing { fragments, interfaces, has_begun } = &mut self.stage else {
            return Ok(());
        };
        let of_frame = fragments.range((frame.offset, 0)..=(frame.offset, u32::MAX));
        flows.extend(of_frame.map(|it| it.1));
        if flows.is_empty() {
            return Ok(());
        }
        flows.sort_unstable();
        let mut comments = Vec::new();
        if self.remarks == Remarks::Labels {
            let had = frame.origin.iter().flat_map(|it| it.comments()).take(MAX_COMMENTS);
            comments.extend(had.map(|it| String::from_utf8_lossy(it).into_owned()));
            for number in flows {
                let at = self.chosen.binary_search(&number).ok();
                let Some(has_begun) = at.and_then(|it| has_begun.get_mut(it)) else { continue };
                if !std::mem::replace(has_begun, true) {
                    let remark = remark(self.analysis, number);
                    // It was picked before.
                    comments.extend((!comments.contains(&remark)).then_some(remark));
                }
            }
        }
        let key = (frame.origin.map(|it| it.interface), frame.link_type);
        let interface = match interfaces.get(&key) {
            Some(it) => *it,
            None => {
                let it = self.out.interface(&interface(&self.pass.decoder, frame))?;
                interfaces.insert(key, it);
                it
            }
        };
        self.out.record(&Record {
            interface,
            nanos: frame.time.0,
            wire_len: frame.wire_len,
            bytes: frame.bytes,
            flags: frame.origin.and_then(|it| it.flags()),
            comments: &comments,
        })?;
        self.picked.frames += 1;
        Ok(())
    }

    /// Whether the flows have the packets that they had.
    fn check(&self) -> Result<(), PickError> {
        let flows = self.chosen.iter().filter_map(|it| self.analysis.flows.get(*it as usize));
        let known = flows.fold((0, 0), |sum, it| (sum.0 + it.packets(), sum.1 + it.bytes()));
        if self.pass.found != known {
            return Err(PickError::Changed { found: self.pass.found.0, known: known.0 });
        }
        Ok(())
    }
}

impl Pass {
    fn new(analysis: &Analysis, chosen: &[u32], seed: u64) -> Self {
        let rules = &analysis.read.rules;
        Self {
            decoder: Decoder::default(),
            dissector: Dissector::new(seed).with_checksums(rules.has_checksums),
            retrace: Retrace::new(&analysis.flows, chosen, rules.apart),
            left: analysis.reading.bytes,
            is_over: false,
            found: (0, 0),
        }
    }
}

impl Stage {
    fn writing(fragments: BTreeSet<(u64, u32)>, n_chosen: usize) -> Self {
        Self::Writing { fragments, interfaces: BTreeMap::new(), has_begun: vec![false; n_chosen] }
    }
}

/// What is said of all frames.
fn section(analysis: &Analysis, n_chosen: usize, remarks: Remarks) -> Section {
    let origin = &analysis.reading.origin;
    let comments = match remarks {
        Remarks::None => Vec::new(),
        Remarks::Labels => {
            let (name, n_flows) = (plain(&analysis.reading.file_name), analysis.n_flows());
            let picked = format!("packets of {n_chosen} of {n_flows} flows of {name}");
            let mut comments = origin.comments.clone();
            // It was picked before.
            comments.retain(|it| *it != picked);
            comments.push(picked);
            comments
        }
    };
    let (hardware, system) = (origin.hardware.clone(), origin.system.clone());
    Section { comments, hardware, system, application: "TrActor".to_owned() }
}

/// Where a frame is from.
fn interface(decoder: &Decoder, frame: &Frame<'_>) -> Interface {
    let link_type = frame.link_type;
    let Some(origin) = frame.origin else {
        return Interface { link_type, snap_len: decoder.snap_len(), ..Interface::default() };
    };
    // Of a great many interfaces only the first are remembered.
    let known = decoder.notes().interfaces.get(origin.interface as usize);
    let known = known.cloned().unwrap_or_default();
    Interface {
        link_type,
        snap_len: known.snap_len,
        name: known.name.unwrap_or_default(),
        description: known.description.unwrap_or_default(),
    }
}

/// The label of a flow and the reason for it, in a line.
fn remark(analysis: &Analysis, number: u32) -> String {
    let Some(row) = analysis.row(number) else { return String::new() };
    let mut text = format!("flow {number}: label {}; protocol {}", row.label, row.protocol);
    if let Some(name) = row.domain_name() {
        text += &format!("; name {name}");
    }
    plain(&format!("{text}; {}", row.reason()))
}
