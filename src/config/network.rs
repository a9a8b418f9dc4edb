//! Ranges of addresses.

use std::net::IpAddr;

use super::options::{Kind, OptionMeta, Refused, Value};
use super::values::Item;

/// An address, or a range of them in CIDR notation (`10.0.0.0/8`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether the address is in the range. An IPv4 address in an IPv6 socket's clothes
    /// (`::ffff:10.0.0.1`) counts as the IPv4 address that it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.prefix);
                let high = |bits: u32| bits.checked_shr(shift).unwrap_or_default();
                high(ours.to_bits()) == high(other.to_bits())
            }
            (IpAddr::V6(ours), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.prefix);
                let high = |bits: u128| bits.checked_shr(shift).unwrap_or_default();
                high(ours.to_bits()) == high(other.to_bits())
            }
            _ => false,
        }
    }
}

impl Value for Network {
    const KIND: Kind = Kind::Address;

    fn read(text: &str, _: &OptionMeta) -> Result<Self, Refused> {
        let wrong =
            || Refused::Because("it has to be an address or a range such as 10.0.0.0/8".to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| wrong())?,
            None => longest,
        };
        if prefix > longest {
            return Err(wrong());
        }
        Ok(Self { address, prefix })
    }

    fn render(&self) -> Option<String> {
        Some(format!("{}/{}", self.address, self.prefix))
    }
}

impl Item for Network {}
