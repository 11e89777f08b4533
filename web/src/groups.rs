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
    ("2gis", "2GIS"),
    ("accuweather", "AccuWeather"),
    ("alicloud", "AliCloud"),
    ("anydesk", "AnyDesk"),
    ("aol", "AOL"),
    ("apple tv", "Apple TV"),
    ("ard", "ARD"),
    ("ask", "Ask.com"),
    ("avg", "AVG"),
    ("aws", "AWS"),
    ("bacnet", "BACnet"),
    ("bbc iplayer", "BBC iPlayer"),
    ("bitrix24", "Bitrix24"),
    ("bittorrent", "BitTorrent"),
    ("bluejeans", "BlueJeans"),
    ("capwap", "CAPWAP"),
    ("cdn77", "CDN77"),
    ("chatgpt", "ChatGPT"),
    ("checkmk", "Checkmk"),
    ("chess.com", "Chess.com"),
    ("cisco-skinny", "Cisco Skinny"),
    ("cloud.mail.ru", "Cloud Mail.ru"),
    ("cnn", "CNN"),
    ("coap", "CoAP"),
    ("cod mobile", "CoD Mobile"),
    ("controller-area-network", "Controller area network"),
    ("crowdstrike", "CrowdStrike"),
    ("curseforge", "CurseForge"),
    ("dazn", "DAZN"),
    ("dcerpc", "DCE/RPC"),
    ("deepl", "DeepL"),
    ("deepseek", "DeepSeek"),
    ("dhcpv6", "DHCPv6"),
    ("dingtalk", "DingTalk"),
    ("dnp3", "DNP3"),
    ("dnscrypt", "DNSCrypt"),
    ("dr.web", "Dr.Web"),
    ("duckduckgo", "DuckDuckGo"),
    ("ea", "EA"),
    ("edonkey", "eDonkey"),
    ("epicgames", "Epic Games"),
    ("eset", "ESET"),
    ("espn", "ESPN"),
    ("ethernet-ip", "EtherNet/IP"),
    ("eve online", "EVE Online"),
    ("facetime", "FaceTime"),
    ("fastcgi", "FastCGI"),
    ("gaijin-entertainment", "Gaijin Entertainment"),
    ("geforce now", "GeForce Now"),
    ("genshin-impact", "Genshin Impact"),
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("globalprotect", "GlobalProtect"),
    ("gmx", "GMX"),
    ("gog", "GOG"),
    ("h323", "H.323"),
    ("hart-ip", "HART-IP"),
    ("hh", "hh.ru"),
    ("hislip", "HiSLIP"),
    ("hp", "HP"),
    ("http2", "HTTP/2"),
    ("hubspot", "HubSpot"),
    ("i2p", "I2P"),
    ("icloud", "iCloud"),
    ("icmpv6", "ICMPv6"),
    ("iec60870", "IEC 60870"),
    ("iheartradio", "iHeartRadio"),
    ("imdb", "IMDb"),
    ("ipfs", "IPFS"),
    ("ipv6", "IPv6"),
    ("ipv6-nonxt", "IPv6, nothing next"),
    ("itunes", "iTunes"),
    ("ivi", "ivi"),
    ("jd", "JD"),
    ("jiocinema", "JioCinema"),
    ("jsdelivr", "jsDelivr"),
    ("json-rpc", "JSON-RPC"),
    ("knxnet-ip", "KNXnet/IP"),
    ("linkedin", "LinkedIn"),
    ("livejournal", "LiveJournal"),
    ("logmein", "LogMeIn"),
    ("logmein hamachi", "LogMeIn Hamachi"),
    ("mail.ru", "Mail.ru"),
    ("mcafee", "McAfee"),
    ("mdns", "mDNS"),
    ("mediafire", "MediaFire"),
    ("mikrotik", "MikroTik"),
    ("mongodb", "MongoDB"),
    ("mongodb atlas", "MongoDB Atlas"),
    ("mssql-tds", "MS SQL"),
    ("mysql", "MySQL"),
    ("nat-pmp", "NAT-PMP"),
    ("netbios", "NetBIOS"),
    ("netease music", "NetEase Music"),
    ("netflow", "NetFlow"),
    ("ngenix", "NGENIX"),
    ("no-ip", "No-IP"),
    ("nordvpn", "NordVPN"),
    ("npm", "npm"),
    ("ntp pool", "NTP Pool"),
    ("nvidia", "NVIDIA"),
    ("nytimes", "The New York Times"),
    ("ocs", "OCS"),
    ("office365", "Office 365"),
    ("onc-rpc", "ONC RPC"),
    ("onedrive", "OneDrive"),
    ("opc-ua", "OPC UA"),
    ("opendns", "OpenDNS"),
    ("openflow", "OpenFlow"),
    ("openstreetmap", "OpenStreetMap"),
    ("opensuse", "openSUSE"),
    ("openvpn", "OpenVPN"),
    ("openwrt", "OpenWrt"),
    ("ovh", "OVH"),
    ("owncloud", "ownCloud"),
    ("paypal", "PayPal"),
    ("pcloud", "pCloud"),
    ("playstation", "PlayStation"),
    ("pluto tv", "Pluto TV"),
    ("postgres", "PostgreSQL"),
    ("protonvpn", "ProtonVPN"),
    ("ptpv2", "PTPv2"),
    ("pubg", "PUBG"),
    ("pypi", "PyPI"),
    ("qq", "QQ"),
    ("rai", "RAI"),
    ("raknet", "RakNet"),
    ("rapidshare", "RapidShare"),
    ("rbc", "RBC"),
    ("ria", "RIA"),
    ("ringcentral", "RingCentral"),
    ("rustdesk", "RustDesk"),
    ("rutube", "RuTube"),
    ("s7comm", "S7comm"),
    ("sap", "SAP"),
    ("sd-rtn", "SD-RTN"),
    ("sdrtn", "SD-RTN"),
    ("sendgrid", "SendGrid"),
    ("servicenow", "ServiceNow"),
    ("sflow", "sFlow"),
    ("sharefile", "ShareFile"),
    ("some-ip", "SOME/IP"),
    ("soundcloud", "SoundCloud"),
    ("source-engine", "Source Engine"),
    ("sourceforge", "SourceForge"),
    ("starcraft", "StarCraft"),
    ("tamtam", "TamTam"),
    ("teamspeak", "TeamSpeak"),
    ("teamviewer", "TeamViewer"),
    ("ted", "TED"),
    ("teso online", "TESO Online"),
    ("tiktok", "TikTok"),
    ("tivoconnect", "TiVo"),
    ("tp-link", "TP-Link"),
    ("tripadvisor", "TripAdvisor"),
    ("tunein", "TuneIn"),
    ("udplite", "UDP-Lite"),
    ("vk cloud", "VK Cloud"),
    ("vlc", "VLC"),
    ("vmware", "VMware"),
    ("web.de", "WEB.DE"),
    ("webdav", "WebDAV"),
    ("websocket", "WebSocket"),
    ("wechat", "WeChat"),
    ("wetransfer", "WeTransfer"),
    ("whatsapp", "WhatsApp"),
    ("wireguard", "WireGuard"),
    ("wordpress", "WordPress"),
    ("world of warcraft", "World of Warcraft"),
    ("youtube", "YouTube"),
    ("zdf", "ZDF"),
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
