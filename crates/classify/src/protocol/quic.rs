//! QUIC by its long headers; the client's first packets are decrypted for the ClientHello in them.
//!
//! The keys of first packets follow from what is on the wire (RFC 9001, section 5; RFC 9369 for version 2). Google's versions
//! before the standard carry a greeting of their own.

use std::{borrow::Cow, collections::BTreeMap};

use aes::cipher::{BlockEncrypt, KeyInit, generic_array::GenericArray};
use aes_gcm::{AeadInPlace, Aes128Gcm};
use flow::{Head, Heads, Transport};
use hkdf::Hkdf;
use sha2::Sha256;

use super::{Facts, Protocol, Tie};
use crate::{
    bytes::{Reader, host_name, text},
    fact::Fact,
    hello::{self, Carrier, ClientHello},
    needs::{ANY, udp, udp_in},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "quic",
    group: "web",
    title: "QUIC",
    source: "RFC 9000, RFC 9001, RFC 9369",
    needs: udp(ANY),
    recognise,
};

/// QUIC seen from its middle, by short headers that go to one connection. They say little, so this one comes last.
pub(super) const MIDWAY: Protocol =
    Protocol { needs: udp_in(0x40..=0x7f), recognise: recognise_midway, ..PROTOCOL };

/// The port of QUIC under HTTP.
const PORT: u16 = 443;

/// How many packets of a flow are decrypted.
const MAX_PACKETS: usize = 16;
/// How long a greeting may be, in bytes; the heads hold no more.
const MAX_GREETING_LEN: usize = 64 * 1024;

/// A version whose first packets can be read: its salt, and the prefix of its key labels.
struct Keying {
    salt: [u8; 20],
    prefix: &'static str,
    /// Which type of long header is a first packet.
    initial: u8,
}

const fn salt(hex: u128, rest: u32) -> [u8; 20] {
    let (high, low) = (hex.to_be_bytes(), rest.to_be_bytes());
    let mut salt = [0; 20];
    let (left, right) = salt.split_at_mut(16);
    left.copy_from_slice(&high);
    right.copy_from_slice(&low);
    salt
}

const V1_SALT: [u8; 20] = salt(0x38762cf7f55934b34d179ae6a4c80cad, 0xccbb7f0a);
const V2_SALT: [u8; 20] = salt(0x0dede3def700a6db819381be6e269dcb, 0xf9bd2ed9);
const DRAFT_29_SALT: [u8; 20] = salt(0xafbfec289993d24c9e9786f19c6111e0, 0x4390a899);
const DRAFT_23_SALT: [u8; 20] = salt(0xc3eef712c72ebb5a11a7d2432bb46365, 0xbef9f502);
const DRAFT_22_SALT: [u8; 20] = salt(0x7fbcdb0e7c66bbe9193a96cd21519ebd, 0x7a02644a);
const Q050_SALT: [u8; 20] = salt(0x504574efd066fe2f9d945cfcdbd3a7f0, 0xd3b56b45);
const T050_SALT: [u8; 20] = salt(0x7ff579e5acd072915580304c43a2367c, 0x60488310);
const T051_SALT: [u8; 20] = salt(0x7a4edef4e7ccee5fa4506c19124fc8cc, 0xda6e033d);

/// What is known of a version by its number.
enum Version {
    /// First packets can be read.
    Readable(Keying),
    /// Google's, not encrypted at first.
    Google,
    /// A QUIC version, but how it is encrypted is not known.
    Known,
}

