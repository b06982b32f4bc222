/** What the tests of the accounts API share: calls, and golden bodies with what differs from run to run named. */
import assert from 'node:assert/strict';
import type { Answer, TestServer } from '../harness.ts';
import { nativeToken } from '../native/delegated.ts';

export type Json = Record<string, unknown>;

/** Calls the API with a token, of the first management client unless another is given. */
export function caller(server: TestServer, given?: string) {
  let own: Promise<string> | undefined;
  return async (method: string, path: string, json?: unknown, headers?: Record<string, string>): Promise<Answer> => {
    own ??= nativeToken(server);
    const token = given ?? (await own);
    return server.request(method, `/api${path}`, {
      token,
      ...(json === undefined ? {} : { json }),
      ...(headers === undefined ? {} : { headers }),
    });
  };
}

export type Call = ReturnType<typeof caller>;

/** The body of an answer that must have this status. */
export async function got(answer: Promise<Answer>, status = 200): Promise<Answer['body']> {
  const { status: actual, text, body } = await answer;
  assert.equal(actual, status, text);
  return body;
}

/** A user of the first management client. Returns its id. */
export const makeUser = async (call: Call, body: Json = {}): Promise<string> =>
  (await got(call('POST', '/applications/admin/users', body), 201)).id;

export const makeAccount = async (call: Call, name: string, parent?: string): Promise<string> =>
  (await got(call('POST', parent === undefined ? '/accounts' : `/accounts/${parent}/accounts`, { name }), 201)).id;

export const makeMember = async (call: Call, accountId: string, user_id: string, role: string): Promise<string> =>
  (await got(call('POST', `/accounts/${accountId}/members`, { user_id, role }), 201)).id;

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Compares a body with what it must be exactly, but for its times, which must be ISO 8601. */
export function assertGolden(body: Json, expected: Json): void {
  const { created_at, updated_at, ...rest } = body;
  assert.match(String(created_at), isoTime);
  assert.match(String(updated_at), isoTime);
  assert.deepEqual(rest, expected);
}

/** The answer is exactly this error, and nothing has changed. */
export async function assertRefused(
  server: TestServer,
  call: () => Promise<Answer>,
  status: number,
  expected: Json,
): Promise<Answer> {
  const before = await server.stateHash();
  const answer = await call();
  assert.equal(answer.status, status, answer.text);
  assert.deepEqual(answer.body, expected);
  assert.equal(await server.stateHash(), before, 'a refusal changes nothing');
  return answer;
}

export const accountMissing = {
  error: 'not_found',
  error_description: 'The account does not exist.',
  code: 'entity.not_found',
};
export const memberMissing = { ...accountMissing, error_description: 'The member does not exist.' };
export const applicationMissing = { ...accountMissing, error_description: 'The application does not exist.' };
