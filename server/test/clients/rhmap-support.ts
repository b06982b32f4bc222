/** A server that an RHMAP app signs its people in to, set up as RHMAP's administrators do: with an API key. */
import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { type Engine, startServer, type TestServer } from '../harness.ts';
import { makeApp, native } from '../sign-in/support.ts';
import { withoutLimits } from '../token/refusals.ts';
import { type RhmapSite, startRhmapSite } from './rhmap-site.ts';

const policyScopes = ['create', 'read', 'update', 'delete'].map((verb) => `${verb}:auth_policies`);

export interface RhmapLab {
  readonly server: TestServer;
  readonly site: RhmapSite;
  /** The application whose page the site is. */
  readonly clientId: string;
  /** An API key that may all with auth policies. */
  readonly key: string;
  /** What the server was asked so far: method, path, and the headers that the browser asked for beforehand. */
  readonly requests: readonly { readonly method: string; readonly url: string; readonly asked: string | undefined }[];
  /** One of RHMAP's calls that manage policies; it must succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  manage(call: string, body: Record<string, unknown>): Promise<any>;
  /** Makes a policy; returns its guid. */
  makePolicy(policyId: string, policyType: string, more?: Record<string, unknown>): Promise<string>;
  close(): Promise<void>;
}

/** Starts both, on origins of their own. The providers of labs are on loopback, which the server must be allowed. */
export async function startRhmapLab(engine: Engine, application: Record<string, unknown> = {}): Promise<RhmapLab> {
  const env = { ...withoutLimits, SEKISHO_ALLOW_PRIVATE_TARGETS: 'true' };
  const [server, site] = await Promise.all([startServer({ engine, env }), startRhmapSite()]);
  const requests: RhmapLab['requests'][number][] = [];
  server.composed.server.app.server.on('request', ({ method, url, headers }: IncomingMessage) => {
    const asked = headers['access-control-request-headers'] as string | undefined;
    requests.push({ method: method ?? '', url: url ?? '', asked });
  });
  const { clientId } = await makeApp(server, 'SPA', {
    ...application,
    oidcClientMetadata: { redirectUris: [site.page] },
  });
  site.serve({ clientId, serverOrigin: server.origin });
  const key = await makeApiKey(server, policyScopes);
  const manage: RhmapLab['manage'] = async (call, json) => {
    const headers = { 'x-fh-auth-user': key };
    const answer = await server.request('POST', `/box/srv/1.1/admin/authpolicy/${call}`, { json, headers });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.status, 'ok', answer.text);
    return answer.body;
  };
  return {
    ...{ server, site, clientId, key, requests, manage },
    makePolicy: async (policyId, policyType, more = {}) =>
      (await manage('create', { policyId, policyType, configurations: {}, ...more })).guid,
    close: async () => {
      await site.close();
      await server.close();
    },
  };
}

export async function makeApiKey(server: TestServer, scopes: readonly string[]): Promise<string> {
  const expiresAt = server.composed.services.clock.now() + 3_600_000;
  return (await native(server, 'POST', '/api-keys', { label: 'RHMAP', scopes, expiresAt })).value;
}

/** Waits for what nobody tells: the SDK does not wait for every answer. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await isSo())) {
    assert.ok(performance.now() < deadline, 'it is not so in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
