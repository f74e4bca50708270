//! What both charts share: what is watched, the room there is, the theme's signs and colours. They are panels of
//! [`crate::figure::watch`], which exports have too, drawn by [`crate::figure::terminal`].

use crate::app::rates::{course, handles};
use crate::app::{Span, State};
use crate::figure::scene::{Kind, Look, Panel, Reference, Role};
use crate::figure::terminal::{Inks, Plot, Signs};
use crate::figure::watch::{Leg, Medium, Watch};
use crate::spec::Stage;
use crate::ui::view::{View, put};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Columns left of a plot: `MAX1 0.125` fits.
pub const GUTTER: u16 = 11;

/// Share of the axis that the attack gets while it is what one watches.
const ATTACK_WATCHED: f64 = 0.45;
/// Share of the axis that the attack keeps once the clean-up is what one watches.
const ATTACK_PAST: f64 = 0.24;

/// Share of the attack's stretch that the clean model before it takes, where there is one.
const PRETRAIN: f64 = 0.4;

/// The plot's place within a panel: right of the gutter, over the axis and its numbers.
pub fn plot_area(inner: Rect, above: u16, below: u16) -> Rect {
    let gutter = GUTTER.min(inner.width);
    let height = inner.height.saturating_sub(above + below);
    // The last column stays free, so that the last epoch's number is not cut.
    Rect { x: inner.x + gutter, y: inner.y + above.min(inner.height), width: inner.width.saturating_sub(gutter + 1), height }
}

/// What the charts show, as the view is set and the run stands.
pub fn watch<'a>(state: &'a State, plot: Rect) -> Watch<'a> {
    let border = if state.defense.stage.is_some() { ATTACK_PAST } else { ATTACK_WATCHED };
    let first = (state.pretrain.stage.is_some()).then(|| leg(state, Stage::Pretrain, border * PRETRAIN));
    let legs = match state.look.span {
        Span::Attack => first.into_iter().map(|l| Leg { end: PRETRAIN, ..l }).chain([leg(state, Stage::Attack, 1.0)]).collect(),
        Span::Defense => vec![leg(state, Stage::Defense, 1.0)],
        Span::Both => first.into_iter().chain([leg(state, Stage::Attack, border), leg(state, Stage::Defense, 1.0)]).collect(),
    };
    Watch {
        legs,
        before: state.before.as_ref(),
        handles: handles(&state.spec),
        now: now(state),
        log: !state.look.linear,
        medium: Medium::Cells(plot.width, plot.height),
    }
}

fn leg(state: &State, stage: Stage, end: f64) -> Leg<'_> {
    let (view, spec) = (state.view(stage), &state.spec);
    let (told, set) = match stage {
        Stage::Pretrain => (view.facts.attack.as_str(), if spec.pretrain.is_some() { "simclr" } else { "clean" }),
        Stage::Attack | Stage::Reinjection => (view.facts.attack.as_str(), spec.attack.name()),
        Stage::Defense => (view.facts.defense.as_str(), spec.defense.name()),
    };
    Leg { stage, name: if told.is_empty() { set } else { told }, view, course: course(state, stage), end }
}

/// Stage, epoch and rate of the step that was done last, while something runs.
pub fn now(state: &State) -> Option<(Stage, f64, f64)> {
    let stage = state.stage();
    let course = course(state, stage);
    let last = state.view(stage).step.checked_sub(1)?;
    (state.active() && last < course.steps()).then(|| (stage, state.view(stage).epoch(), course.was(last)))
}

/// `panel` with its frame at `frame`, within `room`, in the theme's signs and colours.
pub fn plot<'a>(panel: &'a Panel, inks: &'a Theme<'a>, frame: Rect, room: Rect) -> Plot<'a> {
    Plot { panel, inks, frame, room }
}

/// The theme's signs and colours for a chart.
pub struct Theme<'a> {
    /// Where they come from.
    pub view: &'a View<'a>,
    /// Whether values beside the axis have lines across.
    pub grid: bool,
}

impl Inks for Theme<'_> {
    fn signs(&self) -> Signs {
        let glyphs = self.view.glyphs;
        Signs {
            side: glyphs.upright,
            floor: glyphs.axis,
            grid: glyphs.grid,
            across: glyphs.handle,
            divider: glyphs.divider,
            change: glyphs.mark,
            more: glyphs.more,
            braille: glyphs.braille,
        }
    }

    fn marker(&self, look: Look) -> Option<&'static str> {
        let glyphs = self.view.glyphs;
        match look.role {
            Role::Asr => Some(glyphs.asr),
            Role::Ca => Some(glyphs.ca),
            Role::Now => Some(glyphs.now),
            _ => look.marker.map(|marker| marker.glyph(!glyphs.braille)),
        }
    }

    fn line(&self, look: Look) -> Style {
        let theme = self.view.theme;
        match look.role {
            Role::Asr => theme.asr_line.0,
            Role::Ca => theme.ca_line.0,
            Role::Before => theme.before.0,
            Role::Rate => theme.lr.0,
            Role::ToCome | Role::Reported => theme.ghost.0,
            Role::Now => theme.title.0,
            Role::Clean => theme.ca_line.0,
            Role::Poisoned => theme.asr_line.0,
            Role::Flagged => theme.bad.0,
            Role::Other => theme.text.0,
        }
    }

    fn mark(&self, look: Look) -> Style {
        match look.role {
            Role::Asr | Role::Poisoned => self.view.theme.asr.0,
            Role::Ca | Role::Clean => self.view.theme.ca.0,
            _ => self.line(look),
        }
    }

    fn colours(&self) -> bool {
        !self.view.theme.colourless && self.view.glyphs.braille
    }

    fn frame(&self) -> Style {
        self.view.theme.grid.0
    }

    fn grid(&self) -> Option<Style> {
        self.grid.then_some(self.view.theme.grid.0)
    }

    fn values(&self) -> Style {
        self.view.theme.faint.0
    }

    fn spans(&self) -> Style {
        self.view.theme.stage.0
    }

    fn reference(&self, line: &Reference) -> (Style, Style) {
        let theme = self.view.theme;
        match line.kind {
            Kind::Value => (theme.grid.0, theme.faint.0),
            Kind::Change => (theme.mark.0, theme.mark.0),
            Kind::Stage => (theme.stage.0, theme.stage.0),
            Kind::Phase => (theme.handle.0, theme.handle.0),
            Kind::Handle if line.strong => (theme.lr.0, theme.selected.0),
            Kind::Handle => (theme.grid.0, theme.handle.0),
            Kind::Threshold => (theme.warn.0, theme.warn.0),
        }
    }
}

/// Writes lines into the middle of an area.
pub fn centred(frame: &mut Frame, area: Rect, lines: &[(String, Style)]) {
    let top = i32::from(area.y) + (i32::from(area.height) - lines.len() as i32) / 2;
    for (i, (text, style)) in lines.iter().enumerate() {
        let x = i32::from(area.x) + (i32::from(area.width) - text.chars().count() as i32) / 2;
        let text = if text.is_empty() { String::new() } else { format!(" {text} ") };
        put(frame, area, (x - 1).max(area.x.into()), top + i as i32, &text, *style);
    }
}
