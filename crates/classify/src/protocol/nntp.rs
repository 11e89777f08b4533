//! NNTP, by its dialogue (RFC 3977).

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{contains_word, starts_with_word, text},
    dialogue::{Dialogue, codes, dialogues, first_lines, is_one_of, word},
    fact::Fact,
    needs::tcp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "nntp",
    group: "messaging",
    title: "Network News Transfer Protocol",
    source: "RFC 3977",
    needs: tcp(b"ABCGHILMNOTXabcghilmnotx2"),
    recognise,
};

const PORT: u16 = 119;

/// Commands that no other dialogue has, some with what follows them.
const OWN: &[&str] = &[
    "ARTICLE",
    "AUTHINFO",
    "BODY",
    "CAPABILITIES",
    "CHECK",
    "GROUP",
    "HDR",
    "IHAVE",
    "LISTGROUP",
    "NEWGROUPS",
    "NEWNEWS",
    "OVER",
    "TAKETHIS",
    "XFEATURE",
    "XHDR",
    "XOVER",
    "XZVER",
];

fn recognise(heads: &Heads) -> Option<Facts> {
    let dialogue = dialogues(heads).find(|it| is_nntp(it, heads.has_port(PORT)))?;
    let seen = match first_lines(dialogue.host).next() {
        Some(greeting) => format!("the NNTP answer {}", text(greeting, 100)),
        None => "NNTP commands".to_owned(),
    };
    let is_secret = |it: &[u8]| starts_with_word(it, b"AUTHINFO PASS ");
    let secret = first_lines(dialogue.user).any(is_secret).then_some("NNTP AUTHINFO");
    Some(Facts::seen(seen).telling(Fact::Credentials, secret))
}

fn is_nntp(dialogue: &Dialogue, has_port: bool) -> bool {
    let first = first_lines(dialogue.user).next().unwrap_or_default();
    let asks = is_one_of(word(first), OWN) || first.eq_ignore_ascii_case(b"MODE READER");
    let codes = codes(dialogue.host);
    let greeting = first_lines(dialogue.host).next().unwrap_or_default();
    let greets = matches!(codes.first(), Some(200 | 201));
    let says_so =
        [b"NNTP".as_slice(), b"news", b"usenet"].iter().any(|it| contains_word(greeting, it));
    let is_quiet = dialogue.user.is_empty() || is_one_of(word(first), &["QUIT", "HELP", "LIST"]);
    asks && (!codes.is_empty() || dialogue.host.is_empty() && has_port)
        || greets && is_quiet && (says_so || has_port)
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
        check(b"AUTHINFO USER a\r\n", b"200 welcome\r\n381 more\r\n", true);
        check(b"MODE READER\r\n", b"200 welcome\r\n", true);
        check(b"", b"201 news.example InterNetNews NNRP server ready\r\n", true);
    }

    #[test]
    fn other_dialogues_are_not_nntp() {
        check(b"EHLO a\r\n", b"220 news.example ESMTP\r\n", false);
        check(b"", b"200 welcome\r\n", false);
        check(b"GET /news HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", false);
    }
}
