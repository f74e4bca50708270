//! The After-effects screen (spec.md section 5): how well members are told from others, and how fast the backdoor comes back
//! when it is put in again, of one finished run.

use super::layer::{Layer, Message};
use super::state::{After, Asked, Effect, Preparing, State, Tone};
use super::{Action, update, words};
use crate::figure::aftermath::Aftermath;
use crate::figure::runs::RunEntry;
use crate::run::command::Command;
use crate::run::event::{Event, EventKind};
use crate::run::session::Signal;
use crate::run::view::{RunView, Status};
use crate::sequela::membership::{News, Outcome, Report};
use crate::sequela::reinjection::{LEVELS, RATIOS, epochs_to};
use crate::spec::{Stage, Start};
use std::path::{Path, PathBuf};

/// Epochs that can be chosen for a re-injection: the paper's are 25.
pub const EPOCHS: [u64; 6] = [1, 3, 5, 10, 25, 50];
/// The choice to begin with: a laptop shows it within minutes.
const FIRST_EPOCHS: usize = 3;

/// What is to be put in again, into the run's model, the backdoored one and a clean one.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The run.
    pub dir: PathBuf,
    /// Share of the training images that is poisoned.
    pub ratio: f64,
    /// Epochs of each.
    pub epochs: u64,
}

/// A membership inference under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Inferring {
    /// The run whose model is asked.
    pub dir: PathBuf,
    /// What goes on.
    pub doing: Preparing,
    /// Repetitions done.
    pub outcomes: Vec<Outcome>,
    /// Models still to be asked, this one with them.
    pub left: usize,
}

/// Re-injections under way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Again {
    /// Share of the training images that is poisoned.
    pub ratio: f64,
    /// Epochs of each.
    pub epochs: u64,
    /// What goes on before the first step.
    pub preparing: Option<Preparing>,
    /// A clean model, while it is trained.
    pub clean: RunView,
    /// Asked of the worker, not yet confirmed.
    pub asked: Option<Asked>,
}

/// The screen's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Sequela {
    /// The run that is asked about.
    pub dir: PathBuf,
    /// What is known of it.
    pub known: Option<Aftermath>,
    /// Why nothing is.
    pub trouble: Option<String>,
    /// Place of the chosen ratio among [`RATIOS`].
    pub ratio: usize,
    /// Place of the chosen number of epochs among [`EPOCHS`].
    pub epochs: usize,
    /// Membership inference under way.
    pub inferring: Option<Inferring>,
    /// Re-injections under way.
    pub again: Option<Again>,
    /// Those that were computed, or are, since the screen was opened.
    pub live: Vec<RunEntry>,
}

impl Default for Sequela {
    fn default() -> Self {
        let dir = PathBuf::new();
        Self { dir, known: None, trouble: None, ratio: 0, epochs: FIRST_EPOCHS, inferring: None, again: None, live: Vec::new() }
    }
}

impl Sequela {
    /// The chosen ratio.
    pub fn ratio(&self) -> f64 {
        RATIOS[self.ratio.min(RATIOS.len() - 1)]
    }

    /// The chosen number of epochs.
    pub fn epochs(&self) -> u64 {
        EPOCHS[self.epochs.min(EPOCHS.len() - 1)]
    }

    /// Whether something is computed.
    pub fn busy(&self) -> bool {
        self.again.is_some() || self.inferring.is_some()
    }

    /// Whether re-injection stands still, or was asked to.
    pub fn paused(&self) -> bool {
        match self.again.as_ref().map(|again| again.asked) {
            Some(Some(Asked::Pause)) => true,
            Some(None) => self.going().is_some_and(|view| view.status == Status::Paused),
            _ => false,
        }
    }

    /// The training that goes on.
    pub fn going(&self) -> Option<&RunView> {
        let live = self.live.iter().map(|run| &run.view).rfind(|view| matches!(view.status, Status::Running | Status::Paused));
        let clean = self.again.as_ref().map(|again| &again.clean).filter(|view| view.stage.is_some() && !view.ended());
        live.or(clean)
    }

