/**
 * The peer for sign-in, a process of its own: the npm package `oidc-provider` with one person, one client, one API. What
 * it keeps, it keeps in memory.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Provider } from 'oidc-provider';
import { audiences, scopes } from '../target.ts';
import type { PeoplePeerSettings } from './peer.ts';
import { redirectUri } from './rounds.ts';

const settings = JSON.parse(process.env.PEER_SETTINGS ?? '') as PeoplePeerSettings;
const scope = scopes.join(' ');

console.info = () => {};
console.warn = () => {};

/** A plain map: the package's own adapter forgets after 1000 entries. */
class MapAdapter {
  static readonly entries = new Map<string, Record<string, unknown>>();
  static readonly uids = new Map<string, string>();
  readonly model: string;

  constructor(model: string) {
    this.model = model;
  }

  async upsert(id: string, payload: Record<string, unknown>): Promise<void> {
    MapAdapter.entries.set(`${this.model}:${id}`, payload);
    if (typeof payload.uid === 'string') MapAdapter.uids.set(payload.uid, id);
  }

  async find(id: string): Promise<unknown> {
    return MapAdapter.entries.get(`${this.model}:${id}`);
  }

  async findByUid(uid: string): Promise<unknown> {
    const id = MapAdapter.uids.get(uid);
    return id === undefined ? undefined : this.find(id);
  }

  async consume(id: string): Promise<void> {
    const entry = MapAdapter.entries.get(`${this.model}:${id}`);
    if (entry !== undefined) entry.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    MapAdapter.entries.delete(`${this.model}:${id}`);
  }

  async revokeByGrantId(): Promise<void> {}
}

const provider: Provider = new Provider(`http://localhost:${settings.port}`, {
  adapter: MapAdapter,
  clients: [
    {
      client_id: settings.client.clientId,
      client_secret: settings.client.clientSecret,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [redirectUri],
      response_types: ['code'],
      scope: `openid offline_access ${scope}`,
      token_endpoint_auth_method: 'client_secret_post',
    },
  ],
  cookies: { keys: ['a key of cookies that nobody else has'] },
  async findAccount(_ctx: unknown, id: string) {
    return { accountId: id, claims: async () => ({ sub: id }) };
  },
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: async (_ctx: unknown, resource: string) => ({
        scope,
        audience: resource,
        accessTokenTTL: 86400,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
  issueRefreshToken: async () => true,
  jwks: { keys: settings.keys },
  scopes: ['openid', 'offline_access', ...scopes],
});

/** The person signs in and agrees to all that is asked. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { prompt } = await provider.interactionDetails(request, response);
  if (prompt.name === 'login') {
    return provider.interactionFinished(request, response, { login: { accountId: 'person' } });
  }
  const grant = new provider.Grant({ accountId: 'person', clientId: settings.client.clientId });
  grant.addOIDCScope(`openid offline_access ${scope}`);
  grant.addResourceScope(audiences.RS256, scope);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

const handle = provider.callback();
createServer((request, response) => {
  if (request.url?.startsWith('/interaction/')) void answer(request, response);
  else void handle(request, response);
}).listen(settings.port, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ issuer: `http://localhost:${settings.port}` })}\n`);
});
process.once('SIGTERM', () => process.exit(0));
