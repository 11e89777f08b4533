//! Packets with payload in, what the two sides say to each other out: turns, sizes that come again, and the first
//! packets one by one.
//!
//! Handshakes and bare acknowledgements are no part of it, so that it is the same whatever the system beneath does.

/// How many turns from the start are kept one by one.
const N_TURNS: usize = 6;
/// How many packets with payload from the start are kept one by one.
const N_SAID: usize = 12;
/// How many lengths of a side are counted one by one; those that come first.
const N_LENGTHS: usize = 16;
/// No more payload bytes make a packet small: a key pressed, a question, an acknowledgement of an application's own.
const SMALL: u32 = 128;
/// No fewer payload bytes make a packet full: there was more to send than fits in one.
const FULL: u32 = 1_024;

/// What two sides say to each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dialogue {
    /// How often the side that speaks changed, and one more; 0 where nobody speaks.
    pub n_turns: u64,
    /// The client.
    pub forward: Voice,
    /// The server.
    pub backward: Voice,
    turns: [Option<i64>; N_TURNS],
    said: [Option<Said>; N_SAID],
    n_said: usize,
    /// When the last packet with payload was, in microseconds, and whether the client sent it.
    last: Option<(i64, bool)>,
}

/// What one side says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Voice {
    /// Its packets with payload.
    pub n: u64,
    /// Those that hold no more than 128 bytes of it.
    pub n_small: u64,
    /// Those that hold no fewer than 1,024.
    pub n_full: u64,
    /// Lengths and how often each came.
    lengths: [(u32, u64); N_LENGTHS],
    /// How often each rest of a length by 16 came.
    rests: [u64; 16],
}

/// One of the first packets with payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Payload bytes; negative where the server sent it.
    pub signed_bytes: i64,
    /// Since the packet with payload before, in microseconds; 0 of the first.
    pub gap_micros: i64,
}

impl Dialogue {
    /// The next packet with payload.
    pub(crate) fn push(&mut self, is_forward: bool, payload_len: u32, micros: i64) {
        let bytes = i64::from(payload_len);
        let signed_bytes = if is_forward { bytes } else { -bytes };
        let gap_micros = self.last.map_or(0, |it| micros - it.0);
        if let Some(said) = self.said.get_mut(self.n_said) {
            *said = Some(Said { signed_bytes, gap_micros });
            self.n_said += 1;
        }
        let voice = if is_forward { &mut self.forward } else { &mut self.backward };
        voice.push(payload_len);
        if self.last.is_none_or(|it| it.1 != is_forward) {
            self.n_turns += 1;
        }
        if let Some(turn) = self.turns.get_mut(self.n_turns as usize - 1) {
            *turn = Some(turn.unwrap_or(0) + signed_bytes);
        }
        self.last = Some((micros, is_forward));
    }

    /// Payload bytes of a turn by its place, from 0; negative where the server spoke. The first six are kept.
    pub fn turn(&self, at: usize) -> Option<i64> {
        self.turns.get(at).copied().flatten()
    }

    /// A packet with payload by its place, from 0; the first twelve are kept.
    pub fn said(&self, at: usize) -> Option<Said> {
        self.said.get(at).copied().flatten()
    }
}

impl Voice {
    fn push(&mut self, payload_len: u32) {
        self.n += 1;
        self.n_small += u64::from(payload_len <= SMALL);
        self.n_full += u64::from(payload_len >= FULL);
        self.rests[payload_len as usize % 16] += 1;
        let known = self.lengths.iter_mut().find(|it| it.1 == 0 || it.0 == payload_len);
        if let Some(length) = known {
            *length = (payload_len, length.1 + 1);
        }
    }

    /// How often the length came that came most often, of the first sixteen different ones; 0 where it says nothing.
    pub fn n_of_one_length(&self) -> u64 {
        self.lengths.iter().map(|it| it.1).max().unwrap_or(0)
    }

    /// How many different lengths there are, at most sixteen are told apart.
    pub fn n_lengths(&self) -> u64 {
        self.lengths.iter().filter(|it| it.1 > 0).count() as u64
    }

    /// How often lengths came that leave the same rest by 16, which a block cipher makes of all.
    pub fn n_of_one_rest(&self) -> u64 {
        self.rests.iter().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogue(said: &[(bool, u32, i64)]) -> Dialogue {
        let mut dialogue = Dialogue::default();
        said.iter().for_each(|it| dialogue.push(it.0, it.1, it.2));
        dialogue
    }

    #[test]
    fn a_turn_lasts_until_the_other_side_speaks() {
        let it = dialogue(&[(true, 100, 5), (false, 1_400, 9), (false, 600, 10), (true, 1, 30)]);
        assert_eq!(it.n_turns, 3);
        assert_eq!([0, 1, 2, 3].map(|at| it.turn(at)), [Some(100), Some(-2_000), Some(1), None]);
        assert_eq!(it.said(1), Some(Said { signed_bytes: -1_400, gap_micros: 4 }));
        assert_eq!(it.said(4), None);
        assert_eq!((it.forward.n, it.forward.n_small, it.backward.n_full), (2, 2, 1));
    }

    #[test]
    fn what_comes_late_is_counted_and_not_kept() {
        let said: Vec<(bool, u32, i64)> = (0..40).map(|it| (it % 2 == 0, 10, it)).collect();
        let it = dialogue(&said);
        assert_eq!((it.n_turns, it.forward.n_small, it.backward.n_small), (40, 20, 20));
        assert!(it.said(11).is_some() && it.said(12).is_none());
    }

    #[test]
    fn lengths_that_come_again_are_counted() {
        let said: Vec<(bool, u32, i64)> = [20, 52, 20, 36, 21].map(|it| (true, it, 0)).to_vec();
        let it = dialogue(&said).forward;
        assert_eq!((it.n_of_one_length(), it.n_lengths(), it.n_of_one_rest()), (2, 4, 4));
        let many: Vec<(bool, u32, i64)> = (0..100).map(|it| (true, it, 0)).collect();
        assert_eq!(dialogue(&many).forward.n_lengths(), 16);
    }
}
