//! Keys of the Compare screen, of its list of runs and of a sweep's grid.

use super::super::action::Action;
use super::super::compare::Facet;
use super::{Binding, Chord, Context, bind};

/// Heading of these keys in the help.
pub const GROUPS: [&str; 3] = ["comparing runs", "choosing runs to compare", "the grid of a sweep"];

const fn compare(chord: Chord, action: Action, short: &'static str) -> Binding {
    bind(Context::Compare, chord, action, GROUPS[0], short)
}

const fn runs(chord: Chord, action: Action, short: &'static str) -> Binding {
    bind(Context::Runs, chord, action, GROUPS[1], short)
}

const fn sweep(chord: Chord, action: Action, short: &'static str) -> Binding {
    bind(Context::Sweep, chord, action, GROUPS[2], short)
}

/// Keys that move, as everywhere: the help has them once.
const fn moving(context: Context, chord: Chord, action: Action) -> Binding {
    bind(context, chord, action, "", "")
}

/// They.
pub static TABLE: &[Binding] = &[
    compare(Chord::Char('p'), Action::Runs, "runs"),
    compare(Chord::Left, Action::SortPrevious, "sort"),
    compare(Chord::Right, Action::SortNext, "sort"),
    compare(Chord::Char('r'), Action::Reverse, "reverse"),
    compare(Chord::Tab, Action::FocusNext, "enlarge"),
    compare(Chord::Enter, Action::Details, "seeds"),
    compare(Chord::Esc, Action::Back, "leave"),
    compare(Chord::Char('e'), Action::Export, "export"),
    compare(Chord::Char('x'), Action::Unmark, "take out"),
    compare(Chord::Char('u'), Action::Suggested, "usual"),
    compare(Chord::Char('s'), Action::Sweep, "sweep"),
    compare(Chord::Char('a'), Action::Sequela, "after-effects"),
    compare(Chord::Char('?'), Action::Help, "help"),
    compare(Chord::Char('t'), Action::NextTheme, "theme"),
    moving(Context::Compare, Chord::Char('h'), Action::SortPrevious),
    moving(Context::Compare, Chord::Char('l'), Action::SortNext),
    moving(Context::Compare, Chord::BackTab, Action::FocusPrevious),
    moving(Context::Compare, Chord::Up, Action::Up),
    moving(Context::Compare, Chord::Char('k'), Action::Up),
    moving(Context::Compare, Chord::Down, Action::Down),
    moving(Context::Compare, Chord::Char('j'), Action::Down),
    moving(Context::Compare, Chord::PageUp, Action::PageUp),
    moving(Context::Compare, Chord::PageDown, Action::PageDown),
    moving(Context::Compare, Chord::Home, Action::First),
    moving(Context::Compare, Chord::Char('g'), Action::First),
    moving(Context::Compare, Chord::End, Action::Last),
    moving(Context::Compare, Chord::Char('G'), Action::Last),
    moving(Context::Compare, Chord::Char('c'), Action::Back),
    moving(Context::Compare, Chord::Char('q'), Action::Back),
    runs(Chord::Char(' '), Action::Mark, "in or out"),
    runs(Chord::Char('m'), Action::MarkAll, "all"),
    runs(Chord::Char('d'), Action::FilterBy(Facet::Data), "data set"),
    runs(Chord::Char('a'), Action::FilterBy(Facet::Attack), "attack"),
    runs(Chord::Char('f'), Action::FilterBy(Facet::Defense), "defense"),
    runs(Chord::Esc, Action::Back, "done"),
    runs(Chord::Char('u'), Action::Suggested, "usual"),
    runs(Chord::Char('?'), Action::Help, "help"),
    runs(Chord::Char('t'), Action::NextTheme, "theme"),
    moving(Context::Runs, Chord::Up, Action::Up),
    moving(Context::Runs, Chord::Char('k'), Action::Up),
    moving(Context::Runs, Chord::Down, Action::Down),
    moving(Context::Runs, Chord::Char('j'), Action::Down),
    moving(Context::Runs, Chord::PageUp, Action::PageUp),
    moving(Context::Runs, Chord::PageDown, Action::PageDown),
    moving(Context::Runs, Chord::Home, Action::First),
    moving(Context::Runs, Chord::Char('g'), Action::First),
    moving(Context::Runs, Chord::End, Action::Last),
    moving(Context::Runs, Chord::Char('G'), Action::Last),
    moving(Context::Runs, Chord::Enter, Action::Back),
    moving(Context::Runs, Chord::Char('p'), Action::Back),
    moving(Context::Runs, Chord::Char('q'), Action::Back),
    sweep(Chord::Enter, Action::CompareRow, "compare the row"),
    sweep(Chord::Esc, Action::Back, "leave"),
    sweep(Chord::Char('?'), Action::Help, "help"),
    sweep(Chord::Char('t'), Action::NextTheme, "theme"),
    moving(Context::Sweep, Chord::Up, Action::Up),
    moving(Context::Sweep, Chord::Char('k'), Action::Up),
    moving(Context::Sweep, Chord::Down, Action::Down),
    moving(Context::Sweep, Chord::Char('j'), Action::Down),
    moving(Context::Sweep, Chord::Left, Action::Left),
    moving(Context::Sweep, Chord::Char('h'), Action::Left),
    moving(Context::Sweep, Chord::Right, Action::Right),
    moving(Context::Sweep, Chord::Char('l'), Action::Right),
    moving(Context::Sweep, Chord::Home, Action::First),
    moving(Context::Sweep, Chord::Char('g'), Action::First),
    moving(Context::Sweep, Chord::End, Action::Last),
    moving(Context::Sweep, Chord::Char('G'), Action::Last),
    moving(Context::Sweep, Chord::Char('s'), Action::Back),
    moving(Context::Sweep, Chord::Char('q'), Action::Back),
];
