//! Cells that read each other in a circle: found in one walk over the graph, told by the shortest way.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::Graph;
use crate::notebook::{Diagnostic, Notebook};

/// Circles that are told by their way; a shortest way costs a walk of its own.
const MOST_WAYS: usize = 100;
/// Cells of a circle that are named.
const MOST_NAMES: usize = 12;

impl Graph {
    /// Every cell that reads itself in the end, each circle once.
    pub(super) fn find_circles(&mut self, notebook: &Notebook) {
        let knots = self.knots();
        let mut reported = BTreeSet::new();
        let mut ways = 0;
        for start in 0..self.nodes.len() {
            let alone = knots.sizes[knots.of[start]] == 1 && !self.nodes[start].reads.contains(&start);
            if alone || reported.contains(&start) {
                continue;
            }
            let circle = if ways < MOST_WAYS { self.circle_from(start, &knots.of) } else { None };
            ways += 1;
            let name = self.nodes[start].name.clone();
            let message = match &circle {
                Some(circle) if circle.len() > 1 => {
                    let names: Vec<&str> =
                        circle.iter().chain([&start]).map(|i| self.nodes[*i].name.as_str()).collect();
                    format!("cells read each other in a circle: {}", way(&names))
                }
                Some(_) => format!("`{name}` reads itself"),
                None => format!("`{name}` reads itself, by way of other cells"),
            };
            reported.extend(circle.into_iter().flatten());
            if let Some(cell) = notebook.cell(&name) {
                let hint = "let one of them read a source, or a cell above it";
                self.diagnostics.push(Diagnostic::error(cell.line, 1, message).suggest(hint).in_cell(&name));
            }
        }
    }

    /// The shortest way from a cell back to itself, which stays in its knot.
    fn circle_from(&self, start: usize, knot: &[usize]) -> Option<Vec<usize>> {
        let mut came_from: HashMap<usize, usize> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for &next in self.nodes[at].reads.iter().filter(|next| knot[**next] == knot[start]) {
                if next == start {
                    let mut path = vec![at];
                    while let Some(&last) = path.last().filter(|last| **last != start) {
                        path.push(*came_from.get(&last)?);
                    }
                    path.reverse();
                    return Some(path);
                }
                if let std::collections::hash_map::Entry::Vacant(entry) = came_from.entry(next) {
                    entry.insert(at);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// Sets of cells that all reach each other (Kosaraju). No recursion: a chain may be of any length.
    fn knots(&self) -> Knots {
        let mut knots = Knots { of: vec![usize::MAX; self.nodes.len()], sizes: Vec::new() };
        for start in self.settled_order().into_iter().rev() {
            if knots.of[start] != usize::MAX {
                continue;
            }
            let number = knots.sizes.len();
            let mut size = 0;
            let mut stack = vec![start];
            knots.of[start] = number;
            while let Some(at) = stack.pop() {
                size += 1;
                for &next in &self.nodes[at].readers {
                    if knots.of[next] == usize::MAX {
                        knots.of[next] = number;
                        stack.push(next);
                    }
                }
            }
            knots.sizes.push(size);
        }
        knots
    }

    /// Cells in the order in which a walk along what they read is done with them.
    fn settled_order(&self) -> Vec<usize> {
        let mut seen = vec![false; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        for start in 0..self.nodes.len() {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            let mut stack = vec![(start, 0)];
            while let Some((at, tried)) = stack.last_mut() {
                match self.nodes[*at].reads.get(*tried).copied() {
                    Some(next) => {
                        *tried += 1;
                        if !std::mem::replace(&mut seen[next], true) {
                            stack.push((next, 0));
                        }
                    }
                    None => {
                        order.push(*at);
                        stack.pop();
                    }
                }
            }
        }
        order
    }
}

/// A long way is cut in the middle.
fn way(names: &[&str]) -> String {
    match names.len() {
        0..=MOST_NAMES => names.join(" reads "),
        n => {
            let (head, tail) = (names[..MOST_NAMES / 2].join(" reads "), names[n - 2..].join(" reads "));
            format!("{head} reads … ({} more) … reads {tail}", n - MOST_NAMES / 2 - 2)
        }
    }
}

struct Knots {
    /// Number of the knot of each cell.
    of: Vec<usize>,
    sizes: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use crate::notebook::{Notebook, Params};

    #[test]
    fn long_chains_and_many_circles_are_told() {
        let mut text = String::from("```sql q0\nSELECT 1\n```\n");
        for i in 1..20_000 {
            text.push_str(&format!("```sql q{i}\nFROM q{}\n```\n", i - 1));
        }
        let graph = Notebook::parse(&text).graph(&Params::default());
        assert_eq!(graph.diagnostics(), []);
        assert_eq!(graph.order().len(), 20_000);
        let closed = text.replacen("SELECT 1", "FROM q19999", 1);
        assert_eq!(Notebook::parse(&closed).graph(&Params::default()).diagnostics().len(), 1);
        let pairs: String =
            (0..300).map(|i| format!("```sql a{i}\nFROM b{i}\n```\n```sql b{i}\nFROM a{i}\n```\n")).collect();
        let graph = Notebook::parse(&pairs).graph(&Params::default());
        let ways = graph.diagnostics().iter().filter(|fault| fault.message.contains("in a circle")).count();
        assert_eq!(ways, super::MOST_WAYS);
        assert!(graph.diagnostics().len() >= 300, "every circle is told");
    }

    #[test]
    fn what_lies_between_two_circles_is_in_none() {
        let text =
            "```sql a\nFROM a\n```\n```sql b\nFROM a\n```\n```sql c\nFROM b, d\n```\n```sql d\nFROM c\n```\n";
        let graph = Notebook::parse(text).graph(&Params::default());
        let told: Vec<&str> = graph.diagnostics().iter().filter_map(|fault| fault.cell.as_deref()).collect();
        assert_eq!(told, ["a", "c"]);
    }
}
