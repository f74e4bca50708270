//! `tuneout sweep status`: the grid of a sweep, and how long the rest of it takes.

use super::show::print;
use super::{CliError, Exit, Place, missing};
use crate::app::sweep::{self, Tally};
use crate::app::words;
use crate::export::table;
use crate::run::cell::{self, State};
use crate::run::speed;
use crate::spec::sweep::Cell;
use std::path::Path;

/// Attacks by defenses, with how many seeds are done, and how long the rest takes; or the numbers alone as JSON.
pub fn show(path: &Path, place: &Place, json: bool) -> Result<Exit, CliError> {
    let cells = cell::read(path)?;
    let runs = place.runs();
    let states: Vec<State> = cells.iter().map(|c| cell::state(&runs, c)).collect();
    if json {
        let Tally { done, failed, running, waiting } = Tally::of(&states);
        let value = serde_json::json!({ "cells": cells.len(), "done": done, "failed": failed, "running": running, "waiting": waiting });
        return print(&format!("{value}\n"));
    }
    print(&(table::grid(&cells, &states) + &rest(&cells, &states, place)?))
}

/// How long the cells take that nobody is at yet: at the speed of the sweep's own, once one is done; before that, where the
/// machine is still free, at this device's.
fn rest(cells: &[Cell], states: &[State], place: &Place) -> Result<String, CliError> {
    let waiting: Vec<&Cell> = cells.iter().zip(states).filter(|(_, state)| **state == State::Waiting).map(|(cell, _)| cell).collect();
    let (count, running) = (waiting.len(), Tally::of(states).running);
    if waiting.is_empty() {
        return Ok(String::new());
    }
    if let Some(seconds) = sweep::rest(&cells.iter().map(Cell::work).collect::<Vec<f64>>(), states) {
        let time = words::about(seconds / running.max(1) as f64);
        let at_once = if running > 1 { format!("{running} at a time") } else { "one after the other".to_owned() };
        return Ok(format!("\n{count} to come: about {time}, {at_once}, at the speed of those that are done\n"));
    }
    if running > 0 {
        // A test of the speed would take from the cells that run, and say little beside them.
        return Ok(format!("\n{count} to come: how long that takes is known once a cell is done\n"));
    }
    let device = place.device()?;
    let speeds = speed::speeds(&device, &place.runs());
    let busy = if speeds.disturbed { missing::BUSY } else { "" };
    let time = missing::time(&waiting, &speeds);
    Ok(format!("\n{count} to come: about {time} on {}, one after the other with all threads{busy}\n", device.describe()))
}
