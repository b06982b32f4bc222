/**
 * Dynamic client registration (RFC 7591) and its management (RFC 7592). Off until somebody makes an initial access token;
 * no address that a client names is ever fetched here.
 */
import {
  changeRegistration,
  endRegistration,
  findRegisteredClient,
  type RegisteredClient,
  registerClient,
} from '../../domain/registrations/registrations.ts';
import { invalid } from '../../kernel/errors.ts';
import type { ProtocolContext } from '../context.ts';
import { assertTenant } from '../discovery.ts';
import { Refusal } from '../refusal.ts';
import { contextOf } from '../sign-in/open-session.ts';
import { registrationOf } from './metadata.ts';

/** A client after its registration or a change of it; `registrationToken` manages it. */
export interface Registered {
  readonly client: RegisteredClient;
  readonly registrationToken: string;
}

/** Which registration, and what proves that it is the caller's own. */
export interface OwnRegistration {
  readonly clientId: string;
  readonly token: string | undefined;
}

/** Registers a client. Throws the refusal `initial_access_token_invalid`, and `input.invalid` naming the metadata. */
export function register(ctx: ProtocolContext, token: string | undefined, body: unknown): Promise<Registered> {
  return guarded(ctx, undefined, async () => {
    if (token === undefined) throw new Refusal('initial_access_token_invalid', { detail: 'no token' });
    const registered = await registerClient(contextOf(ctx), token, registrationOf(body));
    if (registered === undefined) throw new Refusal('initial_access_token_invalid');
    return registered;
  });
}

/** Reads a client's own registration. Throws the refusals `registration_token_invalid`, `registration_closed`. */
export function readRegistration(ctx: ProtocolContext, own: OwnRegistration): Promise<Registered> {
  return guarded(ctx, own.clientId, async () => {
    const registrationToken = given(own);
    const client = found(await findRegisteredClient(contextOf(ctx), own.clientId, registrationToken), own);
    assertOpen(client);
    return { client, registrationToken };
  });
}

/** Replaces it (RFC 7592 §2.2): every rule is checked anew. Throws as `register` and `readRegistration` do. */
export function replaceRegistration(ctx: ProtocolContext, own: OwnRegistration, body: unknown): Promise<Registered> {
  return guarded(ctx, own.clientId, async () => {
    const registrationToken = given(own);
    // Whoever may not is told so, before anything about the body.
    found(await findRegisteredClient(contextOf(ctx), own.clientId, registrationToken), own);
    const registration = registrationOf(body);
    const { client_id: named } = body as { client_id?: unknown };
    if (named !== own.clientId) throw invalid('client_id', 'It must be the id of this client.');
    const which = { clientId: own.clientId, registrationToken };
    const client = found(await changeRegistration(contextOf(ctx), which, registration, assertOpen), own);
    return { client, registrationToken };
  });
}

/** Ends it, with the client (RFC 7592 §2.3). Throws as `readRegistration` does. */
export function removeRegistration(ctx: ProtocolContext, own: OwnRegistration): Promise<void> {
  return guarded(ctx, own.clientId, async () => {
    const which = { clientId: own.clientId, registrationToken: given(own) };
    if (!(await endRegistration(contextOf(ctx), which, assertOpen))) throw notOwn(own);
  });
}

const notOwn = ({ clientId }: OwnRegistration): Refusal => new Refusal('registration_token_invalid', { clientId });

function given(own: OwnRegistration): string {
  if (own.token === undefined) throw notOwn(own);
  return own.token;
}

function found(client: RegisteredClient | undefined, own: OwnRegistration): RegisteredClient {
  if (client === undefined) throw notOwn(own);
  return client;
}

/** A client that an administrator made one of the house, or disabled, is not its own to change any more. */
function assertOpen({ id, firstParty, status }: RegisteredClient): void {
  if (firstParty || status !== 'active') throw new Refusal('registration_closed', { clientId: id });
}

/** Runs it under the limits of failures of the address, and logs a refusal. */
async function guarded<T>(ctx: ProtocolContext, clientId: string | undefined, work: () => Promise<T>): Promise<T> {
  const { limits, journal } = ctx.services;
  const { tenantId } = ctx.site;
  const ip = ctx.origin.ip ?? '';
  await assertTenant(ctx);
  const blocked = limits.blocked(tenantId, clientId, ip);
  if (blocked !== undefined) {
    limits.countRefused(tenantId, clientId, ip);
    throw new Refusal('rate_limited', blocked);
  }
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    limits.countFailure(tenantId, clientId, ip);
    await journal.append({
      tenantId,
      kind: 'client_registration.refused',
      clientId,
      reason: error.reason,
      description: error.data.detail ?? error.reason.replaceAll('_', ' '),
      ...ctx.origin,
    });
    throw error;
  }
}
