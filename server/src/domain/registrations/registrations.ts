/**
 * Clients that registered themselves (RFC 7591), and how each changes and ends its own registration (RFC 7592). They are
 * made by the verbs of all clients, under the same rules; they are others' applications, which people are asked about.
 */
import { randomBase64Url } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import type { Queryable } from '../../storage/database.ts';
import type { ClientSettings } from '../clients/client.ts';
import type { GivenKey } from '../clients/client-keys.ts';
import { createClient, deleteClient, updateClient } from '../clients/clients.ts';
import { type ClientWithKeys, loadClient } from '../clients/read-clients.ts';
import type { ClientSignIn } from '../clients/sign-in.ts';
import type { Context } from '../context.ts';
import { recordChange } from '../logs/record-change.ts';
import { inOneTransaction } from '../one-transaction.ts';
import { useInitialAccessToken } from './initial-access-tokens.ts';
import { publicKeysOf, replaceKeys } from './keys.ts';

/** What a client may say of itself. */
export interface Registration extends Pick<ClientSettings, 'name' | 'type' | 'grantTypes' | 'authMethod' | 'signIn'> {
  readonly keys: readonly GivenKey[];
}

/** The grant types a client may give itself: those by which people let it act. */
export const registrableGrantTypes: readonly string[] = [
  'authorization_code',
  'refresh_token',
  'urn:ietf:params:oauth:grant-type:device_code',
];

/** A registered client with its public keys (JSON Web Keys). */
export interface RegisteredClient extends ClientWithKeys {
  readonly publicKeys: readonly Record<string, unknown>[];
}

/**
 * Registers a client by an initial access token; undefined when that is not good (any more). `registrationToken` is told
 * once. Throws `input.invalid`, and then the token was not used.
 */
export function registerClient(
  ctx: Context,
  initialAccessToken: string,
  registration: Registration,
): Promise<{ client: RegisteredClient; registrationToken: string } | undefined> {
  return inOneTransaction(ctx, (ctx) =>
    ctx.db.transact(async (trx) => {
      const used = await useInitialAccessToken(ctx, trx, initialAccessToken);
      if (used === undefined) return undefined;
      const client = await createClient(ctx, { ...registration, firstParty: false });
      const registrationToken = randomBase64Url(ctx.random, 32);
      await trx
        .insertInto('client_registrations')
        .values({
          tenant_id: ctx.site.tenantId,
          client_id: client.id,
          token_hash: hashSecret(registrationToken),
          created_at: ctx.clock.now(),
        })
        .execute();
      await recordChange(ctx, trx, 'client.registered', client.id, {
        details: { initialAccessToken: used.id, name: used.name },
      });
      return { client: { ...client, publicKeys: await publicKeysOf(ctx, trx, client.id) }, registrationToken };
    }),
  );
}

/** The client, when the token is the one of its registration; undefined whatever else is the matter. */
export async function findRegisteredClient(
  ctx: Context,
  clientId: string,
  registrationToken: string,
  db: Queryable = ctx.db.read,
): Promise<RegisteredClient | undefined> {
  const row = await db
    .selectFrom('client_registrations')
    .select('client_id')
    .where('tenant_id', '=', ctx.site.tenantId)
    .where('client_id', '=', clientId)
    .where('token_hash', '=', hashSecret(registrationToken))
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return { ...(await loadClient(ctx, db, clientId)), publicKeys: await publicKeysOf(ctx, db, clientId) };
}

/**
 * Makes the registration what it says now: what is left out has its default again (RFC 7592 §2.2). `assertMayChange` sees
 * the client as it is at that moment. Undefined when the token is not the client's. Throws `input.invalid`.
 */
export function changeRegistration(
  ctx: Context,
  { clientId, registrationToken }: { clientId: string; registrationToken: string },
  registration: Registration,
  assertMayChange: (client: RegisteredClient) => void,
): Promise<RegisteredClient | undefined> {
  return inOneTransaction(ctx, async (ctx) => {
    const before = await findRegisteredClient(ctx, clientId, registrationToken);
    if (before === undefined) return undefined;
    assertMayChange(before);
    const { keys, ...settings } = registration;
    const keyIds = await replaceKeys(ctx, before, keys);
    const after = await updateClient(ctx, clientId, ({ signIn, grantTypes }) => ({
      ...settings,
      signIn: { ...settings.signIn, ...setByOthers(signIn), ...stricter(signIn, settings.signIn) },
      grantTypes: [
        ...settings.grantTypes,
        ...grantTypes.filter((grantType) => !registrableGrantTypes.includes(grantType)),
      ],
      keyIds,
    }));
    return { ...after, publicKeys: await publicKeysOf(ctx, ctx.db.read, clientId) };
  });
}

/** What an administrator decided and a registration has no words for. */
const setByOthers = ({
  allowedOrigins,
  idTokenLifetimeSeconds,
  refreshTokenLifetimeSeconds,
  rotatesRefreshTokens,
  alwaysIssuesRefreshToken,
  organizationUsage,
  authPolicyIds,
}: ClientSignIn): Partial<ClientSignIn> =>
  Object.fromEntries(
    Object.entries({
      allowedOrigins,
      idTokenLifetimeSeconds,
      refreshTokenLifetimeSeconds,
      rotatesRefreshTokens,
      alwaysIssuesRefreshToken,
      organizationUsage,
      authPolicyIds,
    }).filter(([, value]) => value !== undefined),
  );

/** What is asked of the client stays asked, whoever asked it: it does not let itself off. */
const stricter = (before: ClientSignIn, after: ClientSignIn): Partial<ClientSignIn> => ({
  ...(before.requiresPushedRequests || after.requiresPushedRequests ? { requiresPushedRequests: true } : {}),
  ...(before.requiresDpop || after.requiresDpop ? { requiresDpop: true } : {}),
  ...(before.bindsTokensToCertificate ? { bindsTokensToCertificate: true } : {}),
});

/** Ends the registration and with it the client. False when the token is not the client's. */
export function endRegistration(
  ctx: Context,
  { clientId, registrationToken }: { clientId: string; registrationToken: string },
  assertMayChange: (client: RegisteredClient) => void,
): Promise<boolean> {
  return inOneTransaction(ctx, async (ctx) => {
    const client = await findRegisteredClient(ctx, clientId, registrationToken);
    if (client === undefined) return false;
    assertMayChange(client);
    await deleteClient(ctx, clientId);
    return true;
  });
}
