/** A person with a browser, as far as providers of the labs need one: cookies, redirects, forms; no scripts. */

export interface Returned {
  /** The redirect URI with all it was given, in its query also when it came by a form. */
  readonly url: URL;
  readonly parameters: URLSearchParams;
  readonly method: 'GET' | 'POST';
}

export interface PersonAtProvider {
  /** What is typed into every field of that name, and the button that is pressed. */
  readonly answers: Readonly<Record<string, string>>;
  /** Keeps the session at the provider for the next time. */
  readonly cookies?: Map<string, string>;
}

/** Goes where it is sent until it comes back to `redirectUri`; that last request is not made. */
export async function signInAtProvider(
  location: string,
  redirectUri: string,
  { answers, cookies = new Map() }: PersonAtProvider,
): Promise<Returned> {
  let url = new URL(location);
  let body: URLSearchParams | undefined;
  for (let step = 0; step < 20; step += 1) {
    if (isBack(url, redirectUri)) return returned(url, body);
    const response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    keepCookies(cookies, response);
    const next = response.headers.get('location');
    if (next !== null) {
      url = new URL(next, url);
      body = undefined;
      continue;
    }
    const text = await response.text();
    if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}: ${text.slice(0, 300)}`);
    ({ url, body } = filledIn(text, url, answers));
  }
  throw new Error(`no end of redirects at ${url.href}`);
}

/** The driver's shorthand for people of the OpenID lab. */
export const as = (login: string, cookies?: Map<string, string>): PersonAtProvider => ({
  answers: { login, answer: 'approve' },
  ...(cookies === undefined ? {} : { cookies }),
});

export const whoDenies: PersonAtProvider = { answers: { answer: 'deny' } };

const isBack = (url: URL, redirectUri: string): boolean => {
  const target = new URL(redirectUri);
  return url.origin === target.origin && url.pathname === target.pathname;
};

function returned(url: URL, body: URLSearchParams | undefined): Returned {
  for (const [name, value] of body ?? []) url.searchParams.append(name, value);
  return { url, parameters: url.searchParams, method: body === undefined ? 'GET' : 'POST' };
}

function keepCookies(cookies: Map<string, string>, response: Response): void {
  for (const line of response.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
    if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name!);
    else cookies.set(name!, value!);
  }
}

function filledIn(
  html: string,
  page: URL,
  answers: Readonly<Record<string, string>>,
): { url: URL; body: URLSearchParams } {
  const form = /<form\b[^>]*>/.exec(html)?.[0];
  if (form === undefined) throw new Error(`no form at ${page.href}: ${html.slice(0, 300)}`);
  const body = new URLSearchParams(answers);
  for (const [input] of html.matchAll(/<input\b[^>]*type="hidden"[^>]*>/g)) {
    const name = attribute(input, 'name');
    if (name !== undefined && !body.has(name)) body.append(name, attribute(input, 'value') ?? '');
  }
  return { url: new URL(attribute(form, 'action') ?? page.href, page), body };
}

const attribute = (tag: string, name: string): string | undefined =>
  new RegExp(`\\b${name}="([^"]*)"`)
    .exec(tag)?.[1]
    ?.replace(/&quot;/g, '"')
    .replace(/&#x27;|&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
