import { rootProfile } from '../../protocol/profile.ts';
import { describe } from './error-table.ts';
import { type Issuer, publishedCache } from './issuer.ts';
import { rootErrors } from './root-errors.ts';

/** The issuer at the root of a host: Auth0's paths and answers. */
export const rootIssuer: Issuer = {
  profile: rootProfile,
  paths: {
    // Clients in the wild use all of them.
    token: ['/oauth/token', '/oauth/token/', '/oauth2/token'],
    jwks: '/.well-known/jwks.json',
    introspection: '/oauth/introspect',
    revocation: '/oauth/revoke',
    authorization: '/authorize',
    pushedAuthorization: '/oauth/par',
    deviceAuthorization: '/oauth/device/code',
    userinfo: '/userinfo',
    endSession: '/oidc/logout',
    registration: '/oidc/register',
    classicLogout: '/v2/logout',
    metadata: ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
  },
  keysCache: publishedCache,
  emptyScope: 'left_out',
  errors: rootErrors,
  errorBody: ({ error, description }) => ({ error, error_description: describe(description) }),
};
