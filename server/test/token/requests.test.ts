import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { assertRefusal, refused, withoutLimits } from './refusals.ts';

const invalidRequest = { status: 400, error: 'invalid_request' };
const invalidTarget = { status: 400, error: 'invalid_target' };
const unreadable = { ...invalidRequest, reason: 'parameter_invalid' };

eachEngine('token requests', (engine) => {
  let server: TestServer;
  let good: Record<string, string>;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits });
    const { clientId, clientSecret, audience } = await server.machine({ identifier: 'https://orders.example' });
    good = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, audience };
  });
  after(() => server.close());

  const post = (body: string | Uint8Array<ArrayBuffer>, type?: string, path = '/oauth/token') =>
    server.request('POST', path, { body, headers: type === undefined ? {} : { 'content-type': type } });
  const form = (change: Record<string, string> = {}) => new URLSearchParams({ ...good, ...change }).toString();
  const formType = 'application/x-www-form-urlencoded';
  const stillWorks = async () => assert.equal((await post(form(), formType)).status, 200);

  describe('paths and methods', () => {
    for (const path of ['/oauth/token', '/oauth/token/', '/oauth2/token']) {
      test(`${path} takes forms and JSON, and refuses GET with parameters in the URL`, async () => {
        assert.equal((await post(form(), formType, path)).status, 200);
        assert.equal((await server.request('POST', path, { json: good })).status, 200);
        const answer = await server.request('GET', `${path}?${form()}`);
        assertRefusal(answer, { status: 405, error: 'invalid_request' });
        assert.equal(answer.headers.get('allow'), 'POST');
        assert.ok(!answer.text.includes(good.client_secret as string));
      });

      test(`${path} reads nothing from the URL of a POST`, async () => {
        const send = () => server.request('POST', `${path}?${form()}`);
        await refused(server, send, { ...invalidRequest, reason: 'grant_type_missing' });
        const { client_secret, ...rest } = good;
        await refused(server, () => server.request('POST', `${path}?client_secret=${client_secret}`, { form: rest }), {
          status: 401,
          error: 'access_denied',
          reason: 'credentials_missing',
        });
      });
    }

    test('other methods and paths beside give no token', async () => {
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        assert.equal((await server.request(method, '/oauth/token', { form: good })).status, 404);
      }
      for (const path of ['/oauth/Token', '/oauth//token', '/oauth/token/x', '/oauth/%74oken%2f', '/token']) {
        const { status, body } = await server.request('POST', path, { form: good });
        assert.equal(status, 404, path);
        assert.equal(body.access_token, undefined);
      }
    });
  });

  describe('content types', () => {
    for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/xml', 'application/jsonp', 'x']) {
      test(`${type} is refused, whatever the body says`, async () => {
        for (const body of [form(), JSON.stringify(good)]) {
          await refused(server, () => post(body, type), {
            status: 415,
            error: 'invalid_request',
            reason: 'parameter_invalid',
          });
        }
      });
    }

    test('a body without a type is refused', async () => {
      await refused(server, () => post(new TextEncoder().encode(form())), {
        status: 415,
        error: 'invalid_request',
        reason: 'parameter_invalid',
      });
    });

    test('parameters of the type and its case change nothing', async () => {
      for (const type of [`${formType};charset=UTF-8`, `${formType} ; charset=utf-8`, formType.toUpperCase()]) {
        assert.equal((await post(form(), type)).status, 200, type);
      }
      for (const type of ['application/json; charset=utf-8', 'application/json ;', 'APPLICATION/JSON']) {
        assert.equal((await post(JSON.stringify(good), type)).status, 200, type);
      }
    });

    test('a form sent as JSON, and JSON sent as a form, is no request', async () => {
      await refused(server, () => post(form(), 'application/json'), unreadable);
      await refused(server, () => post(JSON.stringify(good), formType), {
        ...invalidRequest,
        reason: 'grant_type_missing',
      });
    });
  });

  describe('parameters', () => {
    test('a repeated one is refused, though both are equal', async () => {
      for (const name of Object.keys(good)) {
        const body = `${form()}&${new URLSearchParams({ [name]: good[name] as string })}`;
        await refused(server, () => post(body, formType), unreadable);
        const json = JSON.stringify(good).replace('{', `{${JSON.stringify(name)}:${JSON.stringify(good[name])},`);
        await refused(server, () => post(json, 'application/json'), unreadable);
      }
      await refused(server, () => post(`${form()}&x=1&x=1`, formType), unreadable);
    });

    test('an empty one is an absent one', async () => {
      const empty = { scope: '', resource: '', organization: '', client_assertion: '', client_assertion_type: '' };
      assert.equal((await post(form(empty), formType)).body.scope, 'read:orders write:orders');
      assert.equal((await server.request('POST', '/oauth/token', { json: { ...good, ...empty } })).status, 200);
      await refused(server, () => post(form({ audience: '' }), formType), {
        status: 403,
        error: 'access_denied',
        reason: 'audience_missing',
      });
    });

    test('blanks around scopes mean nothing; only blanks are no scope at all', async () => {
      assert.equal((await post(form({ scope: '  read:orders  ' }), formType)).body.scope, 'read:orders');
      const { status, body } = await post(form({ scope: '   ' }), formType);
      assert.equal(status, 200);
      assert.equal(body.scope, undefined);
    });

    test('resource is audience under another name; together they must agree', async () => {
      const { audience, ...rest } = good;
      const byResource = await post(
        new URLSearchParams({ ...rest, resource: audience as string }).toString(),
        formType,
      );
      assert.equal(decodeJwt(byResource.body.access_token).aud, audience);
      assert.equal((await post(form({ resource: audience as string }), formType)).status, 200);
      await refused(server, () => post(form({ resource: 'https://other.example' }), formType), {
        status: 400,
        error: 'invalid_target',
        reason: 'target_invalid',
      });
      await refused(server, () => post(`${form()}&resource=https://a.example&resource=https://b.example`, formType), {
        ...invalidTarget,
        reason: 'target_invalid',
      });
    });

    test('the identifier of an API is compared as it is', async () => {
      for (const audience of [
        'https://orders.example/',
        'HTTPS://ORDERS.EXAMPLE',
        'https://orders.example ',
        'orders.example',
      ]) {
        await refused(server, () => post(form({ audience }), formType), {
          status: 403,
          error: 'access_denied',
          reason: 'audience_unknown',
        });
      }
    });

    test('a list in JSON is no audience', async () => {
      for (const audience of [[good.audience], { 0: good.audience }, 7, null, true]) {
        const send = () => server.request('POST', '/oauth/token', { json: { ...good, audience } });
        await refused(server, send, unreadable);
      }
      const { audience, ...rest } = good;
      await refused(
        server,
        () => post(new URLSearchParams({ ...rest, 'audience[]': audience as string }).toString(), formType),
        {
          status: 403,
          error: 'access_denied',
          reason: 'audience_missing',
        },
      );
    });

    test('what is not known is ignored, by form and by JSON', async () => {
      const more = {
        foo: 'bar',
        expires_in: '1',
        sub: 'root',
        aud: 'x',
        username: 'a',
        password: 'MRK-x',
        redirect_uri: 'x',
      };
      assert.equal((await post(form(more), formType)).status, 200);
      const json = { ...good, ...more, nested: { deep: [1, null] }, n: 7 };
      assert.equal((await server.request('POST', '/oauth/token', { json })).status, 200);
    });

    test('control characters are refused in every parameter that is shown or logged', async () => {
      for (const name of ['client_id', 'audience', 'scope', 'grant_type', 'resource', 'organization']) {
        for (const control of ['\0', '\r\nset-cookie: a=b', '\n', '\t', '\x1b[31m', '\x7f', '\x85', '\u2028']) {
          const value = `${good[name] ?? 'a'}${control}`;
          for (const send of [
            () => post(form({ [name]: value }), formType),
            () => server.request('POST', '/oauth/token', { json: { ...good, [name]: value } }),
          ]) {
            const answer = await send();
            assertRefusal(answer, name === 'resource' ? invalidTarget : invalidRequest);
            assert.equal(answer.headers.get('set-cookie'), null);
          }
        }
      }
      const events = (await server.logEvents()).flatMap((event) => Object.values(event));
      assert.ok(events.every((value) => typeof value !== 'string' || !/[\x00-\x1f\x7f-\x9f\u2028]/.test(value)));
      await stillWorks();
    });

    test('bytes that are no text are refused', async () => {
      for (const broken of ['%', '%zz', '%ff', '%c0%80', '%ed%a0%80', '%f5%80%80%80']) {
        await refused(server, () => post(`${form()}&x=${broken}`, formType), unreadable);
      }
      const raw = new Uint8Array([...new TextEncoder().encode(`${form()}&x=`), 0xff, 0xfe]);
      await refused(server, () => post(raw, formType), unreadable);
      await refused(server, () => post(new Uint8Array([0x7b, 0xff, 0x7d]), 'application/json'), unreadable);
    });

    test('markup comes back as JSON text and nothing else', async () => {
      const markup = '<script>alert(1)</script>"><img src=x onerror=alert(1)>';
      for (const name of ['grant_type', 'audience', 'client_id', 'organization', 'resource', 'scope']) {
        const answer = await server.request('POST', '/oauth/token', {
          form: { ...good, [name]: markup },
          headers: { accept: 'text/html' },
        });
        assert.ok(answer.status >= 400 && answer.status < 500, name);
        assertRefusal(answer, { status: answer.status, error: answer.body.error });
        assert.equal(answer.headers.get('location'), null);
      }
    });

    test('more than 250 parameters, and a body of over a megabyte, are refused', async () => {
      const many = Array.from({ length: 251 }, (_, index) => `p${index}=x`).join('&');
      await refused(server, () => post(`${form()}&${many}`, formType), unreadable);
      const endless = 'x'.repeat(1024 * 1024);
      await refused(server, () => post(form({ endless }), formType), {
        status: 413,
        error: 'invalid_request',
        reason: 'parameter_invalid',
      });
      await stillWorks();
    });

    test('huge scope lists are answered shortly', async () => {
      const scopes = Array.from({ length: 5000 }, (_, index) => `s:${index}`).join(' ');
      const { answer, event } = await refused(server, () => post(form({ scope: scopes }), formType), {
        status: 403,
        error: 'access_denied',
        reason: 'scope_not_granted',
      });
      assert.ok(answer.text.length < 600);
      assert.ok(event.scope.length <= 4096);
      await refused(server, () => post(form({ scope: 'x'.repeat(100_000) }), formType), unreadable);
      const repeated = `${'read:orders '.repeat(5000)}`;
      assert.equal((await post(form({ scope: repeated }), formType)).body.scope, 'read:orders');
    });

    test('long names are refused or unknown, never an error of ours', async () => {
      for (const name of ['client_id', 'audience', 'grant_type', 'organization', 'resource']) {
        for (const length of [65, 5000, 60_000, 70_000]) {
          const answer = await post(form({ [name]: 'https://a.example/'.padEnd(length, 'a') }), formType);
          assert.ok(answer.status >= 400 && answer.status < 500, `${name} ${length}: ${answer.status}`);
          assert.ok(answer.text.length < 1000);
        }
      }
      await stillWorks();
    });
  });

  describe('names that every object has are names like any other', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype']) {
      test(name, async () => {
        await refused(server, () => post(form({ client_id: name }), formType), {
          status: 401,
          error: 'access_denied',
          description: 'Unauthorized',
          reason: 'client_unknown',
        });
        await refused(server, () => post(form({ grant_type: name }), formType), {
          status: 400,
          error: 'unsupported_grant_type',
          reason: 'grant_type_unsupported',
        });
        await refused(server, () => post(form({ scope: name }), formType), {
          status: 403,
          error: 'access_denied',
          reason: 'scope_not_granted',
        });
        await refused(server, () => post(form({ audience: name }), formType), {
          status: 403,
          error: 'access_denied',
          reason: 'audience_unknown',
        });
        assert.equal((await post(form({ [name]: 'x' }), formType)).status, 200);
        // As a name in JSON it is ignored or refused, and it sets nothing.
        const json = JSON.stringify(good).replace('{', `{"${name}":{"client_id":"admin"},`);
        const answer = await post(json, 'application/json');
        assert.ok(answer.status === 200 || answer.status === 400, answer.text);
        assert.equal(({} as Record<string, unknown>).client_id, undefined);
      });
    }

    test('as kid of a presented token', async () => {
      const client = { client_id: good.client_id as string, client_secret: good.client_secret as string };
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const { body } = await post(form(), formType);
      const [, payload, signature] = body.access_token.split('.');
      for (const kid of [
        '__proto__',
        'constructor',
        '../../etc/passwd',
        "' or 1=1 --",
        'a\0b',
        'k'.repeat(10_000),
        7,
        [],
        {},
      ]) {
        for (const alg of ['RS256', 'none', 'HS256', '__proto__']) {
          const token = `${part({ alg, typ: 'JWT', kid })}.${payload}.${signature}`;
          const answer = await server.request('POST', '/oauth/introspect', { form: { ...client, token } });
          assert.equal(answer.status, 200, answer.text);
          assert.deepEqual(answer.body, { active: false });
        }
      }
    });
  });

  describe('JSON bodies', () => {
    for (const body of [
      '',
      'null',
      '[]',
      '"text"',
      '7',
      '{',
      '{"a":1,}',
      '// x\n{}',
      '\ufeff{}',
      '{"a":"\\ud800"}',
      '{"a":"\\u0000"}',
    ]) {
      test(`${JSON.stringify(body)} is no request`, async () => {
        const answer = await post(body, 'application/json');
        assertRefusal(answer, invalidRequest);
      });
    }

    test('nesting without end is refused', async () => {
      const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
      await refused(server, () => post(deep, 'application/json'), unreadable);
      await stillWorks();
    });
  });

  test('no answer allows another origin, preflight included', async () => {
    for (const path of ['/oauth/token', '/oauth/introspect', '/oauth/revoke', '/api/v2/clients']) {
      for (const method of ['OPTIONS', 'POST', 'GET']) {
        const answer = await server.request(method, path, {
          headers: {
            origin: 'https://evil.example',
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization',
          },
        });
        for (const [name] of answer.headers)
          assert.ok(!name.startsWith('access-control-'), `${method} ${path} ${name}`);
      }
    }
    const answer = await server.request('POST', '/oauth/token', {
      form: good,
      headers: { origin: 'https://evil.example' },
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('access-control-allow-origin'), null);
  });

  test('a presented token with NUL in its claims is a bad token at every door', async () => {
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = {
      iss: server.issuer,
      sub: 'a@clients',
      aud: 'https://a.example',
      jti: 'j',
      exp: 9_999_999_999,
      iat: 1,
    };
    for (const change of [{ sub: 'a\0@clients' }, { aud: 'a\0b' }, { jti: '\0' }, { sub: '\ud800@clients' }]) {
      const token = `${part({ alg: 'RS256', typ: 'at+jwt', kid: 'k' })}.${part({ ...claims, ...change })}.AAAA`;
      const managed = await server.request('GET', '/api/v2/clients', { token });
      assert.equal(managed.status, 401, managed.text);
      for (const path of ['/oauth/introspect', '/oauth/revoke']) {
        const { client_id, client_secret } = good as { client_id: string; client_secret: string };
        const answer = await server.request('POST', path, { form: { client_id, client_secret, token } });
        assert.equal(answer.status, 200, answer.text);
      }
    }
  });
});