    /// The re-injection into the model of kind `start` at the chosen ratio, the newest of them.
    pub fn of(&self, start: Start) -> Option<&RunEntry> {
        let known = self.known.iter().flat_map(|known| &known.again);
        let ours = |run: &&RunEntry| {
            let what = run.view.facts.reinjection.as_ref();
            what.is_some_and(|what| what.start == start && what.at(self.ratio()))
        };
        self.live.iter().rfind(ours).or_else(|| known.filter(ours).max_by_key(|run| run.view.clock_ms.1))
    }

    /// Seconds that what was chosen takes here, if nothing of it is there yet.
    fn seconds(&self, state: &State) -> Option<f64> {
        let known = self.known.as_ref()?;
        let starts = known.starts();
        let of = |start: Start| state.machine.speeds.again(&known.run.spec.reinjection(start, self.ratio(), self.epochs()));
        starts.into_iter().map(|start| of(start).map(|e| e.seconds)).sum()
    }
}

/// How long what was chosen takes, in words.
pub fn estimate(state: &State) -> String {
    state.sequela.seconds(state).map_or_else(String::new, |seconds| format!("about {}", words::about(seconds)))
}

/// The run that the key on the Bench means: the clean-up, or the attack where there is none; none before either is done.
pub fn subject(state: &State) -> Option<PathBuf> {
    let done = [Stage::Defense, Stage::Attack].map(|stage| state.view(stage)).into_iter().find(|view| view.status == Status::Finished)?;
    Some(state.machine.runs_dir.join(&done.facts.id))
}

/// Opens the screen for what is on the Bench, or says why not.
pub(super) fn of_bench(state: &mut State) -> Vec<Effect> {
    match subject(state) {
        Some(dir) => open(state, dir),
        None => {
            state.say(Tone::Warn, "after-effects are those of a finished run: space starts one, c shows those that are there");
            Vec::new()
        }
    }
}

/// Opens the screen for the run directory `dir`; while something is computed, for the run that it is computed for.
pub(super) fn open(state: &mut State, dir: PathBuf) -> Vec<Effect> {
    let sequela = &mut state.sequela;
    if sequela.dir != dir && sequela.busy() {
        state.say(Tone::Warn, "what is computed here is for another run: s ends it");
    } else if sequela.dir != dir {
        *sequela = Sequela { dir, ratio: sequela.ratio, epochs: sequela.epochs, ..Sequela::default() };
    }
    state.layers.retain(|layer| *layer != Layer::Sequela);
    state.layers.push(Layer::Sequela);
    vec![Effect::ReadAftermath(state.sequela.dir.clone())]
}

/// Takes in what is known of a run.
pub(super) fn known(state: &mut State, dir: &Path, outcome: Result<Box<Aftermath>, String>) {
    if state.sequela.dir != dir {
        return;
    }
    match outcome {
        Ok(known) => (state.sequela.known, state.sequela.trouble) = (Some(*known), None),
        Err(why) => state.sequela.trouble = Some(why),
    }
}

/// The screen has the keys.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let moved = |at: usize, up: bool, count: usize| if up { (at + 1).min(count - 1) } else { at.saturating_sub(1) };
    match action {
        Action::Left | Action::Right => state.sequela.ratio = moved(state.sequela.ratio, action == Action::Right, RATIOS.len()),
        Action::Up | Action::Down => state.sequela.epochs = moved(state.sequela.epochs, action == Action::Up, EPOCHS.len()),
        Action::Infer => return infer(state),
        Action::Toggle => return toggle(state),
        Action::Stop => return stop(state),
        Action::Export => return export(state),
        Action::NextTheme | Action::Help => update::look(state, action),
        Action::Back | Action::Quit | Action::Sequela => drop(state.layers.pop()),
        _ => {}
    }
    Vec::new()
}

