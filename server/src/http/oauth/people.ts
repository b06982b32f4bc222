/** The endpoints of an issuer that people are behind: authorization, pushed requests, userinfo. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PresentedAccessToken } from '../../protocol/binding/present.ts';
import { presentedBinding } from '../edge/presented-binding.ts';
import { type HttpServices, presentedToken, protocolContext } from '../request.ts';
import { readAuthorization, readPushRequest } from './authorization.ts';
import { inWordsOfIssuer } from './authorization-response.ts';
import { errorPageHandler } from './errors.ts';
import type { Issuer } from './issuer.ts';
import { readParameters } from './parameters.ts';

/** Adds them to the issuer's plugin. What people need is loaded when the first one comes (decision 6). */
export function addPeopleEndpoints(server: FastifyInstance, services: HttpServices, issuer: Issuer): void {
  const { paths, profile } = issuer;
  const authorize = (read: (request: FastifyRequest) => unknown) => ({
    // A HEAD would use up a code that nobody reads.
    exposeHeadRoute: false,
    // Until the client and its redirect URI are known, whatever is wrong is shown to the person.
    errorHandler: errorPageHandler(services, 'authorization.refused'),
    handler: (request: FastifyRequest, reply: FastifyReply) =>
      answerAuthorization(services, issuer, request, reply, read(request)),
  });
  server.get(
    paths.authorization,
    authorize((request) => request.query),
  );
  server.post(
    paths.authorization,
    authorize((request) => request.body),
  );

  server.post(paths.pushedAuthorization, async (request, reply) => {
    const { pushAuthorization } = await import('../../protocol/authorize/pushed.ts');
    const pushed = await pushAuthorization(protocolContext(services, request), profile, readPushRequest(request));
    // RFC 9126 §2.2.
    return reply.code(201).send({ request_uri: pushed.requestUri, expires_in: pushed.expiresInSeconds });
  });

  const claims = async (request: FastifyRequest) => {
    const { userinfo } = await import('../../protocol/userinfo.ts');
    return userinfo(protocolContext(services, request), profile, presentedToken(request) ?? tokenInBody(request));
  };
  server.get(paths.userinfo, claims);
  server.post(paths.userinfo, claims);
}

async function answerAuthorization(
  services: HttpServices,
  { profile }: Issuer,
  request: FastifyRequest,
  reply: FastifyReply,
  from: unknown,
): Promise<FastifyReply> {
  const [{ startAuthorization }, { browserOf, setBrowserCookie }, { seeOther, sendResponse }] = await Promise.all([
    import('../../protocol/authorize/authorize.ts'),
    import('../pages/cookies.ts'),
    import('../pages/respond.ts'),
  ]);
  const ctx = protocolContext(services, request);
  const outcome = await startAuthorization(ctx, profile, readAuthorization(from), browserOf(request));
  if (outcome.kind === 'respond') return sendResponse(services, request, reply, inWordsOfIssuer(outcome.response));
  setBrowserCookie(request, reply, outcome.browserSecret);
  return seeOther(reply, `/interaction/${outcome.interactionId}`);
}

/** RFC 6750 §2.2: a token in a form, where no header has one. */
function tokenInBody(request: FastifyRequest): PresentedAccessToken | undefined {
  if (request.headers.authorization !== undefined || !(request.body instanceof Map)) return undefined;
  const token = readParameters(request.body)('access_token');
  return token === undefined ? undefined : { token, scheme: 'Bearer', binding: presentedBinding(request) };
}