fn version(number: u32) -> Option<Version> {
    let readable = |salt| Version::Readable(Keying { salt, prefix: "quic", initial: 0 });
    Some(match number {
        1 | 0xff00_0021 | 0xff00_0022 => readable(V1_SALT),
        0x6b33_43cf => Version::Readable(Keying { salt: V2_SALT, prefix: "quicv2", initial: 1 }),
        0xff00_001d..=0xff00_0020 => readable(DRAFT_29_SALT),
        // Facebook numbered its own after the drafts they follow.
        0xff00_0017..=0xff00_001c | 0xface_b002 | 0xface_b011 | 0xface_b013 => {
            readable(DRAFT_23_SALT)
        }
        0xff00_0015..=0xff00_0016 | 0xface_b001 => readable(DRAFT_22_SALT),
        0xface_b003 | 0xface_b00e => readable(DRAFT_29_SALT),
        0x5130_3530 => readable(Q050_SALT),
        0x5430_3530 => readable(T050_SALT),
        0x5430_3531 => readable(T051_SALT),
        0x5130_3434..=0x5130_3438 => Version::Google,
        0xff00_0001..=0xff00_0014 | 0x5130_3439 | 0x5130_3939 => Version::Known,
        // Versions that force negotiation (RFC 9000, section 15).
        other if other & 0x0f0f_0f0f == 0x0a0a_0a0a => Version::Known,
        _ => return None,
    })
}

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::UDP {
        return None;
    }
    let mut seen = None;
    for head in [&heads.client, &heads.server] {
        if let Some(facts) = read_greeting(head) {
            return Some(tell_connection(facts, heads));
        }
        seen = seen.or_else(|| head.datagrams().take(MAX_PACKETS).find_map(long_header_kind));
        if let Some(facts) = head.datagrams().next().and_then(google_greeting) {
            return Some(facts);
        }
        if heads.has_port(PORT) && head.datagrams().next().is_some_and(is_google_rejection) {
            seen = Some("a QUIC server's answer of Google's");
        }
    }
    seen.map(|it| tell_connection(Facts::seen(it), heads))
}

/// Adds the version, and how the server wants the connection called: the client calls it so from then on, wherever it is.
fn tell_connection(mut facts: Facts, heads: &Heads) -> Facts {
    fn longs(head: &Head) -> impl Iterator<Item = LongHeader<'_>> {
        let longs = head.datagrams().take(MAX_PACKETS).filter_map(LongHeader::read);
        longs.map(|it| it.0).filter(|it| it.version != 0)
    }
    let name = longs(&heads.server).find(|it| it.source.len() >= NAME_LEN);
    name.and_then(|it| connection(it.source)).into_iter().for_each(|it| facts.tie(it));
    let shows =
        |it: &Head| it.datagrams().take(MAX_PACKETS).any(|it| long_header_kind(it).is_some());
    facts.shown = Some([&heads.client, &heads.server].map(shows));
    let version = longs(&heads.server).chain(longs(&heads.client)).next().map(|it| it.version);
    facts.telling(Fact::Version, version.map(version_name))
}

/// How many bytes of a connection's name are compared: short headers do not say how long it is.
const NAME_LEN: usize = 8;

fn connection(name: &[u8]) -> Option<Tie> {
    Some(Tie::QuicConnection(hello::hash(name.get(..NAME_LEN)?)))
}

/// A version as people write it: Google's in their letters, drafts by their numbers.
fn version_name(number: u32) -> Cow<'static, str> {
    match number {
        1 => "QUIC 1".into(),
        0x6b33_43cf => "QUIC 2".into(),
        0xff00_0000..=0xff00_00ff => format!("QUIC draft {}", number & 0xff).into(),
        _ if number.to_be_bytes().iter().all(u8::is_ascii_alphanumeric) => {
            let letters: String = number.to_be_bytes().map(char::from).iter().collect();
            format!("QUIC {letters}").into()
        }
        _ => format!("QUIC {number:#010x}").into(),
    }
}

/// What a long header says of a datagram, where it is one.
fn long_header_kind(datagram: &[u8]) -> Option<&'static str> {
    let (long, rest) = LongHeader::read(datagram)?;
    if long.version == 0 {
        let versions = rest.0.as_chunks::<4>();
        let is_list = !versions.0.is_empty() && versions.1.is_empty();
        let is_known = versions.0.iter().any(|it| version(u32::from_be_bytes(*it)).is_some());
        return (is_list && is_known).then_some("a QUIC server's list of versions");
    }
    match version(long.version)? {
        Version::Google => (long.first & 0x40 != 0).then_some("a QUIC header of Google's"),
        _ => (long.first & 0x40 != 0).then_some("a QUIC long header"),
    }
}

