/**
 * Random histories of a tree of organizations against a naive model in memory, on both engines: never a cycle, never a
 * lost node, and the same answers.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { loadOrganizationFacts } from '../../src/domain/access/organization-facts.ts';
import { type Context, nowhere } from '../../src/domain/context.ts';
import { moveOrganization } from '../../src/domain/organizations/move.ts';
import {
  createOrganization,
  deleteOrganization,
  updateOrganization,
} from '../../src/domain/organizations/organizations.ts';
import {
  getOrganization,
  listAncestors,
  listOrganizationsByKey,
  listSubtree,
} from '../../src/domain/organizations/read-organizations.ts';
import { maximumDepth } from '../../src/domain/organizations/tree.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { engines, startServer, type TestServer } from '../harness.ts';

/** Organizations are told by the order in which they were made; a number may be of one that is gone. */
type Step =
  | { do: 'create'; below: number | null; levels: number }
  | { do: 'move'; node: number; below: number | null }
  | { do: 'delete'; node: number; cascade: boolean }
  | { do: 'suspend'; node: number; suspended: boolean };

const reference = fc.nat({ max: 400 });
const place = fc.option(reference, { freq: 6 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('create' as const), below: place, levels: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('move' as const), node: reference, below: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), node: reference, cascade: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('suspend' as const), node: reference, suspended: fc.boolean() }),
  },
);

/** The naive tree: who is whose parent, and nothing else. */
class Model {
  readonly nodes = new Map<number, { parent: number | null; suspended: boolean }>();
  made = 0;

  /** From the root down to the node itself. */
  way(node: number): number[] {
    const { parent } = this.nodes.get(node) as { parent: number | null };
    return parent === null ? [node] : [...this.way(parent), node];
  }
  below(node: number): number[] {
    return [...this.nodes.keys()].filter((other) => this.way(other).includes(node));
  }
  /** Names the number that a step means. */
  pick = (number: number): number => (this.made === 0 ? 0 : number % this.made);

  /** What the step answers: an error's code, or undefined. */
  apply(step: Step): string | undefined {
    if (step.do === 'create') {
      const below = step.below === null ? null : this.pick(step.below);
      if (below !== null && !this.nodes.has(below)) return 'entity.not_found';
      if (below !== null && this.way(below).length + 1 > maximumDepth) return 'organization.too_deep';
      this.nodes.set(this.made, { parent: below, suspended: false });
      this.made += 1;
      return undefined;
    }
    const node = this.pick(step.node);
    const found = this.nodes.get(node);
    if (found === undefined) return 'entity.not_found';
    if (step.do === 'suspend') {
      found.suspended = step.suspended;
    } else if (step.do === 'delete') {
      const below = this.below(node);
      if (below.length > 1 && !step.cascade) return 'organization.has_children';
      for (const each of below) this.nodes.delete(each);
    } else {
      const to = step.below === null ? null : this.pick(step.below);
      if (to !== null && !this.nodes.has(to)) return 'entity.not_found';
      if (to !== null && this.way(to).includes(node)) return 'organization.cycle';
      const height = Math.max(...this.below(node).map((each) => this.way(each).length)) - this.way(node).length + 1;
      if ((to === null ? 0 : this.way(to).length) + height > maximumDepth) return 'organization.too_deep';
      found.parent = to;
    }
    return undefined;
  }
}

/** The same history in a database; ids by the order in which they were made. */
class Real {
  readonly ctx: Context;
  readonly ids: string[] = [];
  constructor({ composed: { services } }: TestServer) {
    this.ctx = { ...services, site: services.sites.ofTenant('default'), actor: { kind: 'server' }, origin: nowhere };
  }
  idOf = (number: number): string => this.ids[this.ids.length === 0 ? 0 : number % this.ids.length] ?? 'org_nobody';

  async apply(step: Step): Promise<string | undefined> {
    try {
      const { ctx, idOf } = this;
      if (step.do === 'create') {
        const parentId = step.below === null ? null : idOf(step.below);
        this.ids.push((await createOrganization(ctx, { name: 'x', parentId })).id);
      } else if (step.do === 'move') {
        await moveOrganization(ctx, idOf(step.node), step.below === null ? null : idOf(step.below));
      } else if (step.do === 'delete') {
        await deleteOrganization(ctx, idOf(step.node), { cascade: step.cascade });
      } else {
        await updateOrganization(ctx, idOf(step.node), () => ({ status: step.suspended ? 'suspended' : 'active' }));
      }
      return undefined;
    } catch (error) {
      if (error instanceof DomainError) return error.code;
      throw error;
    }
  }

  numberOf = (id: string): number => this.ids.indexOf(id);

  /** What an organization's own backend sees: all pages of its list, by key. */
  async seenFrom(id: string): Promise<number[]> {
    const { path } = await this.ctx.db.read
      .selectFrom('organizations')
      .select('path')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const actor = {
      kind: 'client',
      clientId: 'c',
      tokenId: 't',
      scopes: new Set<string>(),
      organization: { id, path },
    } as const;
    const seen: number[] = [];
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page = await listOrganizationsByKey({ ...this.ctx, actor }, {}, { limit: 7, cursor });
      seen.push(...page.items.map((each) => this.numberOf(each.id)));
      cursor = page.next;
    }
    return seen;
  }

  async isSuspended(id: string): Promise<boolean> {
    const ask = { tenantId: 'default', organizationId: id, subjectId: 'nobody', identifier: 'organization' };
    return (await loadOrganizationFacts(this.ctx.db, ask)).facts.suspended;
  }

  async clear(): Promise<void> {
    await this.ctx.db.transact((trx) => trx.deleteFrom('organizations').execute());
  }
}

