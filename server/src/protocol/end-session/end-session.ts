/**
 * Sign-out that an application asks for (OpenID Connect RP-Initiated Logout 1.0).
 *
 *   hint → client → where to go afterwards? → who is signed in here?
 *     nobody:                                  go on
 *     whom the hint names, or by our own app:  the session ends, go on
 *     anybody else:                            the person is asked first, so that no link signs anybody out
 */
import type { User } from '../../domain/users/user.ts';
import { type HintedPerson, readIdTokenHint } from '../authorize/id-token-hint.ts';
import { type ClientFacts, loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { assertTenant } from '../discovery.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { loggingRefusal } from '../refused.ts';
import { endSession, sessionOf } from '../sign-in/sessions.ts';
import { loadPerson } from '../tokens/person.ts';

/** Where to go after sign-out; without a URI a page of ours says that it is done. */
export interface AfterSignOut {
  readonly clientId: string | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  readonly state: string | undefined;
}

/** As it was sent (§2). `logout_hint` is not read: the session of the browser says who is meant. */
export interface EndSessionRequest extends AfterSignOut {
  readonly idTokenHint: string | undefined;
  /** Where the page is from that sent the browser here, as the browser says it. */
  readonly comesFrom: string | undefined;
}

export type EndSessionOutcome =
  | {
      readonly kind: 'ended';
      readonly redirect: { readonly uri: string; readonly state: string | undefined } | undefined;
    }
  | { readonly kind: 'confirm'; readonly client: ClientFacts | undefined; readonly person: User | undefined };

/**
 * Ends the session of the browser, or says that the person must be asked. Throws the refusals `id_token_hint_invalid`,
 * `logout_uri_unregistered`, `parameter_invalid`, `client_unknown`, `client_disabled`: then nobody was signed out, and
 * nobody is sent anywhere.
 */
export async function requestEndSession(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  request: EndSessionRequest,
  sessionSecret: string | undefined,
): Promise<EndSessionOutcome> {
  return loggingRefusal(ctx, 'session.end_refused', async () => {
    await assertTenant(ctx);
    const hinted = await hintedPerson(ctx, profile, request);
    const client = await clientOf(ctx, request.clientId ?? hinted?.clientId);
    const ended = endedWith(client, request);
    const session = await sessionOf(ctx, sessionSecret);
    if (session === undefined) return ended;
    if (hinted?.userId !== session.userId && !isOwnApp(client, request.comesFrom)) {
      return { kind: 'confirm', client, person: await loadPerson(ctx, session.userId) };
    }
    await endSession(ctx, sessionSecret);
    return ended;
  });
}

/** The person was asked and agreed. Throws the refusals of `requestEndSession`; the pages log what they refuse. */
export async function confirmEndSession(
  ctx: ProtocolContext,
  after: AfterSignOut,
  sessionSecret: string | undefined,
): Promise<EndSessionOutcome> {
  await assertTenant(ctx);
  // It went through the browser: checked once more.
  const ended = endedWith(await clientOf(ctx, after.clientId), after);
  await endSession(ctx, sessionSecret);
  return ended;
}

/** Whom the hint names: it may have expired, it must be ours, and for the client that is named beside it (§2). */
async function hintedPerson(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  { idTokenHint, clientId }: EndSessionRequest,
): Promise<HintedPerson | undefined> {
  if (idTokenHint === undefined) return undefined;
  const hinted = await readIdTokenHint(ctx, profile, idTokenHint);
  if (hinted === undefined || (clientId !== undefined && clientId !== hinted.clientId)) {
    throw new Refusal('id_token_hint_invalid', { clientId, parameter: 'id_token_hint' });
  }
  return hinted;
}

async function clientOf(ctx: ProtocolContext, clientId: string | undefined): Promise<ClientFacts | undefined> {
  if (clientId === undefined) return undefined;
  const { client } = await loadClientFacts(ctx, clientId);
  if (client === undefined) throw new Refusal('client_unknown', { clientId });
  if (client.status !== 'active') throw new Refusal('client_disabled', { clientId });
  return client;
}

/** §3: an address is compared character by character with those of the client; without a client there are none. */
function endedWith(client: ClientFacts | undefined, { postLogoutRedirectUri: uri, state }: AfterSignOut) {
  if (uri === undefined) return { kind: 'ended', redirect: undefined } as const;
  if (client === undefined || !client.signIn.postLogoutRedirectUris.includes(uri)) {
    throw new Refusal('logout_uri_unregistered', { clientId: client?.id, parameter: 'post_logout_redirect_uri' });
  }
  return { kind: 'ended', redirect: { uri, state } } as const;
}

/**
 * Whether a page of the client itself sent the browser here: a page can hide where it is from, but not say another's
 * place. Only of our own clients, for anybody may have registered another one.
 */
function isOwnApp(client: ClientFacts | undefined, comesFrom: string | undefined): boolean {
  if (client === undefined || !client.firstParty || comesFrom === undefined) return false;
  const { redirectUris, postLogoutRedirectUris } = client.signIn;
  return [...redirectUris, ...postLogoutRedirectUris].some(
    (uri) => /^https?:/.test(uri) && URL.parse(uri)?.origin === comesFrom,
  );
}
