//! Who reads whom: the dependency graph of a notebook's cells, orders to run them in, and faults of
//! names (unknown ones, cycles).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use super::check::Check;
use super::spec::{CellSpec, CompareSpec, Compared, DevSplit, Input};
use super::{Cell, Diagnostic, Kind, Notebook, Params, sql};

mod circles;

/// The dependency graph. Names are as the notebook writes them where they are defined; looking one
/// up ignores case, as SQL does. Every walk visits a cell once: notebooks of ten thousand cells are
/// written by programs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    index: HashMap<String, usize>,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Clone, PartialEq)]
struct Node {
    name: String,
    kind: Kind,
    /// Sources read.
    sources: Vec<String>,
    /// Cells read, as indices, ascending.
    reads: Vec<usize>,
    /// Cells that read it, ascending.
    readers: Vec<usize>,
}

/// A name that a cell reads, and where it stands in the body.
struct Read {
    name: String,
    offset: usize,
    /// `from = "x"` must be a cell or source; a table in SQL may be something only the database knows.
    strict: bool,
}

/// Unknown names that are told what may be meant: that costs a look at every name there is.
const MOST_SUGGESTIONS: usize = 20;
/// Unknown names of one cell that are told, each with its place.
const MOST_UNKNOWN: usize = 50;

/// What was found in one cell.
#[derive(Default)]
struct Told {
    /// Some cell may make tables that the notebook does not name.
    makes_tables: bool,
    sources: HashSet<String>,
    /// Those that may be known to the database, and those that must be cells or sources.
    unknown: [usize; 2],
}

impl Graph {
    /// Reads every cell of a notebook; what a cell reads may hang on the parameters (`from = "{{src}}"`).
    pub fn of(notebook: &Notebook, params: &Params) -> Graph {
        let read = |cell| notebook.read_cell(cell, params).0;
        Self::with(notebook, &notebook.cells().map(read).collect::<Vec<_>>())
    }

    /// As [`Graph::of`]; `specs`: what each cell asks for, in the notebook's order.
    pub(super) fn with(notebook: &Notebook, specs: &[Option<CellSpec>]) -> Graph {
        let mut graph = Graph::default();
        let mut cells = Vec::new();
        for (cell, spec) in notebook.cells().zip(specs) {
            let key = cell.name.to_lowercase();
            // Of cells with one name the first counts; the others are a fault that says so.
            if !graph.index.contains_key(&key) {
                graph.index.insert(key, graph.nodes.len());
                let node = Node {
                    name: cell.name.clone(),
                    kind: cell.kind,
                    sources: Vec::new(),
                    reads: Vec::new(),
                    readers: Vec::new(),
                };
                graph.nodes.push(node);
                cells.push((cell, spec));
            }
        }
        let makes_tables = notebook.cells().any(creates);
        for (at, (cell, spec)) in cells.into_iter().enumerate() {
            let mut told = Told { makes_tables, ..Told::default() };
            for read in reads(cell, spec.as_ref()) {
                graph.link(notebook, at, cell, &read, &mut told);
            }
            let reads = &mut graph.nodes[at].reads;
            reads.sort_unstable();
            reads.dedup();
        }
        for at in 0..graph.nodes.len() {
            for read in graph.nodes[at].reads.clone() {
                graph.nodes[read].readers.push(at);
            }
        }
        graph.find_circles(notebook);
        graph
    }

    fn link(&mut self, notebook: &Notebook, at: usize, cell: &Cell, read: &Read, told: &mut Told) {
        let source = notebook.front().source(&read.name);
        let target = self.index.get(&read.name.to_lowercase()).copied();
        // `CREATE TABLE x` in cell x, or a source of the same name: reads something else.
        let own = target == Some(at) && !read.strict && source.is_some();
        match (target, source) {
            (Some(target), _) if !own => self.nodes[at].reads.push(target),
            (_, Some(source)) => {
                let new = told.sources.insert(source.name.clone());
                self.nodes[at].sources.extend(new.then(|| source.name.clone()));
            }
            _ if (read.strict || !told.makes_tables)
                && told.unknown[usize::from(read.strict)] < MOST_UNKNOWN =>
            {
                told.unknown[usize::from(read.strict)] += 1;
                self.unknown(notebook, cell, read);
            }
            _ => {}
        }
    }

