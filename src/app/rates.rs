//! The learning rates of what is on the screen: those of the run, or those that the set-up would have.

pub use crate::figure::rates::{Course, History, handles, number};

use super::cost;
use super::state::State;
use crate::run::view::Status;
use crate::spec::Stage;

/// The rates of `stage`.
pub fn course(state: &State, stage: Stage) -> Course<'_> {
    let view = state.view(stage);
    let known = view.stage.is_some();
    let fresh = !state.active() && (!known || state.ran.as_ref() != Some(&state.spec));
    let pace = if known { view.facts.pace() } else { cost::pace(&state.spec, stage) };
    // A run that was stopped goes on when it is started again.
    let ahead = (fresh || view.status != Status::Finished).then(|| state.spec.schedule(stage, &pace));
    Course { pace, done: view.step, fresh, history: std::borrow::Cow::Borrowed(state.history(stage)), ahead }
}
