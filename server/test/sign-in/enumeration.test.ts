import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { nobody, refusalOf, signIn } from './people.ts';
import { authorizeUrl, Browser, makeApp, makeUser, native, password, pkce, type TestClient } from './support.ts';

const wrong = 'wrong horse battery';
const samples = 15;

const withoutSignInLimits = Object.fromEntries(
  ['ACCOUNT_AND_ADDRESS', 'ACCOUNT', 'ADDRESS'].map((by) => [`SEKISHO_RATE_LIMIT_SIGN_IN_FAILURES_PER_${by}`, '0']),
);

eachEngine('who is there is not told', (engine) => {
  let server: TestServer;
  let app: TestClient;
  let identifiers: Record<string, string>;
  before(async () => {
    server = await startServer({ engine, env: withoutSignInLimits });
    app = await makeApp(server);
    const blocked = await makeUser(server, { status: 'blocked' });
    const waiting = await makeUser(server, { status: 'awaiting_approval' });
    const plain = nobody();
    await native(server, 'POST', '/users', { primaryEmail: plain });
    identifiers = {
      unknown: nobody(),
      known: (await makeUser(server)).email,
      blocked: blocked.email,
      waiting: waiting.email,
      'without a password': plain,
    };
  });
  after(() => server.close());

  test('page, status, headers and cookies are the same for whoever is named', async () => {
    const seen = new Map<string, string>();
    for (const [who, identifier] of Object.entries(identifiers)) {
      const browser = new Browser(server);
      const challenge = { code_challenge: pkce().challenge, code_challenge_method: 'S256' };
      await browser.open(authorizeUrl('root', app, challenge));
      const page = await browser.signIn({ email: identifier, password: wrong });
      const headers = [...page.headers].filter(([name]) => !['date', 'content-length'].includes(name));
      const text = page.text
        .replaceAll(identifier, 'WHO')
        // What each page has its own of: the interaction and the form's check value.
        .replace(/\/interaction\/[^/"]+/g, '/interaction/ID')
        .replace(/(name="[a-z_]+" value=")[A-Za-z0-9_-]{20,}"/g, '$1…"');
      seen.set(who, JSON.stringify([page.status, headers, [...browser.cookies.keys()], text]));
    }
    const [first, ...others] = [...seen.values()];
    for (const [index, other] of others.entries()) assert.equal(other, first, [...seen.keys()][index + 1]);
    assert.match(first ?? '', /^\[(400|401),/);
  });

  test('and so is the work: one hash for each', async () => {
    const times = new Map<string, number[]>(Object.keys(identifiers).map((who) => [who, []]));
    for (let round = 0; round < samples; round += 1) {
      // In turns, so that whatever else the machine does touches all alike.
      for (const [who, identifier] of Object.entries(identifiers)) {
        // Of the processor, hashing threads included: the clock on the wall also counts what other processes do.
        const begun = process.cpuUsage();
        await refusalOf(signIn(server, { identifier, password: wrong }), 'sign_in_failed');
        const { user, system } = process.cpuUsage(begun);
        times.get(who)?.push((user + system) / 1000);
      }
    }
    const medians = [...times].map(([who, ofWho]) => [who, medianOf(ofWho)] as const);
    const reference = medianOf(medians.map(([, median]) => median));
    // A hash is nearly all of it, so one that was left out would show by far.
    for (const [who, median] of medians) {
      const isAlike = median > reference / 2 && median < reference * 2;
      assert.ok(isAlike, `${who}: ${median.toFixed(2)} ms, the others ${reference.toFixed(2)} ms`);
    }
  });

  test('the right password tells who has it, and nobody else, that the account is not open', async () => {
    const { blocked = '', known = '' } = identifiers;
    await refusalOf(signIn(server, { identifier: blocked, password }), 'user_inactive');
    await signIn(server, { identifier: known, password });
  });
});

const medianOf = (values: readonly number[]): number =>
  [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] as number;