/// The part of a long header that all versions share (RFC 8999, section 5.1).
struct LongHeader<'a> {
    first: u8,
    version: u32,
    destination: &'a [u8],
    source: &'a [u8],
}

impl<'a> LongHeader<'a> {
    /// Reads it; the rest of the datagram comes after it.
    fn read(datagram: &'a [u8]) -> Option<(Self, Reader<'a>)> {
        let mut reader = Reader(datagram);
        let (first, version) = (reader.u8()?, reader.u32()?);
        if first & 0x80 == 0 {
            return None;
        }
        let is_nibbled = (0x5130_3434..=0x5130_3438).contains(&version);
        let (destination, source) = if is_nibbled {
            // Google's first long headers hold both lengths in one byte, each less three.
            let lens = reader.u8()?;
            let len = |nibble: u8| if nibble == 0 { 0 } else { usize::from(nibble) + 3 };
            (reader.take(len(lens >> 4))?, reader.take(len(lens & 0xf))?)
        } else {
            (reader.vec8()?, reader.vec8()?)
        };
        let is_fitting = destination.len() <= 20 && source.len() <= 20;
        is_fitting.then_some((Self { first, version, destination, source }, reader))
    }
}

/// Keys of the packets that clients send first.
struct Keys {
    aead: Aes128Gcm,
    iv: [u8; 12],
    header: aes::Aes128,
}

impl Keys {
    /// The keys that follow from the connection identifier the client chose for the server.
    fn new(keying: &Keying, destination: &[u8]) -> Option<Self> {
        let (_, initial) = Hkdf::<Sha256>::extract(Some(&keying.salt), destination);
        let mut client = [0; 32];
        expand(&initial, ["client", "in"], &mut client)?;
        let client = Hkdf::<Sha256>::from_prk(&client).ok()?;
        let (mut key, mut iv, mut header) = ([0; 16], [0; 12], [0; 16]);
        expand(&client, [keying.prefix, "key"], &mut key)?;
        expand(&client, [keying.prefix, "iv"], &mut iv)?;
        expand(&client, [keying.prefix, "hp"], &mut header)?;
        let aead = Aes128Gcm::new(GenericArray::from_slice(&key));
        Some(Self { aead, iv, header: aes::Aes128::new(GenericArray::from_slice(&header)) })
    }

    /// Decrypts a packet whose number begins at `number_at`; `packet` ends where its length says.
    fn open(&self, packet: &[u8], number_at: usize) -> Option<Vec<u8>> {
        let sample = packet.get(number_at + 4..)?.first_chunk::<16>()?;
        let mut mask = GenericArray::from(*sample);
        self.header.encrypt_block(&mut mask);
        let [mask_first, mask_number @ ..] = *mask.first_chunk::<5>()?;

        let first = *packet.first()? ^ (mask_first & 0x0f);
        let number_len = usize::from(first & 3) + 1;
        let mut header = packet.get(..number_at + number_len)?.to_vec();
        *header.first_mut()? = first;
        let mut nonce = self.iv;
        let number = header.iter_mut().skip(number_at);
        let nonce_end = nonce.iter_mut().skip(12 - number_len);
        for ((byte, mask), nonce) in number.zip(mask_number).zip(nonce_end) {
            *byte ^= mask;
            *nonce ^= *byte;
        }
        let (body, tag) = packet.get(header.len()..)?.split_last_chunk::<16>()?;
        let mut body = body.to_vec();
        let (nonce, tag) = (GenericArray::from(nonce), GenericArray::from(*tag));
        self.aead.decrypt_in_place_detached(&nonce, &header, &mut body, &tag).ok()?;
        Some(body)
    }
}

