/** The end session endpoint of an issuer (OpenID Connect RP-Initiated Logout §2), and the older way of Auth0's clients. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EndSessionRequest } from '../../protocol/end-session/end-session.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { errorPageHandler } from './errors.ts';
import type { Issuer } from './issuer.ts';
import { readAuthorizationParameters } from './parameters.ts';

/** Adds them to the issuer's plugin. */
export function addEndSession(server: FastifyInstance, services: HttpServices, issuer: Issuer): void {
  const handle = (from: (request: FastifyRequest) => unknown, read: Read) => ({
    exposeHeadRoute: false,
    errorHandler: errorPageHandler(services, 'session.end_refused'),
    handler: (request: FastifyRequest, reply: FastifyReply) =>
      answer(services, issuer, request, reply, read(readAuthorizationParameters(from(request)).parameter, request)),
  });
  const { endSession, classicLogout } = issuer.paths;
  server.get(
    endSession,
    handle((request) => request.query, readRequest),
  );
  server.post(
    endSession,
    handle((request) => request.body, readRequest),
  );
  if (classicLogout === undefined) return;
  server.get(
    classicLogout,
    handle((request) => request.query, readClassic),
  );
}

type Read = (parameter: (name: string) => string | undefined, request: FastifyRequest) => EndSessionRequest & UiLocales;

interface UiLocales {
  readonly uiLocales: string | undefined;
}

const readRequest: Read = (parameter, request) => ({
  idTokenHint: parameter('id_token_hint'),
  clientId: parameter('client_id'),
  postLogoutRedirectUri: parameter('post_logout_redirect_uri'),
  state: parameter('state'),
  uiLocales: parameter('ui_locales'),
  comesFrom: originOfReferrer(request),
});

/** `GET /v2/logout?client_id=…&returnTo=…`. */
const readClassic: Read = (parameter, request) => ({
  ...readRequest(parameter, request),
  postLogoutRedirectUri: parameter('returnTo'),
  state: undefined,
});

/**
 * Scheme, host and port of the page that led here (RFC 9110 §10.1.3), by going here as a whole: a picture that somebody
 * put into a page of the application, which may be of the same site and so bring the cookie, says nothing.
 */
function originOfReferrer({ headers }: FastifyRequest): string | undefined {
  if (headers.referer === undefined || headers['sec-fetch-dest'] !== 'document') return undefined;
  return URL.parse(headers.referer)?.origin;
}

async function answer(
  services: HttpServices,
  { profile, paths }: Issuer,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: EndSessionRequest & UiLocales,
): Promise<FastifyReply> {
  const [{ requestEndSession }, { browserOf }, { seeOther }, { sendOutcome }] = await Promise.all([
    import('../../protocol/end-session/end-session.ts'),
    import('../pages/cookies.ts'),
    import('../pages/respond.ts'),
    import('../pages/sign-out.ts'),
  ]);
  const { sessionSecret } = browserOf(request);
  // Browsers send no cookie along with a form of another site (SameSite=Lax), but with the GET it is led to.
  if (request.method === 'POST' && sessionSecret === undefined) {
    return seeOther(reply, `${paths.endSession}?${asQuery(asked)}`);
  }
  const outcome = await requestEndSession(protocolContext(services, request), profile, asked, sessionSecret);
  return sendOutcome(services, request, reply, outcome, asked);
}

function asQuery(asked: EndSessionRequest & UiLocales): URLSearchParams {
  const parameters = {
    id_token_hint: asked.idTokenHint,
    client_id: asked.clientId,
    post_logout_redirect_uri: asked.postLogoutRedirectUri,
    state: asked.state,
    ui_locales: asked.uiLocales,
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, value);
  return query;
}
