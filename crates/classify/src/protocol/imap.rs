//! IMAP, by its tagged commands and untagged answers (RFC 9051), also where it goes over to TLS.

use flow::Heads;

use super::{Facts, Protocol, tls};
use crate::{
    bytes::{contains_word, starts_with_word, text},
    dialogue::{Dialogue, banner, dialogues, first_lines, is_one_of, says_plain, word},
    fact::Fact,
    needs::{tcp, tcp_in},
    ntlm,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "imap",
    group: "mail",
    title: "Internet Message Access Protocol",
    source: "RFC 9051",
    needs: tcp_in(b'A'..=b'Z').or(tcp_in(b'a'..=b'z')).or(tcp(b"0123456789._-*")),
    recognise,
};

const PORTS: &[u16] = &[143, 993];

const COMMANDS: &[&str] = &[
    "APPEND",
    "AUTHENTICATE",
    "CAPABILITY",
    "CHECK",
    "CLOSE",
    "COMPRESS",
    "COPY",
    "CREATE",
    "DELETE",
    "ENABLE",
    "EXAMINE",
    "EXPUNGE",
    "FETCH",
    "GETQUOTAROOT",
    "ID",
    "IDLE",
    "LIST",
    "LOGIN",
    "LOGOUT",
    "LSUB",
    "MOVE",
    "NAMESPACE",
    "NOOP",
    "RENAME",
    "SEARCH",
    "SELECT",
    "STARTTLS",
    "STATUS",
    "STORE",
    "SUBSCRIBE",
    "UID",
    "UNSELECT",
    "UNSUBSCRIBE",
    "XLIST",
];

fn recognise(heads: &Heads) -> Option<Facts> {
    let has_port = PORTS.iter().any(|it| heads.has_port(*it));
    let dialogue = dialogues(heads).find(|it| is_imap(it, has_port))?;
    let seen = match first_lines(dialogue.host).next() {
        Some(greeting) => format!("the IMAP answer {}", text(greeting, 100)),
        None => "IMAP commands".to_owned(),
    };
    let is_secret = |it: &[u8]| {
        let rest = it.get(word(it).len() + 1..).unwrap_or_default();
        is_one_of(word(rest), &["LOGIN"]) || says_plain(rest, &["AUTHENTICATE"])
    };
    let secret = first_lines(dialogue.user).any(is_secret).then_some("IMAP LOGIN");
    let banner = banner(dialogue.host, b"* OK");
    let mut facts =
        Facts::seen(seen).telling(Fact::ServerSoftware, banner).telling(Fact::Credentials, secret);
    tls::tell_started(dialogue.user, &mut facts);
    [dialogue.user, dialogue.host].iter().for_each(|it| ntlm::tell_coded(it, &mut facts));
    Some(facts)
}

fn is_imap(dialogue: &Dialogue, has_port: bool) -> bool {
    let asks = first_lines(dialogue.user).next().is_some_and(is_command);
    let answer = first_lines(dialogue.host).next().unwrap_or_default();
    let is_answer = [b"* OK".as_slice(), b"* PREAUTH", b"* BYE", b"* CAPABILITY"]
        .iter()
        .any(|it| starts_with_word(answer, it));
    let says_so = contains_word(answer, b"IMAP") || contains_word(answer, b"[CAPABILITY ");
    if dialogue.host.is_empty() {
        return asks;
    }
    is_answer && (asks || dialogue.user.is_empty() && (says_so || has_port))
        || asks && (answer.starts_with(b"* ") || has_port)
}

/// Whether a line is a tag of letters and digits, then a command.
fn is_command(line: &[u8]) -> bool {
    let tag = word(line);
    let rest = line.get(tag.len() + 1..).unwrap_or_default();
    let is_tag = (1..=20).contains(&tag.len())
        && tag.iter().all(|it| it.is_ascii_alphanumeric() || b"._-".contains(it))
        && (tag.iter().any(u8::is_ascii_digit) || tag == b".");
    is_tag && is_one_of(word(rest), COMMANDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, server)).is_some(), expected);
    }

    #[test]
    fn a_dialogue_tells() {
        check(b"a001 LOGIN a b\r\n", b"* OK hello\r\na001 OK\r\n", true);
        check(b"", b"* OK [CAPABILITY IMAP4rev1] ready\r\n", true);
        check(b"1 capability\r\n", b"", true);
        check(b". CAPABILITY\r\n", b"* OK hello\r\n", true);
    }

    #[test]
    fn other_dialogues_are_not_imap() {
        check(b"LOGIN a b\r\n", b"", false);
        check(b"", b"* OK\r\n", false);
        check(b"GET LIST 1\r\n", b"HTTP/1.1 200 OK\r\n", false);
    }
}
