//! Browsing: every test image with the model's answers, clean and triggered, of the backdoored and of the cleaned model.

use super::layer::{Choices, Item, Layer, Message, Purpose};
use super::state::{Effect, State, Tone};
use super::{Action, words};
use crate::data::Images;
use crate::run::answers::{Ask, Chunk, Filter, News, Sample, Subject, counts};
use crate::run::event::Measures;
use crate::spec::Stage;
use std::path::Path;

/// The models that can be browsed, in the order of Tab.
const STAGES: [Stage; 2] = [Stage::Attack, Stage::Defense];

/// The answers of one model, as far as they have come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Book {
    /// What was examined, once it was opened.
    pub subject: Option<Subject>,
    /// Answers, from the first test image on.
    pub samples: Vec<Sample>,
    /// The images that they belong to, clean and triggered.
    pub images: Option<(Images, Images)>,
    /// The class that triggered images are to be taken for, by these answers.
    pub target: u16,
    /// CA, ASR and RA by these answers.
    pub measures: Measures,
    /// Images that pass each filter, in the order of [`Filter::ALL`].
    pub counts: [usize; 4],
    /// Images of other classes than the target.
    pub victims: usize,
    /// Tells drawings of these pictures from others.
    pub generation: u64,
    /// Why there is nothing.
    pub trouble: Option<String>,
    /// Whether it is to be asked as soon as there is a checkpoint.
    waiting: bool,
}

impl Book {
    /// Whether every test image is answered.
    pub fn complete(&self) -> bool {
        self.subject.as_ref().is_some_and(|s| s.images == self.samples.len())
    }

    /// What class `label` stands for.
    pub fn class(&self, label: u16) -> String {
        let name = self.subject.as_ref().and_then(|s| s.facts.classes.get(usize::from(label)));
        name.cloned().unwrap_or_else(|| format!("class {label}"))
    }

    /// Whether both are about the same images.
    pub fn same_images(&self, other: &Self) -> bool {
        let key = |b: &Self| b.subject.as_ref().map(|s| (s.facts.fingerprint.clone(), s.images));
        key(self) == key(other)
    }

    fn take(&mut self, chunk: Chunk) {
        let expected = self.subject.as_ref().is_some_and(|s| s.step == chunk.step) && chunk.start == self.samples.len();
        // What an examination says that was ended meanwhile: the next one goes on from here.
        if !expected {
            return;
        }
        self.samples.extend(chunk.samples);
        match &mut self.images {
            Some((clean, triggered)) => {
                clean.pixels.extend(chunk.clean.pixels);
                triggered.pixels.extend(chunk.triggered.pixels);
            }
            none => *none = Some((chunk.clean, chunk.triggered)),
        }
        self.count();
    }

    fn count(&mut self) {
        if let Some(subject) = &self.subject {
            self.target = subject.target(&self.samples);
            self.measures = subject.measures(&self.samples);
            (self.counts, self.victims) = counts(&self.samples, self.target);
        }
    }
}

/// What is browsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Browse {
    /// The model whose answers are shown.
    pub stage: Stage,
    /// The backdoored model's answers and the cleaned one's.
    books: [Book; 2],
    /// Which images are listed.
    pub filter: Filter,
    /// Only images of this class.
    pub class: Option<u16>,
    /// By whose answers the list was chosen: it stays while one looks at the other model.
    pub by: Stage,
    /// Places of the listed images in the test set.
    pub list: Vec<usize>,
    /// The place in the list of the image shown large.
    pub selected: usize,
    /// The image that was chosen last: the list goes there when it is made anew.
    anchor: usize,
    /// Counts what was opened.
    opened: u64,
}

impl Default for Browse {
    fn default() -> Self {
        Self {
            stage: Stage::Attack,
            books: Default::default(),
            filter: Filter::All,
            class: None,
            by: Stage::Attack,
            list: Vec::new(),
            selected: 0,
            anchor: 0,
            opened: 0,
        }
    }
}

impl Browse {
    /// The answers of the model of `stage`.
    pub fn book(&self, stage: Stage) -> &Book {
        &self.books[usize::from(stage == Stage::Defense)]
    }

    fn book_mut(&mut self, stage: Stage) -> &mut Book {
        &mut self.books[usize::from(stage == Stage::Defense)]
    }

    /// The answers that are shown.
    pub fn shown(&self) -> &Book {
        self.book(self.stage)
    }

    /// The image shown large: its place in the test set.
    pub fn image(&self) -> Option<usize> {
        self.list.get(self.selected).copied()
    }

