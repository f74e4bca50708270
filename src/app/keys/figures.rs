//! Keys of the Figures screen.

use super::super::action::Action;
use super::{Binding, Chord, Context, bind};

/// Heading of these keys in the help.
pub const GROUP: &str = "the paper's figures";

const fn key(chord: Chord, action: Action, short: &'static str) -> Binding {
    bind(Context::Figures, chord, action, GROUP, short)
}

/// Keys that move, as everywhere: the help has them once.
const fn moving(chord: Chord, action: Action) -> Binding {
    bind(Context::Figures, chord, action, "", "")
}

/// They.
pub static TABLE: &[Binding] = &[
    key(Chord::Char(' '), Action::Toggle, "compute"),
    key(Chord::Char('s'), Action::Stop, "stop"),
    key(Chord::Char('r'), Action::OtherScale, "scale"),
    key(Chord::Tab, Action::FocusNext, "enlarge"),
    key(Chord::Char('e'), Action::Export, "write files"),
    key(Chord::Esc, Action::Back, "leave"),
    key(Chord::Char('u'), Action::Refresh, "newest"),
    key(Chord::Char('?'), Action::Help, "help"),
    key(Chord::Char('t'), Action::NextTheme, "theme"),
    moving(Chord::BackTab, Action::FocusPrevious),
    moving(Chord::Enter, Action::Enter),
    moving(Chord::Up, Action::Up),
    moving(Chord::Char('k'), Action::Up),
    moving(Chord::Down, Action::Down),
    moving(Chord::Char('j'), Action::Down),
    moving(Chord::PageUp, Action::PageUp),
    moving(Chord::PageDown, Action::PageDown),
    moving(Chord::Home, Action::First),
    moving(Chord::Char('g'), Action::First),
    moving(Chord::End, Action::Last),
    moving(Chord::Char('G'), Action::Last),
    moving(Chord::Char('f'), Action::Back),
    moving(Chord::Char('q'), Action::Back),
];
