//! Options that files of Python Keystone have and that mean nothing here: accepted in silence, and
//! listed on demand. Names and defaults are those of Keystone 30 and its libraries.

mod keystone;
mod oslo;

use super::options::SectionMeta;

pub(super) fn sections() -> impl Iterator<Item = &'static SectionMeta> {
    keystone::SECTIONS.iter().chain(oslo::SECTIONS)
}
