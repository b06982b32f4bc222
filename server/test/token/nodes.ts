/** Several server processes behind one public URL and over one database, each asked by its own port. */
import { request } from 'node:http';
import {
  type Answer,
  freePort,
  newPostgresDatabase,
  type StartOptions,
  startServer,
  type TestServer,
} from '../harness.ts';
import { withoutLimits } from './refusals.ts';

/** Two nodes over one PostgreSQL database, with the same issuer. */
export async function startNodes(options: StartOptions = {}): Promise<[TestServer, TestServer]> {
  const databaseUrl = options.databaseUrl ?? (await newPostgresDatabase());
  const port = String(await freePort());
  const env = { ...withoutLimits, SEKISHO_URL: `http://localhost:${port}`, ...options.env };
  const first = await startServer({ ...options, databaseUrl, env: { ...env, SEKISHO_PORT: port } });
  return [first, await startServer({ ...options, databaseUrl, env })];
}

/** One request to this very node, under the host of the public URL. */
export async function sendTo(
  node: TestServer,
  method: string,
  path: string,
  options: { token?: string; json?: unknown; form?: Record<string, string>; headers?: Record<string, string> } = {},
): Promise<Answer> {
  // A connection of its own: one kept from before a restart would be dead.
  const headers: Record<string, string> = {
    host: new URL(node.origin).host,
    connection: 'close',
    ...options.headers,
  };
  let body = '';
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  if (options.json !== undefined) {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(options.json);
  }
  if (options.form !== undefined) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    body = new URLSearchParams(options.form).toString();
  }
  headers['content-length'] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: node.port, method, path, headers }, async (response) => {
      const chunks = await response.toArray();
      const text = Buffer.concat(chunks).toString('utf8');
      const pairs = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as [string, string]);
      const isJson = response.headers['content-type']?.startsWith('application/json') === true && text !== '';
      resolve({
        status: response.statusCode ?? 0,
        headers: new Headers(pairs),
        body: isJson ? JSON.parse(text) : text,
        text,
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
