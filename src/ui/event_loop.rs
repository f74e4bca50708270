//! Waits for whatever comes first (a key, the worker, a job, a signal, the clock) and draws when something changed.
//!
//! Keys are answered at once. What the worker tells is gathered for a tenth of a second, so that the screen costs the
//! trainer next to nothing; nothing is polled.

use super::glyphs::Glyphs;
use super::hits::Hits;
use super::input::{self, Drag};
use super::jobs::{Job, Jobs, Makers};
use super::making::Maker;
use super::pictures::Pictures;
use super::reading::Wish;
use super::terminal::{self, Os, Screen};
use super::theme::{self, Theme};
use super::view::View;
use super::{FigureHook, Hooks, Options, ReinjectHook, UiError, bench};
use crate::app::sweep::{self, Sweep};
use crate::app::{Action, Effect, Layer, Message, Report, State, compare, reduce, report, update, words};
use crate::figure::FigureId;
use crate::figure::cells::Scale;
use crate::run::command::Command;
use crate::run::session::{Failure, FailureKind, Session, Signal};
use crate::spec::{RunSpec, preset};
use crossbeam_channel::{Receiver, after, never, select, tick};
use ratatui::crossterm::event::Event;
use std::cell::RefCell;
use std::time::{Duration, Instant};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Frames a second while only training changes something.
const FPS: u16 = 10;
/// The clock: times are shown in seconds, memory is read every other tick.
const TICK: Duration = Duration::from_secs(1);
/// Signals taken in before the keyboard is looked at again.
const BATCH: usize = 256;
/// How long a run may take to write its checkpoint after the operating system asked us to end.
const GRACE: Duration = Duration::from_secs(5);

/// When the next frame is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Not,
    Soon,
    Now,
}

pub(super) fn run(options: &Options, spec: RunSpec, preset: Option<String>, hooks: Hooks) -> Result<(), UiError> {
    let themes = theme::all()?;
    let mut state = opening(options, spec, preset, &themes)?;
    state.machine.device.clone_from(&hooks.device);
    state.machine.runs_dir.clone_from(&hooks.runs_dir);
    let os = terminal::listen()?;
    let panics = terminal::catch_panics();
    let makers = Makers { preview: hooks.preview, export: hooks.export, speeds: hooks.speeds, comparison: hooks.comparison, scene: hooks.scene };
    let jobs = Jobs::start(makers, hooks.examine, hooks.infer)?;
    let screen = Screen::open(!options.no_mouse)?;
    let pictures = if options.ascii { Pictures::default() } else { Pictures::for_this_terminal() };
    let mut desk = Desk {
        state,
        screen,
        themes,
        pictures,
        glyphs: Glyphs::for_ascii(options.ascii),
        depth_256: !theme::true_colour(),
        hits: RefCell::default(),
        drag: None,
        jobs,
        start: hooks.start,
        reinject: hooks.reinject,
        figure: hooks.figure,
        maker: None,
        session: None,
        outbox: Vec::new(),
        due: Due::Now,
        drawn: Instant::now(),
        pause: Duration::from_secs(1) / u32::from(if options.fps == 0 { FPS } else { options.fps }),
        meter: System::new().ok(),
        panics,
    };
    // Asking for pictures may have left the terminal as it was before.
    desk.screen.retake()?;
    let (columns, rows) = desk.screen.size()?;
    update(&mut desk.state, Action::Resized(columns, rows));
    let spec = Box::new(desk.state.spec.clone());
    desk.jobs.ask(Job::Preview(spec));
    desk.jobs.ask(Job::Speeds);
    let effects = options.sweep.clone().map(|(file, cells)| sweep::begin(&mut desk.state, Sweep::new(file, cells)));
    desk.carry_out(effects.unwrap_or_default(), &os)?;
    desk.go(&input::listen()?, &os)
}

/// The state that the Bench opens with.
fn opening(options: &Options, spec: RunSpec, preset: Option<String>, themes: &[Theme]) -> Result<State, UiError> {
    // A damaged file of the user's is said; the other presets still stand.
    let (presets, trouble) = preset::usable();
    let mut state = State::new(spec, preset, presets);
    state.look.themes = themes.iter().map(|t| t.name.clone()).collect();
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
    let fitting = theme::fitting(no_colour, std::env::var("COLORFGBG").ok().as_deref());
    let name = options.theme.as_deref().unwrap_or(fitting);
    let place = state.look.themes.iter().position(|t| t == name);
    state.look.theme = place.ok_or_else(|| UiError::NoTheme { name: name.to_owned(), there: state.look.themes.clone() })?;
    if let Some(text) = trouble.map(|e| e.to_string()) {
        state.layers.push(Layer::Message(Message { title: "a preset cannot be used".to_owned(), text, bad: true }));
    }
    Ok(state)
}

