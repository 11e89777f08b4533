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
    ("9p", "9P"),
    ("accuweather", "AccuWeather"),
    ("adb", "ADB"),
    ("alicloud", "AliCloud"),
    ("among us", "Among Us"),
    ("anydesk", "AnyDesk"),
    ("aol", "AOL"),
    ("apple", "Apple"),
    ("apple tv", "Apple TV"),
    ("appletalk", "AppleTalk"),
    ("ard", "ARD"),
    ("art-net", "Art-Net"),
    ("ask", "Ask.com"),
    ("avg", "AVG"),
    ("aws", "AWS"),
    ("bacnet", "BACnet"),
    ("bbc iplayer", "BBC iPlayer"),
    ("beckhoff-ads", "Beckhoff ADS"),
    ("bitrix24", "Bitrix24"),
    ("bittorrent", "BitTorrent"),
    ("bluejeans", "BlueJeans"),
    ("bluetooth", "Bluetooth"),
    ("c1222", "C12.22"),
    ("can", "CAN"),
    ("capwap", "CAPWAP"),
    ("cdn77", "CDN77"),
    ("chatgpt", "ChatGPT"),
    ("checkmk", "Checkmk"),
    ("chess.com", "Chess.com"),
    ("cip-io", "CIP I/O"),
    ("cisco", "Cisco"),
    ("cisco-skinny", "Cisco Skinny"),
    ("clickhouse", "ClickHouse"),
    ("cloud.mail.ru", "Cloud Mail.ru"),
    ("cnn", "CNN"),
    ("cnp-ip", "CNP/IP"),
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
    ("direct-connect", "Direct Connect"),
    ("dnp3", "DNP3"),
    ("dnscrypt", "DNSCrypt"),
    ("docsis", "DOCSIS"),
    ("doh", "DoH"),
    ("dr.web", "Dr.Web"),
    ("duckduckgo", "DuckDuckGo"),
    ("ea", "EA"),
    ("eapol", "EAPOL"),
    ("edonkey", "eDonkey"),
    ("epicgames", "Epic Games"),
    ("eset", "ESET"),
    ("espn", "ESPN"),
    ("ether-s-bus", "Ether-S-Bus"),
    ("ether-s-io", "Ether-S-I/O"),
    ("ethercat", "EtherCAT"),
    ("ethernet", "Ethernet"),
    ("ethernet-ip", "EtherNet/IP"),
    ("eve online", "EVE Online"),
    ("facetime", "FaceTime"),
    ("fastcgi", "FastCGI"),
    ("freebsd", "FreeBSD"),
    ("gadu-gadu", "Gadu-Gadu"),
    ("gaijin-entertainment", "Gaijin Entertainment"),
    ("geforce now", "GeForce Now"),
    ("genshin-impact", "Genshin Impact"),
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("globalprotect", "GlobalProtect"),
    ("gmx", "GMX"),
    ("gog", "GOG"),
    ("grpc", "gRPC"),
    ("guildwars2", "Guild Wars 2"),
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
    ("iperf3", "iPerf 3"),
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
    ("kakaotalk", "KakaoTalk"),
    ("knxnet-ip", "KNXnet/IP"),
    ("libp2p", "libp2p"),
    ("linkedin", "LinkedIn"),
    ("linux", "Linux"),
    ("livejournal", "LiveJournal"),
    ("logmein", "LogMeIn"),
    ("logmein hamachi", "LogMeIn Hamachi"),
    ("macsec", "MACsec"),
    ("mail.ru", "Mail.ru"),
    ("managesieve", "ManageSieve"),
    ("mavlink", "MAVLink"),
    ("mcafee", "McAfee"),
    ("mdns", "mDNS"),
    ("mediafire", "MediaFire"),
    ("mikrotik", "MikroTik"),
    ("mongodb", "MongoDB"),
    ("mongodb atlas", "MongoDB Atlas"),
    ("mpeg-dash", "MPEG-DASH"),
    ("mpeg-ts", "MPEG-TS"),
    ("mssql-tds", "MS SQL"),
    ("mysql", "MySQL"),
    ("nat-pmp", "NAT-PMP"),
    ("netbios", "NetBIOS"),
    ("netease music", "NetEase Music"),
    ("netflow", "NetFlow"),
    ("ngenix", "NGENIX"),
    ("niagara-fox", "Niagara Fox"),
    ("no-ip", "No-IP"),
    ("nordvpn", "NordVPN"),
    ("npm", "npm"),
    ("ntp pool", "NTP Pool"),
    ("nvidia", "NVIDIA"),
    ("nvme-tcp", "NVMe/TCP"),
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
    ("openwire", "OpenWire"),
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
    ("profinet-cm", "PROFINET CM"),
    ("protonvpn", "ProtonVPN"),
    ("proxy-protocol", "PROXY protocol"),
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
    ("rpki-rtr", "RPKI-RTR"),
    ("rtp-midi", "RTP-MIDI"),
    ("rustdesk", "RustDesk"),
    ("rutube", "RuTube"),
    ("s7comm", "S7comm"),
    ("s7comm-plus", "S7comm-plus"),
    ("sacn", "sACN"),
    ("sap", "SAP"),
    ("sap-ni", "SAP NI"),
    ("sd-rtn", "SD-RTN"),
    ("sdrtn", "SD-RTN"),
    ("second-life", "Second Life"),
    ("sendgrid", "SendGrid"),
    ("servicenow", "ServiceNow"),
    ("sflow", "sFlow"),
    ("sharefile", "ShareFile"),
    ("softether", "SoftEther"),
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
    ("tplink-shp", "TP-Link SHP"),
    ("tripadvisor", "TripAdvisor"),
    ("tunein", "TuneIn"),
    ("udplite", "UDP-Lite"),
    ("usbpcap", "USBPcap"),
    ("vk cloud", "VK Cloud"),
    ("vlc", "VLC"),
    ("vmware", "VMware"),
    ("wake-on-lan", "Wake-on-LAN"),
    ("warcraft3", "Warcraft III"),
    ("web.de", "WEB.DE"),
    ("webdav", "WebDAV"),
    ("websocket", "WebSocket"),
    ("wechat", "WeChat"),
    ("wetransfer", "WeTransfer"),
    ("whatsapp", "WhatsApp"),
    ("wireguard", "WireGuard"),
    ("wordpress", "WordPress"),
    ("world of warcraft", "World of Warcraft"),
    ("world-of-warcraft", "World of Warcraft"),
    ("youtube", "YouTube"),
    ("z3950", "Z39.50"),
    ("zdf", "ZDF"),
    ("zeromq", "ZeroMQ"),
    ("zigbee", "Zigbee"),
    ("zookeeper", "ZooKeeper"),
];

