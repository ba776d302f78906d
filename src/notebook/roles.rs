//! Guesses column roles from names and types (English and Chinese), and writes the first notebook
//! over data files. Guesses are always shown as guesses.

use super::spec::Roles;

/// A column as the guesser sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnHint {
    pub name: String,
    /// DuckDB's name of the type.
    pub sql_type: String,
}

/// A guessed role.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    pub role: &'static str,
    pub column: String,
    /// 0 to 1: an exact name of the right type is 1.
    pub confidence: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Any,
    Number,
    Text,
    Time,
    Flag,
}

/// Role, what its columns are of, and their names, best first. Compared without case and `_`.
const NAMES: [(&str, Shape, &[&str]); 10] = [
    (
        "query",
        Shape::Text,
        &[
            "query",
            "q",
            "search_term",
            "keyword",
            "search_query",
            "query_text",
            "search_phrase",
            "keywords",
            "term",
            "搜索词",
            "查询词",
            "查询",
            "关键词",
            "检索词",
            "query_id",
            "qid",
        ],
    ),
    (
        "item",
        Shape::Any,
        &[
            "item_id",
            "product_id",
            "sku",
            "asin",
            "item",
            "product",
            "doc_id",
            "docid",
            "document_id",
            "sku_id",
            "goods_id",
            "spu",
            "商品id",
            "商品编号",
            "商品",
            "物品",
            "产品",
            "doc",
            "movie_id",
            "article_id",
            "content_id",
            "listing_id",
        ],
    ),
    (
        "user",
        Shape::Any,
        &[
            "user_id",
            "user",
            "customer_id",
            "uid",
            "visitor_id",
            "session_id",
            "session",
            "member_id",
            "buyer_id",
            "用户id",
            "用户",
            "会员",
            "会话",
            "客户",
        ],
    ),
    (
        "position",
        Shape::Number,
        &[
            "position",
            "pos",
            "rank",
            "slot",
            "display_rank",
            "result_rank",
            "位置",
            "排名",
            "展示位置",
            "名次",
        ],
    ),
    (
        "score",
        Shape::Number,
        &[
            "score",
            "rank_score",
            "model_score",
            "relevance_score",
            "pred",
            "prediction",
            "ctr_score",
            "得分",
            "分数",
            "打分",
            "预测",
        ],
    ),
    (
        "label",
        Shape::Flag,
        &[
            "clicked",
            "is_click",
            "is_clicked",
            "click",
            "label",
            "purchased",
            "is_purchase",
            "bought",
            "converted",
            "conversion",
            "ordered",
            "点击",
            "是否点击",
            "购买",
            "标签",
        ],
    ),
    (
        "gain",
        Shape::Number,
        &[
            "grade",
            "rating",
            "relevance",
            "gain",
            "judgment",
            "judgement",
            "rel",
            "esci_label",
            "relevance_grade",
            "stars",
            "相关性",
            "等级",
            "评分",
            "相关度",
        ],
    ),
    (
        "time",
        Shape::Time,
        &[
            "ts",
            "time",
            "timestamp",
            "event_time",
            "date",
            "datetime",
            "created_at",
            "day",
            "event_ts",
            "时间",
            "日期",
            "时间戳",
        ],
    ),
    ("propensity", Shape::Number, &["propensity", "examination", "exam_prob", "propensity_score", "倾向"]),
    (
        "text",
        Shape::Text,
        &[
            "title",
            "text",
            "description",
            "product_title",
            "item_title",
            "name",
            "product_name",
            "body",
            "content",
            "brand",
            "标题",
            "商品标题",
            "描述",
            "名称",
            "正文",
            "商品名称",
        ],
    ),
];

/// Guesses one column per role (several for `text`), best first within a role. A column has at most
/// one role.
pub fn guess(columns: &[ColumnHint]) -> Vec<Guess> {
    let mut all: Vec<Guess> = Vec::new();
    for (role, shape, names) in NAMES {
        for column in columns {
            let confidence = name_fit(&column.name, names) * type_fit(shape, &column.sql_type);
            if confidence >= 0.35 {
                all.push(Guess { role, column: column.name.clone(), confidence });
            }
        }
    }
    all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut chosen: Vec<Guess> = Vec::new();
    for guess in all {
        let column_taken = chosen.iter().any(|g| g.column == guess.column);
        let role_taken = guess.role != "text" && chosen.iter().any(|g| g.role == guess.role);
        if !column_taken && !role_taken {
            chosen.push(guess);
        }
    }
    let place = |role: &str| NAMES.iter().position(|(name, ..)| *name == role);
    chosen.sort_by_key(|guess| place(guess.role));
    chosen
}

