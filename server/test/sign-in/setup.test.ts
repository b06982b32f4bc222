import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createSetupLink } from '../../src/domain/setup/setup-links.ts';
import { useSetupLink } from '../../src/domain/setup/use-setup-link.ts';
import { contextOf } from '../../src/protocol/sign-in/open-session.ts';
import { eachEngine, newPostgresDatabase, startServer, TestClock, type TestServer } from '../harness.ts';
import { startProcess } from '../process.ts';
import { run, stop, temporaryFolder } from '../start/run.ts';
import { contextAt, nobody, signIn } from './people.ts';
import { Browser } from './support.ts';

const chosen = 'kq7!zm-2-longer';
const role = 'rol_administrator';

eachEngine('the first administrator', (engine) => {
  let server: TestServer;
  const clock = new TestClock();
  before(async () => {
    server = await startServer({ engine, clock });
  });
  after(() => server.close());

  const newToken = async () => tokenOf((await createSetupLink(server.composed.services, 'default')).url);
  const use = (token: string, identifier = nobody(), more = {}) =>
    useSetupLink(contextOf(contextAt(server)), { token, identifier, password: chosen, ...more });
  const state = async () =>
    JSON.stringify([await server.stateHash(), await server.rows('setup_links'), await server.rows('role_assignments')]);
  const administrators = async () =>
    (await server.rows('role_assignments'))
      .filter(({ role_id }) => role_id === role)
      .map(({ subject_id }) => subject_id);

  test('a first start makes one link; its token is nowhere in the database', async () => {
    const { setupUrl = '' } = server.composed.started;
    assert.match(setupUrl, new RegExp(`^${server.origin}/setup\\?token=[A-Za-z0-9_-]{43}$`));
    const [link, ...more] = await server.rows('setup_links');
    assert.deepEqual(more, []);
    assert.equal(link.expires_at - link.created_at, 3_600_000);
    for (const table of ['setup_links', 'log_events', 'installation']) {
      assert.ok(!JSON.stringify(await server.rows(table)).includes(tokenOf(setupUrl)), table);
    }
    assert.deepEqual(await administrators(), []);
  });

  test('a browser with the link makes the account and is an administrator; the link is over then', async () => {
    const path = server.composed.started.setupUrl?.slice(server.origin.length) ?? '';
    const browser = new Browser(server);
    assert.equal((await browser.open(path)).status, 200);
    const email = nobody();
    const weak = await browser.submit('/setup', { identifier: email, password: 'password123' });
    assert.ok(weak.status >= 400 && weak.status < 500);
    assert.deepEqual(await administrators(), [], 'a problem with the form does not use the link up');
    await browser.submit('/setup', { identifier: email, password: chosen, name: 'Ieyasu' });
    assert.equal(browser.page.status, 200, browser.page.text);
    const [user] = (await server.rows('users')).filter((one) => one.email === email);
    assert.deepEqual([user.name, user.status, user.email_verified], ['Ieyasu', 'active', 0]);
    assert.deepEqual(await administrators(), [user.id]);
    assert.equal((await signIn(server, { identifier: email, password: chosen })).userId, user.id);
    assert.deepEqual(await server.rows('setup_links'), []);
    const kinds = (await server.logEvents()).map(({ kind }) => kind);
    for (const kind of ['setup_link.created', 'setup_link.used', 'role.assigned'])
      assert.ok(kinds.includes(kind), kind);
    const again = new Browser(server);
    const over = await again.open(path);
    const never = await again.open('/setup?token=x');
    const none = await again.open('/setup');
    assert.deepEqual([over.status, never.status, none.status], [404, 404, 404]);
    const events = JSON.stringify(await server.logEvents());
    assert.ok(!events.includes(chosen));
  });

  test('of 20 that use a link at once one wins', async () => {
    const token = await newToken();
    const before = (await administrators()).length;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        use(token).then(
          () => 'made',
          ({ code }) => code,
        ),
      ),
    );
    assert.equal(outcomes.filter((outcome) => outcome === 'made').length, 1);
    assert.ok(
      outcomes.every((outcome) => outcome === 'made' || outcome === 'entity.not_found'),
      outcomes.join(),
    );
    assert.equal((await administrators()).length, before + 1);
    await assert.rejects(use(token), { code: 'entity.not_found' });
  });

  test('a link that is over, of another tenant, or nobody’s makes nothing', async () => {
    const old = await newToken();
    clock.advance(3_600_000);
    const fresh = await newToken();
    const before = await state();
    const inside = { ...contextOf(contextAt(server)), site: server.composed.services.sites.ofTenant('other') };
    const input = { token: fresh, identifier: nobody(), password: chosen };
    await assert.rejects(useSetupLink(inside, input), { code: 'entity.not_found' });
    for (const token of [old, `${fresh}x`, fresh.slice(1), '', '\0']) {
      await assert.rejects(use(token), { code: 'entity.not_found' });
    }
    assert.equal(await state(), before);
    await use(fresh);
  });

  test('what can not be an account is refused by its field, and the link stays good', async () => {
    const token = await newToken();
    const taken = nobody();
    await use(await newToken(), taken);
    const before = await state();
    await assert.rejects(use(token, 'no address'), { code: 'input.invalid', path: 'identifier' });
    await assert.rejects(use(token, nobody(), { password: 'password123' }), {
      code: 'input.invalid',
      path: 'password',
    });
    await assert.rejects(use(token, 'long.enough@example.com', { password: 'Long.Enough@example.com' }), {
      code: 'input.invalid',
      path: 'password',
    });
    await assert.rejects(use(token, taken), { code: 'entity.exists' });
    assert.equal(await state(), before);
    await use(token);
  });
});

