import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { join } from 'node:path';
import { freePort } from '../../../scripts/ports.ts';
import { startChild } from '../child.ts';
import { peerName } from '../peer.ts';
import { audiences, type Credentials, newCredentials, scopes } from '../target.ts';
import { Caller } from './browser.ts';
import { authorizationUrl, type PeopleTarget } from './rounds.ts';

/** What the peer's process is started with. */
export interface PeoplePeerSettings {
  port: number;
  client: Credentials;
  keys: JsonWebKey[];
}

/** Starts the peer and signs its person in. */
export async function startPeoplePeer(): Promise<PeopleTarget> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const settings: PeoplePeerSettings = {
    port: await freePort(),
    client: newCredentials(),
    keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'rsa' }],
  };
  const env = { PEER_SETTINGS: JSON.stringify(settings), NODE_ENV: 'production' };
  const child = await startChild(join(import.meta.dirname, 'peer-server.ts'), [], env, ['issuer']);
  const target: PeopleTarget = {
    name: peerName,
    pid: child.pid,
    browser: new Caller(settings.port),
    client: settings.client,
    authorizePath: '/auth',
    tokenPath: '/token',
    more: { scope: `openid ${scopes.join(' ')}`, resource: audiences.RS256 },
    stop: () => child.stop(),
  };
  let path = authorizationUrl(target);
  for (let hops = 0; hops < 6; hops++) {
    const { headers } = await target.browser.get(path, true);
    const next = new URL(headers.location ?? '/', `http://localhost:${settings.port}`);
    if (next.port !== String(settings.port)) break;
    path = `${next.pathname}${next.search}`;
  }
  return target;
}
