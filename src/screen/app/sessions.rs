//! What the app knows of other sessions on its notebook, of unsaved texts that were kept, and of what
//! another program wrote into the file. State and words only; what follows is `update::verbs`'.

use super::App;

/// Another session that has the notebook open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub id: String,
    /// Pid, user, host, since when.
    pub words: String,
    /// It only reads.
    pub watches: bool,
}

/// A text that nobody saved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptText {
    pub name: String,
    /// When, and by whom.
    pub words: String,
    pub text: String,
    /// Lines that it would add to and remove from the text as it stands.
    pub added: usize,
    pub removed: usize,
    /// The file is not what it was when this was written.
    pub file_changed: bool,
}

/// What the notebook's file is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileNow {
    Text(String),
    Gone,
    Unreadable(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Sessions came, went, or changed between watching and writing.
    Others {
        now: Vec<Holder>,
        /// One that went left a text that it had not saved.
        left_text: bool,
    },
    /// Another session writes from now on; this one watches.
    TakenOver(Holder),
    /// The wish to take over was told to the others, or why not.
    TookOver(Result<(), String>),
    /// The notebook was saved under another name, where these sessions are.
    Moved(Vec<Holder>),
    File(FileNow),
    Kept {
        kept: Vec<KeptText>,
        /// Texts that could not be read or are too many.
        left_out: usize,
        discard: bool,
    },
    Compared {
        about: About,
        comparison: Comparison,
    },
    Discarded(Result<usize, String>),
}

/// What a comparison is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// A kept text, that could be taken.
    Kept(KeptText),
    /// What another program wrote into the file.
    File,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiffLine {
    Same(String),
    Added(String),
    Removed(String),
    /// So many unchanged lines are not shown.
    Gap(usize),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    pub lines: Vec<DiffLine>,
    pub added: usize,
    pub removed: usize,
    /// Lines that are not shown because there are too many.
    pub left_out: usize,
}

/// A comparison being looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    pub about: About,
    pub comparison: Comparison,
    pub scroll: usize,
}

impl Diff {
    pub fn title(&self) -> String {
        let counts = format!("+{} −{} lines", self.comparison.added, self.comparison.removed);
        match &self.about {
            About::Kept(kept) => {
                let file = if kept.file_changed { ", from an older file" } else { "" };
                format!("{counts}{file}: unsaved {}", kept.words)
            }
            About::File => format!("{counts}: the file as another program wrote it, against your text"),
        }
    }

    /// Keys and what they do here.
    pub fn keys(&self) -> &'static [(&'static str, &'static str)] {
        match self.about {
            About::Kept(_) => {
                &[("Enter", "take it"), ("d", "discard it"), ("↑↓", "scroll"), ("Esc", "leave")]
            }
            About::File => &[("m", "keep mine"), ("t", "take theirs"), ("↑↓", "scroll"), ("Esc", "leave")],
        }
    }
}

/// A question that waits until keys go to no editor and no other question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Somebody else has the notebook: watch, take over, go on beside.
    Holder,
    /// Another program changed the file while something here is unsaved.
    File,
}

#[derive(Debug, Clone, Default)]
pub struct Sessions {
    pub others: Vec<Holder>,
    /// Read only: no edits, no saves.
    pub watching: bool,
    /// Texts listed last.
    pub kept: Vec<KeptText>,
    /// What the file holds since another program wrote it, where that is not what the text here was made of.
    pub outside: Option<String>,
    /// Why unsaved text is not being kept.
    pub unkept: Option<String>,
    pub(super) ask: Option<Ask>,
    /// The text that was taken over: it is discarded when it has been saved.
    pub(super) taken: Option<Taken>,
}

#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub kept: KeptText,
    /// The text before it.
    pub before: String,
    /// `false` while undo has led back to the text before.
    pub stands: bool,
}

impl Sessions {
    /// Who writes, for a sentence.
    pub fn writer(&self) -> Option<&Holder> {
        self.others.iter().find(|other| !other.watches)
    }
}

impl App {
    /// What the top line says beside the name: whether it is saved, and what is to be known of it.
    pub fn marks(&self) -> Vec<&'static str> {
        let s = &self.sessions;
        let mut marks = Vec::new();
        if s.watching {
            marks.push("◦ watching, read only");
        } else if self.is_dirty() {
            marks.push(if s.unkept.is_some() { "● not saved, NOT KEPT SAFE" } else { "● not saved" });
        }
        if s.outside.is_some() {
            marks.push("▲ changed on disk");
        }
        if !s.watching && s.writer().is_some() {
            marks.push("▲ open elsewhere");
        }
        marks
    }
}
