/** The settings of a client with their defaults, and as columns. */
import { invalid } from '../../kernel/errors.ts';
import type { Tx } from '../../storage/database.ts';
import type { Context } from '../context.ts';
import { loadResourceServer } from '../resource-servers/read-resource-servers.ts';
import type { ClientSettings } from './client.ts';
import { normalSignIn, noSignIn } from './sign-in.ts';

/** What a client is when nothing else is said. */
export const settingsOf = (input: { name: string } & Partial<ClientSettings>): ClientSettings => ({
  name: input.name,
  description: input.description ?? null,
  type: input.type ?? null,
  status: input.status ?? 'active',
  firstParty: input.firstParty ?? true,
  grantTypes: [...new Set(input.grantTypes ?? ['client_credentials'])],
  authMethod: input.authMethod ?? null,
  resourceServer: input.resourceServer ?? null,
  metadata: input.metadata ?? {},
  extras: input.extras ?? {},
  signIn: normalSignIn(input.signIn ?? noSignIn),
});

/** Settings as a row has them. Throws `entity.not_found`, `input.invalid`. */
export async function columnsOf(ctx: Context, trx: Tx, settings: ClientSettings) {
  return {
    name: settings.name,
    description: settings.description,
    type: settings.type,
    status: settings.status,
    first_party: settings.firstParty ? (1 as const) : (0 as const),
    grant_types: JSON.stringify(settings.grantTypes),
    auth_method: settings.authMethod,
    resource_server_id: await linkedResourceServer(ctx, trx, settings.resourceServer),
    metadata: JSON.stringify(settings.metadata),
    extras: JSON.stringify(settings.extras),
    sign_in: JSON.stringify(settings.signIn),
  };
}

async function linkedResourceServer(ctx: Context, trx: Tx, identifier: string | null): Promise<string | null> {
  if (identifier === null) return null;
  const linked = await loadResourceServer(ctx, trx, identifier);
  // A client linked to an API may introspect its tokens: nobody may link itself to a management audience.
  if (linked.systemKind !== null) throw invalid('resourceServer', 'A system API can not be linked to.');
  return linked.id;
}
