//! The protocols known by their payload. To add one: write its file, add its two lines here.

mod bittorrent;
mod centre;
mod coap;
mod dcerpc;
mod devices;
mod dhcp;
mod dhcpv6;
mod dns;
mod dtls;
mod ftp;
mod further;
mod http;
mod http2;
mod ike;
mod imap;
mod irc;
mod kerberos;
mod ldap;
mod machines;
mod magic;
mod mqtt;
mod mysql;
mod netbios;
mod nntp;
mod ntp;
mod oncrpc;
mod openvpn;
mod pana;
mod people;
mod plants;
mod pop3;
mod postgres;
mod quic;
mod radius;
mod rdp;
mod rtcp;
mod rtp;
mod rtsp;
mod rx;
mod sctp;
mod sip;
mod skype;
mod slp;
mod smb;
mod smtp;
mod snmp;
mod socks;
mod ssh;
mod stores;
mod stun;
mod tds;
mod telnet;
mod tftp;
mod tls;
mod wireguard;
mod x509;
mod xmpp;

use std::{borrow::Cow, net::IpAddr};

use flow::{Direction, Heads};
use serde::{Deserialize, Serialize};

use crate::{
    Shown,
    fact::{Fact, Told},
    needs::{self, ANY, Needs, any},
};

/// Every protocol, in order of precedence: the first that recognises a flow names it.
///
/// Those with a fixed text or magic come first, those that only look right come last.
pub const PROTOCOLS: &[Protocol] = &[
    // Texts and magics at the front.
    ssh::PROTOCOL,
    sip::PROTOCOL,
    rtsp::PROTOCOL,
    http2::PROTOCOL,
    devices::ICECAST,
    further::SSTP,
    http::WEBSOCKET,
    http::PROTOCOL,
    xmpp::PROTOCOL,
    tls::PROTOCOL,
    dtls::PROTOCOL,
    quic::PROTOCOL,
    bittorrent::PROTOCOL,
    smb::PROTOCOL,
    rdp::PROTOCOL,
    stun::PROTOCOL,
    dhcp::PROTOCOL,
    postgres::PROTOCOL,
    mysql::PROTOCOL,
    mqtt::PROTOCOL,
    kerberos::PROTOCOL,
    magic::GNUTELLA,
    magic::EDONKEY,
    magic::WHATSAPP,
    magic::DISCORD,
    magic::ZOOM,
    magic::SD_RTN,
    magic::MUMBLE,
    magic::TEAMSPEAK,
    magic::SPOTIFY,
    magic::DROPBOX,
    magic::XIAOMI,
    magic::DINGTALK,
    magic::ALICLOUD,
    magic::SYNCTHING,
    magic::VNC,
    magic::TINC,
    magic::PPTP,
    magic::CITRIX,
    magic::X11,
    magic::RSYNC,
    magic::GIT,
    magic::SVN,
    magic::LUSTRE,
    magic::FLUTE,
    magic::TIVO,
    magic::SOURCE_ENGINE,
    magic::STEAM,
    magic::QUAKE,
    magic::RAKNET,
    magic::YOJIMBO,
    magic::NINTENDO,
    magic::STARCRAFT,
    magic::GENSHIN,
    magic::EPIC,
    magic::GAIJIN,
    magic::ZUG,
    machines::MONGODB,
    machines::ORACLE,
    machines::AMQP,
    machines::NATS,
    machines::ZEROMQ,
    machines::HL7,
    machines::FIX,
    machines::STRATUM,
    machines::BITCOIN,
    machines::MONERO,
    machines::FASTCGI,
    machines::ZABBIX,
    machines::MUNIN,
    machines::CHECKMK,
    centre::PROXY,
    centre::ISCSI,
    centre::GIOP,
    centre::STOMP,
    centre::OPENWIRE,
    centre::GEARMAN,
    centre::JRMI,
    centre::JDWP,
    centre::DICOM,
    centre::DLEP,
    centre::ROUGHTIME,
    centre::SYNCHROPHASOR,
    devices::ADB,
    devices::NOMACHINE,
    devices::DIRECT_CONNECT,
    devices::WORLD_OF_WARCRAFT,
    devices::WAKE_ON_LAN,
    devices::TUYA,
    devices::MIIO,
    further::TAILSCALE,
    further::SOFTETHER,
    people::SOULSEEK,
    people::LIBP2P,
    people::KAKAOTALK,
    people::OSCAR,
    people::MSNP,
    people::YMSG,
    people::GADU_GADU,
    people::AMONG_US,
    people::GUILD_WARS_2,
    people::DOFUS,
    people::SECOND_LIFE,
    further::CEPH,
    further::Z3950,
    further::SAP_NI,
    further::IPP,
    further::KISMET,
    stores::NBD,
    stores::NVME_TCP,
    stores::NINE_P,
    stores::BOLT,
    stores::ZOOKEEPER,
    stores::FIREBIRD,
    stores::CLICKHOUSE,
    stores::CVS,
    stores::DISTCC,
    stores::MANAGE_SIEVE,
    stores::PCEP,
    stores::ART_NET,
    stores::SACN,
    stores::RTP_MIDI,
    stores::SRT,
    stores::SPICE,
    stores::MPD,
    stores::IPERF3,
    plants::FOX,
    plants::SLMP,
    plants::S7COMM_PLUS,
    plants::ADS,
    plants::DCERPC_WITH_PROFINET,
    plants::CIP_IO,
    plants::EGD,
    plants::ETHER_S_BUS,
    plants::ETHER_S_IO,
    machines::BJNP,
    machines::WSD,
    machines::SSDP,
    machines::S7COMM,
    machines::OPC_UA,
    machines::HISLIP,
    machines::CAN,
    machines::ATG,
    machines::RTPS,
    machines::BGP,
    machines::MGCP,
    machines::MEGACO,
    machines::H323,
    machines::OOKLA,
    machines::DNSCRYPT,
    // Dialogues of lines.
    nntp::PROTOCOL,
    smtp::PROTOCOL,
    ftp::PROTOCOL,
    pop3::PROTOCOL,
    imap::PROTOCOL,
    irc::PROTOCOL,
    // Messages that have to fit as a whole.
    netbios::PROTOCOL,
    socks::SOCKS5,
    socks::SOCKS4,
    telnet::PROTOCOL,
    snmp::PROTOCOL,
    ldap::PROTOCOL,
    tds::PROTOCOL,
    ike::IKE,
    radius::PROTOCOL,
    slp::PROTOCOL,
    oncrpc::NFS,
    oncrpc::OTHER,
    dcerpc::PROTOCOL,
    tftp::PROTOCOL,
    dhcpv6::PROTOCOL,
    pana::PROTOCOL,
    dns::MDNS,
    dns::LLMNR,
    dns::PROTOCOL,
    ntp::PROTOCOL,
    // What is told by a shape that fits, or by one that its port supports.
    stores::BMP,
    stores::RPKI_RTR,
    plants::GVCP,
    plants::MAVLINK,
    plants::MODBUS_WITH_UMAS,
    plants::C1222,
    plants::CNP_IP,
    plants::ECOWITT,
    people::NANO,
    people::BFCP,
    further::PGM,
    further::GLBP,
    further::CPHA,
    people::ARMAGETRON,
    people::TOX,
    further::REMOTE_SHELL,
    further::REXEC,
    centre::MMS,
    centre::TACACS,
    centre::THRIFT,
    centre::PFCP,
    centre::DLMS,
    devices::MPEG_TS,
    devices::WECHAT,
    devices::MINECRAFT,
    devices::WARCRAFT3,
    devices::ETHEREUM,
    devices::RADMIN,
    devices::RLOGIN,
    devices::TPLINK_SHP,
    devices::UBIQUITI,
    devices::MNDP,
    magic::TELEGRAM,
    magic::OICQ,
    magic::VIBER,
    magic::TEAMVIEWER,
    magic::TEREDO,
    magic::XDMCP,
    magic::AFP,
    magic::UFTP,
    magic::RTMP,
    magic::ACTIVISION,
    machines::REDIS,
    machines::MEMCACHED,
    machines::CASSANDRA,
    machines::DRDA,
    machines::ELASTICSEARCH,
    machines::RAFT,
    machines::KAFKA,
    machines::JSON_RPC,
    machines::AJP,
    machines::COLLECTD,
    machines::SFLOW,
    machines::NETFLOW,
    machines::SYSLOG,
    machines::RMCP,
    machines::NAT_PMP,
    machines::KNX,
    machines::BACNET,
    machines::DNP3,
    machines::IEC104,
    machines::MODBUS,
    machines::ETHERNET_IP,
    machines::FINS,
    machines::HART_IP,
    machines::SOME_IP,
    machines::TRDP,
    machines::PTP,
    machines::LDP,
    machines::RIP,
    machines::HSRP,
    machines::BFD,
    machines::LISP,
    machines::CAPWAP,
    machines::GTP,
    machines::VXLAN,
    machines::GENEVE,
    machines::L2TP,
    machines::DIAMETER,
    sctp::M3UA,
    sctp::M2UA,
    sctp::M2PA,
    sctp::SUA,
    sctp::S1AP,
    sctp::X2AP,
    sctp::NGAP,
    machines::SMPP,
    machines::SKINNY,
    machines::IAX2,
    machines::OPENFLOW,
    machines::WHOIS,
    machines::IDENT,
    machines::KCP,
    coap::PROTOCOL,
    wireguard::PROTOCOL,
    openvpn::PROTOCOL,
    rtcp::PROTOCOL,
    rtp::PROTOCOL,
    rx::PROTOCOL,
    ike::ESP,
    skype::PROTOCOL,
    // What others carry too.
    tls::MIDWAY,
    quic::MIDWAY,
];

