/**
 * Makes what the page needs beside what examples/app-server/setup.ts made, and writes it as shell lines: the page as an
 * application, roles for people, and a person in two organizations, with more to do in one than in the other.
 *
 *   CLIENT_ID=… CLIENT_SECRET=… node --conditions=sekisho-source examples/react/setup.ts > page.env
 */
import { randomBytes } from 'node:crypto';
import { OAuthClient } from '@sekisho/client';
import { createManagementClient } from '@sekisho/client/management';

const { ISSUER = 'http://localhost:8480/', CLIENT_ID = '', CLIENT_SECRET = '' } = process.env;
const { AUDIENCE = 'https://app.example', PAGE_ORIGIN = 'http://localhost:3002', ACME = '' } = process.env;

const auth = new OAuthClient({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET });
const management = createManagementClient({ baseUrl: ISSUER, auth });

/** No secret: a page can't keep one. */
const page = await management.applications.create({
  name: 'Teams',
  type: 'SPA',
  oidcClientMetadata: { redirectUris: [`${PAGE_ORIGIN}/callback`], postLogoutRedirectUris: [`${PAGE_ORIGIN}/`] },
});

const api = (await management.resources.list().all()).find(({ indicator }) => indicator === AUDIENCE);
if (api === undefined) throw new Error(`There is no API ${AUDIENCE}: run examples/app-server/setup.ts before.`);
const scopes = await management.resources.listScopes(api.id).all();
const role = async (name: string, names: string[]): Promise<string> => {
  const resourceScopeIds = scopes.filter((scope) => names.includes(scope.name)).map(({ id }) => id);
  return (await management.organizationRoles.create({ name, type: 'User', resourceScopeIds })).id;
};
const lead = await role('team lead', ['org:read', 'org:create', 'org:delete']);
const guest = await role('guest', ['org:read']);

const password = randomBytes(12).toString('base64url');
const person = await management.users.create({ primaryEmail: 'hanako@example.com', name: 'Hanako Sekino', password });
const blue = await management.organizations.create({ name: 'Blue' });
await management.members.add(ACME, { userId: person.id, organizationRoleIds: [lead] });
await management.members.add(blue.id, { userId: person.id, organizationRoleIds: [guest] });

console.log(`export VITE_APP_ID=${page.id}`);
console.log(`export PERSON_EMAIL=hanako@example.com\nexport PERSON_PASSWORD=${password}`);
