//! Everything a person can do on the screen.

use super::compare::{Facet, Pane};
use super::state::Focus;
use crate::figure::comparison::Column;
use crate::run::answers::Filter;
use serde::{Deserialize, Serialize};

/// Declares [`Action`] so that the doc line of each variant is its help text too.
macro_rules! actions {
    ($(#[doc = $help:literal] $name:ident $(($($kind:ty),+))?,)+) => {
        /// What a key, a click or the terminal asks for. The doc lines are what the help overlay shows.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Action { $(#[doc = $help] $name $(($($kind),+))?,)+ }

        impl Action {
            /// One line on what it does.
            pub fn help(&self) -> &'static str {
                match self { $(Self::$name { .. } => $help.trim_ascii(),)+ }
            }
        }
    };
}

actions! {
    /// Start the run, pause it, or let it go on.
    Toggle,
    /// End the run after a checkpoint; starting it again goes on from there.
    Stop,
    /// Run again with the settings as they are now.
    Restart,
    /// The next seed.
    NextSeed,
    /// The seed before.
    PreviousSeed,
    /// Write what is shown to files (curves, table, pictures).
    Export,
    /// Choose one of the prepared runs.
    Presets,
    /// Change the colours.
    NextTheme,
    /// Show attack and clean-up, only the clean-up, or only the attack.
    NextView,
    /// Look through the test images with the model's answers.
    Browse,
    /// Hold runs against each other: curves, CA against ASR, cost, a table.
    Compare,
    /// Choose the runs that are compared.
    Runs,
    /// Compare what the Bench has: every defense of its attack.
    Suggested,
    /// Sort by the column to the left.
    SortPrevious,
    /// Sort by the column to the right.
    SortNext,
    /// Sort the other way round.
    Reverse,
    /// Show the numbers of each seed, and why the best is marked or not.
    Details,
    /// Take the selected row out of the comparison.
    Unmark,
    /// Take a run in, or out.
    Mark,
    /// Take in all runs that are listed, or none of them.
    MarkAll,
    /// List only runs with one value: of the data set; of the attack; of the defense.
    FilterBy(Facet),
    /// Show the grid of the sweep that is watched.
    Sweep,
    /// Measure what a finished run leaves behind: how well members are told, how fast the backdoor comes back.
    Sequela,
    /// Show the paper's figures: what was run of each, how it looks, and compute the rest.
    Figures,
    /// Go to the other scale: small runs on the embedded sets, or the paper's.
    OtherScale,
    /// Ask the models which images they were trained on (membership inference).
    Infer,
    /// Compare the runs of the row under the cursor.
    CompareRow,
    /// Show the difference under the lens, its spectrum, or that of the clean image.
    NextContrast,
    /// Draw learning rates on a logarithmic or a linear axis.
    LogScale,
    /// Show or hide the settings that are seldom changed.
    More,
    /// Show what the defense saw, or the trigger lens again.
    Evidence,
    /// Explain the keys.
    Help,
    /// Leave; a run under way is ended after a checkpoint.
    Quit,
    /// Leave; pressed twice, at once.
    Interrupt,
    /// Put the program into the background (fg brings it back).
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Go to the next panel.
    FocusNext,
    /// Go to the panel before.
    FocusPrevious,
    /// Take the top layer away, or drop what was typed.
    Back,
    /// Move up.
    Up,
    /// Move down.
    Down,
    /// Turn the selected setting down, or to the choice before.
    Left,
    /// Turn the selected setting up, or to the next choice.
    Right,
    /// Go to the top.
    First,
    /// Go to the bottom.
    Last,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// List the images that pass this filter: every one; fooled by the trigger; wrong without it; right in spite of it.
    Show(Filter),
    /// List only images of one class.
    Classes,
    /// Go to the other model: backdoored, cleaned.
    OtherModel,
    /// Ask the newest checkpoint.
    Refresh,
    /// Type a value, or choose from a list.
    Enter,
    /// LR MAX1 down.
    LrMax1Down,
    /// LR MAX1 up: the top of each climb in the first phase (in fine-tuning, the rate).
    LrMax1Up,
    /// LR MAX2 down.
    LrMax2Down,
    /// LR MAX2 up: the top of each climb in the second phase.
    LrMax2Up,
    /// LR BASE down.
    LrBaseDown,
    /// LR BASE up: where every climb starts.
    LrBaseUp,
    /// Shorter cycles.
    CycleDown,
    /// Longer cycles: iterations of a climb.
    CycleUp,
    /// A shorter first phase.
    Phase1Down,
    /// A longer first phase: epochs that climb to LR MAX1.
    Phase1Up,
    /// Yes.
    Accept,
    /// No.
    Decline,
    /// Take away the last character.
    Erase,
    /// Type a character.
    Type(char),
    /// Insert text.
    Paste(String),
    /// Give a setting a value with the mouse.
    SetValue(String, f64),
    /// Select a setting with the mouse.
    SelectSetting(String),
    /// Select a sample of the trigger lens.
    SelectSample(usize),
    /// Choose a line of a list with the mouse.
    Pick(usize),
    /// Choose a cell of a grid with the mouse.
    PickCell(usize, usize),
    /// Sort by a column with the mouse.
    Sort(Column),
    /// Show a panel large with the mouse.
    ShowPane(Pane),
    /// Go to a panel.
    Focus(Focus),
    /// The terminal has this many columns and rows.
    Resized(u16, u16),
}

/// Rows that a page key moves in a list.
const PAGE: isize = 10;

impl Action {
    /// How many rows further down a list this goes; none where it does something else.
    pub fn rows(&self) -> Option<isize> {
        match self {
            Self::Up => Some(-1),
            Self::Down => Some(1),
            Self::PageUp => Some(-PAGE),
            Self::PageDown => Some(PAGE),
            Self::First => Some(isize::MIN),
            Self::Last => Some(isize::MAX),
            _ => None,
        }
    }
}
