/**
 * The peer, a process of its own that `peer.ts` starts: the npm package `oidc-provider` with nothing on but what the
 * measured request needs. Its client is static and its JWT access tokens are stored nowhere, so it does less than we do.
 */
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import type { PeerSettings } from './peer.ts';
import { audiences, scopes } from './target.ts';
import { algorithms } from './token.ts';

const settings = JSON.parse(process.env.PEER_SETTINGS ?? '') as PeerSettings;
const scope = scopes.join(' ');

// The package prints notices; stdout is for the line that says it is ready.
console.info = () => {};
console.warn = () => {};

/** The package's own in-memory adapter forgets after 1000 entries; this one is a plain map. */
class MapAdapter {
  static readonly entries = new Map<string, unknown>();
  readonly model: string;

  constructor(model: string) {
    this.model = model;
  }

  async upsert(id: string, payload: unknown): Promise<void> {
    MapAdapter.entries.set(`${this.model}:${id}`, payload);
  }

  async find(id: string): Promise<unknown> {
    return MapAdapter.entries.get(`${this.model}:${id}`);
  }

  async destroy(id: string): Promise<void> {
    MapAdapter.entries.delete(`${this.model}:${id}`);
  }
}

const provider = new Provider(`http://localhost:${settings.port}`, {
  adapter: MapAdapter,
  clients: [
    {
      client_id: settings.client.clientId,
      client_secret: settings.client.clientSecret,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope,
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  cookies: { keys: ['unused'] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: async (_ctx: unknown, resource: string) => ({
        scope,
        audience: resource,
        accessTokenTTL: 86400,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: algorithms.find((algorithm) => audiences[algorithm] === resource) } },
      }),
    },
  },
  jwks: { keys: settings.keys },
  scopes,
  ttl: { ClientCredentials: 86400 },
});

createServer(provider.callback()).listen(settings.port, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ issuer: `http://localhost:${settings.port}` })}\n`);
});
process.once('SIGTERM', () => process.exit(0));
