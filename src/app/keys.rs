//! The key table: one list from which dispatch, footer, help overlay and documentation are made.

mod compare;
mod figures;
mod help;
mod sequela;

pub use help::{HelpLine, help};

use super::action::Action;
use super::layer::Layer;
use super::state::State;
use super::{browse, sequela as aftermath};
use crate::run::answers::Filter;
use crate::spec::Method;
use std::fmt;

/// A key with its modifier, apart from any terminal library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Chord {
    /// A character as typed, capitals included.
    Char(char),
    /// A character with Ctrl.
    Ctrl(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(' ') => f.pad("space"),
            Self::Char(c) => f.pad(c.encode_utf8(&mut [0; 4])),
            Self::Ctrl(c) => f.pad(&format!("Ctrl-{}", c.to_ascii_uppercase())),
            Self::BackTab => f.pad("Shift-Tab"),
            Self::PageUp => f.pad("PgUp"),
            Self::PageDown => f.pad("PgDn"),
            other => f.pad(&format!("{other:?}")),
        }
    }
}

/// Where a key has its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere.
    Anywhere,
    /// The Bench, nothing over it.
    Bench,
    /// A value is being typed; other characters go into it.
    Edit,
    /// The test images with the model's answers.
    Browse,
    /// The help overlay.
    Help,
    /// A question.
    Confirm,
    /// A list.
    Choices,
    /// A message.
    Message,
    /// What the defense saw.
    Evidence,
    /// Runs side by side.
    Compare,
    /// The list of runs to compare.
    Runs,
    /// The grid of a sweep.
    Sweep,
    /// What a run leaves behind.
    Sequela,
    /// The paper's figures.
    Figures,
}

/// A line of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    /// Where.
    pub context: Context,
    /// Which key.
    pub chord: Chord,
    /// What it does.
    pub action: Action,
    /// Heading in the help.
    pub group: &'static str,
    /// Words in the footer; neighbours with the same words share them. Empty: not in the footer.
    pub short: &'static str,
}

const fn bind(context: Context, chord: Chord, action: Action, group: &'static str, short: &'static str) -> Binding {
    Binding { context, chord, action, group, short }
}

const fn bench(chord: Chord, action: Action, group: &'static str, short: &'static str) -> Binding {
    bind(Context::Bench, chord, action, group, short)
}

const fn browse(chord: Chord, action: Action, short: &'static str) -> Binding {
    bind(Context::Browse, chord, action, BROWSING, short)
}

/// Heading of the keys of browsing.
const BROWSING: &str = "browsing the test images";

