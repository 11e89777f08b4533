//! The packets of a flow, compactly. Features, sessions and charts are pure functions of it.

use capture::Timestamp;

use crate::Total;

/// Which side sent a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Client to server.
    #[default]
    Forward = 0,
    /// Server to client.
    Backward = 1,
}

impl Direction {
    /// The way back.
    pub fn other(self) -> Self {
        match self {
            Self::Forward => Self::Backward,
            Self::Backward => Self::Forward,
        }
    }
}

/// What remains of a packet once its flow is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// When it was captured.
    pub time: Timestamp,
    /// Who sent it.
    pub direction: Direction,
    /// Frame on the wire, in bytes.
    pub frame_len: u32,
    /// IP header and payload on the wire, in bytes.
    pub ip_len: u32,
    /// Transport payload on the wire, in bytes.
    pub payload_len: u32,
    /// TCP flags as sent (FIN 1, SYN 2, RST 4, PSH 8, ACK 16 …); 0 for other transports.
    pub flags: u8,
    /// It carries a packet that is a step of another flow; its bytes count there.
    pub is_carrier: bool,
    /// What its numbers said when it came, in bits of [`marks`]; 0 for most.
    pub marks: u8,
}

impl Step {
    /// The same, directions as for who sends `forward`.
    pub fn seen_from(self, forward: Direction) -> Self {
        let direction = match forward {
            Direction::Forward => self.direction,
            Direction::Backward => self.direction.other(),
        };
        Self { direction, ..self }
    }
}

/// What sequence numbers and window of a segment say of it, in the light of those before it. Rare things.
pub mod marks {
    /// Its payload was all sent before.
    pub const RESENT: u8 = 1;
    /// It tells the other side to stop sending.
    pub const ZERO_WINDOW: u8 = 2;
    /// It acknowledges what the capture does not have.
    pub const GAP: u8 = 4;
    /// Its FIN or RST has another number than the one before of its side.
    pub const RENUMBERED: u8 = 8;
}

/// The packets of a flow in capture order, about six bytes each; of two or three packets, no memory of their own.
///
/// A step is coded against the step before it (its time) and the last step of its own direction (the rest): a control
/// byte says what stayed the same, what did not follows as variable-length integers.
#[derive(Clone, Debug, Default)]
pub struct Timeline(Coded);

#[derive(Clone, Debug)]
enum Coded {
    /// What fits in beside the flow. The context is decoded anew for every step.
    Short {
        len: u8,
        bytes: [u8; SHORT_LEN],
    },
    Long(Box<Long>),
}

/// So long that a timeline takes no more than a vector would.
const SHORT_LEN: usize = 22;

#[derive(Clone, Debug)]
struct Long {
    bytes: Vec<u8>,
    n_steps: u64,
    context: Context,
}

/// What the next step is coded against.
#[derive(Clone, Copy, Debug, Default)]
struct Context {
    nanos: u64,
    sides: [Side; 2],
}

#[derive(Clone, Copy, Debug, Default)]
struct Side {
    ip_len: u32,
    /// `ip_len - payload_len`.
    header_len: i64,
    /// `frame_len - ip_len`.
    link_len: i64,
    flags: u8,
}

// The control byte.
const BACKWARD: u8 = 1;
const WHOLE_MICROS: u8 = 2;
const SAME_IP_LEN: u8 = 4;
const SAME_HEADER_LEN: u8 = 8;
const SAME_LINK_LEN: u8 = 16;
const SAME_FLAGS: u8 = 32;
const CARRIER: u8 = 64;
const MARKED: u8 = 128;

impl Timeline {
    /// Adds a packet.
    pub fn push(&mut self, step: Step) {
        match &mut self.0 {
            Coded::Long(long) => long.push(step),
            Coded::Short { len, bytes } => {
                let start = usize::from(*len);
                let mut steps = Steps::of(bytes.get(..start).unwrap_or_default());
                let n_steps = steps.by_ref().count() as u64;
                let context = steps.context;
                let code = Code::of(step, &context);
                let end = start + code.len;
                if let Some(room) = bytes.get_mut(start..end) {
                    room.copy_from_slice(code.bytes());
                    *len = end as u8;
                    return;
                }
                let short = bytes.get(..start).unwrap_or_default();
                let mut bytes = Vec::with_capacity(3 * SHORT_LEN);
                bytes.extend_from_slice(short);
                let mut long = Long { bytes, n_steps, context };
                long.push(step);
                self.0 = Coded::Long(Box::new(long));
            }
        }
    }

