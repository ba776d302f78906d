//! TREC's text formats: runs and judgments, a line each, words between blanks. What a line lacks or has too much
//! is an error with its number; nothing is read in another way than the first line was.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::super::Failure;
use crate::analysis::metrics::sides::Side;

/// Rows of a file, and what there is to say of how it was read.
pub struct Trec<'t> {
    /// Queries, items, and scores or gains.
    pub side: Side<'t>,
    /// Gains as they stand, where they are not all numbers.
    pub words: Option<Vec<String>>,
    /// The score or the gain.
    value: &'static str,
    pub notes: Vec<String>,
}

impl Trec<'_> {
    /// `query`, `item` and `score` or `gain`.
    pub fn batch(&self) -> Result<RecordBatch, Failure> {
        let side = &self.side;
        let queries = StringArray::from_iter_values(side.queries().collect::<Vec<_>>());
        let items = StringArray::from_iter_values((0..side.rows()).map(|row| side.item(row)));
        let (kind, values): (DataType, ArrayRef) = match &self.words {
            Some(words) => (DataType::Utf8, Arc::new(StringArray::from_iter_values(words))),
            None => (DataType::Float64, Arc::new(Float64Array::from(side.value.clone()))),
        };
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(vec![text("query"), text("item"), Field::new(self.value, kind, true)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(queries), Arc::new(items), values])
            .map_err(|error| Failure::bug(format!("rows of {} do not fit: {error}", self.value)))
    }
}

/// What the words of a line are.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// `query Q0 item rank score tag`; a tag of several words has as many in every line.
    Run,
    /// `query item rank score`
    Ranked,
    /// `query item rank`, as MS MARCO has it, or `query item score`
    Short,
    /// `query 0 item grade`
    Judgments,
    /// `query item grade`
    ShortJudgments,
}

impl Form {
    /// Of a file whose first line has these words; `None`: it is none of TREC's.
    fn of(words: &[&str], run: bool) -> Option<Form> {
        let number = |at: usize| words.get(at).is_some_and(|word| word.parse::<f64>().is_ok());
        let csv = words.len() > 1 && words[..words.len() - 1].iter().all(|word| word.ends_with([',', ';']));
        match words.len() {
            _ if csv || words[0].starts_with(['{', '[']) => None,
            3 if run => number(2).then_some(Form::Short),
            4 if run && words[1] != "Q0" => (number(2) && number(3)).then_some(Form::Ranked),
            4.. if run => Some(Form::Run),
            3 => number(2).then_some(Form::ShortJudgments),
            4.. => Some(Form::Judgments),
            _ => None,
        }
    }

    /// Places of item and value.
    fn places(self) -> (usize, usize) {
        match self {
            Form::Run => (2, 4),
            Form::Ranked => (1, 3),
            Form::Short | Form::ShortJudgments => (1, 2),
            Form::Judgments => (2, 3),
        }
    }

    /// Whether a number stands where one must.
    fn fits(self, words: &[&str]) -> bool {
        words.get(self.places().1).is_some_and(|word| word.parse::<f64>().is_ok())
    }

    /// Words of each line of a file whose first has so many: only a tag may be of several.
    fn length(self, first: usize) -> usize {
        match self {
            Form::Run => first.max(self.needs().0),
            Form::Ranked | Form::Short | Form::Judgments | Form::ShortJudgments => self.needs().0,
        }
    }

    /// Words of a line, and what they are.
    fn needs(self) -> (usize, &'static str) {
        match self {
            Form::Run => (6, "a TREC run has 6: query Q0 item rank score tag"),
            Form::Ranked => (4, "its first line has 4: query item rank score"),
            Form::Short => (3, "its first line has 3: query item rank"),
            Form::Judgments => (4, "TREC's judgments have 4: query 0 item grade"),
            Form::ShortJudgments => (3, "its first line has 3: query item grade"),
        }
    }
}

