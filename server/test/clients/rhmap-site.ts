/** The site of an RHMAP app: a page with `fh-js-sdk`, as npm has it, on an origin of its own. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

const sdk = readFileSync(
  join(dirname(createRequire(import.meta.url).resolve('fh-js-sdk/package.json')), 'dist/feedhenry.js'),
);

/** Shows who is signed in; `onSignedIn` is the function that the SDK calls at the end of a redirect. */
const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<link rel="icon" href="data:,">
<title>App</title>
<script src="/feedhenry.js"></script>
<script>
  function show(id, what) { document.getElementById(id).textContent = JSON.stringify(what); }
  function onSignedIn(error, result) { window.ended = { error: error, result: result }; show('ended', window.ended); }
  function signIn() {
    $fh.auth({
      policyId: document.getElementById('policy').value,
      clientToken: window.appId,
      endRedirectUrl: location.origin + '/',
      authCallback: 'onSignedIn'
    }, function (result) { show('ended', { result: result }); }, function (code, error) { show('ended', { error: error }); });
  }
  function verify() { $fh.auth.verify(function (error, isValid) { show('verified', { error: error, isValid: isValid }); }); }
  function signOut() { $fh.auth.clearSession(function (error) { show('verified', { error: error, cleared: true }); }); }
  $fh.once('fhinit', function () { document.documentElement.setAttribute('data-ready', ''); });
</script>
<script src="/app.js"></script>
</head>
<body>
<input id="policy">
<button onclick="signIn()">Sign in</button>
<button onclick="verify()">Verify</button>
<button onclick="signOut()">Sign out</button>
<pre id="ended"></pre>
<pre id="verified"></pre>
</body>
</html>`;

export interface ServedApp {
  readonly clientId: string;
  readonly serverOrigin: string;
  /** Further members of its `fhconfig.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface RhmapSite {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Where its page is. */
  readonly page: string;
  /** Makes it the page of an application of a server. */
  serve(app: ServedApp): void;
  close(): Promise<void>;
}

/** Starts it. Its origin is that of no application yet. */
export async function startRhmapSite(): Promise<RhmapSite> {
  let app: ServedApp = { clientId: '', serverOrigin: '' };
  // The names and the length of its values are those that RHMAP's Studio writes.
  const config = () => ({
    appid: app.clientId,
    appkey: '0123456789abcdef0123456789abcdef01234567',
    apptitle: 'Orders',
    connectiontag: '0.0.1',
    host: app.serverOrigin,
    projectid: 'aaaaaaaaaaaaaaaaaaaaaaaa',
    ...app.config,
  });
  const files: Record<string, () => readonly [type: string, content: string | Buffer]> = {
    '/': () => ['text/html; charset=utf-8', html],
    '/feedhenry.js': () => ['text/javascript', sdk],
    '/fhconfig.json': () => ['application/json', JSON.stringify(config())],
    '/app.js': () => ['text/javascript', `window.appId = ${JSON.stringify(app.clientId)};`],
  };
  const server = createServer((request, response) => {
    const file = files[(request.url ?? '').split('?')[0] as string];
    if (file === undefined) return void response.writeHead(404).end();
    const [type, content] = file();
    response.writeHead(200, { 'content-type': type }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    page: `${origin}/`,
    serve: (served) => {
      app = served;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