/// HKDF-Expand-Label without a context (RFC 8446, section 7.1).
fn expand(secret: &Hkdf<Sha256>, [of, what]: [&str; 2], out: &mut [u8]) -> Option<()> {
    let len = u16::try_from(out.len()).ok()?.to_be_bytes();
    let label_len = [u8::try_from(of.len() + what.len() + 7).ok()?];
    let parts: [&[u8]; 7] =
        [&len, &label_len, b"tls13 ", of.as_bytes(), b" ", what.as_bytes(), &[0]];
    secret.expand_multi_info(&parts, out).ok()
}

/// The greeting in the first packets of a side.
fn read_greeting(head: &Head) -> Option<Facts> {
    let mut stream = CryptoStream::default();
    // The client's first choice, and those of packets that it does not open (after a retry).
    let mut keys: Vec<(Vec<u8>, Keys)> = Vec::new();
    let mut is_google = false;
    let mut n_packets = 0;
    for datagram in head.datagrams() {
        let mut rest = datagram;
        while let Some((long, number_at, packet, after)) = first_packet(rest) {
            n_packets += 1;
            if n_packets > MAX_PACKETS {
                break;
            }
            rest = after;
            let Some(Version::Readable(keying)) = version(long.version) else { continue };
            if long.first >> 4 & 3 != keying.initial {
                continue;
            }
            is_google |= keying.salt == Q050_SALT;
            let mut opened = keys.iter().find_map(|(_, it)| it.open(packet, number_at));
            if opened.is_none() && !keys.iter().any(|(it, _)| it == long.destination) {
                let fresh = Keys::new(&keying, long.destination)?;
                opened = fresh.open(packet, number_at);
                keys.push((long.destination.to_vec(), fresh));
            }
            if let Some(frames) = opened {
                stream.add_frames(&frames);
            }
        }
    }
    let bytes = stream.bytes();
    if is_google {
        return google_facts(&bytes);
    }
    let mut message = Reader(&bytes);
    let (kind, len) = (message.u8()?, message.u24()?);
    let hello = (kind == 1)
        .then(|| ClientHello::read(message.take_up_to(len as usize), Carrier::Quic))??;
    let mut facts = Facts::seen(hello.sentence("QUIC"));
    hello.tell(Carrier::Quic, &mut facts);
    Some(facts)
}

/// A packet with a length at the front of a datagram: its header, where its number begins, its bytes, what follows.
fn first_packet(datagram: &[u8]) -> Option<(LongHeader<'_>, usize, &[u8], &[u8])> {
    let (long, mut reader) = LongHeader::read(datagram)?;
    let is_initial = match version(long.version)? {
        Version::Readable(keying) => long.first >> 4 & 3 == keying.initial,
        _ => return None,
    };
    if is_initial {
        let token_len = varint(&mut reader)?;
        reader.skip(usize::try_from(token_len).ok()?)?;
    }
    let len = usize::try_from(varint(&mut reader)?).ok()?;
    let number_at = datagram.len() - reader.0.len();
    // A cut packet cannot be opened: its tag stands at its end.
    let (packet, after) = datagram.split_at_checked(number_at.checked_add(len)?)?;
    Some((long, number_at, packet, after))
}

/// A number of one to eight bytes (RFC 9000, section 16).
fn varint(reader: &mut Reader) -> Option<u64> {
    let first = reader.u8()?;
    let more = reader.take((1 << (first >> 6)) - 1)?;
    Some(more.iter().fold(u64::from(first & 0x3f), |value, it| value << 8 | u64::from(*it)))
}

/// What is left behind most of the zeros at the front: a greeting is filled up with a thousand of them.
fn behind_zeros(bytes: &[u8]) -> &[u8] {
    const STEP: usize = 16;
    let steps = bytes.as_chunks::<STEP>().0;
    let n_zero = steps.iter().take_while(|it| **it == [0; STEP]).count();
    bytes.get(n_zero * STEP..).unwrap_or_default()
}

/// The bytes of CRYPTO frames by where they belong.
#[derive(Default)]
struct CryptoStream(BTreeMap<usize, Vec<u8>>);

