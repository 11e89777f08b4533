//! SMTP and LMTP, by their dialogue (RFC 5321, RFC 2033), also where it goes over to TLS (RFC 3207).

use flow::Heads;

use super::{Facts, Protocol, tls};
use crate::{
    bytes::{contains_word, host_name, starts_with_word, text},
    dialogue::{
        Dialogue, banner, code, codes, dialogues, first_lines, is_one_of, says_plain, word,
    },
    fact::Fact,
    needs::tcp,
    ntlm,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "smtp",
    group: "mail",
    title: "Simple Mail Transfer Protocol",
    source: "RFC 5321, RFC 2033",
    needs: tcp(b"EHLMRehlmr245"),
    recognise,
};

const PORTS: &[u16] = &[25, 465, 587, 2525];

fn recognise(heads: &Heads) -> Option<Facts> {
    let has_port = PORTS.iter().any(|it| heads.has_port(*it));
    let dialogue = dialogues(heads).find(|it| is_smtp(it, has_port))?;
    let greeting = first_lines(dialogue.host).next().filter(|it| code(it) == Some(220));
    let seen = match greeting {
        Some(greeting) => format!("the SMTP greeting {}", text(greeting, 100)),
        None => "an SMTP dialogue".to_owned(),
    };
    // The greeting begins with the server's name (RFC 5321, section 4.2).
    let own_name = greeting.and_then(|it| host_name(word(it.get(4..)?)));
    let is_secret = |it: &[u8]| says_plain(it, &["AUTH"]);
    let secret = first_lines(dialogue.user).any(is_secret).then_some("SMTP AUTH");
    let mut facts = Facts::seen(seen)
        .telling(Fact::ServerSoftware, banner(dialogue.host, b"220"))
        .telling(Fact::Credentials, secret);
    tls::tell_started(dialogue.user, &mut facts);
    [dialogue.user, dialogue.host].iter().for_each(|it| ntlm::tell_coded(it, &mut facts));
    facts.server_name = facts.server_name.or(own_name.filter(|it| it.contains('.')));
    Some(facts)
}

fn is_smtp(dialogue: &Dialogue, has_port: bool) -> bool {
    const GREETINGS: &[&str] = &["EHLO", "HELO", "LHLO"];
    const SHARED: &[&str] = &["RSET", "NOOP", "QUIT", "HELP", "VRFY", "EXPN", "AUTH", "STARTTLS"];

    let codes = codes(dialogue.host);
    let has_sender =
        |line: &[u8]| starts_with_word(line, b"MAIL FROM:") || starts_with_word(line, b"RCPT TO:");
    let first = first_lines(dialogue.user).next().unwrap_or_default();
    let greets = is_one_of(word(first), GREETINGS) || has_sender(first);
    if dialogue.host.is_empty() {
        return greets;
    }
    let greeting = first_lines(dialogue.host).next().unwrap_or_default();
    let says_so = codes.first() == Some(&220) && contains_word(greeting, b"SMTP");
    let speaks = greets || is_one_of(word(first), SHARED) || dialogue.user.is_empty();
    let is_usual = has_port && matches!(codes.first(), Some(220 | 250 | 421 | 521 | 554));
    // FTP says 250 only after a login.
    let answers = codes.starts_with(&[220, 250]) || codes.starts_with(&[250, 250]);
    greets && !codes.is_empty() || says_so || speaks && (is_usual || answers)
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
        check(b"EHLO me\r\n", b"220 mail.example\r\n250-hello\r\n250 SIZE\r\n", true);
        check(b"", b"220 mail.example ESMTP\r\n", true);
        check(b"HELO me\r\nMAIL FROM:<a@b>\r\n", b"", true);
        check(b"220 mail.example\r\n250 hello\r\n", b"EHLO me\r\n", true);
    }

    #[test]
    fn the_greeting_names_the_server() {
        let facts = recognise(&Heads::tcp(b"", b"220 MX.example.org ESMTP\r\n")).expect("SMTP");
        assert_eq!(facts.server_name.as_deref(), Some("mx.example.org"));
    }

    #[test]
    fn the_port_confirms_a_short_greeting() {
        let heads = || Heads::tcp(b"", b"554 no service for you\r\n");
        assert!(recognise(&heads()).is_none());
        assert!(recognise(&heads().with_ports(50_000, 25)).is_some());
    }

    #[test]
    fn other_dialogues_are_not_smtp() {
        check(b"USER a\r\n", b"220 ready\r\n331 password?\r\n", false);
        check(b"", b"220 FTP server\r\n", false);
        check(b"POST /EHLO HTTP/1.1\r\n", b"HTTP/1.1 220 ESMTP\r\n", false);
    }
}