    fn unknown(&mut self, notebook: &Notebook, cell: &Cell, read: &Read) {
        let message = format!("there is no cell or source `{}`", read.name);
        let mut fault = cell.fault(read.offset, message);
        if self.diagnostics.len() < MOST_SUGGESTIONS {
            let sources = notebook.front().sources.iter().map(|source| source.name.as_str());
            let cells = notebook.cells().map(|cell| cell.name.as_str()).filter(|name| *name != cell.name);
            fault = fault.suggest_from(&read.name, sources.chain(cells));
        }
        if !read.strict {
            fault.severity = super::Severity::Warning;
        }
        self.diagnostics.push(fault);
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.index.get(&name.to_lowercase()).copied()
    }

    fn names(&self, nodes: impl IntoIterator<Item = usize>) -> Vec<String> {
        nodes.into_iter().map(|at| self.nodes[at].name.clone()).collect()
    }

    /// Unknown names and cycles.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Cells that a cell reads directly.
    pub fn reads(&self, name: &str) -> Vec<String> {
        self.at(name).map_or_else(Vec::new, |at| self.names(self.nodes[at].reads.iter().copied()))
    }

    /// The same, without copies.
    pub fn direct(&self, name: &str) -> impl Iterator<Item = &str> {
        let reads = self.at(name).map_or(&[][..], |at| &self.nodes[at].reads);
        reads.iter().map(|at| self.nodes[*at].name.as_str())
    }

    /// Sources that a cell reads directly.
    pub fn sources(&self, name: &str) -> &[String] {
        self.at(name).map_or(&[], |at| &self.nodes[at].sources)
    }

    /// Everything a cell needs, in running order, without itself.
    pub fn ancestors(&self, name: &str) -> Vec<String> {
        self.at(name).map_or_else(Vec::new, |at| {
            let mut needed = self.upstream([at]);
            needed.remove(&at);
            self.sorted(&needed)
        })
    }

    /// Everything that goes stale when a cell changes, in running order, without itself.
    pub fn descendants(&self, name: &str) -> Vec<String> {
        self.at(name).map_or_else(Vec::new, |at| {
            let mut stale = self.downstream([at]);
            stale.remove(&at);
            self.sorted(&stale)
        })
    }

    /// All cells, each behind what it reads, otherwise as in the file. Cells in a circle come last.
    pub fn order(&self) -> Vec<String> {
        self.sorted(&(0..self.nodes.len()).collect())
    }

    /// These cells with everything they need, in running order.
    pub fn order_for(&self, names: &[&str]) -> Vec<String> {
        self.sorted(&self.upstream(names.iter().filter_map(|name| self.at(name))))
    }

    /// A cell and everything below it that depends on it, in running order. What it needs itself is
    /// not in it: see [`Graph::order_for`].
    pub fn run_from(&self, name: &str) -> Vec<String> {
        self.at(name).map_or_else(Vec::new, |at| self.sorted(&self.downstream([at])))
    }

    /// These cells and everything that depends on one of them, in no order.
    pub fn with_descendants<'a>(&'a self, names: impl IntoIterator<Item = &'a str>) -> HashSet<&'a str> {
        let below = self.downstream(names.into_iter().filter_map(|name| self.at(name)));
        below.into_iter().map(|at| self.nodes[at].name.as_str()).collect()
    }

