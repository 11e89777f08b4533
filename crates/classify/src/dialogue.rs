//! What two sides say to each other in lines: verbs of the one, numbered replies of the other.

use flow::{Heads, Transport};

use crate::bytes::{lines, text};

/// How many lines of one side are looked at to tell a dialogue.
const FEW: usize = 32;

/// A TCP flow as a dialogue, in one of its two directions: captures that begin late may have it the wrong way round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialogue<'a> {
    /// What the side said that asks.
    pub(crate) user: &'a [u8],
    /// What the side said that answers.
    pub(crate) host: &'a [u8],
    /// The user is the flow's client.
    pub(crate) is_user_client: bool,
}

/// Both directions of a TCP flow, the likelier first; none of another transport.
pub(crate) fn dialogues(heads: &Heads) -> impl Iterator<Item = Dialogue<'_>> {
    let (client, server) = (heads.client.bytes(), heads.server.bytes());
    let usual = Dialogue { user: client, host: server, is_user_client: true };
    let swapped = Dialogue { user: server, host: client, is_user_client: false };
    // Most flows are none: their first byte tells.
    let is_line =
        |it: &[u8]| matches!(it.first(), None | Some(b'\t' | b'\r' | b'\n' | b' '..=b'~'));
    let is_dialogue = heads.transport == Transport::TCP && is_line(client) && is_line(server);
    [usual, swapped].into_iter().filter(move |_| is_dialogue)
}

/// The first word of a line.
pub(crate) fn word(line: &[u8]) -> &[u8] {
    line.split(|it| *it == b' ').next().unwrap_or_default()
}

/// Whether a word is one of these, whatever the case of its letters.
pub(crate) fn is_one_of(word: &[u8], words: &[&str]) -> bool {
    words.iter().any(|it| it.as_bytes().eq_ignore_ascii_case(word))
}

/// The first lines of a side, each with a line end: the last of a cut head is left out, unless it is all there is.
pub(crate) fn first_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = bytes.iter().rposition(|it| *it == b'\n').unwrap_or(bytes.len());
    lines(bytes.get(..end).unwrap_or_default()).take(FEW)
}

/// What a host greets with behind this word: its program and often its name.
pub(crate) fn banner(host: &[u8], word: &[u8]) -> Option<String> {
    let rest = first_lines(host).next()?.strip_prefix(word)?;
    Some(text(rest.strip_prefix(b"-").unwrap_or(rest), 100)).filter(|it| !it.is_empty())
}

/// Whether a line offers a name and a password in clear (RFC 4616 and its forerunner): `AUTH PLAIN …`, `AUTH LOGIN`.
pub(crate) fn says_plain(line: &[u8], verbs: &[&str]) -> bool {
    let mut words = line.split(|it| *it == b' ');
    let is_verb = words.next().is_some_and(|it| is_one_of(it, verbs));
    is_verb && words.next().is_some_and(|it| is_one_of(it, &["PLAIN", "LOGIN"]))
}

/// The code of a reply line: three digits at its front, then a space, a hyphen or its end.
pub(crate) fn code(line: &[u8]) -> Option<u16> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    let is_reply = digits.iter().all(u8::is_ascii_digit)
        && (b'1'..=b'6').contains(digits.first()?)
        && matches!(rest.first(), None | Some(b' ' | b'-'));
    is_reply.then(|| digits.iter().fold(0, |code, it| code * 10 + u16::from(it - b'0')))
}

/// The codes of the replies a side begins with, each once however many lines it has; ends at what is no reply.
pub(crate) fn codes(bytes: &[u8]) -> Vec<u16> {
    let mut codes = Vec::new();
    let mut open = None;
    for line in first_lines(bytes) {
        match (open, code(line)) {
            // Between the first line and the last anything may be said.
            (Some(begun), code) => {
                if code == Some(begun) && line.get(3) != Some(&b'-') {
                    open = None;
                }
            }
            (None, Some(code)) => {
                codes.push(code);
                open = (line.get(3) == Some(&b'-')).then_some(code);
            }
            (None, None) => break,
        }
    }
    codes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_many_lines_counts_once() {
        assert_eq!(
            codes(b"220-Hello\r\n 331 not a reply\r\n220 there\r\n331 Name?\r\nxx"),
            [220, 331]
        );
        assert_eq!(codes(b"2200 no\r\n220 late\r\n"), [0u16; 0]);
    }
}
