//! The seal: after it nothing is asked of anybody, whatever is tried.

use serde_json::{Map, Value, json};

use crate::driver::{Browser, Site, capture};

/// What the page and its worker try. Each of them gives `refused`, or says what went through.
const ATTEMPTS: &str = "
    globalThis.attempt = async (names, own) => {
        const there = 'http://elsewhere.test/';
        const loads = (element, name, value) => new Promise((resolve, reject) => {
            element.onload = resolve;
            element.onerror = reject;
            element[name] = value;
            document.head.append(element);
            setTimeout(reject, 300);
        });
        const link = rel => loads(Object.assign(document.createElement('link'), {rel, as: 'script'}), 'href', there + rel);
        const element = (name, attribute) =>
            loads(document.createElement(name), attribute, there + name);
        const opens = it => new Promise((resolve, reject) => {
            it.onopen = resolve;
            it.onerror = reject;
        });
        const attempts = {
            'own host': () => fetch(own),
            'other host': () => fetch(there),
            'no-cors': () => fetch(there, {mode: 'no-cors', method: 'POST', body: 'x'}),
            'XHR': () => new Promise((resolve, reject) => {
                const request = new XMLHttpRequest();
                request.onload = resolve;
                request.onerror = reject;
                request.open('GET', there);
                request.send();
            }),
            'socket': () => opens(new WebSocket('ws://elsewhere.test/')),
            'events': () => opens(new EventSource(there)),
            'transport': () => new WebTransport('https://elsewhere.test/').ready,
            'worker': () => loadsWorker(new Worker(there + 'worker.js')),
            'own worker': () => loadsWorker(new Worker(own)),
            'import': () => import(there + 'import.js'),
            'own import': () => import(own),
            'scripts': () => importScripts(there + 'scripts.js'),
            'peer': () => new RTCPeerConnection({iceServers: [{urls: 'stun:elsewhere.test'}]}),
            'service worker': () => navigator.serviceWorker.register(own),
            'window': () => open(there),
            'shared worker': () => loadsWorker(new SharedWorker(there + 'shared.js')),
            'worklet': () => new AudioContext().audioWorklet.addModule(there + 'worklet.js'),
            'font': () => new FontFace('x', `url(${there}font)`).load(),
            'image': () => element('img', 'src'),
            'script': () => element('script', 'src'),
            'style': () => link('stylesheet'),
            'prefetch': () => link('prefetch'),
            'preload': () => link('preload'),
            'module': () => link('modulepreload'),
            'icon': () => link('icon'),
            'manifest': () => link('manifest'),
            'frame': () => new Promise((resolve, reject) => {
                document.addEventListener('securitypolicyviolation', reject, {once: true});
                const frame = document.createElement('iframe');
                frame.src = there + 'frame';
                document.body.append(frame);
            }),
            'object': () => element('object', 'data'),
            'embed': () => element('embed', 'src'),
            'video': () => loads(document.createElement('video'), 'src', there + 'video'),
            'form': () => new Promise((resolve, reject) => {
                document.addEventListener('securitypolicyviolation', reject, {once: true});
                const form = document.createElement('form');
                form.action = there + 'form';
                document.body.append(form);
                form.submit();
            }),
            'background': () => new Promise((resolve, reject) => {
                document.addEventListener('securitypolicyviolation', reject, {once: true});
                document.body.style.backgroundImage = `url(${there}background.png)`;
            }),
            'ping': () => {
                const link = Object.assign(document.createElement('a'), {href: '#', ping: there + 'ping'});
                document.body.append(link);
                link.click();
                throw new Error('nobody says what becomes of a ping');
            },
            'beacon': () => {
                navigator.sendBeacon(there + 'beacon', 'x');
                throw new Error('it says true, whatever becomes of it');
            },
        };
        const loadsWorker = it => new Promise((resolve, reject) => {
            (it.port ?? it).onmessage = resolve;
            it.onerror = reject;
            setTimeout(reject, 300);
        });
        const tried = {};
        for (const name of names) {
            try {
                await attempts[name]();
                tried[name] = 'went through';
            } catch {
                tried[name] = 'refused';
            }
        }
        return tried;
    };";

