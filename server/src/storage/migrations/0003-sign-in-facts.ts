import type { Kysely } from 'kysely';

// The schema of these tables as it is after the columns were added.
interface Tables {
  clients: { tenant_id: string; id: string; extras: string; sign_in: string };
  tenants: { id: string; extras: string; sign_in: string };
  client_origins: { tenant_id: string; origin: string; client_id: string };
}

type Facts = Record<string, unknown>;

const chunk = 500;
const year = 31_557_600;

/**
 * What the dialects kept each for itself moves to where sign-in reads it. Words that say more than the facts (which of two
 * lists an origin stood in, days or seconds) stay with the dialect.
 */
export async function moveSignInFacts(database: Kysely<unknown>): Promise<void> {
  const db = database as Kysely<Tables>;
  await moveOfClients(db);
  await moveOfTenants(db);
}

async function moveOfClients(db: Kysely<Tables>): Promise<void> {
  let last = { tenant_id: '', id: '' };
  for (;;) {
    const rows = await db
      .selectFrom('clients')
      .select(['tenant_id', 'id', 'extras'])
      .where('extras', '<>', '{}')
      .where('sign_in', '=', '{}')
      .where((eb) =>
        eb.or([
          eb('tenant_id', '>', last.tenant_id),
          eb.and([eb('tenant_id', '=', last.tenant_id), eb('id', '>', last.id)]),
        ]),
      )
      .orderBy('tenant_id')
      .orderBy('id')
      .limit(chunk)
      .execute();
    for (const row of rows) await moveOfClient(db, row);
    if (rows.length < chunk) return;
    last = rows.at(-1) as typeof last;
  }
}

async function moveOfClient(db: Kysely<Tables>, row: Omit<Tables['clients'], 'sign_in'>): Promise<void> {
  const moved = movedOfClient(JSON.parse(row.extras) as Facts);
  if (moved === undefined) return;
  const { signIn, extras } = moved;
  await db
    .updateTable('clients')
    .set({ extras: JSON.stringify(extras), sign_in: JSON.stringify(signIn) })
    .where('tenant_id', '=', row.tenant_id)
    .where('id', '=', row.id)
    .execute();
  const origins = originsOf(signIn).map((origin) => ({ tenant_id: row.tenant_id, origin, client_id: row.id }));
  if (origins.length > 0) await db.insertInto('client_origins').values(origins).execute();
}

/** The facts in what the dialects kept of a client, and what stays with them; undefined: there are none. */
export function movedOfClient(extras: Facts): { signIn: Facts; extras: Facts } | undefined {
  const signIn: Facts = {};
  const auth0 = { ...(extras.auth0 as Facts | undefined) };
  const logto = { ...(extras.logto as Facts | undefined) };
  moveAuth0(auth0, signIn);
  moveLogto(logto, signIn);
  const rest = {
    ...extras,
    ...(extras.auth0 === undefined ? {} : { auth0 }),
    ...(extras.logto === undefined ? {} : { logto }),
  };
  if (Object.keys(signIn).length === 0 && JSON.stringify(rest) === JSON.stringify(extras)) return undefined;
  const lists = { redirectUris: [], postLogoutRedirectUris: [], allowedOrigins: [] };
  return { signIn: { ...lists, ...signIn }, extras: rest };
}

const auth0Fields = {
  callbacks: 'redirectUris',
  allowed_logout_urls: 'postLogoutRedirectUris',
  initiate_login_uri: 'initiateLoginUri',
  logo_uri: 'logoUri',
  organization_usage: 'organizationUsage',
  require_pushed_authorization_requests: 'requiresPushedRequests',
  require_proof_of_possession: 'requiresDpop',
};