/// Why nothing can be computed for the run now.
fn hindrance(state: &State) -> Option<String> {
    if let Some(why) = &state.sequela.trouble {
        return Some(why.clone());
    }
    if state.figures.making.is_some() {
        return Some("a figure is being computed, which takes the device: f on the Bench shows it, s ends it there".to_owned());
    }
    let reading = state.sequela.known.is_none().then(|| "the run is being read".to_owned());
    reading.or_else(|| state.active().then(|| "a run is under way on the Bench, which has the device; s ends it there".to_owned()))
}

fn infer(state: &mut State) -> Vec<Effect> {
    if let Some(why) = hindrance(state) {
        state.say(Tone::Warn, why);
        return Vec::new();
    }
    let Some(models) = state.sequela.known.as_ref().map(Aftermath::models).filter(|_| state.sequela.inferring.is_none()) else { return Vec::new() };
    let first = models.first().cloned().unwrap_or_default();
    let doing = Preparing { what: "getting ready".to_owned(), ..Preparing::default() };
    state.sequela.inferring = Some(Inferring { dir: first, doing, outcomes: Vec::new(), left: models.len() });
    vec![Effect::Infer(models)]
}

/// What an inference tells of the model of `dir`.
pub(super) fn told(state: &mut State, dir: &Path, news: News) {
    let Some(inferring) = &mut state.sequela.inferring else { return };
    if inferring.dir != dir {
        (inferring.dir, inferring.outcomes) = (dir.to_owned(), Vec::new());
    }
    match news {
        News::Working { what, done, total } => inferring.doing = Preparing { what, done, total },
        News::Seed(outcome) => inferring.outcomes.push(outcome),
    }
}

/// An inference has come to its end.
pub(super) fn inferred(state: &mut State, dir: &Path, outcome: Result<Box<Report>, String>) {
    let sequela = &mut state.sequela;
    let left = sequela.inferring.as_ref().map_or(0, |inferring| inferring.left.saturating_sub(1));
    match &mut sequela.inferring {
        Some(inferring) if left > 0 => inferring.left = left,
        inferring => *inferring = None,
    }
    match (outcome, &mut sequela.known) {
        (Ok(report), Some(known)) if known.run.dir == dir => known.inferred = Some(*report),
        (Ok(report), Some(known)) if known.attack.dir == dir => known.before = Some(*report),
        (Ok(_), _) => {}
        (Err(why), _) => state.say(Tone::Bad, why.lines().next().unwrap_or_default().to_owned()),
    }
}

fn toggle(state: &mut State) -> Vec<Effect> {
    let paused = state.sequela.paused();
    if let Some(again) = &mut state.sequela.again {
        if again.asked == Some(Asked::Stop) {
            return Vec::new();
        }
        let (asked, command) = if paused { (Asked::Resume, Command::Resume) } else { (Asked::Pause, Command::Pause) };
        again.asked = Some(asked);
        return vec![Effect::Send(command)];
    }
    if let Some(why) = hindrance(state) {
        state.say(Tone::Warn, why);
        return Vec::new();
    }
    let (ratio, epochs) = (state.sequela.ratio(), state.sequela.epochs());
    let preparing = Some(Preparing { what: "getting ready".to_owned(), ..Preparing::default() });
    state.sequela.again = Some(Again { ratio, epochs, preparing, ..Again::default() });
    vec![Effect::Reinject(Wanted { dir: state.sequela.dir.clone(), ratio, epochs })]
}

/// Tells the worker to end, once.
pub(super) fn stop(state: &mut State) -> Vec<Effect> {
    match &mut state.sequela.again {
        Some(again) if again.asked != Some(Asked::Stop) => {
            again.asked = Some(Asked::Stop);
            vec![Effect::Send(Command::Stop)]
        }
        Some(_) => Vec::new(),
        None => {
            state.say(Tone::Plain, "nothing is put in again: space starts");
            Vec::new()
        }
    }
}

