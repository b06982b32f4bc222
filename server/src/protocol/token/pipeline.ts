/**
 * The token endpoint, read top to bottom as its rule book. The pipeline owns every check that grant types share, so
 * that none can forget one; a grant type only fills its hooks.
 *
 *   authenticate the client → grant type allowed? → binding → whom does it speak for?
 *     itself:   audience and organization → scopes → mint → log → answer (below)
 *     a person: redeem → audience and organization → scopes → use up → mint → log → answer (`person.ts`)
 */
import { decideClientAccess } from '../../domain/access/decide.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { isScopeToken } from '../../kernel/text.ts';
import { type Binding, confirmationOf, tokenTypeOf } from '../binding/binding.ts';
import { bindingOf } from '../binding/present.ts';
import { authenticateClient } from '../client-auth/authenticate.ts';
import { type ClientFacts, loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import { audienceOfOrganization, type IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { guarded } from '../refused.ts';
import { type AudienceFacts, loadTokenFacts, type TokenFacts } from '../token-facts.ts';
import { rfc9068Of } from '../tokens/claims.ts';
import { mintAccessToken } from '../tokens/mint.ts';
import { grantTypes } from './grants/index.ts';
import type { TokenAnswer, TokenRequest } from './request.ts';

/** Issues an access token, or throws a `Refusal`; either way one log event is durable before this settles. */
export function issueToken(ctx: ProtocolContext, profile: IssuerProfile, request: TokenRequest): Promise<TokenAnswer> {
  return guarded(ctx, 'token.refused', request, async (about) => {
    if (request.grantType === undefined) throw new Refusal('grant_type_missing', { parameter: 'grant_type' });
    const grant = grantTypes[request.grantType];
    if (grant === undefined) throw new Refusal('grant_type_unsupported', { grantType: request.grantType });

    if (request.targetIsInvalid) throw new Refusal('target_invalid', { parameter: 'resource' });

    // What a person's token needs is known once what was shown is read; for a client alone one query tells all.
    const facts = grant.speaksFor === 'client' ? await clientFactsOf(ctx, profile, request) : undefined;
    const named = facts ?? (await loadClientFacts(ctx, request.credentials.clientId ?? ''));
    about.clientName = named.client?.name;
    const client = await authenticateClient(ctx, profile, named.client, request.credentials, {
      publicClients: grant.speaksFor === 'person' && grant.publicClients(request),
    });
    if (client.status !== 'active') throw new Refusal('client_disabled', { clientId: client.id });
    if (!client.grantTypes.includes(request.grantType)) {
      throw new Refusal('grant_type_not_allowed', { clientId: client.id, grantType: request.grantType });
    }
    const binding = await bindingOf(ctx, client, request.binding);
    if (request.scopes?.every(isScopeToken) === false) throw new Refusal('parameter_invalid', { parameter: 'scope' });

    if (grant.speaksFor === 'person') {
      const { issueForPerson } = await import('./person.ts');
      return issueForPerson(ctx, grant, { profile, client, request, binding }, about);
    }
    return issueForClient(ctx, profile, request, { facts: facts as TokenFacts, client, binding }, about);
  });
}

async function issueForClient(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  request: TokenRequest,
  { facts, client, binding }: { facts: TokenFacts; client: ClientFacts; binding: Binding },
  about: { audience?: string | undefined },
): Promise<TokenAnswer> {
  const audience = audienceOf(request, facts);
  if (audience === undefined) throw new Refusal('audience_missing', { clientId: client.id });
  about.audience = audience;
  const decision = decideClientAccess(facts.access, facts.organization);
  if (!decision.allowed) throw new Refusal(decision.reason, { clientId: client.id, audience });
  const scopes = scopesToGive(profile, request.scopes, decision.scopes, client.id);
  return answer(ctx, profile, {
    client,
    facts: facts.audience as AudienceFacts,
    audience,
    organization: facts.organization?.id,
    scopes,
    grantType: request.grantType as string,
    binding,
  });
}

/**
 * A request with an organization and no audience is for the organization itself: always, or where the tenant has no
 * default audience; the issuer's profile says which.
 */
async function clientFactsOf(ctx: ProtocolContext, profile: IssuerProfile, request: TokenRequest): Promise<TokenFacts> {
  const { audience, organization } = request;
  const clientId = request.credentials.clientId ?? '';
  const alone = audience === undefined && organization !== undefined;
  if (alone && profile.organizationAlone === 'organization') {
    return loadTokenFacts(ctx, clientId, 'organization', organization);
  }
  const facts = await loadTokenFacts(ctx, clientId, { audience }, organization);
  return alone && facts.defaultAudience === null ? loadTokenFacts(ctx, clientId, 'organization', organization) : facts;
}

function audienceOf(request: TokenRequest, facts: TokenFacts): string | undefined {
  if (facts.access.resourceServer === 'organization') return audienceOfOrganization(request.organization as string);
  return request.audience ?? facts.defaultAudience ?? undefined;
}

/** What is asked for, as far as it is allowed; the issuer's profile says how absent and surplus scopes are read. */
function scopesToGive(
  profile: IssuerProfile,
  asked: readonly string[] | undefined,
  allowed: readonly string[],
  clientId: string,
): readonly string[] {
  if (asked === undefined) return profile.absentScope === 'all_allowed' ? allowed : [];
  const allowedSet = new Set(allowed);
  const surplus = asked.filter((scope) => !allowedSet.has(scope));
  if (surplus.length > 0 && profile.surplusScope === 'refuse') {
    throw new Refusal('scope_not_granted', { clientId, scopes: surplus });
  }
  return asked.filter((scope) => allowedSet.has(scope));
}

/** What is decided, to be made a token. */
interface Decided {
  readonly client: ClientFacts;
  readonly facts: AudienceFacts;
  readonly audience: string;
  readonly organization: string | undefined;
  readonly scopes: readonly string[];
  readonly grantType: string;
  readonly binding: Binding;
}

async function answer(ctx: ProtocolContext, profile: IssuerProfile, decided: Decided): Promise<TokenAnswer> {
  const { clock, random, journal } = ctx.services;
  const { client, facts, audience, organization, scopes, binding } = decided;
  const issuedAt = Math.floor(clock.now() / 1000);
  const tokenId = randomBase64Url(random, 18);
  const logged = journal.append({
    tenantId: ctx.site.tenantId,
    kind: 'token.issued',
    clientId: client.id,
    clientName: client.name,
    audience,
    scope: scopes.join(' '),
    tokenId,
    description: decided.grantType,
    ...(organization === undefined ? {} : { details: { organization } }),
    ...ctx.origin,
  });
  // The event is committed while the thread pool signs; the token leaves when both are done.
  const [accessToken] = await Promise.all([
    mintAccessToken(ctx, profile.claims === 'rfc9068' ? { ...facts, dialect: rfc9068Of(facts.dialect) } : facts, {
      issuer: profile.issuer(ctx.site),
      subject: profile.subjectOfClient(client.id),
      audience,
      clientId: client.id,
      // Where the organization is the audience, that says it already.
      organization:
        organization === undefined || facts.resourceServerId === null
          ? undefined
          : { claim: profile.organizationClaim, id: organization },
      scopes,
      ofClient: true,
      confirmation: confirmationOf(binding),
      issuedAt,
      expiresAt: issuedAt + facts.tokenLifetimeSeconds,
      tokenId,
    }),
    logged,
  ]);
  return { accessToken, tokenType: tokenTypeOf(binding), expiresInSeconds: facts.tokenLifetimeSeconds, scopes };
}
