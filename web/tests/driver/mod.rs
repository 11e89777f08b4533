//! Drives headless Chromium by WebDriver (W3C), and a server under it that sees every request.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whom Chromium asks of its own accord, whatever page is open. These names lead nowhere, all others to our server.
const OWN_HOSTS: &[&str] = &["*.google.com", "*.googleapis.com", "*.gstatic.com", "*.gvt1.com"];

/// What `cargo xtask test` sets.
pub(crate) fn setting(name: &str) -> PathBuf {
    env::var_os(name).unwrap_or_else(|| panic!("{name} is not set; run `cargo xtask test`")).into()
}

/// A file of `tests/captures`.
pub(crate) fn capture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/captures").join(name)
}

/// Serves the built page and keeps a log of everything asked of it.
pub(crate) struct Site {
    pub(crate) port: u16,
    log: Arc<Mutex<Vec<String>>>,
    is_down: Arc<AtomicBool>,
}

impl Site {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Vec::new()));
        let is_down = Arc::new(AtomicBool::new(false));
        let (kept, is_closed, folder) = (log.clone(), is_down.clone(), setting("TRACTOR_PAGE"));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_closed.load(Ordering::Relaxed) {
                    continue;
                }
                let (log, folder) = (kept.clone(), folder.clone());
                thread::spawn(move || serve(stream, &folder, &log));
            }
        });
        Self { port, log, is_down }
    }

    /// Answers nobody any more.
    pub(crate) fn go_down(&self) {
        self.is_down.store(true, Ordering::Relaxed);
    }

    /// Everything asked since the last call, but for what Chromium asks for itself.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked = std::mem::take(&mut *self.log.lock().unwrap());
        let is_own =
            |it: &str| it.starts_with("TLS to ") && OWN_HOSTS.iter().any(|host| it.contains(host));
        asked.retain(|it| !is_own(it));
        asked
    }
}

fn serve(stream: TcpStream, folder: &Path, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = Vec::new();
    // Whatever comes counts, be it HTTP or not; a connection on which nothing is said asks nothing.
    if reader.read_until(b'\n', &mut first).unwrap_or(0) == 0 {
        return;
    }
    let is_tls = first.starts_with(&[0x16, 3]);
    if is_tls {
        first.extend_from_slice(reader.fill_buf().unwrap_or_default());
    }
    let line = String::from_utf8_lossy(&first).trim().to_owned();
    log.lock().unwrap().push(if is_tls {
        format!("TLS to {}", names(&first))
    } else {
        line.clone()
    });
    let mut header = String::new();
    while reader.read_line(&mut header).is_ok_and(|it| it > 2) {
        header.clear();
    }
    let path = line.split(' ').nth(1).unwrap_or("/").trim_start_matches('/');
    let path = path.split('?').next().unwrap_or(path);
    let name = if path.is_empty() { "index.html" } else { path };
    let kind = match name.rsplit('.').next().unwrap() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    };
    let (status, body) = match fs::read(folder.join(name)) {
        Ok(body) if !name.contains("..") => ("200 OK", body),
        _ => ("404 Not Found", Vec::new()),
    };
    // As docs/hosting.md says: what is named by its content is the same for ever.
    let hash = name.rsplit_once('-').and_then(|it| it.1.split_once('.')).map_or("", |it| it.0);
    let caching = if hash.len() == 16 { "max-age=31536000, immutable" } else { "no-cache" };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncache-control: {caching}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
}

/// Everything in a TLS greeting that looks like a host's name.
fn names(greeting: &[u8]) -> String {
    let is_part = |it: &u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-');
    let words = greeting.split(|it| !is_part(it)).map(String::from_utf8_lossy);
    words.filter(|it| it.len() > 5 && it.contains('.')).collect::<Vec<_>>().join(", ")
}

/// A companion over a folder of its own with one capture.
pub(crate) struct Companion {
    /// Where its page is.
    pub(crate) address: String,
    process: Child,
}

