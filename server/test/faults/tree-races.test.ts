/** Changes of one tree at the same moment, on two processes: whatever order they take, the tree stays a tree. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { dropDatabase } from '../../../scripts/postgres.ts';
import { newPostgresDatabase, type TestServer } from '../harness.ts';
import { sendTo, startNodes } from '../token/nodes.ts';

describe('one tree and two nodes over one PostgreSQL', () => {
  let databaseUrl: string;
  let nodes: [TestServer, TestServer];
  let token: string;
  before(async () => {
    databaseUrl = await newPostgresDatabase();
    nodes = await startNodes({ databaseUrl });
    token = await nodes[0].managementToken(nodes[0].nativeAudience);
  });
  after(async () => {
    for (const node of nodes) await node.close();
    await dropDatabase(databaseUrl);
  });

  const ask = (node: TestServer, method: string, path: string, json?: unknown) =>
    sendTo(node, method, `/api/organizations${path}`, json === undefined ? { token } : { token, json });
  const make = async (name: string, parentId?: string): Promise<string> => {
    const answer = await ask(nodes[0], 'POST', '', parentId === undefined ? { name } : { name, parentId });
    assert.equal(answer.status, 201, answer.text);
    return answer.body.id;
  };
  /** Every path is its parent's with the own label behind it. */
  const assertSound = async () => {
    const rows = await nodes[0].rows('organizations');
    const pathOf = new Map<string | null, string>([[null, ''], ...rows.map(({ id, path }) => [id, path] as const)]);
    for (const { id, parent_id, path } of rows) assert.equal(path, `${pathOf.get(parent_id)}${id.slice(4)}/`);
  };

  test('children are made below a subtree while it moves', async () => {
    const [from, to] = [await make('From'), await make('To')];
    for (let round = 0; round < 8; round += 1) {
      const moved = await make('Moved', from);
      const leaf = await make('Leaf', moved);
      const answers = await Promise.all([
        ask(nodes[0], 'POST', `/${moved}/move`, { parentId: to }),
        ask(nodes[1], 'POST', '', { name: 'New child', parentId: moved }),
        ask(nodes[1], 'POST', '', { name: 'New grandchild', parentId: leaf }),
      ]);
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 201, 201],
        answers.map(({ text }) => text).join('\n'),
      );
      await assertSound();
    }
  });

  test('two organizations are moved below each other: one is, the other is told that it would be a circle', async () => {
    for (let round = 0; round < 8; round += 1) {
      const [one, other] = [await make('One'), await make('Other')];
      const answers = await Promise.all([
        ask(nodes[0], 'POST', `/${one}/move`, { parentId: other }),
        ask(nodes[1], 'POST', `/${other}/move`, { parentId: one }),
      ]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
      await assertSound();
    }
  });

  test('a child is made while its parent is deleted: it is there with its parent, or neither is', async () => {
    for (let round = 0; round < 8; round += 1) {
      const parent = await make('Parent');
      const [deleted, made] = await Promise.all([
        ask(nodes[0], 'DELETE', `/${parent}`),
        ask(nodes[1], 'POST', '', { name: 'Child', parentId: parent }),
      ]);
      assert.ok(
        (deleted.status === 204 && made.status === 404) || (deleted.status === 409 && made.status === 201),
        `${deleted.status} ${made.status} ${made.text}`,
      );
      await assertSound();
    }
  });
});