/// A protocol and how to tell it.
pub struct Protocol {
    /// Its name, which is also its label in the v1 interface.
    pub name: &'static str,
    /// The group that `/labels/list` shows it in.
    pub group: &'static str,
    /// What it is, as people write it.
    pub title: &'static str,
    /// The document its wire form is from, or [`SEEN_ON_THE_WIRE`].
    pub source: &'static str,
    /// Tells it by the first bytes of both sides.
    pub recognise: fn(&Heads) -> Option<Facts>,
    /// What a flow has to be at least for that.
    pub(crate) needs: Needs,
}

impl Protocol {
    /// The same, looked for only where this is so.
    const fn over(self, needs: Needs) -> Self {
        Self { needs, ..self }
    }
}

/// How the source of a protocol begins that has no published description.
pub const SEEN_ON_THE_WIRE: &str = "seen on the wire";

/// A form that a protocol is spoken in, where it is worth a name: a label without a row of [`PROTOCOLS`].
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its label in the v1 interface.
    pub label: &'static str,
    /// The group that `/labels/list` shows it in.
    pub group: &'static str,
    /// What it is, as people write it.
    pub title: &'static str,
    /// The document its form is from.
    pub source: &'static str,
}

/// A row for which one signature is enough.
const fn row(
    name: &'static str,
    group: &'static str,
    title: &'static str,
    source: &'static str,
    recognise: fn(&Heads) -> Option<Facts>,
) -> Protocol {
    Protocol { name, group, title, source, recognise, needs: any(ANY) }
}

