//! BitTorrent, by its TCP handshake (BEP 3), µTP (BEP 29), DHT (BEP 5), UDP tracker (BEP 15), HTTP tracker (BEP 3) and
//! local discovery (BEP 14), and the framing of BitTorrent Sync. An encrypted handshake shows nothing and is left out.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, be32, text},
    fact::Fact,
    look,
    needs::{ANY, tcp, udp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "bittorrent",
    group: "peer2peer",
    title: "BitTorrent",
    source: "BEP 3, BEP 5, BEP 15, BEP 29",
    needs: tcp(b"\x13BG").or(udp(ANY)),
    recognise,
};

const HANDSHAKE: &[u8] = b"\x13BitTorrent protocol";
/// What a client sends to a UDP tracker before it has a connection, and the action `connect`.
const TRACKER_CONNECT: &[u8] = b"\x00\x00\x04\x17\x27\x10\x19\x80\x00\x00\x00\x00";

fn recognise(heads: &Heads) -> Option<Facts> {
    if let Some(stream) = look::streams(heads).find(|it| it.starts_with(HANDSHAKE)) {
        return Some(handshake(stream));
    }
    if look::any_stream(heads, is_tracker_request) {
        return Some(Facts::seen("a request to a BitTorrent tracker"));
    }
    if look::any_stream(heads, is_sync) {
        return Some(Facts::seen("a message of BitTorrent Sync"));
    }
    let mut datagrams = look::datagrams(heads).take(8);
    let seen = datagrams.find_map(datagram).or_else(|| utp(heads))?;
    Some(Facts::seen(seen))
}

/// After the handshake's text come 8 bytes of flags, 20 of the torrent and 20 of the peer, whose first name its program.
fn handshake(stream: &[u8]) -> Facts {
    let program = stream.get(48..56).filter(|it| look::is_text(it)).map(|it| text(it, 8));
    let seen = match &program {
        Some(program) => format!("a BitTorrent handshake of the program {program}"),
        None => "a BitTorrent handshake".to_owned(),
    };
    Facts::seen(seen).telling(Fact::UserAgent, program)
}

fn is_tracker_request(stream: &[u8]) -> bool {
    let line = stream.split(|it| *it == b'\n').next().unwrap_or_default();
    let is_get = line.starts_with(b"GET ") && line.get(..1024).unwrap_or(line).contains(&b'?');
    is_get && look::contains(line, b"info_hash=")
}

/// A mark, how long the message is, and a dictionary, which begins with the length of its first key.
fn is_sync(stream: &[u8]) -> bool {
    let Some(rest) = stream.strip_prefix(b"BSYNC\0") else { return false };
    let is_len = be32(rest, 0).is_some_and(|it| (2..1 << 24).contains(&it));
    is_len && matches!(rest.get(4..), Some([b'd', b'0'..=b'9' | b'e', ..]))
}

fn datagram(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"BT-SEARCH * HTTP/1.1\r\n") {
        return Some("a BitTorrent local discovery");
    }
    if bytes.len() == 16 && bytes.starts_with(TRACKER_CONNECT) {
        return Some("a request to a BitTorrent tracker");
    }
    // A bencoded dictionary that begins with its first key, of one or two letters, and tells its kind under `y`.
    let is_dictionary = bytes.starts_with(b"d1:") || bytes.starts_with(b"d2:");
    let kinds: [&[u8]; 3] = [b"1:y1:q", b"1:y1:r", b"1:y1:e"];
    if is_dictionary && kinds.iter().any(|it| look::contains(bytes, it)) {
        return Some("a message of BitTorrent's distributed hash table");
    }
    look::contains(bytes.get(..60)?, HANDSHAKE).then_some("a BitTorrent handshake over µTP")
}

/// The header of a µTP packet.
struct Utp {
    kind: u8,
    connection: u16,
    /// When it was sent, in microseconds of the sender's clock.
    sent: u32,
    sequence: u16,
    delay: u32,
    acknowledged: u16,
}

/// The kind of the packet that only acknowledges.
const STATE: u8 = 2;
/// The kind of the packet that opens a connection.
const SYN: u8 = 4;