fn export(state: &mut State) -> Vec<Effect> {
    let sequela = &state.sequela;
    match sequela.known.as_ref().and_then(|known| known.scene(&sequela.live, &RATIOS)) {
        Some(scene) => {
            let stem = scene.name.clone();
            vec![Effect::ExportScene(Box::new(scene), stem)]
        }
        None => {
            state.say(Tone::Warn, "nothing to export: space puts the backdoor in again");
            Vec::new()
        }
    }
}

/// Takes in what the worker of re-injections tells.
pub(super) fn reduce(state: &mut State, signal: Signal) -> Vec<Effect> {
    match signal {
        Signal::Preparing { what, done, total } => {
            if let Some(again) = &mut state.sequela.again {
                again.preparing = Some(Preparing { what, done, total });
            }
        }
        Signal::Event { stage, dir, event, .. } => line(&mut state.sequela, stage, dir, &event),
        Signal::Ended(outcome) => return ended(state, outcome.map_err(|failure| failure.message)),
    }
    Vec::new()
}

fn line(sequela: &mut Sequela, stage: Stage, dir: PathBuf, event: &Event) {
    let (Some(again), Some(known)) = (&mut sequela.again, &sequela.known) else { return };
    again.preparing = None;
    match (&event.kind, again.asked) {
        (EventKind::Paused, Some(Asked::Pause)) | (EventKind::Continued, Some(Asked::Resume)) => again.asked = None,
        _ => {}
    }
    if stage != Stage::Reinjection {
        return again.clean.reduce(event);
    }
    if let EventKind::Started { facts, .. } = &event.kind {
        let Some(what) = &facts.reinjection else { return };
        let spec = known.run.spec.reinjection(what.start, what.ratio, again.epochs);
        sequela.live.retain(|run| run.id != facts.id);
        let (id, parent) = (facts.id.clone(), facts.parent.clone());
        sequela.live.push(RunEntry { id, dir, spec, parent, view: RunView::default(), done: false });
    }
    if let Some(run) = sequela.live.last_mut() {
        run.view.reduce(event);
        run.done = run.view.status == Status::Finished;
    }
}

fn ended(state: &mut State, outcome: Result<(), String>) -> Vec<Effect> {
    let stopped = state.sequela.again.take().is_some_and(|again| again.asked == Some(Asked::Stop));
    if state.after.take() == Some(After::Quit) {
        return vec![Effect::Quit];
    }
    match outcome {
        Err(why) => {
            state.say(Tone::Bad, why.lines().next().unwrap_or_default().to_owned());
            let text = format!("{why}\n\nWhat was computed so far is kept: space goes on from there.");
            state.layers.push(Layer::Message(Message { title: "the backdoor could not be put in again".to_owned(), text, bad: true }));
        }
        Ok(()) if stopped => state.say(Tone::Plain, "stopped; space goes on from the last checkpoint"),
        Ok(()) => state.say(Tone::Good, verdict(&state.sequela)),
    }
    Vec::new()
}

/// What came of the re-injections at the chosen ratio, in a sentence: the epochs to the first level of success.
pub fn verdict(sequela: &Sequela) -> String {
    let Some(known) = &sequela.known else { return String::new() };
    let of = |start: Start| {
        let view = &sequela.of(start)?.view;
        let name = known.look(start).0;
        Some(match epochs_to(view, LEVELS[0]) {
            Some(0) => format!("{name} from the start"),
            Some(1) => format!("{name} after 1 epoch"),
            Some(n) => format!("{name} after {n} epochs"),
            None => format!("{name} not within {}", view.epochs.last().map_or(0.0, |p| p.epoch)),
        })
    };
    let parts: Vec<String> = known.starts().into_iter().filter_map(of).collect();
    format!("ASR at {}: {}", words::whole_percent(LEVELS[0]), parts.join("; "))
}
