//! The list of settings: its rows, and what a key press makes of a value.

use crate::spec::RunSpec;
use crate::spec::field::{Field, Kind};
use toml::Value;

/// The settings' panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// Path of the selected setting.
    pub selected: &'static str,
    /// Whether seldom changed settings are shown too.
    pub more: bool,
    /// What is being typed for the selected setting.
    pub edit: Option<Edit>,
}

impl Default for Setup {
    fn default() -> Self {
        Self { selected: "data.name", more: false, edit: None }
    }
}

/// A value being typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// What was typed.
    pub text: String,
    /// Why it cannot be taken.
    pub error: Option<String>,
}

/// A row of the panel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Row {
    /// Starts a section; so many of its settings are folded away.
    Heading(&'static str, usize),
    /// A setting.
    Setting(&'static Field),
}

/// Settings that are shown without asking for more.
const FIRST: [&str; 36] = [
    "scenario",
    "seed",
    "data.name",
    "data.train",
    "downstream.name",
    "downstream.train",
    "model.name",
    "model.widths",
    "model.blocks",
    "pretrain.epochs",
    "pretrain.lr",
    "pretrain.temperature",
    "attack.name",
    "attack.patch",
    "attack.alpha",
    "attack.pattern",
    "attack.colour",
    "attack.mask_epochs",
    "attack.generator_widths",
    "attack.grid",
    "attack.strength",
    "attack.cross_ratio",
    "attack.image",
    "attack.reference",
    "attack.target",
    "attack.poison_ratio",
    "attack.epochs",
    "attack.lr",
    "defense.name",
    "defense.lr",
    "defense.lr_base",
    "defense.lr_max1",
    "defense.lr_max2",
    "defense.cycle",
    "defense.phase1_epochs",
    "defense.epochs",
];

/// The section that a setting stands in.
pub fn section(path: &str) -> &'static str {
    match path.split('.').next() {
        Some("data") => "data",
        Some("downstream") => "second task",
        Some("model" | "augment") => "model",
        Some("pretrain") => "pre-training",
        Some("attack") => "attack",
        Some("defense") => "defense",
        Some("watch") => "watch",
        _ => "scenario",
    }
}

/// The rows for `spec`.
pub fn rows(spec: &RunSpec, more: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    let fields = spec.fields();
    for name in ["scenario", "data", "second task", "model", "pre-training", "attack", "defense", "watch"] {
        let of: Vec<_> = fields.iter().filter(|f| section(f.path) == name).collect();
        let shown: Vec<_> = of.iter().filter(|f| more || FIRST.contains(&f.path)).collect();
        if shown.is_empty() {
            continue;
        }
        rows.push(Row::Heading(name, of.len() - shown.len()));
        rows.extend(shown.into_iter().map(|f| Row::Setting(f)));
    }
    rows
}

/// The settings among `rows`, in order.
pub fn settings(spec: &RunSpec, more: bool) -> Vec<&'static Field> {
    let setting = |row| match row {
        Row::Setting(field) => Some(field),
        Row::Heading(..) => None,
    };
    rows(spec, more).into_iter().filter_map(setting).collect()
}

/// What the value of `field` becomes by one press up (`up`) or down, as text for [`RunSpec::with`]; `None` where
/// only typing makes sense. `words`: what a choice may be.
pub fn stepped(field: &Field, words: Option<&[&'static str]>, value: &Value, up: bool) -> Option<String> {
    match field.kind {
        Kind::Choice(all) => {
            let words = words.unwrap_or(all);
            let here = words.iter().position(|w| value.as_str() == Some(w))?;
            let next = if up { here + 1 } else { here + words.len() - 1 } % words.len();
            Some(words[next].to_owned())
        }
        Kind::Integer { min, max, step } => {
            let here = value.as_integer()?;
            let step = if field.live { step.max(stride(here)) } else { step }.max(1);
            let next = if up { (here / step).saturating_add(1).saturating_mul(step) } else { (here - 1).div_euclid(step) * step };
            Some(next.clamp(min, max).to_string())
        }
        Kind::Number { min, max, step, log } => {
            let here = value.as_float()?;
            let next = if log { next_rate(here, up) } else { on_grid(here, step, up) };
            Some(format!("{}", next.clamp(min, max)))
        }
        Kind::Switch => Some((!value.as_bool()?).to_string()),
        Kind::Text | Kind::Integers => None,
    }
}

/// A whole number's step that stays near a twentieth of it: 31 goes by ones, 195 by fives, 500 by twenties.
fn stride(value: i64) -> i64 {
    [1000, 500, 200, 100, 50, 20, 10, 5, 2].into_iter().find(|s| value / s >= 25).unwrap_or(1)
}

fn on_grid(here: f64, step: f64, up: bool) -> f64 {
    let steps = here / step;
    let next = if up { (steps + 1e-6).floor() + 1.0 } else { (steps - 1e-6).ceil() - 1.0 };
    (next * step * 1e9).round() / 1e9
}

/// Ten rates a decade, each a number that people write.
const MANTISSAS: [f64; 10] = [1.0, 1.25, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0];

/// The next learning rate above or below `lr`.
pub fn next_rate(lr: f64, up: bool) -> f64 {
    let decade = lr.max(1e-12).log10().floor() as i32;
    let mut rates = (decade - 1..=decade + 1).flat_map(|d| MANTISSAS.iter().map(move |m| tidy(m * 10f64.powi(d))));
    if up { rates.find(|r| *r > lr * 1.000_001) } else { rates.rfind(|r| *r < lr * 0.999_999) }.unwrap_or(lr)
}

/// A learning rate without the dust of floating-point arithmetic: three significant digits.
fn tidy(lr: f64) -> f64 {
    format!("{lr:.2e}").parse().unwrap_or(lr)
}

/// A learning rate as a hand sets it: two significant digits.
pub fn by_hand(lr: f64) -> f64 {
    format!("{lr:.1e}").parse().unwrap_or(lr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::field::find;

    #[track_caller]
    fn steps(path: &str, value: impl Into<Value>, down: &str, up: &str) {
        let (field, value) = (find(path).unwrap(), value.into());
        assert_eq!([stepped(field, None, &value, false), stepped(field, None, &value, true)], [Some(down.to_owned()), Some(up.to_owned())], "{path}");
    }

    #[test]
    fn every_kind_of_value_steps_as_a_person_expects() {
        steps("defense.lr_max1", 0.1, "0.08", "0.125");
        steps("defense.lr_base", 3e-4, "0.00025", "0.0004");
        steps("defense.lr_max2", 0.00031, "0.0003", "0.0004");
        steps("defense.lr_max1", 10.0, "8", "10");
        steps("data.name", "signs-12", "folder", "signs");
        steps("data.train", 4000, "3500", "4500");
        steps("data.train", 0, "0", "500");
        steps("attack.batch", 65, "64", "96");
        steps("defense.cycle", 31, "30", "32");
        steps("defense.cycle", 500, "480", "520");
        steps("attack.poison_ratio", 0.1, "0.05", "0.15");
        steps("augment.flip", true, "false", "false");
        assert_eq!(stepped(find("attack.image").unwrap(), None, &"".into(), true), None);
    }

    #[test]
    fn a_section_tells_how_much_it_folds_away() {
        let spec = RunSpec::default();
        let folded: usize = rows(&spec, false).iter().map(|r| if let Row::Heading(_, n) = r { *n } else { 0 }).sum();
        assert_eq!(settings(&spec, false).len() + folded + 4, settings(&spec, true).len());
        assert_eq!(settings(&spec, true).len(), spec.fields().len());
    }
}