    /// The packets in capture order.
    pub fn steps(&self) -> Steps<'_> {
        Steps::of(self.code())
    }

    /// The packets as they are coded.
    pub(crate) fn code(&self) -> &[u8] {
        match &self.0 {
            Coded::Short { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Coded::Long(long) => &long.bytes,
        }
    }

    /// What [`Timeline::code`] gave; nothing where it did not.
    pub(crate) fn of_code(code: Vec<u8>) -> Option<Self> {
        let mut steps = Steps::of(&code);
        let mut n_steps = 0;
        while !steps.bytes.is_empty() {
            steps.next()?;
            n_steps += 1;
        }
        let context = steps.context;
        let mut short = [0; SHORT_LEN];
        Some(Self(match short.get_mut(..code.len()) {
            Some(room) => {
                room.copy_from_slice(&code);
                Coded::Short { len: code.len() as u8, bytes: short }
            }
            None => Coded::Long(Box::new(Long { bytes: code, n_steps, context })),
        }))
    }

    /// How many packets.
    pub fn len(&self) -> u64 {
        match &self.0 {
            Coded::Short { .. } => self.steps().count() as u64,
            Coded::Long(long) => long.n_steps,
        }
    }

    /// Whether there is no packet.
    pub fn is_empty(&self) -> bool {
        self.steps().next().is_none()
    }

    /// How much memory its packets take beside the flow, in bytes.
    pub fn memory_len(&self) -> usize {
        match &self.0 {
            Coded::Short { .. } => 0,
            Coded::Long(long) => long.bytes.capacity() + size_of::<Long>(),
        }
    }

    /// What each side sent: the client's counts, then the server's.
    pub fn totals(&self) -> (Total, Total) {
        let mut totals = (Total::default(), Total::default());
        for step in self.steps() {
            let total = match step.direction {
                Direction::Forward => &mut totals.0,
                Direction::Backward => &mut totals.1,
            };
            total.add(&step);
        }
        totals
    }

    /// Gives back what memory was kept for steps to come.
    pub(crate) fn shrink(&mut self) {
        if let Coded::Long(long) = &mut self.0
            && long.bytes.capacity() - long.bytes.len() > SHORT_LEN
        {
            long.bytes.shrink_to_fit();
        }
    }
}

impl Default for Coded {
    fn default() -> Self {
        Self::Short { len: 0, bytes: [0; SHORT_LEN] }
    }
}

impl Long {
    fn push(&mut self, step: Step) {
        let code = Code::of(step, &self.context);
        // A copy of fixed length is a few instructions; what is too much goes again.
        let end = self.bytes.len() + code.len;
        self.bytes.extend_from_slice(&code.bytes);
        self.bytes.truncate(end);
        self.n_steps += 1;
        self.context.follow(&step);
    }
}

impl Context {
    /// Takes a step as the last one.
    fn follow(&mut self, step: &Step) {
        self.nanos = step.time.0;
        if let Some(side) = self.sides.get_mut(step.direction as usize) {
            *side = Side::of(step);
        }
    }
}

impl Side {
    fn of(step: &Step) -> Self {
        Self {
            ip_len: step.ip_len,
            header_len: i64::from(step.ip_len) - i64::from(step.payload_len),
            link_len: i64::from(step.frame_len) - i64::from(step.ip_len),
            flags: step.flags,
        }
    }
}

/// A step in code.
struct Code {
    /// Room for the control byte, ten bytes of time, five for each length, flags and marks.
    bytes: [u8; 28],
    len: usize,
}

impl Code {
    fn of(step: Step, context: &Context) -> Self {
        let delta = step.time.0.wrapping_sub(context.nanos) as i64;
        let direction = step.direction as usize;
        let now = Side::of(&step);
        let last = context.sides.get(direction).copied().unwrap_or_default();
        let is_whole_micros = delta % 1_000 == 0;
        let bit = |is_set, bit| if is_set { bit } else { 0 };
        let control = bit(direction == 1, BACKWARD)
            | bit(is_whole_micros, WHOLE_MICROS)
            | bit(now.ip_len == last.ip_len, SAME_IP_LEN)
            | bit(now.header_len == last.header_len, SAME_HEADER_LEN)
            | bit(now.link_len == last.link_len, SAME_LINK_LEN)
            | bit(now.flags == last.flags, SAME_FLAGS)
            | bit(step.is_carrier, CARRIER)
            | bit(step.marks != 0, MARKED);
        let mut code = Self { bytes: [0; 28], len: 0 };
        code.put_byte(control);
        code.put(zigzag(if is_whole_micros { delta / 1_000 } else { delta }));
        if control & SAME_IP_LEN == 0 {
            code.put(u64::from(now.ip_len));
        }
        if control & SAME_HEADER_LEN == 0 {
            code.put(zigzag(now.header_len));
        }
        if control & SAME_LINK_LEN == 0 {
            code.put(zigzag(now.link_len));
        }
        if control & SAME_FLAGS == 0 {
            code.put_byte(now.flags);
        }
        if control & MARKED != 0 {
            code.put_byte(step.marks);
        }
        code
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    fn put_byte(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.len) {
            *slot = byte;
            self.len += 1;
        }
    }

    /// LEB128.
    fn put(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put_byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.put_byte(value as u8);
    }
}

