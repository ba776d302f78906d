//! The names that things on screen go by; the one list that themes, widgets and tests share.

macro_rules! roles {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a piece of the screen is, independent of how it looks.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum Role { $($(#[$doc])* $variant,)* }

        impl Role {
            pub const ALL: &'static [Role] = &[$(Role::$variant,)*];

            /// As written in a theme file.
            pub fn name(self) -> &'static str {
                match self { $(Role::$variant => $name,)* }
            }

            pub fn from_name(name: &str) -> Option<Role> {
                match name { $($name => Some(Role::$variant),)* _ => None }
            }
        }
    };
}

roles! {
    Text = "text",
    /// Secondary text: types, hints, units.
    Muted = "muted",
    /// Title words of panes.
    Title = "title",
    /// Column headings.
    Header = "header",
    Border = "border",
    /// Border of the pane that has the keys.
    BorderFocus = "border_focus",
    /// The top and bottom lines.
    Bar = "bar",
    /// The row that keys act on.
    Focus = "focus",
    /// The cell or character that keys act on.
    Cursor = "cursor",
    Selection = "selection",
    Marked = "marked",
    /// Result older than its inputs.
    Stale = "stale",
    /// Rows still to come.
    Partial = "partial",
    Running = "running",
    Ok = "ok",
    Failed = "failed",
    Warning = "warning",
    /// Keys in hints and help.
    Key = "key",
    /// Matched characters in searches and the palette.
    Match = "match",
    Prompt = "prompt",
    Toast = "toast",
    Number = "number",
    /// `n/a`, NULL.
    Null = "null",
    Boolean = "boolean",
    Time = "time",
    Nested = "nested",
    /// Query-side words and columns.
    Query = "query",
    /// A word with no weight either way.
    Neutral = "neutral",
    Positive1 = "positive1",
    Positive2 = "positive2",
    Positive3 = "positive3",
    Positive4 = "positive4",
    Negative1 = "negative1",
    Negative2 = "negative2",
    Negative3 = "negative3",
    Negative4 = "negative4",
    ProgressDone = "progress_done",
    ProgressRest = "progress_rest",
    LineNumber = "line_number",
    CodeKeyword = "code.keyword",
    CodeString = "code.string",
    CodeNumber = "code.number",
    CodeComment = "code.comment",
    CodeFunction = "code.function",
    CodeOperator = "code.operator",
    CodeName = "code.name",
    /// `{{param}}`.
    CodeParam = "code.param",
    /// Markdown headings.
    CodeHeading = "code.heading",
    CodeEmphasis = "code.emphasis",
    /// The span a diagnostic points at.
    CodeError = "code.error",
}

impl Role {
    /// Role of a signed value at a strength of 0..=4; zero and NaN are neutral.
    pub fn signed(value: f64, strength: u8) -> Role {
        const POSITIVE: [Role; 4] = [Role::Positive1, Role::Positive2, Role::Positive3, Role::Positive4];
        const NEGATIVE: [Role; 4] = [Role::Negative1, Role::Negative2, Role::Negative3, Role::Negative4];
        let Some(step) = usize::from(strength.min(4)).checked_sub(1) else { return Role::Neutral };
        let ladder = match value {
            v if v > 0.0 => POSITIVE,
            v if v < 0.0 => NEGATIVE,
            _ => return Role::Neutral,
        };
        ladder.get(step).copied().unwrap_or(Role::Neutral)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_round_trip() {
        for (i, role) in Role::ALL.iter().enumerate() {
            assert_eq!(*role as usize, i);
            assert_eq!(Role::from_name(role.name()), Some(*role));
        }
    }
}
