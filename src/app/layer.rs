//! What lies over the Bench: one stack, whose top one gets the keys and which `Esc` takes away.

use super::compare::Facet;

/// One layer.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// The test images with the model's answers: [`super::browse`].
    Browse,
    /// Every key, from the key table; lines scrolled.
    Help(u16),
    /// A question before something that cannot be taken back at once.
    Confirm(Confirm),
    /// A list to choose from.
    Choices(Choices),
    /// Something to be read.
    Message(Message),
    /// What the defense saw.
    Evidence,
    /// Runs side by side: [`super::compare`].
    Compare,
    /// The list of runs to compare.
    Runs,
    /// The grid of a sweep: [`super::sweep`].
    Sweep,
    /// What a run leaves behind: [`super::sequela`].
    Sequela,
    /// The paper's figures: [`super::figures`].
    Figures,
}

impl Layer {
    /// Whether it has all of the screen.
    pub fn whole(&self) -> bool {
        matches!(self, Self::Browse | Self::Compare | Self::Runs | Self::Sweep | Self::Sequela | Self::Figures)
    }
}

/// A question with yes and no.
#[derive(Clone, Debug, PartialEq)]
pub struct Confirm {
    /// The question.
    pub question: String,
    /// What will happen.
    pub detail: String,
    /// What yes means.
    pub yes: Yes,
}

/// What is done after a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Yes {
    /// End the run.
    Stop,
    /// End the run, then leave.
    Quit,
    /// Leave at once.
    Leave,
    /// End the run, then start it with the settings as they are now.
    Restart,
}

/// A list to choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct Choices {
    /// What is chosen.
    pub title: String,
    /// The lines.
    pub items: Vec<Item>,
    /// The line under the cursor.
    pub selected: usize,
    /// What the choice decides.
    pub purpose: Purpose,
}

/// A line of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// The word.
    pub label: String,
    /// A few words on it.
    pub detail: String,
    /// A word or two at the right end.
    pub note: String,
    /// What it belongs to; said above the first line of each.
    pub group: &'static str,
    /// A sentence or two, shown for the line under the cursor.
    pub about: String,
}

/// What a list's choice decides.
#[derive(Clone, Debug, PartialEq)]
pub enum Purpose {
    /// The run to load.
    Preset,
    /// The value of the setting at this path.
    Setting(&'static str),
    /// The class of the images to browse.
    Class,
    /// The value that listed runs have.
    Facet(Facet),
}

/// Something to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its heading.
    pub title: String,
    /// What happened, and what to do next.
    pub text: String,
    /// Whether something went wrong.
    pub bad: bool,
}
