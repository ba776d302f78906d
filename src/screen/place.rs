//! The notebook's place on disk as this screen holds it: its session and journal in the state folder, and
//! what other sessions and programs do there meanwhile. Used by the thread of `hands`, and by whoever has
//! to keep the text safe when that thread cannot be waited for.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::app::{FileTask, Holder, KeptText, Msg, News, SaveError};
use super::compare;
use super::watch::Watch;
use crate::state::{Kept, Listing, Other, Record, Session, StateFolder, digest, real_path};

/// How often a journal that could not be written is tried again.
const AGAIN: Duration = Duration::from_secs(5);

pub struct Place {
    /// `None`: a new notebook without a name. Then other sessions are no concern of ours.
    notebook: Option<PathBuf>,
    base: PathBuf,
    state: Result<StateFolder, String>,
    /// Or why there is none.
    session: Result<Session, String>,
    /// Only reads: somebody else writes.
    watching: bool,
    others: Vec<Other>,
    watch: Watch,
    /// Hash of the text that the journal holds.
    journaled: Option<String>,
    /// A text that could not be kept, with what it was made from, and when it was tried last.
    unkept: Option<(String, Option<String>, Instant)>,
    /// The process ends: what still waits to be kept is older than what is kept already.
    closed: bool,
}

/// What was found when a notebook was opened.
#[derive(Debug, Default)]
pub struct Found {
    pub others: Vec<Holder>,
    pub kept: usize,
    /// Why unsaved text cannot be kept safe.
    pub problem: Option<String>,
}

impl Place {
    /// Begins a session. `on_disk` is what the file holds.
    pub fn open(notebook: Option<&Path>, base: &Path, on_disk: Option<&str>) -> (Self, Found) {
        Self::open_in(StateFolder::open().map_err(|e| e.to_string()), notebook, base, on_disk)
    }

    fn open_in(
        state: Result<StateFolder, String>,
        notebook: Option<&Path>,
        base: &Path,
        on_disk: Option<&str>,
    ) -> (Self, Found) {
        let mut place = Self {
            state,
            notebook: notebook.map(Path::to_path_buf),
            base: base.to_path_buf(),
            session: Err(String::new()),
            watching: false,
            others: Vec::new(),
            watch: Watch::new(notebook, on_disk),
            journaled: None,
            unkept: None,
            closed: false,
        };
        place.begin();
        let Ok(session) = &place.session else {
            let problem = place.session.as_ref().err().cloned();
            return (place, Found { problem, ..Found::default() });
        };
        // What is in the file needs no recovering.
        let listing = place.listing(session);
        let (saved, kept): (Vec<&Kept>, Vec<&Kept>) =
            listing.kept.iter().partition(|kept| on_disk == Some(kept.text.as_str()));
        for kept in saved {
            if let Err(error) = dispose(session, kept) {
                tracing::warn!("a text that is saved already could not be removed: {error}");
            }
        }
        let kept = kept.len() + listing.left_out;
        let others = place.others.iter().map(holder).collect();
        (place, Found { others, kept, problem: None })
    }

    /// A session at this place; it only watches where somebody else writes.
    fn begin(&mut self) {
        // A notebook without a name is none that two sessions could share: the folder stands for it.
        let key = self.notebook.as_deref().unwrap_or(&self.base);
        self.session = match &self.state {
            Ok(state) => Session::begin(state, key).map_err(|e| e.to_string()),
            Err(why) => Err(why.clone()),
        };
        self.others = self.look_for_others();
        self.watching = self.others.iter().any(|other| !other.watches);
        if self.watching {
            self.mark_watching();
        }
    }

    fn look_for_others(&self) -> Vec<Other> {
        match &self.session {
            Ok(session) if self.notebook.is_some() => session.others(),
            _ => Vec::new(),
        }
    }

    fn mark_watching(&self) {
        if let Ok(session) = &self.session
            && let Err(error) = session.watch(self.watching)
        {
            // Others are then told that this session writes, which costs a question and no text.
            tracing::warn!("cannot say whether this session writes: {error}");
        }
    }

    fn listing(&self, session: &Session) -> Listing {
        let mut listing = session.kept();
        let beside = self.notebook.as_deref().and_then(|notebook| session.kept_beside(notebook));
        listing.kept.extend(beside);
        listing.kept.sort_by_key(|kept| std::cmp::Reverse(kept.written));
        listing
    }

