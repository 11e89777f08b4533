// Loads everything the page will ever need, seals it, then starts it.
//
// Sealed means: a second policy forbids the page and its workers every request. It can only be added, never taken back,
// and no file can be opened before it holds. On the companion's own page (/server/) there is no seal and no file.
'use strict';

(() => {
  // Whatever is not named here is refused by default: styles, fonts, frames, hints, requests of any kind.
  const SEAL =
    "default-src 'none'; connect-src 'none'; worker-src blob:; script-src 'wasm-unsafe-eval'; img-src data: blob:";

  // What a worker does before the engine is in it: it tries the network, which must refuse, and tells of any fault.
  // Its messages are of the shape of message.rs.
  const WORKER_START = `
    const broken = fault => postMessage([{ Broken: String(fault) }, undefined]);
    addEventListener('error', event => broken(event.message));
    addEventListener('unhandledrejection', event => broken(event.reason));
    onmessage = async event => {
      onmessage = null;
      const isSealed = await fetch(event.data.probe).then(() => false, () => true);
      if (!isSealed) return broken('this browser does not seal workers');
      await wasm_bindgen({ module_or_path: event.data.wasm });
    };
  `;

  // Leptos builds static parts from HTML that was fixed when it was compiled; no other code makes HTML.
  // Scripts of workers come from the one blob below. Nothing may make a script out of text.
  let workerUrl = null;
  const policy = globalThis.trustedTypes?.createPolicy('default', {
    createHTML: text => text,
    createScriptURL: url => (url === workerUrl ? url : null),
  });

  const state = { isSealed: false, worker: null, sample: null };

  globalThis.tractor = {
    /** A new worker with the engine in it. */
    startWorker() {
      if (!state.isSealed) throw new Error('the page is not sealed');
      const worker = new Worker(policy ? policy.createScriptURL(workerUrl) : workerUrl);
      worker.postMessage({ wasm: state.worker, probe: location.href });
      return worker;
    },
    /** The capture that comes with the page, as a File; null where it did not come. */
    sample: () => state.sample && new File([state.sample], 'sample.pcapng'),
    /** Whether no request can leave the page. */
    isSealed: () => state.isSealed,
  };

  const isCompanionPage = () => {
    const companion = document.querySelector('meta[name=tractor-companion]')?.content;
    return Boolean(companion) && location.pathname.startsWith(companion);
  };

  async function load(name, as) {
    const response = await fetch(name, { cache: 'no-cache', credentials: 'omit' });
    if (!response.ok) throw new Error(`${name}: ${response.status} ${response.statusText}`);
    return response[as]();
  }

  async function seal() {
    // Connections that no policy covers.
    for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'WebTransport']) {
      delete globalThis[name];
    }
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
    const isRefused = await fetch('boot.js').then(() => false, () => refusal);
    if (!isRefused) throw new Error('this browser does not seal the page, so it opens no file');
    state.isSealed = true;
  }

  // Modules that do not belong together do not run together: ask whether a stored copy is still right.
  async function loadApp() {
    await load('app.js', 'text');
    return import('./app.js');
  }

  async function start() {
    const app = loadApp();
    if (isCompanionPage()) {
      const module = await app;
      await module.default({ module_or_path: await load('app_bg.wasm', 'arrayBuffer') });
      return;
    }
    const [module, appWasm, workerScript, workerWasm, sample] = await Promise.all([
      app,
      load('app_bg.wasm', 'arrayBuffer'),
      load('worker.js', 'text'),
      load('worker_bg.wasm', 'arrayBuffer'),
      load('sample.pcapng', 'blob').catch(() => null),
    ]);
    workerUrl = URL.createObjectURL(
      new Blob([workerScript, WORKER_START], { type: 'text/javascript' }),
    );
    state.worker = workerWasm;
    state.sample = sample;
    await seal();
    await module.default({ module_or_path: appWasm });
  }

  const note = document.getElementById('boot');
  start().then(
    () => note.remove(),
    error => {
      note.setAttribute('role', 'alert');
      note.textContent = `TrActor cannot start: ${error.message} · TrActor не запускается: ${error.message}`;
    },
  );
})();
