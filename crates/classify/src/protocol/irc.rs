//! IRC, by how a client registers and how a server answers it (RFC 2812).

use std::net::IpAddr;

use flow::Heads;

use super::{Expected, Facts, Protocol};
use crate::{
    bytes::lines,
    dialogue::{dialogues, first_lines, is_one_of, word},
    fact::Fact,
    look,
    needs::tcp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "irc",
    group: "messaging",
    title: "Internet Relay Chat",
    source: "RFC 2812",
    needs: tcp(b"ACJMNPUWacjmnpuw:"),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    let dialogue = dialogues(heads).find(|it| registers(it.user) || answers(it.host))?;
    let is_secret = |it: &[u8]| is_one_of(word(it), &["PASS"]);
    let secret = first_lines(dialogue.user).any(is_secret).then_some("IRC PASS");
    let mut facts = Facts::seen("an IRC dialogue").telling(Fact::Credentials, secret);
    // Who offers a file or a talk listens for it; what comes from the server was said by another client.
    for (bytes, is_own) in [(dialogue.user, true), (dialogue.host, false)] {
        for (ip, port) in lines(bytes).filter_map(offer) {
            let is_client = is_own == dialogue.is_user_client;
            let one = Expected { is_client, ip: Some(ip), port };
            if facts.expected.len() < Facts::MAX_EXPECTED && !facts.expected.contains(&one) {
                facts.expected.push(one);
            }
        }
    }
    Some(facts)
}

/// Where a direct connection is offered: `DCC SEND file address port`, the address as one number, or as IPv6 is written.
fn offer(line: &[u8]) -> Option<(IpAddr, u16)> {
    let at = look::find(line, b"\x01DCC ")?;
    let rest = line.get(at + 5..)?.split(|it| *it == 1).next()?;
    let words: Vec<&str> = std::str::from_utf8(rest).ok()?.split_ascii_whitespace().collect();
    // A file's name may hold spaces; its size may follow the port, and does of a file alone.
    let n_after = match *words.first()? {
        "SEND" | "TSEND" if words.len() > 4 => 1,
        "SEND" | "TSEND" | "CHAT" | "TCHAT" => 0,
        _ => return None,
    };
    let port = words.get(words.len().checked_sub(1 + n_after)?)?.parse().ok()?;
    let ip = words.get(words.len().checked_sub(2 + n_after)?)?;
    let ip = match ip.parse::<u32>() {
        Ok(number) => IpAddr::V4(number.into()),
        Err(_) => ip.parse().ok()?,
    };
    (port != 0 && !ip.is_unspecified()).then_some((ip, port))
}

/// Whether a client names itself: `NICK` and `USER` with its four parameters, or capabilities first.
fn registers(bytes: &[u8]) -> bool {
    const BEFORE: &[&str] = &[
        "PASS",
        "CAP",
        "NICK",
        "USER",
        "PROTOCTL",
        "WEBIRC",
        "AUTHENTICATE",
        "MODE",
        "JOIN",
        "PONG",
    ];
    let lines = || first_lines(bytes).take_while(|it| is_one_of(word(it), BEFORE));
    let has = |verb: &str, n_words: usize| {
        lines()
            .any(|it| is_one_of(word(it), &[verb]) && it.split(|it| *it == b' ').count() >= n_words)
    };
    has("NICK", 2) && (has("USER", 5) || has("JOIN", 2))
        || first_lines(bytes).next().is_some_and(|it| it.starts_with(b"CAP LS"))
        || first_lines(bytes).next().is_some_and(is_joined)
}

/// Whether a line speaks in a channel: `PRIVMSG #name :text` or `JOIN #name`.
fn is_joined(line: &[u8]) -> bool {
    let mut words = line.split(|it| *it == b' ');
    let verb = words.next().unwrap_or_default();
    is_one_of(verb, &["PRIVMSG", "JOIN"]) && words.next().is_some_and(|it| it.starts_with(b"#"))
}

/// Whether a server speaks: `:server NOTICE …`, `:server 001 …` and their like on each of its first lines.
fn answers(bytes: &[u8]) -> bool {
    let is_answer = |line: &[u8]| {
        let mut words = line.split(|it| *it == b' ');
        let first = words.next().unwrap_or_default();
        let second = words.next().unwrap_or_default();
        let is_numeric = second.len() == 3 && second.iter().all(u8::is_ascii_digit);
        let is_verb = is_one_of(
            second,
            &["NOTICE", "PRIVMSG", "MODE", "JOIN", "NICK", "QUIT", "PING", "CAP", "PART"],
        );
        let is_prefixed = first.len() > 1 && first.starts_with(b":") && (is_numeric || is_verb);
        is_prefixed && words.next().is_some() || line.starts_with(b"NOTICE AUTH :")
    };
    let is_other =
        |line: &[u8]| is_answer(line) || line.starts_with(b"PING ") || line.starts_with(b"ERROR :");
    let mut lines = first_lines(bytes).take(4);
    let first = lines.next().unwrap_or_default();
    is_answer(first) && lines.all(is_other)
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
        check(b"NICK me\r\nUSER me 0 * :Me\r\n", b"", true);
        check(b"CAP LS 302\r\n", b"", true);
        check(
            b"",
            b":irc.example NOTICE * :*** Looking up\r\n:irc.example 001 me :Welcome\r\n",
            true,
        );
        check(b"", b"NOTICE AUTH :*** Looking up\r\n", true);
    }

    #[test]
    fn an_offered_file_is_awaited() {
        let client =
            b"NICK me\r\nUSER me 0 * :Me\r\nPRIVMSG you :\x01DCC SEND a.txt 3221225985 5000 12\x01\r\n";
        let facts = recognise(&Heads::tcp(client, b"")).expect("IRC");
        let ip = Some(IpAddr::from([192, 0, 2, 1]));
        assert_eq!(facts.expected, [Expected { is_client: true, ip, port: 5000 }]);
        assert_eq!(offer(b":a PRIVMSG b :\x01DCC CHAT chat ::1 6\x01").map(|it| it.1), Some(6));
        assert_eq!(offer(b"PRIVMSG b :\x01DCC RESUME a 5000 7\x01"), None);
        assert_eq!(offer(b"PRIVMSG b :DCC SEND"), None);
    }

    #[test]
    fn other_dialogues_are_not_irc() {
        check(b"USER me\r\nPASS x\r\n", b"220 ready\r\n", false);
        check(b"NICK me\r\n", b"", false);
        check(b"GET / HTTP/1.1\r\n", b":x\r\n", false);
    }
}
