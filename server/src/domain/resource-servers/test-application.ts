import { createClientGrant } from '../client-grants/client-grants.ts';
import { createClient } from '../clients/clients.ts';
import type { ClientWithKeys } from '../clients/read-clients.ts';
import type { Context } from '../context.ts';
import { inOneTransaction } from '../one-transaction.ts';
import type { ResourceServer } from './resource-server.ts';

/** A machine client with a grant of every scope of the API, to try it with; both are made, or neither is. */
export function createTestApplication(ctx: Context, api: ResourceServer): Promise<ClientWithKeys> {
  return inOneTransaction(ctx, async (joined) => {
    const client = await createClient(joined, { name: `${api.name} (Test Application)`, type: 'machine' });
    await createClientGrant(joined, {
      clientId: client.id,
      audience: api.identifier,
      subjectType: 'client',
      scopes: api.scopes.map(({ value }) => value),
    });
    return client;
  });
}
