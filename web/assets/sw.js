// Keeps the page for times without a network, and nothing else: it hears no messages, so the page can tell it nothing.
//
// RELEASE stands above, put there by `cargo xtask dist`: a name of this build, and the files it is made of. A file's name
// changes with its content, so a kept one is never out of date; only the page itself, which names them, is asked for anew.
'use strict';

/** Copies of other builds, and of pages elsewhere on this host, have other names. */
const OURS = `tractor ${registration.scope} `;
const NAME = OURS + RELEASE.name;
const PAGE = registration.scope;
const FILES = RELEASE.files.map(it => new URL(it, PAGE).href);
/** How long a network may take to give the page, in milliseconds. */
const PATIENCE_MILLIS = 4_000;

addEventListener('install', event => event.waitUntil(keepAll()));
addEventListener('activate', event => event.waitUntil(forgetOthers()));
addEventListener('fetch', event => {
  const { method, mode, url } = event.request;
  if (method !== 'GET') return;
  const [address] = url.split(/[?#]/, 1);
  const isPage = address === PAGE || address === `${PAGE}index.html`;
  if (mode === 'navigate' && isPage) event.respondWith(page(event.request));
  else if (FILES.includes(url)) event.respondWith(kept(event.request));
});

async function keepAll() {
  const cache = await caches.open(NAME);
  await cache.addAll([new Request(PAGE, { cache: 'reload' }), ...FILES]);
  // An open page of another build has loaded all it needs.
  await skipWaiting();
}

async function forgetOthers() {
  const names = await caches.keys();
  const others = names.filter(it => it.startsWith(OURS) && it !== NAME);
  await Promise.all(others.map(it => caches.delete(it)));
}

async function page(request) {
  const signal = AbortSignal.timeout(PATIENCE_MILLIS);
  const answer = await fetch(request, { signal }).catch(() => Response.error());
  if (answer.ok) return answer;
  const cache = await caches.open(NAME);
  return (await cache.match(PAGE)) ?? answer;
}

async function kept(request) {
  const cache = await caches.open(NAME);
  return (await cache.match(request)) ?? fetch(request);
}
