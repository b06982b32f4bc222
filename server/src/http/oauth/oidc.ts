import type { FastifyRequest } from 'fastify';
import { oidcProfile } from '../../protocol/profile.ts';
import { describe, type OAuthAnswer } from './error-table.ts';
import type { Issuer } from './issuer.ts';
import { oidcErrors } from './oidc-errors.ts';

/** The issuer below `/oidc`: Logto's paths and answers. */
export const oidcIssuer: Issuer = {
  profile: oidcProfile,
  below: '/oidc',
  paths: {
    token: ['/oidc/token'],
    jwks: '/oidc/jwks',
    introspection: '/oidc/token/introspection',
    revocation: '/oidc/token/revocation',
    authorization: '/oidc/auth',
    pushedAuthorization: '/oidc/par',
    deviceAuthorization: '/oidc/device/auth',
    userinfo: '/oidc/me',
    endSession: '/oidc/session/end',
    registration: '/oidc/reg',
    // RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID Connect Discovery §4 behind it.
    metadata: ['/oidc/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/oidc'],
  },
  keysCache: 'no-cache, max-age=0, must-revalidate',
  emptyScope: 'said',
  errors: oidcErrors,
  errorBody,
};

/** Logto's clients read `code` and `message`, OAuth's the other two; `?parse_error=false` leaves out the former. */
function errorBody(answer: OAuthAnswer, request: FastifyRequest): Record<string, unknown> {
  const description = describe(answer.description);
  // There is no query of a request line that can not be read.
  const { parse_error: parseError } = (request.query ?? {}) as Record<string, unknown>;
  return {
    ...(parseError === 'false' ? {} : { code: `oidc.${answer.error}`, message: description }),
    error: answer.error,
    error_description: description,
    ...(answer.scope === undefined ? {} : { scope: answer.scope }),
  };
}
