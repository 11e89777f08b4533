//! The packets of a block by shares of their keys: what passes from who decodes to who puts flows together.

use std::{iter::Peekable, sync::Arc};

use capture::{Block, Packet};

use crate::{Apart, SharedKeys, share::Key, table::Ends};

/// The packets of a block whose keys belong to one share, in the order of the capture.
#[derive(Debug)]
pub struct Partial {
    apart: Apart,
    bytes: Bytes,
    packets: Vec<Kept>,
    carriers: Vec<Key>,
    /// What somebody wrote about packets, by their place in `packets`.
    comments: Vec<(usize, Box<str>)>,
}

/// Where payloads lie.
#[derive(Debug)]
enum Bytes {
    /// In the block the packets were decoded from.
    Shared(Arc<Block>),
    Own(Vec<u8>),
}

/// A packet whose payload lies elsewhere.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) ordinal: u64,
    /// Without its payload.
    pub(crate) packet: Packet<'static>,
    pub(crate) payload_start: usize,
    pub(crate) payload_len: u32,
    /// The place of its carrier's key in `carriers`.
    pub(crate) carrier: Option<u32>,
}

/// A packet on its way to its flow.
#[derive(Debug)]
pub struct Sent<'a> {
    /// The packet.
    pub packet: Packet<'a>,
    /// What somebody wrote about it.
    pub comment: Option<&'a str>,
    /// Where it is in the capture: later packets have greater ones.
    pub ordinal: u64,
    /// The key of the packet that carries it.
    pub(crate) carrier: Option<Key>,
}

/// Deals the packets of a block to shares.
#[derive(Debug)]
pub struct Shuffle {
    apart: Apart,
    /// What is dealt; keys that are in no other block have a partial of their own, the last.
    partials: Vec<Partial>,
    n_shares: usize,
    /// The keys that are in other blocks too; where it is not known which, all may be.
    shared: Option<Arc<SharedKeys>>,
    block: Option<Arc<Block>>,
    /// Where the frame begins, and how many packets came out of it.
    frame: (u64, u64),
    /// The frame's packets so far, the outermost first.
    carriers: Vec<Key>,
    /// How many packets each share had when the frame began.
    before: Vec<usize>,
}

/// So many bits of an ordinal tell the packets of a frame apart: a frame of 16 MiB has fewer packets of 20 bytes, and
/// fewer fragments are held back.
pub(crate) const INDEX_BITS: u32 = 20;

impl Shuffle {
    /// For packets of a block, or of no block, for so many shares; at least one.
    pub fn new(block: Option<Arc<Block>>, n_shares: usize, apart: Apart) -> Self {
        // About as many as there will be, so that few have to move.
        let n_packets = block.as_ref().map_or(0, |it| it.len().div_ceil(n_shares.max(1)) * 9 / 8);
        let partial = |_| Partial::new(apart, block.clone(), n_packets);
        let n_shares = n_shares.max(1);
        let partials = (0..n_shares).map(partial).collect();
        let (frame, carriers, before) = ((0, 0), Vec::new(), vec![0; n_shares]);
        Self { apart, partials, n_shares, shared: None, block, frame, carriers, before }
    }

    /// Only these keys are dealt to shares; packets of all others come as one partial more, the last.
    pub fn with_shared(mut self, shared: Arc<SharedKeys>) -> Self {
        self.partials.push(Partial::new(self.apart, self.block.clone(), 0));
        self.before.push(0);
        self.shared = Some(shared);
        self
    }

    /// The packets that come are those of the frame that begins there, in bytes from the start of the capture.
    pub fn begin_frame(&mut self, offset: u64) {
        self.frame = (offset, 0);
        for (before, partial) in self.before.iter_mut().zip(&self.partials) {
            *before = partial.packets.len();
        }
    }

    /// Takes back the packets of this frame.
    pub fn drop_frame(&mut self) {
        for (before, partial) in self.before.iter().zip(&mut self.partials) {
            partial.packets.truncate(*before);
            partial.comments.retain(|it| it.0 < *before);
        }
    }

    /// Adds a packet to its share.
    pub fn push(&mut self, packet: &Packet<'_>, comment: Option<&str>) {
        let ends = Ends::of_packet(packet, self.apart);
        self.carriers.truncate(usize::from(packet.depth));
        let carrier = self.carriers.last().copied();
        // Who carries nothing is nobody's carrier.
        if packet.carries.is_some() {
            self.carriers.push(Key::from(ends));
        }
        let (offset, index) = self.frame;
        self.frame.1 = (index + 1).min((1 << INDEX_BITS) - 1);
        let share = match &self.shared {
            Some(shared) if !shared.has(&Key::from(ends)) => self.n_shares,
            _ if self.n_shares == 1 => 0,
            _ => ends.share(self.n_shares),
        };
        if let Some(partial) = self.partials.get_mut(share) {
            let ordinal = offset << INDEX_BITS | index;
            partial.push(ordinal, packet, carrier, comment, self.block.as_deref());
        }
    }