impl Companion {
    pub(crate) fn start(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("companion-{name}"));
        // What an earlier run left there.
        let _ = fs::remove_dir_all(&folder);
        let captures = folder.join("captures");
        fs::create_dir_all(&captures).unwrap();
        fs::copy(capture(name), captures.join(name)).unwrap();
        let mut process = Command::new(setting("TRACTOR"))
            .args(["serve", "--listen", "127.0.0.1:0", "--captures"])
            .arg(captures)
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--page")
            .arg(setting("TRACTOR_PAGE"))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let port = heard(&mut said, |line| {
            let (_, after) = line.split_once("http://127.0.0.1:")?;
            Some(after.split_once('/')?.0.to_owned())
        });
        let port = port.expect("the companion does not start");
        thread::spawn(move || drop(said.read_to_end(&mut Vec::new())));
        Self { address: format!("http://localhost:{port}/"), process }
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Python's own server over a folder, in which the page is somewhere below.
pub(crate) struct Python {
    /// Where the page is.
    pub(crate) address: String,
    process: Child,
}

impl Python {
    pub(crate) fn start() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
        let _ = fs::remove_dir_all(&folder);
        let below = folder.join("some/where");
        fs::create_dir_all(&below).unwrap();
        for entry in fs::read_dir(setting("TRACTOR_PAGE")).unwrap() {
            let file = entry.unwrap().path();
            fs::copy(&file, below.join(file.file_name().unwrap())).unwrap();
        }
        let mut process = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        let port = heard(&mut said, |line| {
            Some(line.split_once(" port ")?.1.split(' ').next()?.to_owned())
        });
        let port = port.expect("the server does not start");
        thread::spawn(move || drop(said.read_to_end(&mut Vec::new())));
        Self { address: format!("http://localhost:{port}/some/where/"), process }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a line says that a program prints when it is ready; nothing where it ends before.
fn heard(said: &mut impl BufRead, find: impl Fn(&str) -> Option<String>) -> Option<String> {
    loop {
        let mut line = String::new();
        if said.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        if let Some(found) = find(&line) {
            return Some(found);
        }
    }
}

/// The browser's driver, and the port it listens at.
fn start_driver() -> Option<(Child, String)> {
    let mut driver = Command::new(setting("CHROMEDRIVER"))
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(driver.stdout.take().unwrap());
    let port = heard(&mut said, |line| {
        let line = line.trim().trim_end_matches('.');
        Some(line.rsplit_once("successfully on port ")?.1.to_owned())
    });
    // What the driver says must be read, or it waits.
    thread::spawn(move || drop(said.read_to_end(&mut Vec::new())));
    if port.is_none() {
        // It has ended; nobody else waits for it.
        let _ = driver.wait();
    }
    Some((driver, port?))
}

/// A browser with one window.
pub(crate) struct Browser {
    agent: ureq::Agent,
    /// The process whose children the browser's are.
    pub(crate) driver: Child,
    session: String,
}

impl Browser {
    /// A fresh browser in this language that finds the site under every name there is.
    pub(crate) fn start(site: &Site, language: &str) -> Self {
        // It takes a port that is free for IPv4, and ends where the same one is not for IPv6.
        let started = (0..3).find_map(|_| start_driver());
        let (driver, port) = started.expect("the driver does not start");
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = config.timeout_global(Some(PATIENCE)).build().into();
        // The first rule that fits holds.
        let nowhere: String = OWN_HOSTS.iter().map(|it| format!("MAP {it} ^NOTFOUND, ")).collect();
        let rules = format!(
            "--host-resolver-rules={nowhere}MAP * 127.0.0.1:{}, EXCLUDE localhost",
            site.port
        );
        let capabilities = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--no-first-run",
                "--window-size=1440,900", rules,
            ],
            "prefs": {"intl.accept_languages": language},
        }}}});
        let mut browser =
            Self { agent, driver, session: format!("http://127.0.0.1:{port}/session") };
        let made = browser.post("", &capabilities);
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {made}"));
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    /// Goes to the page and waits until a file can be chosen.
    pub(crate) fn open_page(site: &Site, language: &str) -> Self {
        let browser = Self::start(site, language);
        browser.go(&format!("http://localhost:{}/", site.port));
        browser.until("document.querySelector('#choose-file:enabled') !== null");
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}{path}", self.session);
        let request = self.agent.post(&url).content_type("application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer.status(), 200, "{path}: {value}");
        value["value"].clone()
    }

    /// Goes to an address.
    pub(crate) fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// The value of a script's `return`; a promise is waited for.
    pub(crate) fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// A command of the DevTools protocol, which says and does what WebDriver cannot.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// Runs a script in every page from now on, before any of its own.
    pub(crate) fn before_pages(&self, script: &str) {
        self.devtools("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&self, expression: &str) {
        let start = Instant::now();
        while self.run(&format!("return Boolean({expression})"), &[]) != json!(true) {
            if start.elapsed() > PATIENCE {
                let text = self.run("return document.body.innerText", &[]);
                panic!("never: {expression}\nthe page says: {text}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": css}));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    /// Clicks as a user does: the element must be seen.
    pub(crate) fn click(&self, css: &str) {
        self.until(&format!("document.querySelector({}) !== null", json!(css)));
        self.post(&format!("/element/{}/click", self.element(css)), &json!({}));
    }

    /// Chooses a file in the page's field.
    pub(crate) fn choose(&self, file: &Path) {
        self.choose_in("#file-input", file);
    }

    /// Chooses a file in another field.
    pub(crate) fn choose_in(&self, css: &str, file: &Path) {
        let field = self.element(css);
        self.post(&format!("/element/{field}/value"), &json!({"text": file.to_str().unwrap()}));
    }

    /// Drops a file on the page.
    pub(crate) fn drop_file(&self, file: &Path) {
        self.drop_files(&[file]);
    }

    /// Drops several files on the page at once.
    pub(crate) fn drop_files(&self, files: &[&Path]) {
        let read = |file: &&Path| {
            let name = file.file_name().unwrap().to_str().unwrap();
            json!([fs::read(file).unwrap(), name])
        };
        let script = "const data = new DataTransfer();
            for (const [bytes, name] of arguments) {
                data.items.add(new File([new Uint8Array(bytes)], name));
            }
            for (const type of ['dragenter', 'dragover', 'drop']) {
                const event = new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true});
                document.body.dispatchEvent(event);
            }";
        self.run(script, &files.iter().map(read).collect::<Vec<_>>());
    }

    /// Makes the window this large.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        self.post("/window/rect", &json!({ "width": width, "height": height }));
    }

    /// A picture of what is in sight, as PNG in base64.
    pub(crate) fn picture(&self) -> String {
        let mut answer = self.agent.get(format!("{}/screenshot", self.session)).call().unwrap();
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        value["value"].as_str().unwrap().to_owned()
    }

    /// Presses a key wherever the focus is.
    pub(crate) fn press(&self, key: &str) {
        let keys = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": keys}]}),
        );
    }

    /// Waits until the capture is read.
    pub(crate) fn until_read(&self) {
        self.until("document.querySelector('nav.rail') !== null && document.querySelector('.how-far') === null");
    }

    /// Waits until the capture of this name is read.
    pub(crate) fn until_read_of(&self, name: &str) {
        let script = "const finished = file =>
                file.name + '.' + file.extension === arguments[0] && file.status.state === 'finished';
            return tractor.v1('\"Files\"').then(text => JSON.parse(text).some(finished), () => false)";
        let start = Instant::now();
        while self.run(script, &[json!(name)]) != json!(true) {
            assert!(start.elapsed() < PATIENCE, "{name} is never read");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks the page's worker by the v1 interface; the answer's bytes.
    pub(crate) fn v1(&self, request: &Value) -> String {
        let answer = self.run("return tractor.v1(arguments[0])", &[json!(request.to_string())]);
        answer.as_str().unwrap_or_else(|| panic!("{request}: {answer}")).to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
