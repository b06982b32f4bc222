/** Which pages may call the protocol's endpoints: those of an origin that some client of the tenant names. */
import type { Database, Tx } from '../../storage/database.ts';
import { defineStatement } from '../../storage/statement.ts';
import type { Context } from '../context.ts';
import type { ClientSignIn } from './sign-in.ts';

const originKnown = defineStatement<{ tenantId: string; origin: string }, { client_id: string }>(
  'origin_known',
  'select client_id from client_origins where tenant_id = :tenantId and origin = :origin limit 1',
);

/** Whether a client of the tenant has pages there; `origin` is as a browser's `Origin` header says it. */
export const isClientOrigin = async (
  services: { readonly db: Pick<Database, 'run'> },
  tenantId: string,
  origin: string,
): Promise<boolean> => (await services.db.run(originKnown, { tenantId, origin })).length > 0;

/** Makes the origins of a client those that its addresses say. */
export async function replaceOrigins(ctx: Context, trx: Tx, clientId: string, signIn: ClientSignIn): Promise<void> {
  const { tenantId } = ctx.site;
  await trx.deleteFrom('client_origins').where('tenant_id', '=', tenantId).where('client_id', '=', clientId).execute();
  const rows = originsOf(signIn).map((origin) => ({ tenant_id: tenantId, origin, client_id: clientId }));
  if (rows.length > 0) await trx.insertInto('client_origins').values(rows).execute();
}

/** As browsers say them: those of redirect URIs on the web, and those allowed beside. */
const originsOf = ({ redirectUris, allowedOrigins }: ClientSignIn): string[] => [
  ...new Set(
    [...redirectUris, ...allowedOrigins].flatMap((text, index) => originOf(text, index >= redirectUris.length)),
  ),
];

function originOf(text: string, isOrigin: boolean): string | [] {
  const url = URL.parse(text);
  if (url === null) return [];
  if (/^https?:$/.test(url.protocol)) return url.origin;
  // An app in a frame of its own, as `capacitor://localhost`: the URL standard has no origin for it.
  return isOrigin ? `${url.protocol}//${url.host}` : [];
}
