import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { nativeToken } from './delegated.ts';

type Links = Record<string, string>;
const linksOf = (answer: Answer): Links =>
  Object.fromEntries(
    [...(answer.headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)].map(([, url, rel]) => [rel, url]),
  );

eachEngine('paging of the native API', (engine) => {
  let server: TestServer;
  let token: string;
  before(async () => {
    server = await startServer({ engine });
    token = await nativeToken(server);
    for (let index = 0; index < 7; index += 1) {
      const json = { name: `Organization ${index}` };
      assert.equal((await server.request('POST', '/api/organizations', { token, json })).status, 201);
      const scope = { name: `scope:${index}` };
      assert.equal((await server.request('POST', '/api/organization-scopes', { token, json: scope })).status, 201);
    }
  });
  after(() => server.close());

  const get = (path: string): Promise<Answer> => server.request('GET', `/api${path}`, { token });
  const follow = (url: string): Promise<Answer> => get(url.slice(`${server.origin}/api`.length));
  const page = (query: string): string => `${server.origin}/api/organizations?${query}`;

  test('by number: total and links; what else the query says is kept', async () => {
    const second = await get('/organizations?q=organization&page=2&page_size=3');
    assert.equal(second.status, 200, second.text);
    assert.equal(second.body.length, 3);
    assert.equal(second.headers.get('total-number'), '7');
    assert.deepEqual(linksOf(second), {
      first: page('q=organization&page=1&page_size=3'),
      prev: page('q=organization&page=1&page_size=3'),
      next: page('q=organization&page=3&page_size=3'),
      last: page('q=organization&page=3&page_size=3'),
    });
    const first = await get('/organizations?page_size=3');
    assert.deepEqual(Object.keys(linksOf(first)).sort(), ['first', 'last', 'next']);
    const last = await get('/organizations?page=3&page_size=3');
    assert.deepEqual([last.body.length, Object.keys(linksOf(last)).sort()], [1, ['first', 'last', 'prev']]);
    assert.equal((await get('/organizations')).headers.get('total-number'), '7', 'always paged: 20 a page');
  });

  test('far beyond the end: an empty list, and the way back', async () => {
    for (const number of [4, 1000, 1_000_000_000]) {
      const beyond = await get(`/organizations?page=${number}&page_size=3`);
      assert.deepEqual([beyond.status, beyond.body, beyond.headers.get('total-number')], [200, [], '7']);
      assert.equal(linksOf(beyond).prev, page(`page=3&page_size=3`));
      assert.equal(linksOf(beyond).next, undefined);
    }
  });

  test('by cursor: each item once, in the same order, without a count', async () => {
    const all = (await get('/organizations?page_size=100')).body;
    const walked: unknown[] = [];
    let answer = await get('/organizations?page_size=3&cursor=');
    for (let step = 0; step < 5; step += 1) {
      walked.push(...answer.body);
      assert.equal(answer.headers.get('total-number'), null);
      const { next } = linksOf(answer);
      if (next === undefined) break;
      answer = await follow(next);
    }
    assert.equal(walked.length, 7);
    const ids = (items: unknown[]): string[] => (items as { id: string }[]).map(({ id }) => id).sort();
    assert.deepEqual(ids(walked), ids(all));
  });

  test('a cursor of another list, of another tenant, or edited is refused', async () => {
    const { next = '' } = linksOf(await get('/organizations?page_size=3&cursor='));
    const cursor = new URL(next).searchParams.get('cursor') as string;
    for (const path of [
      `/organization-scopes?cursor=${cursor}`,
      `/organizations?cursor=${cursor}A`,
      `/organizations?cursor=${cursor.slice(1)}`,
    ]) {
      const answer = await get(path);
      assert.deepEqual([answer.status, answer.body.code], [400, 'input.cursor_invalid'], path);
    }
  });

  test('lists with optional paging: whole without it, and without its headers; paged when asked', async () => {
    const whole = await get('/organization-scopes');
    assert.equal(whole.body.length, 7);
    assert.deepEqual([whole.headers.get('total-number'), whole.headers.get('link')], [null, null]);
    const paged = await get('/organization-scopes?page=1&page_size=3');
    assert.deepEqual([paged.body.length, paged.headers.get('total-number')], [3, '7']);
    assert.deepEqual(paged.body, whole.body.slice(0, 3));
    assert.equal((await get('/organization-scopes?page=1')).headers.get('total-number'), '7');
    const byCursor = await get('/organization-scopes?cursor=&page_size=3');
    assert.deepEqual(byCursor.body, whole.body.slice(0, 3));
    assert.ok(linksOf(byCursor).next);
  });

  test('a whole list of more than 10 000 items says where it goes on', async () => {
    const rows = Array.from({ length: 10_005 }, (_, index) => {
      const name = `many:${String(index).padStart(5, '0')}`;
      return { tenant_id: 'default', id: name, name, description: null, created_at: index + 1 };
    });
    const [{ name_key, ...sample }] = await server.rows('organization_scopes');
    await server.composed.services.db.transact(async (trx) => {
      for (let start = 0; start < rows.length; start += 100) {
        const chunk = rows.slice(start, start + 100).map((row) => ({
          ...sample,
          ...row,
          ...(name_key === undefined ? {} : { name_key: row.name }),
        }));
        await trx.insertInto('organization_scopes').values(chunk).execute();
      }
    });
    const whole = await get('/organization-scopes');
    assert.equal(whole.body.length, 10_000);
    const rest = await follow(linksOf(whole).next as string);
    assert.equal(rest.body.length, 12);
    assert.equal(linksOf(rest).next, undefined);
  });
});