const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);

/** Creation of several levels is that many steps, each below the one before. */
function* stepsOf(history: readonly Step[], model: Model): Generator<Step> {
  for (const step of history) {
    yield step;
    if (step.do !== 'create') continue;
    for (let level = 1; level < step.levels && model.made > 0; level += 1) yield { ...step, below: model.made - 1 };
  }
}

async function assertSame(real: Real, model: Model): Promise<void> {
  const rows = await real.ctx.db.read.selectFrom('organizations').selectAll().execute();
  assert.deepEqual(sorted(rows.map(({ id }) => real.numberOf(id))), sorted([...model.nodes.keys()]));
  for (const row of rows) {
    const node = real.numberOf(row.id);
    const labels = model.way(node).map((each) => `${(real.ids[each] as string).slice(4)}/`);
    assert.equal(row.path, labels.join(''));
    assert.equal(row.parent_id, real.ids[model.nodes.get(node)?.parent ?? -1] ?? null);
  }
}

/** What the verbs tell of one organization. */
async function assertTold(real: Real, model: Model, node: number): Promise<void> {
  const id = real.ids[node] as string;
  const way = model.way(node);
  assert.deepEqual(
    (await listAncestors(real.ctx, id)).map((each) => real.numberOf(each.id)),
    way.slice(0, -1),
  );
  assert.equal((await getOrganization(real.ctx, id)).parentId, real.ids[way.at(-2) ?? -1] ?? null);
  const { organizations, truncated } = await listSubtree(real.ctx, id);
  assert.equal(truncated, false);
  assert.equal(organizations[0]?.id, id);
  const below = sorted(model.below(node));
  assert.deepEqual(sorted(organizations.map((each) => real.numberOf(each.id))), below);
  assert.deepEqual(sorted(await real.seenFrom(id)), below);
  assert.equal(
    await real.isSuspended(id),
    way.some((each) => model.nodes.get(each)?.suspended),
  );
}

const servers: TestServer[] = [];
before(async () => {
  for (const engine of engines) servers.push(await startServer({ engine }));
});
after(async () => {
  for (const server of servers) await server.close();
});

/** Chance alone leaves one of the answers out in one of forty runs. */
const everyAnswer: Step[] = [
  { do: 'create', below: null, levels: 2 },
  { do: 'delete', node: 0, cascade: false },
  { do: 'move', node: 0, below: 1 },
  { do: 'delete', node: 0, cascade: true },
  { do: 'suspend', node: 0, suspended: true },
];

test('a random history is what a naive tree says, on both engines', { timeout: 300_000 }, async () => {
  const answers = new Map<string | undefined, number>();
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 8, maxLength: 30 }),
    fc.nat(),
    async (history, which) => {
      const model = new Model();
      const reals = servers.map((server) => new Real(server));
      try {
        for (const each of stepsOf(history, model)) {
          // What a number means is settled before the step, which may make one more.
          const expected = model.apply(each);
          answers.set(expected, (answers.get(expected) ?? 0) + 1);
          for (const real of reals) assert.equal(await real.apply(each), expected, JSON.stringify(each));
        }
        const nodes = [...model.nodes.keys()];
        for (const real of reals) {
          await assertSame(real, model);
          for (const offset of [0, 3, 8]) {
            const node = nodes[(which + offset) % Math.max(nodes.length, 1)];
            if (node !== undefined) await assertTold(real, model, node);
          }
        }
      } finally {
        for (const real of reals) await real.clear();
      }
    },
  );
  await fc.assert(property, { numRuns: 25, examples: [[everyAnswer, 0]] });
  // Each kind of answer was among them.
  for (const answer of [undefined, 'entity.not_found', 'organization.cycle', 'organization.has_children']) {
    assert.ok((answers.get(answer) ?? 0) > 0, String(answer));
  }
});

/** One in seven runs comes to no limit by chance. */
const tooDeep: Extract<Step, { do: 'create' | 'move' }>[] = [
  { do: 'create', below: null, levels: 20 },
  { do: 'create', below: null, levels: 20 },
  { do: 'move', node: 20, below: 19 },
];

test('the limit of depth, in histories that go down', { timeout: 300_000 }, async () => {
  let refusals = 0;
  const deep = fc.array(
    fc.oneof(
      fc.record({
        do: fc.constant('create' as const),
        below: fc.constant(null),
        levels: fc.integer({ min: 18, max: 31 }),
      }),
      fc.record({ do: fc.constant('move' as const), node: reference, below: reference }),
    ),
    { minLength: 6, maxLength: 10 },
  );
  const property = fc.asyncProperty(deep, async (history) => {
    const model = new Model();
    const reals = servers.map((server) => new Real(server));
    try {
      for (const each of stepsOf(history, model)) {
        const expected = model.apply(each);
        if (expected === 'organization.too_deep') refusals += 1;
        for (const real of reals) assert.equal(await real.apply(each), expected, JSON.stringify(each));
      }
      for (const real of reals) await assertSame(real, model);
    } finally {
      for (const real of reals) await real.clear();
    }
  });
  await fc.assert(property, { numRuns: 8, examples: [[tooDeep]] });
  assert.ok(refusals > 0);
});
