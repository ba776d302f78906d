//! Every cell's rows as CSV (RFC 4180), one block per cell headed by a comment line. Values are the
//! data's own; cells that a spreadsheet would take for a formula get a quote in front.

use serde_json::Value;

use super::{Format, RunReport};

pub(super) struct Csv;

impl Format for Csv {
    fn render(&self, report: &RunReport) -> String {
        let mut out = String::new();
        for cell in &report.cells {
            let Some(result) = &cell.result else { continue };
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&format!("# {} {}\n", cell.kind, cell.name));
            let names = result.columns.iter().map(|column| field(&column.name));
            out.push_str(&(names.collect::<Vec<_>>().join(",") + "\n"));
            for row in &result.rows {
                let values = row.iter().map(|value| match value {
                    Value::Null => String::new(),
                    Value::String(text) => field(text),
                    other => field_plain(&other.to_string()),
                });
                out.push_str(&(values.collect::<Vec<_>>().join(",") + "\n"));
            }
        }
        out
    }
}

fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    if formula { field_plain(&format!("'{text}")) } else { field_plain(text) }
}

fn field_plain(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn values_are_quoted_where_needed() {
        let text = Csv.render(&sample::report());
        assert!(text.starts_with("# metrics quality\nmetric,value,lower,upper,n,n_na\nndcg@10,0.41,"));
        assert!(text.contains("auc,,,,0,0\n"));
        assert!(text.contains(",\"a\nb\",7\n"));
        assert_eq!(field("=1+1"), "'=1+1");
        assert_eq!(field("-5"), "-5");
        assert_eq!(field("a\"b"), "\"a\"\"b\"");
    }
}
