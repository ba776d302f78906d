//! The `:` palette over COMMANDS.

use crate::screen::app::commands::{self, COMMANDS};
use crate::screen::app::menu::{Item, Purpose};
use crate::screen::app::{App, Effect, Menu, Mode, Tone};

pub fn open(app: &mut App, _: &mut Vec<Effect>) {
    let here = commands::place(app);
    let mut offered: Vec<_> = COMMANDS
        .iter()
        .filter(|c| c.id != "palette" && c.places.contains(commands::PANES) && (c.available)(app))
        .collect();
    // What works in this pane comes first.
    offered.sort_by_key(|c| !c.places.contains(here));
    let items = offered
        .into_iter()
        .map(|c| Item {
            value: c.id.into(),
            label: c.name.into(),
            detail: c.doc.into(),
            side: commands::keys_here(c, c.places),
        })
        .collect();
    app.mode = Mode::Menu(Menu::new(Purpose::Command, "command", items));
}

pub fn run(app: &mut App, id: &str, effects: &mut Vec<Effect>) {
    match commands::by_id(id) {
        Some(command) if (command.available)(app) => (command.run)(app, effects),
        Some(command) => app.say(Tone::Info, format!("{}: not here", command.name)),
        None => app.say(Tone::Bad, format!("there is no command {id}")),
    }
}
