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

/// Labels and words of names whose written form is not the word with a capital.
const WRITTEN: &[(&str, &str)] = &[
    ("2gis", "2GIS"),
    ("6lowpan", "6LoWPAN"),
    ("accuweather", "AccuWeather"),
    ("alicloud", "AliCloud"),
    ("anydesk", "AnyDesk"),
    ("aol", "AOL"),
    ("apple", "Apple"),
    ("apple tv", "Apple TV"),
    ("appletalk", "AppleTalk"),
    ("ard", "ARD"),
    ("ask", "Ask.com"),
    ("avg", "AVG"),
    ("aws", "AWS"),
    ("bacnet", "BACnet"),
    ("bbc iplayer", "BBC iPlayer"),
    ("bitrix24", "Bitrix24"),
    ("bittorrent", "BitTorrent"),
    ("bluejeans", "BlueJeans"),
    ("bluetooth", "Bluetooth"),
    ("can", "CAN"),
    ("capwap", "CAPWAP"),
    ("cdn77", "CDN77"),
    ("chatgpt", "ChatGPT"),
    ("checkmk", "Checkmk"),
    ("chess.com", "Chess.com"),
    ("cisco", "Cisco"),
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
    ("decnet", "DECnet"),
    ("deepl", "DeepL"),
    ("deepseek", "DeepSeek"),
    ("dhcpv6", "DHCPv6"),
    ("dingtalk", "DingTalk"),
    ("dnp3", "DNP3"),
    ("dnscrypt", "DNSCrypt"),
    ("docsis", "DOCSIS"),
    ("dr.web", "Dr.Web"),
    ("duckduckgo", "DuckDuckGo"),
    ("ea", "EA"),
    ("eapol", "EAPOL"),
    ("edonkey", "eDonkey"),
    ("epicgames", "Epic Games"),
    ("eset", "ESET"),
    ("espn", "ESPN"),
    ("ethercat", "EtherCAT"),
    ("ethernet", "Ethernet"),
    ("ethernet-ip", "EtherNet/IP"),
    ("eve online", "EVE Online"),
    ("facetime", "FaceTime"),
    ("fastcgi", "FastCGI"),
    ("freebsd", "FreeBSD"),
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
    ("homeplug", "HomePlug"),
    ("hp", "HP"),
    ("http2", "HTTP/2"),
    ("hubspot", "HubSpot"),
    ("i2p", "I2P"),
    ("icloud", "iCloud"),
    ("icmpv6", "ICMPv6"),
    ("iec60870", "IEC 60870"),
    ("iheartradio", "iHeartRadio"),
    ("imdb", "IMDb"),
    ("infiniband", "InfiniBand"),
    ("ipfs", "IPFS"),
    ("ipv4", "IPv4"),
    ("ipv6", "IPv6"),
    ("ipv6-nonxt", "IPv6, nothing next"),
    ("itunes", "iTunes"),
    ("ivi", "ivi"),
    ("jd", "JD"),
    ("jiocinema", "JioCinema"),
    ("jsdelivr", "jsDelivr"),
    ("json-rpc", "JSON-RPC"),
    ("juniper", "Juniper"),
    ("knxnet-ip", "KNXnet/IP"),
    ("linkedin", "LinkedIn"),
    ("linux", "Linux"),
    ("livejournal", "LiveJournal"),
    ("logmein", "LogMeIn"),
    ("logmein hamachi", "LogMeIn Hamachi"),
    ("macsec", "MACsec"),
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
    ("pflog", "PFLOG"),
    ("playstation", "PlayStation"),
    ("pluto tv", "Pluto TV"),
    ("postgres", "PostgreSQL"),
    ("pppoe", "PPPoE"),
    ("profinet", "PROFINET"),
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
    ("usbpcap", "USBPcap"),
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
    ("zigbee", "Zigbee"),
];

/// Labels that stay in small letters.
const SMALL: &[&str] =
    &["collectd", "finger", "gopher", "ident", "rsync", "syslog", "telnet", "whois"];

/// Labels and words of names that are abbreviations.
const ABBREVIATIONS: &[&str] = &[
    "aarp", "ack", "afp", "ah", "ajp", "amqp", "aps", "arp", "atg", "atm", "avs", "bfd", "bgp",
    "bjnp", "cdp", "cfm", "cldap", "dccp", "dec", "dhcp", "dht", "dns", "drda", "dtls", "dtp",
    "ecp", "edp", "egp", "eigrp", "erf", "esp", "fcoe", "fddi", "fdp", "fins", "fix", "ftp",
    "ftps", "gre", "gse", "gsmp", "gtp", "hci", "hdlc", "hl7", "hopopt", "hsrp", "http", "https",
    "iax2", "icmp", "icq", "ieee", "igmp", "ike", "ilmi", "imap", "imaps", "ip", "ipip", "ipmb",
    "ipp", "ipsec", "ipx", "irc", "is-is", "kcp", "l2tp", "lacp", "lan", "lapb", "lapd", "lat",
    "lcp", "ldap", "ldp", "le", "lisp", "llc", "lldp", "llmnr", "llt", "lltd", "lpd", "mac",
    "mgcp", "mih", "mme", "mmrp", "mop", "mpls", "mqtt", "mrp", "mtp2", "mtp3", "mvrp", "nats",
    "nbns", "nc-si", "nfc", "nflog", "nfs", "nntp", "nsh", "ntp", "oam", "oicq", "osi", "ospf",
    "pagp", "pcp", "pim", "pop3", "pop3s", "ppi", "ppp", "pptp", "prp", "ptp", "qnx", "quic",
    "radius", "rarp", "rdp", "rip", "rmcp", "roce", "rsvp", "rtcp", "rtmp", "rtp", "rtps", "rtsp",
    "rx", "sccp", "sctp", "sdlc", "sip", "slip", "slp", "smb", "smpp", "smt", "smtp", "smtps",
    "sna", "snap", "snmp", "socks", "socks4", "socks5", "srp", "ssdp", "ssh", "ssl", "stp", "stun",
    "svn", "tcp", "tdls", "tftp", "tipc", "tls", "trdp", "trill", "turn", "tzsp", "udld", "udp",
    "uftp", "upnp", "usb", "vj", "vk", "vlan", "vnc", "vpn", "vrrp", "vtp", "vxlan", "wsd", "x11",
    "xdmcp", "xid", "xmpp", "xns",
];

/// How a word is written that is an abbreviation or has a spelling of its own.
pub fn spelling(word: &str) -> Option<String> {
    let own = WRITTEN.iter().find(|it| it.0 == word).map(|it| it.1.to_owned());
    own.or_else(|| ABBREVIATIONS.contains(&word).then(|| word.to_uppercase()))
}

/// A label as it is written: `vk` as VK, `apple music` as Apple Music.
pub fn written(label: &str, lang: Lang) -> String {
    if label == "unknown" {
        return lang.texts().unknown.to_owned();
    }
    if let Some(written) = spelling(label) {
        return written;
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