/// The guesses as roles, confident ones only (0.5 and more).
pub fn roles(guesses: &[Guess]) -> Roles {
    let mut roles = Roles::default();
    for guess in guesses.iter().filter(|guess| guess.confidence >= 0.5) {
        match roles.slot(guess.role) {
            Some(slot) => *slot = Some(guess.column.clone()),
            None => roles.text.push(guess.column.clone()),
        }
    }
    roles
}

fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// 1 for the first name, a little less for later ones, half for a column that only contains one.
fn name_fit(column: &str, names: &[&str]) -> f64 {
    let column_plain = plain(column);
    let exact = names.iter().position(|name| plain(name) == column_plain);
    if let Some(place) = exact {
        return 1.0 - 0.02 * place as f64;
    }
    let words: Vec<String> = column
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(String::from)
        .collect();
    let contains = names.iter().any(|name| {
        let chinese = !name.is_ascii();
        let part = if chinese { column_plain.contains(*name) } else { words.iter().any(|word| word == name) };
        part && name.chars().count() > 1
    });
    if contains { 0.6 } else { 0.0 }
}

fn type_fit(shape: Shape, sql_type: &str) -> f64 {
    let upper = sql_type.to_uppercase();
    let number = ["INT", "DECIMAL", "DOUBLE", "FLOAT", "REAL", "NUMERIC"].iter().any(|t| upper.contains(t))
        && !upper.contains("INTERVAL")
        && !upper.contains('[');
    let text = upper.starts_with("VARCHAR") && !upper.contains('[') || upper.starts_with("ENUM");
    let time = upper.starts_with("DATE") || upper.starts_with("TIME");
    let flag = upper.starts_with("BOOL");
    let fits = match shape {
        Shape::Any => number || text || upper.starts_with("UUID"),
        Shape::Number => number,
        Shape::Text => text,
        Shape::Time => time,
        Shape::Flag => flag || number,
    };
    let weak = match shape {
        // A query id groups as well as a query text; times come as text or as epoch numbers.
        Shape::Text => number,
        Shape::Time => text || number,
        _ => false,
    };
    if upper.is_empty() || fits {
        1.0
    } else if weak {
        0.6
    } else {
        0.0
    }
}

/// A data file and, where they are known already, its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DataFile {
    /// As it shall stand in the front matter.
    pub path: String,
    pub columns: Vec<ColumnHint>,
}

/// The text of a new notebook over data files: one source per path, guessed roles, and a first cell
/// that shows the first of them.
pub fn new_notebook(files: &[DataFile]) -> String {
    let mut names: Vec<String> = Vec::new();
    for file in files {
        names.push(free_name(&source_name(&file.path), &names));
    }
    let mut text = String::from("---\nrecscope: 1\nsources:\n");
    for (file, name) in files.iter().zip(&names) {
        text.push_str(&format!("  {name}: {}\n", yaml_text(&file.path)));
    }
    let guesses = files.iter().map(|file| guess(&file.columns)).max_by_key(Vec::len).unwrap_or_default();
    text.push_str(&schema_text(&guesses));
    text.push_str("---\n\n");
    for name in &names {
        let show = free_name(&format!("{name}_rows"), &names);
        text.push_str(&format!("```sql {show}\nSELECT * FROM {name}\n```\n\n"));
        break;
    }
    text.trim_end().to_string() + "\n"
}

/// The `schema` lines of guesses; unsure ones are comments.
pub fn schema_text(guesses: &[Guess]) -> String {
    if guesses.is_empty() {
        return String::new();
    }
    let sure = |guess: &&Guess| guess.confidence >= 0.5;
    let mut lines = String::new();
    for guess in guesses.iter().filter(|guess| guess.role != "text") {
        let mark = if sure(&guess) { "  " } else { "  # " };
        lines.push_str(&format!("{mark}{}: {}\n", guess.role, yaml_text(&guess.column)));
    }
    let texts: Vec<String> =
        guesses.iter().filter(|g| g.role == "text").filter(sure).map(|g| yaml_text(&g.column)).collect();
    if !texts.is_empty() {
        lines.push_str(&format!("  text: [{}]\n", texts.join(", ")));
    }
    let any = lines.lines().any(|line| !line.trim_start().starts_with('#'));
    let head = if any { "schema:" } else { "# schema:" };
    let note = "  # guessed from names and types: correct what is wrong";
    format!("{head}{note}\n{lines}")
}