impl FromIterator<Step> for Timeline {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        let mut timeline = Self::default();
        steps.into_iter().for_each(|step| timeline.push(step));
        timeline
    }
}

impl Total {
    /// Counts one more packet.
    pub(crate) fn add(&mut self, step: &Step) {
        self.packets += 1;
        self.frame_bytes += u64::from(step.frame_len);
        self.ip_bytes += u64::from(step.ip_len);
    }
}

/// The packets of a [`Timeline`], in capture order.
#[derive(Clone, Debug)]
pub struct Steps<'a> {
    bytes: &'a [u8],
    context: Context,
}

impl<'a> Steps<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self { bytes, context: Context::default() }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(first.into());
        }
        let mut value = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        Some(value)
    }
}

impl Iterator for Steps<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let control = self.byte()?;
        let is_set = |bit| control & bit != 0;
        let delta =
            unzigzag(self.number()?).wrapping_mul(if is_set(WHOLE_MICROS) { 1_000 } else { 1 });
        let direction = usize::from(is_set(BACKWARD));
        let mut side = *self.context.sides.get(direction)?;
        if !is_set(SAME_IP_LEN) {
            side.ip_len = self.number()? as u32;
        }
        if !is_set(SAME_HEADER_LEN) {
            side.header_len = unzigzag(self.number()?);
        }
        if !is_set(SAME_LINK_LEN) {
            side.link_len = unzigzag(self.number()?);
        }
        if !is_set(SAME_FLAGS) {
            side.flags = self.byte()?;
        }
        let marks = if is_set(MARKED) { self.byte()? } else { 0 };
        *self.context.sides.get_mut(direction)? = side;
        self.context.nanos = self.context.nanos.wrapping_add(delta as u64);
        Some(Step {
            time: Timestamp(self.context.nanos),
            direction: if direction == 1 { Direction::Backward } else { Direction::Forward },
            frame_len: i64::from(side.ip_len).wrapping_add(side.link_len) as u32,
            ip_len: side.ip_len,
            payload_len: i64::from(side.ip_len).wrapping_sub(side.header_len) as u32,
            flags: side.flags,
            is_carrier: is_set(CARRIER),
            marks,
        })
    }
}

/// Small numbers of either sign become small numbers.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(nanos: u64, direction: Direction, ip_len: u32, flags: u8) -> Step {
        let (frame_len, payload_len) = (ip_len + 14, ip_len - 40);
        let (is_carrier, marks) = (flags == 0, if flags == 255 { 255 } else { 0 });
        Step {
            time: Timestamp(nanos),
            direction,
            frame_len,
            ip_len,
            payload_len,
            flags,
            is_carrier,
            marks,
        }
    }

    #[track_caller]
    fn check(steps: &[Step]) {
        let timeline: Timeline = steps.iter().copied().collect();
        assert_eq!(timeline.steps().collect::<Vec<_>>(), steps);
        assert_eq!(timeline.len(), steps.len() as u64);
    }

    #[test]
    fn steps_come_back_as_they_were() {
        use Direction::{Backward, Forward};
        check(&[]);
        check(&[
            step(1_700_000_000_123_456_789, Forward, 60, 2),
            step(1_700_000_000_223_456_789, Backward, 60, 18),
            step(1_700_000_000_223_456_000, Forward, 52, 16),
            step(1_600_000_000_000_000_000, Forward, 1500, 24),
            step(u64::MAX, Backward, 65_535, 255),
            step(0, Backward, 40, 0),
        ]);
    }

    #[test]
    fn the_longest_code_has_room() {
        let lens = Step {
            frame_len: 0,
            ip_len: u32::MAX,
            payload_len: 0,
            ..step(0, Direction::Forward, 40, 255)
        };
        let others = Step { frame_len: u32::MAX, ip_len: 0, payload_len: u32::MAX, ..lens };
        let far = Step { time: Timestamp(1 << 63 | 1), ..lens };
        check(&[lens, others, far, others, lens]);
    }

    #[test]
    fn a_packet_takes_about_six_bytes() {
        let steps = (0..1_000_u64).map(|it| {
            let direction = if it % 3 == 0 { Direction::Forward } else { Direction::Backward };
            step(it * 1_234_000, direction, 40 + (it as u32 * 7_919) % 1_400, 16)
        });
        let timeline: Timeline = steps.collect();
        let len = timeline.steps().bytes.len();
        assert!(len <= 6_100, "{len} bytes");
    }

    #[test]
    fn a_question_and_its_answer_take_no_memory_of_their_own() {
        let mut timeline = Timeline::default();
        timeline.push(step(1_700_000_000_123_456_000, Direction::Forward, 70, 0));
        timeline.push(step(1_700_000_000_131_072_000, Direction::Backward, 120, 0));
        assert_eq!((timeline.len(), timeline.memory_len()), (2, 0));
        assert_eq!(size_of::<Timeline>(), size_of::<Vec<u8>>());
    }
}
