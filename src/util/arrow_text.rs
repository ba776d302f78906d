//! One value of an Arrow array as short text, for screens and reports. Text comes back as it is in
//! the data: whoever draws it makes it harmless. Never panics on a valid array; out of range is NULL.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    Decimal256Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::figures;

/// What a value is, for alignment and style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Null,
    Integer,
    Float,
    Decimal,
    Boolean,
    Text,
    Time,
    Binary,
    Nested,
}

impl Kind {
    pub fn is_number(self) -> bool {
        matches!(self, Kind::Integer | Kind::Float | Kind::Decimal)
    }
}

/// A value's text (empty for NULL) and kind.
#[derive(Debug, Clone, PartialEq)]
pub struct CellText {
    pub text: String,
    pub kind: Kind,
}

/// Kind of all non-NULL values of a column.
pub fn kind_of(data_type: &DataType) -> Kind {
    use DataType as T;
    match data_type {
        T::Null => Kind::Null,
        T::Boolean => Kind::Boolean,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => {
            Kind::Integer
        }
        T::Float16 | T::Float32 | T::Float64 => Kind::Float,
        T::Decimal32(_, 0) | T::Decimal64(_, 0) | T::Decimal128(_, 0) | T::Decimal256(_, 0) => Kind::Integer,
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => Kind::Decimal,
        T::Date32 | T::Date64 | T::Timestamp(..) | T::Time32(_) | T::Time64(_) => Kind::Time,
        T::Duration(_) | T::Interval(_) => Kind::Time,
        T::Binary | T::LargeBinary | T::BinaryView | T::FixedSizeBinary(_) => Kind::Binary,
        T::Utf8 | T::LargeUtf8 | T::Utf8View => Kind::Text,
        T::Dictionary(_, values) => kind_of(values),
        T::RunEndEncoded(_, values) => kind_of(values.data_type()),
        _ => Kind::Nested,
    }
}

/// The value as text of about `limit` characters at most (longer text is cut where it is drawn).
/// Floats at their own precision; a table aligns them itself with [`number`].
pub fn short(array: &dyn Array, row: usize, limit: usize) -> CellText {
    let kind = kind_of(array.data_type());
    if row >= array.len() || array.is_null(row) || kind == Kind::Null {
        return CellText { text: String::new(), kind: Kind::Null };
    }
    use DataType as T;
    let text = match array.data_type() {
        T::Dictionary(..) => match dictionary_value(array, row) {
            Some((values, key)) => return short(&values, key, limit),
            None => return CellText { text: String::new(), kind: Kind::Null },
        },
        T::Boolean => array.as_boolean().value(row).to_string(),
        T::Utf8 => head(array.as_string::<i32>().value(row), limit),
        T::LargeUtf8 => head(array.as_string::<i64>().value(row), limit),
        T::Utf8View => head(array.as_string_view().value(row), limit),
        T::Float16 | T::Float32 => float32(array, row),
        T::Float64 => number(array, row).map(figures::number).unwrap_or_default(),
        T::Date32 => date(i128::from(array.as_primitive::<Date32Type>().value(row))),
        T::Date64 => date(i128::from(array.as_primitive::<Date64Type>().value(row)).div_euclid(86_400_000)),
        T::Timestamp(unit, zone) => timestamp(raw_i64(array, row), unit, zone.is_some()),
        T::Binary => bytes(array.as_binary::<i32>().value(row), limit),
        T::LargeBinary => bytes(array.as_binary::<i64>().value(row), limit),
        T::BinaryView => bytes(array.as_binary_view().value(row), limit),
        T::FixedSizeBinary(_) => bytes(array.as_fixed_size_binary().value(row), limit),
        T::List(_) => list(&array.as_list::<i32>().value(row), limit),
        T::LargeList(_) => list(&array.as_list::<i64>().value(row), limit),
        T::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row), limit),
        T::Struct(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns);
            braces(pairs.map(|(field, column)| (field.name().clone(), nested(column, row, limit))), limit)
        }
        T::Map(..) => {
            let entries = array.as_map().value(row);
            let (Some(keys), Some(values)) = (entries.columns().first(), entries.columns().get(1)) else {
                return CellText { text: "{}".into(), kind };
            };
            braces((0..entries.len()).map(|i| (nested(keys, i, limit), nested(values, i, limit))), limit)
        }
        _ => formatted(array, row),
    };
    CellText { text, kind }
}