    /// The pictures of image `index`, clean and triggered, and what tells drawings of them apart.
    pub fn pictures(&self, index: usize) -> Option<(&Images, &Images, u64)> {
        [self.shown(), self.book(self.by)].into_iter().filter(|b| index < b.samples.len()).find_map(|book| {
            let (clean, triggered) = book.images.as_ref()?;
            Some((clean, triggered, book.generation))
        })
    }

    /// Makes the list anew; the image shown large stays, or the nearest after it.
    fn relist(&mut self) {
        let book = self.book(self.by);
        let passes = |s: &Sample| self.filter.passes(s, book.target) && self.class.is_none_or(|class| class == s.label);
        self.list = (0..book.samples.len()).filter(|&i| passes(&book.samples[i])).collect();
        let at = self.list.partition_point(|i| *i < self.anchor);
        self.selected = at.min(self.list.len().saturating_sub(1));
    }

    fn select(&mut self, place: usize) {
        self.selected = place.min(self.list.len().saturating_sub(1));
        self.anchor = self.image().unwrap_or_default();
    }

    /// Lists by the answers of the model that is shown.
    fn list_by_shown(&mut self) {
        self.by = self.stage;
        self.relist();
    }

    /// A list of every image is that of whoever answered them all.
    fn settle(&mut self) {
        if self.filter == Filter::All && self.shown().complete() {
            self.list_by_shown();
        }
    }

    fn choose(&mut self, filter: Filter) {
        self.filter = filter;
        self.list_by_shown();
    }
}

/// How the list is laid out on a terminal of so many columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Columns of the list with its frame.
    pub width: u16,
    /// Images side by side, and rows of them, on a page.
    pub grid: (usize, usize),
    /// Columns and rows of a thumbnail; none where images are lines of words.
    pub thumbnail: Option<(u16, u16)>,
}

/// Columns between thumbnails.
pub const GAP: u16 = 2;
/// Rows of the screen that are not the list's: header, three lines of numbers, its frame, news, keys.
const AROUND: u16 = 8;

impl Layout {
    /// That of a terminal of `size` = (columns, rows).
    pub fn of((columns, rows): (u16, u16)) -> Self {
        let inner = rows.saturating_sub(AROUND).max(1);
        if columns < 100 || rows < 30 {
            let width = (columns * 9 / 20).clamp(27, 40);
            return Self { width, grid: (1, inner.into()), thumbnail: None };
        }
        let (across, down) = if columns >= 160 && rows >= 50 { (12, 6) } else { (8, 4) };
        let width = columns - (columns * 2 / 5).clamp(44, 84);
        let grid = (usize::from((width - 4 + GAP) / (across + GAP)), usize::from(inner / (down + 1)));
        Self { width, grid, thumbnail: Some((across, down)) }
    }

    /// Images on a page.
    pub fn page(&self) -> usize {
        self.grid.0 * self.grid.1
    }
}

/// Whether there is a model to browse.
pub fn possible(state: &State) -> bool {
    STAGES.iter().any(|stage| state.view(*stage).stage.is_some())
}

/// Opens the layer, or says why not.
pub(super) fn open(state: &mut State) -> Vec<Effect> {
    let begun = STAGES.into_iter().rev().find(|stage| state.view(*stage).stage.is_some());
    let Some(stage) = begun else {
        state.say(Tone::Warn, "nothing to browse yet: space starts a run, and each checkpoint of it can be browsed");
        return Vec::new();
    };
    state.browse.stage = stage;
    if state.browse.list.is_empty() {
        state.browse.list_by_shown();
    }
    state.layers.push(Layer::Browse);
    ask(state)
}

/// Asks for what the newest checkpoint of the shown model says beyond what is known; before the first there is nothing
/// to ask.
fn ask(state: &mut State) -> Vec<Effect> {
    let stage = state.browse.stage;
    let dir = state.machine.runs_dir.join(&state.view(stage).facts.id);
    let none_yet = state.active() && state.view(stage).checkpoint.is_none();
    let book = state.browse.book_mut(stage);
    book.trouble = None;
    book.waiting = none_yet;
    if none_yet {
        return Vec::new();
    }
    let known = book.subject.as_ref().filter(|s| s.dir == dir).map(|s| (s.step, book.samples.len()));
    vec![Effect::Examine(Ask { dir, known })]
}