/// What a payload tells besides its protocol.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// What was seen, for a reader: `an SSH identification string`. Without a full stop, in lower case.
    pub seen: Cow<'static, str>,
    /// The name the client asked for (TLS SNI, HTTP `Host`, a DNS question), in lower case.
    pub server_name: Option<String>,
    /// Further names, in lower case: those in the server's certificate, or those a resolver was asked for. Empty in a
    /// verdict.
    pub further_names: Vec<String>,
    /// What only speaks like this, where that is more than the protocol: a label.
    pub service: Option<&'static str>,
    /// All else it tells.
    pub told: Told,
    /// Which side's first bytes alone show it, the client's first; where that need not be asked again.
    pub shown: Option<[bool; 2]>,
    /// What connects the flow with others of its client's program, at most [`Facts::MAX_TIES`].
    pub ties: Vec<Tie>,
    /// Addresses that DNS answers gave, at most [`Facts::MAX_ANSWERS`].
    pub answers: Vec<Answer>,
    /// Where further flows were announced (FTP data, media of a call), at most [`Facts::MAX_EXPECTED`].
    pub expected: Vec<Expected>,
}

/// What two flows have in common that no two programs have. Numbers are hashes of what was said, the same on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tie {
    /// A TLS session that a server granted or a client takes up again (RFC 5246, section 7.4.1.3; RFC 5077; RFC 8446, section
    /// 4.2.11).
    TlsSession(u64),
    /// A QUIC connection, by how the server wants it called (RFC 9000, section 5.1).
    QuicConnection(u64),
}

/// An address record of a DNS answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The name that was asked for, whatever aliases led to the address.
    pub name: String,
    /// The address.
    pub ip: IpAddr,
}

