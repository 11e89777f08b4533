//! What a capture holds that cannot be read, and what is odd about what can.

use crate::Error;

/// A stretch of the capture that cannot be read. Credible records follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it starts, in bytes from the start of the capture: there the record before it ended.
    pub offset: u64,
    /// How long it is, in bytes. Which frames it held is not known.
    pub skipped: u64,
    /// After how many frames of the capture.
    pub after_frames: u64,
    /// What would have been said of it, had nothing credible followed.
    pub cause: Error,
}

impl Damage {
    /// A stable name for it, the same in page, companion and command line.
    pub const CODE: &str = "E-DAMAGED";
}

/// What is odd about a capture, as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// How many stretches were skipped as damaged: exact, where [`crate::Decoder::damages`] has only the first.
    pub damages: u64,
    /// How many bytes they were.
    pub skipped: u64,
    /// Frames with an earlier time than the frame before them.
    pub out_of_order: u64,
    /// Frames of which more was captured than is said to have been on the wire. What was captured counts.
    pub overlong: u64,
}

impl Oddities {
    /// Adds those of the next file of the same capture.
    pub fn add(&mut self, next: Self) {
        self.damages += next.damages;
        self.skipped += next.skipped;
        self.out_of_order += next.out_of_order;
        self.overlong += next.overlong;
    }
}
