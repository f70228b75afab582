//! What must hold for every input, one function a subject, each from the input's bytes alone.
//!
//! The fuzz targets of this folder and the tests of the normal suite (`tests/properties.rs`)
//! share this copy. A function panics where its property fails; an input that is outside its
//! subject it passes over.

mod config;
mod endpoint;
mod git_config;
mod hf_ini;
mod names;
mod protocol;
mod record;
mod select;
mod state;
mod take;
mod terminal;
mod whoami;

/// A property and its name, which its fuzz target and its folder below `corpus` bear too.
pub struct Property {
    /// The name.
    pub name: &'static str,
    /// Panics where the property fails.
    pub check: fn(&[u8]),
}

/// All of them.
pub const ALL: [Property; 11] = [
    property("config", config::check),
    property("endpoint", endpoint::check),
    property("git_config", git_config::check),
    property("hf_ini", hf_ini::check),
    property("names", names::check),
    property("protocol", protocol::check),
    property("record", record::check),
    property("select", select::check),
    property("state", state::check),
    property("terminal", terminal::check),
    property("whoami", whoami::check),
];

const fn property(name: &'static str, check: fn(&[u8])) -> Property {
    Property { name, check }
}

/// Checks the property of this name.
///
/// # Panics
/// Where it fails, or there is none of that name.
pub fn check(name: &str, data: &[u8]) {
    let property = ALL.iter().find(|property| property.name == name);
    (property.expect("a property of this name").check)(data);
}

/// The input as text, and nothing where it is none.
fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap_or_default()
}
