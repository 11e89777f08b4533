//! FTP control connections, by their dialogue (RFC 959; RFC 2428 for IPv6), and the data connections they announce.

use std::net::{IpAddr, Ipv4Addr};

use flow::Heads;

use super::{Expected, Facts, Protocol, tls};
use crate::{
    bytes::{contains_word, lines, starts_with_word, text},
    dialogue::{Dialogue, banner, code, codes, dialogues, first_lines, is_one_of, word},
    fact::Fact,
    needs::tcp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ftp",
    group: "files",
    title: "File Transfer Protocol",
    source: "RFC 959, RFC 2428",
    needs: tcp(b"ACDEFHLMNOPQRSTUXacdefhlmnopqrstux123456"),
    recognise,
};

/// The port of FTP servers.
const PORT: u16 = 21;

/// Commands that other dialogues know too.
const SHARED: &[&str] = &[
    "USER", "PASS", "QUIT", "NOOP", "HELP", "STAT", "AUTH", "LIST", "RETR", "DELE", "REST", "LANG",
    "HOST",
];

/// Commands of FTP alone (IANA, FTP Commands and Extensions).
const OWN: &[&str] = &[
    "ABOR", "ACCT", "ADAT", "ALLO", "APPE", "AVBL", "CCC", "CDUP", "CLNT", "CONF", "CSID", "CWD",
    "DSIZ", "ENC", "EPRT", "EPSV", "FEAT", "LPRT", "LPSV", "MDTM", "MFMT", "MIC", "MKD", "MLSD",
    "MLST", "MODE", "NLST", "OPTS", "PASV", "PBSZ", "PORT", "PROT", "PWD", "REIN", "RMD", "RNFR",
    "RNTO", "SITE", "SIZE", "SMNT", "SPSV", "STOR", "STOU", "STRU", "SYST", "THMB", "TYPE", "XCRC",
    "XCUP", "XCWD", "XMKD", "XPWD", "XRMD",
];

fn recognise(heads: &Heads) -> Option<Facts> {
    let dialogue = dialogues(heads).find(|it| is_ftp(it, heads.has_port(PORT)))?;
    let greeting = first_lines(dialogue.host).next().filter(|it| code(it) == Some(220));
    let seen = match greeting {
        Some(greeting) => format!("the FTP greeting {}", text(greeting, 100)),
        None => "an FTP dialogue".to_owned(),
    };
    let said = |verbs: &'static [&'static str]| {
        let found = lines(dialogue.user).find(|it| is_one_of(word(it), verbs))?;
        let said = text(found.get(word(found).len() + 1..)?, 200);
        Some(said).filter(|it| !it.is_empty())
    };
    let is_anonymous = said(&["USER"])
        .is_some_and(|it| it.eq_ignore_ascii_case("anonymous") || it.eq_ignore_ascii_case("ftp"));
    let secret = said(&["PASS"]).filter(|_| !is_anonymous).map(|_| "FTP PASS");
    let mut facts = Facts::seen(seen)
        .telling(Fact::ServerSoftware, banner(dialogue.host, b"220"))
        .telling(Fact::File, said(&["RETR", "STOR"]))
        .telling(Fact::Credentials, secret);
    tls::tell_started(dialogue.user, &mut facts);
    let is_user_client = dialogue.is_user_client;
    // What a side announces is where it will itself be connected to.
    let by_user = lines(dialogue.user).filter_map(user_announcement);
    let by_host = lines(dialogue.host).filter_map(host_announcement);
    let by_user = by_user.map(|(ip, port)| Expected { is_client: is_user_client, ip, port });
    let by_host = by_host.map(|(ip, port)| Expected { is_client: !is_user_client, ip, port });
    for expected in by_user.chain(by_host) {
        if facts.expected.len() < Facts::MAX_EXPECTED && !facts.expected.contains(&expected) {
            facts.expected.push(expected);
        }
    }
    Some(facts)
}

fn is_ftp(dialogue: &Dialogue, has_port: bool) -> bool {
    let codes = codes(dialogue.host);
    let commands: Vec<&[u8]> = first_lines(dialogue.user)
        .map(word)
        .take_while(|it| is_one_of(it, SHARED) || is_one_of(it, OWN))
        .collect();
    let has_own = commands.iter().any(|it| is_one_of(it, OWN));
    let asks = !commands.is_empty();
    if dialogue.host.is_empty() {
        return has_own && (commands.len() > 1 || has_port) || asks && has_port;
    }
    if codes.is_empty() {
        return false;
    }
    let greets_with =
        |word: &[u8]| first_lines(dialogue.host).take(8).any(|it| contains_word(it, word));
    let says_so = codes.first() == Some(&220) && greets_with(b"FTP") && !greets_with(b"SMTP");
    // Replies that only FTP has: a password wanted, entered passive mode.
    let has_own_reply = codes.iter().any(|it| matches!(it, 331 | 227 | 229));
    let speaks = asks || dialogue.user.is_empty();
    let is_usual = has_port && matches!(codes.first(), Some(120 | 220 | 421 | 530));
    speaks && (has_own || says_so || has_own_reply || is_usual)
        || asks && matches!(codes.first(), Some(220 | 230 | 234 | 530))
}