impl CryptoStream {
    /// Adds the frames of a first packet (RFC 9000, section 19); ends at one that may not be in it.
    fn add_frames(&mut self, frames: &[u8]) -> Option<()> {
        const PADDING: u8 = 0;
        const PING: u8 = 1;
        const ACK: u8 = 2;
        const ACK_ECN: u8 = 3;
        const CRYPTO: u8 = 6;
        // In Google's last versions; what has this number in the standard is not sent in first packets.
        const GOOGLE_CRYPTO: u8 = 8;

        let mut reader = Reader(frames);
        while let Some(kind) = reader.u8() {
            match kind {
                PADDING => reader = Reader(behind_zeros(reader.0)),
                PING => {}
                ACK | ACK_ECN => {
                    varint(&mut reader)?;
                    varint(&mut reader)?;
                    let n_ranges = varint(&mut reader)?;
                    varint(&mut reader)?;
                    for _ in 0..n_ranges {
                        varint(&mut reader)?;
                        varint(&mut reader)?;
                    }
                    for _ in 0..if kind == ACK_ECN { 3 } else { 0 } {
                        varint(&mut reader)?;
                    }
                }
                CRYPTO | GOOGLE_CRYPTO => {
                    let offset = usize::try_from(varint(&mut reader)?).ok()?;
                    let len = usize::try_from(varint(&mut reader)?).ok()?;
                    let data = reader.take(len)?;
                    if offset < MAX_GREETING_LEN {
                        self.0.entry(offset).or_insert_with(|| data.to_vec());
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// The bytes from the beginning up to the first that is missing.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (&offset, data) in &self.0 {
            let Some(known) = bytes.len().checked_sub(offset) else { break };
            bytes.extend_from_slice(data.get(known..).unwrap_or_default());
        }
        bytes
    }
}

/// The greeting of Google's versions that is not encrypted: `CHLO` behind a header of at most 60 bytes.
fn google_greeting(datagram: &[u8]) -> Option<Facts> {
    let public = |bytes: &[u8]| {
        // The public header before Q044: flags, perhaps a connection identifier, the version.
        let flags = *bytes.first()?;
        let at = if flags & 0x08 != 0 { 9 } else { 1 };
        let version = bytes.get(at..at + 4)?;
        let is_google = matches!(version, [b'Q', b'0', b'0'..=b'9', b'0'..=b'9']);
        (flags & 0x80 == 0 && flags & 0x01 != 0 && is_google).then_some(())
    };
    let is_long = || {
        let (long, _) = LongHeader::read(datagram)?;
        matches!(version(long.version)?, Version::Google).then_some(())
    };
    public(datagram).or_else(is_long)?;
    let head = datagram.get(..64).unwrap_or(datagram);
    let at = head.windows(4).position(|it| it == b"CHLO");
    let facts = at.and_then(|at| google_facts(datagram.get(at..)?));
    facts.or_else(|| Some(Facts::seen("a QUIC header of Google's")))
}

/// Whether a server answers in Google's versions: `REJ` in a stream frame behind a header that names no version.
fn is_google_rejection(datagram: &[u8]) -> bool {
    let head = datagram.get(..64).unwrap_or(datagram);
    let has_tag = head.windows(4).any(|it| matches!(it, b"REJ\0" | b"SHLO"));
    has_tag && datagram.first().is_some_and(|it| it & 0x81 == 0)
}

fn recognise_midway(heads: &Heads) -> Option<Facts> {
    let heads_match = heads.transport == Transport::UDP && heads.has_port(PORT);
    let sides = [&heads.client, &heads.server];
    let is_short = |it: &[u8]| it.len() > 20 && it.first().is_some_and(|it| it & 0xc0 == 0x40);
    let are_short = sides.iter().all(|side| side.datagrams().all(is_short));
    if !heads_match || !are_short || !sides.iter().any(|it| has_one_destination(it)) {
        return None;
    }
    let mut facts = Facts::seen("QUIC short headers");
    let names = sides.into_iter().filter(|it| has_one_destination(it));
    for name in names.filter_map(|it| it.datagrams().next()?.get(1..)) {
        connection(name).into_iter().for_each(|it| facts.tie(it));
    }
    Some(facts)
}

/// Whether several datagrams of a side go to one connection: behind the first byte they name it (RFC 9000, section 17.3).
fn has_one_destination(head: &Head) -> bool {
    let mut names = head.datagrams().map(|it| it.get(1..5));
    let Some(Some(first)) = names.next() else { return false };
    let is_varied = first.windows(2).any(|it| matches!(it, [a, b] if a != b));
    let mut n_others = 0;
    let is_one = names.all(|it| {
        n_others += 1;
        it == Some(first)
    });
    is_varied && is_one && n_others >= 2
}

/// What a `CHLO` says: a table of tags and where their values end, then the values (Google's QUIC Crypto document).
fn google_facts(message: &[u8]) -> Option<Facts> {
    let mut reader = Reader(message.strip_prefix(b"CHLO")?);
    let n_tags = u16::from_le_bytes(*reader.take(2)?.first_chunk()?);
    reader.skip(2)?;
    let table = reader.take(usize::from(n_tags) * 8)?;
    let values = reader.0;
    let mut facts = Facts::default();
    let mut start = 0;
    for row in table.as_chunks::<8>().0 {
        let (tag, end) = row.split_at(4);
        let end = u32::from_le_bytes(*end.first_chunk()?) as usize;
        let value = values.get(start..end).unwrap_or_default();
        match tag {
            b"SNI\0" => facts.server_name = host_name(value),
            b"UAID" => facts.told.tell(Fact::UserAgent, &text(value, 200)),
            _ => {}
        }
        start = end;
    }
    let name = facts.server_name.as_deref().map(|it| format!(" for {it}"));
    let seen = format!("a QUIC greeting of Google's{}", name.unwrap_or_default());
    Some(Facts { seen: seen.into(), ..facts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hello::tests::body;

    const DESTINATION: [u8; 8] = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];

    /// A first packet of a client that carries these frames.
    fn packet(version_number: u32, frames: &[u8]) -> Vec<u8> {
        let Some(Version::Readable(keying)) = version(version_number) else { panic!("no salt") };
        let keys = Keys::new(&keying, &DESTINATION).expect("keys");
        let mut frames = frames.to_vec();
        frames.resize(frames.len().max(100), 0);
        let len = 1 + frames.len() + 16;
        let mut packet = vec![0xc0 | keying.initial << 4];
        packet.extend(version_number.to_be_bytes());
        packet.push(8);
        packet.extend(DESTINATION);
        packet.extend([0, 0]);
        packet.extend((0x4000 | len as u16).to_be_bytes());
        let number_at = packet.len();
        packet.push(2);
        let mut nonce = keys.iv;
        nonce[11] ^= 2;
        let nonce = GenericArray::from(nonce);
        let tag =
            keys.aead.encrypt_in_place_detached(&nonce, &packet, &mut frames).expect("sealed");
        packet.extend(frames);
        packet.extend(tag);
        let sample: [u8; 16] = packet[number_at + 4..][..16].try_into().expect("a sample");
        let mut mask = GenericArray::from(sample);
        keys.header.encrypt_block(&mut mask);
        packet[0] ^= mask[0] & 0x0f;
        packet[number_at] ^= mask[1];
        packet
    }

    /// A CRYPTO frame.
    fn crypto(offset: usize, data: &[u8]) -> Vec<u8> {
        let mut frame = vec![6];
        frame.extend((0x4000 | offset as u16).to_be_bytes());
        frame.extend((0x4000 | data.len() as u16).to_be_bytes());
        frame.extend(data);
        frame
    }

    fn greeting() -> Vec<u8> {
        let body = body("video.example");
        let mut message = (body.len() as u32).to_be_bytes().to_vec();
        message[0] = 1;
        message.extend(body);
        message
    }

    #[track_caller]
    fn check(client: &[&[u8]], expected: Option<&str>) {
        let facts = recognise(&Heads::udp(client, &[]));
        assert_eq!(facts.as_ref().map(|it| &*it.seen), expected);
    }

    #[test]
    fn the_keys_are_those_of_the_standards_example() {
        let Some(Version::Readable(keying)) = version(1) else { panic!("no salt") };
        let keys = Keys::new(&keying, &DESTINATION).expect("keys");
        // RFC 9001, appendix A.1.
        assert_eq!(
            keys.iv,
            [0xfa, 0x04, 0x4b, 0x2f, 0x42, 0xa3, 0xfd, 0x3b, 0x46, 0xfb, 0x25, 0x5c]
        );
    }

    #[test]
    fn the_greeting_is_read_in_every_version() {
        for number in [1, 0x6b33_43cf, 0xff00_001d, 0xff00_001b, 0x5430_3531] {
            let packet = packet(number, &crypto(0, &greeting()));
            check(&[&packet], Some("a QUIC greeting for video.example, offering h2"));
        }
    }

    #[test]
    fn a_greeting_in_pieces_is_put_together() {
        let greeting = greeting();
        let (one, two) = greeting.split_at(40);
        let frames = [crypto(40, two), vec![1, 0, 0], crypto(0, one)].concat();
        check(&[&packet(1, &frames)], Some("a QUIC greeting for video.example, offering h2"));
        let packets = [packet(1, &crypto(40, two)), packet(1, &crypto(0, one))];
        let facts = recognise(&Heads::udp(&[&packets[0], &packets[1]], &[])).expect("a greeting");
        assert_eq!(facts.server_name.as_deref(), Some("video.example"));
        assert!(facts.told.get(Fact::Ja4).is_some_and(|it| it.starts_with("q13d0203h2_")));
    }

    #[test]
    fn what_cannot_be_opened_is_still_quic() {
        let mut packet = packet(1, &crypto(0, &greeting()));
        packet[60] ^= 1;
        check(&[&packet], Some("a QUIC long header"));
    }

    #[test]
    fn googles_greeting_names_the_server() {
        let mut chlo = b"CHLO\x02\0\0\0PAD\0\x03\0\0\0SNI\0\x0c\0\0\0---".to_vec();
        chlo.extend(b"g.example");
        let old = [b"\x0d12345678Q043\x01".as_slice(), &[0; 12], &[0xa0, 1, 4, 0], &chlo].concat();
        check(&[&old], Some("a QUIC greeting of Google's for g.example"));
        let new = packet(0x5130_3530, &crypto(0, &chlo));
        check(&[&new], Some("a QUIC greeting of Google's for g.example"));
    }

    #[test]
    fn a_list_of_versions_is_quic() {
        check(
            &[&[0x80, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 1]],
            Some("a QUIC server's list of versions"),
        );
    }

    #[test]
    fn short_headers_to_one_connection_are_quic_at_its_port() {
        let datagrams = [1u8, 2, 3].map(|n| {
            let mut bytes = vec![0x40 | n, 9, 8, 7, 6];
            bytes.resize(40, n);
            bytes
        });
        let [a, b, c] = &datagrams;
        let heads = || Heads::udp(&[a, b, c], &[]);
        assert!(recognise_midway(&heads().with_ports(50_000, 443)).is_some());
        assert!(recognise_midway(&heads()).is_none());
        let mut other = c.clone();
        other[1] = 0;
        let mixed = Heads::udp(&[a, b, &other], &[]).with_ports(50_000, 443);
        assert!(recognise_midway(&mixed).is_none());
    }

    #[test]
    fn a_high_bit_alone_is_not_quic() {
        check(&[&[0xc0, 1, 2, 3, 4, 0, 0, 9, 9, 9]], None);
        check(&[&[0xc3, 0, 0, 0, 1, 99, 0, 9]], None);
        check(&[b"\x0d12345678QUIT"], None);
    }
}
