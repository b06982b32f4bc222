/** Pushed authorization requests (RFC 9126): the client proves who it is and leaves its request with the server. */
import { insertPushedRequest, pushedLifetimeMs } from '../../domain/interactions/interactions.ts';
import { randomBase64Url } from '../../kernel/random.ts';
import { hashSecret } from '../../kernel/secrets.ts';
import { type PresentedBinding, unbound } from '../binding/binding.ts';
import { bindingOf } from '../binding/present.ts';
import { authenticateClient } from '../client-auth/authenticate.ts';
import type { PresentedCredentials } from '../client-auth/presented.ts';
import { loadClientFacts } from '../client-facts.ts';
import type { ProtocolContext } from '../context.ts';
import type { IssuerProfile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import { guarded } from '../refused.ts';
import { checkRequest, destinationOf } from './check-request.ts';
import type { AuthorizationParameters } from './request.ts';

export interface PushRequest {
  readonly credentials: PresentedCredentials;
  readonly parameters: AuthorizationParameters;
  readonly binding: PresentedBinding;
}

const requestUriPrefix = 'urn:ietf:params:oauth:request_uri:';

/** Keeps a checked request for a minute; every refusal is told here. Throws a `Refusal`. */
export function pushAuthorization(
  ctx: ProtocolContext,
  profile: IssuerProfile,
  { credentials, parameters, binding }: PushRequest,
): Promise<{ requestUri: string; expiresInSeconds: number }> {
  return guarded(ctx, 'authorization.refused', { credentials }, async (about) => {
    const facts = await loadClientFacts(ctx, credentials.clientId ?? '');
    about.clientName = facts.client?.name;
    const client = await authenticateClient(ctx, profile, facts.client, credentials, { publicClients: true });
    if (client.status !== 'active') throw new Refusal('client_disabled', { clientId: client.id });
    // RFC 9126 §2.1: a request that refers to another one is none.
    if (parameters.requestUri !== undefined) {
      throw new Refusal('parameter_invalid', { clientId: client.id, parameter: 'request_uri' });
    }
    const own = { ...parameters, clientId: client.id };
    if (parameters.clientId !== undefined && parameters.clientId !== client.id) {
      throw new Refusal('parameter_invalid', { clientId: client.id, parameter: 'client_id' });
    }
    const destination = await destinationOf(ctx, own);
    const checked = await checkRequest(ctx, profile, own, destination);
    // The key may be named instead of shown: the proof is asked for with the code.
    const { dpopThumbprint } = binding.dpopProof === undefined ? unbound : await bindingOf(ctx, client, binding);
    // RFC 9449 §10.1: the proof's key and the one that is named are the same.
    if (checked.dpopThumbprint !== null && dpopThumbprint !== undefined && checked.dpopThumbprint !== dpopThumbprint) {
      throw new Refusal('parameter_invalid', { clientId: client.id, parameter: 'dpop_jkt' });
    }
    const request = { ...checked, dpopThumbprint: checked.dpopThumbprint ?? dpopThumbprint ?? null };
    if (client.isPublic) ctx.services.limits.signIn.countBegun(ctx.site.tenantId, ctx.origin.ip ?? '');
    const requestUri = `${requestUriPrefix}${randomBase64Url(ctx.services.random, 32)}`;
    await insertPushedRequest(ctx.services, {
      tenant_id: ctx.site.tenantId,
      uri_hash: hashSecret(requestUri),
      issuer: profile.name,
      client_id: client.id,
      request: JSON.stringify(request),
      expires_at: ctx.services.clock.now() + pushedLifetimeMs,
    });
    return { requestUri, expiresInSeconds: pushedLifetimeMs / 1000 };
  });
}