    /// Tells each cell that depends on this one, nearest first and once; where `each` says no, what is
    /// reached only through that cell is left out.
    pub fn each_below(&self, name: &str, mut each: impl FnMut(&str) -> bool) {
        let Some(start) = self.at(name) else { return };
        let mut seen = HashSet::from([start]);
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for next in &self.nodes[at].readers {
                if seen.insert(*next) && each(&self.nodes[*next].name) {
                    queue.push_back(*next);
                }
            }
        }
    }

    /// The nearest score cell that a cell is or descends from: the model an explanation asks.
    pub fn score_ancestor(&self, name: &str) -> Option<String> {
        let start = self.at(name)?;
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            if self.nodes[at].kind == Kind::Score {
                return Some(self.nodes[at].name.clone());
            }
            queue.extend(self.nodes[at].reads.iter().filter(|next| seen.insert(**next)));
        }
        None
    }

    fn upstream(&self, start: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        self.reached(start, |node| &node.reads)
    }

    fn downstream(&self, start: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        self.reached(start, |node| &node.readers)
    }

    fn reached(
        &self,
        start: impl IntoIterator<Item = usize>,
        next: impl Fn(&Node) -> &[usize],
    ) -> BTreeSet<usize> {
        let mut seen: BTreeSet<usize> = start.into_iter().collect();
        let mut queue: Vec<usize> = seen.iter().copied().collect();
        while let Some(at) = queue.pop() {
            queue.extend(next(&self.nodes[at]).iter().filter(|next| seen.insert(**next)));
        }
        seen
    }

    /// Topological order of a set, file order among equals (Kahn).
    fn sorted(&self, set: &BTreeSet<usize>) -> Vec<String> {
        let among = |nodes: &[usize]| nodes.iter().filter(|at| set.contains(at)).count();
        let mut waits: BTreeMap<usize, usize> =
            set.iter().map(|at| (*at, among(&self.nodes[*at].reads))).collect();
        let mut ready: BTreeSet<usize> = waits.iter().filter(|(_, n)| **n == 0).map(|(at, _)| *at).collect();
        let mut order = Vec::with_capacity(set.len());
        while let Some(at) = ready.pop_first() {
            waits.remove(&at);
            order.push(at);
            for reader in &self.nodes[at].readers {
                if let Some(count) = waits.get_mut(reader) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert(*reader);
                    }
                }
            }
        }
        order.extend(waits.into_keys());
        self.names(order)
    }
}

fn creates(cell: &Cell) -> bool {
    let upper = cell.body.to_uppercase();
    cell.kind == Kind::Sql && (upper.contains("CREATE") || upper.contains("ATTACH"))
}

/// Every name a cell reads.
fn reads(cell: &Cell, spec: Option<&CellSpec>) -> Vec<Read> {
    if cell.kind == Kind::Sql {
        return sql::tables(&cell.body)
            .into_iter()
            .filter(|t| !well_known(t))
            .map(|t| table_read(t, 0))
            .collect();
    }
    let Some(spec) = spec else { return partial_reads(cell) };
    let mut reads = Vec::new();
    let empty: &[String] = &[];
    let (input, sqls, checks) = match spec {
        CellSpec::Sql(_) => return reads,
        CellSpec::Score(s) => (Some(&s.input), vec![&s.order], empty),
        CellSpec::Metrics(s) => (Some(&s.input), vec![], &s.checks[..]),
        CellSpec::Fairness(s) => (Some(&s.input), vec![], &s.checks[..]),
        CellSpec::Slices(s) => (Some(&s.input), vec![], &s.checks[..]),
        CellSpec::Compare(s) => (Some(&s.input), vec![], &s.checks[..]),
        CellSpec::Explain(s) => (Some(&s.input), vec![&s.order], empty),
        CellSpec::Train(s) => (Some(&s.input), vec![], &s.checks[..]),
        CellSpec::Check(s) => (None, vec![], &s.checks[..]),
    };
    if let Some(Input { from, filter }) = input {
        if !from.is_empty() {
            reads.push(strict(cell, "from", from));
        }
        for text in sqls.into_iter().chain([filter]).flatten() {
            let base = cell.body.find(text.as_str());
            let tables = sql::tables_in_expression(text).into_iter().filter(|t| !well_known(t));
            reads.extend(tables.map(|t| table_read(t, base.unwrap_or(0))));
        }
    }
    if let CellSpec::Compare(CompareSpec { runs: Compared::Runs(names), .. }) = spec {
        reads.extend(names.iter().map(|name| strict(cell, "runs", name)));
    }
    if let CellSpec::Train(train) = spec {
        match &train.dev {
            DevSplit::From(from) => reads.push(strict(cell, "dev_from", from)),
            DevSplit::Where(text) => {
                let base = cell.body.find(text.as_str()).unwrap_or(0);
                reads.extend(sql::tables_in_expression(text).into_iter().map(|t| table_read(t, base)));
            }
            DevSplit::Share(_) => {}
        }
    }
    for check in checks {
        let Ok(parsed) = Check::parse(check) else { continue };
        let base = cell.body.find(check.as_str()).unwrap_or(0);
        let others = parsed.terms().into_iter().filter_map(|term| term.cell.clone());
        reads.extend(others.filter(|name| !name.eq_ignore_ascii_case(&cell.name)).map(|name| {
            let offset = base + check.find(&name).unwrap_or(0);
            Read { name, offset, strict: true }
        }));
    }
    reads
}

