/** From a view to an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { randomBase64Url } from '../../kernel/random.ts';
import type { HttpServices } from '../request.ts';
import { brandingOf } from './branding.ts';
import { browserOf, setBrowserCookie } from './cookies.ts';
import { type PagePolicy, setPageHeaders } from './headers.ts';
import { document, type View } from './layout.ts';
import { chooseLocale, type Locale, messagesOf } from './locale.ts';
import type { Messages } from './messages/en.ts';

export interface PageOptions extends PagePolicy {
  readonly status?: number;
  /** Languages that the request itself asked for, best first. */
  readonly uiLocales?: readonly string[] | undefined;
}

/** Makes a view in the language of the page. */
export type Viewing = (t: Messages, locale: Locale) => View;

/** Answers with a page in the tenant's looks and the person's language. */
export async function sendPage(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  viewing: Viewing,
  { status = 200, uiLocales = uiLocalesOf(request), formAction }: PageOptions = {},
): Promise<FastifyReply> {
  const locale = chooseLocale(uiLocales, request.headers['accept-language']);
  const view = viewing(messagesOf[locale], locale);
  const branding = await brandingOf(services, request.site);
  return setPageHeaders(reply, { formAction, script: view.script !== undefined })
    .header('vary', 'Accept-Language, Cookie')
    .code(status)
    .type('text/html; charset=utf-8')
    .send(document({ branding, locale }, view));
}

/** The languages in the query (OpenID Connect Core §3.1.2.1). */
function uiLocalesOf(request: FastifyRequest): string[] {
  const { ui_locales: wanted } = (request.query ?? {}) as Record<string, unknown>;
  return typeof wanted === 'string' ? wanted.split(' ', 32) : [];
}

/** The secret of this browser; a browser without one gets one. */
export function knownBrowser(services: HttpServices, request: FastifyRequest, reply: FastifyReply): string {
  const { browserSecret } = browserOf(request);
  if (browserSecret !== undefined) return browserSecret;
  const secret = randomBase64Url(services.random, 32);
  setBrowserCookie(request, reply, secret);
  return secret;
}
