//! Numbers as people read them: thousands, significant digits, intervals, p-values. Pure text; no
//! product words. True minus signs and missing leading zeros are for tables on screen, not for data.

/// 4870 as `4,870`.
pub fn thousands(n: i128) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if n < 0 {
        out.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// NaN and the infinities by name; `None` for ordinary numbers.
pub fn name_of(x: f64) -> Option<&'static str> {
    match x {
        x if x.is_nan() => Some("NaN"),
        f64::INFINITY => Some("inf"),
        f64::NEG_INFINITY => Some("-inf"),
        _ => None,
    }
}

/// Decimals that show `x` well: all that its shortest form has, but no more than four significant
/// digits need (at least two, for money). `None` where only powers of ten read well.
pub fn decimals(x: f64) -> Option<usize> {
    if !x.is_finite() {
        return Some(0);
    }
    let size = x.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return None;
    }
    let shortest = format!("{size}");
    let has = shortest.split_once('.').map_or(0, |(_, frac)| frac.len());
    let magnitude = if size == 0.0 { 0 } else { size.log10().floor() as i32 };
    Some(has.min(usize::try_from(3 - magnitude).unwrap_or(0).max(2)))
}

/// `x` with a fixed number of decimals; very large and very small ones by power of ten.
pub fn fixed(x: f64, decimals: usize) -> String {
    if let Some(name) = name_of(x) {
        return name.into();
    }
    let size = x.abs();
    if size >= 1e15 || (size != 0.0 && size < 0.5 * 10f64.powi(-(decimals.min(300) as i32))) {
        return format!("{x:.2e}");
    }
    format!("{x:.decimals$}")
}

/// `x` alone, at its own precision.
pub fn number(x: f64) -> String {
    match (name_of(x), decimals(x)) {
        (Some(name), _) => name.into(),
        (None, Some(d)) => fixed(x, d),
        (None, None) => format!("{x:.2e}"),
    }
}

/// With its sign and a true minus: `+0.42`, `−0.30`, `0`.
pub fn signed(x: f64, decimals: usize) -> String {
    if let Some(name) = name_of(x) {
        return name.replace('-', "−");
    }
    let text = fixed(x.abs(), decimals);
    let zero = !text.contains(|c: char| ('1'..='9').contains(&c));
    match (zero, x < 0.0) {
        (true, _) => text,
        (false, true) => format!("−{text}"),
        (false, false) => format!("+{text}"),
    }
}

/// Without the leading zero, as tables of shares are set: `.41`, `−.30`, `1.20`.
pub fn share(x: f64, decimals: usize) -> String {
    let text = fixed(x, decimals);
    match (text.strip_prefix("0."), text.strip_prefix("-0.")) {
        (Some(rest), _) => format!(".{rest}"),
        (_, Some(rest)) => format!("−.{rest}"),
        _ => text.replace('-', "−"),
    }
}

/// `<.001`, `.004`, `.31`, `1.0`; `n/a` without a value.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        Some(p) if p.is_nan() => "n/a".into(),
        Some(p) if p < 0.001 => "<.001".into(),
        Some(p) if p < 0.0995 => share(p, 3),
        Some(p) if p < 0.995 => share(p, 2),
        Some(_) => "1.0".into(),
        None => "n/a".into(),
    }
}

/// Value and interval in little room: `.41 ±.03` where it is symmetric, else `.41 [.36 .44]`; the
/// value alone without an interval.
pub fn interval(value: f64, lower: Option<f64>, upper: Option<f64>) -> String {
    let decimals = |spread: f64| match spread {
        s if s >= 10.0 => 0,
        s if s >= 1.0 => 1,
        s if s > 0.0 && s < 0.01 => 3,
        _ => 2,
    };
    let (Some(lower), Some(upper)) = (lower, upper) else {
        return share(value, decimals(if value.abs() >= 100.0 { value.abs() / 10.0 } else { 0.0 }));
    };
    let (down, up) = (value - lower, upper - value);
    if ![value, lower, upper].iter().all(|x| x.is_finite()) {
        return share(value, 2);
    }
    let half = (upper - lower) / 2.0;
    let d = decimals(half);
    if (down - up).abs() <= 0.2 * half.abs() + f64::EPSILON {
        format!("{} ±{}", share(value, d), share(half, d))
    } else {
        format!("{} [{} {}]", share(value, d), share(lower, d), share(upper, d))
    }
}

