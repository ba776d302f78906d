//! The worked examples of METRICS as data: a table of text becomes CSV and roles. No database here.

use super::{Example, MetricsRequest, Policy, Roles, Rows};

impl Example {
    fn lines(&self) -> impl Iterator<Item = Vec<&'static str>> + use<> {
        let rows: &'static str = self.rows;
        rows.lines().filter(|line| !line.trim().is_empty()).map(|line| line.split_whitespace().collect())
    }

    /// The rows with their header, as CSV; `-` is empty.
    pub fn csv(&self) -> String {
        let mut text = String::new();
        for line in self.lines() {
            let cell = |cell: &&str| match *cell {
                "-" => String::new(),
                cell => format!("\"{}\"", cell.replace('"', "\"\"")),
            };
            text.push_str(&line.iter().map(cell).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        text
    }

    /// Asks for the metric over the relation `from`, whose columns are named by their roles.
    pub fn request(&self, from: &str) -> MetricsRequest {
        let header: Vec<&str> = self.lines().next().unwrap_or_default();
        MetricsRequest::by_header(&header, from, vec![self.ask.to_owned()])
    }
}

impl MetricsRequest {
    /// Asks for metrics over the relation `from`, whose columns bear the names of their roles.
    pub fn by_header(header: &[&str], from: &str, show: Vec<String>) -> Self {
        let role = |name: &str| header.contains(&name).then(|| name.to_owned());
        let roles = Roles {
            query: role("query"),
            item: role("item"),
            user: role("user"),
            position: role("position"),
            score: role("score"),
            label: role("label"),
            gain: role("gain"),
            purchase: role("purchase"),
            text: role("text").into_iter().collect(),
            revenue: role("revenue"),
            margin: role("margin"),
            category: role("category"),
            embedding: role("embedding"),
            published: role("published"),
            time: role("time"),
            other: role("other"),
        };
        let policy = Policy {
            propensity: role("propensity"),
            target: role("target"),
            reward: role("reward"),
            q_logged: role("q_logged"),
            q_target: role("q_target"),
            examination: role("examination"),
            clip: None,
        };
        let rows = Rows { from: from.to_owned(), roles, policy, relevant_at: 1.0, ..Rows::default() };
        Self { rows, show, ..Self::default() }
    }
}