/// Every key. The footer takes its hints in this order, as far as there is room.
pub static TABLE: &[Binding] = &[
    bench(Chord::Char(' '), Action::Toggle, "the run", "start"),
    bench(Chord::Char('?'), Action::Help, "the program", "help"),
    bench(Chord::Tab, Action::FocusNext, "moving about", "panel"),
    bench(Chord::Char('s'), Action::Stop, "the run", "stop"),
    bench(Chord::Char('q'), Action::Quit, "the program", "quit"),
    bench(Chord::Char('w'), Action::Evidence, "seeing", "what it saw"),
    bench(Chord::Char('['), Action::LrMax1Down, "handles, also while it runs", "LR MAX1"),
    bench(Chord::Char(']'), Action::LrMax1Up, "handles, also while it runs", "LR MAX1"),
    bench(Chord::Char('{'), Action::LrMax2Down, "handles, also while it runs", "LR MAX2"),
    bench(Chord::Char('}'), Action::LrMax2Up, "handles, also while it runs", "LR MAX2"),
    bench(Chord::Char('p'), Action::Presets, "the run", "presets"),
    bench(Chord::Char('b'), Action::Browse, "seeing", "browse"),
    bench(Chord::Char('c'), Action::Compare, "seeing", "compare"),
    bench(Chord::Char('a'), Action::Sequela, "seeing", "after-effects"),
    bench(Chord::Char('f'), Action::Figures, "seeing", "figures"),
    bench(Chord::Char('('), Action::LrBaseDown, "handles, also while it runs", "LR BASE"),
    bench(Chord::Char(')'), Action::LrBaseUp, "handles, also while it runs", "LR BASE"),
    bench(Chord::Char(','), Action::CycleDown, "handles, also while it runs", "cycle"),
    bench(Chord::Char('.'), Action::CycleUp, "handles, also while it runs", "cycle"),
    bench(Chord::Char('<'), Action::Phase1Down, "handles, also while it runs", "phase 1"),
    bench(Chord::Char('>'), Action::Phase1Up, "handles, also while it runs", "phase 1"),
    bench(Chord::Char('v'), Action::NextView, "seeing", "view"),
    bench(Chord::Char('r'), Action::Restart, "the run", "restart"),
    bench(Chord::Char('e'), Action::Export, "the run", "export"),
    bench(Chord::Char('m'), Action::More, "seeing", "more"),
    bench(Chord::Char('d'), Action::NextContrast, "seeing", "spectrum"),
    bench(Chord::Char('y'), Action::LogScale, "seeing", "LR axis"),
    bench(Chord::Char('t'), Action::NextTheme, "seeing", "theme"),
    bench(Chord::Char('n'), Action::NextSeed, "the run", "seed"),
    bench(Chord::Char('N'), Action::PreviousSeed, "the run", "seed"),
    bench(Chord::BackTab, Action::FocusPrevious, "moving about", ""),
    bench(Chord::Up, Action::Up, "moving about", ""),
    bench(Chord::Char('k'), Action::Up, "moving about", ""),
    bench(Chord::Down, Action::Down, "moving about", ""),
    bench(Chord::Char('j'), Action::Down, "moving about", ""),
    bench(Chord::Left, Action::Left, "moving about", ""),
    bench(Chord::Char('h'), Action::Left, "moving about", ""),
    bench(Chord::Right, Action::Right, "moving about", ""),
    bench(Chord::Char('l'), Action::Right, "moving about", ""),
    bench(Chord::Home, Action::First, "moving about", ""),
    bench(Chord::Char('g'), Action::First, "moving about", ""),
    bench(Chord::End, Action::Last, "moving about", ""),
    bench(Chord::Char('G'), Action::Last, "moving about", ""),
    bench(Chord::Enter, Action::Enter, "moving about", ""),
    bench(Chord::Esc, Action::Back, "moving about", ""),
    bind(Context::Anywhere, Chord::Ctrl('c'), Action::Interrupt, "the program", ""),
    bind(Context::Anywhere, Chord::Ctrl('z'), Action::Suspend, "the program", ""),
    bind(Context::Anywhere, Chord::Ctrl('l'), Action::Redraw, "the program", ""),
    bind(Context::Edit, Chord::Enter, Action::Enter, "", "take it"),
    bind(Context::Edit, Chord::Esc, Action::Back, "", "leave it"),
    bind(Context::Edit, Chord::Backspace, Action::Erase, "", "erase"),
    browse(Chord::Tab, Action::OtherModel, "other model"),
    browse(Chord::Char('a'), Action::Show(Filter::All), "show"),
    browse(Chord::Char('f'), Action::Show(Filter::Fooled), "show"),
    browse(Chord::Char('w'), Action::Show(Filter::Wrong), "show"),
    browse(Chord::Char('r'), Action::Show(Filter::Right), "show"),
    browse(Chord::Char('c'), Action::Classes, "class"),
    browse(Chord::Esc, Action::Back, "leave"),
    browse(Chord::Char('d'), Action::NextContrast, "spectrum"),
    browse(Chord::Char('u'), Action::Refresh, "newest"),
    browse(Chord::PageUp, Action::PageUp, "page"),
    browse(Chord::PageDown, Action::PageDown, "page"),
    browse(Chord::Char('?'), Action::Help, "help"),
    browse(Chord::Char('t'), Action::NextTheme, "theme"),
    browse(Chord::Up, Action::Up, ""),
    browse(Chord::Char('k'), Action::Up, ""),
    browse(Chord::Down, Action::Down, ""),
    browse(Chord::Char('j'), Action::Down, ""),
    browse(Chord::Left, Action::Left, ""),
    browse(Chord::Char('h'), Action::Left, ""),
    browse(Chord::Right, Action::Right, ""),
    browse(Chord::Char('l'), Action::Right, ""),
    browse(Chord::Home, Action::First, ""),
    browse(Chord::Char('g'), Action::First, ""),
    browse(Chord::End, Action::Last, ""),
    browse(Chord::Char('G'), Action::Last, ""),
    browse(Chord::Char('b'), Action::Back, ""),
    browse(Chord::Char('q'), Action::Back, ""),
    bind(Context::Help, Chord::Up, Action::Up, "", "scroll"),
    bind(Context::Help, Chord::Down, Action::Down, "", "scroll"),
    bind(Context::Help, Chord::Char('k'), Action::Up, "", ""),
    bind(Context::Help, Chord::Char('j'), Action::Down, "", ""),
    bind(Context::Help, Chord::Esc, Action::Back, "", "close"),
    bind(Context::Help, Chord::Char('?'), Action::Help, "", ""),
    bind(Context::Help, Chord::Char('q'), Action::Quit, "", ""),
    bind(Context::Help, Chord::Enter, Action::Back, "", ""),
    bind(Context::Confirm, Chord::Char('y'), Action::Accept, "", "yes"),
    bind(Context::Confirm, Chord::Enter, Action::Accept, "", ""),
    bind(Context::Confirm, Chord::Char('n'), Action::Decline, "", "no"),
    bind(Context::Confirm, Chord::Esc, Action::Back, "", ""),
    bind(Context::Choices, Chord::Up, Action::Up, "", "move"),
    bind(Context::Choices, Chord::Down, Action::Down, "", "move"),
    bind(Context::Choices, Chord::Char('k'), Action::Up, "", ""),
    bind(Context::Choices, Chord::Char('j'), Action::Down, "", ""),
    bind(Context::Choices, Chord::Left, Action::Left, "", "group"),
    bind(Context::Choices, Chord::Right, Action::Right, "", "group"),
    bind(Context::Choices, Chord::Home, Action::First, "", ""),
    bind(Context::Choices, Chord::End, Action::Last, "", ""),
    bind(Context::Choices, Chord::Enter, Action::Enter, "", "choose"),
    bind(Context::Choices, Chord::Char(' '), Action::Enter, "", ""),
    bind(Context::Choices, Chord::Esc, Action::Back, "", "close"),
    bind(Context::Choices, Chord::Char('q'), Action::Back, "", ""),
    bind(Context::Evidence, Chord::Char(' '), Action::Toggle, "", "start"),
    bind(Context::Evidence, Chord::Char('w'), Action::Evidence, "", "close"),
    bind(Context::Evidence, Chord::Esc, Action::Back, "", "close"),
    bind(Context::Evidence, Chord::Char('e'), Action::Export, "", "export"),
    bind(Context::Evidence, Chord::Char('q'), Action::Back, "", ""),
    bind(Context::Message, Chord::Enter, Action::Accept, "", "close"),
    bind(Context::Message, Chord::Char(' '), Action::Accept, "", ""),
    bind(Context::Message, Chord::Esc, Action::Back, "", "close"),
    bind(Context::Message, Chord::Char('q'), Action::Back, "", ""),
];