/// A source's name from its path: the file's name without endings, or the folder's before a glob.
fn source_name(path: &str) -> String {
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let wild = |part: &str| part.contains(['*', '?', '[', '=']);
    let part = parts.iter().rev().find(|part| !wild(part)).copied().unwrap_or("data");
    let stem = part.split('.').find(|piece| !piece.is_empty()).unwrap_or("data");
    super::document::identifier(stem).to_lowercase()
}

fn free_name(base: &str, taken: &[String]) -> String {
    let free = |name: &String| !taken.iter().any(|t| t == name);
    let numbered = (2u32..).map(|n| format!("{base}_{n}"));
    std::iter::once(base.to_string()).chain(numbered).find(free).unwrap_or_else(|| base.to_string())
}

/// A YAML scalar that reads back as the text.
fn yaml_text(text: &str) -> String {
    let safe_start = text.chars().next().is_some_and(|c| c.is_alphanumeric() || "/._".contains(c));
    let safe = text.chars().all(|c| c.is_alphanumeric() || "/._-*=@+".contains(c));
    let reserved = text.parse::<f64>().is_ok()
        || ["true", "false", "yes", "no", "on", "off", "null", "y", "n"]
            .contains(&text.to_lowercase().as_str());
    if safe && safe_start && !reserved {
        return text.to_string();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", c as u32)),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::super::Notebook;
    use super::*;

    fn columns(list: &[(&str, &str)]) -> Vec<ColumnHint> {
        list.iter()
            .map(|(name, ty)| ColumnHint { name: name.to_string(), sql_type: ty.to_string() })
            .collect()
    }

    fn said(list: &[(&str, &str)]) -> String {
        guess(&columns(list)).iter().map(|g| format!("{}={}", g.role, g.column)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn english_and_chinese_names_are_known() {
        assert_eq!(
            said(&[
                ("ts", "TIMESTAMP"),
                ("user_id", "BIGINT"),
                ("query", "VARCHAR"),
                ("item_id", "BIGINT"),
                ("title", "VARCHAR"),
                ("position", "INTEGER"),
                ("clicked", "BOOLEAN"),
                ("grade", "INTEGER"),
                ("price", "DOUBLE"),
            ]),
            "query=query item=item_id user=user_id position=position label=clicked gain=grade time=ts text=title"
        );
        assert_eq!(
            said(&[
                ("搜索词", "VARCHAR"),
                ("商品ID", "BIGINT"),
                ("商品标题", "VARCHAR"),
                ("是否点击", "TINYINT"),
                ("位置", "INTEGER")
            ]),
            "query=搜索词 item=商品ID position=位置 label=是否点击 text=商品标题"
        );
    }

    #[test]
    fn types_speak_against_names() {
        assert_eq!(said(&[("position", "VARCHAR"), ("clicked", "VARCHAR")]), "");
        assert_eq!(said(&[("price", "DOUBLE"), ("colour", "VARCHAR")]), "");
        assert_eq!(said(&[("query_id", "INTEGER"), ("query", "VARCHAR")]), "query=query");
    }

    #[test]
    fn a_new_notebook_shows_the_first_file_and_reads_back() {
        let files = [
            DataFile {
                path: "logs/day=*/impressions-11.parquet".into(),
                columns: columns(&[("query", "VARCHAR"), ("sku", "BIGINT"), ("no", "INT")]),
            },
            DataFile { path: "日 志: a.csv".into(), columns: vec![] },
            DataFile { path: "x/impressions-11.csv".into(), columns: vec![] },
        ];
        let text = new_notebook(&files);
        let notebook = Notebook::parse(&text);
        assert_eq!(notebook.diagnostics(), [], "{text}");
        let names: Vec<&str> = notebook.front().sources.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["impressions_11", "日_志_a", "impressions_11_2"]);
        assert_eq!(notebook.front().sources[1].paths, ["日 志: a.csv"]);
        assert_eq!(notebook.front().schema.query.as_deref(), Some("query"));
        assert_eq!(notebook.cells().count(), 1);
        assert!(text.contains("guessed"));
    }

    #[test]
    fn awkward_paths_read_back() {
        for path in ["no", "1", "-x", "a#b: c", "q\"uote\\", "s3://b/*.parquet", "*.csv", "[x].csv"] {
            let text = new_notebook(&[DataFile { path: path.into(), columns: vec![] }]);
            let notebook = Notebook::parse(&text);
            assert_eq!(notebook.diagnostics(), [], "{text}");
            assert_eq!(notebook.front().sources[0].paths, [path], "{text}");
        }
    }
}
