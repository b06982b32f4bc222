import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { sql } from 'kysely';
import { presentedTokenFacts, tokenFacts } from '../../src/domain/access/facts.ts';
import { organizationFactsStatement } from '../../src/domain/access/organization-facts.ts';
import { userFacts, userTokenFacts } from '../../src/domain/access/user-facts.ts';
import { authorizationAlive, authorizationByCode } from '../../src/domain/authorizations/authorizations.ts';
import { opaqueTokenByHash } from '../../src/domain/authorizations/opaque-tokens.ts';
import { refreshTokenByHash } from '../../src/domain/authorizations/refresh-tokens.ts';
import { interactionOfBrowser } from '../../src/domain/interactions/interactions.ts';
import { appSessionBySecret } from '../../src/domain/sessions/app-sessions.ts';
import { sessionBySecret } from '../../src/domain/sessions/sessions.ts';
import { clientFacts } from '../../src/protocol/client-facts.ts';
import { directOrganizations, userById } from '../../src/protocol/tokens/person.ts';
import { startServer, type TestServer } from '../harness.ts';

/** SQLite has no statistics of ours: how it plans these shows how they grow, whatever the tables hold. */
describe('the statements that decide an authorization', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.close());

  const manySteps = [tokenFacts, presentedTokenFacts, organizationFactsStatement, userFacts, userTokenFacts];
  const fewSteps = [
    appSessionBySecret,
    authorizationAlive,
    authorizationByCode,
    clientFacts,
    directOrganizations,
    interactionOfBrowser,
    opaqueTokenByHash,
    refreshTokenByHash,
    sessionBySecret,
    userById,
  ];
  for (const { name, sql: text } of [...manySteps, ...fewSteps]) {
    test(`${name}: no step reads all that a tenant has of something`, async () => {
      const plan = sql<{ detail: string }>`explain query plan ${sql.raw(text.replace(/(?<![:\w]):[a-zA-Z_]+/g, "''"))}`;
      const { rows } = await plan.execute(server.composed.services.db.read);
      const steps = rows.map(({ detail }) => detail);
      assert.ok(steps.length > (fewSteps.some((few) => few.name === name) ? 0 : 5), steps.join('\n'));
      const ofTenants = (step: string) => /^SEARCH [a-z]+ USING .*\(tenant_id=\?\)/.test(step);
      const scans = (step: string) => /^SCAN (?!up\b|held\b)/.test(step);
      assert.deepEqual(
        steps.filter((step) => ofTenants(step) || scans(step)),
        [],
        steps.join('\n'),
      );
    });
  }
});
