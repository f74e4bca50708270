//! Keys of the After-effects screen.

use super::super::action::Action;
use super::{Binding, Chord, Context, bind};

/// Heading of these keys in the help.
pub const GROUP: &str = "after-effects of a run";

const fn key(chord: Chord, action: Action, short: &'static str) -> Binding {
    bind(Context::Sequela, chord, action, GROUP, short)
}

/// Keys that move, as everywhere: the help has them once.
const fn moving(chord: Chord, action: Action) -> Binding {
    bind(Context::Sequela, chord, action, "", "")
}

/// They.
pub static TABLE: &[Binding] = &[
    key(Chord::Char(' '), Action::Toggle, "put in again"),
    key(Chord::Char('m'), Action::Infer, "membership"),
    key(Chord::Char('s'), Action::Stop, "stop"),
    key(Chord::Left, Action::Left, "ratio"),
    key(Chord::Right, Action::Right, "ratio"),
    key(Chord::Up, Action::Up, "epochs"),
    key(Chord::Down, Action::Down, "epochs"),
    key(Chord::Esc, Action::Back, "leave"),
    key(Chord::Char('e'), Action::Export, "export"),
    key(Chord::Char('?'), Action::Help, "help"),
    key(Chord::Char('t'), Action::NextTheme, "theme"),
    moving(Chord::Char('h'), Action::Left),
    moving(Chord::Char('l'), Action::Right),
    moving(Chord::Char('k'), Action::Up),
    moving(Chord::Char('j'), Action::Down),
    moving(Chord::Char('a'), Action::Back),
    moving(Chord::Char('q'), Action::Back),
];
