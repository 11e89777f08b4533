// Loads everything the page will ever need, seals it, then starts it.
//
// Sealed means: a second policy forbids the page and its workers every request. It can only be added, never taken back,
// and no file can be opened before it holds. On the companion's own page (/server/) there is no seal and no file.
'use strict';

(() => {
  // Whatever is not named here is refused by default: styles, fonts, frames, hints, requests of any kind.
  const SEAL =
    "default-src 'none'; connect-src 'none'; worker-src blob:; script-src 'wasm-unsafe-eval'; img-src data: blob:; manifest-src data:";

  // Ways out that no policy covers, or that lead to what is not sealed: to peers, to another window, to the service worker.
  // Gone from this window before a file can be chosen; a worker of ours never had the first two.
  const WAYS_OUT = [
    [globalThis, 'RTCPeerConnection'],
    [globalThis, 'webkitRTCPeerConnection'],
    [globalThis, 'WebTransport'],
    [globalThis, 'open'],
    [Navigator.prototype, 'serviceWorker'],
  ];

  /** How long the page waits for its copy to be kept before it goes on without, in milliseconds. */
  const KEEPING_MILLIS = 10_000;

  // What a worker does before the engine is in it: it tries the network, and the policy must be what refuses. It tells of
  // any fault. Its messages are of the shape of message.rs.
  const WORKER_START = `
    const broken = fault => postMessage([{ Broken: String(fault) }, undefined]);
    addEventListener('error', event => broken(event.message));
    addEventListener('unhandledrejection', event => broken(event.reason));
    onmessage = async event => {
      onmessage = null;
      const isSealed = await fetch(event.data.probe).then(() => false, () => true);
      if (!isSealed) return broken('this browser does not seal workers');
      globalThis.reader = event.data.reader;
      await wasm_bindgen({ module_or_path: event.data.wasm });
    };
  `;

  // A worker that reads files for those that are busy with what they have: on a port it is asked for [file, from, to], and for
  // another port to be asked on. See chunks.rs.
  const READER = `
    const serve = port => {
      port.onmessage = async ({ data, ports }) => {
        if (ports.length > 0) return serve(ports[0]);
        const [file, from, to] = data;
        const read = await file.slice(from, to).arrayBuffer().catch(error => error);
        port.postMessage(read, read instanceof ArrayBuffer ? [read] : []);
      };
    };
    serve(globalThis);
  `;

  // The one policy that may make HTML and scripts' addresses out of text (index.html allows no other name). It is the
  // default one, for Leptos builds static parts from HTML that was fixed when it was compiled, and names no policy; no
  // other code makes HTML. Scripts of workers come from the two blobs below, and the one that keeps the page from `keeper`.
  // Nothing may make a script out of text.
  let workerUrl = null;
  let readerUrl = null;
  let keeper = null;
  const policy = globalThis.trustedTypes?.createPolicy('default', {
    createHTML: text => text,
    createScriptURL: url => ([workerUrl, readerUrl, keeper].includes(url) ? url : null),
  });
  const scriptUrl = url => policy?.createScriptURL(url) ?? url;

  // The engine is a promise of its compiled module: what a browser makes better of it while it runs, all workers have.
  const state = { isSealed: false, isIdle: true, engine: null, reader: null, sample: null, warming: null };

  /** A new worker, in which the engine will be. */
  function start() {
    if (!state.isSealed) throw new Error('the page is not sealed');
    const worker = new Worker(scriptUrl(workerUrl));
    state.reader ??= new Worker(scriptUrl(readerUrl));
    const { port1, port2 } = new MessageChannel();
    state.reader.postMessage(null, [port1]);
    state.engine.then(
      wasm => worker.postMessage({ wasm, probe: location.href, reader: port2 }, [port2]),
      error => worker.dispatchEvent(new ErrorEvent('error', { message: String(error) })),
    );
    return worker;
  }

  /** How many copies of the sample warm the engine up: a few megabytes, after which little more is gained. */
  const WARMING_COPIES = 8;

  /**
   * Lets the engine read the sample while nothing else is to be done: a browser makes good machine code only of what has run
   * often, and the first file that is chosen shall find it made.
   */
  function warm() {
    if (!state.sample || !state.isIdle) return;
    const worker = (state.warming = start());
    const copies = new File(Array(WARMING_COPIES).fill(state.sample), 'sample.pcapng');
    worker.onmessage = ({ data: [said] }) => {
      if (said === 'Ready') worker.postMessage([{ Open: { rules: '' } }, copies]);
      if (said === 'Done' || said.Failed || said.Broken) worker.terminate();
    };
  }

  globalThis.tractor = {
    /** A new worker with the engine in it. */
    startWorker() {
      state.isIdle = false;
      state.warming?.terminate();
      return start();
    },
    /** The capture that comes with the page, as a File; null where it did not come. */
    sample: () => state.sample && new File([state.sample], 'sample.pcapng'),
    /** Whether no request can leave the page. */
    isSealed: () => state.isSealed,
    /** Gives the files that the installed page is opened with to a function, as an array, whenever that happens. */
    onLaunch(take) {
      globalThis.launchQueue?.setConsumer(async launch => {
        const files = await Promise.all(launch.files.map(it => it.getFile()));
        if (files.length > 0) take(files);
      });
    },
  };

  const isCompanionPage = () => {
    const companion = document.querySelector('meta[name=tractor-companion]')?.content;
    return Boolean(companion) && location.pathname.startsWith(companion);
  };

  // What index.html says of the parts: their names, which change with their content. A page in one file has no names: its
  // parts are in elements of their own, packed by gzip and written as base64.
  const parts = document.currentScript.dataset;

  /** The bytes of a part. */
  async function load(part) {
    const inside = document.getElementById(`part-${part}`);
    if (inside) {
      const packed = Uint8Array.from(atob(inside.textContent), it => it.charCodeAt(0));
      inside.remove();
      const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
      return new Response(unpacked).arrayBuffer();
    }
    const response = await fetch(parts[part], { credentials: 'omit' });
    if (!response.ok) throw new Error(`${parts[part]}: ${response.status} ${response.statusText}`);
    return response.arrayBuffer();
  }

  /**
   * Puts the description of the page for systems that install pages into the page: a browser reads it at any time, and after
   * the seal it could not be fetched.
   */
  async function describe() {
    const address = new URL(parts.manifest, location.href);
    const manifest = JSON.parse(new TextDecoder().decode(await load('manifest')));
    const whole = it => new URL(it, address).href;
    manifest.start_url = whole(manifest.start_url);
    manifest.scope = whole(manifest.scope);
    for (const handler of manifest.file_handlers) handler.action = whole(handler.action);
    const text = encodeURIComponent(JSON.stringify(manifest));
    const link = document.createElement('link');
    link.rel = 'manifest';
    link.href = `data:application/manifest+json,${text}`;
    document.head.append(link);
  }

  /** Lets the service worker keep the page for times without a network; it is done before the seal, or not at all. */
  async function keep() {
    if (!parts.keeper || !navigator.serviceWorker) return;
    keeper = new URL(parts.keeper, location.href).href;
    // Its name changes with its content. So it need not be asked for anew, which a browser does on its own, later.
    const how = { updateViaCache: 'all' };
    const kept = await navigator.serviceWorker.register(scriptUrl(keeper), how);
    const worker = kept.installing;
    if (!worker) return;
    await new Promise(resolve => {
      worker.addEventListener('statechange', resolve, { once: true });
      setTimeout(resolve, KEEPING_MILLIS);
    });
  }

  async function seal() {
    // A request can fail for many reasons; that the policy refuses it, the browser says by this event.
    const refusal = new Promise(resolve => {
      document.addEventListener('securitypolicyviolation', event => {
        if (event.effectiveDirective === 'connect-src') resolve(true);
      });
      setTimeout(resolve, 2000, false);
    });
    const meta = document.createElement('meta');
    meta.httpEquiv = 'Content-Security-Policy';
    meta.content = SEAL;
    document.head.append(meta);
    for (const [owner, name] of WAYS_OUT) {
      if (!Reflect.deleteProperty(owner, name)) throw new Error(`${name} cannot be taken away`);
    }
    const isRefused = await fetch(location.href).then(() => false, () => refusal);
    if (!isRefused) throw new Error('this browser does not seal the page, so it opens no file');
    state.isSealed = true;
  }

  /** Starts the page's own module, which app.js has described. */
  async function startApp(wasm) {
    if (typeof wasm_bindgen === 'undefined') throw new Error('app.js did not load');
    await wasm_bindgen({ module_or_path: wasm });
  }

  async function boot() {
    if (isCompanionPage()) return startApp(await load('app'));
    // It may fail: from a file, without HTTPS, in a private window.
    const keeping = keep().catch(() => {});
    if (parts.manifest) describe().catch(() => {});
    const [appWasm, workerScript, workerWasm, sample] = await Promise.all([
      load('app'),
      load('worker'),
      load('engine'),
      load('sample').catch(() => null),
    ]);
    const scriptOf = (...parts) =>
      URL.createObjectURL(new Blob(parts, { type: 'text/javascript' }));
    workerUrl = scriptOf(workerScript, WORKER_START);
    readerUrl = scriptOf(READER);
    state.engine = WebAssembly.compile(workerWasm);
    // Who needs it is told of a fault.
    state.engine.catch(() => {});
    state.sample = sample;
    await keeping;
    await seal();
    await startApp(appWasm);
    (globalThis.requestIdleCallback ?? setTimeout)(warm);
  }

  const note = document.getElementById('boot');
  boot().then(
    () => note.remove(),
    error => {
      note.setAttribute('role', 'alert');
      note.textContent = `TrActor cannot start: ${error.message} · TrActor не запускается: ${error.message}`;
    },
  );
})();