    /// Does one piece of work; what there is to say goes to `say`.
    pub fn perform(&mut self, task: FileTask, say: &mut dyn FnMut(Msg)) {
        match task {
            FileTask::Save { path, text, on_disk, force } => {
                let result = self.save(&path, &text, on_disk.as_deref(), force, say).map(|()| path);
                if result == Err(SaveError::ChangedOutside)
                    && let Some(now) = self.watch.look()
                {
                    // The question that follows can offer what is there.
                    say(Msg::Sessions(News::File(now)));
                }
                say(Msg::Saved { text, result });
            }
            FileTask::Journal { text, on_disk } => say(Msg::Journaled(self.keep(text, on_disk))),
            FileTask::ForgetJournal => self.forget(),
            FileTask::SetAside { text, on_disk } => {
                if let Err(why) = self.set_aside(text, on_disk) {
                    say(Msg::Journaled(Err(why)));
                }
            }
            FileTask::Watch => {
                self.watching = true;
                self.mark_watching();
            }
            FileTask::Write => {
                self.watching = false;
                self.mark_watching();
            }
            FileTask::TakeOver => say(Msg::Sessions(News::TookOver(self.take_over()))),
            FileTask::FindKept { now, discard } => {
                let (kept, left_out) = self.find_kept(&now);
                say(Msg::Sessions(News::Kept { kept, left_out, discard }));
            }
            FileTask::Compare { about, from, to } => {
                say(Msg::Sessions(News::Compared { about, comparison: compare::lines(&from, &to) }));
            }
            // Not of this file: `hands` does them without holding it up.
            FileTask::Survey { .. } | FileTask::Inspect { .. } | FileTask::Trust { .. } => {}
            FileTask::Discard { kept, asked } => {
                let result = self.discard(&kept);
                if asked || result.is_err() {
                    say(Msg::Sessions(News::Discarded(result.map(|()| kept.len()))));
                }
            }
        }
    }

    fn save(
        &mut self,
        path: &Path,
        text: &str,
        on_disk: Option<&str>,
        force: bool,
        say: &mut dyn FnMut(Msg),
    ) -> Result<(), SaveError> {
        let here = self.notebook.as_deref().is_some_and(|notebook| same(notebook, path));
        // Whoever took over may save at this very moment: not only the next look finds out.
        if here && let Some(news) = self.taken() {
            say(news);
        }
        if here && self.watching {
            return Err(SaveError::Failed("another session writes here; `:save as` keeps a copy".into()));
        }
        super::hands::save(path, text, on_disk, force)?;
        if here {
            self.watch.wrote(text);
            if self.journaled.as_deref() == Some(digest(text).as_str()) {
                self.forget();
            }
        } else {
            self.move_to(path, text, say);
        }
        Ok(())
    }

    /// The notebook has another name from now on: the session and its journal follow it.
    fn move_to(&mut self, path: &Path, text: &str, say: &mut dyn FnMut(Msg)) {
        self.forget();
        self.notebook = Some(path.to_path_buf());
        self.watch = Watch::new(Some(path), Some(text));
        self.begin();
        // Whoever has just written here goes on writing; who else does is said.
        self.watching = false;
        self.mark_watching();
        say(Msg::Sessions(News::Moved(self.others.iter().map(holder).collect())));
    }

    /// Keeps the unsaved text. What could not be kept is tried again by [`Self::look`].
    pub fn keep(&mut self, text: String, on_disk: Option<String>) -> Result<(), String> {
        if self.closed {
            return Ok(());
        }
        let kept = match &self.session {
            Ok(session) => session.keep(&text, on_disk.as_deref()).map_err(|e| e.to_string()),
            Err(why) => Err(why.clone()),
        };
        if kept.is_ok() {
            self.journaled = Some(digest(&text));
        }
        self.unkept = kept.is_err().then(|| (text, on_disk, Instant::now()));
        kept
    }

    /// This session's journal is no longer needed.
    fn forget(&mut self) {
        (self.unkept, self.journaled) = (None, None);
        if let Ok(session) = &self.session
            && let Err(error) = session.forget()
        {
            tracing::warn!("the journal of a saved text could not be removed: {error}");
        }
    }

    /// Keeps the text for the last time: nothing that still waits may replace it by an older one.
    pub fn keep_last(&mut self, text: String, on_disk: Option<String>) -> Result<(), String> {
        let kept = self.keep(text, on_disk);
        self.closed = true;
        kept
    }