impl Utp {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let first = reader.u8()?;
        let (kind, version) = (first >> 4, first & 15);
        let mut extension = reader.u8()?;
        let connection = reader.u16()?;
        let (sent, delay, _window) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let (sequence, acknowledged) = (reader.u16()?, reader.u16()?);
        let mut n_extensions = 0;
        while extension != 0 {
            let known = extension <= 3 && n_extensions < 3;
            extension = reader.u8().filter(|_| known)?;
            reader.vec8()?;
            n_extensions += 1;
        }
        (kind <= SYN && version == 1).then_some(Self {
            kind,
            connection,
            sent,
            sequence,
            delay,
            acknowledged,
        })
    }

    /// It opens a connection: nothing was received yet, so nothing is acknowledged or measured.
    fn is_opening(&self) -> bool {
        self.kind == SYN && self.delay == 0 && self.acknowledged == 0
    }
}

/// The sides number a connection one apart; all packets of a flow must agree on that.
fn utp(heads: &Heads) -> Option<&'static str> {
    if !look::all_datagrams(heads, |it| Utp::read(it).is_some()) {
        return None;
    }
    let sides = [&heads.client, &heads.server]
        .map(|side| side.datagrams().take(4).filter_map(Utp::read).collect::<Vec<_>>());
    let all: Vec<&Utp> = sides.iter().flatten().collect();
    let lowest = all.iter().map(|it| it.connection).min()?;
    let is_one_connection = all.iter().all(|it| it.connection - lowest <= 1);
    let is_opened = all.iter().any(|it| it.is_opening());
    let is_dialogue = all.len() >= 4 && sides.iter().all(|it| !it.is_empty());
    let is_running = sides.iter().any(|it| {
        let acknowledges = it.iter().any(|it| it.kind == STATE && it.acknowledged != 0);
        let counts = it.first().map(|it| it.sequence) != it.last().map(|it| it.sequence);
        it.len() >= 3 && it.windows(2).all(is_next) && (acknowledges || counts)
    });
    (is_one_connection && (is_opened || is_dialogue || is_running)).then_some("a µTP connection")
}

/// A minute at most between two packets of a side, and few packets lost.
fn is_next(pair: &[Utp]) -> bool {
    let [one, two] = pair else { return false };
    let elapsed = two.sent.wrapping_sub(one.sent);
    one.connection == two.connection
        && (1..60_000_000).contains(&elapsed)
        && two.sequence.wrapping_sub(one.sequence) < 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(heads: &Heads, expected: bool) {
        assert_eq!(recognise(heads).is_some(), expected);
    }

    const OPENING: &[u8] = b"\x41\x00\x12\x34\x00\x01\x02\x03\0\0\0\0\x00\x38\0\0\x00\x01\x00\x00";
    const STATE: &[u8] =
        b"\x21\x00\x12\x34\x00\x01\x02\x03\0\0\x01\x02\x00\x38\0\0\x00\x07\x00\x01";

    #[test]
    fn a_handshake_names_its_program() {
        let mut bytes = HANDSHAKE.to_vec();
        bytes.extend([0; 28]);
        bytes.extend(b"-qB4500-abcdefghijkl");
        let facts = recognise(&Heads::tcp(&bytes, b"")).unwrap();
        assert_eq!(facts.told.get(Fact::UserAgent), Some("-qB4500-"));
        check(&Heads::tcp(b"\x13BitTorrent", b""), false);
    }

    #[test]
    fn a_tracker_is_asked() {
        check(&Heads::tcp(b"GET /announce?info_hash=%01&port=1 HTTP/1.1\r\n\r\n", b""), true);
        check(&Heads::tcp(b"GET /?q=info HTTP/1.1\r\nX: info_hash=\r\n", b""), false);
        check(&Heads::udp(&[b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0abcd"], &[]), true);
        check(&Heads::udp(&[b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\x01abcd"], &[]), false);
    }

    #[test]
    fn folders_are_kept_alike() {
        check(&Heads::tcp(b"BSYNC\0\0\0\0\x0ad1:m4:pinge", b""), true);
        check(&Heads::tcp(b"BSYNC\0\0\0\0\x0al1:m4:pinge", b""), false);
        check(&Heads::tcp(b"BSYNC\0\0\0\0\0d1:m4:pinge", b""), false);
    }

    #[test]
    fn the_hash_table_is_asked() {
        check(
            &Heads::udp(&[b"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"], &[]),
            true,
        );
        check(&Heads::udp(&[b"d3:foo3:bare"], &[]), false);
    }

    #[test]
    fn a_utp_connection_opens() {
        check(&Heads::udp(&[OPENING], &[]), true);
        check(&Heads::udp(&[OPENING], &[STATE]), true);
    }

    #[test]
    fn one_look_alike_is_not_utp() {
        check(&Heads::udp(&[STATE], &[]), false);
        check(&Heads::udp(&[b"\x41\x00\x12\x34"], &[]), false);
    }
}
