//! Times as the Hub writes them and as people read them, in UTC.

/// Reads an ISO 8601 time in UTC, such as `2026-01-31T12:00:00.000Z`, as Unix seconds.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.trim().strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|n| n.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time
        .split('.')
        .next()?
        .split(':')
        .map(|n| n.parse::<i64>().ok());
    let (hour, minute, second) = (
        time.next()??,
        time.next()??,
        time.next().unwrap_or(Some(0))?,
    );
    let valid = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !valid {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    u64::try_from(seconds).ok()
}

/// Reads the date of an HTTP header, such as `Tue, 24 Nov 2026 17:07:16 GMT`, as Unix seconds. The
/// two obsolete forms are not read.
pub(crate) fn parse_http(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_, rest) = text.trim().split_once(", ")?;
    let mut words = rest.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    if words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    parse(&format!("{year}-{month}-{day}T{time}Z"))
}

/// The date of a time, such as `2026-01-31`.
#[must_use]
pub fn day(seconds: u64) -> String {
    let (year, month, day) = date(i64::try_from(seconds / 86_400).unwrap_or(0));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A duration in the largest unit that fits: `3 min`, `2 h`, `5 days`.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds} s"),
        91..=5400 => format!("{} min", seconds / 60),
        5401..=172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How many seconds a time may be in the future and still count as now: clocks are sometimes set
/// back a little.
const SLACK: u64 = 60;

/// How many seconds ago a time was. A time well in the future was written with a wrong clock; it
/// counts as long ago, so that nothing waits for it for years.
pub(crate) fn since(at: u64, now: u64) -> u64 {
    if at > now.saturating_add(SLACK) {
        u64::MAX
    } else {
        now.saturating_sub(at)
    }
}

/// Days from 1970-01-01 to a date. It counts in eras of 400 years that begin in March, so that the
/// leap day is the last day of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let era = year.div_euclid(400);
    let in_era = year.rem_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + day_of_year - 719_468
}

/// The date of a day counted from 1970-01-01; the inverse of [`days`].
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let in_era = day.rem_euclid(146_097);
    let year = (in_era - in_era / 1460 + in_era / 36_524 - in_era / 146_096) / 365;
    let of_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_the_future_is_now_or_long_ago() {
        for (at, ago) in [
            (900, 100),
            (1000, 0),
            (1060, 0),
            (1061, u64::MAX),
            (u64::MAX, u64::MAX),
        ] {
            assert_eq!(since(at, 1000), ago, "{at}");
        }
    }

    #[test]
    fn times_as_the_hub_writes_them() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T23:59:59.999Z", Some(951_868_799)),
            ("2026-01-31T12:00:00.000Z", Some(1_769_860_800)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400)),
            ("2026-01-31", None),
            ("2026-13-31T12:00:00Z", None),
            ("2026-01-31T12:00:00+02:00", None),
            ("", None),
        ] {
            assert_eq!(parse(text), seconds, "{text}");
        }
    }

    #[test]
    fn times_in_headers() {
        for (text, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sat, 31 Jan 2026 12:00:00 GMT", Some(1_769_860_800)),
            ("Sat, 31 Jan 2026 12:00:00 CET", None),
            ("Sat, 31 Jax 2026 12:00:00 GMT", None),
            ("Saturday, 31-Jan-26 12:00:00 GMT", None),
            ("1769860800", None),
        ] {
            assert_eq!(parse_http(text), seconds, "{text}");
        }
    }

    #[test]
    fn every_day_reads_back() {
        for n in 0..60_000 {
            let (year, month, day) = date(n);
            assert_eq!(days(year, month, day), n);
        }
        assert_eq!(day(1_769_860_800), "2026-01-31");
    }

    #[test]
    fn spans() {
        for (seconds, text) in [
            (5, "5 s"),
            (300, "5 min"),
            (7200, "2 h"),
            (432_000, "5 days"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
