//! Guesses column roles from names and types (English and Chinese). Guesses are always shown as
//! guesses; the notebook that shows them first is `fresh.rs`.

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
const NAMES: [(&str, Shape, &[&str]); 11] = [
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
            "search",
            "search_text",
            "query_id",
            "search_id",
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
    (
        "propensity",
        Shape::Number,
        &["propensity", "propensity_score", "action_prob", "pscore", "logging_prob", "倾向"],
    ),
    ("examination", Shape::Number, &["examination", "exam_prob", "examination_prob"]),
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

#[cfg(test)]
mod tests {
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
}
