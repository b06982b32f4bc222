/** What apps call: `$fh.init`, `$fh.auth` and the sessions it gives. No API key, and no cookie counts. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { revokeAppSession, verifyAppSession } from '../../protocol/app-sessions/sessions.ts';
import { signInToApp } from '../../protocol/app-sessions/sign-in.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { AppEnd } from '../../protocol/sign-in/redirect.ts';
import { loadPerson } from '../../protocol/tokens/person.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { beginPath } from './arm-routes.ts';
import { type Body, bodyOf, headerOf, requiredText, textOf } from './body.ts';
import { allowPages, answerBeforehand } from './cors.ts';
import { userIdOnWire } from './mapping.ts';
import { refuseOtherMethods } from './methods.ts';
import { authResponseOf } from './person.ts';

/** Largest body, in bytes. */
const bodyLimit = 64 * 1024;

type Handler = (services: HttpServices, request: FastifyRequest) => Promise<Record<string, unknown>>;

const ok = { status: 'ok' } as const;

const auth: Handler = async (services, request) => {
  const ctx = protocolContext(services, request);
  const body = bodyOf(request);
  const params = paramsOf(body);
  const answer = await signInToApp(ctx, {
    clientId: requiredText(body, 'clientToken'),
    policyName: requiredText(body, 'policyId'),
    end: endOf(textOf(body, 'endRedirectUrl')),
    device: textOf(body, 'device'),
    identifier: textOf(params, 'userId') ?? '',
    password: textOf(params, 'password') ?? '',
  });
  if ('ticket' in answer) return { ...ok, url: `${request.site.origin}${beginPath}?ticket=${answer.ticket}` };
  const { signedIn } = answer;
  const user = await loadPerson(ctx, signedIn.userId);
  // Deleted since.
  if (user === undefined) throw new Refusal('user_inactive', { userId: signedIn.userId });
  return {
    ...ok,
    sessionToken: signedIn.sessionSecret,
    userId: userIdOnWire(user),
    authResponse: authResponseOf(signedIn, user),
  };
};

/** The parameter that fh-js-sdk appends, with the name of a function of the page. */
const callbackParameter = /[?&]_fhAuthCallback=[A-Za-z_$][\w$.]{0,127}$/;

/** RHMAP's word for where the browser ends; what the SDK adds to it is registered nowhere. */
const endOf = (url: string | undefined): AppEnd | undefined =>
  url === undefined ? undefined : { url, registeredAs: url.replace(callbackParameter, '') };

function paramsOf(body: Body): Body {
  const { params } = body;
  return typeof params === 'object' && params !== null ? (params as Body) : {};
}

/** From the body, or from the header that goes with every request of an app that is signed in. */
const sessionTokenOf = (request: FastifyRequest): string =>
  textOf(bodyOf(request), 'sessionToken') ?? headerOf(request, 'x-fh-sessiontoken') ?? '';

const verify: Handler = async (services, request) => {
  const session = await verifyAppSession(protocolContext(services, request), sessionTokenOf(request));
  return { ...ok, isValid: session !== undefined };
};

const revoke: Handler = async (services, request) => {
  await revokeAppSession(protocolContext(services, request), sessionTokenOf(request));
  return ok;
};

/** RHMAP published no shape of this answer; fhc prints whatever comes. */
const info: Handler = async (services, request) => {
  const session = await verifyAppSession(protocolContext(services, request), sessionTokenOf(request));
  if (session === undefined) return { ...ok, isValid: false };
  return {
    ...ok,
    isValid: true,
    userId: userIdOnWire(session.user),
    policyId: session.policyName,
    clientToken: session.clientId,
    authenticatedAt: new Date(session.authenticatedAt).toISOString(),
    expiresAt: new Date(session.expiresAt).toISOString(),
  };
};

/** As much as the SDK needs before it signs anybody in: where the app's cloud is. There is none but this server. */
const init: Handler = async (_services, { site: { origin, tenantId } }) => ({
  ...ok,
  domain: tenantId,
  firstTime: false,
  hosts: {
    ...{ url: origin, environment: tenantId, type: 'cloud_nodejs' },
    ...{ debugCloudType: 'node', debugCloudUrl: origin, releaseCloudType: 'node', releaseCloudUrl: origin },
  },
  init: { trackId: '0'.repeat(24) },
});

/** The plugin of the calls; `policyPath` is where those of a policy are. */
export function appRoutes(services: HttpServices, base: string, policyPath: string) {
  return async (server: FastifyInstance): Promise<void> => {
    allowPages(server, services);
    const calls: readonly (readonly [path: string, handler: Handler])[] = [
      [`${base}/app/init`, init],
      [`${policyPath}/auth`, auth],
      [`${policyPath}/verifysession`, verify],
      [`${policyPath}/revokesession`, revoke],
      [`${policyPath}/sessioninfo`, info],
    ];
    for (const [url, handler] of calls) {
      server.post(url, { bodyLimit, config: { open: true } }, (request) => handler(services, request));
      server.options(url, { config: { open: true } }, async (request, reply: FastifyReply) =>
        answerBeforehand(request, reply),
      );
      refuseOtherMethods(server, url, ['POST']);
    }
  };
}
