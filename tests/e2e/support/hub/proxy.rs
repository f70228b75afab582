//! The network in front of the Hub: an HTTP proxy that ends every tunnel itself, so that clients
//! reach the stand-in under the Hub's own names, with nothing but a proxy and a certificate
//! authority configured. Clients that cannot use a proxy speak TLS with it at once, as with
//! `localhost`.

use super::http::{Origin, Request, Response, receive};
use super::lock;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::HashMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a connection may stay silent before it is closed.
const SILENCE: Duration = Duration::from_secs(30);

/// The first byte of a client that speaks TLS.
const TLS_HANDSHAKE: u8 = 0x16;

/// Answers a request.
pub type Answer = dyn Fn(Request) -> Response + Send + Sync;

struct Shared {
    answer: Box<Answer>,
    tls: Arc<ServerConfig>,
    stopping: AtomicBool,
    next: AtomicU64,
    /// The open connections, so that stopping can cut them.
    open: Mutex<HashMap<u64, TcpStream>>,
}

/// A proxy that listens until it is dropped; then all its connections and threads are gone.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Listens on a free port of the loopback interface.
    pub fn start(tls: Arc<ServerConfig>, answer: Box<Answer>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen on loopback");
        let address = listener.local_addr().expect("a listening address");
        let shared = Arc::new(Shared {
            answer,
            tls,
            stopping: AtomicBool::new(false),
            next: AtomicU64::new(0),
            open: Mutex::default(),
        });
        let served = Arc::clone(&shared);
        let listener = thread::spawn(move || accept(&listener, &served));
        Proxy {
            address,
            shared,
            listener: Some(listener),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // Accepting ends with one more connection, which finds the flag set.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        threads.retain(|thread: &JoinHandle<()>| !thread.is_finished());
        threads.push(thread::spawn(move || converse(stream, &shared)));
    }
    for stream in lock(&shared.open).values() {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for thread in threads {
        let _ = thread.join();
    }
}

/// Serves one connection to its end. A client that breaks off is nothing to report.
fn converse(stream: TcpStream, shared: &Shared) {
    let id = shared.next.fetch_add(1, Ordering::SeqCst);
    let Ok(handle) = stream.try_clone() else {
        return;
    };
    lock(&shared.open).insert(id, handle);
    // The flag may have been set after this connection was accepted and before it was listed.
    if !shared.stopping.load(Ordering::SeqCst) {
        let _ = talk(stream, shared);
    }
    if let Some(handle) = lock(&shared.open).remove(&id) {
        let _ = handle.shutdown(Shutdown::Both);
    }
}

fn talk(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE))?;
    stream.set_write_timeout(Some(SILENCE))?;
    stream.set_nodelay(true)?;
    let mut first = [0];
    stream.peek(&mut first)?;
    if first[0] == TLS_HANDSHAKE {
        let address = format!("localhost:{}", stream.local_addr()?.port());
        return talk_tls(stream, &Origin::new("https", &address), shared);
    }
    let mut stream = BufReader::new(stream);
    let Some(connect) = serve(&mut stream, None, shared)? else {
        return Ok(());
    };
    let mut stream = stream.into_inner();
    stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    talk_tls(stream, &Origin::new("https", &connect.host), shared)
}

fn talk_tls(stream: TcpStream, origin: &Origin, shared: &Shared) -> io::Result<()> {
    let tls = ServerConnection::new(Arc::clone(&shared.tls)).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(tls, stream));
    let served = serve(&mut stream, Some(origin), shared);
    let tls = stream.get_mut();
    tls.conn.send_close_notify();
    let _ = tls.flush();
    served.map(drop)
}

/// Answers requests until the stream ends, or a CONNECT asks for a tunnel.
fn serve<S: Read + Write>(
    stream: &mut BufReader<S>,
    tunnel: Option<&Origin>,
    shared: &Shared,
) -> io::Result<Option<Request>> {
    while let Some(request) = receive(stream, tunnel)? {
        if request.method == "CONNECT" && tunnel.is_none() {
            return Ok(Some(request));
        }
        let last = request
            .header("Connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let with_body = request.method != "HEAD";
        (shared.answer)(request).send(stream.get_mut(), with_body)?;
        if last {
            break;
        }
    }
    Ok(None)
}
