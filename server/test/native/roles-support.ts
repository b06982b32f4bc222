/** What the tests of roles, resources and the organization template share. */
import assert from 'node:assert/strict';
import type { Answer, TestServer } from '../harness.ts';

type Options = NonNullable<Parameters<TestServer['request']>[2]>;

/** Calls the native API with a token, as the first management client unless told. */
export function nativeCaller(server: TestServer, token: string) {
  return (method: string, path: string, json?: unknown, options: Options = {}): Promise<Answer> =>
    server.request(method, `/api${path}`, { token, ...(json === undefined ? {} : { json }), ...options });
}

/** Nothing but the log changed, and the answer is this refusal. */
export async function refused(
  server: TestServer,
  call: () => Promise<Answer>,
  status: number,
  code: string,
  path?: string,
): Promise<void> {
  const before = await server.stateHash();
  const answer = await call();
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.body.code, code, answer.text);
  if (path !== undefined) assert.equal(answer.body.data?.path, path, answer.text);
  assert.equal(await server.stateHash(), before, 'a refusal changed something');
}
