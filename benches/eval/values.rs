//! Do two contestants agree? Every query, every measure.

use std::path::Path;

use serde_json::{Map, Value};

type Queries = Map<String, Value>;

/// The largest difference of any value, or what is missing where.
pub fn largest_difference(ours: &Path, theirs: &Path) -> Result<f64, String> {
    let (ours, theirs) = (read(ours)?, read(theirs)?);
    if ours.len() != theirs.len() {
        return Err(format!("{} queries against {}", ours.len(), theirs.len()));
    }
    let mut largest: f64 = 0.0;
    for (query, values) in &theirs {
        let found = ours.get(query).and_then(Value::as_object).ok_or(format!("{query} is missing"))?;
        for (measure, value) in values.as_object().into_iter().flatten() {
            let pair = found.get(measure).and_then(Value::as_f64).zip(value.as_f64());
            let (a, b) = pair.ok_or(format!("{measure} of {query} is missing"))?;
            largest = largest.max((a - b).abs());
        }
    }
    Ok(largest)
}

fn read(file: &Path) -> Result<Queries, String> {
    let text = std::fs::read_to_string(file).map_err(|e| e.to_string())?;
    let value: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
    let queries = value.get("per_query").unwrap_or(&value);
    queries.as_object().cloned().ok_or("no queries".into())
}
