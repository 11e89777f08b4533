//! Label groups and labels as the page shows them: a letter, a colour's class, a written name.

/// A group's mark: the letter beside its colour, so that colour is never alone.
pub fn letter(group: &str) -> &'static str {
    match group {
        "cloud" => "C",
        "files" => "F",
        "games" => "G",
        "mail" => "@",
        "media" => "M",
        "messaging" => "I",
        "names" => "N",
        "other" => "O",
        "peer2peer" => "P",
        "social" => "S",
        "system" => "#",
        "tunnel" => "T",
        "voice" => "V",
        "web" => "W",
        _ => "?",
    }
}

/// The style sheet's class that sets a group's colour.
pub fn class(group: &str) -> &'static str {
    match group {
        "cloud" => "g-cloud",
        "files" => "g-files",
        "games" => "g-games",
        "mail" => "g-mail",
        "media" => "g-media",
        "messaging" => "g-messaging",
        "names" => "g-names",
        "other" => "g-other",
        "peer2peer" => "g-peer2peer",
        "social" => "g-social",
        "system" => "g-system",
        "tunnel" => "g-tunnel",
        "voice" => "g-voice",
        "web" => "g-web",
        _ => "g-unknown",
    }
}

/// Labels whose written form is not the word with a capital.
const WRITTEN: &[(&str, &str)] = &[
    ("aws", "AWS"),
    ("bittorrent", "BitTorrent"),
    ("dailymotion", "Dailymotion"),
    ("deepl", "DeepL"),
    ("dropbox", "Dropbox"),
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("gmail", "Gmail"),
    ("google", "Google"),
    ("icloud", "iCloud"),
    ("icq", "ICQ"),
    ("itunes", "iTunes"),
    ("jabber", "Jabber"),
    ("linkedin", "LinkedIn"),
    ("mail.ru", "Mail.ru"),
    ("mdns", "mDNS"),
    ("netbios", "NetBIOS"),
    ("netflow", "NetFlow"),
    ("nordvpn", "NordVPN"),
    ("onedrive", "OneDrive"),
    ("openvpn", "OpenVPN"),
    ("playstation", "PlayStation"),
    ("protonvpn", "ProtonVPN"),
    ("rutube", "RuTube"),
    ("socks", "SOCKS"),
    ("socks4", "SOCKS4"),
    ("socks5", "SOCKS5"),
    ("soundcloud", "SoundCloud"),
    ("teamviewer", "TeamViewer"),
    ("tiktok", "TikTok"),
    ("whatsapp", "WhatsApp"),
    ("wireguard", "WireGuard"),
    ("youtube", "YouTube"),
];

/// Labels that stay in small letters.
const SMALL: &[&str] = &["unknown", "telnet", "syslog", "rsync", "finger", "whois", "gopher"];

/// Labels that are abbreviations.
const ABBREVIATIONS: &[&str] = &[
    "ah", "amqp", "bfd", "bgp", "coap", "cldap", "dccp", "dcerpc", "dhcp", "dhcpv6", "dht", "dns",
    "dnscrypt", "dot", "doh", "dtls", "eigrp", "esp", "ftp", "ftps", "gre", "gtp", "hsrp", "http",
    "http2", "https", "iax", "icmp", "icmpv6", "igmp", "ike", "imap", "imaps", "ipp", "ipsec",
    "irc", "kcp", "l2tp", "ldap", "llmnr", "lpd", "mgcp", "mms", "mqtt", "mssql", "nat-pmp",
    "nbns", "nfs", "nntp", "ntp", "ok", "ospf", "pcp", "pim", "pop3", "pop3s", "pptp", "quic",
    "radius", "rdp", "rip", "rpc", "rsvp", "rtcp", "rtmp", "rtp", "rtsp", "sctp", "sip", "smb",
    "smpp", "smtp", "smtps", "snmp", "ssdp", "ssh", "ssl", "stun", "tacacs", "tcp", "tds", "tftp",
    "tls", "turn", "udp", "upnp", "vk", "vnc", "vpn", "vrrp", "wsd", "xdmcp", "xmpp",
];

/// A label as it is written: `vk` as VK, `apple music` as Apple Music.
pub fn written(label: &str) -> String {
    if let Some((_, written)) = WRITTEN.iter().find(|it| it.0 == label) {
        return (*written).to_owned();
    }
    if ABBREVIATIONS.contains(&label) {
        return label.to_uppercase();
    }
    if SMALL.contains(&label) {
        return label.to_owned();
    }
    let words = label.split(' ').map(|word| {
        let mut chars = word.chars();
        let first = chars.next().map(|it| it.to_uppercase().to_string()).unwrap_or_default();
        first + chars.as_str()
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_written_as_one_writes_them() {
        let check = |label, expected: &str| assert_eq!(written(label), expected);
        check("vk", "VK");
        check("youtube", "YouTube");
        check("apple music", "Apple Music");
        check("dns", "DNS");
        check("unknown", "unknown");
    }
}