test('a later start makes no link, nor does one that finds the tenant there', async () => {
  const folder = temporaryFolder();
  try {
    const databaseUrl = `sqlite:${folder.path}/db.sqlite`;
    const first = await startServer({ databaseUrl });
    assert.ok(first.composed.started.setupUrl);
    await first.close();
    const second = await startServer({ databaseUrl });
    assert.equal(second.composed.started.setupUrl, undefined);
    assert.equal((await second.rows('setup_links')).length, 1);
    await second.close();
  } finally {
    folder.remove();
  }
});

test('the block that people read has the link once, and the client’s credentials as before', async () => {
  const folder = temporaryFolder();
  try {
    const texts: string[] = [];
    for (let start = 0; start < 2; start += 1) {
      const started = await run({ cwd: folder.path });
      await started.said('Started in');
      if (start === 0) await started.said('/setup?token=');
      await stop(started);
      texts.push(started.stdout());
    }
    const [first = '', later = ''] = texts;
    assert.match(first, /^ {2}http:\/\/localhost:\d+\/setup\?token=[A-Za-z0-9_-]{43}$/m);
    assert.match(first, /administrator.*within 60 minutes/);
    assert.doesNotMatch(later, /setup|administrator/);
  } finally {
    folder.remove();
  }
});

test('of starts that race for one PostgreSQL one prints a link, and there is one', async () => {
  const databaseUrl = await newPostgresDatabase();
  const SEKISHO_MASTER_KEY = 'd4'.repeat(32);
  const env = { SEKISHO_DATABASE_URL: databaseUrl, SEKISHO_MASTER_KEY };
  const nodes = await Promise.all([1, 2, 3].map(() => startProcess({ env })));
  await Promise.all(nodes.map((node) => node.stop()));
  assert.equal(nodes.filter(({ report }) => report.setupUrl !== undefined).length, 1);
  const later = await startServer({ databaseUrl, env: { SEKISHO_MASTER_KEY } });
  assert.equal((await later.rows('setup_links')).length, 1);
  await later.close();
});

const tokenOf = (url: string): string => new URL(url).searchParams.get('token') ?? '';