/// The layer has the keys.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let layout = Layout::of(state.look.size);
    let (columns, page) = (layout.grid.0 as isize, layout.page() as isize);
    match action {
        Action::Left => step(state, -1),
        Action::Right => step(state, 1),
        Action::Up => step(state, -columns),
        Action::Down => step(state, columns),
        Action::PageUp => step(state, -page),
        Action::PageDown => step(state, page),
        Action::First => step(state, isize::MIN),
        Action::Last => step(state, isize::MAX),
        Action::Pick(place) => state.browse.select(place),
        Action::Show(filter) => state.browse.choose(filter),
        Action::Classes => offer_classes(state),
        Action::NextContrast | Action::NextTheme | Action::Help => super::update::look(state, action),
        Action::OtherModel => return other(state),
        Action::Refresh => return ask(state),
        Action::Back | Action::Quit | Action::Browse => {
            state.layers.pop();
            return vec![Effect::StopExamining];
        }
        _ => {}
    }
    Vec::new()
}

fn step(state: &mut State, by: isize) {
    let place = state.browse.selected.saturating_add_signed(by);
    state.browse.select(place);
}

/// A checkpoint of `stage` was written: whoever waits for the first one is answered.
pub(super) fn checkpoint(state: &mut State, stage: Stage) -> Vec<Effect> {
    let looking = state.layers.contains(&Layer::Browse) && state.browse.stage == stage;
    if looking && state.browse.shown().waiting { ask(state) } else { Vec::new() }
}

/// The other model, the same images where they are the same.
fn other(state: &mut State) -> Vec<Effect> {
    let stage = if state.browse.stage == Stage::Attack { Stage::Defense } else { Stage::Attack };
    if state.view(stage).stage.is_none() {
        state.say(Tone::Warn, format!("there is no {} model yet", name(stage)));
        return Vec::new();
    }
    state.browse.stage = stage;
    let known = state.browse.shown().subject.is_some();
    if known && !state.browse.shown().same_images(state.browse.book(state.browse.by)) {
        state.browse.list_by_shown();
    }
    state.browse.settle();
    if state.browse.shown().complete() { Vec::new() } else { ask(state) }
}

/// The word for the model of `stage`.
pub fn name(stage: Stage) -> &'static str {
    if stage == Stage::Defense { "cleaned" } else { "backdoored" }
}

fn offer_classes(state: &mut State) {
    let book = state.browse.shown();
    let Some(subject) = &book.subject else { return };
    let item = |label: String, count: usize| Item { label, detail: words::count(count as u64), ..Item::default() };
    let mut items = vec![item("every class".to_owned(), book.samples.len())];
    let of = |class: usize| book.samples.iter().filter(|s| usize::from(s.label) == class).count();
    items.extend(subject.facts.classes.iter().enumerate().map(|(i, name)| item(name.clone(), of(i))));
    let selected = state.browse.class.map_or(0, |class| usize::from(class) + 1);
    state.layers.push(Layer::Choices(Choices { title: "true class".to_owned(), items, selected, purpose: Purpose::Class }));
}

/// A line of the list of classes was chosen.
pub(super) fn class(state: &mut State, index: usize) {
    state.browse.class = index.checked_sub(1).map(|class| class as u16);
    state.browse.list_by_shown();
}

/// Takes in what an examination of `dir` tells.
pub(super) fn report(state: &mut State, dir: &Path, outcome: Result<News, String>) {
    let of = |stage: &Stage| state.machine.runs_dir.join(&state.view(*stage).facts.id) == dir;
    // Another run was started meanwhile.
    let Some(stage) = STAGES.into_iter().find(of) else { return };
    match outcome {
        Ok(News::Opened(subject)) => opened(&mut state.browse, stage, *subject),
        Ok(News::Chunk(chunk)) => {
            state.browse.book_mut(stage).take(chunk);
            if state.browse.by == stage {
                state.browse.relist();
            }
            state.browse.settle();
        }
        Err(why) => {
            state.browse.book_mut(stage).trouble = Some(why.clone());
            if state.layers.contains(&Layer::Browse) {
                let text = format!("{why}\n\nThe run itself goes on as it is; u asks again, Esc leaves.");
                state.layers.push(Layer::Message(Message { title: "the model could not be asked".to_owned(), text, bad: true }));
            }
        }
    }
}

fn opened(browse: &mut Browse, stage: Stage, subject: Subject) {
    let same = browse.book(stage).subject.as_ref().is_some_and(|s| s.dir == subject.dir && s.step == subject.step);
    if same {
        return;
    }
    browse.opened += 1;
    let generation = browse.opened;
    *browse.book_mut(stage) = Book { subject: Some(subject), generation, ..Book::default() };
    if browse.by == stage {
        browse.relist();
    } else if browse.stage == stage && !browse.shown().same_images(browse.book(browse.by)) {
        browse.list_by_shown();
    }
}