/// Labels that stay in small letters.
const SMALL: &[&str] = &[
    "collectd", "distcc", "finger", "gopher", "ident", "rexec", "rlogin", "rsh", "rsync", "syslog",
    "telnet", "whois",
];

/// Labels and words of names that are abbreviations.
const ABBREVIATIONS: &[&str] = &[
    "aarp", "ack", "afp", "ah", "ajp", "amqp", "aps", "arp", "atg", "atm", "avs", "bfcp", "bfd",
    "bgp", "bjnp", "bmp", "cdp", "cfm", "cldap", "cpha", "cvs", "dccp", "dec", "dhcp", "dht",
    "dicom", "dlep", "dlms", "dns", "drda", "dtls", "dtp", "ecp", "edp", "egd", "egp", "eigrp",
    "erf", "esp", "fcoe", "fddi", "fdp", "fins", "fix", "ftp", "ftps", "giop", "glbp", "gre",
    "gse", "gsmp", "gtp", "gvcp", "hci", "hdlc", "hl7", "hls", "hopopt", "hsrp", "http", "https",
    "iax2", "icmp", "icq", "ieee", "igmp", "ike", "ilmi", "imap", "imaps", "ip", "ipip", "ipmb",
    "ipp", "ipsec", "ipx", "irc", "is-is", "iscsi", "jdwp", "jrmi", "kcp", "l2tp", "lacp", "lan",
    "lapb", "lapd", "lat", "lcp", "ldap", "ldp", "le", "lisp", "llc", "lldp", "llmnr", "llt",
    "lltd", "lpd", "m2pa", "m2ua", "m3ua", "mac", "mgcp", "mih", "mme", "mmrp", "mms", "mndp",
    "mop", "mpd", "mpls", "mqtt", "mrp", "msnp", "mtp2", "mtp3", "mvrp", "nats", "nbd", "nbns",
    "nc-si", "nfc", "nflog", "nfs", "ngap", "nntp", "nsh", "ntp", "oam", "oicq", "oscar", "osi",
    "ospf", "pagp", "pana", "pcep", "pcp", "pfcp", "pgm", "pim", "pop3", "pop3s", "ppi", "ppp",
    "pptp", "prp", "ptp", "qnx", "quic", "radius", "rarp", "rdp", "rip", "rmcp", "roce", "rsvp",
    "rtcp", "rtmp", "rtp", "rtps", "rtsp", "rx", "s1ap", "sccp", "sctp", "sdlc", "sip", "slip",
    "slmp", "slp", "smb", "smpp", "smt", "smtp", "smtps", "sna", "snap", "snmp", "soap", "socks",
    "socks4", "socks5", "spice", "srp", "srt", "ssdp", "ssh", "ssl", "sstp", "stomp", "stp",
    "stun", "sua", "svn", "tacacs", "tcp", "tdls", "tftp", "tipc", "tls", "trdp", "trill", "turn",
    "tzsp", "udld", "udp", "uftp", "umas", "upnp", "usb", "vj", "vk", "vlan", "vnc", "vpn", "vrrp",
    "vtp", "vxlan", "wsd", "x11", "x2ap", "xdmcp", "xid", "xmpp", "xns", "ymsg",
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

/// Names of transports that are not written in capitals throughout.
const TRANSPORTS: &[(&str, &str)] = &[
    ("icmpv6", "ICMPv6"),
    ("ipip", "IP in IP"),
    ("ipv6", "IPv6"),
    ("ipv6-nonxt", "IPv6-NoNxt"),
    ("udplite", "UDP-Lite"),
];

/// A transport as it is written: `tcp` as TCP; a number stays one.
pub fn transport(name: &str) -> String {
    let own = TRANSPORTS.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
    own.unwrap_or_else(|| name.to_uppercase())
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
        assert_eq!(["tcp", "icmpv6", "99"].map(transport), ["TCP", "ICMPv6", "99"]);
    }
}
