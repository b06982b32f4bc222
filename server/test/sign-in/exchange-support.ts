/** Token exchange: an API with scopes, people who have some of them, an application that may exchange. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { makeAdministrator } from '../../src/domain/administrators/administrators.ts';
import type { Answer, TestServer } from '../harness.ts';
import {
  Browser,
  codeOf,
  exchange as exchangeCode,
  type IssuerKey,
  makeApp,
  makeUser,
  native,
  type TestClient,
  type TestUser,
  tokenRequest,
} from './support.ts';

export const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
export const impersonationType = 'urn:logto:token-type:impersonation_token';

export interface TestApi {
  indicator: string;
  roleId: string;
}

/** A new API; its role gives both scopes. */
export async function makeApi(server: TestServer, scopes = ['read:orders', 'write:orders']): Promise<TestApi> {
  const indicator = `https://api-${randomBytes(4).toString('hex')}.example`;
  const { id } = await native(server, 'POST', '/resources', { name: 'Orders', indicator });
  const made = [];
  for (const name of scopes) {
    made.push(await native(server, 'POST', `/resources/${id}/scopes`, { name, description: name }));
  }
  const role = await native(server, 'POST', '/roles', {
    name: `Orders ${indicator}`,
    description: 'Orders',
    type: 'User',
    scopeIds: made.map((scope) => scope.id),
  });
  return { indicator, roleId: role.id };
}

/** A new user with the roles of these APIs. */
export async function makeUserOf(server: TestServer, ...apis: TestApi[]): Promise<TestUser> {
  const user = await makeUser(server);
  const roleIds = apis.map(({ roleId }) => roleId);
  if (roleIds.length > 0) await native(server, 'POST', `/users/${user.id}/roles`, { roleIds });
  return user;
}

/** A confidential application that may exchange tokens. */
export const makeExchanger = (server: TestServer, more: Record<string, unknown> = {}): Promise<TestClient> =>
  makeApp(server, 'Traditional', { name: 'Back office', customClientMetadata: { allowTokenExchange: true }, ...more });

/** The tokens of a person's sign-in: for the first API, or none. */
export async function signInFor(
  server: TestServer,
  issuer: IssuerKey,
  app: TestClient,
  user: TestUser,
  options: { apis?: readonly TestApi[]; scope?: string; token?: Record<string, string>; browser?: Browser } = {},
): Promise<Answer['body']> {
  const { apis = [], scope = 'openid read:orders write:orders' } = options;
  const callback = await codeOf(options.browser ?? new Browser(server), issuer, app, user, {
    scope,
    prompt: scope.includes('offline_access') ? 'consent' : '',
    resource: apis.map(({ indicator }) => indicator),
  });
  const target = apis[0] === undefined ? {} : { resource: apis[0].indicator };
  const answer = await exchangeCode(server, issuer, app, callback, { ...target, ...options.token });
  assert.equal(answer.status, 200, answer.text);
  return answer.body;
}

/** A request to exchange. */
export const exchangeToken = (
  server: TestServer,
  issuer: IssuerKey,
  client: TestClient,
  subjectToken: string,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Answer> =>
  tokenRequest(
    server,
    issuer,
    client,
    { grant_type: exchangeGrant, subject_token: subjectToken, subject_token_type: accessTokenType, ...more },
    headers,
  );

/** A subject token for a user, made by the first management client. */
export const subjectTokenFor = async (server: TestServer, { id }: Pick<TestUser, 'id'>): Promise<string> =>
  (await native(server, 'POST', '/subject-tokens', { userId: id })).subjectToken;

/** Makes a user an administrator, as the setup link does. */
export async function makeAdministratorOf(server: TestServer, userId: string): Promise<void> {
  const { services } = server.composed;
  const ctx = {
    ...services,
    site: services.sites.ofTenant('default'),
    actor: { kind: 'server' as const },
    origin: { ip: undefined, userAgent: undefined, host: undefined },
  };
  await services.db.transact((trx) => makeAdministrator(ctx, trx, userId));
}
