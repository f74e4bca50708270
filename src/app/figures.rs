//! The Figures screen: every figure of the paper, what was run of it, a preview, and computing what is missing.

use super::layer::{Layer, Message};
use super::state::{Effect, State, Tone};
use super::{Action, update};
use crate::figure::cells::{Scale, Standing, stem};
use crate::figure::{FigureId, Scene};

/// A preview: of which figure, and why there is none.
pub type Preview = (FigureId, Scale, Result<Box<Scene>, String>);

/// A figure whose runs are being computed.
#[derive(Clone, Debug, PartialEq)]
pub struct Making {
    /// Which.
    pub id: FigureId,
    /// Of which runs.
    pub scale: Scale,
    /// What was said last.
    pub line: String,
    /// Whether it was asked to end.
    pub stopping: bool,
}

/// The screen's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Which runs figures are made of.
    pub scale: Scale,
    /// Every figure with what is there of it; empty until that was read.
    pub list: Vec<Standing>,
    /// Why nothing was.
    pub trouble: Option<String>,
    /// The figure under the cursor.
    pub cursor: usize,
    /// Its preview.
    pub preview: Option<Preview>,
    /// Whether the preview has all of the screen.
    pub large: bool,
    /// What is being computed.
    pub making: Option<Making>,
}

impl Default for Figures {
    fn default() -> Self {
        // What a laptop can compute is what one looks at first.
        Self { scale: Scale::Reduced, list: Vec::new(), trouble: None, cursor: 0, preview: None, large: false, making: None }
    }
}

impl Figures {
    /// The figure under the cursor.
    pub fn here(&self) -> Option<&Standing> {
        self.list.get(self.cursor)
    }

    /// The preview of the figure under the cursor, once it is there.
    pub fn shown(&self) -> Option<&Result<Box<Scene>, String>> {
        let here = self.here()?.id;
        self.preview.as_ref().filter(|(id, scale, _)| (*id, *scale) == (here, self.scale)).map(|(.., preview)| preview)
    }
}

/// Opens the screen.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    if !state.layers.contains(&Layer::Figures) {
        state.layers.push(Layer::Figures);
    }
    read(state)
}

/// Everything that is shown, read anew.
fn read(state: &State) -> Vec<Effect> {
    let figures = &state.figures;
    let list = Effect::ReadFigures(figures.scale, state.machine.runs_dir.clone(), state.machine.speeds.clone());
    std::iter::once(list).chain(preview(state)).collect()
}

fn preview(state: &State) -> Option<Effect> {
    let here = state.figures.here()?;
    Some(Effect::PreviewFigure(here.id, state.figures.scale, state.machine.runs_dir.clone()))
}

/// The screen has the keys.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    if let Some(rows) = action.rows() {
        return go(state, state.figures.cursor.saturating_add_signed(rows));
    }
    match action {
        Action::Pick(at) => return go(state, at),
        Action::OtherScale => return other_scale(state),
        Action::FocusNext | Action::FocusPrevious | Action::Enter => state.figures.large = !state.figures.large,
        Action::Toggle => return make(state),
        Action::Stop => return stop(state),
        Action::Refresh => return read(state),
        Action::Export => return export(state),
        Action::NextTheme | Action::Help => update::look(state, action),
        Action::Back | Action::Quit | Action::Figures => drop(state.layers.pop()),
        _ => {}
    }
    Vec::new()
}

fn go(state: &mut State, to: usize) -> Vec<Effect> {
    state.figures.cursor = to.min(state.figures.list.len().saturating_sub(1));
    preview(state).into_iter().collect()
}

fn other_scale(state: &mut State) -> Vec<Effect> {
    let figures = &mut state.figures;
    figures.scale = if figures.scale == Scale::Full { Scale::Reduced } else { Scale::Full };
    let words = match figures.scale {
        Scale::Full => "the paper's data sets and settings: made for a GPU",
        Scale::Reduced => "small runs on the embedded sets: made for a laptop",
    };
    state.say(Tone::Plain, words);
    read(state)
}

/// Computes what is missing of the figure under the cursor, and writes its files.
fn make(state: &mut State) -> Vec<Effect> {
    let refused = if state.figures.making.is_some() {
        Some("a figure is being computed: s ends that")
    } else if state.computing() {
        Some("a run is under way, which has the device")
    } else if state.figures.here().is_none_or(|here| here.runs.is_none()) {
        Some("there is nothing to compute: no runs are named for this figure")
    } else {
        None
    };
    if let Some(why) = refused {
        state.say(Tone::Warn, why);
        return Vec::new();
    }
    let (Some(id), scale) = (state.figures.here().map(|here| here.id), state.figures.scale) else { return Vec::new() };
    state.figures.making = Some(Making { id, scale, line: "getting ready".to_owned(), stopping: false });
    vec![Effect::MakeFigure(id, scale)]
}

fn stop(state: &mut State) -> Vec<Effect> {
    match &mut state.figures.making {
        Some(making) => {
            making.stopping = true;
            vec![Effect::StopMaking]
        }
        None => {
            state.say(Tone::Plain, "no figure is being computed: space begins");
            Vec::new()
        }
    }
}

fn export(state: &mut State) -> Vec<Effect> {
    let scale = state.figures.scale;
    match (state.figures.here(), state.figures.shown()) {
        (Some(here), Some(Ok(scene))) => vec![Effect::ExportScene(scene.clone(), stem(here.id, scale))],
        _ => {
            state.say(Tone::Warn, "nothing to write: space computes what this figure is made of");
            Vec::new()
        }
    }
}

/// Takes in where the figures stand.
pub(super) fn listed(state: &mut State, scale: Scale, outcome: Result<Vec<Standing>, String>) -> Vec<Effect> {
    let figures = &mut state.figures;
    if figures.scale != scale {
        return Vec::new();
    }
    match outcome {
        Ok(list) => (figures.list, figures.trouble) = (list, None),
        Err(why) => figures.trouble = Some(why),
    }
    figures.cursor = figures.cursor.min(figures.list.len().saturating_sub(1));
    if figures.shown().is_none() { preview(state).into_iter().collect() } else { Vec::new() }
}

/// Takes in a preview.
pub(super) fn previewed(state: &mut State, preview: Preview) {
    state.figures.preview = Some(preview);
}

/// The computation of a figure says something: a run more may be there.
pub(super) fn told(state: &mut State, line: String) -> Vec<Effect> {
    if let Some(making) = &mut state.figures.making {
        making.line = line;
    }
    if state.layers.contains(&Layer::Figures) { read(state) } else { Vec::new() }
}

/// The computation of a figure has ended.
pub(super) fn made(state: &mut State, outcome: Result<(), String>) -> Vec<Effect> {
    let Some(making) = state.figures.making.take() else { return Vec::new() };
    match outcome {
        Ok(()) => state.say(Tone::Good, format!("{} is there, and written to figures/{}.*", making.id, stem(making.id, making.scale))),
        Err(_) if making.stopping => state.say(Tone::Plain, "stopped; space goes on from there"),
        Err(why) => {
            let text = format!("{why}\n\nWhat was computed so far is kept: space goes on from there.");
            state.layers.push(Layer::Message(Message { title: format!("{} could not be computed", making.id), text, bad: true }));
        }
    }
    if state.layers.contains(&Layer::Figures) { read(state) } else { Vec::new() }
}
