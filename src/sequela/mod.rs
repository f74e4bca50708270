//! Sequela: what a defense leaves behind (spec.md section 5).
//!
//! ```text
//! run directory -> infer -> sequela/membership-HASH.json    how well it can be told which images a model was trained on
//! runs of the stage `reinjection` -> reinjection::Row       how fast the same backdoor comes back
//! ```
//! [`membership`] and [`reinjection`] are plain data, for the command line, figures and the screen; [`infer`] asks models.
//! The runs of a re-injection are computed by [`crate::run::reinject`].

mod attack;
pub mod infer;
pub mod membership;
pub mod reinjection;
mod sample;

pub use attack::{Examples, attack};
pub use sample::{Halves, Side};