/// A flow announced by another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The client of the announcing flow will be connected to, not its server.
    pub is_client: bool,
    /// The address said; where none was said, that of the speaker.
    pub ip: Option<IpAddr>,
    /// The port said.
    pub port: u16,
}

impl Facts {
    /// How many answers are kept of a flow.
    pub const MAX_ANSWERS: usize = 4_096;
    /// How many announcements are kept of a flow.
    pub const MAX_EXPECTED: usize = 64;
    /// How many ties are kept of a flow.
    pub const MAX_TIES: usize = 8;

    /// Nothing.
    pub(crate) const NONE: Self = Self {
        seen: Cow::Borrowed(""),
        server_name: None,
        further_names: Vec::new(),
        service: None,
        told: Told::NONE,
        shown: None,
        ties: Vec::new(),
        answers: Vec::new(),
        expected: Vec::new(),
    };

    /// Gives back what memory was kept for more.
    pub(crate) fn shrink(&mut self) {
        self.answers.shrink_to_fit();
        self.expected.shrink_to_fit();
        self.ties.shrink_to_fit();
        self.told.shrink();
        if let Some(name) = &mut self.server_name {
            name.shrink_to_fit();
        }
    }

    /// These, and what is told besides, if it is.
    pub(crate) fn telling(mut self, fact: Fact, text: Option<impl AsRef<str>>) -> Self {
        if let Some(text) = text {
            self.told.tell(fact, text.as_ref());
        }
        self
    }

    /// These, and a tie.
    pub(crate) fn tie(&mut self, tie: Tie) {
        if self.ties.len() < Self::MAX_TIES && !self.ties.contains(&tie) {
            self.ties.push(tie);
        }
    }

    /// Nothing but what was seen.
    pub(crate) fn seen(what: impl Into<Cow<'static, str>>) -> Self {
        Self { seen: what.into(), ..Self::default() }
    }
}

/// Every form that protocols of the web carry.
pub fn forms() -> impl Iterator<Item = Form> {
    http::forms().chain([http2::GRPC, plants::UMAS, plants::PROFINET_CM])
}

/// Whether what a UDP socket sent first to a peer may be of a protocol that shows only by several peers.
pub(crate) fn is_of_socket(said: &[u8]) -> bool {
    skype::is_message(said)
}

/// The protocol of each flow of a UDP socket by what it sent first to each peer, in order.
pub(crate) fn recognise_socket(said: &[&[u8]]) -> Vec<Option<&'static str>> {
    let is_skype = skype::recognise_socket(said);
    is_skype.into_iter().map(|it| it.then_some(skype::PROTOCOL.name)).collect()
}

/// What is seen where a socket's flows tell a protocol together.
pub(crate) const SEEN_OF_SOCKET: &str = skype::SEEN_OF_SOCKET;

/// The first protocol that recognises the heads.
pub(crate) fn recognise(heads: &Heads) -> Option<(&'static Protocol, Facts)> {
    if heads.client.bytes().is_empty() && heads.server.bytes().is_empty() {
        return None;
    }
    let ask = |it: &'static Protocol| Some((it, (it.recognise)(heads)?));
    debug_assert_eq!(
        needs::left_out(heads).find_map(ask).map(|it| it.0.name),
        None,
        "a row needs less than it says"
    );
    needs::rows(heads).find_map(ask)
}

/// What TLS or HTTP tells where a tunnel carries it. A tunnel in a tunnel is not looked into.
pub(crate) fn recognise_inside(heads: &Heads) -> Option<Facts> {
    (tls::PROTOCOL.recognise)(heads).or_else(|| http::read(heads))
}

