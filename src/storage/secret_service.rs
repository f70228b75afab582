//! Reads from the Secret Service through a plain session.
//!
//! The keyring crate encrypts what it sends over the bus, with a key exchange that takes longer
//! than all the rest of `get`. The bus is a socket of this user, and a process that can listen on
//! it could just as well ask the service for the secret. A plain session, which every service has
//! to offer, is therefore as safe. It reads what the keyring crate wrote. The owner of the bus is
//! checked first, also before the keyring crate uses it.

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

/// Why a secret cannot be read.
#[derive(Debug)]
pub(crate) enum LookupError {
    /// The item does not exist.
    NotFound,
    /// The item is in a locked collection. Unlocking it needs a prompt, which must not appear here.
    Locked,
    /// Several items have these attributes.
    Ambiguous,
    /// The bus belongs to another user, or its owner is not known.
    Foreign(String),
    /// The bus or the service failed, or the service does not offer a plain session.
    Bus(zbus::Error),
}

impl From<zbus::Error> for LookupError {
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

impl From<std::io::Error> for LookupError {
    fn from(error: std::io::Error) -> Self {
        Self::Bus(error.into())
    }
}

/// The D-Bus type of a secret: session, encryption parameters, value, content type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

/// Reads the secret that the keyring crate wrote for this service and user. It never shows a prompt
/// to unlock the keyring.
pub(crate) fn read(service: &str, user: &str) -> Result<Zeroizing<Vec<u8>>, LookupError> {
    async_io::block_on(async {
        let bus = connect().await?;
        future::or(ask(&bus, service, user), run(&bus)).await
    })
}

/// Why a secret could not be written.
#[derive(Debug)]
pub(crate) enum CheckError {
    /// The Secret Service does not answer.
    NotRunning(String),
    /// The bus belongs to another user, or its owner is not known.
    Foreign(String),
    /// There is no default collection for new secrets.
    NoDefault,
    /// The default collection is locked.
    Locked,
}

/// Checks whether a secret could be written: the service is running and the default collection is
/// unlocked. It never shows a prompt to unlock the keyring.
pub(crate) fn check() -> Result<(), CheckError> {
    let not_running = |failure| match failure {
        LookupError::Bus(error) => CheckError::NotRunning(error.to_string()),
        LookupError::Foreign(why) => CheckError::Foreign(why),
        _ => CheckError::Locked,
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
                return Err(CheckError::NoDefault);
            }
            let property = ("org.freedesktop.Secret.Collection", "Locked");
            let (locked,): (OwnedValue,) = call(&bus, &collection, PROPERTIES, "Get", &property)
                .await
                .map_err(not_running)?;
            match bool::try_from(locked) {
                Ok(false) => Ok(()),
                _ => Err(CheckError::Locked),
            }
        };
        future::or(look, run(&bus)).await
    })
}

/// Connects to the session bus. [`run`] drives the connection: a thread for that, and another one
/// to open the socket, would cost more than they are worth here.
async fn connect() -> Result<Connection, LookupError> {
    let address = Address::session()?;
    let builder = Builder::async_io_unix_stream(open(&address)?);
    let bus = builder.internal_executor(false).build().await?;
    // An address may contain the id of its bus. If that bus is gone, another user may listen on the
    // same socket.
    let meant = address.guid().map(ToString::to_string);
    if meant.is_some_and(|meant| meant != bus.server_guid().to_string()) {
        return Err(LookupError::Bus(zbus::Error::Handshake(
            "the bus does not have the id in DBUS_SESSION_BUS_ADDRESS".to_owned(),
        )));
    }
    Ok(bus)
}

/// Makes sure that the session bus does not belong to another user, before code outside this module
/// uses it. Other problems are left to that code.
///
/// # Errors
/// Only [`LookupError::Foreign`].
pub(crate) fn check_bus() -> Result<(), LookupError> {
    let opened = Address::session().map_err(LookupError::from);
    match opened.and_then(|address| open(&address)) {
        Err(LookupError::Foreign(why)) => Err(LookupError::Foreign(why)),
        _ => Ok(()),
    }
}

/// Opens the socket of a bus, which must belong to this user or to root. After `su` or `sudo -E`,
/// the address may be the previous user's, whose keyring would then get the token. The folders of
/// the socket are checked too, since others could replace it before the keyring crate opens it.
fn open(address: &Address) -> Result<UnixStream, LookupError> {
    let unix = match address.transport() {
        Transport::Unix(unix) => unix.path(),
        _ => {
            return Err(LookupError::Foreign(
                "it is not a socket on this machine".to_owned(),
            ));
        }
    };
    let stream = match unix {
        UnixSocket::File(path) => {
            let path = Path::new(path);
            if let Some(others) = files::others_along(path) {
                return Err(LookupError::Foreign(others.to_string()));
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
            return Err(LookupError::Foreign(
                "its address does not name a socket".to_owned(),
            ));
        }
    };
    #[cfg(target_os = "linux")]
    {
        let peer = rustix::net::sockopt::socket_peercred(&stream).map_err(std::io::Error::from)?;
        let user = rustix::process::geteuid();
        if peer.uid != user && !peer.uid.is_root() {
            let message = format!("it belongs to another user (id {})", peer.uid.as_raw());
            return Err(LookupError::Foreign(message));
        }
    }
    Ok(stream)
}

/// Drives the connection until the future that it runs beside is done.
async fn run<T>(bus: &Connection) -> T {
    loop {
        bus.executor().tick().await;
    }
}

async fn ask(
    bus: &Connection,
    service: &str,
    user: &str,
) -> Result<Zeroizing<Vec<u8>>, LookupError> {
    let attributes = HashMap::from([("service", service), ("username", user)]);
    let attributes = (attributes,);
    let how = ("plain", Value::from(""));
    // Neither call needs the other's answer, so send both at once.
    let (found, session) = future::zip(
        call(bus, &PATH, SERVICE_INTERFACE, "SearchItems", &attributes),
        call(bus, &PATH, SERVICE_INTERFACE, "OpenSession", &how),
    )
    .await;
    let (mut unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) = found?;
    let item = match (unlocked.pop(), unlocked.as_slice(), locked.as_slice()) {
        (None, _, []) => return Err(LookupError::NotFound),
        (None, _, [_]) => return Err(LookupError::Locked),
        (Some(item), [], []) => item,
        _ => return Err(LookupError::Ambiguous),
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
) -> Result<T, LookupError>
where
    T: for<'a> zbus::zvariant::DynamicDeserialize<'a>,
{
    let answer = bus.call_method(Some(SERVICE), path, Some(interface), method, arguments);
    Ok(answer.await?.body().deserialize()?)
}