/// A cell whose spec cannot be read still depends on its `from`, so that stale marks stay right.
fn partial_reads(cell: &Cell) -> Vec<Read> {
    let (table, _) = toml::de::DeTable::parse_recoverable(&cell.body);
    let from = table.get_ref().iter().find(|(key, _)| key.get_ref() == "from");
    let name = from.and_then(|(_, value)| value.get_ref().as_str().map(String::from));
    name.filter(|name| !name.is_empty()).map(|name| strict(cell, "from", &name)).into_iter().collect()
}

/// Where `key`'s value stands in the body.
fn strict(cell: &Cell, key: &str, name: &str) -> Read {
    let (table, _) = toml::de::DeTable::parse_recoverable(&cell.body);
    let value = table.get_ref().iter().find(|(k, _)| k.get_ref() == key);
    let offset = value.map_or(0, |(_, value)| value.span().start);
    Read { name: name.to_string(), offset, strict: true }
}

fn table_read(table: sql::TableRef, base: usize) -> Read {
    Read { offset: base + table.start, name: table.name, strict: false }
}

/// Tables and schemas the database has of its own.
fn well_known(table: &sql::TableRef) -> bool {
    let name = table.name.to_lowercase();
    let schema =
        ["information_schema", "pg_catalog", "main", "temp", "system", "memory"].contains(&name.as_str());
    let own = ["duckdb_", "pragma_", "sqlite_"].iter().any(|prefix| name.starts_with(prefix));
    own || (table.qualified && schema) || name == "range" || name == "generate_series"
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOES: &str = "---\nsources: { impressions: a.parquet }\n---\n\
        ```metrics quality\nfrom = \"rel\"\n```\n\
        ```sql bad\nSELECT query FROM impressions\n```\n\
        ```score rel\nfrom = \"impressions\"\nwhere = \"query IN (SELECT query FROM Bad)\"\nmodel = \"m\"\ntext = \"t\"\n```\n\
        ```explain worst\nfrom = \"top\"\n```\n\
        ```sql top\nFROM rel\n```\n\
        ```check gate\ncheck = [\"quality.ndcg@10 >= 0.3 and rows(bad) < 3\"]\n```\n";

    fn faults(text: &str) -> String {
        let graph = Notebook::parse(text).graph(&Params::default());
        graph.diagnostics().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn orders_follow_what_is_read() {
        let graph = Notebook::parse(SHOES).graph(&Params::default());
        assert_eq!(graph.diagnostics(), []);
        assert_eq!(graph.order(), ["bad", "rel", "quality", "top", "worst", "gate"]);
        assert_eq!(graph.order_for(&["quality"]), ["bad", "rel", "quality"]);
        assert_eq!(graph.ancestors("worst"), ["bad", "rel", "top"]);
        assert_eq!(graph.descendants("REL"), ["quality", "top", "worst", "gate"]);
        assert_eq!(graph.run_from("top"), ["top", "worst"]);
        assert_eq!(graph.reads("gate"), ["quality", "bad"]);
        assert_eq!(graph.sources("rel"), ["impressions"]);
        assert_eq!(graph.score_ancestor("worst").as_deref(), Some("rel"));
        assert_eq!(graph.score_ancestor("bad"), None);
    }

    #[test]
    fn unknown_names_are_suggested() {
        let said =
            faults("---\nsources: { impressions: a }\n---\n```metrics q\nfrom = \"impresions\"\n```\n");
        assert_eq!(said, "5:8: q: there is no cell or source `impresions` (did you mean `impressions`?)");
        let said = faults("```sql a\nSELECT 1 AS x\n```\n```sql b\nSELECT *\nFROM aa\n```\n");
        assert!(said.starts_with("6:6: b: there is no cell or source `aa`"), "{said}");
        assert_eq!(faults("```sql a\nCREATE TABLE z AS SELECT 1; FROM z\n```\n"), "");
        assert_eq!(faults("```sql a\nFROM duckdb_tables(), information_schema.tables\n```\n"), "");
        assert!(faults("```check c\ncheck = [\"rows(nope) > 1\"]\n```\n").starts_with("2:16:"));
    }

    #[test]
    fn runs_are_read_and_checks_of_differences_name_their_cell() {
        let text = "```sql a\nSELECT 1\n```\n```sql b\nSELECT 1\n```\n\
                    ```compare c\nruns = [\"a\", \"b\"]\n```\n```check d\ncheck = [\"delta(c.b, c.a) > 0 at 0.9\"]\n```\n";
        let graph = Notebook::parse(text).graph(&Params::default());
        assert_eq!(graph.diagnostics(), []);
        assert_eq!((graph.reads("c"), graph.reads("d")), (vec!["a".into(), "b".into()], vec!["c".into()]));
        assert!(
            faults("```sql a\nSELECT 1\n```\n```compare c\nruns = [\"a\", \"aa\"]\n```\n")
                .contains("did you mean `a`")
        );
    }

    #[test]
    fn parameters_set_from_outside_decide_who_reads_whom() {
        let text = "---\nparams: { src: a }\n---\n```metrics m\nfrom = \"{{src}}\"\n```\n\
                    ```sql a\nSELECT 1\n```\n```sql b\nSELECT 1\n```\n";
        let notebook = Notebook::parse(text);
        let order = |set: &[(String, String)]| notebook.graph(&notebook.params(set).0).order_for(&["m"]);
        assert_eq!(order(&[]), ["a", "m"]);
        assert_eq!(order(&[("src".into(), "b".into())]), ["b", "m"]);
        let (graph, faults) = notebook.checked(&notebook.params(&[("src".into(), "c".into())]).0);
        assert_eq!(graph.reads("m"), Vec::<String>::new());
        assert!(faults.iter().any(|fault| fault.message.contains("no cell or source `c`")), "{faults:?}");
    }

    #[test]
    fn circles_are_named_once() {
        let said = faults(
            "```sql a\nFROM b\n```\n```sql b\nFROM c\n```\n```sql c\nFROM a\n```\n```sql d\nFROM a\n```\n",
        );
        assert!(said.contains("a reads b reads c reads a"), "{said}");
        assert_eq!(said.lines().count(), 1);
        assert!(faults("```sql a\nFROM a\n```\n").contains("`a` reads itself"));
        let graph =
            Notebook::parse("```sql a\nFROM b\n```\n```sql b\nFROM a\n```\n```sql c\nSELECT 1\n```\n")
                .graph(&Params::default());
        assert_eq!(graph.order(), ["c", "a", "b"]);
    }

    #[test]
    fn walks_go_once_through_every_cell() {
        let shared = "```sql a\nSELECT 1\n```\n```sql b\nFROM a\n```\n```sql c\nFROM a, b\n```\n```sql d\nFROM c, B\n```\n";
        let graph = Notebook::parse(shared).graph(&Params::default());
        let mut told = Vec::new();
        graph.each_below("A", |name| {
            told.push(name.to_owned());
            name != "c"
        });
        assert_eq!(told, ["b", "c", "d"], "each once, d through b");
        assert_eq!(graph.with_descendants(["c"]).len(), 2);
        assert_eq!(graph.direct("d").collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn a_broken_cell_still_depends() {
        let graph = Notebook::parse("```sql a\nSELECT 1\n```\n```score s\nfrom = \"a\"\n```\n")
            .graph(&Params::default());
        assert_eq!(graph.descendants("a"), ["s"]);
    }
}
