import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type ServerProcess, startProcess } from '../process.ts';

/** A server whose local certificates this process trusts, so that clients which insist on https run unmodified here. */
export interface TrustedServer extends ServerProcess {
  /** `localhost:<port>`, as Auth0's clients take it. */
  readonly domain: string;
  readonly issuer: string;
  /** Audience of the Auth0 dialect. */
  readonly managementAudience: string;
  readonly ca: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Starts the server with SEKISHO_HTTPS=local on a SQLite file. */
export async function startTrusted(env: Record<string, string> = {}): Promise<TrustedServer> {
  const server = await startProcess({ env: { SEKISHO_HTTPS: 'local', ...env } });
  const ca = server.ca as string;
  // What NODE_EXTRA_CA_CERTS does for a process that starts with it.
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(ca, 'utf8')]);
  return {
    ...server,
    ca,
    clientId: server.clientId as string,
    clientSecret: server.clientSecret as string,
    domain: new URL(server.origin).host,
    issuer: server.report.issuer as string,
    managementAudience: server.report.api as string,
  };
}

/** Calls `/api/v2` with the first management client's token; throws unless the answer is a success. */
export function manager(server: TrustedServer) {
  let token: Promise<string> | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
  return async (method: string, path: string, json?: unknown): Promise<any> => {
    token ??= accessToken(server, server.managementAudience);
    const response = await fetch(`${server.origin}/api/v2${path}`, {
      method,
      headers: { authorization: `Bearer ${await token}`, 'content-type': 'application/json' },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
}

/** An access token, of the first management client unless another is given. */
export async function accessToken(
  server: TrustedServer,
  audience: string,
  client: { clientId: string; clientSecret: string } = server,
): Promise<string> {
  const response = await fetch(`${server.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: client.clientId,
      client_secret: client.clientSecret,
      audience,
    }),
  });
  const body = (await response.json()) as { access_token?: string };
  if (body.access_token === undefined) throw new Error(`no token: ${response.status} ${JSON.stringify(body)}`);
  return body.access_token;
}

/** A POST to another tenant's host; not every machine resolves sub-domains of localhost. */
export function postToHost(
  url: string,
  body: unknown,
  token?: string,
  // biome-ignore lint/suspicious/noExplicitAny: bodies are compared, not typed
): Promise<{ status: number; body: any }> {
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        lookup: (_host, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.once('end', () => resolve({ status: response.statusCode as number, body: JSON.parse(text) }));
      },
    );
    call.once('error', reject);
    call.end(JSON.stringify(body));
  });
}
