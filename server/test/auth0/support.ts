/** What the tests of this dialect's lists and refusals share. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Answer, TestServer } from '../harness.ts';

export interface Calls {
  /** One request as the first management client, whatever the status. */
  (method: string, path: string, json?: unknown): Promise<Answer>;
  /** The request is refused with this status and message, and nothing changes. */
  refused(
    expected: { status: number; message: string | RegExp; errorCode?: string },
    method: string,
    path: string,
    json?: unknown,
  ): Promise<void>;
}

const phrases: Record<number, string> = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 409: 'Conflict' };

/** Calls of one server; `token` other than the first client's for narrower ones. */
export function callsOf(server: TestServer, token: () => string): Calls {
  const call = (method: string, path: string, json?: unknown) =>
    server.request(method, `/api/v2${path}`, json === undefined ? { token: token() } : { token: token(), json });
  const refused: Calls['refused'] = async (expected, method, path, json) => {
    const before = await server.stateHash();
    const { status, body, text } = await call(method, path, json);
    assert.equal(status, expected.status, `${method} ${path}: ${text}`);
    const { message, ...rest } = body;
    assert.deepEqual(rest, {
      statusCode: expected.status,
      error: phrases[expected.status],
      ...(expected.errorCode === undefined ? {} : { errorCode: expected.errorCode }),
    });
    if (typeof expected.message === 'string') assert.equal(message, expected.message);
    else assert.match(message, expected.message);
    assert.equal(await server.stateHash(), before, `${method} ${path} changed something`);
  };
  return Object.assign(call, { refused });
}

export const rsaKeys = (): { pem: string; privateKey: KeyObject } => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { pem: publicKey.export({ format: 'pem', type: 'spki' }) as string, privateKey };
};

/** Ids of a list in every shape it can be walked in; each walk must give the same. */
export async function walks(
  call: Calls,
  path: string,
  plural: string,
  id: string,
  shapes: readonly ('offset' | 'totals' | 'checkpoint')[],
): Promise<string[][]> {
  const walked: string[][] = [];
  for (const shape of shapes) {
    const seen: string[] = [];
    let next = shape === 'checkpoint' ? 'take=7&include_totals=true' : 'page=0';
    for (let page = 0; ; page += 1) {
      const query = shape === 'checkpoint' ? next : `page=${page}&per_page=40&include_totals=${shape === 'totals'}`;
      const { status, body, text } = await call('GET', `${path}?${query}`);
      assert.equal(status, 200, text);
      const items = shape === 'offset' ? body : body[plural];
      seen.push(...items.map((item: Record<string, string>) => item[id]));
      if (shape === 'checkpoint') {
        assert.deepEqual(Object.keys(body).sort(), body.next === undefined ? [plural] : [plural, 'next'].sort());
        if (body.next === undefined) break;
        next = `take=7&from=${body.next}`;
      } else if (items.length === 0) break;
    }
    walked.push(seen);
  }
  return walked;
}