function moveAuth0(extras: Facts, signIn: Facts): void {
  for (const [word, fact] of Object.entries(auth0Fields)) move(extras, word, signIn, fact);
  const origins = [extras.allowed_origins, extras.web_origins].flatMap((list) => (list ?? []) as string[]);
  if (origins.length > 0) signIn.allowedOrigins = [...new Set(origins)];
  for (const word of ['oidc_logout', 'oidc_backchannel_logout']) {
    part(extras, word, (given) => {
      const [first] = (given.backchannel_logout_urls ?? []) as string[];
      if (first === undefined) return;
      signIn.backchannelLogoutUri ??= first;
      delete given.backchannel_logout_urls;
    });
  }
  part(extras, 'jwt_configuration', (given) => {
    if (given.lifetime_in_seconds === 0) delete given.lifetime_in_seconds;
    move(given, 'lifetime_in_seconds', signIn, 'idTokenLifetimeSeconds');
  });
  part(extras, 'refresh_token', (given) => {
    if (given.rotation_type !== undefined) signIn.rotatesRefreshTokens = given.rotation_type === 'rotating';
    delete given.rotation_type;
    const isInfinite = given.infinite_token_lifetime === true || given.expiration_type === 'non-expiring';
    const lifetime = isInfinite ? year : given.token_lifetime;
    if (isLifetime(lifetime)) signIn.refreshTokenLifetimeSeconds = lifetime;
  });
}

function moveLogto(extras: Facts, signIn: Facts): void {
  part(extras, 'oidcClientMetadata', (given) => {
    for (const word of ['redirectUris', 'postLogoutRedirectUris', 'backchannelLogoutUri', 'logoUri']) {
      move(given, word, signIn, word);
    }
    move(given, 'backchannelLogoutSessionRequired', signIn, 'backchannelLogoutSessionRequired');
  });
  delete extras.oidcClientMetadata;
  part(extras, 'customClientMetadata', (given) => {
    move(given, 'corsAllowedOrigins', signIn, 'allowedOrigins');
    if (given.idTokenTtl === 0) delete given.idTokenTtl;
    move(given, 'idTokenTtl', signIn, 'idTokenLifetimeSeconds');
    move(given, 'alwaysIssueRefreshToken', signIn, 'alwaysIssuesRefreshToken');
    move(given, 'rotateRefreshToken', signIn, 'rotatesRefreshTokens');
    // These are told by the grant types.
    for (const word of ['allowTokenExchange', 'isDeviceFlow']) if (given[word] === true) delete given[word];
    const days = given.refreshTokenTtlInDays as number | undefined;
    const lifetime = days === undefined ? given.refreshTokenTtl : days * 86_400;
    delete given.refreshTokenTtl;
    if (isLifetime(lifetime)) signIn.refreshTokenLifetimeSeconds = lifetime;
  });
}

const isLifetime = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;

/** An empty list or text is no fact: the dialect only shows it as it came. */
function move(from: Facts, word: string, to: Facts, fact: string): void {
  const value = from[word];
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return;
  to[fact] = value;
  delete from[word];
}

/** Changes a copy of an object that stands in another one. */
function part(from: Facts, word: string, change: (part: Facts) => void): void {
  const value = from[word];
  if (typeof value !== 'object' || value === null) return;
  const copy = { ...value } as Facts;
  change(copy);
  from[word] = copy;
}

function originsOf({ redirectUris = [], allowedOrigins = [] }: Facts): string[] {
  const found = [...(redirectUris as string[]), ...(allowedOrigins as string[])].flatMap((text) => {
    const url = URL.parse(text);
    return url !== null && /^https?:$/.test(url.protocol) ? url.origin : [];
  });
  return [...new Set(found)];
}

async function moveOfTenants(db: Kysely<Tables>): Promise<void> {
  const fields = { friendly_name: 'name', picture_url: 'logoUrl', support_url: 'supportUrl' };
  for (const row of await db.selectFrom('tenants').select(['id', 'extras']).execute()) {
    const extras = JSON.parse(row.extras) as Facts;
    const signIn: Facts = {};
    part(extras, 'auth0', (given) => {
      for (const [word, fact] of Object.entries(fields)) move(given, word, signIn, fact);
    });
    if (Object.keys(signIn).length === 0) continue;
    await db
      .updateTable('tenants')
      .set({ extras: JSON.stringify(extras), sign_in: JSON.stringify(signIn) })
      .where('id', '=', row.id)
      .execute();
  }
}