/// Everything the loop has at hand.
struct Desk {
    state: State,
    screen: Screen,
    themes: Vec<Theme>,
    pictures: Pictures,
    glyphs: &'static Glyphs,
    depth_256: bool,
    hits: RefCell<Hits>,
    drag: Option<Drag>,
    jobs: Jobs,
    start: Box<dyn Fn(RunSpec) -> Session>,
    reinject: ReinjectHook,
    figure: FigureHook,
    maker: Option<Maker>,
    session: Option<Session>,
    /// Commands that the worker's channel had no room for yet; a later value of a setting replaces the one waiting.
    outbox: Vec<Command>,
    due: Due,
    drawn: Instant,
    /// Time between two frames while only training changes something.
    pause: Duration,
    /// Where this system tells about memory.
    meter: Option<System>,
    panics: Receiver<String>,
}

impl Desk {
    fn go(&mut self, input: &Receiver<Event>, os: &Receiver<Os>) -> Result<(), UiError> {
        let (clock, mut ticks) = (tick(TICK), 0u64);
        let (silent, unticked) = (never(), never());
        loop {
            self.draw_if_due()?;
            let signals = self.session.as_ref().map_or(&silent, |s| &s.signals).clone();
            let frame = if self.due == Due::Soon { after(self.pause.saturating_sub(self.drawn.elapsed())) } else { unticked.clone() };
            let effects = select! {
                recv(input) -> event => match event {
                    Ok(event) => self.typed(event, input),
                    Err(_) => return Err(std::io::Error::other("no more input").into()),
                },
                recv(signals) -> signal => self.told(signal.ok(), &signals),
                recv(self.jobs.reports) -> outcome => self.reported(outcome.ok()),
                recv(os) -> word => match word {
                    Ok(Os::End(signal)) => return Err(self.end(signal)),
                    _ => self.continued()?,
                },
                recv(clock) -> _ => { ticks += 1; self.ticked(ticks) },
                recv(frame) -> _ => { self.due = Due::Now; Vec::new() },
            };
            if self.carry_out(effects, os)? {
                return Ok(());
            }
            self.post();
        }
    }

    fn draw_if_due(&mut self) -> Result<(), UiError> {
        if self.due != Due::Now {
            return Ok(());
        }
        let Some(theme) = self.themes.get(self.state.look.theme) else { return Ok(()) };
        let held = self.drag.as_ref().map(Drag::bounds);
        let view = View { state: &self.state, theme, glyphs: self.glyphs, pictures: &self.pictures, hits: &self.hits, held };
        let depth_256 = self.depth_256;
        self.screen.draw(|frame| bench::render(frame, &view, depth_256))?;
        self.due = Due::Not;
        self.drawn = Instant::now();
        Ok(())
    }

    /// Something other than a key changed what is shown.
    fn changed(&mut self) {
        if self.due == Due::Not {
            self.due = if self.drawn.elapsed() >= self.pause { Due::Now } else { Due::Soon };
        }
    }

    /// A key or the mouse; whatever came with it is taken in before the next frame.
    fn typed(&mut self, first: Event, input: &Receiver<Event>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for event in std::iter::once(first).chain(input.try_iter().take(BATCH)) {
            let actions = input::actions(&self.state, &self.hits.borrow(), &mut self.drag, event);
            for action in actions {
                self.due = Due::Now;
                effects.extend(update(&mut self.state, action));
            }
        }
        effects
    }

    fn told(&mut self, first: Option<Signal>, more: &Receiver<Signal>) -> Vec<Effect> {
        self.changed();
        let Some(first) = first else { return self.silenced() };
        let mut effects = Vec::new();
        for signal in std::iter::once(first).chain(more.try_iter().take(BATCH)) {
            if matches!(signal, Signal::Ended(_)) {
                self.session = None;
                self.outbox.clear();
            }
            effects.extend(reduce(&mut self.state, signal));
        }
        effects
    }

    /// The worker is gone without a last word: it panicked.
    fn silenced(&mut self) -> Vec<Effect> {
        self.session = None;
        self.outbox.clear();
        let words = self.panics.try_iter().last().unwrap_or_else(|| "the training thread ended without a word".to_owned());
        let message = format!("{words}\nThis is a fault of the program, not of the settings.");
        reduce(&mut self.state, Signal::Ended(Err(Failure { message, kind: FailureKind::Other })))
    }

    fn reported(&mut self, outcome: Option<Report>) -> Vec<Effect> {
        if let Some(outcome) = outcome {
            // Answers come in a stream, as what the worker tells; directories are looked at every second.
            if matches!(outcome, Report::Examined(_, Ok(_)) | Report::Inferring(..) | Report::Runs(_) | Report::Cells(_)) {
                self.changed();
            } else {
                self.due = Due::Now;
            }
            if matches!(outcome, Report::Made(_)) {
                self.maker = None;
            }
            return report(&mut self.state, outcome);
        }
        Vec::new()
    }

    /// Starts computing what a figure is made of.
    fn make(&mut self, id: FigureId, scale: Scale) {
        match Maker::start((self.figure)(id, scale), self.jobs.tell.clone()) {
            Ok(maker) => self.maker = Some(maker),
            // The channel is ours: this cannot fail.
            Err(error) => drop(self.jobs.tell.send(Report::Made(Err(error.to_string())))),
        }
    }