/// The value as a number, where it is one. Integers beyond 2^53 are rounded.
pub fn number(array: &dyn Array, row: usize) -> Option<f64> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    fn get<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native {
        array.as_primitive::<T>().value(row)
    }
    use DataType as T;
    Some(match array.data_type() {
        T::Int8 => f64::from(get::<Int8Type>(array, row)),
        T::Int16 => f64::from(get::<Int16Type>(array, row)),
        T::Int32 => f64::from(get::<Int32Type>(array, row)),
        T::Int64 => get::<Int64Type>(array, row) as f64,
        T::UInt8 => f64::from(get::<UInt8Type>(array, row)),
        T::UInt16 => f64::from(get::<UInt16Type>(array, row)),
        T::UInt32 => f64::from(get::<UInt32Type>(array, row)),
        T::UInt64 => get::<UInt64Type>(array, row) as f64,
        T::Float16 => get::<Float16Type>(array, row).to_f64(),
        T::Float32 => f64::from(get::<Float32Type>(array, row)),
        T::Float64 => get::<Float64Type>(array, row),
        T::Decimal32(_, s) => f64::from(get::<Decimal32Type>(array, row)) / scale(*s),
        T::Decimal64(_, s) => get::<Decimal64Type>(array, row) as f64 / scale(*s),
        T::Decimal128(_, s) => get::<Decimal128Type>(array, row) as f64 / scale(*s),
        T::Decimal256(_, s) => get::<Decimal256Type>(array, row).to_string().parse::<f64>().ok()? / scale(*s),
        _ => return None,
    })
}

fn scale(digits: i8) -> f64 {
    10f64.powi(i32::from(digits))
}

/// A whole number with its value, where the column holds such.
pub fn integer(array: &dyn Array, row: usize) -> Option<i128> {
    if row >= array.len() || array.is_null(row) {
        return None;
    }
    use DataType as T;
    Some(match array.data_type() {
        T::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        T::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        T::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        T::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        T::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        T::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        T::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        T::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        T::Decimal128(_, 0) => array.as_primitive::<Decimal128Type>().value(row),
        _ => return None,
    })
}

/// The shortest form that a 32-bit float has, not the noise of its 64-bit widening.
fn float32(array: &dyn Array, row: usize) -> String {
    let Some(wide) = number(array, row) else { return String::new() };
    let tidy = (wide as f32).to_string().parse::<f64>().unwrap_or(wide);
    figures::number(tidy)
}

fn dictionary_value(array: &dyn Array, row: usize) -> Option<(ArrayRef, usize)> {
    let dictionary = array.as_any_dictionary_opt()?;
    let key = integer(dictionary.keys(), row)?;
    Some((dictionary.values().clone(), usize::try_from(key).ok()?))
}

fn raw_i64(array: &dyn Array, row: usize) -> i64 {
    use arrow::datatypes::{
        TimestampMicrosecondType as Us, TimestampMillisecondType as Ms, TimestampNanosecondType as Ns,
        TimestampSecondType as S,
    };
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => array.as_primitive::<S>().value(row),
        DataType::Timestamp(TimeUnit::Millisecond, _) => array.as_primitive::<Ms>().value(row),
        DataType::Timestamp(TimeUnit::Microsecond, _) => array.as_primitive::<Us>().value(row),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => array.as_primitive::<Ns>().value(row),
        _ => 0,
    }
}

