//! TREC's text formats: runs and judgments, a line each, words between blanks. What a line lacks or has too much
//! is an error with its number; nothing is read in another way than the first line was.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Float64Builder, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::super::Failure;

/// Rows of a file: `query`, `item` and `score` or `gain`, and what there is to say of how it was read.
pub struct Trec {
    pub rows: RecordBatch,
    pub notes: Vec<String>,
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
pub fn rows(text: &str, name: &str, run: bool) -> Result<Option<Trec>, Failure> {
    let mut read: Option<Reader> = None;
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
                read.insert(Reader::new(form, form.length(words.len())))
            }
        };
        reader.take(&words).map_err(|wrong| fault(name, number, &wrong))?;
    }
    let Some(reader) = read else { return Ok(None) };
    let mut found = reader.end()?;
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

struct Reader {
    form: Form,
    /// Words of each line.
    length: usize,
    query: StringBuilder,
    item: StringBuilder,
    numbers: Float64Builder,
    /// Grades as they stand, from the first that is no number on.
    words: Option<StringBuilder>,
}

impl Reader {
    fn new(form: Form, length: usize) -> Self {
        Self {
            form,
            length,
            query: StringBuilder::new(),
            item: StringBuilder::new(),
            numbers: Float64Builder::new(),
            words: None,
        }
    }

    /// Whether a line that begins with `#` is one of data.
    fn fits(&self, words: &[&str]) -> bool {
        words.len() == self.length && self.form.fits(words)
    }

    fn take(&mut self, words: &[&str]) -> Result<(), Wrong> {
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
        match text.parse::<f64>() {
            Ok(number) => {
                if let Some(words) = &mut self.words {
                    words.append_value(text);
                }
                self.numbers.append_value(number);
            }
            Err(_) => self.take_word(text)?,
        }
        self.query.append_value(words[0]);
        self.item.append_value(words[item]);
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
        let numbers = &self.numbers;
        let words = self.words.get_or_insert_with(|| {
            let mut words = StringBuilder::new();
            numbers.values_slice().iter().for_each(|number| words.append_value(number.to_string()));
            words
        });
        words.append_value(text);
        self.numbers.append_value(f64::NAN);
        Ok(())
    }

    fn end(mut self) -> Result<Trec, Failure> {
        let (query, item) = (self.query.finish(), self.item.finish());
        let mut values = self.numbers.finish();
        let mut notes = Vec::new();
        if self.form == Form::Short {
            let ranks = ascends(query.iter().flatten().zip(values.values().iter().copied()));
            if ranks {
                values = values.values().iter().map(|rank| Some(-rank)).collect::<Float64Array>();
            }
            let as_what = if ranks { "rank (1 is best)" } else { "score (higher is better)" };
            notes.push(format!("its third column is read as the {as_what}"));
        }
        let judgments = matches!(self.form, Form::Judgments | Form::ShortJudgments);
        let name = if judgments { "gain" } else { "score" };
        let (kind, values): (DataType, ArrayRef) = match &mut self.words {
            Some(words) => (DataType::Utf8, Arc::new(words.finish())),
            None => (DataType::Float64, Arc::new(values)),
        };
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let schema = Schema::new(vec![text("query"), text("item"), Field::new(name, kind, true)]);
        let columns: Vec<ArrayRef> = vec![Arc::new(query), Arc::new(item), values];
        let rows = RecordBatch::try_new(Arc::new(schema), columns)
            .map_err(|error| Failure::bug(format!("rows of {name} do not fit: {error}")))?;
        Ok(Trec { rows, notes })
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
    use arrow::datatypes::Float64Type;

    use super::*;

    fn read(text: &str, run: bool) -> Result<Option<Trec>, String> {
        rows(text, "f", run).map_err(|failure| failure.0.message)
    }

    fn told(text: &str, run: bool) -> Vec<(String, String, f64)> {
        let found = read(text, run).unwrap().unwrap();
        let text = |at: usize| found.rows.column(at).as_string::<i32>().clone();
        let values = found.rows.column(2).as_primitive::<Float64Type>().clone();
        (0..found.rows.num_rows())
            .map(|row| (text(0).value(row).to_owned(), text(1).value(row).to_owned(), values.value(row)))
            .collect()
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
        assert_eq!(letters.rows.column(2).as_string::<i32>().value(1), "E");
        assert_eq!(letters.rows.column(2).as_string::<i32>().value(0), "1");
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
