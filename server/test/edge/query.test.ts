import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startServer, type TestServer } from '../harness.ts';
import { rawRequest } from '../management/support.ts';

const unreadable = ['x=%ff', 'x=%', '%=x', 'x=%00', 'x=%ED%A0%80', '%00', `${'a=1&'.repeat(251)}`];

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());

test('a query that can not be read is answered by whichever surface it came to, and ends no process', async () => {
  for (const query of unreadable) {
    for (const path of ['/oauth/token', '/.well-known/jwks.json', '/api/v2/clients', '/api/tenants']) {
      const answer = await rawRequest(server, 'GET', `${path}?${query}`);
      assert.ok(
        [400, 404, 405].includes(answer.status),
        `${path}?${query.slice(0, 20)}: ${answer.status} ${answer.text}`,
      );
      assert.equal(typeof answer.body, 'object');
    }
  }
  const posted = await rawRequest(server, 'POST', '/oauth/token?x=%ff', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  assert.deepEqual([posted.status, posted.body.error], [400, 'invalid_request']);
});

test('each surface says so in its own shape', async () => {
  const auth0 = await rawRequest(server, 'GET', '/api/v2/clients?q=%ff');
  assert.deepEqual(auth0.body, {
    statusCode: 400,
    error: 'Bad Request',
    message: `Query validation error: 'The parameter "q" is not valid percent-encoded UTF-8.'`,
    errorCode: 'invalid_query_string',
  });
  const native = await rawRequest(server, 'GET', '/api/tenants?q=%ff');
  assert.deepEqual([native.status, native.body.code, native.body.data.path], [400, 'input.malformed', 'q']);
});

test('the routes that tell of the process do not look at the query', async () => {
  for (const query of unreadable) assert.equal((await rawRequest(server, 'GET', `/healthz?${query}`)).status, 200);
});
