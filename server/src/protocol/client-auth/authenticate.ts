import { secretMatches } from '../../kernel/secrets.ts';
import type { ClientFacts, CredentialFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal, type RefusalReason } from '../refusal.ts';
import { verifyAssertion } from './assertion.ts';
import { verifyCertificate } from './certificate.ts';
import { verifyDecoy } from './decoy.ts';
import type { PresentedCredentials } from './presented.ts';

/**
 * Proves that the request comes from the client, by the method it is registered for and no other (RFC 7591 §2).
 * Whatever is known of the client, a secret is hashed and compared and an assertion's signature verified, so that an
 * unknown client takes as long as a wrong secret or signature. `publicClients`: a client that has nothing to prove
 * itself with may name itself. Throws a `Refusal`.
 */
export async function authenticateClient(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  client: ClientFacts | undefined,
  presented: PresentedCredentials,
  options: { publicClients?: boolean } = {},
): Promise<ClientFacts> {
  if (presented.method === 'unreadable') throw new Refusal(presented.problem, { clientId: presented.clientId });
  if (presented.clientId === undefined) throw new Refusal('client_id_missing');
  if (options.publicClients === true && presented.method === 'none' && client?.isPublic === true) return client;
  const credential =
    presented.method === 'private_key_jwt'
      ? await byAssertion(ctx, profile, client, presented)
      : presented.method === 'none' && presented.certificate !== undefined
        ? verifyCertificate(ctx, client, { clientId: presented.clientId, certificate: presented.certificate })
        : bySecret(ctx, client, presented);
  // Counted only now: nobody else can use up what a client may ask.
  const exceeded = ctx.services.limits.countRequest(ctx.site.tenantId, presented.clientId);
  if (exceeded !== undefined) throw new Refusal('rate_limited', exceeded);
  ctx.services.lastUse.note(ctx.site.tenantId, presented.clientId, credential.id);
  return client as ClientFacts;
}

function bySecret(
  ctx: ProtocolContext,
  client: ClientFacts | undefined,
  presented: Exclude<PresentedCredentials, { method: 'private_key_jwt' | 'unreadable' }>,
): CredentialFacts {
  const secret = presented.method === 'none' ? '' : presented.secret;
  const secrets = client?.credentials.filter(({ kind }) => kind === 'secret') ?? [];
  const [first, ...others] = secrets;
  let match = secretMatches(secret, first?.secretHash) ? first : undefined;
  for (const other of others) if (secretMatches(secret, other.secretHash)) match = other;

  const refuse = (reason: RefusalReason): never => {
    throw new Refusal(reason, { clientId: presented.clientId });
  };
  if (client === undefined) return refuse('client_unknown');
  if (client.isPublic) return refuse('client_public');
  if (presented.method === 'none' || secret === '') return refuse('credentials_missing');
  if (client.authMethod !== null && client.authMethod !== presented.method) return refuse('auth_method_not_registered');
  if (match === undefined) return refuse('secret_wrong');
  if (match.expiresAt !== null && match.expiresAt <= ctx.services.clock.now()) return refuse('secret_expired');
  return match;
}

async function byAssertion(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  client: ClientFacts | undefined,
  presented: Extract<PresentedCredentials, { method: 'private_key_jwt' }>,
): Promise<CredentialFacts> {
  if (client?.authMethod === 'private_key_jwt') return verifyAssertion(ctx, profile, client, presented.assertion);
  await verifyDecoy(presented.assertion);
  const reason =
    client === undefined ? 'client_unknown' : client.isPublic ? 'client_public' : 'auth_method_not_registered';
  throw new Refusal(reason, { clientId: presented.clientId, byAssertion: true });
}
