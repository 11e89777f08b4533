//! IRC, by how a client registers and how a server answers it (RFC 2812).

use flow::Heads;

use super::{Facts, Protocol};
use crate::dialogue::{dialogues, first_lines, is_one_of, word};

pub(super) const PROTOCOL: Protocol = Protocol { name: "irc", group: "messaging", recognise };

fn recognise(heads: &Heads) -> Option<Facts> {
    let is_irc = dialogues(heads).any(|it| registers(it.user) || answers(it.host));
    is_irc.then(|| Facts::seen("an IRC dialogue"))
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
    fn other_dialogues_are_not_irc() {
        check(b"USER me\r\nPASS x\r\n", b"220 ready\r\n", false);
        check(b"NICK me\r\n", b"", false);
        check(b"GET / HTTP/1.1\r\n", b":x\r\n", false);
    }
}
