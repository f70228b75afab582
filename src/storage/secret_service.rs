//! Reading from the Secret Service with as few words as it takes.
//!
//! The keyring crate encrypts what travels over the bus, with a key exchange that takes longer
//! than all the rest of `get`. The bus is a socket of this very user, and any process that can
//! listen in on it could as well ask the service for the secret, so a plain session, which every
//! service has to offer, gives nothing away. What is read is what the keyring crate wrote. Whose
//! bus it is is looked at first, for the keyring crate too.

use std::collections::HashMap;
use std::os::unix::net::UnixStream;
use std::path::Path;

use futures_lite::future;
use zbus::address::Transport;
use zbus::address::transport::UnixSocket;
use zbus::connection::Builder;
use zbus::names::InterfaceName;
use zbus::zvariant::{DynamicType, ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Address, Connection};
use zeroize::Zeroizing;

use crate::system::files;

const SERVICE: &str = "org.freedesktop.secrets";
const PATH: ObjectPath<'static> = ObjectPath::from_static_str_unchecked("/org/freedesktop/secrets");
const SERVICE_INTERFACE: InterfaceName<'static> =
    InterfaceName::from_static_str_unchecked("org.freedesktop.Secret.Service");
const ITEM_INTERFACE: InterfaceName<'static> =
    InterfaceName::from_static_str_unchecked("org.freedesktop.Secret.Item");

const PROPERTIES: InterfaceName<'static> =
    InterfaceName::from_static_str_unchecked("org.freedesktop.DBus.Properties");

/// Why there is no secret.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The item does not exist.
    NotFound,
    /// It is in a locked collection; unlocking that needs a prompt, which may not appear here.
    Locked,
    /// Several items have these attributes.
    Ambiguous,
    /// The bus is another user's, or it cannot be told whose it is.
    Foreign(String),
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

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Bus(error.into())
    }
}

/// A secret as it travels: the session, parameters of its encryption, the value, its type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// Reads the secret of the one item that the keyring crate has written for this service and
/// user. It never asks anybody to unlock anything.
///
/// # Errors
/// See [`Failure`].
pub(crate) fn read(service: &str, user: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    async_io::block_on(async {
        let bus = connect().await?;
        future::or(ask(&bus, service, user), run(&bus)).await
    })
}

/// What keeps a secret from being written.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// Nothing answers as the Secret Service.
    NotRunning(String),
    /// The bus is another user's, or it cannot be told whose it is.
    Foreign(String),
    /// It has no collection that new secrets would go to.
    NoDefault,
    /// That collection is locked.
    Locked,
}

/// Looks whether a secret could be written: the service is there, and the collection that new
/// secrets go to is unlocked. It never asks anybody to unlock anything.
///
/// # Errors
/// See [`Obstacle`].
pub(crate) fn check() -> Result<(), Obstacle> {
    let not_running = |failure| match failure {
        Failure::Bus(error) => Obstacle::NotRunning(error.to_string()),
        Failure::Foreign(why) => Obstacle::Foreign(why),
        _ => Obstacle::Locked,
    };
    async_io::block_on(async {
        let bus = connect().await.map_err(not_running)?;
        let look = async {
            let default = ("default",);
            let (collection,): (OwnedObjectPath,) =
                call(&bus, &PATH, SERVICE_INTERFACE, "ReadAlias", &default)
                    .await
                    .map_err(not_running)?;
            if collection.as_str() == "/" {
                return Err(Obstacle::NoDefault);
            }
            let property = ("org.freedesktop.Secret.Collection", "Locked");
            let (locked,): (OwnedValue,) = call(&bus, &collection, PROPERTIES, "Get", &property)
                .await
                .map_err(not_running)?;
            match bool::try_from(locked) {
                Ok(false) => Ok(()),
                _ => Err(Obstacle::Locked),
            }
        };
        future::or(look, run(&bus)).await
    })
}

