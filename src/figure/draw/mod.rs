//! Pictures of a scene: where things stand ([`layout`]), what they are made of ([`geometry`], [`text`]) and the files.

pub mod geometry;
pub mod layout;
pub mod png;
pub mod svg;
pub mod text;

mod canvas;
mod panel;
