//! Numbers, times and addresses as text, in both languages. Pure, so that it is tested natively.
//!
//! Bytes are SI (1 kB = 1,000 B), rates bit/s, times UTC. A number and its unit are held together by a no-break space.

use crate::i18n::Lang;

const NBSP: char = '\u{a0}';

/// A whole number with its thousands apart: `1,234,567`, `1 234 567`.
pub fn count(number: u64, lang: Lang) -> String {
    grouped(&number.to_string(), lang)
}

/// A number with so many digits after the point.
pub fn decimal(number: f64, digits: usize, lang: Lang) -> String {
    let text = format!("{number:.digits$}");
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("\u{2212}", rest),
        None => ("", text.as_str()),
    };
    let (whole, fraction) = text.split_once('.').map_or((text, None), |it| (it.0, Some(it.1)));
    let mut out = format!("{sign}{}", grouped(whole, lang));
    if let Some(fraction) = fraction {
        out.push(match lang {
            Lang::En => '.',
            Lang::Ru => ',',
        });
        out.push_str(fraction);
    }
    out
}

fn grouped(digits: &str, lang: Lang) -> String {
    let separator = match lang {
        Lang::En => ',',
        // Four digits stay together in Russian typesetting.
        Lang::Ru if digits.len() < 5 => return digits.to_owned(),
        Lang::Ru => NBSP,
    };
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// Three figures that count: `4.56`, `45.6`, `456`.
fn three_figures(number: f64, lang: Lang) -> String {
    let digits = match number.abs() {
        it if it < 9.995 => 2,
        it if it < 99.95 => 1,
        _ => 0,
    };
    decimal(number, digits, lang)
}

/// The value scaled to the greatest unit it reaches.
fn scaled(number: f64, units: &[&str], lang: Lang) -> String {
    let mut value = number;
    let mut units = units.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    let mut is_whole = true;
    for next in units {
        // 999.5 would be written as 1,000.
        if value < 999.5 {
            break;
        }
        (value, unit, is_whole) = (value / 1e3, next, false);
    }
    let text = if is_whole { decimal(value, 0, lang) } else { three_figures(value, lang) };
    format!("{text}{NBSP}{unit}")
}

/// A number of bytes: `46.9 MB`.
pub fn bytes(number: u64, lang: Lang) -> String {
    let units = match lang {
        Lang::En => ["B", "kB", "MB", "GB", "TB"],
        Lang::Ru => ["Б", "кБ", "МБ", "ГБ", "ТБ"],
    };
    scaled(number as f64, &units, lang)
}

/// A number of bytes to the last: `20,480 B`.
pub fn bytes_exactly(number: u64, lang: Lang) -> String {
    let unit = match lang {
        Lang::En => "B",
        Lang::Ru => "Б",
    };
    format!("{}{NBSP}{unit}", count(number, lang))
}

/// Bytes a second: `213 MB/s`.
pub fn bytes_per_second(rate: f64, lang: Lang) -> String {
    let unit = match lang {
        Lang::En => "s",
        Lang::Ru => "с",
    };
    format!("{}/{unit}", bytes(rate.max(0.0) as u64, lang))
}

/// A rate of traffic, from bytes a second: `9.4 Mbit/s`.
pub fn bits_per_second(bytes_per_second: f64, lang: Lang) -> String {
    let units = match lang {
        Lang::En => ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"],
        Lang::Ru => ["бит/с", "кбит/с", "Мбит/с", "Гбит/с", "Тбит/с"],
    };
    scaled(bytes_per_second * 8.0, &units, lang)
}

/// A part of a whole: `96.2 %`. Never rounded up to all or down to nothing.
pub fn percent(part: u64, whole: u64, lang: Lang) -> String {
    let (part, whole) = (part.min(whole), whole.max(1));
    let share = part as f64 * 100.0 / whole as f64;
    let text = match share {
        it if part == 0 || part == whole => decimal(it, 0, lang),
        it if it > 99.9 => format!("> {}", decimal(99.9, 1, lang)),
        it if it < 0.1 => format!("< {}", decimal(0.1, 1, lang)),
        it => decimal(it, 1, lang),
    };
    format!("{text}{NBSP}%")
}

/// A length of time, from nanoseconds: `850 µs`, `12.3 ms`, `4.56 s`, `2 min 03 s`, `1 h 05 min`.
pub fn duration(nanos: u64, lang: Lang) -> String {
    let [ns, us, ms, s, min, h, d] = match lang {
        Lang::En => ["ns", "µs", "ms", "s", "min", "h", "d"],
        Lang::Ru => ["нс", "мкс", "мс", "с", "мин", "ч", "д"],
    };
    let whole_seconds = (nanos + 500_000_000) / 1_000_000_000;
    let two = |great: u64, great_unit: &str, small: u64, small_unit: &str| {
        format!("{great}{NBSP}{great_unit}{NBSP}{small:02}{NBSP}{small_unit}")
    };
    match nanos {
        0 => format!("0{NBSP}{s}"),
        1..1_000 => format!("{nanos}{NBSP}{ns}"),
        1_000..999_500 => format!("{}{NBSP}{us}", three_figures(nanos as f64 / 1e3, lang)),
        999_500..999_500_000 => format!("{}{NBSP}{ms}", three_figures(nanos as f64 / 1e6, lang)),
        _ if whole_seconds < 60 => format!("{}{NBSP}{s}", three_figures(nanos as f64 / 1e9, lang)),
        _ if whole_seconds < 3_600 => two(whole_seconds / 60, min, whole_seconds % 60, s),
        _ if whole_seconds < 86_400 => two(whole_seconds / 3_600, h, whole_seconds / 60 % 60, min),
        _ => two(whole_seconds / 86_400, d, whole_seconds / 3_600 % 24, h),
    }
}

/// A time of day in UTC: `12:20:34.958`.
pub fn clock_millis(nanos: u64) -> String {
    format!("{}.{:03}", clock(nanos), nanos / 1_000_000 % 1_000)
}

/// A time of day in UTC: `12:20:34`.
pub fn clock(nanos: u64) -> String {
    let seconds = nanos / 1_000_000_000;
    format!("{:02}:{:02}:{:02}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
}

/// A moment in a table: its time of day, with month and day before it where the capture has several.
pub fn moment_short(nanos: u64, has_days: bool) -> String {
    let date = date(nanos);
    match date.get(5..).filter(|_| has_days) {
        Some(day) => format!("{day} {}", clock_millis(nanos)),
        None => clock_millis(nanos),
    }
}

/// A date in UTC: `2018-07-01`.
pub fn date(nanos: u64) -> String {
    let (year, month, day) = civil(nanos / 1_000_000_000 / 86_400);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A moment, in full: `2018-07-01 12:25:22.123456789 UTC`, without trailing zeros.
pub fn moment(nanos: u64) -> String {
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{} {}{point}{fraction} UTC", date(nanos), clock(nanos))
}

/// A moment to the second: `2018-07-01 12:25:22 UTC`.
pub fn second(nanos: u64) -> String {
    format!("{} {} UTC", date(nanos), clock(nanos))
}

/// From when to when, the date once where it is the same: `2018-07-01 12:00:03 – 12:59:41 UTC`.
pub fn span(start_ns: u64, end_ns: u64) -> String {
    if date(start_ns) == date(end_ns) {
        format!("{} {} – {} UTC", date(start_ns), clock(start_ns), clock(end_ns))
    } else {
        format!("{} {} – {} {} UTC", date(start_ns), clock(start_ns), date(end_ns), clock(end_ns))
    }
}

/// Year, month and day of a number of days since 1970-01-01 (proleptic Gregorian; eras of 400 years from March).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// An address and port as one writes them: `10.0.0.1:80`, `[2001:db8::1]:80`; without a port the address alone.
pub fn endpoint(ip: &str, port: u16) -> String {
    match port {
        0 => ip.to_owned(),
        _ => format!("{}:{port}", host(ip)),
    }
}

/// An address before a port: IPv6 in brackets.
pub fn host(ip: &str) -> String {
    if ip.contains(':') { format!("[{ip}]") } else { ip.to_owned() }
}

/// A feature's value with so many digits as its size needs.
pub fn feature(value: f64, lang: Lang) -> String {
    let digits = match value.abs() {
        it if it == it.trunc() && it < 1e15 => 0,
        it if it >= 1_000.0 => 1,
        it if it >= 1.0 => 3,
        _ => 6,
    };
    decimal(value, digits, lang)
}

/// The names of the TCP flags set, as in `SYN ACK`.
pub fn tcp_flags(flags: u8) -> String {
    const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
    let set = NAMES.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 == 1);
    set.map(|it| *it.1).collect::<Vec<_>>().join(" ")
}

/// A round step for so many ticks on an axis over this length of time, both in nanoseconds.
pub fn time_step(length_ns: u64, ticks: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    const STEPS: &[u64] = &[
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200,
        86_400, 172_800, 604_800,
    ];
    let least = length_ns / ticks.max(1);
    if least < SECOND {
        let mut step = 1;
        while step < least {
            // 1, 2, 5, 10 …
            step = if step.to_string().starts_with('2') { step / 2 * 5 } else { step * 2 };
        }
        return step;
    }
    let found = STEPS.iter().map(|it| it * SECOND).find(|it| *it >= least);
    found.unwrap_or_else(|| least.next_multiple_of(604_800 * SECOND))
}

/// A tick's text on an axis with this step.
pub fn tick(nanos: u64, step_ns: u64) -> String {
    match step_ns {
        0..1_000_000 => format!("{}.{:06}", clock(nanos), nanos / 1_000 % 1_000_000),
        1_000_000..1_000_000_000 => clock_millis(nanos),
        1_000_000_000..60_000_000_000 => clock(nanos),
        60_000_000_000..86_400_000_000_000 => {
            let text = clock(nanos);
            text.get(..5).map_or(text.clone(), str::to_owned)
        }
        _ => date(nanos),
    }
}

/// The least of 1, 1.5, 2, 2.5, 3, 4, 5, 6 and 8 times a power of ten that is no less than the number: the top of an axis.
pub fn nice_top(number: f64) -> f64 {
    if number <= 0.0 {
        return 1.0;
    }
    let mut power = 1.0;
    while power * 10.0 <= number {
        power *= 10.0;
    }
    while power > number {
        power /= 10.0;
    }
    let found =
        [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0].into_iter().map(|it| it * power);
    found.into_iter().find(|it| *it >= number).unwrap_or(power * 10.0)
}

/// A capture's name without extensions, for the names of what is made of it.
pub fn stem(file_name: &str) -> &str {
    let mut name = file_name;
    for extension in [".gz", ".zst", ".pcapng", ".pcap", ".cap", ".ntar"] {
        let cut = name.len().checked_sub(extension.len()).filter(|it| *it > 0);
        if let Some(cut) = cut
            && name.get(cut..).is_some_and(|it| it.eq_ignore_ascii_case(extension))
        {
            name = name.get(..cut).unwrap_or(name);
        }
    }
    name
}

/// What a file made of a capture is called, with the day the capture began: `office_flows_2018-07-01.csv`.
pub fn file_name(capture: &str, what: &str, start_ns: u64, extension: &str) -> String {
    let stem = stem(capture);
    match start_ns {
        0 => format!("{stem}_{what}.{extension}"),
        _ => format!("{stem}_{what}_{}.{extension}", date(start_ns)),
    }
}

/// The class a file's name suggests: what is left without folders, extensions, and numbers and dates at its ends.
pub fn class_of_file(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let mut stem = name;
    for extension in [".gz", ".zst", ".pcapng", ".pcap", ".cap", ".arff", ".csv"] {
        let at = stem.len().saturating_sub(extension.len());
        if at > 0 && stem.get(at..).is_some_and(|it| it.eq_ignore_ascii_case(extension)) {
            stem = stem.get(..at).unwrap_or(stem);
        }
    }
    let is_edge = |it: char| it.is_ascii_digit() || " _-.,()[]+#".contains(it);
    let word = stem.trim_matches(is_edge);
    if word.is_empty() { stem } else { word }.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No-break spaces written as spaces.
    fn plain(text: &str) -> String {
        text.replace(NBSP, " ")
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(count(0, Lang::En), "0");
        assert_eq!(count(1_234_567, Lang::En), "1,234,567");
        assert_eq!(plain(&count(1_234_567, Lang::Ru)), "1 234 567");
        assert_eq!(count(2_418, Lang::Ru), "2418");
        assert_eq!(plain(&decimal(-12_345.678, 1, Lang::Ru)), "\u{2212}12 345,7");
    }

    #[test]
    fn bytes_are_si() {
        let check = |number, expected: &str| assert_eq!(plain(&bytes(number, Lang::En)), expected);
        check(0, "0 B");
        check(999, "999 B");
        check(1_000, "1.00 kB");
        check(46_900_000, "46.9 MB");
        check(999_600, "1.00 MB");
        check(12_345_678_901_234_567, "12,346 TB");
        assert_eq!(plain(&bytes(1_234, Lang::Ru)), "1,23 кБ");
        assert_eq!(plain(&bits_per_second(1_175_000.0, Lang::En)), "9.40 Mbit/s");
    }

    #[test]
    fn a_share_is_all_only_when_it_is() {
        let check = |part, whole, expected: &str| {
            assert_eq!(plain(&percent(part, whole, Lang::En)), expected);
        };
        check(0, 0, "0 %");
        check(5, 5, "100 %");
        check(99_999, 100_000, "> 99.9 %");
        check(1, 100_000, "< 0.1 %");
        check(962, 1_000, "96.2 %");
    }

    #[test]
    fn durations_take_the_unit_that_fits() {
        let check = |nanos, expected: &str| assert_eq!(plain(&duration(nanos, Lang::En)), expected);
        check(0, "0 s");
        check(850_000, "850 µs");
        check(12_340_000, "12.3 ms");
        check(999_600_000, "1.00 s");
        check(59_600_000_000, "1 min 00 s");
        check(123_000_000_000, "2 min 03 s");
        check(3_900_000_000_000, "1 h 05 min");
        check(180_000_000_000_000, "2 d 02 h");
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(moment(1_530_447_922_123_456_000), "2018-07-01 12:25:22.123456 UTC");
        assert_eq!(moment(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_782_400_000_000_000), "2000-02-29");
        assert_eq!(date(4_102_444_800_000_000_000), "2100-01-01");
        assert_eq!(clock_millis(1_530_447_922_123_456_000), "12:25:22.123");
        assert_eq!(moment_short(1_530_447_922_123_456_000, true), "07-01 12:25:22.123");
        assert_eq!(
            span(1_530_447_922_000_000_000, 1_530_447_923_000_000_000),
            "2018-07-01 12:25:22 – 12:25:23 UTC"
        );
    }

    #[test]
    fn axes_have_round_steps() {
        assert_eq!(time_step(3_600_000_000_000, 6), 600_000_000_000);
        assert_eq!(time_step(7_000_000_000, 6), 2_000_000_000);
        assert_eq!(time_step(30, 6), 5);
        assert_eq!(tick(3_600_000_000_000, 600_000_000_000), "01:00");
        assert_eq!(nice_top(0.0), 1.0);
        assert_eq!(nice_top(2_400.0), 2_500.0);
        assert_eq!(nice_top(1.0), 1.0);
    }

    #[test]
    fn endpoints_bracket_ipv6() {
        assert_eq!(endpoint("10.0.0.1", 80), "10.0.0.1:80");
        assert_eq!(endpoint("2001:db8::1", 443), "[2001:db8::1]:443");
        assert_eq!(endpoint("2001:db8::1", 0), "2001:db8::1");
    }

    #[test]
    fn flags_are_named_and_stems_lose_extensions() {
        assert_eq!(tcp_flags(0x12), "SYN ACK");
        assert_eq!(stem("office.PCAPNG.gz"), "office");
        assert_eq!(stem(".pcap"), ".pcap");
    }

    #[test]
    fn a_files_name_suggests_a_class() {
        let check = |name, expected| assert_eq!(class_of_file(name), expected);
        check("Skype_video-02.pcapng.gz", "skype_video");
        check("2025-03-01 vk (3).pcap", "vk");
        check("dns.pcap", "dns");
        check("443.pcap", "443");
        check(".pcap", "pcap");
        check("звонок 1.pcap", "звонок");
    }
}