/// `1st`, `2nd`, `11th`, `23rd`.
pub fn ordinal(n: usize) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// 1_234_567 as `1.2M`: for narrow places, never where the exact count matters.
pub fn compact(n: u64) -> String {
    let x = n as f64;
    match n {
        0..=9_999 => thousands(i128::from(n)),
        10_000..=999_499 => format!("{:.0}k", x / 1e3),
        999_500..=999_499_999 => format!("{:.1}M", x / 1e6),
        _ => format!("{:.1}G", x / 1e9),
    }
}

/// `7 B`, `1.5 kB`, `412 MB` (powers of 1024, as memory is sold).
pub fn bytes(n: u64) -> String {
    let mut value = n as f64;
    let mut unit = "B";
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1023.5 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    match unit {
        "B" => format!("{n} B"),
        _ if value < 9.95 => format!("{value:.1} {unit}"),
        _ => format!("{value:.0} {unit}"),
    }
}

/// `1 row`, `2,000 rows`.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(i128::from(n)), if n == 1 { one } else { many })
}

/// `0.1s`, `12s`, `1:12`, `1:02:03`.
pub fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    match ms {
        0..=9_949 => format!("{:.1}s", ms as f64 / 1000.0),
        9_950..=59_999 => format!("{seconds}s"),
        60_000..=3_599_999 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(4870), "4,870");
        assert_eq!(thousands(-1_234_567), "-1,234,567");
        assert_eq!(thousands(i128::MIN).len(), 39 + 12 + 1);
    }

    #[test]
    fn digits_are_sensible() {
        assert_eq!(number(7.912345), "7.912");
        assert_eq!(number(129.99), "129.99");
        assert_eq!(number(0.41234), "0.4123");
        assert_eq!(number(3.0), "3");
        assert_eq!(number(1e-7), "1.00e-7");
        assert_eq!(number(1e300), "1.00e300");
        assert_eq!(number(f64::NAN), "NaN");
        assert_eq!(number(f64::NEG_INFINITY), "-inf");
        assert_eq!(number(0.0), "0");
        assert_eq!(fixed(1e-9, 4), "1.00e-9");
        assert_eq!(fixed(2.5, 3), "2.500");
    }

    #[test]
    fn signs_are_written() {
        assert_eq!(signed(2.13, 1), "+2.1");
        assert_eq!(signed(-0.9, 1), "−0.9");
        assert_eq!(signed(0.0, 1), "0.0");
        assert_eq!(share(-0.3, 2), "−.30");
        assert_eq!(share(1.2, 2), "1.20");
    }

    #[test]
    fn p_values_and_intervals() {
        assert_eq!(p_value(Some(0.0002)), "<.001");
        assert_eq!(p_value(Some(0.004)), ".004");
        assert_eq!(p_value(Some(0.31)), ".31");
        assert_eq!(p_value(Some(1.0)), "1.0");
        assert_eq!(p_value(None), "n/a");
        assert_eq!(interval(0.41, Some(0.38), Some(0.44)), ".41 ±.03");
        assert_eq!(interval(0.41, Some(0.30), Some(0.44)), ".41 [.30 .44]");
        assert_eq!(interval(0.41, None, None), ".41");
        assert_eq!(interval(f64::NAN, Some(0.1), Some(0.2)), "NaN");
    }

    #[test]
    fn sizes_and_plurals() {
        assert_eq!([7, 1536, 412 << 20].map(bytes), ["7 B", "1.5 kB", "412 MB"]);
        assert_eq!(plural(1, "row", "rows"), "1 row");
        assert_eq!(plural(2000, "row", "rows"), "2,000 rows");
    }

    #[test]
    fn times_and_counts() {
        assert_eq!(clock(100), "0.1s");
        assert_eq!(clock(12_000), "12s");
        assert_eq!(clock(72_000), "1:12");
        assert_eq!(clock(3_723_000), "1:02:03");
        assert_eq!(compact(4870), "4,870");
        assert_eq!(
            [1, 2, 3, 4, 11, 12, 22, 113].map(ordinal).join(" "),
            "1st 2nd 3rd 4th 11th 12th 22nd 113th"
        );
        assert_eq!(compact(1_234_567), "1.2M");
    }
}
