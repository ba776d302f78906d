//! From a slice that was found to its rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;

use super::{SHOES, ran};
use crate::protocol::{Page, PageSpec, RelationInfo, RowCount};
use crate::screen::app::fake::{self, Driver};

fn info(cell: &str) -> RelationInfo {
    if cell != "found" {
        return fake::info(cell, 40);
    }
    let columns = [("slice", "VARCHAR"), ("divergence", "DOUBLE"), ("predicate", "VARCHAR")];
    let columns = columns.iter().map(|(name, sql_type)| fake::column(name, sql_type, None)).collect();
    RelationInfo { name: cell.into(), rows: RowCount::Exact(1), columns }
}

fn page(spec: &PageSpec) -> Page {
    if spec.relation != "found" {
        return fake::page(spec, 40);
    }
    let text = |words: &str| Arc::new(StringArray::from(vec![words])) as ArrayRef;
    let arrays = vec![
        text("region = south and 2 <= words of query < 4"),
        Arc::new(Float64Array::from(vec![-0.2])) as ArrayRef,
        text("\"region\" = 'south' AND length(\"query\") >= 2"),
    ];
    let columns = info("found").columns;
    let fields = columns.iter().zip(&arrays).map(|(c, a)| Field::new(&c.name, a.data_type().clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let batch = RecordBatch::try_new(schema, arrays).unwrap();
    Page { spec: spec.clone(), total: RowCount::Exact(1), columns, ipc: fake::ipc(&batch) }
}

#[test]
fn a_found_slice_leads_to_its_rows() {
    let cell =
        "```slices found\nfrom = \"rel\"\nwhere = \"grade = 0 OR grade = 1\"\nmetric = \"ndcg@10\"\n```\n";
    let mut d = Driver::new(&format!("{SHOES}\n{cell}"), 80, 24);
    d.sent();
    d.keys("R");
    d.finish(info);
    d.keys("G enter");
    d.answer(page);
    d.sent();
    d.keys("enter");
    assert_eq!(ran(&d.sent()), [["found_rows"]]);
    let body = &d.app.doc.notebook().cell("found_rows").unwrap().body;
    assert!(body.contains("-- rows behind found: region = south and 2 <= words of query < 4\n"), "{body}");
    assert!(
        body.contains(
            "WHERE (grade = 0 OR grade = 1)\n  AND \"region\" = 'south' AND length(\"query\") >= 2"
        ),
        "{body}"
    );
}