/// What a worker can try.
const IN_WORKER: &[&str] = &[
    "own host",
    "other host",
    "no-cors",
    "XHR",
    "socket",
    "events",
    "transport",
    "worker",
    "own worker",
    "import",
    "own import",
    "scripts",
    "peer",
];

/// What a page can try besides.
const IN_PAGE: &[&str] = &[
    "service worker",
    "window",
    "shared worker",
    "worklet",
    "font",
    "image",
    "script",
    "style",
    "prefetch",
    "preload",
    "module",
    "icon",
    "manifest",
    "frame",
    "object",
    "embed",
    "video",
    "form",
    "background",
    "ping",
    "beacon",
];

/// Puts the attempts into the page and into the script of its worker, which does them when it is told to.
fn prepare(browser: &Browser) {
    let told = "addEventListener('message', async event => {
        if (event.data.attempt) postMessage({tried: await attempt(...event.data.attempt)});
    });";
    let in_worker = json!(format!("{ATTEMPTS};{told}"));
    browser.before_pages(&format!(
        "{ATTEMPTS};
        const Plain = Blob;
        globalThis.Blob = class extends Plain {{
            constructor(parts, options) {{
                const isScript = options?.type === 'text/javascript';
                super(isScript ? [{in_worker}, ...parts] : parts, options);
            }}
        }};"
    ));
}

/// That each of these was refused.
fn refused(names: &[&str]) -> Value {
    names.iter().map(|it| ((*it).to_owned(), json!("refused"))).collect::<Map<_, _>>().into()
}

#[test]
fn nothing_is_asked_of_any_network_after_the_seal() {
    let site = Site::start();
    let browser = Browser::start(&site, "en");
    prepare(&browser);
    let address = format!("http://localhost:{}/", site.port);
    // At first the page is new; then its service worker answers for it.
    for is_kept in [false, true] {
        browser.go(&address);
        browser.until("document.querySelector('#choose-file:enabled') !== null");
        let before = site.asked();
        let worker = before.iter().find(|it| it.starts_with("GET /worker_bg-"));
        assert_eq!(worker.is_none(), is_kept, "{before:?}");

        browser.choose(&capture("sample.pcapng"));
        browser.until_read();
        for view in ["flows", "hosts", "sessions", "labels", "export", "overview"] {
            browser.run("location.hash = '#v=' + arguments[0]", &[json!(view)]);
            browser.until("document.querySelector('main') !== null");
        }
        browser.click("nav.rail a[href^='#v=export']");
        browser.click("#save");
        browser.until("document.querySelector('#save:enabled') !== null");
        // And when it is tried on purpose, from the page and from a worker like ours. What the service worker has kept, it
        // would give without a network: that it is refused shows that the question never reaches it.
        let own = browser.run("return document.querySelector('script[data-app]').src", &[]);
        let all: Vec<&str> = IN_WORKER.iter().chain(IN_PAGE).copied().collect();
        let tried = browser.run("return attempt(...arguments)", &[json!(all), own.clone()]);
        assert_eq!(tried, refused(&all), "the page");
        let in_worker = "const worker = tractor.startWorker();
            return new Promise(resolve => {
                worker.addEventListener('message', event => {
                    if (event.data.tried) resolve(event.data.tried);
                    else worker.postMessage({attempt: Array.from(arguments)});
                });
            }).finally(() => worker.terminate());";
        let tried = browser.run(in_worker, &[json!(IN_WORKER), own]);
        assert_eq!(tried, refused(IN_WORKER), "the worker");
        assert_eq!(site.asked(), Vec::<String>::new());
    }
}

#[test]
fn only_the_policy_of_the_page_makes_scripts_addresses() {
    let site = Site::start();
    let browser = Browser::open_page(&site, "en");
    let refused = |script: &str| {
        let script = format!("try {{ {script} }} catch (error) {{ return error.name; }}");
        assert_eq!(browser.run(&script, &[]), json!("TypeError"), "{script}");
    };
    refused("trustedTypes.createPolicy('mine', {createHTML: it => it})");
    refused("document.createElement('script').text = 'alert(1)'");
    refused("document.createElement('script').src = 'blob:null/x'");
    refused("new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])))");
}
