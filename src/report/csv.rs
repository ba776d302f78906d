//! Every cell's rows as CSV (RFC 4180), one block per cell headed by a comment line. Values are the
//! data's own; how fields are quoted, and what begins like a formula, is `util::csv`'s to know.

use serde_json::Value;

use super::{Format, ResultRows, RunReport};
use crate::util::csv::{Writer, told};

pub(super) struct Csv {
    /// Formulas as they are.
    pub raw: bool,
}

impl Format for Csv {
    fn render(&self, report: &RunReport) -> String {
        self.write(report).0
    }

    fn note(&self, report: &RunReport) -> Option<String> {
        told(self.write(report).1)
    }
}

impl Csv {
    /// The document, and how many of its cells were guarded.
    fn write(&self, report: &RunReport) -> (String, u64) {
        let (mut out, mut guarded) = (Vec::new(), 0);
        for cell in &report.cells {
            let Some(result) = &cell.result else { continue };
            if !out.is_empty() {
                out.push(b'\n');
            }
            out.extend_from_slice(format!("# {} {}\n", cell.kind, cell.name).as_bytes());
            let mut csv = Writer::new(&mut out, self.raw);
            // Writing to memory does not fail.
            let _ = rows(&mut csv, result);
            guarded += csv.guarded();
        }
        (String::from_utf8(out).unwrap_or_default(), guarded)
    }
}

fn rows(csv: &mut Writer<&mut Vec<u8>>, result: &ResultRows) -> std::io::Result<()> {
    result.columns.iter().try_for_each(|column| csv.text(&column.name))?;
    csv.end_row()?;
    for row in &result.rows {
        for value in row {
            match value {
                Value::Null => csv.null()?,
                // An infinite number is no formula.
                Value::String(text) if text == "-inf" => csv.value(text)?,
                Value::String(text) => csv.text(text)?,
                other => csv.value(&other.to_string())?,
            }
        }
        csv.end_row()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn values_are_quoted_where_needed() {
        let csv = Csv { raw: false };
        let text = csv.render(&sample::report());
        assert_eq!(csv.note(&sample::report()), None);
        assert!(text.starts_with("# metrics quality\nmetric,value,lower,upper,n,n_na\nndcg@10,0.41,"));
        assert!(text.contains("auc,,,,0,0\n"));
        assert!(text.contains(",\"a\nb\",7\n"));
    }

    #[test]
    fn values_and_headers_that_a_spreadsheet_would_run_are_guarded_and_told() {
        let mut report = sample::report();
        report.cells.truncate(2);
        if let Some(result) = &mut report.cells[1].result {
            result.columns[0].name = "=query".into();
            result.rows = vec![vec!["＝1+1".into(), "-3.5".into(), (-7).into()]];
        }
        let told = Csv { raw: false }.note(&report).unwrap_or_default();
        assert!(told.starts_with("2 cells begin like formulas"), "{told}");
        assert!(Csv { raw: false }.render(&report).ends_with("\n'=query,title,id\n'＝1+1,-3.5,-7\n"));
        assert!(Csv { raw: true }.render(&report).ends_with("\n=query,title,id\n＝1+1,-3.5,-7\n"));
        assert_eq!(Csv { raw: true }.note(&report), None);
    }
}