/// `2026-11-20 13:05:09.25`, with `Z` where the column names a zone (the value is then UTC).
fn timestamp(value: i64, unit: &TimeUnit, zoned: bool) -> String {
    let (per_second, digits) = match unit {
        TimeUnit::Second => (1, 0),
        TimeUnit::Millisecond => (1_000, 3),
        TimeUnit::Microsecond => (1_000_000, 6),
        TimeUnit::Nanosecond => (1_000_000_000, 9),
    };
    // DuckDB's infinite timestamps.
    match value {
        i64::MAX => return "infinity".into(),
        v if v == -i64::MAX => return "-infinity".into(),
        _ => {}
    }
    let value = i128::from(value);
    let (seconds, fraction) = (value.div_euclid(per_second), value.rem_euclid(per_second));
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let mut out = date(day);
    out += &format!(" {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if fraction != 0 {
        let text = format!("{fraction:0digits$}");
        out += &format!(".{}", text.trim_end_matches('0'));
    }
    if zoned {
        out.push('Z');
    }
    out
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant's `civil_from_days`).
fn date(days: i128) -> String {
    match days {
        d if d == i128::from(i32::MAX) => return "infinity".into(),
        d if d == -i128::from(i32::MAX) => return "-infinity".into(),
        _ => {}
    }
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn head(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit.saturating_add(1)) {
        Some((at, _)) => text.get(..at).unwrap_or(text).to_string(),
        None => text.to_string(),
    }
}

fn bytes(value: &[u8], limit: usize) -> String {
    let shown = value.len().min(limit / 2 + 1);
    let mut out = String::from("0x");
    for byte in value.iter().take(shown) {
        out += &format!("{byte:02x}");
    }
    if shown < value.len() {
        out += &format!("… {} B", figures::thousands(value.len() as i128));
    }
    out
}

fn nested(array: &dyn Array, row: usize, limit: usize) -> String {
    let inner = short(array, row, limit);
    if inner.kind == Kind::Null { "NULL".into() } else { inner.text }
}

/// `[a, b, … 12]`: elements while there is room, then how many there are.
fn list(items: &dyn Array, limit: usize) -> String {
    let mut out = String::from("[");
    for i in 0..items.len() {
        if out.chars().count() > limit {
            return out + &format!("… {}]", figures::thousands(items.len() as i128));
        }
        if i > 0 {
            out += ", ";
        }
        out += &nested(items, i, limit);
    }
    out + "]"
}

fn braces(pairs: impl Iterator<Item = (String, String)>, limit: usize) -> String {
    let mut out = String::from("{");
    for (i, (key, value)) in pairs.enumerate() {
        if out.chars().count() > limit {
            return out + "…}";
        }
        if i > 0 {
            out += ", ";
        }
        out += &format!("{key}: {value}");
    }
    out + "}"
}

/// Arrow's own text, for the types that need nothing special here.
fn formatted(array: &dyn Array, row: usize) -> String {
    let options = FormatOptions::default().with_display_error(true);
    match ArrayFormatter::try_new(array, &options) {
        Ok(formatter) => formatter.value(row).to_string(),
        Err(_) => format!("<{}>", array.data_type()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array,
        Int64Array, ListArray, StringArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
    };
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    fn text(array: &dyn Array, row: usize) -> String {
        short(array, row, 40).text
    }

    #[test]
    fn numbers_and_nulls() {
        let floats = Float64Array::from(vec![Some(0.5), None, Some(f64::NAN), Some(f64::INFINITY)]);
        assert_eq!(text(&floats, 0), "0.5");
        assert_eq!(short(&floats, 1, 9).kind, Kind::Null);
        assert_eq!(text(&floats, 2), "NaN");
        assert_eq!(text(&floats, 3), "inf");
        assert_eq!(short(&floats, 99, 9).kind, Kind::Null);
        assert_eq!(text(&Float32Array::from(vec![0.1]), 0), "0.1");
        assert_eq!(text(&Int64Array::from(vec![i64::MIN]), 0), i64::MIN.to_string());
        let decimal = Decimal128Array::from(vec![12_345]).with_precision_and_scale(9, 3).unwrap();
        assert_eq!(text(&decimal, 0), "12.345");
        assert_eq!(number(&decimal, 0), Some(12.345));
        assert_eq!(text(&BooleanArray::from(vec![true]), 0), "true");
    }

    #[test]
    fn times_are_readable_over_the_whole_range() {
        let times = TimestampMicrosecondArray::from(vec![0, 1_795_439_109_250_000, -1, i64::MAX, i64::MIN]);
        assert_eq!(text(&times, 0), "1970-01-01 00:00:00");
        assert_eq!(text(&times, 1), "2026-11-23 13:05:09.25");
        assert_eq!(text(&times, 2), "1969-12-31 23:59:59.999999");
        assert_eq!(text(&times, 3), "infinity");
        assert!(text(&times, 4).starts_with('-'));
        let zoned = TimestampMicrosecondArray::from(vec![0]).with_timezone("Europe/Berlin");
        assert_eq!(text(&zoned, 0), "1970-01-01 00:00:00Z");
        assert_eq!(text(&Date32Array::from(vec![11_016]), 0), "2000-02-29");
        assert_eq!(text(&Time64MicrosecondArray::from(vec![45_296_000_000]), 0), "12:34:56");
        for days in [i32::MIN, -1, 0, 1, i32::MAX] {
            assert!(!text(&Date32Array::from(vec![days]), 0).is_empty());
        }
    }

    #[test]
    fn nested_values_are_abbreviated() {
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None, Some(3)]),
            Some((0..1000).map(Some).collect()),
        ]);
        assert_eq!(text(&list, 0), "[1, NULL, 3]");
        assert!(text(&list, 1).ends_with("… 1,000]"), "{}", text(&list, 1));
        assert!(text(&list, 1).chars().count() < 70);
        let columns: Vec<(Arc<Field>, ArrayRef)> = vec![
            (Arc::new(Field::new("a", DataType::Int64, true)), Arc::new(Int64Array::from(vec![7]))),
            (Arc::new(Field::new("名", DataType::Utf8, true)), Arc::new(StringArray::from(vec!["鞋"]))),
        ];
        assert_eq!(text(&StructArray::from(columns), 0), "{a: 7, 名: 鞋}");
        assert_eq!(text(&BinaryArray::from(vec![&[1u8, 255][..]]), 0), "0x01ff");
        let words: DictionaryArray<Int32Type> = vec![Some("red"), None].into_iter().collect();
        assert_eq!(text(&words, 0), "red");
        assert_eq!(short(&words, 1, 9).kind, Kind::Null);
        assert_eq!(kind_of(words.data_type()), Kind::Text);
    }

    #[test]
    fn long_text_is_cut_early() {
        let long = "鞋".repeat(400_000);
        assert!(text(&StringArray::from(vec![long.as_str()]), 0).chars().count() <= 41);
    }
}
