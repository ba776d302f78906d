//! Takes secrets out of what is said: passwords and signatures in URLs. What is said may end in a CI log.

/// What follows `?` or `#` in a URL becomes `...`; what stands before the `@` of its host goes.
pub fn urls(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        let (url, tail) = after.split_at(end_of_url(after));
        let cut = url.find(['?', '#']).unwrap_or(url.len());
        let (path, query) = url.split_at(cut);
        let host = path.find('/').unwrap_or(path.len());
        // A password may hold a `/` that should have been escaped; behind a host with a port, `@` is a name.
        let port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
        let torn = path[..host].split_once(':').is_some_and(|(_, rest)| !port(rest));
        let user = path.rfind('@').filter(|at| *at < host || torn).map_or(0, |at| at + 1);
        out.push_str(before);
        out.push_str(&path[user..]);
        out.extend(query.chars().take(1));
        out.push_str(if query.len() > 1 { "..." } else { "" });
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Blanks, quotes and brackets end a URL in a sentence; where a host is still to come behind them (a
/// password may hold such a character), the URL goes on.
fn end_of_url(after: &str) -> usize {
    let ends = |c: char| c.is_whitespace() || "'\"<>)],`".contains(c);
    let blank = after.find(char::is_whitespace).unwrap_or(after.len());
    let end = after.find(ends).unwrap_or(after.len());
    match after[end..blank].find('@') {
        Some(at) if after[..end].contains(':') && !after[..end].contains(['/', '?', '@']) => {
            let host = end + at;
            after[host..blank].find(ends).map_or(blank, |more| host + more)
        }
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        for (text, clean) in [
            ("cannot read 's3://b/x.csv?secret=K&x=1' here", "cannot read 's3://b/x.csv?...' here"),
            ("http://user:pass@host:9/a/b.csv: refused", "http://host:9/a/b.csv: refused"),
            ("(https://h/x#sig=K)", "(https://h/x#...)"),
            ("https://u@h", "https://h"),
            ("http://u:p/q@h/x", "http://h/x"),
            ("'http://u:p'w@h/x' no", "'http://h/x' no"),
            ("http://u:p,w)@h/x, then", "http://h/x, then"),
            ("https://h/@scope/x https://h:443/@scope/x", "https://h/@scope/x https://h:443/@scope/x"),
            ("'s3://key:sec@ret@bucket/a.parquet?sig=abc'", "'s3://bucket/a.parquet?...'"),
            ("see https://huggingface.co/a/b, or not", "see https://huggingface.co/a/b, or not"),
            ("https://h/x?", "https://h/x?"),
            ("a ://", "a ://"),
            ("跑鞋 s3://桶/鞋?k=跑", "跑鞋 s3://桶/鞋?..."),
            ("one s3://a?k=1 two s3://b?k=2", "one s3://a?... two s3://b?..."),
        ] {
            assert_eq!(urls(text), clean);
            assert_eq!(urls(clean), clean, "said twice");
        }
    }
}