    fn set_aside(&mut self, text: String, on_disk: Option<String>) -> Result<(), String> {
        self.keep(text, on_disk)?;
        self.journaled = None;
        match &mut self.session {
            Ok(session) => session.set_aside().map_err(|e| e.to_string()),
            Err(why) => Err(why.clone()),
        }
    }

    fn take_over(&mut self) -> Result<(), String> {
        let session = self.session.as_ref().map_err(Clone::clone)?;
        for other in session.others().iter().filter(|other| !other.watches) {
            session.take_over(&other.record).map_err(|e| e.to_string())?;
        }
        self.watching = false;
        self.mark_watching();
        Ok(())
    }

    fn find_kept(&self, now: &str) -> (Vec<KeptText>, usize) {
        let Ok(session) = &self.session else { return (Vec::new(), 0) };
        let on_disk = self.watch.digest();
        let listing = self.listing(session);
        let kept = listing.kept.into_iter().map(|kept| {
            let (added, removed) = compare::counts(now, &kept.text);
            let based_on = kept.head.as_ref().map(|head| head.based_on.clone());
            let file_changed = based_on.is_some_and(|based_on| based_on != on_disk);
            KeptText {
                name: kept.name,
                words: words(kept.head.as_ref(), kept.written),
                added,
                removed,
                file_changed,
                text: kept.text,
            }
        });
        (kept.collect(), listing.left_out)
    }

    fn discard(&self, kept: &[KeptText]) -> Result<(), String> {
        let session = self.session.as_ref().map_err(Clone::clone)?;
        let all = self.listing(session).kept;
        // By name and text: nothing goes that was not seen.
        let seen =
            all.iter().filter(|found| kept.iter().any(|k| k.name == found.name && k.text == found.text));
        seen.map(|found| dispose(session, found)).collect::<Result<(), _>>().map_err(|e| e.to_string())
    }

    /// What has happened since the last look. Costs next to nothing where nothing has.
    pub fn look(&mut self, say: &mut dyn FnMut(Msg)) {
        if let Some(news) = self.taken() {
            say(news);
        }
        if let Some(news) = self.others_now() {
            say(news);
        }
        if let Some(now) = self.watch.look() {
            say(Msg::Sessions(News::File(now)));
        }
        if let Some((text, on_disk, _)) = self.unkept.take_if(|(_, _, tried)| tried.elapsed() >= AGAIN)
            && self.keep(text, on_disk).is_ok()
        {
            say(Msg::Journaled(Ok(())));
        }
    }

    fn taken(&mut self) -> Option<Msg> {
        let by = self.session.as_ref().ok()?.taken_by()?;
        self.watching = true;
        self.mark_watching();
        Some(Msg::Sessions(News::TakenOver(holder(&Other { record: by, watches: false }))))
    }

    fn others_now(&mut self) -> Option<Msg> {
        let now = self.look_for_others();
        if now == self.others {
            return None;
        }
        let session = self.session.as_ref().ok()?;
        let lives = |record: &Record| now.iter().any(|other| other.record == *record);
        let left = self.others.iter().filter(|other| !lives(&other.record));
        let left_text = left.clone().any(|other| session.has_journal(&other.record.id));
        self.others = now;
        Some(Msg::Sessions(News::Others { now: self.others.iter().map(holder).collect(), left_text }))
    }
}

fn dispose(session: &Session, kept: &Kept) -> std::io::Result<()> {
    match kept.head {
        Some(_) => session.discard(&kept.name),
        None => session.deal_with(&kept.text),
    }
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((real_path(a), real_path(b)), (Ok(a), Ok(b)) if a == b)
}

fn holder(other: &Other) -> Holder {
    let Record { id, pid, user, host, since, .. } = &other.record;
    let words = format!("pid {pid} ({user}@{host}, open for {})", lasted(*since));
    Holder { id: id.clone(), words, watches: other.watches }
}

fn words(head: Option<&crate::state::Head>, written: u64) -> String {
    match head {
        Some(head) => format!("{} ago, pid {} ({}@{})", lasted(written), head.pid, head.user, head.host),
        None => format!("{} ago, found beside the notebook", lasted(written)),
    }
}

/// How long ago a moment was, in words.
fn lasted(since: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    match now.saturating_sub(since) / 60 {
        0 => "under a minute".into(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes @ 120..2_880 => format!("{} h", minutes / 60),
        minutes => format!("{} days", minutes / 1_440),
    }
}

#[cfg(test)]
#[path = "place/tests.rs"]
mod tests;
