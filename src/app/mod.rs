//! The screen without a screen: its state, what a person can do, and what follows from it.
//!
//! ```text
//! key -> keys::TABLE[(context, chord)] -> Action -> update(&mut State, Action) -> [Effect]
//! Signal from the worker ------------------------> reduce(&mut State, Signal)  -> [Effect]
//! ```
//!
//! Nothing here draws, reads the clock, opens a file or knows the tensor library, so every flow can be tested by a
//! list of keys and signals. [`crate::ui`] draws a [`State`] and carries out each [`Effect`].

pub mod action;
pub mod browse;
mod change;
pub mod compare;
pub mod cost;
mod edit;
pub mod figures;
pub mod keys;
pub mod layer;
pub mod lens;
pub mod rates;
mod reduce;
pub mod rehearsal;
pub mod sequela;
pub mod setup;
pub mod spectrum;
pub mod state;
pub mod sweep;
mod update;
pub mod verdict;
pub mod words;

pub use action::Action;
pub use layer::{Choices, Confirm, Item, Layer, Message};
pub use lens::Preview;
pub use reduce::{Report, reduce, report};
pub use state::{Effect, Focus, Notice, Run, Span, State, Tone};
pub use update::update;

#[cfg(test)]
mod tests;