/// Reads the text of a file that is called `name` in errors; `None` where its first line is not of TREC's formats.
pub fn rows<'t>(text: &'t str, name: &str, run: bool) -> Result<Option<Trec<'t>>, Failure> {
    let mut read: Option<Reader<'t>> = None;
    let mut comments = 0u64;
    let mut words = Vec::new();
    for (number, line) in lines(text) {
        words.clear();
        words.extend(line.split_ascii_whitespace());
        if words.is_empty() {
            continue;
        }
        let data = || match &read {
            Some(reader) => reader.fits(&words),
            None => Form::of(&words, run).is_some_and(|form| form.fits(&words)),
        };
        if words[0].starts_with('#') && (words[0] == "#" || !data()) {
            comments += 1;
            continue;
        }
        let reader = match &mut read {
            Some(reader) => reader,
            None => {
                let Some(form) = Form::of(&words, run) else { return Ok(None) };
                read.insert(Reader::new(form, form.length(words.len()), text.len() / (line.len() + 1)))
            }
        };
        reader.take(&words).map_err(|wrong| fault(name, number, &wrong))?;
    }
    let Some(reader) = read else { return Ok(None) };
    let mut found = reader.end();
    if comments > 0 {
        let lines = crate::util::figures::plural(comments, "line that begins", "lines that begin");
        found.notes.push(format!("{lines} with # passed over as comments"));
    }
    Ok(Some(found))
}

/// Lines with their numbers; old Macs end them with CR alone.
fn lines(text: &str) -> impl Iterator<Item = (u64, &str)> {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    (1..).zip(text.split(end))
}

fn fault(name: &str, line: u64, (wrong, hint): &(String, &str)) -> Failure {
    Failure::data(format!("{name}, line {line}: {wrong}")).hint(*hint)
}

/// What is wrong with a line, and what to do.
type Wrong = (String, &'static str);

struct Reader<'t> {
    form: Form,
    /// Words of each line.
    length: usize,
    side: Side<'t>,
    /// Grades as they stand, from the first that is no number on.
    words: Option<Vec<String>>,
}

impl<'t> Reader<'t> {
    /// `lines`: about as many as there will be.
    fn new(form: Form, length: usize, lines: usize) -> Self {
        Self { form, length, side: Side::borrowing(lines), words: None }
    }

    /// Whether a line that begins with `#` is one of data.
    fn fits(&self, words: &[&str]) -> bool {
        words.len() == self.length && self.form.fits(words)
    }

    fn take(&mut self, words: &[&'t str]) -> Result<(), Wrong> {
        let (item, value) = self.form.places();
        if words.len() != self.length {
            let (_, needs) = self.form.needs();
            let hint = match words.len() > self.length {
                true => {
                    "an id holds no blanks in these formats: write such ids as CSV (query,item,score), JSON or Parquet"
                }
                false => "add what is missing, or leave the line out",
            };
            let words = crate::util::figures::plural(words.len() as u64, "word", "words");
            return Err((format!("{words} where {needs}"), hint));
        }
        let text = words[value];
        let number = match text.parse::<f64>() {
            Ok(number) => {
                if let Some(words) = &mut self.words {
                    words.push(text.to_owned());
                }
                number
            }
            Err(_) => {
                self.take_word(text)?;
                f64::NAN
            }
        };
        self.side.push(words[0], words[item], number);
        Ok(())
    }

    /// Grades may be letters or words (E, S, C, I); a score is a number.
    fn take_word(&mut self, text: &str) -> Result<(), Wrong> {
        let judgments = matches!(self.form, Form::Judgments | Form::ShortJudgments);
        if !judgments || !text.chars().all(|c| c.is_alphabetic() || c == '_' || c == '-') {
            let what = if judgments { "grade" } else { "score" };
            let hint = match text.contains(',') {
                true => "write decimals with a point (9.5)",
                false => "these formats have a number there",
            };
            return Err((format!("the {what} `{text}` is not a number"), hint));
        }
        let before = || self.side.value.iter().map(f64::to_string).collect();
        self.words.get_or_insert_with(before).push(text.to_owned());
        Ok(())
    }

    fn end(mut self) -> Trec<'t> {
        let mut notes = Vec::new();
        if self.form == Form::Short {
            let side = &mut self.side;
            let ranks = ascends(side.queries().zip(side.value.iter().copied()));
            if ranks {
                side.value.iter_mut().for_each(|rank| *rank = -*rank);
            }
            let as_what = if ranks { "rank (1 is best)" } else { "score (higher is better)" };
            notes.push(format!("its third column is read as the {as_what}"));
        }
        let judgments = matches!(self.form, Form::Judgments | Form::ShortJudgments);
        let value = if judgments { "gain" } else { "score" };
        Trec { side: self.side, words: self.words, value, notes }
    }
}

