//! When a flow began, as tables write it.

/// Nanoseconds since 1970 of a time: a number of seconds or of parts of them, or a date and a time of day in UTC.
///
/// Of `03/07/2017` the day is 3, as CICFlowMeter writes it, unless it cannot be. `None` of what is no time.
pub(super) fn nanos(text: &str) -> Option<u64> {
    if let Ok(number) = text.parse::<f64>() {
        return of_number(number);
    }
    let (date, time) = text.split_once(['T', ' ']).unwrap_or((text, ""));
    let seconds = days(date)? * 86_400;
    let time = time.trim().trim_end_matches(['Z', 'z']);
    let (time, is_afternoon) = match time.split_once(' ') {
        None => (time, None),
        Some((time, rest)) => match rest.trim().to_ascii_lowercase().as_str() {
            "am" => (time, Some(false)),
            "pm" => (time, Some(true)),
            "utc" | "gmt" => (time, None),
            // Another zone: the time would be hours off.
            _ => return None,
        },
    };
    if time.is_empty() {
        return seconds.checked_mul(1_000_000_000);
    }
    let (time, fraction) = time.split_once('.').unwrap_or((time, ""));
    if !fraction.bytes().all(|it| it.is_ascii_digit()) {
        return None;
    }
    let mut parts = time.split(':').map(str::parse::<u64>);
    let mut part = |most: u64| parts.next().unwrap_or(Ok(0)).ok().filter(|it| *it <= most);
    let (hour, minute, second) = (part(24)?, part(59)?, part(60)?);
    let hour = match is_afternoon {
        Some(is_afternoon) => hour % 12 + if is_afternoon { 12 } else { 0 },
        None => hour,
    };
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let seconds = seconds + hour * 3_600 + minute * 60 + second;
    seconds.checked_mul(1_000_000_000)?.checked_add(digits.parse().ok()?)
}

/// A number of seconds, milliseconds, microseconds or nanoseconds since 1970, by its size.
fn of_number(number: f64) -> Option<u64> {
    let scale = match number {
        0.0..1e11 => 1e9,
        1e11..1e14 => 1e6,
        1e14..1e17 => 1e3,
        1e17..1.8e19 => 1.0,
        _ => return None,
    };
    Some((number * scale) as u64)
}

/// Days since 1970 of `2017-07-03` or `03/07/2017`.
fn days(date: &str) -> Option<u64> {
    let mut parts = date.split(['-', '/', '.']).map(|it| it.parse::<u64>().ok());
    let (a, b, c) = (parts.next()??, parts.next()??, parts.next()??);
    let (year, month, day) = match (a, b) {
        (1_000.., _) => (a, b, c),
        (_, 13..) => (c, a, b),
        _ => (c, b, a),
    };
    // What two digits of a year mean is guessed as spreadsheets do.
    let year = if year < 70 { year + 2_000 } else { year };
    if !(1_970..=2_500).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years begin in March, so that a leap day is the last (Hinnant, chrono-compatible date algorithms).
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400;
    (before + (month * 153 + 2) / 5 + day).checked_sub(719_469)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, seconds: u64) {
        assert_eq!(nanos(text).map(|it| it / 1_000_000_000), Some(seconds), "{text}");
    }

    #[test]
    fn times_are_read_as_tables_write_them() {
        check("1970-01-01T00:00:00Z", 0);
        check("2000-02-29 00:00:00", 951_782_400);
        check("2025-01-01T00:00:00.5Z", 1_735_689_600);
        check("03/07/2017 08:55:58", 1_499_072_158);
        check("3/7/2017 8:55", 1_499_072_100);
        check("07/13/2017 01:00:00 PM", 1_499_950_800);
        check("2017-07-05 20:42:00 UTC", 1_499_287_320);
        check("1499072158", 1_499_072_158);
        check("1499072158123", 1_499_072_158);
        assert_eq!(nanos("1970-01-01T00:00:00.000001Z"), Some(1_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        let texts = [
            "",
            "x",
            "NaN",
            "-1",
            "2017",
            "99/99/9999",
            "2017-02",
            "2017-01-01 99:00",
            "2017-01-01 08:55:58 MSK",
            "2017-01-01T08:55:58.5+03:00",
        ];
        for text in texts {
            let expected = (text == "2017").then_some(2_017_000_000_000);
            assert_eq!(nanos(text), expected, "{text}");
        }
    }
}
