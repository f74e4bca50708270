//! Whether a file of reported numbers makes sense.

use super::{CLEAN, Collection, Reported, UNDEFENDED};
use crate::spec::{Attack, Data, Defense, field};

/// # Errors
/// Names the first entry that makes none, by its number, and what is wrong with it.
pub(super) fn check(collection: &Collection) -> Result<(), String> {
    settings(collection.defaults.keys()).map_err(|message| format!("defaults: {message}"))?;
    for (number, reported) in collection.reported.iter().enumerate() {
        entry(reported)
            .map_err(|message| format!("entry {} ({}, {}, {}): {message}", number + 1, reported.data, reported.attack, reported.defense))?;
    }
    Ok(())
}

fn entry(r: &Reported) -> Result<(), String> {
    named("data set", &r.data, &Data::NAMES)?;
    named("attack", &r.attack, &Attack::NAMES)?;
    if ![UNDEFENDED, CLEAN].contains(&r.defense.as_str()) {
        named("defense", &r.defense, &Defense::NAMES)?;
        named("defense of this scenario", &r.defense, r.scenario.choices("defense.name").unwrap_or(&Defense::NAMES))?;
    }
    match &r.downstream {
        Some(second) => named("data set", second, &Data::NAMES)?,
        None if r.scenario.carries_over() => return Err("there is no downstream, which this scenario has".to_owned()),
        None => {}
    }
    settings(r.settings.keys())?;
    let ratio = r.reinjection.map(|again| again.ratio);
    let shares = [("ca", r.ca), ("asr", r.asr), ("ra", r.ra), ("membership", r.membership), ("reinjection.ratio", ratio)];
    for (name, value) in shares.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        if !(0.0..=1.0).contains(&value) {
            return Err(format!("{name} = {value} is no share; allowed are 0 to 1"));
        }
    }
    if r.gpu_hours.is_some_and(|hours| !hours.is_finite() || hours <= 0.0) {
        return Err("gpu_hours must be more than 0".to_owned());
    }
    if r.asr.unwrap_or(0.0) + r.ra.unwrap_or(0.0) > 1.0 + 1e-9 {
        return Err("asr + ra is more than 1".to_owned());
    }
    let numbers = [r.ca, r.asr, r.ra, r.membership, r.gpu_hours];
    if numbers.iter().all(Option::is_none) { Err("there is no number".to_owned()) } else { Ok(()) }
}

fn named(what: &str, name: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&name) { Ok(()) } else { Err(format!("there is no {what} `{name}`; there are: {}", known.join(", "))) }
}

fn settings<'a>(mut paths: impl Iterator<Item = &'a String>) -> Result<(), String> {
    paths.find(|path| field::find(path).is_none()).map_or(Ok(()), |path| Err(format!("there is no setting `{path}`")))
}
