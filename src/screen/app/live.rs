//! The text as it stands, an edit in progress included. Asked about at every key and every frame, so
//! that it is put together only where it is written somewhere.

use super::{App, Mode};

impl App {
    /// The text as it stands, an edit in progress included.
    pub fn live_text(&self) -> String {
        match &self.mode {
            Mode::Edit(edit) => self.doc.text_with(edit.block, &edit.editor.text()),
            _ => self.doc.text(),
        }
    }

    /// The notebook differs from the file.
    pub fn is_dirty(&self) -> bool {
        !self.on_disk.as_deref().is_some_and(|file| self.live_is(file))
    }

    /// Whether [`App::live_text`] is this one. Compared once for each state of the text.
    pub(super) fn live_is(&self, other: &str) -> bool {
        let doc = self.doc.revision().number();
        match &self.mode {
            Mode::Edit(edit) => self.compared.ask([doc, edit.editor.revision().number()], other, || {
                self.doc.is_with(edit.block, &edit.editor.text(), other)
            }),
            _ => self.compared.ask([doc, 0], other, || self.doc.text_ref() == other),
        }
    }
}
