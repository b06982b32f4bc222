/** What every refusal of the protocol endpoints has in common, checked in one place. */
import assert from 'node:assert/strict';
import type { Answer, TestServer } from '../harness.ts';

/** Failures are many in these tests; limits have a test of their own. */
export const withoutLimits = {
  SEKISHO_RATE_LIMIT_FAILURES_PER_CLIENT: '0',
  SEKISHO_RATE_LIMIT_FAILURES_PER_ADDRESS: '0',
};

export interface Expected {
  status: number;
  error: string;
  /** The exact `error_description`; anything when absent. */
  description?: string;
  /** The real reason, in the log only. */
  reason: string;
  kind?: 'token.refused' | 'endpoint.refused';
}

/**
 * Sends a request that must be refused: status and body are as expected, it can't be cached, nothing changed, and one
 * event tells the real reason. Returns the answer and the event.
 */
export async function refused(server: TestServer, send: () => Promise<Answer>, expected: Expected) {
  const before = { state: await server.stateHash(), events: (await server.logEvents()).length };
  const answer = await send();
  assertRefusal(answer, expected);
  assert.equal(await server.stateHash(), before.state, 'nothing changed');
  const events = (await server.logEvents()).slice(before.events);
  assert.deepEqual(
    events.map(({ kind, reason }) => ({ kind, reason })),
    [{ kind: expected.kind ?? 'token.refused', reason: expected.reason }],
  );
  return { answer, event: events[0] };
}

/** Checks the answer alone. */
export function assertRefusal(answer: Answer, expected: Omit<Expected, 'reason'>): void {
  assert.equal(`${answer.status} ${answer.body.error}`, `${expected.status} ${expected.error}`, answer.text);
  assert.deepEqual(Object.keys(answer.body).sort(), ['error', 'error_description']);
  if (expected.description !== undefined) assert.equal(answer.body.error_description, expected.description);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
}

/** All that an answer says, but for the time it was sent: two that must not be told apart are equal in it. */
export const visible = (answer: Answer) => ({
  status: answer.status,
  headers: [...answer.headers].filter(([name]) => name !== 'date'),
  text: answer.text,
});

/** HTTP Basic as RFC 6749 §2.3.1 has it: id and secret form-encoded first. */
export function basic(clientId: string, secret: string): Record<string, string> {
  const encoded = [clientId, secret].map((part) => new URLSearchParams({ '': part }).toString().slice(1));
  return { authorization: `Basic ${Buffer.from(encoded.join(':')).toString('base64')}` };
}