/// Every line: those above, and those of the screens that have a table of their own.
fn bindings() -> impl Iterator<Item = &'static Binding> {
    TABLE.iter().chain(compare::TABLE).chain(sequela::TABLE).chain(figures::TABLE)
}

/// Where the keys go now.
pub fn context(state: &State) -> Context {
    match state.layers.last() {
        Some(Layer::Browse) => Context::Browse,
        Some(Layer::Help(_)) => Context::Help,
        Some(Layer::Confirm(_)) => Context::Confirm,
        Some(Layer::Choices(_)) => Context::Choices,
        Some(Layer::Message(_)) => Context::Message,
        Some(Layer::Evidence) => Context::Evidence,
        Some(Layer::Compare) => Context::Compare,
        Some(Layer::Runs) => Context::Runs,
        Some(Layer::Sweep) => Context::Sweep,
        Some(Layer::Sequela) => Context::Sequela,
        Some(Layer::Figures) => Context::Figures,
        None if state.setup.edit.is_some() => Context::Edit,
        None => Context::Bench,
    }
}

/// What `chord` means now.
pub fn action(state: &State, chord: Chord) -> Option<Action> {
    let here = context(state);
    let bound = bindings().find(|b| b.chord == chord && (b.context == here || b.context == Context::Anywhere));
    match (bound, chord) {
        (Some(binding), _) => Some(binding.action.clone()),
        (None, Chord::Char(c)) if here == Context::Edit => Some(Action::Type(c)),
        _ => None,
    }
}

/// Keys that share a few words in the footer.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// The keys and what each does.
    pub keys: Vec<(Chord, Action)>,
    /// The words.
    pub words: &'static str,
}

