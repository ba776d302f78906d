//! Names of columns that hold ids: what tells things apart and is never counted with. `0012` and `12` are two
//! ids, as are two of twenty digits that floating-point numbers cannot tell apart.

/// Words that make a name one of an id by standing last in it.
const LAST: &[&str] = &[
    "id",
    "ids",
    "uid",
    "uuid",
    "guid",
    "pid",
    "qid",
    "iid",
    "sid",
    "cid",
    "tid",
    "vid",
    "oid",
    "asin",
    "ean",
    "gtin",
    "upc",
    "isbn",
    "issn",
    "sku",
    "spu",
    "mpn",
    "barcode",
    "zip",
    "zipcode",
    "postcode",
    "phone",
    "mobile",
    "tel",
    "imei",
    "md5",
    "sha1",
    "sha256",
    "fingerprint",
    "cookie",
];

/// Names that are ids by themselves.
const WHOLE: &[&str] = &[
    "query",
    "item",
    "user",
    "session",
    "rater",
    "supplier",
    "seller",
    "merchant",
    "shop",
    "doc",
    "docid",
    "docno",
    "document",
    "product",
    "customer",
    "visitor",
    "member",
    "buyer",
    "topic",
    "postal_code",
    "zip_code",
];

/// Ends of Chinese names.
const CHINESE: &[&str] =
    &["编号", "编码", "号码", "单号", "货号", "手机号", "会员号", "用户", "商品", "会话", "邮编", "条码"];

/// Whether a column of this name holds ids: `item_id`, `clientId`, `ASIN`, `query`, `商品编号`.
pub fn names_an_id(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    LAST.contains(&last.as_str())
        || WHOLE.contains(&words.join("_").as_str())
        || CHINESE.iter().any(|end| name.trim().ends_with(end))
        // `商品ID`, `用户id`: no word ends before the Latin letters.
        || !name.is_ascii() && last.ends_with("id")
}

/// Words for those who search: alone, or before a word of ids.
const USERS: &[&str] =
    &["user", "customer", "visitor", "member", "buyer", "client", "account", "uid", "userid"];

/// Whether a column of this name holds users: `user_id`, `customerId`, `uid`, `用户ID`, `会员号`.
pub fn names_a_user(name: &str) -> bool {
    let words = words(name);
    let chinese = ["用户", "会员", "买家", "顾客"].iter().any(|word| name.contains(word));
    let user = |at: usize| words.get(at).is_some_and(|word| USERS.contains(&word.as_str()));
    match words.len() {
        1 => user(0) || (chinese && names_an_id(name)),
        2.. => names_an_id(name) && (user(words.len() - 2) || user(words.len() - 1) || chinese),
        _ => false,
    }
}

/// Words of a name in lower case: between `_`, other signs and the humps of camelCase.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in name.trim().chars() {
        let hump = c.is_uppercase() && (before.is_lowercase() || before.is_ascii_digit());
        if hump || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_users() {
        for name in ["user", "user_id", "customerId", "uid", "visitor.id", "用户ID", "会员号", "app_user_id"]
        {
            assert!(names_a_user(name), "{name}");
        }
        for name in ["item_id", "query", "user_segment", "customer_age", "用户等级", "", "session_id"] {
            assert!(!names_a_user(name), "{name}");
        }
    }

    #[test]
    fn names_of_ids_and_others() {
        for name in [
            "id",
            "item_id",
            "clientId",
            "userID",
            "ASIN",
            "query",
            "Item",
            "session-id",
            "doc_id",
            "docid",
            "zip",
            "商品ID",
            "商品编号",
            "用户",
            "product.id",
            "GTIN",
            "query_ids",
        ] {
            assert!(names_an_id(name), "{name}");
        }
        for name in [
            "price",
            "position",
            "score",
            "label",
            "paid",
            "valid",
            "grid",
            "rapid",
            "clicks",
            "item_count",
            "",
            "曝光",
        ] {
            assert!(!names_an_id(name), "{name}");
        }
    }
}
