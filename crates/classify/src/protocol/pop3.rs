//! POP3, by its dialogue (RFC 1939), also where it goes over to TLS (RFC 2595).

use flow::Heads;

use super::{Facts, Protocol, tls};
use crate::{
    bytes::{contains_word, text},
    dialogue::{Dialogue, banner, dialogues, first_lines, is_one_of, says_plain, word},
    fact::Fact,
    needs::tcp,
    ntlm,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "pop3",
    group: "mail",
    title: "Post Office Protocol, version 3",
    source: "RFC 1939",
    needs: tcp(b"ACDLNPQRSTUXacdlnpqrstux+-"),
    recognise,
};

const PORTS: &[u16] = &[110, 995];

const COMMANDS: &[&str] = &[
    "APOP", "AUTH", "CAPA", "DELE", "LANG", "LIST", "NOOP", "PASS", "QUIT", "RETR", "RSET", "STAT",
    "STLS", "TOP", "UIDL", "USER", "UTF8", "XTND",
];
/// Commands that no other dialogue has.
const OWN: &[&str] = &["APOP", "CAPA", "STLS", "UIDL"];

fn recognise(heads: &Heads) -> Option<Facts> {
    let has_port = PORTS.iter().any(|it| heads.has_port(*it));
    let dialogue = dialogues(heads).find(|it| is_pop3(it, has_port))?;
    let seen = match first_lines(dialogue.host).next() {
        Some(greeting) => format!("the POP3 answer {}", text(greeting, 100)),
        None => "a POP3 dialogue".to_owned(),
    };
    let is_secret = |it: &[u8]| is_one_of(word(it), &["PASS"]) || says_plain(it, &["AUTH"]);
    let secret = first_lines(dialogue.user).any(is_secret).then_some("POP3 PASS");
    let banner = banner(dialogue.host, b"+OK");
    let mut facts =
        Facts::seen(seen).telling(Fact::ServerSoftware, banner).telling(Fact::Credentials, secret);
    tls::tell_started(dialogue.user, &mut facts);
    [dialogue.user, dialogue.host].iter().for_each(|it| ntlm::tell_coded(it, &mut facts));
    Some(facts)
}

fn is_pop3(dialogue: &Dialogue, has_port: bool) -> bool {
    let commands = || first_lines(dialogue.user).map(word).take_while(|it| is_one_of(it, COMMANDS));
    let asks = commands().next().is_some();
    let has_own = commands().any(|it| is_one_of(it, OWN));
    let answer = first_lines(dialogue.host).next().unwrap_or_default();
    let answers = matches!(word(answer), b"+OK" | b"-ERR");
    if dialogue.host.is_empty() {
        return asks && (has_own || has_port);
    }
    let says_so = contains_word(answer, b"POP") || has_port;
    answers && (asks || dialogue.user.is_empty() && says_so)
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
        check(b"USER a\r\nPASS b\r\nSTAT\r\n", b"+OK ready\r\n+OK\r\n", true);
        check(b"", b"+OK POP3 server ready\r\n", true);
        check(b"CAPA\r\n", b"", true);
    }

    #[test]
    fn the_port_confirms_a_short_beginning() {
        assert!(recognise(&Heads::tcp(b"USER a\r\n", b"").with_ports(50_000, 110)).is_some());
        check(b"USER a\r\n", b"", false);
    }

    #[test]
    fn other_dialogues_are_not_pop3() {
        check(b"*1\r\n$4\r\nPING\r\n", b"+OK\r\n", false);
        check(b"USER a\r\n", b"220 ready\r\n331 password?\r\n", false);
        check(b"", b"+OK\r\n", false);
    }
}
