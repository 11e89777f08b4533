//! XMPP, by the stream that either side opens (RFC 6120, section 4.2).

use flow::Heads;

use super::{Facts, Protocol, tls};
use crate::{
    bytes::{contains_word, host_name},
    dialogue::dialogues,
    needs::tcp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "xmpp",
    group: "messaging",
    title: "Extensible Messaging and Presence Protocol (Jabber)",
    source: "RFC 6120",
    needs: tcp(b"\t\n\x0c\r <"),
    recognise,
};

/// How long the opening tag may be, in bytes.
const MAX_TAG_LEN: usize = 1024;

fn recognise(heads: &Heads) -> Option<Facts> {
    let dialogue = dialogues(heads).find(|it| opening(it.user).is_some())?;
    let tag = opening(dialogue.user)?;
    let mut facts = Facts {
        server_name: attribute(tag, b"to").and_then(host_name),
        ..Facts::seen("the opening of an XMPP stream")
    };
    tls::tell_started(dialogue.user, &mut facts);
    Some(facts)
}

/// The opening tag of a stream, behind the XML declaration if there is one.
fn opening(bytes: &[u8]) -> Option<&[u8]> {
    let bytes = bytes.trim_ascii_start();
    let bytes = if bytes.starts_with(b"<?xml") {
        let end = bytes.iter().position(|it| *it == b'>')?;
        bytes.get(end + 1..)?.trim_ascii_start()
    } else {
        bytes
    };
    let is_stream = bytes.starts_with(b"<stream:stream") || bytes.starts_with(b"<flash:stream");
    let end = bytes.iter().position(|it| *it == b'>').unwrap_or(bytes.len()).min(MAX_TAG_LEN);
    let tag = bytes.get(..end)?;
    (is_stream && (contains_word(tag, b"jabber:") || contains_word(tag, b"etherx.jabber.org")))
        .then_some(tag)
}

/// The value of an attribute in single or double quotes.
fn attribute<'a>(tag: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut parts = tag.split(|it| matches!(it, b'"' | b'\''));
    while let (Some(before), Some(value)) = (parts.next(), parts.next()) {
        let key = before.trim_ascii().strip_suffix(b"=").map(<[u8]>::trim_ascii_end);
        let key = key.and_then(|it| it.rsplit(u8::is_ascii_whitespace).next());
        if key == Some(name) {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, b"")).is_some(), expected);
    }

    #[test]
    fn a_stream_names_the_server() {
        let opening =
            b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='Chat.example'>";
        let facts = recognise(&Heads::tcp(opening, b"")).expect("XMPP");
        assert_eq!(facts.server_name.as_deref(), Some("chat.example"));
    }

    #[test]
    fn other_xml_is_not_xmpp() {
        check(b"<?xml version='1.0'?><message xmlns='jabber:client'>", false);
        check(b"<stream:stream xmlns='urn:other'>", false);
        check(b"<?xml", false);
    }
}