/// Whether whole numbers rise from row to row of each query, from 0 or 1: ranks, not scores.
fn ascends<'t>(rows: impl Iterator<Item = (&'t str, f64)>) -> bool {
    let mut last: HashMap<&str, f64> = HashMap::new();
    for (query, value) in rows {
        let rises = match last.insert(query, value) {
            Some(before) => value > before,
            None => value == 0.0 || value == 1.0,
        };
        if !rises || value.fract() != 0.0 {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    fn read(text: &str, run: bool) -> Result<Option<Trec<'_>>, String> {
        rows(text, "f", run).map_err(|failure| failure.0.message)
    }

    fn told(text: &str, run: bool) -> Vec<(String, String, f64)> {
        let side = read(text, run).unwrap().unwrap().side;
        let row =
            |(query, row): (&str, usize)| (query.to_owned(), side.item(row).to_owned(), side.value[row]);
        side.queries().zip(0..).map(row).collect()
    }

    #[test]
    fn every_form_is_read() {
        let row = |q: &str, i: &str, v: f64| (q.to_owned(), i.to_owned(), v);
        assert_eq!(
            told("# c\n1 Q0 跑鞋 1 9.5 t\n\n1\tQ0\tb\t2\t-inf\tt\r\n", true),
            [row("1", "跑鞋", 9.5), row("1", "b", f64::NEG_INFINITY)]
        );
        assert_eq!(told("1 Q0 a 1 3 my tag\n1 Q0 b 2 2 my tag\n", true).len(), 2);
        assert_eq!(
            told("q1\td1\t1\nq1\td2\t2\nq2\td9\t1", true),
            [row("q1", "d1", -1.0), row("q1", "d2", -2.0), row("q2", "d9", -1.0)]
        );
        assert_eq!(told("q1 d1 9\nq1 d2 7\n", true)[0], row("q1", "d1", 9.0));
        assert_eq!(told("q1 d1 1 0.7\n", true), [row("q1", "d1", 0.7)]);
        assert_eq!(told("1 0 a 2\r1 0 b 0\r", false), [row("1", "a", 2.0), row("1", "b", 0.0)]);
        assert_eq!(told("1 a 2\n", false), [row("1", "a", 2.0)]);
        assert_eq!(told("#1 0 a 2\n#2 0 a 1\n# 3 lines\n", false).len(), 2, "queries may begin so");
        let letters = read("1 0 a 1\n1 0 b E\n", false).unwrap().unwrap();
        let rows = letters.batch().unwrap();
        assert_eq!(rows.column(2).as_string::<i32>().value(1), "E");
        assert_eq!(rows.column(2).as_string::<i32>().value(0), "1");
    }

    #[test]
    fn a_line_that_does_not_fit_is_named() {
        let wrong = |text: &str, run| read(text, run).err().unwrap();
        let six = "1 Q0 a 1 3 r\n";
        assert!(
            wrong(&format!("{six}1 Q0 doc with space 3 1.5 t\n"), true)
                .starts_with("f, line 2: 8 words where a TREC run has 6")
        );
        assert!(wrong("1 Q0 a 1 9.5\n", true).starts_with("f, line 1: 5 words where a TREC run has 6"));
        assert_eq!(wrong("1 Q0 a 1 9,5 t\n", true), "f, line 1: the score `9,5` is not a number");
        assert_eq!(wrong("1 0 a 1\n1 0 b 1,5\n", false), "f, line 2: the grade `1,5` is not a number");
        assert!(wrong("1 0 a 1\n1 0 b\n", false).contains("line 2: 3 words where TREC's judgments have 4"));
    }

    #[test]
    fn other_files_are_left_to_their_readers() {
        for text in [
            "query,item,score\n1,a,2\n",
            "query\titem\tscore\n1\ta\t2\n",
            "{\"query\": 1, \"item\": \"a\"}\n",
            "",
            "a, b, 1\n",
        ] {
            assert!(read(text, true).unwrap().is_none(), "{text}");
        }
    }
}
