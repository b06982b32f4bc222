/**
 * Where an app's browser is sent, and where it lands: the only part of this dialect that people see, and the only one
 * where a cookie counts, that of the browser which began.
 *
 *   GET  arm/begin?ticket=…   ──► 303 to the provider
 *   GET  arm/authCallback     ◄── the provider ──► 302 to the app's address, or to this path with what came of it
 *   POST arm/authCallback     ◄── a provider that answers by form ──► 303 to the same by GET
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { malformed } from '../../kernel/errors.ts';
import type { AppOutcome } from '../../protocol/app-sessions/redirect.ts';
import { beginRedirectToApp, finishRedirectToApp } from '../../protocol/app-sessions/redirect.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { loadPerson } from '../../protocol/tokens/person.ts';
import { Form, parseForm } from '../edge/form.ts';
import { browserOf } from '../pages/cookies.ts';
import { refusedPage } from '../pages/errors.ts';
import { knownBrowser, sendPage } from '../pages/page.ts';
import { seeOther } from '../pages/respond.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { appCallbackPath } from '../upstream-callbacks.ts';
import { type End, endUrl } from './end-url.ts';
import { landingView } from './landing.ts';
import { refuseOtherMethods } from './methods.ts';
import { authResponseOf } from './person.ts';
import { codeOf } from './words.ts';

export const beginPath = '/box/srv/1.1/arm/begin';

/** Largest form, in bytes: it goes on in a URL, with the cookies below the 16 KB of a request's head. */
const bodyLimit = 8 * 1024;

const urlOf = ({ site }: FastifyRequest, path: string): string => `${site.origin}${path}`;

const queryOf = ({ raw }: FastifyRequest): URLSearchParams => new URLSearchParams((raw.url ?? '').split('?')[1] ?? '');

async function begin(services: HttpServices, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const outcome = await beginRedirectToApp(protocolContext(services, request), {
    ticket: queryOf(request).get('ticket') ?? '',
    browserSecret: knownBrowser(services, request, reply),
    redirectUri: urlOf(request, appCallbackPath),
  });
  return 'location' in outcome ? seeOther(reply, outcome.location) : end(services, request, reply, outcome);
}

async function callback(services: HttpServices, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const parameters = queryOf(request);
  if (parameters.get('status') === 'complete' && !parameters.has('state')) {
    const shown = { result: parameters.get('result'), message: parameters.get('message') };
    return sendPage(services, request, reply, (_t, locale) => landingView(locale, shown));
  }
  const { browserSecret } = browserOf(request);
  const redirectUri = urlOf(request, appCallbackPath);
  const back = { parameters, browserSecret, redirectUri };
  const outcome = await finishRedirectToApp(protocolContext(services, request), back);
  return end(services, request, reply, outcome);
}

/** RFC 9110 §15.4.3: the address has the session in it, so nothing may keep it or pass it on. */
async function end(
  services: HttpServices,
  request: FastifyRequest,
  reply: FastifyReply,
  outcome: AppOutcome,
): Promise<FastifyReply> {
  const base = outcome.endUrl ?? urlOf(request, appCallbackPath);
  return reply
    .code(302)
    .header('location', endUrl(base, await endOf(services, request, outcome)))
    .send();
}

async function endOf(services: HttpServices, request: FastifyRequest, outcome: AppOutcome): Promise<End> {
  if ('refusal' in outcome) return { message: codeOf(outcome.refusal.reason) };
  const { signedIn } = outcome;
  const user = await loadPerson(protocolContext(services, request), signedIn.userId);
  // Deleted since.
  if (user === undefined) throw new Refusal('user_inactive', { userId: signedIn.userId });
  return { sessionToken: signedIn.sessionSecret, authResponse: authResponseOf(signedIn, user) };
}

/** A form from elsewhere comes without our cookies; the GET that follows has them. */
function fromForm({ body }: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (!(body instanceof Form)) throw malformed('The request carries no form.');
  return seeOther(reply, `${appCallbackPath}?${new URLSearchParams([...body])}`);
}

/** The plugin of the two pages. */
export function armRoutes(services: HttpServices) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(async (error, request, reply) => refusedPage(services, request, reply, error));
    server.addHook('onSend', async (_request, reply) => {
      reply.header('referrer-policy', 'no-referrer');
    });
    server.removeContentTypeParser('*');
    server.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'buffer' },
      async (_request: FastifyRequest, body: string | Buffer) => parseForm(body as Buffer),
    );
    const page = { exposeHeadRoute: false, config: { open: true } };
    server.get(below(beginPath), page, (request, reply) => begin(services, request, reply));
    server.get(below(appCallbackPath), page, (request, reply) => callback(services, request, reply));
    server.post(below(appCallbackPath), { bodyLimit, config: { open: true } }, async (request, reply) =>
      fromForm(request, reply),
    );
    refuseOtherMethods(server, below(beginPath), ['GET']);
    refuseOtherMethods(server, below(appCallbackPath), ['GET', 'POST']);
  };
}

/** As it is registered, below the prefix of the dialect. */
const below = (path: string): string => path.replace(/^\/box/, '');
