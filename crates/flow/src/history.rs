//! What a connection went through, in the letters of Zeek's `history`: a pure function of its packets.
//!
//! Capital letters are the client's, small ones the server's, in the order in which things happened first.
//!
//! | letter | a packet |
//! |---|---|
//! | `S` | with SYN, without ACK |
//! | `H` | with SYN and ACK |
//! | `A` | with nothing but an acknowledgement |
//! | `D` | with payload |
//! | `F` | with FIN |
//! | `R` | with RST |
//! | `I` | with FIN and RST |
//! | `Q` | with SYN and FIN, or SYN and RST |
//! | `T` | whose payload was sent before |
//! | `W` | that tells the other side to stop sending |
//! | `G` | of this side is missing in the capture, as the other side's acknowledgement shows |
//! | `^` | in front: the server's packet is the first one captured |
//!
//! `A`, `D`, `I`, `Q`, `S` and `H` come once a side; `F` and `R` again where their number is another one; `T`, `W` and `G` when
//! they have happened once, ten times, a hundred times. Of UDP there are `D` and `^` only. Zeek's `C` (bad checksum: such
//! packets are in no flow, where checksums are looked at) and `X` (analysis given up: never) do not occur.

use crate::{Direction, Step, Timeline, Transport, marks, tcp::flags};

/// A history is cut here; who resets for ever may make it longer.
const MAX_LETTERS: usize = 64;

/// The history of these packets, as seen by who sends `forward`; `None` for transports without one.
pub(crate) fn of(transport: Transport, timeline: &Timeline, forward: Direction) -> Option<String> {
    if transport != Transport::TCP && transport != Transport::UDP {
        return None;
    }
    let mut history = History::default();
    for step in timeline.steps().map(|it| it.seen_from(forward)) {
        if history.letters.is_empty() && step.direction == Direction::Backward {
            history.letters.push('^');
        }
        if transport == Transport::UDP {
            history.once(step.direction, 'D');
        } else {
            history.push(&step);
        }
    }
    Some(history.letters)
}

#[derive(Default)]
struct History {
    letters: String,
    /// Which letters there are: a bit for each, by side.
    seen: [u32; 2],
    /// How often something happened that is told at powers of ten: by letter, then by side.
    counts: [[u32; 2]; 3],
}

impl History {
    fn push(&mut self, step: &Step) {
        let (direction, is_set) = (step.direction, |flag| step.flags & flag != 0);
        let is_marked = |mark| step.marks & mark != 0;
        match (is_set(flags::SYN), is_set(flags::FIN), is_set(flags::RST)) {
            (_, true, true) => self.once(direction, 'I'),
            (true, true, _) | (true, _, true) => self.once(direction, 'Q'),
            (true, _, _) => self.once(direction, if is_set(flags::ACK) { 'H' } else { 'S' }),
            (_, true, _) if is_marked(marks::RENUMBERED) => self.add(direction, 'F'),
            (_, true, _) => self.once(direction, 'F'),
            (_, _, true) if is_marked(marks::RENUMBERED) => self.add(direction, 'R'),
            (_, _, true) => self.once(direction, 'R'),
            _ if step.payload_len > 0 => self.once(direction, 'D'),
            _ if is_set(flags::ACK) => self.once(direction, 'A'),
            _ => {}
        }
        if step.marks == 0 {
            return;
        }
        let counted = [
            (marks::RESENT, direction, 'T'),
            (marks::ZERO_WINDOW, direction, 'W'),
            (marks::GAP, direction.other(), 'G'),
        ];
        for (at, (mark, direction, letter)) in counted.into_iter().enumerate() {
            let sides = self.counts.get_mut(at);
            if let Some(count) = sides.and_then(|it| it.get_mut(direction as usize))
                && is_marked(mark)
            {
                *count = count.saturating_add(1);
                if 10_u32.pow(count.ilog10()) == *count {
                    self.add(direction, letter);
                }
            }
        }
    }

    fn once(&mut self, direction: Direction, letter: char) {
        let bit = 1 << (letter as u32 & 31);
        if self.seen.get(direction as usize).is_some_and(|it| it & bit == 0) {
            self.add(direction, letter);
        }
    }

    fn add(&mut self, direction: Direction, letter: char) {
        if let Some(seen) = self.seen.get_mut(direction as usize) {
            *seen |= 1 << (letter as u32 & 31);
        }
        if self.letters.len() < MAX_LETTERS {
            self.letters.push(of_side(direction, letter));
        }
    }
}

fn of_side(direction: Direction, letter: char) -> char {
    match direction {
        Direction::Forward => letter,
        Direction::Backward => letter.to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use Direction::{Backward, Forward};
    use flags::{ACK, FIN, RST, SYN};

    use super::*;

    fn step(direction: Direction, flags: u8, payload_len: u32, marks: u8) -> Step {
        Step { direction, flags, payload_len, marks, ..Step::default() }
    }

    #[track_caller]
    fn check(transport: Transport, steps: &[Step], expected: Option<&str>) {
        let timeline: Timeline = steps.iter().copied().collect();
        assert_eq!(of(transport, &timeline, Forward).as_deref(), expected);
    }

    #[test]
    fn a_whole_connection() {
        let steps = [
            step(Forward, SYN, 0, 0),
            step(Forward, SYN, 0, 0),
            step(Backward, SYN | ACK, 0, 0),
            step(Forward, ACK, 0, 0),
            step(Forward, ACK, 9, 0),
            step(Backward, ACK, 9, 0),
            step(Backward, FIN | ACK, 9, 0),
            step(Forward, FIN | ACK, 0, 0),
            step(Backward, ACK, 0, 0),
        ];
        check(Transport::TCP, &steps, Some("ShADdfFa"));
    }

    #[test]
    fn what_the_server_said_first() {
        check(Transport::TCP, &[step(Backward, SYN | ACK, 0, 0)], Some("^h"));
        check(Transport::UDP, &[step(Backward, 0, 9, 0), step(Forward, 0, 0, 0)], Some("^dD"));
    }

    #[test]
    fn what_happens_often_is_told_at_powers_of_ten() {
        let steps = [step(Forward, ACK, 9, marks::RESENT | marks::GAP); 100];
        check(Transport::TCP, &steps, Some("DTgTgTg"));
        check(Transport::TCP, &steps[..99], Some("DTgTg"));
        check(Transport::TCP, &[step(Backward, ACK, 0, marks::ZERO_WINDOW)], Some("^aw"));
    }

    #[test]
    fn flags_that_contradict_each_other() {
        let steps = [step(Forward, SYN | FIN, 0, 0), step(Backward, FIN | RST, 0, 0)];
        check(Transport::TCP, &steps, Some("Qi"));
    }

    #[test]
    fn another_reset_is_told_up_to_a_limit() {
        let again = step(Forward, RST, 0, marks::RENUMBERED);
        check(Transport::TCP, &[step(Forward, RST, 0, 0), again, again], Some("RRR"));
        check(Transport::TCP, &[again; 1_000], Some(&"R".repeat(MAX_LETTERS)));
    }

    #[test]
    fn other_transports_have_none() {
        check(Transport::ICMP, &[step(Forward, 0, 9, 0)], None);
    }
}