    /// The packets of every share.
    pub fn finish(self) -> Vec<Partial> {
        self.partials
    }
}

impl Partial {
    fn new(apart: Apart, block: Option<Arc<Block>>, n_packets: usize) -> Self {
        let bytes = block.map_or(Bytes::Own(Vec::new()), Bytes::Shared);
        let (carriers, comments) = (Vec::new(), Vec::new());
        Self { apart, bytes, packets: Vec::with_capacity(n_packets), carriers, comments }
    }

    /// Of parts that fit together.
    pub(crate) fn of(
        apart: Apart,
        payloads: Vec<u8>,
        packets: Vec<Kept>,
        carriers: Vec<Key>,
        comments: Vec<(usize, Box<str>)>,
    ) -> Self {
        Self { apart, bytes: Bytes::Own(payloads), packets, carriers, comments }
    }

    fn push(
        &mut self,
        ordinal: u64,
        packet: &Packet<'_>,
        carrier: Option<Key>,
        comment: Option<&str>,
        block: Option<&Block>,
    ) {
        let payload = packet.payload;
        let start = match (&mut self.bytes, block) {
            (Bytes::Own(bytes), _) => {
                bytes.extend_from_slice(payload);
                Some(bytes.len() - payload.len())
            }
            (Bytes::Shared(_), block) => block.and_then(|it| place_in(payload, it.bytes())),
        };
        debug_assert!(start.is_some() || payload.is_empty(), "a payload lies in its block");
        let carrier = carrier.map(|key| {
            // Neighbours in a tunnel have one.
            if self.carriers.last() != Some(&key) {
                self.carriers.push(key);
            }
            self.carriers.len() as u32 - 1
        });
        if let Some(comment) = comment {
            self.comments.push((self.packets.len(), comment.into()));
        }
        let payload_len = if start.is_some() { payload.len() as u32 } else { 0 };
        let payload_start = start.unwrap_or(0);
        let packet = Packet { payload: &[], ..*packet };
        self.packets.push(Kept { ordinal, packet, payload_start, payload_len, carrier });
    }

    /// What keeps its flows apart.
    pub(crate) fn apart(&self) -> Apart {
        self.apart
    }

    /// What somebody wrote about packets, by their place in the partial.
    pub(crate) fn comments(&self) -> &[(usize, Box<str>)] {
        &self.comments
    }

    /// How many packets.
    pub fn len(&self) -> usize {
        self.packets.len()
    }

    /// Whether there is no packet.
    pub fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// The packets, in the order of the capture.
    pub fn packets(&self) -> impl Iterator<Item = Sent<'_>> {
        let bytes = match &self.bytes {
            Bytes::Shared(block) => block.bytes(),
            Bytes::Own(bytes) => bytes,
        };
        let mut comments = self.comments.iter().peekable();
        self.packets.iter().enumerate().map(move |(number, kept)| {
            let comment = comments.next_if(|it| it.0 == number).map(|it| &*it.1);
            let (start, len) = (kept.payload_start, kept.payload_len as usize);
            let payload = bytes.get(start..start + len).unwrap_or_default();
            let packet = Packet { payload, ..kept.packet };
            let carrier = kept.carrier.and_then(|it| self.carriers.get(it as usize)).copied();
            Sent { packet, comment, ordinal: kept.ordinal, carrier }
        })
    }
}

/// Where a piece of the bytes starts in them.
fn place_in(piece: &[u8], bytes: &[u8]) -> Option<usize> {
    let start = piece.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    (start + piece.len() <= bytes.len()).then_some(start)
}

/// The packets of partials of one share, all in the order of the capture.
pub fn in_order(partials: &[Partial]) -> impl Iterator<Item = Sent<'_>> {
    let mut lists: Vec<Peekable<_>> = partials.iter().map(|it| it.packets().peekable()).collect();
    std::iter::from_fn(move || {
        if let [only] = &mut *lists {
            return only.next();
        }
        let heads = lists.iter_mut().enumerate();
        let heads = heads.filter_map(|(n, it)| Some((it.peek()?.ordinal, n)));
        let (_, next) = heads.min()?;
        lists.get_mut(next)?.next()
    })
}
