//! Reading from the Secret Service with as few words as it takes.
//!
//! The keyring crate encrypts what travels over the bus, with a key exchange that takes longer
//! than all the rest of `get`. The bus is a socket of this very user, and any process that can
//! listen in on it could as well ask the service for the secret, so a plain session, which every
//! service has to offer, gives nothing away. What is read is what the keyring crate wrote.

use std::collections::HashMap;

use zbus::blocking::Connection;
use zbus::names::InterfaceName;
use zbus::zvariant::{DynamicType, ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zeroize::Zeroizing;

const SERVICE: &str = "org.freedesktop.secrets";
const PATH: ObjectPath<'static> = ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets");
const SERVICE_INTERFACE: InterfaceName<'static> =
    InterfaceName::from_static_str_unchecked("org.freedesktop.Secret.Service");
const ITEM_INTERFACE: InterfaceName<'static> =
    InterfaceName::from_static_str_unchecked("org.freedesktop.Secret.Item");

/// Why there is no secret.
#[derive(Debug)]
pub enum Failure {
    /// There is no such item.
    NotFound,
    /// It lies in a locked collection; opening that takes a prompt, which nobody may expect here.
    Locked,
    /// Several items have these attributes.
    Ambiguous,
    /// The bus or the service fails, or it offers no plain session.
    Bus(zbus::Error),
}

impl From<zbus::Error> for Failure {
    fn from(error: zbus::Error) -> Self {
        match &error {
            zbus::Error::MethodError(name, ..)
                if name.as_str() == "org.freedesktop.Secret.Error.IsLocked" =>
            {
                Self::Locked
            }
            _ => Self::Bus(error),
        }
    }
}

/// A secret as it travels: the session, parameters of its encryption, the value, its type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// Reads the secret of the one item that the keyring crate has written for this service and
/// user. It never asks anybody to unlock anything.
///
/// # Errors
/// See [`Failure`].
pub fn read(service: &str, user: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bus = Connection::session()?;
    let attributes = HashMap::from([("service", service), ("username", user)]);
    let (mut unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = call(
        &bus,
        &PATH,
        SERVICE_INTERFACE,
        "SearchItems",
        &(attributes,),
    )?;
    let item = match (unlocked.pop(), unlocked.as_slice(), locked.as_slice()) {
        (None, _, []) => return Err(Failure::NotFound),
        (None, _, [_]) => return Err(Failure::Locked),
        (Some(item), [], []) => item,
        _ => return Err(Failure::Ambiguous),
    };
    let how = ("plain", Value::from(""));
    let (_, session): (OwnedValue, OwnedObjectPath) =
        call(&bus, &PATH, SERVICE_INTERFACE, "OpenSession", &how)?;
    let (secret,): (Secret,) = call(&bus, &item, ITEM_INTERFACE, "GetSecret", &(session,))?;
    Ok(Zeroizing::new(secret.2))
}

/// Calls a method of the service and reads its answer.
fn call<T>(
    bus: &Connection,
    path: &ObjectPath<'_>,
    interface: InterfaceName<'_>,
    method: &str,
    arguments: &(impl serde::Serialize + DynamicType),
) -> Result<T, Failure>
where
    T: for<'a> zbus::zvariant::DynamicDeserialize<'a>,
{
    let answer = bus.call_method(Some(SERVICE), path, Some(interface), method, arguments)?;
    Ok(answer.body().deserialize()?)
}
