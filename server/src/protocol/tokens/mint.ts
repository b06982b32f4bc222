import { createHmac } from 'node:crypto';
import { signingSecretContext } from '../../domain/resource-servers/resource-server.ts';
import { type AsymmetricAlgorithm, signJws } from '../../kernel/jwa.ts';
import type { ProtocolContext } from '../context.ts';
import type { AudienceFacts } from '../token-facts.ts';
import { type AccessTokenFacts, claimsOf, typeOf } from './claims.ts';

const base64Url = (text: string): string => Buffer.from(text).toString('base64url');

/** Encoded headers, few and small: one for each key, algorithm and type. */
const headers = new Map<string, string>();

function headerOf(alg: string, typ: string, kid: string | undefined): string {
  const name = `${alg} ${typ} ${kid}`;
  const known = headers.get(name);
  if (known !== undefined) return known;
  const header = base64Url(JSON.stringify({ alg, typ, kid }));
  if (headers.size >= 1000) headers.clear();
  headers.set(name, header);
  return header;
}

/** Signs an access token with the API's algorithm: the tenant's current key of it, or the API's own HS256 secret. */
export async function mintAccessToken(
  ctx: ProtocolContext,
  audience: AudienceFacts,
  token: AccessTokenFacts,
): Promise<string> {
  const { signingAlg, dialect } = audience;
  const kid = signingAlg === 'HS256' ? undefined : (audience.signingKid as string);
  const payload = base64Url(JSON.stringify(claimsOf(dialect, token)));
  const signingInput = `${headerOf(signingAlg, typeOf(dialect), kid)}.${payload}`;
  return `${signingInput}.${await signatureOf(ctx, audience, signingInput)}`;
}

/** Signs any other JWT of ours with a key of the tenant. */
export async function signJwt(
  ctx: ProtocolContext,
  { alg, typ, kid }: { alg: AsymmetricAlgorithm; typ: string; kid: string },
  payload: object,
): Promise<string> {
  const signingInput = `${headerOf(alg, typ, kid)}.${base64Url(JSON.stringify(payload))}`;
  const key = await ctx.services.keys.privateKey(ctx.site.tenantId, kid);
  return `${signingInput}.${(await signJws(alg, key, Buffer.from(signingInput))).toString('base64url')}`;
}

async function signatureOf(ctx: ProtocolContext, audience: AudienceFacts, signingInput: string): Promise<string> {
  const { cipher, keys } = ctx.services;
  const { tenantId } = ctx.site;
  if (audience.signingAlg === 'HS256') {
    const context = signingSecretContext(tenantId, audience.resourceServerId as string);
    const secret = cipher.decrypt(audience.signingSecret as string, context);
    return createHmac('sha256', secret).update(signingInput).digest('base64url');
  }
  const key = await keys.privateKey(tenantId, audience.signingKid as string);
  const signature = await signJws(audience.signingAlg as AsymmetricAlgorithm, key, Buffer.from(signingInput));
  return signature.toString('base64url');
}
