//! Label groups and labels as the page shows them: a letter, a colour's class, a written name.

use crate::i18n::Lang;

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
    ("alicloud", "AliCloud"),
    ("aws", "AWS"),
    ("bacnet", "BACnet"),
    ("bittorrent", "BitTorrent"),
    ("capwap", "CAPWAP"),
    ("checkmk", "Checkmk"),
    ("cisco-skinny", "Cisco Skinny"),
    ("coap", "CoAP"),
    ("controller-area-network", "Controller area network"),
    ("dcerpc", "DCE/RPC"),
    ("deepl", "DeepL"),
    ("dhcpv6", "DHCPv6"),
    ("dingtalk", "DingTalk"),
    ("dnp3", "DNP3"),
    ("dnscrypt", "DNSCrypt"),
    ("edonkey", "eDonkey"),
    ("epicgames", "Epic Games"),
    ("ethernet-ip", "EtherNet/IP"),
    ("fastcgi", "FastCGI"),
    ("gaijin-entertainment", "Gaijin Entertainment"),
    ("genshin-impact", "Genshin Impact"),
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("h323", "H.323"),
    ("hart-ip", "HART-IP"),
    ("hislip", "HiSLIP"),
    ("http2", "HTTP/2"),
    ("icloud", "iCloud"),
    ("icmpv6", "ICMPv6"),
    ("iec60870", "IEC 60870"),
    ("ipv6", "IPv6"),
    ("ipv6-nonxt", "IPv6, nothing next"),
    ("itunes", "iTunes"),
    ("json-rpc", "JSON-RPC"),
    ("knxnet-ip", "KNXnet/IP"),
    ("linkedin", "LinkedIn"),
    ("mdns", "mDNS"),
    ("mongodb", "MongoDB"),
    ("mssql-tds", "MS SQL"),
    ("mysql", "MySQL"),
    ("nat-pmp", "NAT-PMP"),
    ("netbios", "NetBIOS"),
    ("netflow", "NetFlow"),
    ("nordvpn", "NordVPN"),
    ("onc-rpc", "ONC RPC"),
    ("onedrive", "OneDrive"),
    ("opc-ua", "OPC UA"),
    ("openflow", "OpenFlow"),
    ("openvpn", "OpenVPN"),
    ("playstation", "PlayStation"),
    ("postgres", "PostgreSQL"),
    ("protonvpn", "ProtonVPN"),
    ("ptpv2", "PTPv2"),
    ("raknet", "RakNet"),
    ("rutube", "RuTube"),
    ("s7comm", "S7comm"),
    ("sd-rtn", "SD-RTN"),
    ("sflow", "sFlow"),
    ("some-ip", "SOME/IP"),
    ("soundcloud", "SoundCloud"),
    ("source-engine", "Source Engine"),
    ("starcraft", "StarCraft"),
    ("teamspeak", "TeamSpeak"),
    ("teamviewer", "TeamViewer"),
    ("tiktok", "TikTok"),
    ("tivoconnect", "TiVo"),
    ("udplite", "UDP-Lite"),
    ("websocket", "WebSocket"),
    ("whatsapp", "WhatsApp"),
    ("wireguard", "WireGuard"),
    ("youtube", "YouTube"),
    ("zeromq", "ZeroMQ"),
];

/// Labels that stay in small letters.
const SMALL: &[&str] =
    &["collectd", "finger", "gopher", "ident", "rsync", "syslog", "telnet", "whois"];

/// Labels that are abbreviations.
const ABBREVIATIONS: &[&str] = &[
    "afp", "ah", "ajp", "amqp", "atg", "bfd", "bgp", "bjnp", "cldap", "dccp", "dht", "dhcp", "dns",
    "drda", "dtls", "egp", "eigrp", "esp", "fins", "fix", "ftp", "ftps", "gre", "gtp", "hl7",
    "hopopt", "hsrp", "http", "https", "iax2", "icmp", "icq", "igmp", "ike", "imap", "imaps",
    "ipip", "ipp", "ipsec", "irc", "kcp", "l2tp", "ldap", "ldp", "lisp", "llmnr", "lpd", "mgcp",
    "mqtt", "nats", "nbns", "nfs", "nntp", "ntp", "oicq", "ospf", "pcp", "pim", "pop3", "pop3s",
    "pptp", "quic", "radius", "rdp", "rip", "rmcp", "rsvp", "rtcp", "rtmp", "rtp", "rtps", "rtsp",
    "rx", "sctp", "sip", "slp", "smb", "smpp", "smtp", "smtps", "snmp", "socks", "socks4",
    "socks5", "ssdp", "ssh", "ssl", "stun", "svn", "tcp", "tftp", "tls", "trdp", "turn", "udp",
    "uftp", "upnp", "vk", "vnc", "vpn", "vrrp", "vxlan", "wsd", "x11", "xdmcp", "xmpp",
];

/// A label as it is written: `vk` as VK, `apple music` as Apple Music.
pub fn written(label: &str, lang: Lang) -> String {
    if label == "unknown" {
        return lang.texts().unknown.to_owned();
    }
    if let Some((_, written)) = WRITTEN.iter().find(|it| it.0 == label) {
        return (*written).to_owned();
    }
    if ABBREVIATIONS.contains(&label) {
        return label.to_uppercase();
    }
    if SMALL.contains(&label) {
        return label.to_owned();
    }
    let words = label.split([' ', '-']).map(|word| {
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
        let check = |label, expected: &str| assert_eq!(written(label, Lang::En), expected);
        check("vk", "VK");
        check("youtube", "YouTube");
        check("apple music", "Apple Music");
        check("dns", "DNS");
        check("unknown", "unknown");
        check("epicgames", "Epic Games");
        assert_eq!(written("unknown", Lang::Ru), "неизвестно");
    }
}
