//! Numbers as people read them: counts with commas, bytes, durations, figures, p-values. A missing
//! number is "n/a" everywhere.

/// What stands for a number that is not there.
pub const NA: &str = "n/a";

/// `4,870`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `4.9k`, `1.2M`: at most five characters.
pub fn short_count(n: u64) -> String {
    const STEPS: [(f64, &str); 3] = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    // 999,950 would be rounded to 1000.0k: the step is chosen after rounding.
    let step = STEPS.iter().find(|(size, _)| n as f64 >= size * 0.9995);
    match step.filter(|_| n >= 1000) {
        Some((size, unit)) => scaled(n as f64 / size, unit),
        None => n.to_string(),
    }
}

/// `412 MB`, `1.5 GB` (powers of 1024, as memory is sold).
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
        _ => scaled(value, &format!(" {unit}")),
    }
}

fn scaled(value: f64, unit: &str) -> String {
    if value < 9.95 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}

/// `8 ms`, `0.4 s`, `12 s`, `1:12`, `2:03:04`.
pub fn duration(ms: u64) -> String {
    let seconds = (ms + 500) / 1000;
    match ms {
        0..100 => format!("{ms} ms"),
        100..9_950 => format!("{:.1} s", ms as f64 / 1000.0),
        _ if seconds < 60 => format!("{seconds} s"),
        _ if seconds < 3600 => format!("{}:{:02}", seconds / 60, seconds % 60),
        _ => format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    }
}

/// A figure with four significant digits and no needless zeros: `0.4113`, `12.5`, `1.2e-7`, `7`.
pub fn figure(value: f64) -> String {
    if value.is_nan() {
        return NA.into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return format!("{value:.0}");
    }
    if !(1e-4..1e15).contains(&size) {
        return format!("{value:.2e}");
    }
    let decimals = (3 - size.log10().floor() as i32).clamp(0, 8) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

/// [`figure`] or `n/a`.
pub fn figure_or_na(value: Option<f64>) -> String {
    value.map_or_else(|| NA.to_string(), figure)
}

/// A share of one as a measure is usually printed: `.411`, `−.302`, `1.000`. Outside [-1, 1] and for
/// n/a as [`figure`].
pub fn measure(value: Option<f64>) -> String {
    match value {
        None => NA.into(),
        Some(value) if value.abs() <= 1.0 => {
            let digits = format!("{:.3}", value.abs());
            let digits = digits.strip_prefix('0').unwrap_or(&digits).to_string();
            if value < 0.0 && digits.contains(|c: char| ('1'..='9').contains(&c)) {
                format!("−{digits}")
            } else {
                digits
            }
        }
        Some(value) => figure(value),
    }
}

/// `<.001`, `.031`, `1.00`, `n/a`.
pub fn p_value(p: Option<f64>) -> String {
    match p {
        Some(p) if p.is_nan() => NA.into(),
        Some(p) if p < 0.001 => "<.001".into(),
        Some(p) if p >= 0.9995 => "1.00".into(),
        Some(p) => format!("{p:.3}").trim_start_matches('0').to_string(),
        None => NA.into(),
    }
}

/// `61 %`; never `100 %` before the end.
pub fn percent(done: u64, total: u64) -> String {
    let share = (done as f64 / total.max(1) as f64 * 100.0).round() as u64;
    let shown = if done < total { share.min(99) } else { 100 };
    format!("{shown} %")
}

/// `1 row`, `2 rows`.
pub fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_bytes() {
        assert_eq!(count(0), "0");
        assert_eq!(count(4870), "4,870");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(short_count(999), "999");
        assert_eq!(short_count(4_870), "4.9k");
        assert_eq!(short_count(999_960), "1.0M");
        assert_eq!(bytes(412 << 20), "412 MB");
        assert_eq!(bytes(1536), "1.5 kB");
        assert_eq!(bytes(7), "7 B");
        assert_eq!(plural(1, "row", "rows"), "1 row");
    }

    #[test]
    fn durations() {
        let said: Vec<String> = [0, 99, 400, 9_949, 12_000, 59_700, 72_000, 7_384_000].map(duration).to_vec();
        assert_eq!(said, ["0 ms", "99 ms", "0.4 s", "9.9 s", "12 s", "1:00", "1:12", "2:03:04"]);
    }

    #[test]
    fn figures() {
        let said: Vec<String> =
            [0.41134, 12.5, 1.2e-7, 7.0, -0.25, f64::NAN, f64::INFINITY, 123456.7, -0.0].map(figure).to_vec();
        assert_eq!(said, ["0.4113", "12.5", "1.20e-7", "7", "-0.25", "n/a", "∞", "123457", "0"]);
        assert_eq!(measure(Some(0.4113)), ".411");
        assert_eq!(measure(Some(-0.302)), "−.302");
        assert_eq!(measure(Some(1.0)), "1.000");
        assert_eq!(measure(Some(-0.00001)), ".000");
        assert_eq!(measure(None), "n/a");
    }

    #[test]
    fn p_values() {
        let said: Vec<String> = [Some(0.0), Some(0.0312), Some(1.0), None].map(p_value).to_vec();
        assert_eq!(said, ["<.001", ".031", "1.00", "n/a"]);
        assert_eq!(percent(999, 1000), "99 %");
        assert_eq!(percent(0, 0), "100 %");
    }
}