/// Joins the session's bus. What the connection has to do meanwhile is left to [`run`]: a thread
/// of its own for it, and another one to open a socket, cost more than they are worth here.
async fn connect() -> Result<Connection, Failure> {
    let address = Address::session()?;
    let builder = Builder::async_io_unix_stream(open(&address)?);
    let bus = builder.internal_executor(false).build().await?;
    // An address may say which bus it means: another user may listen where that one is gone.
    let meant = address.guid().map(ToString::to_string);
    if meant.is_some_and(|meant| meant != bus.server_guid().to_string()) {
        return Err(Failure::Bus(zbus::Error::Handshake(
            "this is not the bus that DBUS_SESSION_BUS_ADDRESS means".to_owned(),
        )));
    }
    Ok(bus)
}

/// Makes sure that the session's bus is not another user's, before others than this module talk
/// to it. What else may be wrong with it, they find out.
///
/// # Errors
/// [`Failure::Foreign`] only.
pub(crate) fn check_bus() -> Result<(), Failure> {
    let opened = Address::session().map_err(Failure::from);
    match opened.and_then(|address| open(&address)) {
        Err(Failure::Foreign(why)) => Err(Failure::Foreign(why)),
        _ => Ok(()),
    }
}

/// Opens the socket of a bus, which must be this user's or root's: after `su` or `sudo -E` the
/// address is one of the user before, whose keyring would get the token. The same goes for the
/// folders that the socket is in, since the next to open it must not find another there.
fn open(address: &Address) -> Result<UnixStream, Failure> {
    let unix = match address.transport() {
        Transport::Unix(unix) => unix.path(),
        _ => {
            return Err(Failure::Foreign(
                "it is not a socket of this machine".to_owned(),
            ));
        }
    };
    let stream = match unix {
        UnixSocket::File(path) => {
            let path = Path::new(path);
            if let Some(others) = files::others_on_the_way(path) {
                return Err(Failure::Foreign(others.to_string()));
            }
            UnixStream::connect(path)?
        }
        #[cfg(target_os = "linux")]
        UnixSocket::Abstract(name) => {
            use std::os::linux::net::SocketAddrExt;
            use std::os::unix::ffi::OsStrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name.as_bytes())?;
            UnixStream::connect_addr(&address)?
        }
        _ => {
            return Err(Failure::Foreign(
                "its address does not name a socket".to_owned(),
            ));
        }
    };
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(&stream).map_err(std::io::Error::from)?;
        let user = rustix::process::geteuid();
        if peer.uid != user && !peer.uid.is_root() {
            let message = format!("it belongs to the user with the id {}", peer.uid.as_raw());
            return Err(Failure::Foreign(message));
        }
    }
    Ok(stream)
}

/// Does the connection's part of the work, for as long as somebody waits beside it.
async fn run<T>(bus: &Connection) -> T {
    loop {
        bus.executor().tick().await;
    }
}

async fn ask(bus: &Connection, service: &str, user: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let attributes = HashMap::from([("service", service), ("username", user)]);
    let attributes = (attributes,);
    let how = ("plain", Value::from(""));
    // Neither needs the other's answer, so both travel at once.
    let (found, session) = future::zip(
        call(bus, &PATH, SERVICE_INTERFACE, "SearchItems", &attributes),
        call(bus, &PATH, SERVICE_INTERFACE, "OpenSession", &how),
    )
    .await;
    let (mut unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = found?;
    let item = match (unlocked.pop(), unlocked.as_slice(), locked.as_slice()) {
        (None, _, []) => return Err(Failure::NotFound),
        (None, _, [_]) => return Err(Failure::Locked),
        (Some(item), [], []) => item,
        _ => return Err(Failure::Ambiguous),
    };
    let (_, session): (OwnedValue, OwnedObjectPath) = session?;
    let (secret,): (Secret,) = call(bus, &item, ITEM_INTERFACE, "GetSecret", &(session,)).await?;
    Ok(Zeroizing::new(secret.2))
}

/// Calls a method of the service and reads its answer.
async fn call<T>(
    bus: &Connection,
    path: &ObjectPath<'_>,
    interface: InterfaceName<'_>,
    method: &str,
    arguments: &(impl serde::Serialize + DynamicType),
) -> Result<T, Failure>
where
    T: for<'a> zbus::zvariant::DynamicDeserialize<'a>,
{
    let answer = bus.call_method(Some(SERVICE), path, Some(interface), method, arguments);
    Ok(answer.await?.body().deserialize()?)
}
