/**
 * Sign-in of apps: an app asks for its people and gets a session of its own, never a cookie.
 *
 *   app ──► signInToApp ─┬─ form: name and password go along ──────────────────────► session
 *                        └─ redirect: a ticket ──► browser: beginRedirectToApp ──► upstream
 *                                                  browser: finishRedirectToApp ──► the app's address, with the session
 *
 * Which application asks, whether the policy is offered for it and where the browser ends is decided before anything
 * else; the rest is the sign-in of pages (`protocol/sign-in/`).
 */
import { clientTakes } from '../../domain/auth-policies/offer-lists.ts';
import { type AuthPolicy, authPolicyOf } from '../../domain/auth-policies/policy.ts';
import { findPolicyRowByName } from '../../domain/auth-policies/read-policies.ts';
import { type ClientFacts, loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { Refusal } from '../refusal.ts';
import type { AppEnd } from '../sign-in/redirect.ts';

/**
 * An application that people sign in to by itself: one of our own, for what an app shows nobody else consents to.
 * Unknown and disabled answer alike. Throws `app_unknown`.
 */
export async function appOf(ctx: ProtocolContext, clientId: string): Promise<ClientFacts> {
  const { client } = await loadClientFacts(ctx, clientId);
  if (client?.status === 'active' && client.firstParty && !isMachine(client)) return client;
  throw new Refusal('app_unknown', client === undefined ? {} : { clientId: client.id });
}

const isMachine = ({ type }: ClientFacts): boolean => type === 'machine' || type === 'resource_server';

/** A policy that is on and offered for the application; any other answers as an unknown one. Throws `policy_unknown`. */
export async function policyForApp(ctx: ProtocolContext, client: ClientFacts, name: string): Promise<AuthPolicy> {
  const { services, site } = ctx;
  const row = await findPolicyRowByName(services, site.tenantId, name);
  if (row?.enabled === 1 && clientTakes(client.offeredPolicyIds, row.id)) return authPolicyOf(row);
  throw new Refusal('policy_unknown', { clientId: client.id, detail: 'no such policy is on and offered' });
}

/**
 * Checks the address a browser is sent to with a session: one of the client's redirect URIs, character by character.
 * Throws `end_redirect_unregistered`.
 */
export function assertEnd({ id, signIn }: ClientFacts, { url, registeredAs }: AppEnd): void {
  if (signIn.redirectUris.includes(url) || signIn.redirectUris.includes(registeredAs)) return;
  throw new Refusal('end_redirect_unregistered', { clientId: id });
}
