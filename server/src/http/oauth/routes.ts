/** The root issuer's endpoints: token, introspection, revocation, discovery, keys. They parse, call the protocol, answer. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { publishedKeys } from '../../domain/keys/keys.ts';
import { invalid } from '../../kernel/errors.ts';
import { splitScopes } from '../../kernel/text.ts';
import { assertTenant, metadataOf } from '../../protocol/discovery.ts';
import { introspect, revoke, type TokenOperation } from '../../protocol/introspect.ts';
import { rootProfile } from '../../protocol/profile.ts';
import { issueToken, type TokenRequest } from '../../protocol/token/pipeline.ts';
import { type HttpServices, protocolContext } from '../request.ts';
import { readCredentials } from './credentials.ts';
import { oauthErrorHandler } from './errors.ts';
import { type Parameters, readParameters } from './parameters.ts';

const paths = {
  token: '/oauth/token',
  jwks: '/.well-known/jwks.json',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
};

/** Clients in the wild use all of them. */
const tokenPaths = [paths.token, `${paths.token}/`, '/oauth2/token'];

/** Verifiers may keep keys and metadata this long, in seconds; a new key is published long before it signs. */
const publishedMaxAgeSeconds = 300;

export function oauthSurface(services: HttpServices) {
  return async (server: FastifyInstance): Promise<void> => {
    server.setErrorHandler(oauthErrorHandler(services));

    for (const path of tokenPaths) {
      server.post(path, async (request) => {
        const token = await issueToken(protocolContext(services, request), rootProfile, readTokenRequest(request));
        return {
          access_token: token.accessToken,
          token_type: 'Bearer',
          expires_in: token.expiresInSeconds,
          ...(token.scopes.length > 0 ? { scope: token.scopes.join(' ') } : {}),
        };
      });
    }

    server.post(paths.introspection, (request) =>
      introspect(protocolContext(services, request), readTokenOperation(request)),
    );

    server.post(paths.revocation, async (request, reply) => {
      await revoke(protocolContext(services, request), readTokenOperation(request));
      return reply.code(200).header('content-length', '0').send();
    });

    for (const path of ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']) {
      server.get(path, async (request, reply) => {
        const metadata = await metadataOf(protocolContext(services, request), rootProfile, paths);
        // Only now: nobody is to keep an error.
        reply.header('cache-control', `public, max-age=${publishedMaxAgeSeconds}`);
        return metadata;
      });
    }

    server.get(paths.jwks, async (request, reply) => {
      const ctx = protocolContext(services, request);
      await assertTenant(ctx);
      const keys = await publishedKeys({ db: services.db, site: ctx.site });
      reply.header('cache-control', `public, max-age=${publishedMaxAgeSeconds}`);
      return { keys };
    });

    // A GET could put a secret into a URL, and so into logs (RFC 6749 §3.2).
    for (const path of [...tokenPaths, paths.introspection, paths.revocation]) {
      server.get(path, async (_request, reply) =>
        reply
          .code(405)
          .header('allow', 'POST')
          .send({ error: 'invalid_request', error_description: 'Use POST, with the parameters in the body.' }),
      );
    }
  };
}

function readTokenRequest(request: FastifyRequest): TokenRequest {
  const parameter = readParameters(request.body);
  const scope = parameter('scope');
  return {
    credentials: readCredentials(request.headers.authorization, parameter),
    grantType: parameter('grant_type'),
    ...readAudience(parameter),
    scopes: scope === undefined ? undefined : splitScopes(scope),
    organization: readOrganization(parameter),
  };
}

/** `organization` is Auth0's name for it, `organization_id` Logto's; two different ones are two things. */
function readOrganization(parameter: Parameters): string | undefined {
  const [organization, id] = [parameter('organization'), parameter('organization_id')];
  if (organization !== undefined && id !== undefined && organization !== id) {
    throw invalid('organization_id', 'organization and organization_id name different organizations.');
  }
  return organization ?? id;
}

/** `audience` and RFC 8707's `resource` are one thing under two names; two different ones are two things. */
function readAudience(parameter: Parameters): Pick<TokenRequest, 'audience' | 'targetIsInvalid'> {
  const audience = parameter('audience');
  const resource = parameter('resource');
  if (resource === undefined) return { audience, targetIsInvalid: false };
  const isTarget = URL.canParse(resource) && !resource.includes('#');
  return { audience: resource, targetIsInvalid: !isTarget || (audience !== undefined && audience !== resource) };
}

function readTokenOperation(request: FastifyRequest): TokenOperation {
  const parameter = readParameters(request.body);
  return { credentials: readCredentials(request.headers.authorization, parameter), token: parameter('token') };
}
