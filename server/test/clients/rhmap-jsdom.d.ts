/** What the tests use of jsdom, which has no types of its own. */
declare module 'jsdom' {
  import type { EventEmitter } from 'node:events';

  export class VirtualConsole extends EventEmitter {}
  export class CookieJar {}

  export interface Options {
    readonly runScripts?: 'dangerously' | 'outside-only';
    readonly resources?: 'usable';
    readonly pretendToBeVisual?: boolean;
    readonly virtualConsole?: VirtualConsole;
    readonly cookieJar?: CookieJar;
    // biome-ignore lint/suspicious/noExplicitAny: a page puts into its window what it likes
    beforeParse?(window: any): void;
  }

  export class JSDOM {
    static fromURL(url: string, options: Options): Promise<JSDOM>;
    // biome-ignore lint/suspicious/noExplicitAny: the same
    readonly window: any;
  }
}
