/** `@logto/api` as its users have it, and what an answer of it is. */
import assert from 'node:assert/strict';
import { createApiClient, createManagementApi } from '@logto/api/management';
import { admin, type TestServer } from '../harness.ts';

export type LogtoClient = ReturnType<typeof createManagementApi>['apiClient'];

/** The client of the first management client; with `token`, of that token. */
export function logtoClient(server: TestServer, { token }: { token?: string } = {}): LogtoClient {
  const baseUrl = server.origin;
  if (token !== undefined) return createApiClient({ baseUrl, getToken: async () => token });
  return createManagementApi('default', { clientId: admin.clientId, clientSecret: admin.clientSecret, baseUrl })
    .apiClient;
}

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What a call answered; fails unless the status is this one. */
export async function ok<T>(status: number, call: Promise<Answered<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await call;
  assert.equal(response.status, status, `${response.url}: ${JSON.stringify(error ?? data)}`);
  assert.equal(error, undefined);
  return data as NonNullable<T>;
}

/** The call was refused: the reason is where users of the client look for it. */
export async function refused(status: number, code: string, call: Promise<Answered<unknown>>): Promise<void> {
  const { data, error, response } = await call;
  const told = error as { code?: string; message?: string } | undefined;
  assert.deepEqual([response.status, told?.code], [status, code], JSON.stringify(error ?? data));
  assert.equal(typeof told?.message, 'string');
  assert.equal(data, undefined);
}