    /// Another program had the terminal meanwhile.
    fn continued(&mut self) -> Result<Vec<Effect>, UiError> {
        self.screen.retake()?;
        self.due = Due::Now;
        Ok(Vec::new())
    }

    fn ticked(&mut self, ticks: u64) -> Vec<Effect> {
        if self.state.computing() {
            self.changed();
        }
        if ticks % 2 == 1 {
            self.measure();
        }
        let mut effects = compare::tick(&mut self.state);
        effects.extend(sweep::tick(&mut self.state));
        effects
    }

    /// Reads this program's memory; a frame only where the number shown changes.
    fn measure(&mut self) {
        let (Some(meter), pid) = (&mut self.meter, Pid::from_u32(std::process::id())) else { return };
        meter.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, ProcessRefreshKind::nothing().with_memory());
        let Some(bytes) = meter.process(pid).map(sysinfo::Process::memory) else { return };
        if self.state.machine.memory.map(words::bytes) != Some(words::bytes(bytes)) {
            report(&mut self.state, Report::Memory(bytes));
            self.changed();
        }
    }

    /// Carries effects out; true when the program is to end.
    fn carry_out(&mut self, effects: Vec<Effect>, os: &Receiver<Os>) -> Result<bool, UiError> {
        for effect in effects {
            match effect {
                Effect::Start(spec) => self.session = Some((self.start)(*spec)),
                Effect::Send(command) => self.write(command),
                Effect::Preview(spec) => self.jobs.ask(Job::Preview(spec)),
                Effect::LoadSamples { dir, count } => self.jobs.ask(Job::Samples(dir, count)),
                Effect::Examine(ask) => self.jobs.examine(Some(ask)),
                Effect::StopExamining => self.jobs.examine(None),
                Effect::LoadEvidence(dir) => self.jobs.ask(Job::Evidence(dir, Box::new(self.state.defense.clone()))),
                Effect::Export => self.export(),
                Effect::ExportComparison(comparison) => self.jobs.ask(Job::Comparison(comparison)),
                Effect::ExportScene(scene, stem) => self.jobs.ask(Job::Scene(scene, stem)),
                Effect::ReadFigures(scale, runs, speeds) => self.jobs.read(Wish::Figures(scale, runs, speeds)),
                Effect::PreviewFigure(id, scale, runs) => self.jobs.read(Wish::Figure(id, scale, runs)),
                Effect::MakeFigure(id, scale) => self.make(id, scale),
                Effect::StopMaking => self.maker.iter().for_each(Maker::stop),
                Effect::ReadAftermath(dir) => self.jobs.read(Wish::Aftermath(dir)),
                Effect::Infer(dirs) => self.jobs.infer(dirs),
                Effect::Reinject(wanted) => match (self.reinject)(&wanted) {
                    Ok(session) => self.session = Some(session),
                    // Nothing has begun: there is nothing to carry out either.
                    Err(failure) => drop(reduce(&mut self.state, Signal::Ended(Err(failure)))),
                },
                Effect::ReadRuns(dir) => self.jobs.read(Wish::Runs(dir)),
                Effect::ReadCells(cells, runs) => self.jobs.read(Wish::Cells(cells, runs)),
                Effect::Suspend => {
                    self.screen.suspend(os)?;
                    self.due = Due::Now;
                }
                Effect::Redraw => {
                    self.screen.retake()?;
                    self.due = Due::Now;
                }
                Effect::Quit => return Ok(true),
            }
        }
        Ok(false)
    }

    fn export(&self) {
        let state = &self.state;
        // As it was started: the log tells what was changed since.
        let spec = state.started.as_ref().unwrap_or(&state.spec).clone();
        self.jobs.ask(Job::Export(Box::new((state.attack.clone(), state.defense.clone(), spec))));
    }

    fn write(&mut self, command: Command) {
        if let Command::Set { path, .. } = &command {
            self.outbox.retain(|waiting| !matches!(waiting, Command::Set { path: other, .. } if other == path));
        }
        self.outbox.push(command);
    }

    /// Hands over as many commands as the worker's channel takes, without ever waiting for it.
    fn post(&mut self) {
        let Some(session) = &self.session else { return self.outbox.clear() };
        while let Some(command) = self.outbox.first() {
            if session.commands.try_send(command.clone()).is_err() {
                // Full: the next event or tick tries again. Gone: the worker's last word is on its way.
                return;
            }
            self.outbox.remove(0);
        }
    }

    /// The operating system wants us gone: the terminal first, then the run gets a moment for its checkpoint.
    fn end(&mut self, signal: i32) -> UiError {
        terminal::give_back();
        if let Some(session) = &self.session {
            let _ = session.commands.try_send(Command::Stop);
            let until = Instant::now() + GRACE;
            while let Ok(told) = session.signals.recv_deadline(until) {
                if matches!(told, Signal::Ended(_)) {
                    break;
                }
            }
        }
        UiError::Signal(signal)
    }
}