/// Where the user will take a connection: `PORT h,h,h,h,p,p` or `EPRT |1|address|port|`.
fn user_announcement(line: &[u8]) -> Option<(Option<IpAddr>, u16)> {
    if starts_with_word(line, b"PORT ") {
        return six_numbers(line.get(5..)?);
    }
    if !starts_with_word(line, b"EPRT ") {
        return None;
    }
    let argument = std::str::from_utf8(line.get(5..)?).ok()?.trim();
    let mut parts = argument.split(argument.chars().next()?).skip(2);
    let ip = parts.next()?.parse().ok()?;
    let port = parts.next()?.parse().ok().filter(|it| *it != 0)?;
    Some((Some(ip), port))
}

/// Where the host will take a connection: `227 … (h,h,h,h,p,p)` or `229 … (|||port|)`.
fn host_announcement(line: &[u8]) -> Option<(Option<IpAddr>, u16)> {
    match code(line)? {
        227 => {
            // Some leave out the brackets (RFC 1123, section 4.1.2.6).
            let rest = line.get(4..)?;
            six_numbers(rest.get(rest.iter().position(u8::is_ascii_digit)?..)?)
        }
        229 => {
            let open = line.iter().position(|it| *it == b'(')?;
            let argument = std::str::from_utf8(line.get(open + 1..)?).ok()?;
            let port = argument.split(argument.chars().next()?).nth(3)?;
            Some((None, port.parse().ok().filter(|it| *it != 0)?))
        }
        _ => None,
    }
}

fn six_numbers(bytes: &[u8]) -> Option<(Option<IpAddr>, u16)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut numbers = text.trim_end_matches(|it: char| !it.is_ascii_digit()).split(',');
    let mut next = || numbers.next()?.trim().parse::<u8>().ok();
    let ip = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    let port = u16::from_be_bytes([next()?, next()?]);
    (port != 0).then_some((Some(ip.into()), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, server)).is_some(), expected);
    }

    const GREETING: &[u8] = b"220 ready\r\n331 password?\r\n230 in\r\n";

    #[test]
    fn a_dialogue_tells() {
        check(b"USER a\r\nPASS b\r\n", GREETING, true);
        check(b"", b"220-Welcome\r\nto this\r\n220 FTP server\r\n", true);
        check(b"USER a\r\nPASS b\r\nSYST\r\n", b"", true);
        check(b"PASV\r\n", b"227 Entering Passive Mode (192,0,2,1,4,1)\r\n", true);
    }

    #[test]
    fn the_port_confirms_a_short_beginning() {
        assert!(recognise(&Heads::tcp(b"USER a\r\n", b"").with_ports(50_000, 21)).is_some());
        check(b"USER a\r\n", b"", false);
    }

    #[test]
    fn data_connections_are_announced() {
        let user = b"USER a\r\nPORT 192,0,2,9,4,0\r\nEPRT |2|2001:db8::9|1025|\r\n";
        let host =
            b"220 ready\r\n227 Entering Passive Mode (192,0,2,1,4,1)\r\n229 Passive (|||5000|)\r\n";
        let facts = recognise(&Heads::tcp(user, host)).expect("FTP");
        let expected = |is_client, ip: Option<&str>, port| Expected {
            is_client,
            ip: ip.map(|it| it.parse().expect("an address")),
            port,
        };
        let all = [
            expected(true, Some("192.0.2.9"), 1024),
            expected(true, Some("2001:db8::9"), 1025),
            expected(false, Some("192.0.2.1"), 1025),
            expected(false, None, 5000),
        ];
        assert_eq!(facts.expected, all);
        // The other way round the same ends are meant.
        let swapped = recognise(&Heads::tcp(host, user)).expect("FTP");
        assert!(swapped.expected.iter().zip(&all).all(|(a, b)| a.is_client != b.is_client));
    }

    #[test]
    fn mail_is_not_ftp() {
        check(b"EHLO a\r\n", b"220 mail.example ESMTP\r\n250 hello\r\n", false);
        check(b"USER a\r\nPASS b\r\nSTAT\r\n", b"+OK\r\n+OK\r\n", false);
        check(b"", b"220 mail.example SMTP, no FTP\r\n", false);
        check(b"GET / HTTP/1.1\r\n", b"", false);
    }
}
