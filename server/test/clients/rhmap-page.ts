/** The page of an RHMAP app in jsdom, which holds it to CORS as a browser does. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CookieJar, JSDOM, VirtualConsole } from 'jsdom';

/** What `$fh.auth` came to: one of its two handlers was called, or the page was sent elsewhere. */
export type AuthOutcome =
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not typed
  | { readonly success: any }
  // biome-ignore lint/suspicious/noExplicitAny: the same
  | { readonly failure: readonly [code: any, error: any] }
  | { readonly sentTo: string };

export interface RhmapPage {
  auth(options: Record<string, unknown>): Promise<AuthOutcome>;
  /** What the callbacks of the three were called with. */
  hasSession(): Promise<readonly unknown[]>;
  verify(): Promise<readonly unknown[]>;
  clearSession(): Promise<readonly unknown[]>;
  /** What `onSignedIn` was called with; undefined when it was not called. */
  // biome-ignore lint/suspicious/noExplicitAny: answers are compared, not typed
  ended(): Promise<{ error: any; result: any } | undefined>;
  /** What the page was kept from, and what went wrong in it. */
  readonly complaints: readonly string[];
  /** Objects that the SDK looks for in its window. */
  // biome-ignore lint/suspicious/noExplicitAny: a page puts into its window what it likes
  readonly window: any;
  close(): void;
}

/** Opens it, and waits until it has loaded and, but for Cordova, the SDK is ready: some of its calls fail before that. */
export async function openRhmapPage(
  url: string,
  // biome-ignore lint/suspicious/noExplicitAny: the same
  prepare: (window: any) => void = () => {},
): Promise<RhmapPage> {
  const complaints: string[] = [];
  const virtualConsole = new VirtualConsole();
  virtualConsole.on('jsdomError', (error: Error) => complaints.push(error.message));
  let sendTo: (url: string) => void = () => {};
  const { window } = await JSDOM.fromURL(url, {
    runScripts: 'dangerously',
    resources: 'usable',
    pretendToBeVisual: true,
    cookieJar: new CookieJar(),
    virtualConsole,
    beforeParse: (made) => {
      // By what jsdom says by itself the SDK takes it for the Netscape 4 it was written for.
      Object.defineProperty(made.navigator, 'appVersion', { value: '5.0 (X11)' });
      onNavigation(made, (to) => sendTo(to));
      prepare(made);
    },
  });
  if (window.document.readyState !== 'complete') await once(window as never, 'load');
  const { auth, once: onceIs } = window.$fh;
  if (window.cordova === undefined) await within((resolve) => onceIs('fhinit', resolve));
  const called = (verb: (callback: (...args: unknown[]) => void) => void) =>
    within<readonly unknown[]>((resolve) => verb((...args) => resolve(plain(args))));
  return {
    auth: (options) =>
      within<AuthOutcome>((resolve) => {
        sendTo = (sentTo) => resolve({ sentTo });
        auth(
          options,
          (success: unknown) => resolve({ success: plain(success) }),
          (code: unknown, error: unknown) => resolve({ failure: plain([code, error]) }),
        );
      }),
    hasSession: () => called(auth.hasSession),
    verify: () => called(auth.verify),
    clearSession: () => called(auth.clearSession),
    ended: async () => plain(window.ended),
    complaints,
    window,
    close: () => window.close(),
  };
}

/** jsdom goes nowhere, and says so without saying where to: the setter of `location.href`, inside of it, knows. */
// biome-ignore lint/suspicious/noExplicitAny: a window
function onNavigation(window: any, sendTo: (url: string) => void): void {
  const location = implForWrapper(window.location);
  Object.defineProperty(location, 'href', {
    get: () => window.document.URL,
    set: (to: string) => sendTo(new URL(to, window.document.URL).href),
  });
}

const require = createRequire(import.meta.url);
const { implForWrapper } = require(join(dirname(require.resolve('jsdom')), 'generated/idl/utils.js')) as {
  implForWrapper(wrapper: object): object;
};

/** Objects of a page have prototypes of its own, which `deepEqual` would tell apart. */
const plain = <T>(value: T): T => (value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T));

/** How long the SDK may take, in milliseconds. */
const patienceMs = 20_000;

function within<T>(work: (resolve: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the SDK calls nobody back')), patienceMs);
    work((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
