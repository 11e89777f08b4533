//! What a host's system may be, by what it says of itself: user agents, greetings, DHCP. A hint, shown with who said it.

use classify::Fact;

/// The facts that may say so, and whether it is the server that they are of.
pub(crate) const SAYING: &[(Fact, bool)] =
    &[(Fact::VendorClass, false), (Fact::UserAgent, false), (Fact::ServerSoftware, true)];

/// What texts hold in lower case, and the system; the first that fits counts. Seen in what programs say.
const SYSTEMS: &[(&str, &str)] = &[
    ("windows phone", "Windows Phone"),
    ("windows nt 10.0", "Windows 10/11"),
    ("windows nt 6.3", "Windows 8.1"),
    ("windows nt 6.2", "Windows 8"),
    ("windows nt 6.1", "Windows 7"),
    ("windows nt 6.0", "Windows Vista"),
    ("windows nt 5.2", "Windows XP/2003"),
    ("windows nt 5.1", "Windows XP"),
    ("openssh_for_windows", "Windows"),
    ("msft ", "Windows"),
    ("microsoft-", "Windows"),
    ("windows", "Windows"),
    ("android", "Android"),
    ("ipad", "iPadOS"),
    ("iphone", "iOS"),
    ("apple tv", "tvOS"),
    ("mac os x", "macOS"),
    ("macintosh", "macOS"),
    ("darwin/", "macOS/iOS"),
    ("cros ", "ChromeOS"),
    ("tizen", "Tizen"),
    ("webos", "webOS"),
    ("openwrt", "OpenWrt"),
    ("rosssh", "RouterOS"),
    ("mikrotik", "RouterOS"),
    ("cisco", "Cisco IOS"),
    ("raspbian", "Raspbian"),
    ("ubuntu", "Ubuntu"),
    ("debian", "Debian"),
    ("fedora", "Fedora"),
    ("centos", "CentOS"),
    ("red hat", "Red Hat"),
    ("freebsd", "FreeBSD"),
    ("openbsd", "OpenBSD"),
    ("netbsd", "NetBSD"),
    ("udhcp", "Linux (BusyBox)"),
    ("linux", "Linux"),
];

/// The system a text speaks of.
pub(crate) fn system(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    SYSTEMS.iter().find(|it| said.contains(it.0)).map(|it| it.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, expected: Option<&str>) {
        assert_eq!(system(said), expected);
    }

    #[test]
    fn programs_say_where_they_run() {
        check("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Gecko/20100101", Some("Windows 10/11"));
        check("Mozilla/5.0 (Linux; Android 13; Pixel 7)", Some("Android"));
        check("Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X)", Some("iOS"));
        check("SSH-2.0-OpenSSH_9.2p1 Debian-2", Some("Debian"));
        check("MSFT 5.0", Some("Windows"));
        check("android-dhcp-13", Some("Android"));
        check("curl/8.0", None);
    }
}
