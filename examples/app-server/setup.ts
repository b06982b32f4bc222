/**
 * Makes what the example needs on a fresh server, with a client that may manage everything, and writes it as shell lines:
 * the app server's API with its scopes, the app server's own client, a customer, and clients that stand in for people.
 *
 *   CLIENT_ID=… CLIENT_SECRET=… node --conditions=sekisho-source examples/app-server/setup.ts > app.env
 */
import { OAuthClient } from '@sekisho/client';
import { createManagementClient } from '@sekisho/client/management';

const { ISSUER = 'http://localhost:8480/', CLIENT_ID = '', CLIENT_SECRET = '' } = process.env;
const { AUDIENCE = 'https://app.example' } = process.env;

const auth = new OAuthClient({ issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET });
const management = createManagementClient({ baseUrl: ISSUER, auth });

/** What the people of a customer may do is said by roles that every customer shares; they are made of these scopes. */
const api = await management.resources.create({ name: 'App server', indicator: AUDIENCE });
const scopes: Record<string, string> = {};
for (const name of ['org:read', 'org:create', 'org:delete', 'org:bulk']) {
  scopes[name] = (await management.resources.createScope(api.id, { name })).id;
}
const idsOf = (...names: string[]): string[] => names.map((name) => scopes[name] as string);
const organizationRole = async (name: string, resourceScopeIds: string[]): Promise<string> =>
  (await management.organizationRoles.create({ name, type: 'MachineToMachine', resourceScopeIds })).id;
const administrator = await organizationRole('team administrator', idsOf('org:read', 'org:create', 'org:delete'));
const viewer = await organizationRole('team viewer', idsOf('org:read'));

/** The super admin's role is tenant-wide: it belongs to no customer. */
const tenantRole = async (name: string, scopeIds: string[]): Promise<string> =>
  (await management.roles.create({ name, description: `${name} of the example`, type: 'MachineToMachine', scopeIds }))
    .id;
const superAdmin = await tenantRole('super admin', idsOf('org:bulk'));

/** The app server itself may do this at the management API, and nothing else. */
const needed = ['read:organizations', 'create:organizations', 'delete:organizations'];
const managementScopes = await management.resources.listScopes('management-api').all();
const own = managementScopes.filter(({ name }) => needed.includes(name)).map(({ id }) => id);
const appServer = await tenantRole('app server', own);

const acme = await management.organizations.create({ name: 'Acme' });

/** A machine client with a tenant-wide role, or a membership of Acme; written as `<NAME>_ID` and `<NAME>_SECRET`. */
async function client(name: string, holds: { roleId: string } | { organizationRoleId: string }): Promise<void> {
  const { id, secret } = await management.applications.create({ name, type: 'MachineToMachine' });
  if ('roleId' in holds) await management.applications.addRoles(id, { roleIds: [holds.roleId] });
  else {
    const { organizationRoleId } = holds;
    await management.members.add(acme.id, { applicationId: id, organizationRoleIds: [organizationRoleId] });
  }
  console.log(`export ${name}_ID=${id}\nexport ${name}_SECRET=${secret}`);
}

console.log(`export ACME=${acme.id}`);
await client('APP', { roleId: appServer });
await client('ADMINISTRATOR', { organizationRoleId: administrator });
await client('VIEWER', { organizationRoleId: viewer });
await client('SUPER_ADMIN', { roleId: superAdmin });
