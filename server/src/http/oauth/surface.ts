/**
 * The endpoints of an issuer: token, introspection, revocation, discovery, keys. They parse, call the protocol, answer.
 * Both issuers are served by this; `root.ts` and `oidc.ts` say where and how.
 */
import type { FastifyInstance } from 'fastify';
import { publishedKeys } from '../../domain/keys/keys.ts';
import { assertTenant, type EndpointPaths, metadataOf } from '../../protocol/discovery.ts';
import { introspect, revoke } from '../../protocol/introspect.ts';
import { issueToken } from '../../protocol/token/pipeline.ts';
import type { TokenAnswer } from '../../protocol/token/request.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { allowPages } from './cors.ts';
import { addDeviceEndpoint } from './device.ts';
import { addEndSession } from './end-session.ts';
import { oauthErrorHandler } from './errors.ts';
import { type Issuer, publishedCache } from './issuer.ts';
import { addPeopleEndpoints } from './people.ts';
import { addRegistration } from './registration.ts';
import { readTokenOperation, readTokenRequest } from './requests.ts';

/** The plugin of an issuer. */
export function oauthSurface(services: HttpServices, issuer: Issuer) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(oauthErrorHandler(services, issuer));
    allowPages(server, services, issuer);
    addTokenEndpoints(server, services, issuer);
    addPeopleEndpoints(server, services, issuer);
    addEndSession(server, services, issuer);
    addRegistration(server, services, issuer);
    addDeviceEndpoint(server, services, issuer);
    addPublished(server, services, issuer);
    refuseGet(server, issuer);
    if (issuer.below !== undefined) server.register(nothingElse(issuer), { prefix: issuer.below });
  };
}

function addTokenEndpoints(server: FastifyInstance, services: HttpServices, issuer: Issuer): void {
  const { paths, profile } = issuer;
  for (const path of paths.token) {
    server.post(path, async (request) =>
      tokenBody(issuer, await issueToken(protocolContext(services, request), profile, readTokenRequest(request))),
    );
  }
  server.post(paths.introspection, (request) =>
    introspect(protocolContext(services, request), profile, readTokenOperation(request)),
  );
  server.post(paths.revocation, async (request, reply) => {
    await revoke(protocolContext(services, request), profile, readTokenOperation(request));
    return reply.code(200).header('content-length', '0').send();
  });
}

/** RFC 6749 §5.1; OpenID Connect Core §3.1.3.3; RFC 8693 §2.2.1. */
const tokenBody = (issuer: Issuer, token: TokenAnswer) => ({
  access_token: token.accessToken,
  token_type: token.tokenType,
  expires_in: token.expiresInSeconds,
  ...(token.scopes.length > 0 || issuer.emptyScope === 'said' ? { scope: token.scopes.join(' ') } : {}),
  ...(token.idToken === undefined ? {} : { id_token: token.idToken }),
  ...(token.refreshToken === undefined ? {} : { refresh_token: token.refreshToken }),
  ...(token.issuedTokenType === undefined ? {} : { issued_token_type: token.issuedTokenType }),
});

function addPublished(server: FastifyInstance, services: HttpServices, issuer: Issuer): void {
  const { paths, profile } = issuer;
  for (const path of paths.metadata) {
    server.get(path, async (request, reply) => {
      const metadata = await metadataOf(protocolContext(services, request), profile, advertised(paths));
      // Only now: nobody is to keep an error.
      reply.header('cache-control', publishedCache);
      return metadata;
    });
  }
  server.get(paths.jwks, async (request, reply) => {
    const ctx = protocolContext(services, request);
    await assertTenant(ctx);
    const keys = await publishedKeys({ db: services.db, site: ctx.site });
    reply.header('cache-control', issuer.keysCache);
    return { keys };
  });
}

const advertised = (paths: Issuer['paths']): EndpointPaths => ({ ...paths, token: paths.token[0] });

/** A GET could put a secret into a URL, and so into logs (RFC 6749 §3.2). */
function refuseGet(server: FastifyInstance, issuer: Issuer): void {
  const { token, introspection, revocation, pushedAuthorization, deviceAuthorization } = issuer.paths;
  const answer = { status: 405, error: 'invalid_request', description: 'Use POST, with the parameters in the body.' };
  for (const path of [...token, introspection, revocation, pushedAuthorization, deviceAuthorization]) {
    server.get(path, async (request, reply) =>
      reply.code(answer.status).header('allow', 'POST').send(issuer.errorBody(answer, request)),
    );
  }
}

/** Answers for every other path below the issuer. */
const nothingElse = (issuer: Issuer) => async (server: FastifyInstance) => {
  const answer = { status: 404, error: 'invalid_request', description: 'There is nothing here.' };
  server.setNotFoundHandler((request, reply) => {
    void reply.code(answer.status).send(issuer.errorBody(answer, request));
  });
};
