//! A companion on a port of its own, over folders that are gone at the end of their test, and a client that says any bytes.

use std::{
    fs,
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::de::DeserializeOwned;
use server::{Companion, Hosts, Options, Token};
use tokio::sync::oneshot;

/// A folder that is gone at the end of its test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tractor-site-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(path.join("captures")).unwrap();
        Self(path)
    }

    pub(crate) fn captures(&self) -> PathBuf {
        self.0.join("captures")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> &Self {
        let path = self.captures().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A companion that listens.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Site {
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_with(folder, Options::default(), None)
    }

    pub(crate) fn start_with(folder: &Folder, options: Options, token: Option<&str>) -> Self {
        let companion =
            Arc::new(Companion::open_with(&folder.captures(), &folder.data(), options).unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let mut hosts = Hosts::of(address, &[]);
        if let Some(token) = token {
            hosts = hosts.with_token(Token::new(token).unwrap());
        }
        let app = server::app(Arc::clone(&companion), None, hosts);
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let stop = async { drop(stopped.await) };
            runtime.block_on(server::serve(listener, app, companion, 200, stop));
        });
        Self { address, stop: Some(stop), thread: Some(thread) }
    }

    /// One that somebody else started.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self { address, stop: None, thread: None }
    }

    /// Says these bytes and hears what comes back until the other side closes.
    pub(crate) fn say(&self, bytes: &[u8]) -> Said {
        let mut stream = self.connect();
        // The other side may close before it heard all.
        let _ = stream.write_all(bytes);
        Said::hear(&mut stream)
    }

    /// The same, and says nothing more.
    pub(crate) fn say_all(&self, bytes: &[u8]) -> Said {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        Said::hear(&mut stream)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        // A fault is told instead of waited for.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Asks one question on a connection of its own.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[&str], body: &[u8]) -> Said {
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
        for header in headers {
            head += header;
            head += "\r\n";
        }
        if !body.is_empty() {
            head += &format!("content-length: {}\r\n", body.len());
        }
        self.say(&[head.as_bytes(), b"\r\n", body].concat())
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        self.ask("GET", path, &[], b"").read(200)
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &serde_json::Value) -> T {
        let body = body.to_string();
        self.ask("POST", path, &["content-type: application/json"], body.as_bytes()).read(200)
    }

    pub(crate) fn process(&self, file_name: &str) -> u64 {
        let body = serde_json::json!({ "file_name": file_name });
        self.post::<v1::FileStatus>("/files/process", &body).job_id.unwrap().0
    }

    /// Waits until a job ended.
    pub(crate) fn ended(&self, job: u64) -> v1::State {
        for _ in 0..6_000 {
            let status: v1::FileStatus = self.get(&format!("/file/{job}/status"));
            if status.state != v1::State::InProgress {
                return status.state;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("job {job} does not end");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stop.take().map(|it| it.send(()));
        let ended = self.thread.take().map(JoinHandle::join);
        if let (Some(ended), false) = (ended, thread::panicking()) {
            ended.unwrap();
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Said {
    /// 0 where the connection was closed without a word.
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Said {
    pub(crate) fn hear(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection is not closed: {error}"),
        }
        let at = bytes.windows(4).position(|it| it == b"\r\n\r\n").map_or(bytes.len(), |it| it + 4);
        let body = bytes.split_off(at);
        let head = String::from_utf8(bytes).unwrap();
        let status = head.split(' ').nth(1).map_or(0, |it| it.parse().unwrap());
        Self { status, head, body }
    }

    #[track_caller]
    pub(crate) fn read<T: DeserializeOwned>(&self, status: u16) -> T {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{} {text}", self.head);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// An error of ours, of this kind.
    #[track_caller]
    pub(crate) fn check(&self, kind: v1::Kind) {
        let error: v1::Error = self.read(kind.status());
        assert_eq!((error.status, error.code), (kind.status(), kind.code), "{}", error.message);
        assert!(self.head.contains("content-type: application/json"), "{}", self.head);
        assert!(self.head.contains("x-content-type-options: nosniff"), "{}", self.head);
    }

    /// The same, or nothing but the end.
    #[track_caller]
    pub(crate) fn check_or_closed(&self, kind: v1::Kind) {
        if self.status != 0 {
            self.check(kind);
        }
    }
}

/// A pcap with a packet for each number: SSH servers introduce themselves.
pub(crate) fn capture(numbers: std::ops::Range<u16>) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 0x0004_0000, 1_u32] {
        file.extend(word.to_le_bytes());
    }
    for number in numbers {
        let payload = b"SSH-2.0-OpenSSH_9.6\r\n";
        let mut frame = vec![2; 12];
        frame.extend([8, 0, 0x45, 0, 0, 40 + payload.len() as u8, 0, 0, 0, 0, 64, 6, 0, 0]);
        frame.extend([198, 51, 100, 7, 192, 0, 2, 1]);
        frame.extend([0, 22]);
        frame.extend(number.to_be_bytes());
        frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 2, 0, 0, 0, 0, 0]);
        frame.extend(payload);
        let len = frame.len() as u32;
        for word in [1_700_000_000 + u32::from(number), 5, len, len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(frame);
    }
    file
}
