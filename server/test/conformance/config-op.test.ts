/** OpenID Connect Config OP: `oidcc-config-certification-test-plan`. */
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { eachEngine, startServer, type TestServer } from '../harness.ts';
import { type IssuerKey, issuers } from '../sign-in/support.ts';
import { assertMetadata } from './metadata.ts';
import { discover, module } from './relying-party.ts';

eachEngine('Config OP', (engine) => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ engine });
  });
  after(() => server.close());

  for (const issuer of Object.keys(issuers) as IssuerKey[]) {
    describe(issuer, () => {
      module('oidcc-discovery-endpoint-verification', async () => {
        const metadata = await discover(server, issuers[issuer].issuer(server));
        await assertMetadata(server, metadata);
        assert.ok(metadata.id_token_signing_alg_values_supported.includes('RS256'));
        assert.ok(metadata.subject_types_supported.every((type: string) => ['public', 'pairwise'].includes(type)));
        assert.deepEqual(metadata.response_types_supported, ['code']);
        assert.ok(metadata.scopes_supported.includes('openid'));
        for (const claim of ['sub', 'iss', 'name', 'email'])
          assert.ok(metadata.claims_supported.includes(claim), claim);
        // What is not there is said so, where silence would mean that it is.
        assert.equal(metadata.request_uri_parameter_supported, false);
        assert.equal(metadata.request_parameter_supported, false);
        assert.equal(metadata.claims_parameter_supported, false);
      });
    });
  }
});
