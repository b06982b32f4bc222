import { createClientGrant } from '../client-grants/client-grants.ts';
import type { ClientWithKeys } from '../clients/clients.ts';
import { createClient } from '../clients/clients.ts';
import type { Context } from '../context.ts';
import type { ResourceServer } from './resource-server.ts';

/** A machine client with a grant of every scope of the API, to try it with. */
export async function createTestApplication(ctx: Context, api: ResourceServer): Promise<ClientWithKeys> {
  const client = await createClient(ctx, { name: `${api.name} (Test Application)`, type: 'machine' });
  await createClientGrant(ctx, {
    clientId: client.id,
    audience: api.identifier,
    subjectType: 'client',
    scopes: api.scopes.map(({ value }) => value),
  });
  return client;
}