/// Whose first bytes show a protocol that was recognised in both together.
pub(crate) fn shown(protocol: &Protocol, facts: &Facts, heads: &mut Heads) -> Shown {
    if heads.server.bytes().is_empty() {
        return Shown::Client;
    }
    if heads.client.bytes().is_empty() {
        return Shown::Server;
    }
    let mut alone = |from| heads.with_one_side(from, |heads| (protocol.recognise)(heads).is_some());
    let [client, server] =
        facts.shown.unwrap_or_else(|| [Direction::Forward, Direction::Backward].map(&mut alone));
    match (client, server) {
        (true, true) => Shown::Both,
        (true, false) => Shown::Client,
        (false, true) => Shown::Server,
        (false, false) => Shown::Together,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random and are the same every time (xorshift).
    struct Noise(u64);

    impl Noise {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn bytes(&mut self, len: usize, mask: u8) -> Vec<u8> {
            (0..len).map(|_| (self.next() >> 32) as u8 & mask).collect()
        }

        /// A TCP flow, or a UDP flow of three datagrams a side.
        fn heads(&mut self, len: usize, mask: u8) -> Heads {
            let (client, server) = (self.bytes(len, mask), self.bytes(len, mask));
            if self.next().is_multiple_of(2) {
                return Heads::tcp(&client, &server);
            }
            let cut = 1 + len / 3;
            let client: Vec<&[u8]> = client.chunks(cut).collect();
            let server: Vec<&[u8]> = server.chunks(cut).collect();
            Heads::udp(&client, &server)
        }
    }

    #[test]
    fn every_protocol_and_form_has_a_title_and_a_source() {
        let rows = PROTOCOLS.iter().map(|it| (it.name, it.title, it.source));
        for (name, title, source) in rows.chain(forms().map(|it| (it.label, it.title, it.source))) {
            for text in [title, source] {
                assert!(
                    text.len() > 2 && text.trim() == text && !text.ends_with('.'),
                    "{name}: {text}"
                );
            }
        }
    }

    #[test]
    fn rows_of_one_name_agree() {
        for row in PROTOCOLS {
            let first =
                PROTOCOLS.iter().find(|it| it.name == row.name).expect("it is in the table");
            let said = |it: &Protocol| (it.group, it.title, it.source);
            assert_eq!(said(row), said(first), "{}", row.name);
        }
    }

    /// `TRACTOR_NOISE=2000000` takes so many flows, half of them over TCP; at most one in 100,000 may be recognised.
    #[test]
    fn noise_is_nothing() {
        let rounds = std::env::var("TRACTOR_NOISE").ok().and_then(|it| it.parse().ok());
        let rounds = rounds.unwrap_or(20_000);
        let mut noise = Noise(0x5eed);
        let mut found = Vec::new();
        for round in 0..rounds {
            let heads = noise.heads(8 + round % 600, 0xff);
            found.extend(recognise(&heads).map(|it| (heads.transport, it.0.name)));
        }
        assert!(found.len() * 100_000 <= rounds, "of {rounds} flows {found:?}");
    }

    /// What a recogniser says of the sides is what it would say if it was asked again.
    #[test]
    fn sides_show_what_they_show_alone() {
        let question: &[u8] = b"\0\x07\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x01\0\x01";
        let answer = [&question[..2], b"\x81\x80", &question[4..]].concat();
        let noise: &[u8] = &[0x91; 60];
        let all = [
            Heads::tcp(b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
            Heads::tcp(b"GET / HTTP/1.1\r\n\r\n", noise),
            Heads::tcp(noise, b"HTTP/1.1 200 OK\r\n\r\n"),
            Heads::tcp(b"\x17\x03\x03\0\x02ab", b"\x17\x03\x03\0\x09ab"),
            Heads::udp(&[question], &[&answer]).with_ports(50_000, 53),
            Heads::udp(&[question], &[&answer]),
            Heads::udp(&[question, noise], &[noise]).with_ports(50_000, 53),
            Heads::udp(&[b"\xc0\0\0\0\x01\x08abcdefgh\0"], &[noise]),
        ];
        for mut heads in all {
            let (protocol, facts) = recognise(&heads).expect("a protocol");
            let asked = [Direction::Forward, Direction::Backward].map(|from| {
                heads.with_one_side(from, |heads| (protocol.recognise)(heads).is_some())
            });
            assert_eq!(facts.shown, Some(asked), "{}", protocol.name);
        }
    }

    #[test]
    fn no_bytes_at_any_port_make_a_recogniser_panic() {
        let mut noise = Noise(7);
        for port in 0..=u16::MAX {
            // Small numbers reach deeper into formats than noise does.
            let mask = if port % 2 == 0 { 0x07 } else { 0xff };
            let heads = noise.heads(usize::from(port) % 97, mask).with_ports(50_000, port);
            let ask = |it: &'static Protocol| Some((it.name, (it.recognise)(&heads)?));
            assert_eq!(needs::left_out(&heads).find_map(ask), None);
            needs::rows(&heads).for_each(|it| drop(ask(it)));
        }
    }
}
