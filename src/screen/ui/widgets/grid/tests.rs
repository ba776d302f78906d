//! Tests of the grid: columns, cells, marks and windows of rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray};

use super::*;
use crate::screen::ui::theme::Depth;
use crate::screen::ui::widgets::testing::lines;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap()
}

fn draw(batch: &RecordBatch, width: u16, height: u16, change: impl FnOnce(&mut Grid<'_>)) -> Vec<String> {
    let columns = plan(&batch.schema(), true, &|_| String::new());
    let pages = [GridPage { offset: 0, batch }];
    let theme = Theme::builtin("dark", Depth::None).unwrap();
    let mut grid = Grid {
        columns: &columns,
        pages: &pages,
        total: batch.num_rows() as u64,
        view: GridView::default(),
        marked: &|_| false,
        sort: None,
        banner: None,
        show_notes: false,
        row_numbers: false,
        frozen: 0,
        focused: true,
        theme: &theme,
    };
    change(&mut grid);
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    grid.render(*buf.area(), &mut buf);
    lines(&buf)
}

fn slices() -> RecordBatch {
    batch(vec![
        ("region", Arc::new(StringArray::from(vec![Some("south"), Some("north"), None]))),
        ("n", Arc::new(Int64Array::from(vec![4870, 5120, 12]))),
        ("value", Arc::new(Float64Array::from(vec![Some(0.41), Some(0.71), None]))),
        ("lower", Arc::new(Float64Array::from(vec![Some(0.38), Some(0.60), None]))),
        ("upper", Arc::new(Float64Array::from(vec![Some(0.44), Some(0.73), None]))),
        ("delta", Arc::new(Float64Array::from(vec![-0.3, 0.04, f64::NAN]))),
        ("p_adjusted", Arc::new(Float64Array::from(vec![Some(0.0), Some(0.31), None]))),
    ])
}

#[test]
fn a_fairness_table_reads_as_in_the_design() {
    let got = draw(&slices(), 60, 5, |g| g.view.row = Some(0));
    assert_eq!(
        got,
        vec![
            " region      n          value  delta  p_adjusted",
            "▸south   4,870       .41 ±.03  −0.30       <.001",
            " north   5,120  .71 [.60 .73]  +0.04         .31",
            " ∅          12            n/a    NaN         n/a",
            "",
        ]
    );
}

#[test]
fn of_two_runs_the_difference_has_the_interval() {
    let runs = batch(vec![
        ("run", Arc::new(StringArray::from(vec!["new", "other"]))),
        ("baseline", Arc::new(Float64Array::from(vec![0.41, 0.41]))),
        ("value", Arc::new(Float64Array::from(vec![0.45, 0.32]))),
        ("delta", Arc::new(Float64Array::from(vec![0.04, -0.09]))),
        ("lower", Arc::new(Float64Array::from(vec![0.03, -0.11]))),
        ("upper", Arc::new(Float64Array::from(vec![0.05, -0.07]))),
        ("wins", Arc::new(Int64Array::from(vec![1204, 3]))),
    ]);
    let got = draw(&runs, 60, 4, |_| {});
    assert_eq!(
        got,
        vec![
            " run    baseline  value      delta   wins",
            " new        0.41   0.45  +.04 ±.01  1,204",
            " other      0.41   0.32  −.09 ±.02      3",
            "",
        ]
    );
}

#[test]
fn marks_sort_numbers_banner_and_notes() {
    let got = draw(&slices(), 70, 7, |g| {
        g.row_numbers = true;
        g.show_notes = true;
        g.sort = Some((1, true));
        g.view.row = Some(1);
        g.marked = &|row| row >= 1;
        g.banner = Some(GridBanner::Partial("61 % of rows so far"));
    });
    assert!(got[0].contains("n ▼"), "{got:#?}");
    assert!(got[1].contains("text") && got[1].contains("int"), "{got:#?}");
    assert!(got[3].starts_with("◆2 north"), "{got:#?}");
    assert!(got[4].starts_with("●3 ∅"), "{got:#?}");
    assert_eq!(got[6], " partial: 61 % of rows so far");
}

#[test]
fn floats_of_a_column_align() {
    let b = batch(vec![("x", Arc::new(Float64Array::from(vec![7.912345, 12.5, -3.0, f64::INFINITY])))]);
    let got = draw(&b, 12, 5, |_| {});
    assert_eq!(got, ["      x", "  7.912", " 12.500", " -3.000", "    inf"]);
}

#[test]
fn a_thousand_columns_scroll_to_the_cursor() {
    let columns: Vec<(String, ArrayRef)> =
        (0..1000).map(|i| (format!("c{i}"), Arc::new(Int64Array::from(vec![i])) as ArrayRef)).collect();
    let b = batch(columns.iter().map(|(n, a)| (n.as_str(), a.clone())).collect());
    for col in [0, 7, 500, 999, 5000] {
        let got = draw(&b, 40, 3, |g| {
            g.view.col = Some(col);
            g.view.row = Some(0);
            g.frozen = 1;
        });
        let wanted = col.min(999).to_string();
        assert!(got[1].contains(&wanted), "{col}: {got:?}");
        assert!(got[0].trim_start().starts_with("c0"), "frozen: {got:?}");
    }
}

#[test]
fn wide_text_is_cut_and_given_spare_room() {
    let b = batch(vec![
        ("标题", Arc::new(StringArray::from(vec!["男士防水登山徒步鞋户外越野跑鞋秋冬季新款"]))),
        ("ok", Arc::new(BooleanArray::from(vec![Some(true)]))),
    ]);
    assert_eq!(draw(&b, 24, 2, |_| {})[1], " 男士防水登山徒步鞋户外…");
    assert!(draw(&b, 80, 2, |_| {})[1].contains("新款  true"));
}

#[test]
fn missing_rows_are_dots_and_nothing_is_said_so() {
    let b = slices();
    let got = draw(&b, 40, 5, |g| {
        g.total = 1000;
        g.view.top = 2;
    });
    assert!(got[2].contains('·'), "{got:?}");
    assert_eq!(draw(&b, 40, 4, |g| g.total = 0)[2], " no rows");
    assert_eq!(draw(&b, 40, 4, |g| g.columns = &[])[2], " no columns");
}

#[test]
fn scrolling_moves_as_little_as_possible() {
    assert_eq!(keep_visible(10, 5, 20), 5);
    assert_eq!(keep_visible(10, 29, 20), 10);
    assert_eq!(keep_visible(10, 30, 20), 11);
    assert_eq!(keep_visible(0, u64::MAX, 0), u64::MAX);
}
