//! Whether what a preset names is there.

use super::{Ablation, Draw, FigurePreset, Pictures, Scale};
use crate::figure::kind::models;
use crate::spec::{Attack, Data, Defense, field};

/// Names what is not.
pub(super) fn check(preset: &FigurePreset) -> Result<(), String> {
    let curves = match &preset.draw {
        Draw::Schedule(_) => return Ok(()),
        Draw::Pictures(pictures) => return check_pictures(pictures),
        Draw::Plane(plane) => {
            known("data set", plane.data.iter().chain(&plane.stand_ins), &Data::NAMES)?;
            return known("defense", &plane.defenses, &Defense::NAMES);
        }
        Draw::Hours(hours) => return known("defense", &hours.defenses, &Defense::NAMES),
        Draw::Ablation(ablation) => return check_ablation(ablation),
        Draw::Membership(m) => return check_models("draw.membership", &m.attacks, &m.models),
        Draw::Reinjection(r) => {
            for own in [r, &r.at(Scale::Reduced)] {
                let ratio = own.ratios.iter().find(|ratio| !(**ratio > 0.0 && **ratio <= 1.0));
                if ratio.is_some() || own.ratios.is_empty() || own.epochs == 0 {
                    return Err("draw.reinjection: at least one ratio, each above 0 and at most 1, and at least one epoch".to_owned());
                }
            }
            return check_models("draw.reinjection", std::slice::from_ref(&r.attack), &r.models);
        }
        Draw::Curves(curves) => curves,
    };
    for path in [&curves.rows, &curves.columns] {
        field::find(path).ok_or(format!("there is no setting `{path}` to make rows or columns of"))?;
    }
    match curves.series.iter().find(|s| !Defense::NAMES.contains(&s.defense.as_str())) {
        Some(s) => Err(format!("series `{}`: there is no defense `{}`; there are: {}", s.label, s.defense, Defense::NAMES.join(", "))),
        None => Ok(()),
    }
}

fn known<'a>(what: &str, names: impl IntoIterator<Item = &'a String>, known: &[&str]) -> Result<(), String> {
    match names.into_iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(format!("there is no {what} `{name}`; there are: {}", known.join(", "))),
        None => Ok(()),
    }
}

fn check_ablation(ablation: &Ablation) -> Result<(), String> {
    known("defense", [&ablation.defense], &Defense::NAMES)?;
    let paths = std::iter::once(&ablation.setting).chain(ablation.held.keys());
    match paths.into_iter().find(|path| field::find(path).is_none()) {
        Some(path) => Err(format!("draw.ablation: there is no setting `{path}`")),
        None if ablation.measures.is_empty() => Err("draw.ablation.measures: names at least one".to_owned()),
        None => Ok(()),
    }
}

fn check_models(place: &str, attacks: &[String], models: &[String]) -> Result<(), String> {
    if attacks.is_empty() || models.is_empty() {
        return Err(format!("{place}: attacks and models name at least one each"));
    }
    if let Some(name) = attacks.iter().find(|name| !Attack::NAMES.contains(&name.as_str())) {
        return Err(format!("{place}: there is no attack `{name}`; there are: {}", Attack::NAMES.join(", ")));
    }
    match models.iter().find(|name| !models::exists(name)) {
        Some(name) => {
            Err(format!("{place}.models: there is no model `{name}`; there are: clean, scratch, backdoored, {}", Defense::NAMES.join(", ")))
        }
        None => Ok(()),
    }
}

fn check_pictures(pictures: &Pictures) -> Result<(), String> {
    if pictures.attacks.is_empty() || pictures.rows.is_empty() {
        return Err("draw.pictures: attacks and rows name at least one each".to_owned());
    }
    match pictures.attacks.iter().find(|name| !Attack::NAMES.contains(&name.as_str())) {
        Some(name) => Err(format!("draw.pictures.attacks: there is no attack `{name}`; there are: {}", Attack::NAMES.join(", "))),
        None => Ok(()),
    }
}
