//! What federation is made of, and the rules for changing it.

mod identity_provider;
mod mapping;
mod protocol;
mod service_provider;

pub use identity_provider::{IdentityProvider, IdentityProviderPatch, NewIdentityProvider};
pub use mapping::{Mapping, MappingDraft};
pub use protocol::{NewProtocol, Protocol, ProtocolPatch};
pub use service_provider::{NewServiceProvider, ServiceProvider, ServiceProviderPatch};

use super::Error;

/// The longest ID, in characters.
const LONGEST_ID: usize = 64;

/// Bytes in a column of free text, as MySQL has them.
pub(super) const LONGEST_TEXT: usize = 65_535;

/// Refuses what does not fit into its column, as Keystone does for all databases alike.
fn fits(column: &'static str, most: usize, value: &str) -> Result<(), Error> {
    match value.chars().count() > most {
        true => Err(Error::TooLong {
            column,
            most,
            value: value.to_owned(),
        }),
        false => Ok(()),
    }
}

/// The same for an ID.
fn id_fits(id: &str) -> Result<(), Error> {
    fits("id", LONGEST_ID, id)
}

/// The same for free text.
fn description_fits(description: Option<&str>) -> Result<(), Error> {
    match description.is_some_and(|text| text.len() > LONGEST_TEXT) {
        true => Err(Error::TooLarge("description")),
        false => Ok(()),
    }
}
