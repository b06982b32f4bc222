import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Answer, eachEngine, startServer, type TestServer } from '../harness.ts';
import { withoutLimits } from '../management/support.ts';
import { AscendingClock } from './ascending-clock.ts';
import { type Call, callsWith, delegatedCaller, nativeToken, walk } from './delegated.ts';

const ids = (answer: Answer): string[] => answer.body.map(({ id }: { id: string }) => id);

eachEngine('the tree of organizations', (engine) => {
  let server: TestServer;
  let call: Call;
  before(async () => {
    server = await startServer({ engine, env: withoutLimits, clock: new AscendingClock() });
    call = callsWith(server, await nativeToken(server));
  });
  after(() => server.close());

  const make = async (name: string, parentId: string | null = null): Promise<string> => {
    const answer = await call('POST', '/organizations', { name, parentId });
    assert.equal(answer.status, 201, answer.text);
    return answer.body.id;
  };

  async function refused(asked: () => Promise<Answer>, status: number, code: string): Promise<Answer> {
    const state = await server.stateHash();
    const answer = await asked();
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.code, code);
    assert.equal(await server.stateHash(), state);
    return answer;
  }

  /** Each path is its parent's with one label more, and each parent is there. */
  async function assertWhole(): Promise<void> {
    const rows = await server.rows('organizations');
    const paths = new Map(rows.map(({ id, path }) => [id, path]));
    for (const { id, parent_id, path } of rows) {
      const above = parent_id === null ? '' : paths.get(parent_id);
      assert.equal(path, `${above}${id.slice(4)}/`);
    }
  }

  test('children, ancestors, subtree and the nested tree', async () => {
    const root = await make('Root');
    const [a, b] = [await make('A', root), await make('B', root)];
    const [aa, ab] = [await make('AA', a), await make('AB', a)];
    const aaa = await make('AAA', aa);
    assert.deepEqual(ids(await call('GET', `/organizations/${root}/children`)), [a, b]);
    assert.deepEqual(ids(await call('GET', `/organizations?parentId=${root}&cursor=`)), [a, b]);
    assert.deepEqual(ids(await call('GET', `/organizations/${aaa}/children`)), []);
    assert.deepEqual(ids(await call('GET', `/organizations/${aaa}/ancestors`)), [root, a, aa]);
    assert.deepEqual(ids(await call('GET', `/organizations/${root}/ancestors`)), []);
    assert.ok(ids(await call('GET', '/organizations?parentId=')).includes(root));
    assert.ok(!ids(await call('GET', '/organizations?parentId=')).includes(a));
    const flat = await call('GET', `/organizations/${a}/subtree`);
    assert.equal(flat.headers.get('total-number'), '4');
    assert.deepEqual(ids(flat), [a, aa, ab, aaa]);
    const walked = await walk(call, `/organizations/${a}/subtree?page_size=1&cursor=`);
    assert.equal(walked[0], a);
    assert.equal(walked.indexOf(aaa), walked.indexOf(aa) + 1);
    assert.deepEqual([...walked].sort(), [a, aa, ab, aaa].sort());
    const { body } = await call('GET', `/organizations/${root}/tree`);
    assert.equal(body.truncated, false);
    const names = (node: { name: string; children: never[] }): unknown => [
      node.name,
      node.children.map(names).sort((one, two) => (String(one) < String(two) ? -1 : 1)),
    ];
    assert.deepEqual(names(body.tree), [
      'Root',
      [
        [
          'A',
          [
            ['AA', [['AAA', []]]],
            ['AB', []],
          ],
        ],
        ['B', []],
      ],
    ]);
    assert.equal(body.tree.parentId, null);
    assert.equal((await call('GET', `/organizations/${a}/tree`)).body.tree.parentId, root);
    await assertWhole();
  });

  test('a move takes the whole subtree; siblings, and those with a similar path, stay', async () => {
    const [from, to] = [await make('From'), await make('To')];
    const moving = await make('Moving', from);
    const stays = await make('Stays', from);
    const child = await make('Child', moving);
    const grandchild = await make('Grandchild', child);
    const answer = await call('POST', `/organizations/${moving}/move`, { parentId: to });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.body.parentId, to);
    assert.deepEqual(ids(await call('GET', `/organizations/${grandchild}/ancestors`)), [to, moving, child]);
    assert.deepEqual(ids(await call('GET', `/organizations/${from}/subtree`)), [from, stays]);
    assert.deepEqual(ids(await call('GET', `/organizations/${to}/subtree`)), [to, moving, child, grandchild]);
    assert.equal((await call('POST', `/organizations/${child}/move`, { parentId: null })).body.parentId, null);
    assert.deepEqual(ids(await call('GET', `/organizations/${grandchild}/ancestors`)), [child]);
    // To where it is already.
    assert.equal((await call('POST', `/organizations/${child}/move`, { parentId: null })).status, 200);
    await assertWhole();
    const events = (await server.logEvents()).filter(({ kind }) => kind === 'organization.moved');
    assert.deepEqual(
      events.slice(0, 2).map(({ details }) => JSON.parse(details)),
      [
        { target: moving, parent: to, before: from },
        { target: child, parent: null, before: moving },
      ],
    );
  });

  test('never below itself, below what is below it, or below what is not there', async () => {
    const root = await make('Cycle');
    const child = await make('Cycle child', root);
    const grandchild = await make('Cycle grandchild', child);
    for (const parentId of [root, child, grandchild]) {
      await refused(() => call('POST', `/organizations/${root}/move`, { parentId }), 409, 'organization.cycle');
    }
    await refused(
      () => call('POST', `/organizations/${child}/move`, { parentId: 'org_nobody' }),
      404,
      'entity.not_exists',
    );
    await refused(() => call('POST', '/organizations/org_nobody/move', { parentId: child }), 404, 'entity.not_exists');
    for (const body of [{}, { parentId: 7 }, { parentId: '' }, { parentId: [child] }]) {
      await refused(() => call('POST', `/organizations/${child}/move`, body), 400, 'guard.invalid_input');
    }
    const state = await server.stateHash();
    const dry = await call('POST', `/organizations/${child}/move?dry_run=true`, { parentId: null });
    assert.deepEqual([dry.status, dry.body.parentId], [200, null]);
    assert.equal(await server.stateHash(), state);
  });

  test('at most 32 levels: made, and moved with what is below', async () => {
    const chain = [await make('Level 1')];
    for (let level = 2; level <= 32; level += 1) chain.push(await make(`Level ${level}`, chain.at(-1)));
    const leaf = chain.at(-1) as string;
    await refused(
      () => call('POST', '/organizations', { name: 'Too deep', parentId: leaf }),
      400,
      'organization.too_deep',
    );
    assert.equal(ids(await call('GET', `/organizations/${leaf}/ancestors`)).length, 31);
    const top = await make('Top');
    await refused(
      () => call('POST', `/organizations/${chain[0]}/move`, { parentId: top }),
      400,
      'organization.too_deep',
    );
    const side = await make('Side');
    const sideChild = await make('Side child', side);
    await make('Side grandchild', sideChild);
    await refused(
      () => call('POST', `/organizations/${side}/move`, { parentId: chain[29] }),
      400,
      'organization.too_deep',
    );
    assert.equal((await call('POST', `/organizations/${side}/move`, { parentId: chain[28] })).status, 200);
    // Upwards the whole chain fits.
    assert.equal((await call('POST', `/organizations/${chain[1]}/move`, { parentId: top })).status, 200);
    await assertWhole();
  });

  test('deletion refuses while there are children, or takes all of them', async () => {
    const root = await make('Deleted');
    const child = await make('Deleted child', root);
    await make('Deleted grandchild', child);
    const other = await make('Other');
    await refused(() => call('DELETE', `/organizations/${child}`), 409, 'organization.has_children');
    await refused(() => call('DELETE', `/organizations/${child}?cascade=false`), 409, 'organization.has_children');
    await refused(() => call('DELETE', `/organizations/${child}?cascade=perhaps`), 400, 'guard.invalid_input');
    assert.equal((await call('DELETE', `/organizations/${child}?cascade=true`)).status, 204);
    assert.deepEqual(ids(await call('GET', `/organizations/${root}/subtree`)), [root]);
    assert.equal((await call('GET', `/organizations/${other}`)).status, 200);
    assert.equal((await call('DELETE', `/organizations/${root}`)).status, 204);
    await assertWhole();
  });

  test('a delegated caller: ancestors above it are hidden, everything below is there', async () => {
    const top = await make('Top of all');
    const own = await make('Own', top);
    const child = await make('Own child', own);
    const { token } = await delegatedCaller(server, { organizationId: own, scopes: ['read:organizations'] });
    const theirs = callsWith(server, token);
    assert.deepEqual(ids(await theirs('GET', `/organizations/${child}/ancestors`)), [own]);
    assert.deepEqual(ids(await theirs('GET', `/organizations/${own}/ancestors`)), []);
    const { body } = await theirs('GET', `/organizations/${own}/tree`);
    assert.deepEqual([body.tree.parentId, body.tree.children[0].id], [null, child]);
    assert.deepEqual(await walk(theirs, '/organizations?page_size=1&cursor='), [own, child]);
    for (const answer of [
      await theirs('GET', `/organizations/${child}/ancestors`),
      await theirs('GET', `/organizations/${own}/tree`),
    ]) {
      assert.ok(!answer.text.includes(top));
    }
  });

  test('moves, creations and deletions at once leave a whole tree', async () => {
    const roots = [await make('Busy 1'), await make('Busy 2'), await make('Busy 3')];
    const nodes: string[] = [];
    for (let index = 0; index < 9; index += 1) nodes.push(await make(`Busy ${index}`, [...roots, ...nodes][index]));
    const any = (list: readonly string[], index: number) => list[index % list.length] as string;
    const change = (index: number): Promise<Answer> => {
      if (index % 5 === 0) return call('POST', '/organizations', { name: 'New', parentId: any(nodes, index * 7) });
      if (index % 11 === 0) return call('DELETE', `/organizations/${any(nodes, index * 5)}?cascade=true`);
      return call('POST', `/organizations/${any(nodes, index * 3)}/move`, {
        parentId: any([...nodes, ...roots], index * 13),
      });
    };
    const answers: Answer[] = [];
    // In waves: whoever waits five seconds for the transactions before its own is turned away.
    for (let first = 0; first < 60; first += 20) {
      answers.push(...(await Promise.all(Array.from({ length: 20 }, (_, index) => change(first + index)))));
    }
    for (const { status, text } of answers) assert.ok([200, 201, 204, 404, 409].includes(status), text);
    assert.ok(answers.some(({ status }) => status === 200));
    await assertWhole();
  });

  test('a tree of more than 1000 is cut, deep before wide, and says so; the flat list has all', async () => {
    const root = await make('Large');
    const { services } = server.composed;
    const now = services.clock.now();
    const { path } = (await server.rows('organizations')).find(({ id }) => id === root);
    const rows = Array.from({ length: 1005 }, (_, index) => {
      const label = `L${String(index).padStart(15, '0')}`;
      return {
        tenant_id: 'default',
        id: `org_${label}`,
        parent_id: root,
        path: `${path}${label}/`,
        slug: label.toLowerCase(),
        name: label,
        name_key: label.toLowerCase(),
        description: null,
        status: 'active' as const,
        mfa_required: 0 as const,
        metadata: '{}',
        extras: '{}',
        created_at: now,
        updated_at: now,
      };
    });
    await services.db.transact(async (trx) => {
      for (let start = 0; start < rows.length; start += 500) {
        await trx
          .insertInto('organizations')
          .values(rows.slice(start, start + 500))
          .execute();
      }
    });
    const deepest = await make('Deepest', 'org_L000000000000000');
    const { body } = await call('GET', `/organizations/${root}/tree`);
    assert.equal(body.truncated, true);
    assert.equal(body.tree.children.length, 998);
    assert.equal(body.tree.children[0].children[0].id, deepest);
    assert.equal(new Set(await walk(call, `/organizations/${root}/subtree?page_size=100&cursor=`)).size, 1007);
    // An id that looks like another's beginning is not below it.
    assert.deepEqual(ids(await call('GET', '/organizations/org_L000000000000001/subtree')), ['org_L000000000000001']);
  });
});
