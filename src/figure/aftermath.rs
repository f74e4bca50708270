//! What is known of a run's after-effects (spec.md section 5): the results that its directory keeps, and the re-injections
//! that stand beside it.

use super::kind::{models, reinjection};
use super::runs::{self, Damage, RunEntry, Scan};
use super::scene::{Look, Panel, Scene};
use crate::sequela::membership::{self, Report, Settings, Variant};
use crate::spec::{Stage, Start};
use std::path::{Path, PathBuf};

/// Width and height of a panel's frame in a file, in points: those of Figure 11.
const FRAME: (f64, f64) = (190.0, 125.0);

/// They.
#[derive(Clone, Debug, PartialEq)]
pub struct Aftermath {
    /// The run whose model is asked about.
    pub run: RunEntry,
    /// The run of the attack behind it: itself, where it is one.
    pub attack: RunEntry,
    /// Membership inference against the model.
    pub inferred: Option<Report>,
    /// Membership inference against the backdoored model that a defense started from.
    pub before: Option<Report>,
    /// The backdoor put in again: into this model, the backdoored one, a clean one, initial weights.
    pub again: Vec<RunEntry>,
}

/// Why nothing is known.
#[derive(Debug, thiserror::Error)]
pub enum AftermathError {
    /// The run cannot be read.
    #[error("{0}")]
    Damaged(Damage),
    /// There is no backdoor to put in again, nor a finished model to ask.
    #[error("{id}: {what}")]
    NoModel {
        /// The run.
        id: String,
        /// Why not.
        what: &'static str,
    },
    /// The directory of runs cannot be listed.
    #[error(transparent)]
    Runs(#[from] super::FigureError),
}

impl Aftermath {
    /// Reads what stands in the run directory `dir` and beside it.
    ///
    /// # Errors
    /// When the run, or the attack's behind it, cannot be read, is not finished, or is no model of a standalone run.
    pub fn read(dir: &Path) -> Result<Self, AftermathError> {
        let run = runs::read(dir).map_err(AftermathError::Damaged)?;
        let refuse = |what| AftermathError::NoModel { id: run.id.clone(), what };
        if !run.finished() {
            return Err(refuse("the run is not finished: it has no final model to ask"));
        }
        if run.spec.pretrain.is_some() || run.view.stage == Some(Stage::Defense) && run.spec.downstream.is_some() {
            return Err(refuse("after-effects are measured in the standalone scenario, and this run belongs to another"));
        }
        let attack = match run.view.stage {
            Some(Stage::Attack) => run.clone(),
            Some(Stage::Defense) => {
                let parent = run.parent.as_ref().ok_or_else(|| refuse("the run of its attack is not known"))?;
                runs::read(&dir.with_file_name(parent)).map_err(AftermathError::Damaged)?
            }
            _ => return Err(refuse("no attack belongs to it; choose the run of an attack or of a defense")),
        };
        let settings = Settings::of(Variant::Paper);
        let before = (attack.id != run.id).then(|| membership::read(&attack.dir, &settings)).flatten();
        let again = again(&run, &attack)?;
        Ok(Self { inferred: membership::read(dir, &settings), before, again, run, attack })
    }

    /// Run directories whose models are asked: this one's, and that of the backdoored model before it.
    pub fn models(&self) -> Vec<PathBuf> {
        let mut dirs = vec![self.run.dir.clone()];
        if self.attack.id != self.run.id {
            dirs.push(self.attack.dir.clone());
        }
        dirs
    }

    /// The kinds of models that the backdoor is put into.
    pub fn starts(&self) -> Vec<Start> {
        self.run.view.stage.map(Start::usual).unwrap_or_default()
    }

    /// What the model of kind `start` is called in legends, and its mark and colour.
    pub fn look(&self, start: Start) -> (String, Look) {
        let defense = self.run.spec.defense.name();
        let name = if start == Start::Defended { defense } else { start.name() };
        (models::label(name), models::look(name, start as usize))
    }

    /// The curves at `ratio`, with those `under_way` in the place of what was read of them; none before the first has begun.
    pub fn curves(&self, under_way: &[RunEntry], ratio: f64, epochs: u64) -> Option<Panel> {
        let read = self.again.iter().filter(|run| under_way.iter().all(|live| live.id != run.id));
        let drawn = |run: &&RunEntry| run.view.facts.reinjection.as_ref().is_some_and(|what| what.at(ratio));
        let runs: Vec<RunEntry> = under_way.iter().chain(read).filter(drawn).cloned().collect();
        reinjection::watched(&Scan { runs, ..Scan::default() }, self.attack.spec.attack.name(), ratio, epochs)
    }

    /// The curves at all of `ratios` as a figure.
    pub fn scene(&self, under_way: &[RunEntry], ratios: &[f64]) -> Option<Scene> {
        let panels: Vec<Panel> = ratios.iter().filter_map(|ratio| self.curves(under_way, *ratio, 0)).collect();
        let name = format!("{}-again", self.run.id);
        let caption = format!("The backdoor of {} put in again.", self.attack.id);
        (!panels.is_empty()).then(|| Scene { name, caption, columns: 2, panels, frame: FRAME, ..Scene::default() })
    }
}

/// Re-injections of the attack's trigger, but for those into models of other defenses.
fn again(run: &RunEntry, attack: &RunEntry) -> Result<Vec<RunEntry>, AftermathError> {
    let beside = run.dir.parent().unwrap_or(Path::new(""));
    let prefix = format!("{}-reinjection-{}-", attack.spec.data.name(), attack.spec.attack.name());
    let named = |dir: &PathBuf| dir.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix));
    let ours = |entry: &RunEntry| {
        let what = entry.view.facts.reinjection.as_ref();
        what.is_some_and(|what| what.source == attack.id && (what.start != Start::Defended || entry.parent.as_ref() == Some(&run.id)))
    };
    // One that cannot be read is computed anew when it is asked for, and says so then.
    let read = runs::directories(beside)?.into_iter().filter(named).filter_map(|dir| runs::read(&dir).ok());
    Ok(read.filter(ours).collect())
}