/// What the footer says now, the most needed first.
pub fn hints(state: &State) -> Vec<Hint> {
    let here = context(state);
    let mut hints: Vec<Hint> = Vec::new();
    for binding in bindings().filter(|b| b.context == here && !b.short.is_empty()) {
        let Some(words) = words(state, binding) else { continue };
        let key = (binding.chord, binding.action.clone());
        match hints.last_mut().filter(|hint| hint.words == words) {
            Some(hint) => hint.keys.push(key),
            None => hints.push(Hint { keys: vec![key], words }),
        }
    }
    hints
}

/// The words for a binding as things stand; `None` where it does nothing.
fn words(state: &State, binding: &Binding) -> Option<&'static str> {
    let swings = matches!(state.spec.defense.method, Method::SuperFineTuning(_));
    match binding.action {
        Action::Toggle if binding.context == Context::Figures => state.figures.making.is_none().then_some(binding.short),
        Action::Stop if binding.context == Context::Figures => state.figures.making.is_some().then_some("stop"),
        Action::Toggle if binding.context == Context::Sequela => Some(match (&state.sequela.again, state.sequela.paused()) {
            (None, _) => binding.short,
            (Some(_), true) => "go on",
            (Some(_), false) => "pause",
        }),
        Action::Stop if binding.context == Context::Sequela => state.sequela.again.is_some().then_some("stop"),
        Action::Sequela if binding.context == Context::Bench => aftermath::subject(state).map(|_| binding.short),
        Action::Toggle if !state.active() => Some("start"),
        Action::Toggle if state.paused() => Some("go on"),
        Action::Toggle => Some("pause"),
        Action::Browse => browse::possible(state).then_some("browse"),
        Action::Stop => state.active().then_some("stop"),
        Action::Sweep => (!state.sweep.cells.is_empty()).then_some("sweep"),
        Action::Evidence if binding.context == Context::Bench && !state.look.evidence => {
            (!state.defense.evidence.is_empty()).then_some(binding.short)
        }
        Action::Evidence if binding.context == Context::Bench => Some("the lens"),
        Action::Presets | Action::NextSeed | Action::PreviousSeed if state.active() => None,
        Action::LrMax1Down | Action::LrMax1Up if !swings => Some("LR"),
        Action::LrMax2Down | Action::LrMax2Up => swings.then_some("LR MAX2"),
        Action::LrBaseDown | Action::LrBaseUp => swings.then_some("LR BASE"),
        Action::CycleDown | Action::CycleUp => swings.then_some("cycle"),
        Action::Phase1Down | Action::Phase1Up => swings.then_some("phase 1"),
        Action::More if state.setup.more => Some("less"),
        _ => Some(binding.short),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_means_two_things() {
        let mut seen = HashSet::new();
        for b in bindings() {
            assert!(seen.insert((b.context, b.chord)), "{:?} {} is bound twice", b.context, b.chord);
        }
        for b in bindings().filter(|b| b.context == Context::Anywhere) {
            assert!(!bindings().any(|o| o.chord == b.chord && o.context != Context::Anywhere), "{} is bound everywhere and somewhere", b.chord);
        }
    }

    #[test]
    fn every_key_of_the_bench_is_in_the_help() {
        let text = format!("{:?}", help(None)).to_lowercase();
        let explained = |b: &&Binding| {
            matches!(b.context, Context::Bench | Context::Browse | Context::Anywhere)
                || compare::GROUPS.contains(&b.group)
                || [sequela::GROUP, figures::GROUP].contains(&b.group)
        };
        for b in bindings().filter(explained) {
            assert!(text.contains(&b.action.help().trim_end_matches('.').to_lowercase()), "{} is not explained", b.chord);
            assert!(!b.group.is_empty(), "{} has no group", b.chord);
        }
    }

    #[test]
    fn the_help_begins_with_the_screen_it_is_asked_on() {
        for (under, heading) in [(None, "the run"), (Some(Layer::Compare), "comparing runs"), (Some(Layer::Browse), BROWSING)] {
            assert_eq!(help(under.as_ref())[0], HelpLine::Heading(heading));
            assert_eq!(help(under.as_ref()).len(), help(None).len());
        }
    }

    #[test]
    fn every_layer_can_be_left_with_escape() {
        let layers = [Context::Browse, Context::Edit, Context::Help, Context::Confirm, Context::Choices, Context::Message, Context::Evidence];
        for context in layers.into_iter().chain([Context::Compare, Context::Runs, Context::Sweep, Context::Sequela, Context::Figures]) {
            assert!(bindings().any(|b| b.context == context && b.chord == Chord::Esc && b.action == Action::Back), "{context:?}");
        }
    }
}
