import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from '../../scripts/ports.ts';
import { startChild } from './child.ts';
import { audiences, type Credentials, clientForm, newCredentials, scopes, type Target } from './target.ts';

/** What the peer's process is started with. Its keys are made beforehand, so that its start does not pay for them. */
export interface PeerSettings {
  port: number;
  client: Credentials;
  keys: JsonWebKey[];
}

export const peerName = 'oidc-provider';

/** Starts the npm package `oidc-provider` in a process of its own, with one RSA-2048 and one P-256 key. */
export async function startPeer(settings?: PeerSettings): Promise<Target> {
  const peer = settings ?? (await peerSettings());
  const env = { PEER_SETTINGS: JSON.stringify(peer), NODE_ENV: 'production' };
  const child = await startChild(join(import.meta.dirname, 'peer-server.ts'), [], env, ['issuer']);
  return {
    ...child,
    name: peerName,
    port: peer.port,
    jwksUrl: `http://localhost:${peer.port}/jwks`,
    requests: (algorithm) => ({
      port: peer.port,
      path: '/token',
      // Its word for the audience is RFC 8707's, and it gives no scope that was not asked for.
      form: clientForm(peer.client, { resource: audiences[algorithm], scope: scopes.join(' ') }),
    }),
  };
}

/** Settings for several starts of the same peer. */
export async function peerSettings(): Promise<PeerSettings> {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  return {
    port: await freePort(),
    client: newCredentials(),
    keys: [
      { ...rsa.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'rsa' },
      { ...ec.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'ec' },
    ],
  };
}
