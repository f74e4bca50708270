//! The help overlay, made from the key table.

use super::super::layer::Layer;
use super::{BROWSING, Binding, bindings, compare, figures, sequela};

/// A line of the help.
#[derive(Clone, Debug, PartialEq)]
pub enum HelpLine {
    /// Starts a group.
    Heading(&'static str),
    /// Keys, and what they do.
    Keys(String, String),
}

/// The help, made from the table: keys of one action on one line, and neighbours that share their words in the footer.
/// The groups of the screen under the help come first.
pub fn help(under: Option<&Layer>) -> Vec<HelpLine> {
    let mut lines = Vec::new();
    let all = ["the run", "handles, also while it runs", "moving about", "seeing", BROWSING];
    let all = all.into_iter().chain(compare::GROUPS).chain([sequela::GROUP, figures::GROUP, "the program"]);
    let own = match under {
        Some(Layer::Browse) => BROWSING,
        Some(Layer::Compare) => compare::GROUPS[0],
        Some(Layer::Runs) => compare::GROUPS[1],
        Some(Layer::Sweep) => compare::GROUPS[2],
        Some(Layer::Sequela) => sequela::GROUP,
        Some(Layer::Figures) => figures::GROUP,
        _ => "the run",
    };
    for group in std::iter::once(own).chain(all.filter(|group| *group != own)) {
        lines.push(HelpLine::Heading(group));
        let bindings: Vec<&Binding> = bindings().filter(|b| b.group == group).collect();
        let same = |a: &&Binding, b: &&Binding| a.action == b.action || (!a.short.is_empty() && a.short == b.short);
        lines.extend(bindings.chunk_by(same).map(|of| {
            let keys: Vec<String> = of.iter().map(|b| b.chord.to_string()).collect();
            let mut words: Vec<&str> = of.iter().map(|b| b.action.help().trim_end_matches('.')).collect();
            words.dedup();
            HelpLine::Keys(keys.join(" "), joined(&words))
        }));
    }
    lines
}

/// Sentences as one; `LR` keeps its capitals.
fn joined(sentences: &[&str]) -> String {
    let mut text = String::new();
    for sentence in sentences {
        let lower = sentence.chars().nth(1).is_some_and(char::is_lowercase) && !text.is_empty();
        let first = sentence.chars().next().map(|c| if lower { c.to_ascii_lowercase() } else { c });
        text.extend((!text.is_empty()).then_some("; "));
        text.extend(first);
        text.extend(sentence.chars().skip(1));
    }
    text
}
